//! Finds the frames that hold needed chunks, so that a large part of a store is read once.
//!
//! Memory: 48 bytes for each requested chunk.

use std::collections::HashMap;

use super::chunk_index::PackPlace;
use super::frames::FrameFacts;
use super::{Store, StoreError};
use crate::base::id::{ChunkId, PackId};
use crate::content::content_kind::ContentKind;
use crate::content::frame::{Frame, FrameHead, HEADER_BYTES};

/// A frame, and the chunks in it that are needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameNeed {
    /// Its pack.
    pub pack: PackId,
    /// Its place in the pack.
    pub offset: u32,
    /// Kind of content.
    pub class: ContentKind,
    /// Bytes that it takes in the pack, header and table included.
    pub stored_bytes: u64,
    /// The share of these bytes that belongs to the needed chunks, in proportion to their plain bytes.
    pub share_bytes: u64,
    /// Plain bytes of the needed chunks.
    pub plain_bytes: u64,
    /// The needed chunks, in frame order.
    pub chunks: Vec<ChunkId>,
}

/// Chunks by place and id, each once, and which place was asked for first.
struct PlacedChunks {
    wanted: Vec<(PackPlace, ChunkId)>,
    turns: HashMap<PackPlace, usize>,
}

/// The parts of a frame that are read without its bytes: header, pack, and the ids and lengths of its chunks.
type TableOfFrame = (FrameHead, PackId, Vec<(ChunkId, usize)>);

/// A frame that is known by the index alone, and the chunks in it that are asked for, in the order of their ids.
#[derive(Debug, Clone)]
pub(crate) struct FrameGroup {
    place: PackPlace,
    /// The chunks.
    pub(crate) chunks: Vec<ChunkId>,
    /// Whether it is read without asking a server.
    pub(crate) is_near: bool,
}

impl Store {
    /// Finds the frames that hold `ids`, in the order in which they are first needed. An id that comes twice counts
    /// once.
    ///
    /// # Errors
    /// [`StoreError::NoSuchChunk`], [`StoreError::DamagedFrame`], or a storage error.
    pub fn frames_of(
        &self,
        ids: &mut dyn Iterator<Item = ChunkId>,
    ) -> Result<Vec<FrameNeed>, StoreError> {
        let PlacedChunks { wanted, turns } = self.placed(ids)?;
        let mut needs = Vec::new();
        for group in wanted.chunk_by(|one, other| one.0 == other.0) {
            needs.push((turns[&group[0].0], self.need(group)?));
        }
        needs.sort_unstable_by_key(|(turn, _)| *turn);
        Ok(needs.into_iter().map(|(_, need)| need).collect())
    }

    /// Finds the frames as [`Store::frames_of`] does, and reads nothing of them.
    ///
    /// # Errors
    /// [`StoreError::NoSuchChunk`].
    pub(crate) fn groups_of(
        &self,
        ids: &mut dyn Iterator<Item = ChunkId>,
    ) -> Result<Vec<FrameGroup>, StoreError> {
        let PlacedChunks { wanted, turns } = self.placed(ids)?;
        let groups = wanted.chunk_by(|one, other| one.0 == other.0);
        let mut groups: Vec<FrameGroup> = groups
            .map(|group| FrameGroup {
                place: group[0].0,
                chunks: group.iter().map(|(_, id)| *id).collect(),
                is_near: self.is_near(group[0].0),
            })
            .collect();
        groups.sort_unstable_by_key(|group| turns[&group.place]);
        Ok(groups)
    }

    /// Returns what the header of a frame says. Reads no more than the header, and only once.
    ///
    /// # Errors
    /// [`StoreError::DamagedFrame`], or a storage error.
    pub(crate) fn facts_of_group(&self, group: &FrameGroup) -> Result<FrameFacts, StoreError> {
        self.facts_of(group.place)
    }

    /// Reads a whole frame without the cache. Checks every chunk against its id.
    ///
    /// # Errors
    /// As [`Store::load_frame`].
    pub(crate) fn load_group(&self, group: &FrameGroup) -> Result<Frame, StoreError> {
        let stored_bytes = self.facts_of(group.place)?.stored_bytes;
        self.load_at(group.place, stored_bytes)
    }

