//! A batch of output: the pieces that it is made of, and its bytes run by run.

use super::reconstruct::{self, SmallStream};
use super::{RebuildJob, read_chunk};
use crate::base::id::{BlobId, ChunkId};
use crate::content::recipe::{Blob, ChunkRef, ChunkSource, RecipeError};

/// Bytes that are gathered before they are hashed and written. They stay in the cache of a core meanwhile, which is
/// faster than passing the whole batch through memory three times.
const RUN_BYTES: usize = 256 << 10;

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

/// A batch of output.
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
    /// The small streams, reconstructed.
    made: Vec<Vec<u8>>,
}

impl Batch {
    /// Empties it and keeps its memory.
    pub(super) fn clear(&mut self) {
        self.pieces.clear();
        self.own.clear();
        self.streams.clear();
        self.made.clear();
        (self.planned, self.held) = (0, 0);
        self.marks.clear();
    }

    /// Adds this many of its own bytes.
    pub(super) fn own(&mut self, len: usize) {
        self.pieces.push(BatchPiece::Own(len));
        self.planned += len;
    }

    /// Brings what the batch is made of to hand: unpacks frames into the source's cache, and reconstructs small streams.
    pub(super) fn prepare<S: ChunkSource>(
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
        self.made = reconstruct::all(job, &self.streams)?;
        Ok(())
    }

    /// Hands out the bytes of the batch in runs of about [`RUN_BYTES`], each with its place in the batch. `run` is
    /// memory to reuse. Chunks come from the source here and not before, so a batch that waits holds none of them.
    pub(super) fn give<S: ChunkSource>(
        &self,
        source: &S,
        run: &mut Vec<u8>,
        mut take: impl FnMut(usize, &[u8]) -> Result<(), RecipeError>,
    ) -> Result<(), RecipeError> {
        let mut given = 0;
        let mut own = &self.own[..];
        let mut made = self.made.iter();
        run.clear();
        for piece in &self.pieces {
            match piece {
                BatchPiece::Chunk(chunk) => {
                    run.extend_from_slice(&read_chunk(source, chunk)?);
                }
                BatchPiece::Own(len) => {
                    let (bytes, rest) = own.split_at(*len);
                    run.extend_from_slice(bytes);
                    own = rest;
                }
                BatchPiece::Small => {
                    run.extend_from_slice(made.next().map(Vec::as_slice).unwrap_or_default());
                }
            }
            if run.len() >= RUN_BYTES {
                take(given, run)?;
                given += run.len();
                run.clear();
            }
        }
        take(given, run)
    }
}
