//! Reads a file once from front to back in large pieces, and hashes it on the way for every caller that asks.
//!
//! Holds one buffer of [`BUFFER_BYTES`]. It does not interpret the bytes.

use std::io;
use std::path::Path;

use super::LayoutError;
use crate::base::id::Hasher;
use crate::base::read_at::ReadAt;
use crate::base::term::Action;
use crate::content::chunk::CHUNK_MAX;

/// Bytes that are read at a time.
pub(crate) const BUFFER_BYTES: usize = 8 << 20;
/// From this length on, hashing on every core is worth its start.
const PARALLEL_BYTES: usize = 256 << 10;

/// A reader that continues from its current offset. Hashers can be pushed and popped. Each hasher sees what is skipped
/// in between.
pub(crate) struct HashingReader<'a, R: ReadAt + ?Sized> {
    source: &'a R,
    path: &'a Path,
    buffer: Vec<u8>,
    /// Offset of the buffer's first byte in the file.
    buffer_offset: u64,
    /// Bytes of the buffer that are filled.
    filled: usize,
    /// Bytes of the buffer that were skipped over.
    at: usize,
    /// Bytes of the buffer that the hashers have seen.
    hashed: usize,
    hashers: Vec<Hasher>,
}

/// A position of a reader to return to, hashers included.
pub(crate) struct Bookmark {
    offset: u64,
    hashers: Vec<Hasher>,
}

impl<'a, R: ReadAt + ?Sized> HashingReader<'a, R> {
    /// Starts at the beginning of `source`. `path` is for errors.
    pub fn new(source: &'a R, path: &'a Path) -> Self {
        Self::at(source, path, 0)
    }

    /// Starts at `offset`.
    pub fn at(source: &'a R, path: &'a Path, offset: u64) -> Self {
        Self {
            source,
            path,
            buffer: Vec::new(),
            buffer_offset: offset,
            filled: 0,
            at: 0,
            hashed: 0,
            hashers: Vec::new(),
        }
    }