    /// Reads a whole frame without the cache. The caller checks the chunks against their ids.
    ///
    /// # Errors
    /// [`StoreError::DamagedFrame`], or a storage error.
    pub(super) fn load_own_group(&self, group: &FrameGroup) -> Result<Frame, StoreError> {
        self.own_frame(group.place)
    }

    fn placed(&self, ids: &mut dyn Iterator<Item = ChunkId>) -> Result<PlacedChunks, StoreError> {
        let mut wanted = Vec::new();
        let mut turns: HashMap<PackPlace, usize> = HashMap::new();
        let chunk_index = self.chunk_index();
        for id in ids {
            let place = chunk_index
                .find(&id)
                .ok_or(StoreError::NoSuchChunk { id })?;
            let turn = turns.len();
            turns.entry(place).or_insert(turn);
            wanted.push((place, id));
        }
        wanted.sort_unstable();
        wanted.dedup();
        Ok(PlacedChunks { wanted, turns })
    }

    /// Describes one frame. `group` is sorted by id and has one place.
    fn need(&self, group: &[(PackPlace, ChunkId)]) -> Result<FrameNeed, StoreError> {
        let place = group[0].0;
        let (head, pack, table) = self.frame_table(place)?;
        let mut chunks = Vec::with_capacity(group.len());
        let mut is_missing = vec![true; group.len()];
        let mut needed_bytes = 0;
        for (id, bytes) in table {
            let wanted = group.binary_search_by(|(_, other)| other.cmp(&id));
            if let Some(is_missing) = wanted.ok().and_then(|at| is_missing.get_mut(at))
                && std::mem::take(is_missing)
            {
                chunks.push(id);
                needed_bytes += bytes as u64;
            }
        }
        if let Some(at) = is_missing.iter().position(|is_missing| *is_missing) {
            return Err(StoreError::NoSuchChunk { id: group[at].1 });
        }
        self.facts.note(place, FrameFacts::of(&head));
        let stored_bytes = head.frame_bytes() as u64;
        Ok(FrameNeed {
            pack,
            offset: place.offset,
            class: head.class,
            stored_bytes,
            plain_bytes: needed_bytes,
            // Frames have at most 128 MiB, so the product fits.
            share_bytes: (stored_bytes * needed_bytes).div_ceil((head.plain_bytes as u64).max(1)),
            chunks,
        })
    }

    /// Reads the table of a frame: ids and lengths. Does not check its hash.
    pub(super) fn frame_table(&self, place: PackPlace) -> Result<TableOfFrame, StoreError> {
        let (head, pack) = self.frame_head(place)?;
        let mut table = vec![0; head.table_bytes()];
        self.read_pack(
            place,
            &pack,
            u64::from(place.offset) + HEADER_BYTES as u64,
            &mut table,
        )?;
        let chunks = head
            .parse_table(&table)
            .map_err(|source| self.damaged(place, source.into()))?;
        let with_ids = chunks
            .iter()
            .map(|(id, range)| Some(((*id)?, range.len())))
            .collect();
        let table = match with_ids {
            Some(table) => table,
            None => {
                let frame = self.frame(place)?;
                frame
                    .chunks
                    .into_iter()
                    .map(|(id, range)| (id, range.len()))
                    .collect()
            }
        };
        Ok((head, pack, table))
    }

    /// Reads a whole frame without the cache. Checks every chunk against its id.
    ///
    /// # Errors
    /// [`StoreError::DamagedFrame`] (the frame is then quarantined), or a storage error.
    pub fn load_frame(&self, need: &FrameNeed) -> Result<Frame, StoreError> {
        let number = self.chunk_index().number_of(&need.pack);
        let first = need.chunks.first().copied();
        let Some(pack) = number else {
            return Err(StoreError::NoSuchChunk {
                id: first.unwrap_or(ChunkId([0; 32])),
            });
        };
        let place = PackPlace {
            pack,
            offset: need.offset,
        };
        self.load_at(place, need.stored_bytes)
    }

    fn load_at(&self, place: PackPlace, stored_bytes: u64) -> Result<Frame, StoreError> {
        let loaded = self.frame_of_bytes(place, stored_bytes);
        if matches!(loaded, Err(StoreError::DamagedFrame { .. })) {
            self.quarantine(place)?;
        }
        loaded
    }
}
