//! Opens files into recipes: tars, to any depth up to a limit, as headers and bodies; all else as chunks.
//!
//! Whatever is not understood is kept as bytes, so every result is lossless. Opening reads a file once (twice what was
//! known under the same length but is other), and holds a tape's buffer and half a MiB for each level.

use std::path::Path;

use super::LayoutError;
use super::tape::{ReadAt, Tape};
use super::tar::{self, Header, Kind, Pax};
use crate::chunk::{CHUNK_MAX, Cutter};
use crate::class::Class;
use crate::id::BlobId;
use crate::monitor::Monitor;
use crate::recipe::walk::Walker;
use crate::recipe::writer::RecipeWriter;
use crate::recipe::{Blob, ChunkRef, ChunkSink, ChunkSource, Content, RecipeError, SMALL_BYTES};
use crate::release::BlobTable;

/// Tars in tars that are opened; one deeper is kept as bytes.
pub const OPEN_DEPTH_MAX: usize = 8;
/// Longest pax header that is read for what it says.
const PAX_BYTES_MAX: u64 = 64 * 1024;
/// Bytes between two looks at the monitor.
const STEP_BYTES: u64 = 4 << 20;

/// How far contents are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Tars as headers and bodies.
    Open,
    /// Everything as bytes: for what could not be rebuilt otherwise.
    Closed,
}

/// Makes recipes of files. One for a whole `add`, so that what came before is known behind.
pub struct Opener<'a, S: ChunkSource> {
    source: &'a S,
    sink: &'a mut dyn ChunkSink,
    monitor: &'a dyn Monitor,
    depth: Depth,
    /// Blobs of earlier releases: used again when their chunks are still there.
    known: &'a BlobTable,
    /// Blobs of this run: their chunks were just stored.
    fresh: BlobTable,
    /// Blobs that were used again, and the blobs in them.
    reused: BlobTable,
    reused_bytes: u64,
    unreported: u64,
}

