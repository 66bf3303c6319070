//! The index of a store's chunks: all index segments together, the packs, and the quarantined frames.
//!
//! It reads segments and listings, and never packs. Memory: 60 bytes a pack. The entries stay in the memory maps.

use std::collections::{HashMap, HashSet};

use super::marks::{MarkState, PackMarks};
use super::mmap::{self, Bytes};
use super::seen::{OpenNotes, Trouble};
use super::{OpenMode, StoreError};
use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::id::{ChunkId, Hasher, PackId};
use crate::content::index::{ChunkEntry, IndexSegment, PackEntry};
use crate::store::storage::{Object, Storage};

mod segments;

pub(in crate::store) use segments::{in_memory, publish, replace_all, replace_some};

const FOLDER: &str = "index";
/// How often segments are listed again when others remove some meanwhile.
const TRIES: u32 = 8;
/// Folder of packs.
pub(in crate::store) const PACKS: &str = "packs";

/// The place of a frame: the number of its pack in the index, and its offset in the pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::store) struct PackPlace {
    pub(in crate::store) pack: u32,
    pub(in crate::store) offset: u32,
}

struct ListedPack {
    name: Option<String>,
    segment: IndexSegment<Bytes>,
    /// For each pack of the segment its number in the index. `None` when the pack differs from what the segment says.
    packs: Vec<Option<u32>>,
}

impl ListedPack {
    fn place(&self, entry: &ChunkEntry) -> Option<PackPlace> {
        let pack = (*self.packs.get(usize::try_from(entry.pack_no).ok()?)?)?;
        Some(PackPlace {
            pack,
            offset: entry.frame_offset,
        })
    }
}

#[derive(Default)]
pub(in crate::store) struct ChunkIndex {
    packs: Vec<PackEntry>,
    numbers: HashMap<PackId, u32>,
    listed: Vec<ListedPack>,
    /// Packs that are marked for removal.
    fading: HashMap<PackId, MarkState>,
    /// Frames that are known to be damaged.
    pub(in crate::store) quarantine: HashSet<PackPlace>,
    /// Packs that no readable segment lists.
    pub(in crate::store) unlisted: Vec<PackEntry>,
    /// Segment files that are damaged.
    pub(in crate::store) broken: Vec<String>,
    /// Segment files that could not be read. They stay, and are tried again when the store is opened next.
    pub(in crate::store) unread: Vec<String>,
    /// Whether the list of quarantined frames is damaged or could not be read.
    pub(in crate::store) is_quarantine_lost: bool,
}

/// Returns the name of a pack's object.
pub(in crate::store) fn pack_name(id: &PackId) -> String {
    let hex = id.to_string();
    format!("{PACKS}/{}/{hex}.pack", &hex[..2])
}

/// Returns the pack that an object with this name holds. An object anywhere else does not belong to the store.
fn pack_of(name: &str) -> Option<PackId> {
    let id = name
        .rsplit('/')
        .next()?
        .strip_suffix(".pack")?
        .parse()
        .ok()?;
    // A file at another path with a valid name was put there by someone else.
    (pack_name(&id) == name).then_some(id)
}

fn segment_name(id: &PackId) -> String {
    format!("{FOLDER}/{id}.idx")
}

/// Returns the objects that hold segments. Foreign objects in the folder are left out.
fn segments_in(storage: &dyn Storage) -> Result<impl Iterator<Item = Object> + use<>, StoreError> {
    let is_segment = |object: &Object| {
        let id = object.name.strip_prefix(FOLDER);
        let id = id.and_then(|id| id.strip_prefix('/')?.strip_suffix(".idx")?.parse().ok());
        id.is_some_and(|id: PackId| segment_name(&id) == object.name)
    };
    Ok(storage.list(FOLDER)?.into_iter().filter(is_segment))
}

/// Returns the packs in the storage, with their lengths.
pub(in crate::store) fn packs_in(
    storage: &dyn Storage,
) -> Result<HashMap<PackId, u64>, StoreError> {
    let objects = storage.list(PACKS)?.into_iter();
    Ok(objects
        .filter_map(|object| Some((pack_of(&object.name)?, object.bytes)))
        .collect())
}

/// Returns whether an object begins like a file of a store.
pub(in crate::store) fn begins(
    storage: &dyn Storage,
    name: &str,
    is_own: &dyn Fn(&[u8]) -> bool,
) -> bool {
    let mut head = [0; crate::content::pack::HEADER_BYTES];
    storage.read_at(name, 0, &mut head).is_ok() && is_own(&head)
}

