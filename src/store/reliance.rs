//! Makes sure that nothing a release relies on is being removed from a bucket, before and after its root is put.
//!
//! A pack that is marked loses its mark, by a put on condition. One whose removal is decided is not relied on, and the
//! release is not committed. The marks, the index and the packs are read anew for it, in this order: a maintainer changes
//! them in this order, too. It removes nothing.

use std::collections::HashSet;

use super::chunk_index::{self, ChunkIndex};
use super::marks::{MarkState, ReadMarks};
use super::seen::OpenNotes;
use super::{ChunkSet, OpenMode, Store, StoreError};
use crate::base::id::PackId;
use crate::store::storage::ObjectVersion;

/// How often marks are taken off when others change them at the same time.
const TRIES: u32 = 64;

/// The chunks of a release, by what must be done about them.
#[derive(Default)]
struct Relied {
    /// Packs with a mark that has to go.
    rescued: HashSet<PackId>,
    /// Chunks that have no place which stays.
    gone: u64,
}

impl Store {
    /// Commits a root as [`Store::commit_root`] does, after it is known that nothing of what `needs` returns is being
    /// removed. `needs` walks the release, and is called only where that is in doubt.
    ///
    /// # Errors
    /// As [`Store::commit_root`], what `needs` returns, and [`StoreError::PrunedMeanwhile`]. After that one the work can be
    /// done again, and what is gone is stored again.
    pub fn commit_root_of(
        &self,
        stem: &str,
        body: &[u8],
        needs: &dyn Fn() -> Result<ChunkSet, StoreError>,
    ) -> Result<(), StoreError> {
        if !self.is_shared() {
            return self.commit_root(stem, body);
        }
        let before = self.rely(stem, needs)?;
        if !self.commit_shared_root(stem, body)? {
            // It was there already, and what is there is needed in the eyes of whoever prunes.
            return Ok(());
        }
        // Whoever prunes lists the roots and decides then. A decision between the two reads did not see this root, unless
        // it is found here: a mark that is still there is taken off, and then the decision by it cannot be put.
        if ReadMarks::read(self.storage.as_ref())?.version != before {
            self.rely(stem, needs)?;
        }
        Ok(())
    }

    /// Returns the version of the marks under which everything stays.
    fn rely(
        &self,
        stem: &str,
        needs: &dyn Fn() -> Result<ChunkSet, StoreError>,
    ) -> Result<Option<ObjectVersion>, StoreError> {
        let mut chunks = None;
        for _ in 0..TRIES {
            let mut now = ReadMarks::read(self.storage.as_ref())?;
            if now.version == self.marks_seen.version {
                // Nothing was decided since the index was read, and marked packs were not relied on since.
                return Ok(now.version);
            }
            let chunks = match &chunks {
                Some(chunks) => chunks,
                none => {
                    let _: &Option<ChunkSet> = none;
                    chunks.insert(needs()?.settled())
                }
            };
            let relied = self.look_up(chunks, &now)?;
            if relied.gone > 0 {
                return Err(StoreError::PrunedMeanwhile {
                    stem: stem.to_owned(),
                    chunks: relied.gone,
                });
            }
            if relied.rescued.is_empty() {
                return Ok(now.version);
            }
            for pack in &relied.rescued {
                tracing::info!(%pack, "pack is needed again, and its mark is taken off");
                now.marks.packs.remove(pack);
            }
            if now.put(self.storage.as_ref())? {
                return Ok(now.version);
            }
        }
        Err(StoreError::PrunedMeanwhile {
            stem: stem.to_owned(),
            chunks: 0,
        })
    }

    fn look_up(&self, chunks: &ChunkSet, now: &ReadMarks) -> Result<Relied, StoreError> {
        let storage = self.storage.as_ref();
        let mut notes = OpenNotes::default();
        let mut index = ChunkIndex::open(storage, OpenMode::Read, &mut notes)?;
        index.set_fading(&now.marks);
        index.forget_absent(&chunk_index::packs_in(storage)?);
        let mut homes = vec![None; chunks.prefixes().len()];
        for (prefix, place) in index.entries() {
            if let Some(at) = chunks.position(&prefix) {
                let rank = (index.fading(place), place);
                homes[at] = Some(homes[at].map_or(rank, |home| rank.min(home)));
            }
        }
        let mut relied = Relied::default();
        for home in homes {
            match home {
                Some((None, _)) => {}
                Some((Some(MarkState::Marked), place)) => {
                    relied.rescued.insert(index.pack(place.pack).id);
                }
                _ => relied.gone += 1,
            }
        }
        Ok(relied)
    }
}
