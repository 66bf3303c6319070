//! Finds blobs that were stored before, in this run or by earlier releases. They are known by length and hash, and are
//! not opened again.

use super::{KeptReason, STEP_BYTES, Unpacker};
use crate::base::id::{BlobId, ChunkId};
use crate::base::read_at::ReadAt;
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{Blob, ChunkSource, Content, RecipeError};
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Returns the next blob when it is known and whole, and advances past it.
    pub(super) fn look_up<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
    ) -> Result<Option<Blob>, LayoutError> {
        // Hashing costs a second read, so it is only done when a blob of this length exists.
        if !self.known.has_length(bytes) && !self.fresh.has_length(bytes) {
            return Ok(None);
        }
        let mark = reader.bookmark();
        let id = self.hash_over(reader, bytes)?;
        let found = self.known_blob(bytes, id);
        if found.is_none() {
            reader.go_back(mark);
        }
        Ok(found)
    }

    /// Hashes the next `bytes` bytes and advances past them.
    pub(super) fn hash_over<R: ReadAt + ?Sized>(
        &self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
    ) -> Result<BlobId, LayoutError> {
        reader.push_hasher();
        let mut left = bytes;
        while left > 0 {
            self.monitor.check_stop()?;
            let step = left.min(STEP_BYTES);
            reader.skip(step)?;
            left -= step;
        }
        Ok(BlobId(reader.pop_hasher()))
    }

    /// Returns a blob of this run, or one of earlier releases that is whole.
    pub(super) fn known_blob(&mut self, bytes: u64, id: BlobId) -> Option<Blob> {
        let found = match (self.fresh.get(bytes, id), self.known.get(bytes, id)) {
            // A fresh blob needs no walk, because its chunks were stored in this run.
            (Some(blob), _) => blob,
            (None, Some(blob)) if self.take_over(&blob) => blob,
            _ => return None,
        };
        if self.within == 0 {
            self.reused_bytes += bytes;
            self.advance(bytes);
        }
        Some(found)
    }

    /// Reuses a known blob when all its chunks are present.
    fn take_over(&mut self, blob: &Blob) -> bool {
        struct Whole<'a, S: ChunkSource> {
            source: &'a S,
            blobs: Vec<Blob>,
        }
        impl<S: ChunkSource> Visitor for Whole<'_, S> {
            fn chunk(&mut self, id: &ChunkId) -> Result<(), RecipeError> {
                if self.source.contains(id) {
                    Ok(())
                } else {
                    Err(RecipeError::Missing(*id))
                }
            }
            fn blob(&mut self, blob: &Blob) -> Result<(), RecipeError> {
                self.blobs.push(*blob);
                Ok(())
            }
        }
        let mut whole = Whole {
            source: self.source,
            blobs: Vec::new(),
        };
        // The walk visits every chunk, so a blob with a lost chunk is opened and stored again.
        let walked = Walker::new(self.source).content(&Content::Blob(*blob), &mut whole);
        if walked.is_ok() {
            whole.blobs.iter().for_each(|each| self.reused.insert(each));
        }
        walked.is_ok()
    }

    /// Returns whether the next content is excluded from opening.
    pub(super) fn is_closed<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
    ) -> Result<bool, LayoutError> {
        if self.options.closed.is_empty() {
            return Ok(false);
        }
        let mark = reader.bookmark();
        let id = self.hash_over(reader, bytes)?;
        reader.go_back(mark);
        let is_closed = self.options.closed.contains(&id);
        if is_closed {
            self.kept(KeptReason::Changed, bytes);
        }
        Ok(is_closed)
    }
}
