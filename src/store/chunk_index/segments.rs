//! Writes index segments: new ones, and ones that take the place of others.
//!
//! Packs are not read for it. Memory: 72 bytes for each entry of a segment that is written.

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
/// Most entries of segments that are joined. A longer one is written anew alone.
const JOINED_ENTRIES: usize = 4 << 20;

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

/// Puts segments in place of those that list packs of `gone`, without these packs, and of many small ones. Until the old
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
    let old: Vec<&ListedPack> = chunk_index.listed.iter().filter(is_old).collect();
    let mut new = HashSet::new();
    for group in groups(&old, JOINED_ENTRIES) {
        let (packs, entries) = without(group, gone);
        if !packs.is_empty() {
            new.insert(publish(storage, &packs, entries)?.0);
        }
    }
    let names = old.iter().filter_map(|listed| listed.name.clone());
    for name in names.filter(|old| !new.contains(old)) {
        storage.remove(&name)?;
    }
    Ok(())
}

/// Divides segments into groups, each of which becomes one. So the memory for it does not grow with the index.
fn groups<'l, 'o>(old: &'o [&'l ListedPack], most: usize) -> Vec<&'o [&'l ListedPack]> {
    let mut groups = Vec::new();
    let (mut first, mut entries) = (0, 0);
    for (at, listed) in old.iter().enumerate() {
        let count = listed.segment.entry_count();
        if entries > 0 && entries + count > most {
            groups.push(&old[first..at]);
            (first, entries) = (at, 0);
        }
        entries += count;
    }
    if first < old.len() {
        groups.push(&old[first..]);
    }
    groups
}

/// Joins segments, without the packs of `gone`.
fn without(segments: &[&ListedPack], gone: &HashSet<PackId>) -> (Vec<PackEntry>, Vec<ChunkEntry>) {
    let (mut packs, mut entries) = (Vec::new(), Vec::new());
    let mut numbers: HashMap<PackId, u32> = HashMap::new();
    for listed in segments {
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
    (packs, entries)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A segment of so many entries in one pack.
    fn listed(pack: u8, count: u32) -> ListedPack {
        let entry = |number: u32| ChunkEntry {
            prefix: [u8::try_from(number).unwrap(); 16],
            pack_no: 0,
            frame_offset: number,
        };
        let packs = [PackEntry {
            id: PackId([pack; 32]),
            bytes: 1,
        }];
        ListedPack {
            name: None,
            segment: in_memory(&packs, (0..count).map(entry).collect()).unwrap(),
            packs: vec![Some(0)],
        }
    }

    #[test]
    fn segments_are_joined_in_groups_and_lose_what_is_gone() {
        let all: Vec<ListedPack> = [3, 3, 4, 20, 1, 9, 2]
            .into_iter()
            .zip(1..)
            .map(|(count, pack)| listed(pack, count))
            .collect();
        let all: Vec<&ListedPack> = all.iter().collect();
        let sizes = |groups: Vec<&[&ListedPack]>| -> Vec<usize> {
            groups.into_iter().map(<[_]>::len).collect()
        };
        assert_eq!(sizes(groups(&all, 10)), [3, 1, 2, 1]);
        assert_eq!(sizes(groups(&all, 1000)), [7]);
        assert!(groups(&[], 10).is_empty());
        let (packs, entries) = without(&all[..3], &[PackId([2; 32])].into());
        let ids: Vec<u8> = packs.iter().map(|pack| pack.id.as_bytes()[0]).collect();
        assert_eq!((ids, entries.len()), (vec![1, 3], 7));
        assert!(entries[3..].iter().all(|entry| entry.pack_no == 1));
    }
}
