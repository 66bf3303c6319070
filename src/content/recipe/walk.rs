//! Visits every chunk that a content needs: its recipes and lists as well as its bytes.
//!
//! `release::walk` walks releases, and `contents` lists their files, both with the walker of this module.

use std::collections::HashSet;

use super::rebuild::read_op;
use super::stream::{self, Holds, RecordReader, StreamReader};
use super::{
    BLOB_DEPTH_MAX, Blob, ChunkRef, ChunkSource, Content, OP_BYTES_MAX, Recipe, RecipeError,
    RecipeOp, StreamRef,
};
use crate::base::id::{BlobId, ChunkId};
use crate::base::limits::{OPS_FREE_BYTES, PLAIN_RATIO_MAX};
use crate::base::term::Flaw;
use crate::content::recipe::Excess;

/// A stream that a walk finds.
#[derive(Debug, Clone, Copy)]
pub struct FoundStream {
    /// Its length.
    pub bytes: u64,
    /// Its plain bytes.
    pub plain: Content,
    /// How its recipe is read, see [`RecipeOp::Stream`].
    pub codec: u16,
    /// The bytes among which its recipe stands, where it begins, and its length.
    pub side: StreamRef,
    /// Bytes of `side` before the recipe.
    pub remake_at: u64,
    /// Length of the recipe.
    pub remake_bytes: u64,
}

impl FoundStream {
    /// Reads the first bytes of the recipe, `bytes` of them at most.
    ///
    /// # Errors
    /// The errors of the source. [`RecipeError::Corrupt`] when there are fewer bytes than are claimed.
    pub fn remake_head<S: ChunkSource>(
        &self,
        source: &S,
        bytes: usize,
    ) -> Result<Vec<u8>, RecipeError> {
        let mut side = StreamReader::open(source, &self.side)?;
        side.skip(self.remake_at)?;
        let mut head = Vec::new();
        let bytes = usize::try_from(self.remake_bytes).map_or(bytes, |all| all.min(bytes));
        side.read_into(bytes, &mut head)?;
        Ok(head)
    }
}

/// Receives what a walk finds.
pub trait Visitor {
    /// Receives a chunk that is needed. Called again for a chunk that is needed at several places.
    ///
    /// # Errors
    /// Any error ends the walk.
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError>;

    /// Receives the length of a chunk of contents, before [`Visitor::chunk`].
    fn length(&mut self, chunk: &ChunkRef) {
        let _ = chunk;
    }

    /// Receives a blob that is needed. Its chunks follow. Called once a walker for each blob.
    ///
    /// # Errors
    /// Any error ends the walk.
    fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
        let _ = blob;
        Ok(())
    }

    /// Receives an opened stream in a blob. The chunks of its plain bytes follow.
    ///
    /// # Errors
    /// Any error ends the walk.
    fn stream(&mut self, stream: &FoundStream) -> Result<(), RecipeError> {
        let _ = stream;
        Ok(())
    }

    /// Receives a blob that is a deflate stream kept as it is. Called after [`Visitor::blob`].
    ///
    /// # Errors
    /// Any error ends the walk.
    fn kept(&mut self, blob: &Blob, reason: u16) -> Result<(), RecipeError> {
        let _ = (blob, reason);
        Ok(())
    }
}

impl<F: FnMut(&ChunkId) -> Result<(), RecipeError>> Visitor for F {
    fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
        self(id)
    }
}

/// Walks contents, and visits each blob and list of chunks only once. Otherwise a few hostile recipes could take
/// forever. Holds about 150 bytes for each blob, and 60 for each list of some thousand chunks.
pub struct Walker<'a, S: ChunkSource> {
    source: &'a S,
    walked: HashSet<(BlobId, Recipe)>,
    lists: HashSet<StreamRef>,
    /// Bytes of all recipes so far, with repeated lists unfolded. The chunks of recipes, and their bytes, follow.
    ops_bytes: u64,
    ops_chunks: HashSet<ChunkId>,
    ops_chunk_bytes: u64,
}

impl<'a, S: ChunkSource> Walker<'a, S> {
    /// Creates a walker that has met nothing yet.
    pub fn new(source: &'a S) -> Self {
        Self {
            source,
            walked: HashSet::new(),
            lists: HashSet::new(),
            ops_bytes: 0,
            ops_chunks: HashSet::new(),
            ops_chunk_bytes: 0,
        }
    }

