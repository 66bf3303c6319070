//! Streams: any number of bytes as chunks, under lists of chunks when there is more than one.
//!
//! Lists are cut by their own records, as contents are by their bytes. A change in a long stream therefore changes few
//! lists. The callers of [`RecordReader`] know what the bytes mean.

mod reader;

use std::collections::HashSet;

use wincode::SchemaWrite;
use wincode::config::DefaultConfig;

pub use self::reader::RecordReader;
pub(crate) use self::reader::StreamReader;
use super::{ChunkRef, ChunkSink, ChunkSource, RecipeError, STREAM_DEPTH_MAX, StreamRef};
use crate::base::envelope;
use crate::base::id::ChunkId;
use crate::base::term::Flaw;
use crate::content::chunk::{CHUNK_MAX, Cutter};
use crate::content::content_kind::ContentKind;

/// Bytes of a record of a list: length of the stream, id.
const RECORD_BYTES: usize = 40;
/// Fewest records of a list before one may end it, except in the last list of a level.
const LIST_MIN: usize = 256;
/// Most records of a list.
const LIST_MAX: usize = 4096;

#[derive(Debug, Clone, Copy)]
struct TreeRecord {
    bytes: u64,
    id: ChunkId,
}

/// Cuts the written bytes into chunks and lists. Holds at most about half a MiB.
pub struct StreamWriter {
    class: ContentKind,
    buffer: Vec<u8>,
    /// Records of each level that are in no list yet. Level 0 are chunks.
    levels: Vec<Vec<TreeRecord>>,
}

impl StreamWriter {
    /// Starts an empty stream whose chunks are of `class`.
    pub fn new(class: ContentKind) -> Self {
        Self {
            class,
            buffer: Vec::new(),
            levels: Vec::new(),
        }
    }

    /// Appends bytes.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn write(&mut self, sink: &mut dyn ChunkSink, bytes: &[u8]) -> Result<(), RecipeError> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() < 2 * CHUNK_MAX {
            return Ok(());
        }
        let mut at = 0;
        while self.buffer.len() - at >= CHUNK_MAX {
            at += self.put_chunk(sink, at)?;
        }
        self.buffer.drain(..at);
        Ok(())
    }

    /// Appends a record behind its length.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn write_record<T>(
        &mut self,
        sink: &mut dyn ChunkSink,
        record: &T,
    ) -> Result<(), RecipeError>
    where
        T: SchemaWrite<DefaultConfig, Src = T>,
    {
        let body = envelope::encode(record);
        let len =
            u32::try_from(body.len()).map_err(|_| RecipeError::Corrupt(Flaw::TooLongRecord))?;
        self.write(sink, &len.to_le_bytes())?;
        self.write(sink, &body)
    }

    /// Stores the rest and returns the whole stream.
    ///
    /// # Errors
    /// [`RecipeError::Store`].
    pub fn finish(mut self, sink: &mut dyn ChunkSink) -> Result<StreamRef, RecipeError> {
        let mut at = 0;
        while at < self.buffer.len() {
            at += self.put_chunk(sink, at)?;
        }
        let mut level = 0;
        loop {
            let top = level + 1 >= self.levels.len();
            match self.levels.get(level).map(Vec::as_slice) {
                None => return Ok(StreamRef::EMPTY),
                Some([only]) if top => {
                    return Ok(StreamRef {
                        bytes: only.bytes,
                        depth: u8::try_from(level)
                            .map_err(|_| RecipeError::Corrupt(Flaw::LongStream))?,
                        id: only.id,
                    });
                }
                Some([]) => {}
                Some(_) => self.close_list(sink, level)?,
            }
            level += 1;
        }
    }

    fn put_chunk(&mut self, sink: &mut dyn ChunkSink, at: usize) -> Result<usize, RecipeError> {
        let rest = &self.buffer[at..];
        let len = Cutter::cut(rest);
        let id = sink.put(&rest[..len], self.class)?;
        self.push(
            sink,
            0,
            TreeRecord {
                bytes: len as u64,
                id,
            },
        )?;
        Ok(len)
    }

    fn push(
        &mut self,
        sink: &mut dyn ChunkSink,
        level: usize,
        record: TreeRecord,
    ) -> Result<(), RecipeError> {
        if self.levels.len() == level {
            self.levels.push(Vec::new());
        }
        let list = &mut self.levels[level];
        list.push(record);
        // One id in 1024 ends a list.
        let ends = list.len() >= LIST_MIN
            && u16::from_le_bytes([record.id.0[0], record.id.0[1]]).trailing_zeros() >= 10;
        if ends || list.len() >= LIST_MAX {
            self.close_list(sink, level)?;
        }
        Ok(())
    }

    fn close_list(&mut self, sink: &mut dyn ChunkSink, level: usize) -> Result<(), RecipeError> {
        if level >= usize::from(STREAM_DEPTH_MAX) {
            return Err(RecipeError::Corrupt(Flaw::LongStream));
        }
        let list = std::mem::take(&mut self.levels[level]);
        let mut plain = Vec::with_capacity(list.len() * RECORD_BYTES);
        let mut bytes = 0;
        for record in &list {
            plain.extend_from_slice(&record.bytes.to_le_bytes());
            plain.extend_from_slice(record.id.as_bytes());
            bytes += record.bytes;
        }
        let id = sink.put(&plain, ContentKind::Meta)?;
        self.push(sink, level + 1, TreeRecord { bytes, id })
    }
}

