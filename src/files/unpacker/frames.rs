//! Cuts contents into chunks. Each zstd frame is cut from its own beginning, so that equal frames are equal chunks.

use super::{KeptReason, Unpacker};
use crate::base::read_at::ReadAt;
use crate::base::term::Action;
use crate::content::archive::tar;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource, SMALL_BYTES};
use crate::files::hashing_reader::HashingReader;
use crate::files::{LayoutError, zstd};

/// Shorter frames are side bytes, because a chunk of its own costs more than it may save.
const FRAME_BYTES_MIN: u64 = 256;

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Cuts a content that is kept as it came into chunks, and says why in its recipe.
    pub(super) fn closed<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        reason: KeptReason,
    ) -> Result<Blob, LayoutError> {
        if let Some(known) = self.look_up(reader, bytes)? {
            return Ok(known);
        }
        self.kept(reason, bytes);
        reader.push_hasher();
        let mut recipe = RecipeWriter::new(ContentKind::Packed);
        recipe.kept(self.sink, reason.number())?;
        self.chunks(reader, bytes, name, &mut recipe)?;
        self.finish(reader, bytes, recipe)
    }

    /// Puts the next `bytes` bytes into the recipe as they are: as one chunk when they are few.
    pub(super) fn plain_part<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        if bytes > SMALL_BYTES {
            return self.chunks(reader, bytes, name, recipe);
        }
        if bytes > 0 {
            let chunk = self.small(reader, bytes, name)?;
            recipe.chunk(self.sink, chunk)?;
        }
        Ok(())
    }

    /// Cuts the next `bytes` bytes into chunks.
    pub(super) fn chunks<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let head_bytes = usize::try_from(bytes).map_or(tar::BLOCK, |bytes| bytes.min(tar::BLOCK));
        let head = reader.peek(head_bytes)?;
        let (class, is_zstd) = (ContentKind::of(name, head), zstd::begins_frame(head));
        let end = reader.offset() + bytes;
        if is_zstd && self.options.depth == super::Depth::Open {
            self.frames(reader, end, class, recipe)?;
        }
        self.cut_up_to(reader, end, class, recipe)
    }

    /// Cuts frame by frame, up to the first bytes that are not a frame.
    fn frames<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        class: ContentKind,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        while reader.offset() < end {
            let found = zstd::frame_bytes(reader.source(), reader.offset(), end);
            let found = found.map_err(LayoutError::io(Action::Read, reader.path()))?;
            match found {
                None => return Ok(()),
                Some(bytes) if bytes < FRAME_BYTES_MIN => self.side(reader, bytes, recipe)?,
                Some(bytes) if bytes <= SMALL_BYTES => {
                    let len = usize::try_from(bytes).unwrap_or_default();
                    let chunk = self.put_as(reader, len, class)?;
                    recipe.chunk(self.sink, chunk)?;
                }
                Some(bytes) => self.cut_up_to(reader, reader.offset() + bytes, class, recipe)?,
            }
        }
        Ok(())
    }

    fn cut_up_to<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        class: ContentKind,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        while reader.offset() < end {
            let len = Self::cut(reader, end - reader.offset())?;
            let chunk = self.put_as(reader, len, class)?;
            recipe.chunk(self.sink, chunk)?;
        }
        Ok(())
    }
}
