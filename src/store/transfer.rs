//! Takes frames of one store to another as they are.
//!
//! It does not know what chunks mean, and commits nothing. A frame that is damaged costs its own chunks, as far as these
//! have no other copy. Memory: 80 bytes a chunk, and eight frames.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::chunk_index::PackPlace;
use super::frames::waiting_threads;
use super::{ChunkSet, LiveChunks, Store, StoreError, StoreWriter};
use crate::base::diagnostic::diagnostic;
use crate::base::finding::{Finding, Subject};
use crate::base::monitor::Monitor;
use crate::content::frame::{Frame, KeptFrame};
use crate::content::index::prefix;

/// Frames that are read at once.
const FRAMES_AT_ONCE: usize = 8;
/// Stored bytes after which what was put is listed where others write, so that it is there when the work ends early. With
/// the frame that reaches it, that is one pack.
const LISTED_BYTES: u64 = 56 << 20;

/// A damaged frame, with the chunks that were wanted of it.
type HurtFrame = (PackPlace, HashSet<[u8; 16]>);

/// Where chunks lie in a store, frame by frame.
#[derive(Debug, Default)]
pub struct ChunkPlaces {
    frames: BTreeMap<PackPlace, (HashSet<[u8; 16]>, u64)>,
}

impl ChunkPlaces {
    /// Returns the bytes of the frames.
    pub fn stored_bytes(&self) -> u64 {
        self.frames.values().map(|(_, bytes)| bytes).sum()
    }
}

impl Store {
    /// Finds the frames that hold these chunks, an intact copy of each. Chunks that are not there have none.
    pub fn places_of(&self, chunks: ChunkSet) -> ChunkPlaces {
        let mut places = ChunkPlaces::default();
        let chunks = LiveChunks::from(chunks);
        // Nothing is read for a set that is in memory.
        let lives = self.lives(&chunks, None).unwrap_or_default();
        let chunk_index = self.chunk_index();
        // A frame ends where the next one in its pack begins.
        let mut begins: HashMap<u32, BTreeSet<u32>> = HashMap::new();
        for (_, place) in chunk_index.entries() {
            if lives.contains_key(&place.pack) {
                begins.entry(place.pack).or_default().insert(place.offset);
            }
        }
        for (pack, life) in lives {
            let end = chunk_index.pack(pack).bytes;
            for (offset, prefixes) in life.live {
                let mut later = begins[&pack].range(offset.saturating_add(1)..);
                let end = later.next().map_or(end, |next| u64::from(*next));
                let bytes = end.saturating_sub(u64::from(offset));
                places
                    .frames
                    .insert(PackPlace { pack, offset }, (prefixes, bytes));
            }
        }
        places
    }

    /// Puts chunks into another store, and keeps their frames where nearly all of one is put. Each frame is read whole, and
    /// each of its chunks compared with its id. Where a frame is damaged, other copies of its chunks are put. Returns the
    /// frames that are damaged.
    ///
    /// # Errors
    /// [`StoreError::Interrupted`], or an error of either store.
    pub fn copy_frames(
        &self,
        places: ChunkPlaces,
        to: &mut StoreWriter<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<Finding>, StoreError> {
        let mut findings = Vec::new();
        let mut failed = HashSet::new();
        let mut next = places;
        loop {
            let hurt = self.copy_whole_frames(&next, to, monitor)?;
            let mut lacking = Vec::new();
            for (place, prefixes) in hurt {
                let pack = self.chunk_index().pack(place.pack).id;
                let what = diagnostic!("pack_file.frame_damaged", offset = place.offset);
                let finding = Finding::damage(Subject::Pack(pack.short().to_string()), what);
                monitor.finding(&finding);
                findings.push(finding);
                failed.insert(place);
                lacking.extend(prefixes);
            }
            next = self.places_of(ChunkSet::of_prefixes(lacking));
            // What has no other copy is found where it was.
            next.frames.retain(|place, _| !failed.contains(place));
            if next.frames.is_empty() {
                return Ok(findings);
            }
        }
    }

    /// Puts the chunks of frames. Returns the frames that are damaged, with the chunks that were wanted of them. These are
    /// quarantined.
    fn copy_whole_frames(
        &self,
        places: &ChunkPlaces,
        to: &mut StoreWriter<'_>,
        monitor: &dyn Monitor,
    ) -> Result<Vec<HurtFrame>, StoreError> {
        let mut hurt = Vec::new();
        let frames: Vec<_> = places.frames.iter().collect();
        let mut unlisted = 0;
        for group in frames.chunks(FRAMES_AT_ONCE) {
            monitor.check_stop()?;
            let read = || -> Vec<Result<(Frame, Vec<u8>), StoreError>> {
                let places = group.par_iter();
                places
                    .map(|(place, _)| self.frame_and_bytes(**place))
                    .collect()
            };
            let read = match self.is_shared().then(waiting_threads).flatten() {
                Some(pool) => pool.install(read),
                None => read(),
            };
            for (read, (place, (wanted, bytes))) in read.into_iter().zip(group) {
                let (frame, stored) = match read {
                    Err(StoreError::DamagedFrame { .. }) => {
                        self.quarantine(**place)?;
                        hurt.push((**place, wanted.clone()));
                        continue;
                    }
                    read => read?,
                };
                let kept = KeptFrame::of(stored, &frame);
                to.put_frame(&frame, kept, |id| wanted.contains(&prefix(id)))?;
                monitor.advance(*bytes);
                unlisted += bytes;
                if unlisted >= LISTED_BYTES && to.is_shared() {
                    to.commit()?;
                    unlisted = 0;
                }
            }
        }
        Ok(hurt)
    }
}
