//! Binary differences: new bytes as runs of old ones with byte-wise changes, and literals for the rest.
//!
//! The method is that of bsdiff (Colin Percival, "Naive differences of executable code", 2003). Where code was only
//! relinked, most differences are zero and the others repeat. Old places are found by hashes instead of a suffix array.
//! Everything is in memory. The frame compresses the streams of a script.

pub(crate) mod align;
mod index;

use std::io::{self, BufRead, Read};

use self::align::AlignedRun;
use self::index::OldBytesIndex;

/// A script that makes new bytes from old ones. A step copies old bytes, changes some of them, appends literals, and
/// moves on in the old bytes. Each of the first three streams has one number for each step. The next two streams run
/// along all copied bytes, from the first to the last.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct DiffScript<S> {
    /// Varints: the number of copied bytes.
    pub copies: S,
    /// Varints: the number of literals behind them.
    pub literal_counts: S,
    /// Varints, zigzag: the distance from the end of the copy to the next copy in the old bytes.
    pub seeks: S,
    /// Varints: the number of copied bytes that stay unchanged.
    pub same_counts: S,
    /// Varints: the number of changed bytes behind them.
    pub changed_counts: S,
    /// Values that are added, modulo 256, to the changed bytes.
    pub changes: S,
    /// The literals.
    pub literals: S,
}

/// Says why a script cannot be applied to these old bytes.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApplyError {
    /// A stream cannot be read or ends too early.
    #[error("cannot be read")]
    Read(#[from] io::Error),
    /// It contradicts itself or the old bytes.
    #[error("not a script for these bytes")]
    Invalid,
}

/// Every so many places of old bytes are enough for long runs.
const COARSE_STEP: usize = 4;

/// Finds the runs of `old` that `new` consists of, in order, with a coarse search. Returns `None` when that would take
/// too long. Takes 1 byte for each byte of `old`, and up to 64 MiB.
pub(crate) fn coarse_runs(old: &[u8], new: &[u8]) -> Option<Vec<AlignedRun>> {
    let index = OldBytesIndex::of(old, COARSE_STEP, index::COARSE_DEPTH)?;
    let mut found = Vec::new();
    align::runs(&index, new, &mut |run| found.push(run))?;
    Some(found)
}

impl DiffScript<Vec<u8>> {
    /// Makes the script that turns `old` into `new`. Looks at every `step`th old place. Returns `None` when it would take
    /// too long to find. Takes 4 bytes for each place, and up to 64 MiB.
    pub fn of(old: &[u8], new: &[u8], step: usize) -> Option<Self> {
        let index = OldBytesIndex::of(old, step, index::DEPTH)?;
        let mut script = Self::default();
        let mut along = Along::default();
        align::runs(&index, new, &mut |run| {
            script.push(old, new, run, &mut along);
        })?;
        script.push_counts(&mut along);
        Some(script)
    }

    fn push(&mut self, old: &[u8], new: &[u8], run: AlignedRun, along: &mut Along) {
        let copy_end = run.at + run.copied;
        push_varint(&mut self.copies, run.copied as u64);
        push_varint(&mut self.literal_counts, run.literals as u64);
        push_varint(&mut self.seeks, zigzag(run.seek));
        for (new, old) in new[run.at..copy_end].iter().zip(&old[run.from..]) {
            if new != old {
                along.changed += 1;
                self.changes.push(new.wrapping_sub(*old));
                continue;
            }
            if along.changed > 0 {
                self.push_counts(along);
            }
            along.same += 1;
        }
        self.literals
            .extend_from_slice(&new[copy_end..copy_end + run.literals]);
    }

    fn push_counts(&mut self, along: &mut Along) {
        push_varint(&mut self.same_counts, along.same);
        push_varint(&mut self.changed_counts, along.changed);
        *along = Along::default();
    }
}

/// The state of the two streams that run along all copied bytes: unchanged bytes, then changed ones.
#[derive(Debug, Default)]
struct Along {
    same: u64,
    changed: u64,
}

