//! Bodies: the location of a member's bytes in recipes. A body is read from any offset, without its archive.
//!
//! `contents::members` knows the names of members. Members of a tar in zstd frames are read by unpacking the frames up to
//! them.

use std::io::{self, Write};
use std::ops::Range;

use super::rebuild::{self, StepAt, first_op, read_op};
use super::stream::RecordReader;
use super::{Blob, ChunkRef, ChunkSource, Content, OP_BYTES_MAX, RecipeError, RecipeOp};
use crate::base::monitor::{Monitor, Quiet};
use crate::base::term::Flaw;
use crate::content::frame::FrameUnpacker;

/// Levels of nested streams that [`FileBody::opened`] follows.
const OPENED_DEPTH_MAX: usize = 4;

/// The bytes of a file, or of a member of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileBody {
    /// A content of its own.
    Content(Content),
    /// A range of a blob's bytes, such as the steps that give a long member of a tar.
    Stretch {
        /// The blob.
        blob: Blob,
        /// A step at or before the first byte.
        from: StepAt,
        /// Bytes of the blob before the range.
        offset: u64,
        /// Length of the range.
        bytes: u64,
    },
    /// A range of a chunk's bytes, such as a member of a tar that is too short to have a recipe.
    Slice {
        /// The chunk.
        chunk: ChunkRef,
        /// Bytes of the chunk before the range.
        offset: u64,
        /// Length of the range.
        bytes: u64,
    },
    /// A range of what the zstd frames that a blob is unpack to.
    Unpacked {
        /// The frames.
        blob: Blob,
        /// Plain bytes before the range.
        offset: u64,
        /// Length of the range.
        bytes: u64,
    },
}

impl FileBody {
    /// Returns the length in bytes. Reads nothing.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Content(content) => content.bytes(),
            Self::Stretch { bytes, .. }
            | Self::Slice { bytes, .. }
            | Self::Unpacked { bytes, .. } => *bytes,
        }
    }

    /// Writes the bytes `range` to `out`. Bytes before it are skipped without being read. A deflate stream that is kept
    /// opened is the exception: it is reconstructed up to the range.
    ///
    /// Only hashes of chunks are compared. A caller that knows a hash of the bytes compares it itself.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] for a range beyond the body. The errors of the source, `out` and the monitor. Bytes may
    /// have been written by then.
    pub fn write<S: ChunkSource>(
        &self,
        source: &S,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        if range.start > range.end || range.end > self.bytes() {
            return Err(RecipeError::Corrupt(Flaw::FilePart));
        }
        if range.is_empty() {
            return Ok(());
        }
        match self {
            Self::Content(Content::Empty) => Ok(()),
            Self::Content(Content::Chunk(chunk)) => write_slice(source, chunk, range, out, monitor),
            Self::Slice { chunk, offset, .. } => {
                let moved = range.start.saturating_add(*offset)..range.end.saturating_add(*offset);
                write_slice(source, chunk, moved, out, monitor)
            }
            Self::Content(Content::Blob(blob)) => {
                rebuild::write_part(source, blob, StepAt::default(), range, out, monitor)
            }
            Self::Stretch {
                blob, from, offset, ..
            } => {
                let moved = range.start.saturating_add(*offset)..range.end.saturating_add(*offset);
                rebuild::write_part(source, blob, *from, moved, out, monitor)
            }
            Self::Unpacked { blob, offset, .. } => {
                let mut part = PlainPart {
                    out,
                    monitor,
                    skip: range.start.saturating_add(*offset),
                    left: range.end - range.start,
                    failed: None,
                };
                let unpacked = unpack(source, blob, &mut part, &Quiet(monitor));
                match (part.failed, part.left) {
                    (Some(error), _) => Err(error),
                    (None, 0) => Ok(()),
                    (None, _) => unpacked.and(Err(RecipeError::Corrupt(Flaw::FilePart))),
                }
            }
        }
    }

    /// Returns the chunk that a content begins with, unless it begins with something else, such as a stream that is kept
    /// opened.
    ///
    /// # Errors
    /// The errors of the source, [`RecipeError::Newer`] and [`RecipeError::Corrupt`].
    pub(crate) fn first_chunk<S: ChunkSource>(
        &self,
        source: &S,
    ) -> Result<Option<ChunkRef>, RecipeError> {
        match self {
            Self::Content(Content::Chunk(chunk)) => Ok(Some(*chunk)),
            Self::Content(Content::Blob(blob)) => Ok(match first_op(source, &blob.recipe)? {
                Some(RecipeOp::Chunk(chunk)) => Some(chunk),
                _ => None,
            }),
            _ => Ok(None),
        }
    }

    /// Reads the whole body into memory.
    ///
    /// # Errors
    /// [`RecipeError::Corrupt`] when it is longer than `limit_bytes`. Otherwise as [`FileBody::write`].
    pub fn read<S: ChunkSource>(
        &self,
        source: &S,
        limit_bytes: u64,
        monitor: &dyn Monitor,
    ) -> Result<Vec<u8>, RecipeError> {
        if self.bytes() > limit_bytes {
            return Err(RecipeError::Corrupt(Flaw::LongFile));
        }
        let mut out = Vec::new();
        self.write(source, 0..self.bytes(), &mut out, monitor)?;
        Ok(out)
    }

    /// Returns whether the source has its bytes ready, so that nothing is rebuilt for them.
    #[cfg(any(feature = "registry", feature = "serve"))]
    pub(crate) fn is_cached<S: ChunkSource>(&self, source: &S) -> bool {
        match self {
            Self::Content(Content::Blob(blob)) => source.ready(blob).is_some(),
            _ => false,
        }
    }

    /// Returns the plain bytes of a body that is one deflate stream which is kept opened, through nested streams.
    /// Returns `None` when it is anything else.
    ///
    /// # Errors
    /// The errors of the source, [`RecipeError::Newer`] and [`RecipeError::Corrupt`].
    pub fn opened<S: ChunkSource>(&self, source: &S) -> Result<Option<Content>, RecipeError> {
        let &Self::Content(mut content) = self else {
            return Ok(None);
        };
        let mut found = None;
        for _ in 0..OPENED_DEPTH_MAX {
            let Content::Blob(blob) = content else {
                break;
            };
            let mut ops: RecordReader<'_, S, RecipeOp> =
                RecordReader::open(source, &blob.recipe.ops, OP_BYTES_MAX)?;
            match read_op(&mut ops)? {
                Some(RecipeOp::Stream { bytes, plain, .. }) if bytes == blob.bytes => {
                    (content, found) = (plain, Some(plain));
                }
                _ => break,
            }
        }
        Ok(found)
    }
}

