//! Marks on packs that `prune` means to remove from a bucket, in one object. A maintainer and builders agree by it: each
//! change is put on condition that nobody else changed it meanwhile.
//!
//! It decides nothing: `reclaim` marks, and `reliance` takes marks off. Memory: 60 bytes for each mark, 2^20 of them at most.

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use super::StoreError;
use crate::base::envelope::{self, EnvelopeError, EnvelopeKind, HEADER_BYTES};
use crate::base::id::PackId;
use crate::base::term::{Action, Flaw};
use crate::store::storage::{Given, ObjectVersion, Put, Storage, StorageError};

pub(super) const NAME: &str = "prune/marks";
/// Most marks.
pub(super) const MARKS_MAX: usize = 1 << 20;
const HEAD_BYTES: usize = 16;
const RECORD_BYTES: usize = 41;
const BODY_MAX: u64 = (HEAD_BYTES + MARKS_MAX * RECORD_BYTES) as u64;

/// How far the removal of a pack has come. A pack whose removal was decided never comes back under its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MarkState {
    /// No release needed it. Whoever needs it now takes the mark off.
    Marked,
    /// Its removal is decided, and may have begun.
    Doomed,
    /// It was removed.
    Removed,
}

/// A mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackMark {
    /// How far its removal has come.
    pub state: MarkState,
    /// A second, in Unix time of the server, at which this state was in place. `None` until the next maintainer asks.
    pub since: Option<u64>,
}

/// All marks of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PackMarks {
    /// The number of the maintainer who may decide. A later one has a larger number.
    pub fence: u64,
    /// Grows with each change, so that no state comes again.
    pub round: u64,
    /// The marked packs.
    pub packs: BTreeMap<PackId, PackMark>,
}

impl PackMarks {
    /// Returns the bytes of the object.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(HEAD_BYTES + self.packs.len() * RECORD_BYTES);
        body.extend_from_slice(&self.fence.to_le_bytes());
        body.extend_from_slice(&self.round.to_le_bytes());
        for (id, mark) in &self.packs {
            body.extend_from_slice(id.as_bytes());
            body.extend_from_slice(&mark.since.unwrap_or(0).to_le_bytes());
            body.push(match mark.state {
                MarkState::Marked => 1,
                MarkState::Doomed => 2,
                MarkState::Removed => 3,
            });
        }
        envelope::seal(EnvelopeKind::Marks, &body)
    }

    /// Reads the bytes of the object.
    ///
    /// # Errors
    /// [`EnvelopeError`] when they are damaged or of a newer program.
    pub fn decode(file: &[u8]) -> Result<Self, EnvelopeError> {
        let corrupt = || EnvelopeError::Corrupt(Flaw::Record);
        let body = envelope::open(EnvelopeKind::Marks, file, BODY_MAX)?;
        let (head, records) = body.split_at_checked(HEAD_BYTES).ok_or_else(corrupt)?;
        let (records, rest) = records.as_chunks::<RECORD_BYTES>();
        if !rest.is_empty() {
            return Err(corrupt());
        }
        let mut packs = BTreeMap::new();
        for record in records {
            let mut id = [0; 32];
            id.copy_from_slice(&record[..32]);
            let state = match record[40] {
                1 => MarkState::Marked,
                2 => MarkState::Doomed,
                3 => MarkState::Removed,
                _ => return Err(corrupt()),
            };
            let since = Some(number(&record[32..40])).filter(|since| *since != 0);
            packs.insert(PackId(id), PackMark { state, since });
        }
        // A pack has one mark, and the same marks have the same bytes.
        if packs.len() != records.len() || !records.is_sorted_by_key(|record| &record[..32]) {
            return Err(corrupt());
        }
        Ok(Self {
            fence: number(&head[..8]),
            round: number(&head[8..]),
            packs,
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut out = [0; 8];
    out.copy_from_slice(bytes);
    u64::from_le_bytes(out)
}

/// The marks as they were read, and what tells this state from others. Without a version there was no such object.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadMarks {
    pub(super) marks: PackMarks,
    pub(super) version: Option<ObjectVersion>,
}

impl ReadMarks {
    /// Reads the marks. Damaged ones count as none: nothing more is decided by them, and packs are marked anew.
    ///
    /// # Errors
    /// [`StoreError::Unsupported`] when a newer program wrote them, or a storage error.
    pub(super) fn read(storage: &dyn Storage) -> Result<Self, StoreError> {
        let (file, version) = match storage.get(NAME, BODY_MAX + HEADER_BYTES as u64) {
            Err(error) if error.is_missing() => return Ok(Self::default()),
            read => read?,
        };
        let marks = PackMarks::decode(&file);
        if let Err(EnvelopeError::Unsupported { found, known }) = marks {
            return Err(StoreError::Unsupported {
                path: NAME.into(),
                found: found.into(),
                known: known.into(),
            });
        }
        Ok(Self {
            marks: marks.unwrap_or_default(),
            version: Some(version),
        })
    }

    /// Puts the changed marks in place of what was read. Returns `false` when somebody else changed them meanwhile.
    pub(super) fn put(&mut self, storage: &dyn Storage) -> Result<bool, StoreError> {
        self.marks.round += 1;
        let given = match &self.version {
            Some(version) => Given::Unchanged(version.clone()),
            None => Given::Absent,
        };
        let Put::Done(version) = storage.put_if(NAME, &self.marks.encode(), &given)? else {
            return Ok(false);
        };
        self.version = Some(version);
        Ok(true)
    }
}

/// Returns when an object was put, in seconds of Unix time, by the clock of the server. No other clock is asked.
pub(super) fn put_second(storage: &dyn Storage, name: &str) -> Result<u64, StoreError> {
    let at = storage.put_at(name);
    let since = at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let Some(since) = since else {
        let why = std::io::Error::other("the server does not say when it was put");
        return Err(StorageError::on(Action::LookAt, name.as_ref())(why).into());
    };
    Ok(since.as_secs())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn marks_are_read_as_they_were_written_and_odd_ones_are_refused() {
        let mark = |state, since| PackMark { state, since };
        let marks = PackMarks {
            fence: 7,
            round: u64::MAX,
            packs: [
                (PackId([1; 32]), mark(MarkState::Marked, None)),
                (PackId([2; 32]), mark(MarkState::Doomed, Some(9))),
                (PackId([3; 32]), mark(MarkState::Removed, Some(u64::MAX))),
            ]
            .into(),
        };
        assert_eq!(PackMarks::decode(&marks.encode()).unwrap(), marks);
        let body = marks.encode()[HEADER_BYTES..].to_vec();
        let refused = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut body = body.clone();
            change(&mut body);
            assert!(PackMarks::decode(&envelope::seal(EnvelopeKind::Marks, &body)).is_err());
        };
        refused(&|body| body.truncate(15));
        refused(&|body| body.push(0));
        refused(&|body| body[HEAD_BYTES + 40] = 0);
        refused(&|body| body[HEAD_BYTES + 40] = 4);
        refused(&|body| body[HEAD_BYTES] = 9);
        refused(&|body| body[HEAD_BYTES + RECORD_BYTES..][..32].fill(1));
    }
}