impl<S: BufRead> DiffScript<S> {
    /// Applies a script: appends `new_bytes` bytes, made from `old`, to `new`.
    ///
    /// # Errors
    /// [`ApplyError`] when a stream ends or cannot be read, or when the script leaves the old bytes or makes more
    /// bytes.
    pub(crate) fn apply(
        &mut self,
        old: &[u8],
        new: &mut Vec<u8>,
        new_bytes: usize,
    ) -> Result<(), ApplyError> {
        let end = new.len() + new_bytes;
        let mut from = 0_usize;
        let mut along = Along::default();
        while new.len() < end {
            let copied = self.count(end - new.len(), |script| &mut script.copies)?;
            let literals = self.count(end - new.len() - copied, |script| {
                &mut script.literal_counts
            })?;
            let old_end = from.checked_add(copied).ok_or(ApplyError::Invalid)?;
            let run = old.get(from..old_end).ok_or(ApplyError::Invalid)?;
            self.copy(run, &mut along, new)?;
            take(&mut self.literals, literals, new)?;
            let seek = unzigzag(read_varint(&mut self.seeks)?);
            from = i64::try_from(old_end)
                .ok()
                .and_then(|end| end.checked_add(seek))
                .and_then(|next| usize::try_from(next).ok())
                .ok_or(ApplyError::Invalid)?;
        }
        Ok(())
    }

    /// Appends the old bytes of a run with their changes.
    fn copy(
        &mut self,
        mut run: &[u8],
        along: &mut Along,
        new: &mut Vec<u8>,
    ) -> Result<(), ApplyError> {
        while !run.is_empty() {
            if along.same == 0 && along.changed == 0 {
                along.same = read_varint(&mut self.same_counts)?;
                along.changed = read_varint(&mut self.changed_counts)?;
            }
            let (same, rest) = run.split_at(at_most(along.same, run.len()));
            along.same -= same.len() as u64;
            new.extend_from_slice(same);
            let (changed, rest) = rest.split_at(at_most(along.changed, rest.len()));
            along.changed -= changed.len() as u64;
            let at = new.len();
            take(&mut self.changes, changed.len(), new)?;
            for (byte, old) in new[at..].iter_mut().zip(changed) {
                *byte = byte.wrapping_add(*old);
            }
            run = rest;
        }
        Ok(())
    }

    fn count(&mut self, limit: usize, of: fn(&mut Self) -> &mut S) -> Result<usize, ApplyError> {
        usize::try_from(read_varint(of(self))?)
            .ok()
            .filter(|count| *count <= limit)
            .ok_or(ApplyError::Invalid)
    }
}

fn at_most(count: u64, limit: usize) -> usize {
    usize::try_from(count).unwrap_or(limit).min(limit)
}

/// Moves `count` bytes. The caller has bounded them.
fn take(source: &mut impl Read, count: usize, out: &mut Vec<u8>) -> Result<(), ApplyError> {
    let wanted = count as u64;
    if source.take(wanted).read_to_end(out)? as u64 == wanted {
        Ok(())
    } else {
        Err(io::Error::from(io::ErrorKind::UnexpectedEof).into())
    }
}

/// Appends a varint.
pub(crate) fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// Reads a varint of less than 2^63.
pub(crate) fn read_varint(source: &mut impl Read) -> Result<u64, ApplyError> {
    let mut value = 0_u64;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        source.read_exact(&mut byte)?;
        value |= u64::from(byte[0] & 0x7f) << shift;
        if byte[0] < 0x80 {
            return Ok(value);
        }
    }
    Err(ApplyError::Invalid)
}

/// Returns the number that stands for a signed one.
pub(crate) fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

