//! The beginning of a frame: its header and the table of its chunks.

use std::ops::Range;

use super::FrameFeature;
use super::{
    CHUNKS_MAX, CODEC_LABELED_DIFFERENCES, CODEC_MAX, CODEC_PREFIX, CODEC_RAW, ENTRY_PLAIN,
    ENTRY_WITH_ID, FLAG_IDS, FrameError, HEADER_BYTES, MAGIC, PLAIN_MAX, VERSION,
};
use crate::base::id::ChunkId;
use crate::base::term::Flaw;
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::filter::Filter;

/// Whether a frame carries the ids of its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// The frame carries 32 bytes a chunk, so that the index can be rebuilt without decompression (stores).
    Stored,
    /// The frame carries no ids, and the reader hashes the plain bytes (bundles).
    LeftOut,
}

/// The chunks of a frame in order: ids, where carried, and ranges in the plain bytes.
pub(crate) type FrameTable = Vec<(Option<ChunkId>, Range<usize>)>;

/// A frame's header. The frame's hash is not checked yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHead {
    /// Kind of content.
    pub class: ContentKind,
    /// Whether chunk ids are in the table.
    pub ids: Ids,
    /// Number of chunks.
    pub chunk_count: usize,
    /// Bytes of all chunks together.
    pub plain_bytes: usize,
    /// Bytes behind the table.
    pub stored_bytes: usize,
    /// Number of chunks that it depends on.
    pub base_count: usize,
    pub(super) codec: u8,
    pub(super) filter: Filter,
}

impl FrameHead {
    /// Reads a header and checks its lengths against the limits.
    ///
    /// # Errors
    /// [`FrameError`] when there is no header, or none that this program can read.
    pub fn parse(bytes: &[u8]) -> Result<Self, FrameError> {
        let head: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(FrameError::NotAFrame)?;
        if head[..4] != MAGIC {
            return Err(FrameError::NotAFrame);
        }
        // The version decides what the other fields mean, so it is checked before them.
        if head[4] < VERSION {
            return Err(FrameError::Corrupt(Flaw::Version));
        }
        if head[4] > VERSION {
            return Err(FrameError::Unsupported(head[4]));
        }
        let flags = u16::from_le_bytes([head[8], head[9]]);
        if flags & !FLAG_IDS != 0 {
            return Err(FrameError::Unknown(FrameFeature::Flag));
        }
        if head[5] > CODEC_MAX {
            return Err(FrameError::Unknown(FrameFeature::Codec));
        }
        let base_count = usize::from(u16::from_le_bytes([head[10], head[11]]));
        // A frame with ids may enter a store, which could not unpack a frame that depends on others.
        let may_depend = head[5] >= CODEC_PREFIX && flags & FLAG_IDS == 0;
        if may_depend != (base_count > 0) {
            return Err(FrameError::Unknown(FrameFeature::Dependence));
        }
        // The frame's hash is not checked yet: these limits alone bound what a caller allocates.
        let size = |at: usize, limit: usize| {
            usize::try_from(u32::from_le_bytes([
                head[at],
                head[at + 1],
                head[at + 2],
                head[at + 3],
            ]))
            .ok()
            .filter(|size| *size <= limit)
            .ok_or(FrameError::Corrupt(Flaw::LongLength))
        };
        let parsed = Self {
            class: ContentKind::from_number(head[7]),
            ids: if flags & FLAG_IDS == 0 {
                Ids::LeftOut
            } else {
                Ids::Stored
            },
            chunk_count: size(12, CHUNKS_MAX)?,
            plain_bytes: size(16, PLAIN_MAX)?,
            stored_bytes: size(20, PLAIN_MAX)?,
            base_count,
            codec: head[5],
            filter: Filter::from_number(head[6])
                .ok_or(FrameError::Unknown(FrameFeature::Filter))?,
        };
        // References and names are found in the bytes as they are.
        if parsed.codec >= CODEC_LABELED_DIFFERENCES && parsed.filter != Filter::None {
            return Err(FrameError::Unknown(FrameFeature::Filter));
        }
        if parsed.codec == CODEC_RAW && parsed.stored_bytes != parsed.plain_bytes {
            return Err(FrameError::Corrupt(Flaw::RawLength));
        }
        Ok(parsed)
    }

    /// Returns the bytes of the tables of chunks and of bases.
    pub(crate) fn table_bytes(&self) -> usize {
        self.chunk_count * self.entry_bytes() + self.base_count * ChunkId::BYTES
    }

    pub(super) fn entry_bytes(&self) -> usize {
        match self.ids {
            Ids::Stored => ENTRY_WITH_ID,
            Ids::LeftOut => ENTRY_PLAIN,
        }
    }

    /// Returns the bytes of the whole frame, header included.
    pub fn frame_bytes(&self) -> usize {
        HEADER_BYTES + self.table_bytes() + self.stored_bytes
    }

    /// Reads the table of chunks: ids, where carried, and ranges in the plain bytes.
    ///
    /// # Errors
    /// [`FrameError::Corrupt`] when the lengths do not add up.
    pub(crate) fn parse_table(&self, table: &[u8]) -> Result<FrameTable, FrameError> {
        let table = table
            .get(..self.chunk_count * self.entry_bytes())
            .ok_or(FrameError::Corrupt(Flaw::Table))?;
        let mut chunks = Vec::with_capacity(self.chunk_count);
        let mut offset = 0;
        for entry in table.chunks_exact(self.entry_bytes()) {
            let (len, id) = entry
                .split_first_chunk::<4>()
                .ok_or(FrameError::Corrupt(Flaw::Table))?;
            let len = usize::try_from(u32::from_le_bytes(*len))
                .ok()
                .filter(|len| (1..=CHUNK_MAX).contains(len))
                .ok_or(FrameError::Corrupt(Flaw::LongChunk))?;
            let id = id.first_chunk::<32>().copied().map(ChunkId);
            chunks.push((id, offset..offset + len));
            offset += len;
        }
        // Ranges are cut from the plain bytes later, so their sum must be exactly the length.
        if offset != self.plain_bytes {
            return Err(FrameError::Corrupt(Flaw::ChunkLengths));
        }
        Ok(chunks)
    }
}