    /// The source that it reads.
    pub fn source(&self) -> &'a R {
        self.source
    }

    /// The path that it was given.
    pub fn path(&self) -> &'a Path {
        self.path
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> u64 {
        self.buffer_offset + self.at as u64
    }

    /// Bytes from the current offset to the end.
    pub fn left(&self) -> u64 {
        self.source.size_bytes().saturating_sub(self.offset())
    }

    /// Returns exactly the next `bytes` bytes without advancing.
    ///
    /// # Errors
    /// [`LayoutError::Changed`] when the file ends before that, or [`LayoutError::Io`].
    ///
    /// # Panics
    /// When more than [`CHUNK_MAX`] bytes are asked for.
    pub fn peek(&mut self, bytes: usize) -> Result<&[u8], LayoutError> {
        assert!(bytes <= CHUNK_MAX, "a peek is no longer than a chunk");
        self.peek_far(bytes)
    }

    /// Does the same for up to [`BUFFER_BYTES`] bytes, of which what was read already may have to move in the buffer.
    ///
    /// # Errors
    /// As [`HashingReader::peek`].
    ///
    /// # Panics
    /// When more than [`BUFFER_BYTES`] bytes are asked for.
    pub fn peek_far(&mut self, bytes: usize) -> Result<&[u8], LayoutError> {
        assert!(bytes <= BUFFER_BYTES, "a buffer holds what is peeked at");
        if self.filled - self.at < bytes {
            self.fill(bytes)?;
        }
        Ok(&self.buffer[self.at..self.at + bytes])
    }

    /// Advances by `bytes` bytes. Reads them when they were not peeked at and a hasher needs them.
    ///
    /// # Errors
    /// As [`HashingReader::peek`].
    pub fn skip(&mut self, bytes: u64) -> Result<(), LayoutError> {
        let mut left = bytes;
        while left > 0 {
            if self.at == self.filled && self.hashers.is_empty() {
                if left > self.left() {
                    return Err(LayoutError::Changed(self.path.to_owned()));
                }
                self.buffer_offset = self.offset() + left;
                (self.filled, self.at, self.hashed) = (0, 0, 0);
                return Ok(());
            }
            if self.at == self.filled {
                self.fill(1)?;
            }
            let step = self.filled - self.at;
            let step = usize::try_from(left).map_or(step, |left| left.min(step));
            self.at += step;
            left -= step as u64;
        }
        Ok(())
    }

    /// Starts a hash of everything that is skipped from here on.
    pub(crate) fn push_hasher(&mut self) {
        self.hash_up_to_here();
        self.hashers.push(Hasher::new());
    }

    /// Ends the hash that was started last.
    ///
    /// # Panics
    /// When none was started.
    pub(crate) fn pop_hasher(&mut self) -> [u8; 32] {
        self.hash_up_to_here();
        let hasher = self.hashers.pop();
        hasher.expect("every pop has its push").finish()
    }

    /// Remembers this position.
    pub(crate) fn bookmark(&mut self) -> Bookmark {
        self.hash_up_to_here();
        Bookmark {
            offset: self.offset(),
            hashers: self.hashers.clone(),
        }
    }

    /// Returns to a remembered position.
    pub(crate) fn go_back(&mut self, mark: Bookmark) {
        self.hashers = mark.hashers;
        match mark
            .offset
            .checked_sub(self.buffer_offset)
            .map(usize::try_from)
        {
            Some(Ok(at)) if at <= self.filled => self.at = at,
            _ => {
                self.buffer_offset = mark.offset;
                self.filled = 0;
                self.at = 0;
            }
        }
        self.hashed = self.at;
    }

    fn hash_up_to_here(&mut self) {
        let bytes = &self.buffer[self.hashed..self.at];
        for hasher in &mut self.hashers {
            if bytes.len() >= PARALLEL_BYTES {
                hasher.update_parallel(bytes);
            } else {
                hasher.update(bytes);
            }
        }
        self.hashed = self.at;
    }

    /// Moves what was not skipped to the front. Then reads until `bytes` bytes are present and the buffer is nearly
    /// full.
    fn fill(&mut self, bytes: usize) -> Result<(), LayoutError> {
        self.hash_up_to_here();
        self.buffer.copy_within(self.at..self.filled, 0);
        self.buffer_offset += self.at as u64;
        self.filled -= self.at;
        self.at = 0;
        self.hashed = 0;
        // No larger than the file: most files are small.
        let ahead = self.source.size_bytes().saturating_sub(self.buffer_offset);
        let room = usize::try_from(ahead).map_or(BUFFER_BYTES, |ahead| ahead.min(BUFFER_BYTES));
        if self.buffer.len() < room {
            self.buffer.resize(room, 0);
        }
        while self.filled < room {
            let offset = self.buffer_offset + self.filled as u64;
            match self
                .source
                .read_at(offset, &mut self.buffer[self.filled..room])
            {
                Ok(0) => break,
                Ok(len) => self.filled += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LayoutError::io(Action::Read, self.path)(error)),
            }
        }
        if self.filled < bytes {
            return Err(LayoutError::Changed(self.path.to_owned()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id;

    #[test]
    fn every_hasher_sees_its_own_stretch_across_buffers_and_bookmarks() {
        let bytes: Vec<u8> = (0..3_u32 * 8 * 1024 * 1024 / 4)
            .flat_map(u32::to_le_bytes)
            .collect();
        let mut reader = HashingReader::new(&bytes[..], Path::new("reader"));
        reader.push_hasher();
        reader.skip(5).unwrap();
        assert_eq!(reader.peek(3).unwrap(), &bytes[5..8]);
        let mark = reader.bookmark();
        reader.push_hasher();
        reader.skip(20 << 20).unwrap();
        assert_eq!(reader.pop_hasher(), id::hash(&bytes[5..5 + (20 << 20)]));
        reader.go_back(mark);
        assert_eq!(reader.offset(), 5);
        reader.push_hasher();
        reader.skip(1 << 20).unwrap();
        assert_eq!(reader.pop_hasher(), id::hash(&bytes[5..5 + (1 << 20)]));
        reader.skip(reader.left()).unwrap();
        assert_eq!(reader.pop_hasher(), id::hash(&bytes));
        assert!(matches!(reader.skip(1), Err(LayoutError::Changed(_))));
    }
}