/// Reads a list and checks that it fits its reference.
fn read_list<S: ChunkSource>(source: &S, list: &StreamRef) -> Result<Vec<StreamRef>, RecipeError> {
    let plain = source.chunk(&list.id)?;
    let (records, rest) = plain.as_chunks::<RECORD_BYTES>();
    if records.is_empty() || !rest.is_empty() {
        return Err(RecipeError::Corrupt(Flaw::ChunkList));
    }
    // Only references of depth 1 or more are lists, so this cannot underflow.
    let depth = list.depth - 1;
    let mut total: u64 = 0;
    let mut streams = Vec::with_capacity(records.len());
    for record in records {
        let mut len = [0; 8];
        len.copy_from_slice(&record[..8]);
        let mut id = [0; 32];
        id.copy_from_slice(&record[8..]);
        let bytes = u64::from_le_bytes(len);
        // Empty records would let a short list stand for endless work.
        if bytes == 0 {
            return Err(RecipeError::Corrupt(Flaw::EmptyChunkRecord));
        }
        total = total
            .checked_add(bytes)
            .ok_or(RecipeError::Corrupt(Flaw::ChunkListLength))?;
        streams.push(StreamRef {
            bytes,
            depth,
            id: ChunkId(id),
        });
    }
    if total != list.bytes {
        return Err(RecipeError::Corrupt(Flaw::ChunkListLength));
    }
    Ok(streams)
}

/// Visits every chunk of a stream, its lists included, without reading the chunks at the bottom. Lists in `seen` are
/// skipped and new ones are added to it. Otherwise a few lists that contain one another many times could stand for any
/// number of chunks.
///
/// # Errors
/// The errors of reading a list, and of `visit`.
pub(crate) fn visit_chunks<S: ChunkSource>(
    source: &S,
    stream: &StreamRef,
    seen: &mut HashSet<StreamRef>,
    visit: &mut dyn FnMut(&ChunkId) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    if stream.bytes == 0 {
        return Ok(());
    }
    check_depth(stream)?;
    // A chunk at the bottom costs a call, and a list any amount of work: only lists are remembered.
    if stream.depth > 0 && !seen.insert(*stream) {
        return Ok(());
    }
    visit(&stream.id)?;
    if stream.depth > 0 {
        // STREAM_DEPTH_MAX bounds the recursion.
        for below in read_list(source, stream)? {
            visit_chunks(source, &below, seen, visit)?;
        }
    }
    Ok(())
}

/// Visits the chunks as [`visit_chunks`] does, with the length of each chunk and whether it is a list. A list is
/// visited after everything below it.
///
/// # Errors
/// The errors of reading a list, and of `visit`.
pub(crate) fn visit_refs<S: ChunkSource>(
    source: &S,
    stream: &StreamRef,
    seen: &mut HashSet<StreamRef>,
    visit: &mut dyn FnMut(ChunkRef, Holds) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    if stream.bytes == 0 {
        return Ok(());
    }
    check_depth(stream)?;
    let refer = |bytes: u64| {
        let bytes = u32::try_from(bytes).map_err(|_| RecipeError::Corrupt(Flaw::ChunkLength))?;
        Ok::<_, RecipeError>(ChunkRef {
            bytes,
            id: stream.id,
        })
    };
    if stream.depth == 0 {
        return visit(refer(stream.bytes)?, Holds::Bytes);
    }
    if !seen.insert(*stream) {
        return Ok(());
    }
    let list = read_list(source, stream)?;
    for below in &list {
        visit_refs(source, below, seen, visit)?;
    }
    visit(refer((list.len() * RECORD_BYTES) as u64)?, Holds::List)
}

/// What a chunk of a stream contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Bytes of the stream.
    Bytes,
    /// A list of chunks or lists.
    List,
}

fn check_depth(stream: &StreamRef) -> Result<(), RecipeError> {
    if stream.depth > STREAM_DEPTH_MAX {
        return Err(RecipeError::Corrupt(Flaw::DeepStream));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
