//! Remembers which frames were found damaged, so that nothing is ever deduplicated against them.
//!
//! The list is advice about packs that are there; a lost list costs no more than finding the damage again.

use super::StoreError;
use super::shelf::{Place, Shelf};
use crate::envelope::{self, HEADER_BYTES, Kind};
use crate::finding::Finding;
use crate::id::PackId;
use crate::storage::{self, Storage};

const NAME: &str = "quarantine";
const RECORD_BYTES: usize = 36;
const LIST_MAX: u64 = 64 << 20;

/// Reads the list onto the shelf. Frames of packs that are gone are forgotten.
pub(super) fn load(
    storage: &dyn Storage,
    shelf: &mut Shelf,
    findings: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let file = match storage::read(storage, NAME, LIST_MAX + HEADER_BYTES as u64) {
        Err(error) if error.is_missing() => return Ok(()),
        file => file?,
    };
    let body = match envelope::open(Kind::Quarantine, &file, LIST_MAX) {
        Ok(body) => body,
        Err(error) => {
            findings.push(Finding::damage(
                NAME,
                format!("{error}; `check` finds damaged frames again"),
            ));
            return Ok(());
        }
    };
    for record in body.as_chunks::<RECORD_BYTES>().0 {
        let mut id = [0; 32];
        id.copy_from_slice(&record[..32]);
        let offset = u32::from_le_bytes([record[32], record[33], record[34], record[35]]);
        if let Some(pack) = shelf.number_of(&PackId(id)) {
            shelf.quarantine.insert(Place { pack, offset });
        }
    }
    Ok(())
}

/// Writes the list anew.
pub(super) fn save(storage: &dyn Storage, shelf: &Shelf) -> Result<(), StoreError> {
    let mut records: Vec<(PackId, u32)> = shelf
        .quarantine
        .iter()
        .map(|place| (shelf.pack(place.pack).id, place.offset))
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
        &envelope::seal(Kind::Quarantine, &body),
    )?)
}