/// Returns whether there is an object that begins like a pack. A folder with one is a store.
pub(in crate::store) fn holds_a_pack(storage: &dyn Storage) -> Result<bool, StoreError> {
    let is_pack = |head: &[u8]| crate::content::pack::check_header(head).is_ok();
    let mut packs = packs_in(storage)?.into_keys();
    Ok(packs.any(|id| begins(storage, &pack_name(&id), &is_pack)))
}

impl ChunkIndex {
    /// Opens every segment and lists the packs. For [`OpenMode::Write`] it also checks the entries, because
    /// deduplication depends on finding chunks again.
    pub(in crate::store) fn open(
        storage: &dyn Storage,
        access: OpenMode,
        seen: &mut OpenNotes,
    ) -> Result<Self, StoreError> {
        let mut tries = 0;
        loop {
            match Self::open_once(storage, access, seen) {
                // Somebody joined segments between the listing and the read. The next listing has the joined one.
                Err(StoreError::Storage(error))
                    if error.is_missing() && storage.is_shared() && tries < TRIES =>
                {
                    tries += 1;
                }
                opened => return opened,
            }
        }
    }

    fn open_once(
        storage: &dyn Storage,
        access: OpenMode,
        seen: &mut OpenNotes,
    ) -> Result<Self, StoreError> {
        let mut chunk_index = Self::default();
        // Where others write, packs that no segment lists are theirs, and a listing of all packs would be long. What a
        // segment lists was durable before it.
        let there = match storage.is_shared() {
            true => None,
            false => Some(packs_in(storage)?),
        };
        for object in segments_in(storage)? {
            let opened = mmap::map(storage, &object.name)
                .map_err(Trouble::from)
                .and_then(|bytes| IndexSegment::open(bytes).map_err(Trouble::damage))
                .and_then(|segment| match access {
                    OpenMode::Write => {
                        check_entries(storage, &object.name, &segment).map(|()| segment)
                    }
                    OpenMode::Read => Ok(segment),
                });
            match opened {
                Ok(segment) => chunk_index.add(Some(object.name), segment, there.as_ref()),
                // Another process merged the segment between the listing and this read.
                Err(Trouble::Fault(error)) if error.is_missing() => return Err(error.into()),
                Err(Trouble::Fault(error)) => {
                    seen.fault(object.name.clone(), error);
                    chunk_index.unread.push(object.name);
                }
                Err(Trouble::Damage(why)) => {
                    let what = diagnostic!("store.index_made_again", why);
                    seen.findings
                        .push(Finding::damage(object.name.clone(), what));
                    chunk_index.broken.push(object.name);
                }
            }
        }
        let Some(there) = there else {
            return Ok(chunk_index);
        };
        chunk_index.find_missing(&there, &mut seen.findings);
        let unlisted = there
            .into_iter()
            .filter(|(id, _)| !chunk_index.numbers.contains_key(id));
        chunk_index.unlisted = unlisted
            .map(|(id, bytes)| PackEntry { id, bytes })
            .collect();
        // The map has a random order, and adopted packs get their numbers in this one.
        chunk_index.unlisted.sort_unstable_by_key(|pack| pack.id);
        Ok(chunk_index)
    }

    /// Reports the packs that segments list and the storage does not have.
    fn find_missing(&self, there: &HashMap<PackId, u64>, findings: &mut Vec<Finding>) {
        for listed in &self.listed {
            for (pack, number) in listed.segment.packs().iter().zip(&listed.packs) {
                if number.is_none() && !there.contains_key(&pack.id) {
                    let subject = Subject::Pack(pack.id.short().to_string());
                    let what = diagnostic!("pack_file.missing");
                    findings.push(Finding::damage(subject, what));
                }
            }
        }
    }

    /// Lists the packs where that was not done when the index was opened, forgets the places in those that are missing or
    /// of another length, and reports them. Packs that `prune` is removing are forgotten and not reported. Returns the
    /// latter.
    pub(in crate::store) fn compare_packs(
        &mut self,
        storage: &dyn Storage,
        marks: &PackMarks,
        findings: &mut Vec<Finding>,
    ) -> Result<HashSet<u32>, StoreError> {
        let mut there = packs_in(storage)?;
        self.forget_absent(&there);
        let mut going = HashSet::new();
        let marks = marks.packs.iter();
        for (id, _) in marks.filter(|(_, mark)| mark.state > MarkState::Marked) {
            if let Some(number) = self.number_of(id) {
                self.forget_pack(number);
                going.insert(number);
            }
            there.insert(*id, 0);
        }
        self.find_missing(&there, findings);
        Ok(going)
    }

