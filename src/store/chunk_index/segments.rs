//! Writes index segments: new ones, and ones that take the place of others.
//!
//! Packs are not read for it. Memory: 24 bytes for each entry that is written, and as much while they are sorted.

use std::collections::{HashMap, HashSet};

use super::{ChunkIndex, ListedPack, PackPlace, segment_name};
use crate::base::id::{PackId, hash};
use crate::content::index::{ChunkEntry, IndexSegment, PackEntry};
use crate::store::StoreError;
use crate::store::mmap::{self, Bytes};
use crate::store::storage::{self, Storage};

/// Most small segments that stay.
const SMALL_MAX: usize = 8;
/// A segment with fewer entries is joined with others when there are many of them. It has 24 MiB.
const SMALL_ENTRIES: usize = 1 << 20;
/// Makes a segment durable and opens it.
pub(in crate::store) fn publish(
    storage: &dyn Storage,
    packs: &[PackEntry],
    entries: Vec<ChunkEntry>,
) -> Result<(String, IndexSegment<Bytes>), StoreError> {
    let file = crate::content::index::build(packs, entries);
    let name = segment_name(&PackId(hash(&file)));
    storage::put(storage, &name, &file)?;
    let segment =
        IndexSegment::open(mmap::map(storage, &name)?).map_err(|source| StoreError::BadIndex {
            name: name.clone(),
            source,
        })?;
    Ok((name, segment))
}

/// Opens a segment that stays in memory.
pub(in crate::store) fn in_memory(
    packs: &[PackEntry],
    entries: Vec<ChunkEntry>,
) -> Option<IndexSegment<Bytes>> {
    IndexSegment::open(Bytes::Read(crate::content::index::build(packs, entries))).ok()
}

/// Puts a segment in place of those that list packs of `gone`, without these packs, and of many small ones. Until the old
/// ones are removed both exist, which is harmless. The index in memory stays as it was.
pub(in crate::store) fn replace_some(
    storage: &dyn Storage,
    chunk_index: &ChunkIndex,
    gone: &HashSet<PackId>,
) -> Result<(), StoreError> {
    let is_small = |listed: &&ListedPack| listed.segment.entry_count() < SMALL_ENTRIES;
    let many = chunk_index.listed.iter().filter(is_small).count() > SMALL_MAX;
    let is_old = |listed: &&ListedPack| {
        let mut packs = listed.segment.packs().iter();
        many && is_small(listed) || packs.any(|pack| gone.contains(&pack.id))
    };
    let (mut packs, mut entries, mut old) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers: HashMap<PackId, u32> = HashMap::new();
    for listed in chunk_index.listed.iter().filter(is_old) {
        old.extend(listed.name.clone());
        let mut renumbered = Vec::new();
        for pack in listed.segment.packs() {
            let next = u32::try_from(packs.len()).expect("no more than there were");
            renumbered.push((!gone.contains(&pack.id)).then(|| {
                *numbers.entry(pack.id).or_insert_with(|| {
                    packs.push(*pack);
                    next
                })
            }));
        }
        entries.extend(listed.segment.entries().filter_map(|entry| {
            let pack_no = usize::try_from(entry.pack_no).ok();
            let pack_no = (*renumbered.get(pack_no?)?)?;
            Some(ChunkEntry { pack_no, ..entry })
        }));
    }
    let mut new = None;
    if !packs.is_empty() {
        new = Some(publish(storage, &packs, entries)?.0);
    }
    for name in old.into_iter().filter(|old| Some(old) != new.as_ref()) {
        storage.remove(&name)?;
    }
    Ok(())
}

/// Replaces all segments by one of `packs` and `entries`. Until the old ones are removed both exist, which is harmless.
/// Places that were taken from the index before are invalid afterwards.
pub(in crate::store) fn replace_all(
    storage: &dyn Storage,
    chunk_index: &mut ChunkIndex,
    packs: &[PackEntry],
    entries: Vec<ChunkEntry>,
) -> Result<(), StoreError> {
    let mut old = chunk_index.segment_names();
    // The new segment covers everything, so segments that could not be read are of no use either.
    old.append(&mut chunk_index.unread);
    let quarantine: Vec<(PackId, u32)> = chunk_index
        .quarantine
        .iter()
        .map(|place| (chunk_index.pack(place.pack).id, place.offset))
        .collect();
    let (name, segment) = publish(storage, packs, entries)?;
    let mut new = ChunkIndex::default();
    new.add(Some(name.clone()), segment, None);
    for (id, offset) in quarantine {
        if let Some(pack) = new.number_of(&id) {
            new.quarantine.insert(PackPlace { pack, offset });
        }
    }
    *chunk_index = new;
    for name in old.into_iter().filter(|old| *old != name) {
        storage.remove(&name)?;
    }
    Ok(())
}