/// Undoes [`zigzag`].
pub(crate) fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn readers(script: &DiffScript<Vec<u8>>) -> DiffScript<&[u8]> {
        DiffScript {
            copies: &script.copies,
            literal_counts: &script.literal_counts,
            seeks: &script.seeks,
            same_counts: &script.same_counts,
            changed_counts: &script.changed_counts,
            changes: &script.changes,
            literals: &script.literals,
        }
    }

    fn apply(
        script: &DiffScript<Vec<u8>>,
        old: &[u8],
        bytes: usize,
    ) -> Result<Vec<u8>, ApplyError> {
        let mut new = Vec::new();
        readers(script).apply(old, &mut new, bytes)?;
        Ok(new)
    }

    fn noise(seed: u8, bytes: usize) -> Vec<u8> {
        let mut all = vec![seed; 32];
        while all.len() < bytes + 32 {
            all.extend_from_slice(&crate::base::id::hash(&all[all.len() - 32..]));
        }
        all.split_off(32)[..bytes].to_vec()
    }

    #[test]
    fn linked_anew_is_one_copy_with_few_differences() {
        let old = noise(1, 100_000);
        let mut new = old[1000..].to_vec();
        for at in (50..new.len()).step_by(97) {
            new[at] = new[at].wrapping_add(3);
        }
        let script = DiffScript::of(&old, &new, 1).unwrap();
        assert!(
            script.copies.len() < 10 && script.literals.len() < 40,
            "{} {}",
            script.copies.len(),
            script.literals.len()
        );
        assert_eq!(script.changes, vec![3; (new.len() - 50).div_ceil(97)]);
        assert_eq!(apply(&script, &old, new.len()).unwrap(), new);
    }

    #[test]
    fn what_repeats_without_end_takes_no_long() {
        for new in [
            vec![0; 3 << 20],
            b"ab".repeat(1 << 20),
            [noise(3, 100), noise(4, 60)].concat().repeat(9000),
        ] {
            for old in [vec![0; 2 << 20], noise(3, 100).repeat(9000)] {
                if let Some(script) = DiffScript::of(&old, &new, 1) {
                    assert_eq!(apply(&script, &old, new.len()).unwrap(), new);
                }
            }
        }
    }

    #[test]
    fn scripts_that_leave_their_bytes_are_refused() {
        let step = |copied: u64, literals: u64, seek: i64| {
            let mut script = DiffScript {
                literals: vec![0; 100],
                ..DiffScript::default()
            };
            push_varint(&mut script.same_counts, 100);
            push_varint(&mut script.changed_counts, 0);
            for _ in 0..3 {
                push_varint(&mut script.copies, copied);
                push_varint(&mut script.literal_counts, literals);
                push_varint(&mut script.seeks, zigzag(seek));
            }
            script
        };
        let old = noise(1, 20);
        assert!(apply(&step(5, 0, -5), &old, 15).is_ok());
        for wrong in [
            step(5, 0, -6),
            step(5, 0, 6),
            step(21, 0, 0),
            step(5, 11, 0),
            step(u64::MAX >> 1, 1, 0),
            step(1, 1, i64::MIN / 2),
        ] {
            assert!(matches!(apply(&wrong, &old, 15), Err(ApplyError::Invalid)));
        }
        assert!(matches!(
            apply(&step(5, 0, -5), &old, 16),
            Err(ApplyError::Read(_))
        ));
    }

    proptest! {
        #[test]
        fn numbers_come_back(value in any::<i64>()) {
            let small = value >> 3;
            let mut out = Vec::new();
            push_varint(&mut out, zigzag(small));
            prop_assert_eq!(unzigzag(read_varint(&mut &out[..]).unwrap()), small);
        }

        #[test]
        fn any_bytes_come_back(old in proptest::collection::vec(0_u8..3, 0..3000), edits in proptest::collection::vec((0_usize..3000, 0_usize..3000, 0_usize..400), 0..12)) {
            let mut new = old.clone();
            for (from, to, bytes) in edits {
                let piece: Vec<u8> = old.iter().skip(from).take(bytes).copied().collect();
                let to = to.min(new.len());
                new.splice(to..(to + bytes / 2).min(new.len()), piece);
            }
            let script = DiffScript::of(&old, &new, 1).unwrap();
            prop_assert_eq!(apply(&script, &old, new.len()).unwrap(), new);
        }

        #[test]
        fn any_script_is_survived(streams in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..60), 7), bytes in 0_usize..200) {
            let [copies, literal_counts, seeks, same_counts, changed_counts, changes, literals] = streams.try_into().unwrap();
            let script = DiffScript { copies, literal_counts, seeks, same_counts, changed_counts, changes, literals };
            if let Ok(new) = apply(&script, b"some old bytes", bytes) {
                prop_assert_eq!(new.len(), bytes);
            }
        }
    }
}