    /// Forgets the places in packs that are missing or of another length.
    pub(in crate::store) fn forget_absent(&mut self, there: &HashMap<PackId, u64>) {
        for listed in &mut self.listed {
            for (pack, number) in listed.segment.packs().iter().zip(&mut listed.packs) {
                if there.get(&pack.id) != Some(&pack.bytes) {
                    *number = None;
                }
            }
        }
    }

    /// Forgets the places in a pack.
    pub(in crate::store) fn forget_pack(&mut self, pack: u32) {
        for number in self.listed.iter_mut().flat_map(|each| &mut each.packs) {
            if *number == Some(pack) {
                *number = None;
            }
        }
    }

    /// Learns which packs are marked for removal.
    pub(in crate::store) fn set_fading(&mut self, marks: &PackMarks) {
        let marks = marks.packs.iter();
        self.fading = marks.map(|(id, mark)| (*id, mark.state)).collect();
    }

    /// Returns how far the removal of the pack of a place has come. Places in packs that stay come first.
    pub(in crate::store) fn fading(&self, place: PackPlace) -> Option<MarkState> {
        if self.fading.is_empty() {
            return None;
        }
        self.fading.get(&self.pack(place.pack).id).copied()
    }

    /// Adds a segment. `there` says which packs exist, with their lengths. Without it all packs are taken to exist as
    /// listed.
    pub(in crate::store) fn add(
        &mut self,
        name: Option<String>,
        segment: IndexSegment<Bytes>,
        there: Option<&HashMap<PackId, u64>>,
    ) {
        let mut packs = Vec::with_capacity(segment.packs().len());
        for pack in segment.packs() {
            // A pack of another length is truncated or replaced, so its listed places cannot be trusted.
            let intact = there.is_none_or(|there| there.get(&pack.id) == Some(&pack.bytes));
            packs.push(if intact { self.number(*pack) } else { None });
        }
        self.listed.push(ListedPack {
            name,
            segment,
            packs,
        });
    }

    /// Adds segments that came since. Returns `false` when a segment was removed meanwhile, in which case the caller
    /// repeats the call.
    pub(in crate::store) fn look_again(
        &mut self,
        storage: &dyn Storage,
    ) -> Result<bool, StoreError> {
        let known: HashSet<String> = self.segment_names().into_iter().collect();
        let mut segments = Vec::new();
        for object in segments_in(storage)? {
            if known.contains(&object.name) {
                continue;
            }
            match mmap::map(storage, &object.name) {
                Ok(bytes) => segments.push((object.name, IndexSegment::open(bytes))),
                Err(error) if error.is_missing() => return Ok(false),
                Err(error) => return Err(error.into()),
            }
        }
        if segments.is_empty() {
            return Ok(true);
        }
        let there = match storage.is_shared() {
            true => None,
            false => Some(packs_in(storage)?),
        };
        for (name, segment) in segments {
            // An unreadable segment is reported when the store is opened next.
            if let Ok(segment) = segment {
                self.add(Some(name), segment, there.as_ref());
            }
        }
        Ok(true)
    }

    fn number(&mut self, pack: PackEntry) -> Option<u32> {
        if let Some(number) = self.numbers.get(&pack.id) {
            if let Some(known) = usize::try_from(*number)
                .ok()
                .and_then(|at| self.packs.get_mut(at))
            {
                *known = pack;
            }
            return Some(*number);
        }
        let number = u32::try_from(self.packs.len()).ok()?;
        self.packs.push(pack);
        self.numbers.insert(pack.id, number);
        Some(number)
    }

    /// Takes the frames of packs that were just written whole out of the quarantine. Returns whether there were any.
    /// Putting the same chunks again can make the very pack that was damaged.
    pub(in crate::store) fn forgive(&mut self, packs: &[PackEntry]) -> bool {
        let whole: HashSet<u32> = packs
            .iter()
            .filter_map(|pack| self.number_of(&pack.id))
            .collect();
        let before = self.quarantine.len();
        self.quarantine.retain(|place| !whole.contains(&place.pack));
        self.quarantine.len() != before
    }

