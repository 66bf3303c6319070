//! Writes one recipe: side bytes and steps in the order of the blob's bytes.
//!
//! The caller decides what is a body.

use std::io::{self, Read};

use super::stream::StreamWriter;
use super::{Blob, ChunkRef, ChunkSink, Content, Recipe, RecipeError, RecipeOp};
use crate::content::content_kind::ContentKind;

/// Bytes that are copied at a time.
const READ_BYTES: usize = 16 * 1024;

/// Collects a recipe. Adjacent side bytes become one step.
pub struct RecipeWriter {
    side: StreamWriter,
    ops: StreamWriter,
    side_run: u64,
}

impl RecipeWriter {
    /// Starts an empty recipe whose side stream is of `side_class`.
    pub fn new(side_class: ContentKind) -> Self {
        Self {
            side: StreamWriter::new(side_class),
            ops: StreamWriter::new(ContentKind::Meta),
            side_run: 0,
        }
    }

    /// Adds bytes that belong to no body.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn side(&mut self, sink: &mut dyn ChunkSink, bytes: &[u8]) -> Result<(), RecipeError> {
        self.side_run += bytes.len() as u64;
        self.side.write(sink, bytes)
    }

    /// Adds a chunk that is stored already.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn chunk(&mut self, sink: &mut dyn ChunkSink, chunk: ChunkRef) -> Result<(), RecipeError> {
        self.step(sink, &RecipeOp::Chunk(chunk))
    }

    /// Adds a blob whose recipe is stored already.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn blob(&mut self, sink: &mut dyn ChunkSink, blob: Blob) -> Result<(), RecipeError> {
        self.step(sink, &RecipeOp::Blob(blob))
    }

    /// Adds a stream of `bytes` bytes whose plain bytes are stored already. `remake` is its recipe, and `codec` says how
    /// that is read.
    ///
    /// # Errors
    /// [`RecipeError::Store`], also when `remake` cannot be read.
    pub fn deflate(
        &mut self,
        sink: &mut dyn ChunkSink,
        bytes: u64,
        plain: Content,
        codec: u16,
        remake: &mut dyn Read,
    ) -> Result<(), RecipeError> {
        self.flush_side(sink)?;
        let mut remake_bytes = 0;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let len = match remake.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(RecipeError::store(error)),
            };
            self.side.write(sink, &buffer[..len])?;
            remake_bytes += len as u64;
        }
        let step = RecipeOp::Stream {
            bytes,
            plain,
            remake_bytes,
            codec,
        };
        self.ops.write_record(sink, &step)
    }

    /// Records why the blob's stream was kept as it is. Must be called first.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn kept(&mut self, sink: &mut dyn ChunkSink, reason: u16) -> Result<(), RecipeError> {
        self.step(sink, &RecipeOp::Kept { reason })
    }

    /// Stores both streams.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn finish(mut self, sink: &mut dyn ChunkSink) -> Result<Recipe, RecipeError> {
        self.flush_side(sink)?;
        Ok(Recipe {
            side: self.side.finish(sink)?,
            ops: self.ops.finish(sink)?,
        })
    }

    fn step(&mut self, sink: &mut dyn ChunkSink, op: &RecipeOp) -> Result<(), RecipeError> {
        self.flush_side(sink)?;
        self.ops.write_record(sink, op)
    }

    fn flush_side(&mut self, sink: &mut dyn ChunkSink) -> Result<(), RecipeError> {
        let bytes = std::mem::take(&mut self.side_run);
        if bytes == 0 {
            return Ok(());
        }
        self.ops.write_record(sink, &RecipeOp::Side { bytes })
    }
}