impl<'a, S: ChunkSource> Opener<'a, S> {
    /// Starts with the blobs that are known.
    pub fn new(
        source: &'a S,
        sink: &'a mut dyn ChunkSink,
        known: &'a BlobTable,
        depth: Depth,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            source,
            sink,
            monitor,
            depth,
            known,
            fresh: BlobTable::default(),
            reused: BlobTable::default(),
            reused_bytes: 0,
            unreported: 0,
        }
    }

    /// Where chunks go to.
    pub fn sink(&mut self) -> &mut dyn ChunkSink {
        self.sink
    }

    /// The blobs that this opener made, and those that it took over: together all blobs of what it opened.
    pub fn into_blobs(self) -> (BlobTable, BlobTable) {
        (self.fresh, self.reused)
    }

    /// Bytes that were known and not opened again.
    pub fn reused_bytes(&self) -> u64 {
        self.reused_bytes
    }

    /// Opens a file; `path` gives its name, for errors and for telling its class.
    ///
    /// # Errors
    /// [`LayoutError::Changed`] when it is shorter than it was; what reading and storing give.
    pub fn open<R: ReadAt + ?Sized>(
        &mut self,
        file: &R,
        path: &Path,
    ) -> Result<Content, LayoutError> {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        let content = self.whole(file, path, name)?;
        self.monitor.advance(std::mem::take(&mut self.unreported));
        Ok(content)
    }

    fn whole<R: ReadAt + ?Sized>(
        &mut self,
        file: &R,
        path: &Path,
        name: &[u8],
    ) -> Result<Content, LayoutError> {
        let bytes = file.len();
        if bytes == 0 {
            return Ok(Content::Empty);
        }
        let mut tape = Tape::new(file, path);
        if bytes <= SMALL_BYTES {
            return Ok(Content::Chunk(self.small(&mut tape, bytes, name)?));
        }
        if let Some(blob) = self.look_up(&mut tape, bytes)? {
            return Ok(Content::Blob(blob));
        }
        let head = tape.peek(tar::BLOCK)?;
        if self.depth == Depth::Open && tar::begins_tar(head) {
            return Ok(Content::Blob(self.tar(&mut tape, bytes, 1)?));
        }
        // A content that is one chunk needs no recipe.
        let first = Self::cut(&mut tape, bytes)?;
        if first as u64 == bytes {
            return Ok(Content::Chunk(self.put(&mut tape, first, name)?));
        }
        tape.push_hasher();
        let mut recipe = RecipeWriter::new(Class::Other);
        self.chunks(&mut tape, bytes, name, &mut recipe)?;
        let blob = self.finish(&mut tape, bytes, recipe)?;
        Ok(Content::Blob(blob))
    }

    /// Returns the blob that comes next when it is known and whole, and goes on behind it.
    fn look_up<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
    ) -> Result<Option<Blob>, LayoutError> {
        if !self.known.has_length(bytes) && !self.fresh.has_length(bytes) {
            return Ok(None);
        }
        let mark = tape.bookmark();
        tape.push_hasher();
        let mut left = bytes;
        while left > 0 {
            self.monitor.check_stop()?;
            let step = left.min(STEP_BYTES);
            tape.skip(step)?;
            left -= step;
        }
        let id = BlobId(tape.pop_hasher());
        let fresh = self.fresh.get(bytes, id);
        let found = match (fresh, self.known.get(bytes, id)) {
            (Some(blob), _) => Some(blob),
            (None, Some(blob)) if self.take_over(&blob) => Some(blob),
            _ => None,
        };
        match found {
            Some(_) => {
                self.reused_bytes += bytes;
                self.monitor.advance(bytes);
            }
            None => tape.go_back(mark),
        }
        Ok(found)
    }

    /// Takes a known blob over when all its chunks are there.
    fn take_over(&mut self, blob: &Blob) -> bool {
        struct Whole<'a, S: ChunkSource> {
            source: &'a S,
            blobs: Vec<Blob>,
        }
        impl<S: ChunkSource> crate::recipe::walk::Visitor for Whole<'_, S> {
            fn chunk(&mut self, id: &crate::id::ChunkId) -> Result<(), RecipeError> {
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
        let walked = Walker::new(self.source).content(&Content::Blob(*blob), &mut whole);
        if walked.is_ok() {
            whole.blobs.iter().for_each(|each| self.reused.insert(each));
        }
        walked.is_ok()
    }

    /// Follows a tar of `bytes` bytes that begins here; `depth` is 1 for an outermost one.
    fn tar<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        depth: usize,
    ) -> Result<Blob, LayoutError> {
        tape.push_hasher();
        let mut recipe = RecipeWriter::new(Class::TarHeaders);
        let end = tape.offset() + bytes;
        let mut next = Pax::default();
        while tape.offset() < end {
            let left = end - tape.offset();
            let block_bytes = tar::BLOCK.min(usize::try_from(left).unwrap_or(tar::BLOCK));
            let mut block = [0; tar::BLOCK];
            block[..block_bytes].copy_from_slice(tape.peek(block_bytes)?);
            self.side(tape, block_bytes as u64, &mut recipe)?;
            let Some(header) = Header::read(&block[..block_bytes]) else {
                // The end of the archive, or something unknown: the next block may be a header again.
                next = Pax::default();
                continue;
            };
            let left = left - tar::BLOCK as u64;
            match header.kind {
                Kind::Pax => {
                    let body = header.size.min(left);
                    if body <= PAX_BYTES_MAX {
                        let len = usize::try_from(body).unwrap_or_default();
                        next = Pax::read(tape.peek(len)?);
                    }
                    let whole = body.saturating_add(tar::padding(body));
                    self.side(tape, whole.min(left), &mut recipe)?;
                }
                Kind::Note => {
                    let whole = header.size.saturating_add(tar::padding(header.size));
                    self.side(tape, whole.min(left), &mut recipe)?;
                }
                Kind::Bodiless => next = Pax::default(),
                Kind::File | Kind::Sparse => {
                    if header.kind == Kind::Sparse {
                        self.sparse_map(tape, end, &block, &mut recipe)?;
                    }
                    let member = std::mem::take(&mut next);
                    let size = member.size.unwrap_or(header.size);
                    let body = size.min(end - tape.offset());
                    let name = member
                        .path
                        .as_deref()
                        .unwrap_or_else(|| Header::name(&block));
                    self.body(tape, body, name, depth, &mut recipe)?;
                    let padding = tar::padding(size).min(end - tape.offset());
                    self.side(tape, padding, &mut recipe)?;
                }
            }
        }
        self.finish(tape, bytes, recipe)
    }

    /// Passes the further blocks of a GNU sparse map.
    fn sparse_map<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        end: u64,
        header: &[u8],
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let mut more = header[tar::SPARSE_MORE_IN_HEADER] != 0;
        while more && end - tape.offset() >= tar::BLOCK as u64 {
            more = tape.peek(tar::BLOCK)?[tar::SPARSE_MORE_IN_MAP] != 0;
            self.side(tape, tar::BLOCK as u64, recipe)?;
        }
        Ok(())
    }

    fn body<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        if bytes == 0 {
            return Ok(());
        }
        if bytes <= SMALL_BYTES {
            let chunk = self.small(tape, bytes, name)?;
            return Ok(recipe.chunk(self.sink, chunk)?);
        }
        if depth < OPEN_DEPTH_MAX && tar::begins_tar(tape.peek(tar::BLOCK)?) {
            let blob = match self.look_up(tape, bytes)? {
                Some(known) => known,
                None => self.tar(tape, bytes, depth + 1)?,
            };
            return Ok(recipe.blob(self.sink, blob)?);
        }
        self.chunks(tape, bytes, name, recipe)
    }

    fn finish<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        recipe: RecipeWriter,
    ) -> Result<Blob, LayoutError> {
        let id = BlobId(tape.pop_hasher());
        let recipe = recipe.finish(self.sink)?;
        let blob = Blob { id, bytes, recipe };
        self.fresh.insert(&blob);
        Ok(blob)
    }

    /// Cuts the next `bytes` bytes into chunks.
    fn chunks<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        name: &[u8],
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let class = Class::of(name, tape.peek(tar::BLOCK)?);
        let end = tape.offset() + bytes;
        while tape.offset() < end {
            let len = Self::cut(tape, end - tape.offset())?;
            let chunk = self.put_as(tape, len, class)?;
            recipe.chunk(self.sink, chunk)?;
        }
        Ok(())
    }

    /// Length of the next chunk of a content of which `left` bytes are left.
    fn cut<R: ReadAt + ?Sized>(tape: &mut Tape<'_, R>, left: u64) -> Result<usize, LayoutError> {
        let window = usize::try_from(left).map_or(CHUNK_MAX, |left| left.min(CHUNK_MAX));
        Ok(Cutter::cut(tape.peek(window)?))
    }

    fn small<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        name: &[u8],
    ) -> Result<ChunkRef, LayoutError> {
        let len = usize::try_from(bytes).map_err(|_| RecipeError::Corrupt("small content"))?;
        self.put(tape, len, name)
    }

    fn put<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        len: usize,
        name: &[u8],
    ) -> Result<ChunkRef, LayoutError> {
        let class = Class::of(name, tape.peek(len.min(tar::BLOCK))?);
        self.put_as(tape, len, class)
    }

    fn put_as<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        len: usize,
        class: Class,
    ) -> Result<ChunkRef, LayoutError> {
        let id = self.sink.put(tape.peek(len)?, class)?;
        tape.skip(len as u64)?;
        self.report(len as u64)?;
        let bytes = u32::try_from(len).map_err(|_| RecipeError::Corrupt("length of a chunk"))?;
        Ok(ChunkRef { bytes, id })
    }

    fn side<R: ReadAt + ?Sized>(
        &mut self,
        tape: &mut Tape<'_, R>,
        bytes: u64,
        recipe: &mut RecipeWriter,
    ) -> Result<(), LayoutError> {
        let mut left = bytes;
        while left > 0 {
            let len = usize::try_from(left).map_or(CHUNK_MAX, |left| left.min(CHUNK_MAX));
            recipe.side(self.sink, tape.peek(len)?)?;
            tape.skip(len as u64)?;
            left -= len as u64;
        }
        self.report(bytes)
    }

    /// Tells the monitor now and then: members are small and many.
    fn report(&mut self, bytes: u64) -> Result<(), LayoutError> {
        self.unreported += bytes;
        if self.unreported >= STEP_BYTES {
            self.monitor.advance(std::mem::take(&mut self.unreported));
            self.monitor.check_stop()?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
