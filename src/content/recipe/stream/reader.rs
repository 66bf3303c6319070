//! Reads streams from their beginning: chunk by chunk, or record by record.

use std::marker::PhantomData;

use wincode::SchemaRead;
use wincode::config::DefaultConfig;

use super::{check_depth, read_list};
use crate::base::envelope;
use crate::base::id::ChunkId;
use crate::base::term::Flaw;
use crate::content::recipe::{ChunkSource, RecipeError, StreamRef};

/// Chunks that a reader requests ahead.
const AHEAD: usize = 64;

struct TreeLevel {
    streams: Vec<StreamRef>,
    next: usize,
}

/// Reads a stream from its beginning, chunk by chunk.
pub(crate) struct StreamReader<'a, S: ChunkSource> {
    source: &'a S,
    levels: Vec<TreeLevel>,
    current: Option<S::Bytes>,
    /// Bytes of `current` that were taken.
    at: usize,
    left: u64,
}

impl<'a, S: ChunkSource> StreamReader<'a, S> {
    /// Starts at the beginning of `stream`.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] when it claims to be deeper than a stream may be.
    pub fn open(source: &'a S, stream: &StreamRef) -> Result<Self, RecipeError> {
        check_depth(stream)?;
        let levels = if stream.bytes == 0 {
            Vec::new()
        } else {
            vec![TreeLevel {
                streams: vec![*stream],
                next: 0,
            }]
        };
        Ok(Self {
            source,
            levels,
            current: None,
            at: 0,
            left: stream.bytes,
        })
    }

    /// Returns the number of bytes that were not read yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// Appends the next `bytes` bytes to `out`.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] when the stream ends early. The errors of the source.
    pub(crate) fn read_into(&mut self, bytes: usize, out: &mut Vec<u8>) -> Result<(), RecipeError> {
        // No buffer grows for a length that the stream cannot have.
        if bytes as u64 > self.left {
            return Err(RecipeError::Corrupt(Flaw::StreamForUse));
        }
        let mut wanted = bytes;
        while wanted > 0 {
            let Some(chunk) = self.current.as_ref().filter(|chunk| self.at < chunk.len()) else {
                self.current = Some(self.next_chunk()?);
                self.at = 0;
                continue;
            };
            let len = wanted.min(chunk.len() - self.at);
            out.extend_from_slice(&chunk[self.at..self.at + len]);
            self.at += len;
            wanted -= len;
        }
        self.left -= bytes as u64;
        Ok(())
    }

    /// Skips the next `bytes` bytes. Chunks and lists that lie completely in them are not read.
    ///
    /// # Errors
    /// As [`StreamReader::read_into`].
    pub fn skip(&mut self, bytes: u64) -> Result<(), RecipeError> {
        if bytes > self.left {
            return Err(RecipeError::Corrupt(Flaw::StreamForUse));
        }
        self.left -= bytes;
        let mut wanted = bytes;
        while wanted > 0 {
            if let Some(chunk) = self.current.as_ref().filter(|chunk| self.at < chunk.len()) {
                let here = chunk.len() - self.at;
                let len = usize::try_from(wanted).map_or(here, |wanted| wanted.min(here));
                self.at += len;
                wanted -= len as u64;
                continue;
            }
            match self.levels.last_mut() {
                Some(level) => match level.streams.get(level.next) {
                    // Nothing below this chunk or list is wanted, so it is skipped without being read.
                    Some(stream) if stream.bytes <= wanted => {
                        wanted -= stream.bytes;
                        level.next += 1;
                    }
                    Some(stream) if stream.depth > 0 => {
                        let stream = *stream;
                        level.next += 1;
                        let streams = read_list(self.source, &stream)?;
                        self.levels.push(TreeLevel { streams, next: 0 });
                    }
                    Some(_) => {
                        self.current = Some(self.next_chunk()?);
                        self.at = 0;
                    }
                    None => {
                        self.levels.pop();
                    }
                },
                None => return Err(RecipeError::Corrupt(Flaw::StreamEnd)),
            }
        }
        Ok(())
    }

