//! Remembers which frames were found damaged, so that nothing is ever deduplicated against them.
//!
//! The list is advice about existing packs. When it is lost, the damage only has to be found again.

use super::StoreError;
use super::chunk_index::{ChunkIndex, PackPlace};
use super::seen::{OpenNotes, Trouble};
use crate::base::diagnostic::diagnostic;
use crate::base::envelope::{self, EnvelopeKind, HEADER_BYTES};
use crate::base::finding::Finding;
use crate::base::id::PackId;
use crate::store::storage::{self, Storage};

const NAME: &str = "quarantine";
const RECORD_BYTES: usize = 36;
const LIST_MAX: u64 = 64 << 20;

/// Reads the list into the index. Frames of missing packs are dropped.
pub(super) fn load(storage: &dyn Storage, chunk_index: &mut ChunkIndex, seen: &mut OpenNotes) {
    let file = match storage::read(storage, NAME, LIST_MAX + HEADER_BYTES as u64) {
        Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => return,
        file => file.map_err(Trouble::from),
    };
    let body = file.and_then(|file| {
        let body = envelope::open(EnvelopeKind::Quarantine, &file, LIST_MAX);
        body.map(<[u8]>::to_vec).map_err(Trouble::damage)
    });
    let body = match body {
        Ok(body) => body,
        Err(trouble) => {
            match trouble {
                Trouble::Fault(error) => seen.fault(NAME, error),
                Trouble::Damage(_) => {
                    let what = diagnostic!("store.quarantine_lost");
                    seen.findings.push(Finding::damage(NAME, what));
                }
            }
            chunk_index.is_quarantine_lost = true;
            return;
        }
    };
    for record in body.as_chunks::<RECORD_BYTES>().0 {
        let mut id = [0; 32];
        id.copy_from_slice(&record[..32]);
        let offset = u32::from_le_bytes([record[32], record[33], record[34], record[35]]);
        if let Some(pack) = chunk_index.number_of(&PackId(id)) {
            chunk_index.quarantine.insert(PackPlace { pack, offset });
        }
    }
}

/// Writes the list anew.
pub(super) fn save(storage: &dyn Storage, chunk_index: &ChunkIndex) -> Result<(), StoreError> {
    let mut records: Vec<(PackId, u32)> = chunk_index
        .quarantine
        .iter()
        .map(|place| (chunk_index.pack(place.pack).id, place.offset))
        .collect();
    if records.is_empty() {
        return Ok(storage.remove(NAME)?);
    }
    records.sort_unstable();
    let mut body = Vec::with_capacity(records.len() * RECORD_BYTES);
    for (pack, offset) in records {
        body.extend_from_slice(pack.as_bytes());
        body.extend_from_slice(&offset.to_le_bytes());
    }
    Ok(storage::put(
        storage,
        NAME,
        &envelope::seal(EnvelopeKind::Quarantine, &body),
    )?)
}