/// Unpacks the zstd frames that a blob is. `out` may end it by an error of its own, which it keeps.
///
/// # Errors
/// [`RecipeError::Corrupt`] for what is no frame, needs too much memory or ends early, and when `out` ends it. The errors
/// of the source and the monitor.
pub(crate) fn unpack<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let mut unpacker = FrameUnpacker::new(out).map_err(RecipeError::write)?;
    let whole = 0..blob.bytes;
    let from = StepAt::default();
    let written = rebuild::write_part(source, blob, from, whole, &mut unpacker, monitor);
    let flushed = unpacker.flush();
    match written {
        // The writer fails when the frames are damaged, or when `out` wants no more.
        Err(RecipeError::Write(_)) => Err(RecipeError::Corrupt(Flaw::FilePart)),
        Err(error) => Err(error),
        Ok(()) => flushed.map_err(|_| RecipeError::Corrupt(Flaw::FilePart)),
    }
}

/// Gives on a part of the bytes that come, and refuses those behind it.
struct PlainPart<'a> {
    out: &'a mut dyn Write,
    monitor: &'a dyn Monitor,
    skip: u64,
    left: u64,
    failed: Option<RecipeError>,
}

impl Write for PlainPart<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let skip = usize::try_from(self.skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
        self.skip -= skip as u64;
        let rest = &bytes[skip..];
        let len = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
        if let Err(error) = self.out.write_all(&rest[..len]) {
            self.failed = Some(RecipeError::write(error));
            return Err(io::ErrorKind::Other.into());
        }
        self.left -= len as u64;
        self.monitor.advance(len as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_slice<S: ChunkSource>(
    source: &S,
    chunk: &ChunkRef,
    range: Range<u64>,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let bytes = source.chunk(&chunk.id)?;
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let part = bytes.get(place(range.start)..place(range.end));
    let part = part.ok_or(RecipeError::Corrupt(Flaw::ChunkLength))?;
    out.write_all(part).map_err(RecipeError::write)?;
    monitor.advance(part.len() as u64);
    Ok(())
}