    fn next_chunk(&mut self) -> Result<S::Bytes, RecipeError> {
        loop {
            let Some(level) = self.levels.last_mut() else {
                return Err(RecipeError::Corrupt(Flaw::StreamEnd));
            };
            let Some(stream) = level.streams.get(level.next).copied() else {
                self.levels.pop();
                continue;
            };
            // One request for many chunks reads their frames on every core.
            if level.next % AHEAD == 0 && level.streams.len() > 1 {
                let end = level.streams.len().min(level.next + AHEAD);
                let ids: Vec<ChunkId> = level.streams[level.next..end]
                    .iter()
                    .map(|s| s.id)
                    .collect();
                self.source.prefetch(&ids);
            }
            level.next += 1;
            if stream.depth > 0 {
                let streams = read_list(self.source, &stream)?;
                self.levels.push(TreeLevel { streams, next: 0 });
                continue;
            }
            let chunk = self.source.chunk(&stream.id)?;
            // Skipping trusts the lengths in lists, so a chunk must have exactly the length of its record.
            if chunk.len() as u64 != stream.bytes {
                return Err(RecipeError::Corrupt(Flaw::StreamChunk));
            }
            return Ok(chunk);
        }
    }
}

/// Reads records, each behind its length (u32), from a stream.
pub struct RecordReader<'a, S: ChunkSource, T> {
    stream: StreamReader<'a, S>,
    limit_bytes: usize,
    buffer: Vec<u8>,
    what: PhantomData<T>,
}

impl<'a, S, T> RecordReader<'a, S, T>
where
    S: ChunkSource,
    T: for<'de> SchemaRead<'de, DefaultConfig, Dst = T>,
{
    /// Starts at the first record of `stream`. A record longer than `limit_bytes` is refused.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`].
    pub fn open(
        source: &'a S,
        stream: &StreamRef,
        limit_bytes: usize,
    ) -> Result<Self, RecipeError> {
        Ok(Self {
            stream: StreamReader::open(source, stream)?,
            limit_bytes,
            buffer: Vec::new(),
            what: PhantomData,
        })
    }

    /// Returns the bytes of the stream that were not read yet.
    pub fn left(&self) -> u64 {
        self.stream.left()
    }

    /// Skips the next `bytes` bytes, which must be whole records.
    ///
    /// # Errors
    /// As [`StreamReader::skip`].
    pub fn skip(&mut self, bytes: u64) -> Result<(), RecipeError> {
        self.stream.skip(bytes)
    }

    /// Returns the next record's bytes, or `None` at the end.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] for an impossible length. The errors of the source.
    pub(crate) fn next_bytes(&mut self) -> Result<Option<&[u8]>, RecipeError> {
        if self.stream.left() == 0 {
            return Ok(None);
        }
        self.buffer.clear();
        self.stream.read_into(4, &mut self.buffer)?;
        let len = self
            .buffer
            .first_chunk::<4>()
            .map(|len| u32::from_le_bytes(*len))
            .and_then(|len| usize::try_from(len).ok())
            // The length is bounded before the buffer grows.
            .filter(|len| *len <= self.limit_bytes)
            .ok_or(RecipeError::Corrupt(Flaw::LongRecord))?;
        self.buffer.clear();
        self.stream.read_into(len, &mut self.buffer)?;
        Ok(Some(&self.buffer))
    }

    /// Returns the next record, or `None` at the end.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] when it does not decode. The errors of the source.
    pub fn next_record(&mut self) -> Result<Option<T>, RecipeError> {
        match self.next_bytes()? {
            None => Ok(None),
            Some(bytes) => envelope::decode(bytes)
                .map(Some)
                .map_err(|_| RecipeError::Corrupt(Flaw::Record)),
        }
    }
}