    /// Finds the first copy of a chunk that is not known to be damaged, in a pack that stays if there is one.
    pub(in crate::store) fn find(&self, id: &ChunkId) -> Option<PackPlace> {
        let intact = self.copies(id);
        let mut intact = intact.filter(|place| !self.quarantine.contains(place));
        if self.fading.is_empty() {
            return intact.next();
        }
        intact.min_by_key(|place| self.fading(*place))
    }

    /// Returns all copies of a chunk that are not known to be damaged, those in packs that stay first.
    pub(in crate::store) fn places(&self, id: &ChunkId) -> Vec<PackPlace> {
        let intact = self.copies(id);
        let intact = intact.filter(|place| !self.quarantine.contains(place));
        let mut places: Vec<PackPlace> = intact.collect();
        places.sort_by_key(|place| self.fading(*place));
        places
    }

    /// Returns all copies of a chunk that were found damaged.
    pub(in crate::store) fn doubtful_places(&self, id: &ChunkId) -> Vec<PackPlace> {
        self.copies(id)
            .filter(|place| self.quarantine.contains(place))
            .collect()
    }

    fn copies(&self, id: &ChunkId) -> impl Iterator<Item = PackPlace> {
        self.listed.iter().flat_map(|listed| {
            listed
                .segment
                .lookup(id)
                .filter_map(|entry| listed.place(&entry))
        })
    }

    /// Returns the pack with this number in the index.
    pub(in crate::store) fn pack(&self, number: u32) -> PackEntry {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.packs.get(number))
            .copied()
            .expect("places are made from the packs of this chunk_index")
    }

    /// Returns all packs, by number.
    pub(in crate::store) fn packs(&self) -> &[PackEntry] {
        &self.packs
    }

    /// Returns the number of a pack.
    pub(in crate::store) fn number_of(&self, id: &PackId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// Iterates over all entries of all segments whose pack exists.
    pub(in crate::store) fn entries(&self) -> impl Iterator<Item = ([u8; 16], PackPlace)> {
        self.listed.iter().flat_map(|listed| {
            listed
                .segment
                .entries()
                .filter_map(|entry| Some((entry.prefix, listed.place(&entry)?)))
        })
    }

    /// Iterates over the entries whose ids begin with a byte, of all segments, whose pack exists.
    pub(in crate::store) fn entries_of(
        &self,
        first: u8,
    ) -> impl Iterator<Item = ([u8; 16], PackPlace)> {
        self.listed.iter().flat_map(move |listed| {
            listed
                .segment
                .entries_of(first)
                .filter_map(|entry| Some((entry.prefix, listed.place(&entry)?)))
        })
    }

    /// Returns whether a segment lists a pack that is missing or different.
    pub(in crate::store) fn lists_lost_packs(&self) -> bool {
        let mut packs = self.listed.iter().flat_map(|listed| &listed.packs);
        packs.any(Option::is_none)
    }

    /// Returns the number of segments.
    pub(in crate::store) fn segment_count(&self) -> usize {
        self.listed.len()
    }

    /// Returns the names of the segments' files.
    pub(in crate::store) fn segment_names(&self) -> Vec<String> {
        self.listed
            .iter()
            .filter_map(|listed| listed.name.clone())
            .collect()
    }

    /// Returns the names of segments whose entries changed since they were written, and what is wrong with each.
    pub(in crate::store) fn damaged_segments(
        &self,
        storage: &dyn Storage,
    ) -> Vec<(String, Trouble)> {
        let damaged = self.listed.iter().filter_map(|listed| {
            let name = listed.name.as_ref()?;
            Some((
                name.clone(),
                check_entries(storage, name, &listed.segment).err()?,
            ))
        });
        damaged.collect()
    }
}

/// Compares the entries of a segment with their hash. Reads them from the file instead of the map, so that they do not
/// become resident.
fn check_entries(
    storage: &dyn Storage,
    name: &str,
    segment: &IndexSegment<Bytes>,
) -> Result<(), Trouble> {
    const PIECE: usize = 1 << 20;
    let (mut offset, mut left) = segment.entries_span();
    let mut piece = vec![0; PIECE];
    let mut hasher = Hasher::new();
    while left > 0 {
        let now = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        storage.read_at(name, offset, &mut piece[..now])?;
        hasher.update_parallel(&piece[..now]);
        offset += now as u64;
        left -= now as u64;
    }
    if hasher.finish() == segment.entries_hash() {
        Ok(())
    } else {
        Err(Trouble::Damage(diagnostic!("store.index_entries_damaged")))
    }
}
