//! A stretch of output: what it is made of, and then its bytes.

use super::reconstruct::{self, SmallStream};
use super::{RebuildJob, read_chunk};
use crate::base::id::{BlobId, ChunkId};
use crate::content::recipe::{Blob, ChunkRef, ChunkSource, RecipeError};

/// Where in a batch a blob begins or ends.
pub(super) enum Mark {
    /// The blob is named when it may be worth keeping.
    Begin(Option<Blob>),
    End(BlobId),
}

/// What a stretch of output is made of.
pub(super) enum BatchPiece {
    Chunk(ChunkRef),
    /// So many of the batch's own bytes, from side streams and from streams that are made again elsewhere.
    Own(usize),
    /// The next of the batch's small streams.
    Small,
}

/// A stretch of output, made ready.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) pieces: Vec<BatchPiece>,
    pub(super) own: Vec<u8>,
    pub(super) streams: Vec<SmallStream>,
    /// Bytes of all pieces.
    pub(super) planned: usize,
    /// Bytes besides that are held to make small streams from.
    pub(super) held: usize,
    /// Bytes of the outermost blob before this stretch.
    pub(super) offset: u64,
    /// Where blobs begin and end.
    pub(super) marks: Vec<(usize, Mark)>,
    /// The output.
    pub(super) bytes: Vec<u8>,
}

impl Batch {
    /// Forgets what is in it, all but its room.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.own.clear();
        self.streams.clear();
        (self.planned, self.held) = (0, 0);
        self.marks.clear();
    }

    /// So many of its own bytes come next.
    pub(super) fn own(&mut self, len: usize) {
        self.pieces.push(BatchPiece::Own(len));
        self.planned += len;
    }

    /// Puts the bytes of the batch's pieces together.
    pub(super) fn load<S: ChunkSource>(
        &mut self,
        job: RebuildJob<'_, S>,
    ) -> Result<(), RecipeError> {
        let chunks = self.pieces.iter().filter_map(|piece| match piece {
            BatchPiece::Chunk(chunk) => Some(chunk.id),
            BatchPiece::Own(_) | BatchPiece::Small => None,
        });
        let plain = self.streams.iter().filter_map(SmallStream::chunk);
        let ids: Vec<ChunkId> = chunks.chain(plain).collect();
        job.source.prefetch(&ids);
        let made = reconstruct::all(job, &self.streams)?;
        let mut made = made.iter();
        self.bytes.clear();
        self.bytes.reserve(self.planned);
        let mut own = &self.own[..];
        for piece in &self.pieces {
            match piece {
                BatchPiece::Chunk(chunk) => {
                    let bytes = read_chunk(job.source, chunk)?;
                    self.bytes.extend_from_slice(&bytes);
                }
                BatchPiece::Own(len) => {
                    let (bytes, rest) = own.split_at(*len);
                    self.bytes.extend_from_slice(bytes);
                    own = rest;
                }
                BatchPiece::Small => {
                    let stream = made.next().map(Vec::as_slice).unwrap_or_default();
                    self.bytes.extend_from_slice(stream);
                }
            }
        }
        Ok(())
    }
}
