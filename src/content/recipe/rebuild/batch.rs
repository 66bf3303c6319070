//! A batch of output: the pieces that it is made of, and then its bytes.

use super::reconstruct::{self, SmallStream};
use super::{RebuildJob, read_chunk};
use crate::base::id::{BlobId, ChunkId};
use crate::content::recipe::{Blob, ChunkRef, ChunkSource, RecipeError};

/// The beginning or end of a blob in a batch.
pub(super) enum Mark {
    /// A blob begins. It is named when it may be worth keeping.
    Begin(Option<Blob>),
    End(BlobId),
}

/// A piece of a batch.
pub(super) enum BatchPiece {
    Chunk(ChunkRef),
    /// This many of the batch's own bytes, from side streams and from streams that are reconstructed elsewhere.
    Own(usize),
    /// The next of the batch's small streams.
    Small,
}

/// A batch of output while it is prepared.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) pieces: Vec<BatchPiece>,
    pub(super) own: Vec<u8>,
    pub(super) streams: Vec<SmallStream>,
    /// Bytes of all pieces.
    pub(super) planned: usize,
    /// Bytes beside the output that are held to reconstruct small streams.
    pub(super) held: usize,
    /// Bytes of the outermost blob before this stretch.
    pub(super) offset: u64,
    /// The places where blobs begin and end.
    pub(super) marks: Vec<(usize, Mark)>,
    /// The output.
    pub(super) bytes: Vec<u8>,
}

impl Batch {
    /// Empties it and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.own.clear();
        self.streams.clear();
        (self.planned, self.held) = (0, 0);
        self.marks.clear();
    }

    /// Adds this many of its own bytes.
    pub(super) fn own(&mut self, len: usize) {
        self.pieces.push(BatchPiece::Own(len));
        self.planned += len;
    }

    /// Assembles the bytes of the batch from its pieces.
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