    /// Returns the source of the chunks.
    pub fn source(&self) -> &'a S {
        self.source
    }

    /// Visits the chunks of a stream, its lists included. Chunks below a list that was visited before are left out.
    ///
    /// # Errors
    /// The errors of the source and of the visitor.
    pub fn stream(
        &mut self,
        stream: &StreamRef,
        visitor: &mut dyn Visitor,
    ) -> Result<(), RecipeError> {
        stream::visit_chunks(self.source, stream, &mut self.lists, &mut |id| {
            visitor.chunk(id)
        })
    }

    /// Visits the chunks of a content.
    ///
    /// # Errors
    /// The errors of the source and of the visitor. [`RecipeError::Newer`] when a recipe is not understood.
    pub fn content(
        &mut self,
        content: &Content,
        visitor: &mut dyn Visitor,
    ) -> Result<(), RecipeError> {
        self.content_at(content, visitor, BLOB_DEPTH_MAX)
    }

    fn content_at(
        &mut self,
        content: &Content,
        visitor: &mut dyn Visitor,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        match content {
            Content::Empty => Ok(()),
            Content::Chunk(chunk) => {
                visitor.length(chunk);
                visitor.chunk(&chunk.id)
            }
            Content::Blob(blob) => self.blob(blob, visitor, depth_left),
        }
    }

    /// Finds the outermost blobs of a content that hold deflate streams themselves, except those met before.
    ///
    /// # Errors
    /// As [`Walker::content`].
    pub fn streams(&mut self, content: &Content, found: &mut Vec<Blob>) -> Result<(), RecipeError> {
        match content {
            Content::Empty | Content::Chunk(_) => Ok(()),
            Content::Blob(blob) => self.streams_of(blob, found, BLOB_DEPTH_MAX),
        }
    }

    /// Visits the chunks of a stream as [`Walker::stream`] does, with their lengths. A list follows everything below it.
    ///
    /// # Errors
    /// As [`Walker::stream`].
    pub(in crate::content) fn refs(
        &mut self,
        stream: &StreamRef,
        visit: &mut dyn FnMut(ChunkRef, Holds) -> Result<(), RecipeError>,
    ) -> Result<(), RecipeError> {
        stream::visit_refs(self.source, stream, &mut self.lists, visit)
    }

    /// Notes that a blob is walked. Returns false when it was walked before.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] when no level of nested blobs is left.
    pub(in crate::content) fn enter(
        &mut self,
        blob: &Blob,
        depth_left: usize,
    ) -> Result<bool, RecipeError> {
        if depth_left == 0 {
            return Err(RecipeError::Corrupt(Flaw::DeepSteps));
        }
        // The recipe is part of the key: the same bytes may have another recipe, whose chunks count as well.
        Ok(self.walked.insert((blob.id, blob.recipe)))
    }

    /// Opens the steps of a blob, unless there are too many. Lists may contain one another many times, so that a few of
    /// them stand for any number of steps.
    ///
    /// # Errors
    /// [`RecipeError::Limit`] for more steps than a blob of this length may have. The errors of the source.
    pub(in crate::content) fn ops(
        &mut self,
        blob: &Blob,
    ) -> Result<RecordReader<'a, S, RecipeOp>, RecipeError> {
        let ops = &blob.recipe.ops;
        // A small blob cannot have a large recipe, so a forged one is refused before it is read.
        if ops.bytes > blob.bytes.saturating_add(OPS_FREE_BYTES) {
            return Err(RecipeError::Limit(Excess::StepsForBlob));
        }
        self.ops_bytes = self.ops_bytes.saturating_add(ops.bytes);
        let limits = self.source.limits();
        if self.ops_bytes > limits.steps_bytes {
            let (chunks, bytes) = (&mut self.ops_chunks, &mut self.ops_chunk_bytes);
            stream::visit_refs(self.source, ops, &mut HashSet::new(), &mut |chunk, _| {
                if chunks.insert(chunk.id) {
                    *bytes += u64::from(chunk.bytes);
                }
                Ok(())
            })?;
            let most = self.ops_chunk_bytes.saturating_mul(limits.steps_ratio);
            if self.ops_bytes > most.saturating_add(limits.steps_bytes) {
                return Err(RecipeError::Limit(Excess::Steps));
            }
        }
        RecordReader::open(self.source, ops, OP_BYTES_MAX)
    }

    fn streams_of(
        &mut self,
        blob: &Blob,
        found: &mut Vec<Blob>,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        if !self.enter(blob, depth_left)? {
            return Ok(());
        }
        let mut inner = Vec::new();
        let mut ops = self.ops(blob)?;
        while let Some(op) = read_op(&mut ops)? {
            match op {
                RecipeOp::Stream { .. } => {
                    found.push(*blob);
                    return Ok(());
                }
                RecipeOp::Blob(each) => inner.push(each),
                RecipeOp::Chunk(_) | RecipeOp::Side { .. } | RecipeOp::Kept { .. } => {}
            }
        }
        inner
            .iter()
            .try_for_each(|each| self.streams_of(each, found, depth_left - 1))
    }

    fn blob(
        &mut self,
        blob: &Blob,
        visitor: &mut dyn Visitor,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        if !self.enter(blob, depth_left)? {
            return Ok(());
        }
        visitor.blob(blob)?;
        // The chunks of the recipe are told before it is read, so that a visitor also learns of those that are missing.
        self.stream(&blob.recipe.ops, visitor)?;
        self.stream(&blob.recipe.side, visitor)?;
        let mut ops = self.ops(blob)?;
        let mut sums = Sums::new(blob);
        while let Some(op) = read_op(&mut ops)? {
            let side = blob.recipe.side;
            let remake_at = side.bytes - sums.side_left;
            sums.add(&op)?;
            match op {
                RecipeOp::Stream {
                    bytes,
                    plain,
                    remake_bytes,
                    codec,
                } => visitor.stream(&FoundStream {
                    bytes,
                    plain,
                    codec,
                    side,
                    remake_at,
                    remake_bytes,
                })?,
                RecipeOp::Kept { reason } => visitor.kept(blob, reason)?,
                RecipeOp::Chunk(_) | RecipeOp::Blob(_) | RecipeOp::Side { .. } => {}
            }
            if let Some(content) = op.content() {
                self.content_at(&content, visitor, depth_left - 1)?;
            }
        }
        sums.check()
    }
}

/// The claims of a blob's steps, checked before anything is rebuilt.
struct Sums {
    /// Bytes of the blob, and of its side stream, that no step has given or taken yet.
    left: u64,
    side_left: u64,
}

impl Sums {
    fn new(blob: &Blob) -> Self {
        Self {
            left: blob.bytes,
            side_left: blob.recipe.side.bytes,
        }
    }

    fn add(&mut self, op: &RecipeOp) -> Result<(), RecipeError> {
        let (bytes, side) = match op {
            RecipeOp::Chunk(chunk) => (u64::from(chunk.bytes), 0),
            RecipeOp::Side { bytes } => (*bytes, *bytes),
            RecipeOp::Blob(inner) => (inner.bytes, 0),
            RecipeOp::Stream {
                bytes,
                plain,
                remake_bytes,
                ..
            } if plain.bytes() / PLAIN_RATIO_MAX <= *bytes => (*bytes, *remake_bytes),
            RecipeOp::Stream { .. } => {
                return Err(RecipeError::Limit(Excess::PlainForStream));
            }
            RecipeOp::Kept { .. } => return Ok(()),
        };
        // A step of no bytes would let a short recipe run forever.
        if bytes == 0 {
            return Err(RecipeError::Corrupt(Flaw::StepLength));
        }
        let left = self.left.checked_sub(bytes);
        self.left = left.ok_or(RecipeError::Corrupt(Flaw::LongSteps))?;
        let side_left = self.side_left.checked_sub(side);
        self.side_left = side_left.ok_or(RecipeError::Corrupt(Flaw::SideBytes))?;
        Ok(())
    }

    fn check(&self) -> Result<(), RecipeError> {
        if self.left > 0 {
            return Err(RecipeError::Corrupt(Flaw::ShortSteps));
        }
        Ok(())
    }
}
