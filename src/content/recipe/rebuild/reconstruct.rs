//! Reconstructs streams: long ones on threads of their own, small ones many at a time.
//!
//! A long stream takes two threads. One rebuilds its plain bytes, the other reconstructs the stream from them. Both end
//! when nobody takes their output. At most [`PIECES_WAITING`] pieces wait on either side, and more of a stream that is
//! reconstructed ahead.

use std::io::{self, Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Scope;

use super::check_stream;
use super::pipe::{PipeReader, pipe};
use super::{RebuildJob, first_op, write};
use crate::base::id::{BlobId, ChunkId};
use crate::base::monitor::Quiet;
use crate::content::recipe::stream::StreamReader;
use crate::content::recipe::{
    Blob, ChunkSource, Content, RECODE_CODEC, RecipeError, RecipeOp, StreamError,
};
use crate::deflate::{self, DeflateError};
use crate::recode;

/// Pieces of 256 KiB that wait between two threads.
pub(super) const PIECES_WAITING: usize = 8;
/// A stream is reconstructed in memory when it, its plain bytes and its recipe have no more than this each.
const SMALL_BYTES: u64 = 1 << 20;

/// Most plain bytes of a stream of `recode` that is made ahead. Longer ones are mostly those whose encoders take the most
/// memory.
const RECODED_AHEAD_BYTES_MAX: u64 = 64 << 20;

/// Makes a stream again by the codec of its recipe.
fn reconstruct(
    codec: u16,
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    stream_bytes: u64,
    threads: usize,
) -> Result<(), StreamError> {
    if codec == RECODE_CODEC {
        let options = recode::EncodeOptions {
            stream_bytes,
            threads,
        };
        return Ok(recode::reconstruct(recipe, plain, out, &options)?);
    }
    let options = deflate::ReconstructOptions {
        stream_bytes,
        threads,
    };
    Ok(deflate::reconstruct(recipe, plain, out, &options)?)
}

/// A stream that is reconstructed in memory.
pub(super) struct SmallStream {
    blob: BlobId,
    plain: Content,
    codec: u16,
    depth: usize,
    /// Its length.
    pub(super) bytes: usize,
    /// Length of the recipe.
    pub(super) remake_bytes: usize,
    /// The recipe.
    pub(super) remake: Vec<u8>,
}

impl SmallStream {
    /// Returns the stream without its recipe, or `None` when it is not small.
    pub(super) fn plan(
        blob: BlobId,
        bytes: u64,
        plain: &Content,
        remake_bytes: u64,
        codec: u16,
        depth: usize,
    ) -> Option<Self> {
        if bytes.max(remake_bytes).max(plain.bytes()) > SMALL_BYTES {
            return None;
        }
        Some(Self {
            blob,
            plain: *plain,
            codec,
            depth,
            bytes: usize::try_from(bytes).ok()?,
            remake_bytes: usize::try_from(remake_bytes).ok()?,
            remake: Vec::new(),
        })
    }

    /// Returns the chunk of its plain bytes.
    pub(super) fn chunk(&self) -> Option<ChunkId> {
        match self.plain {
            Content::Chunk(chunk) => Some(chunk.id),
            Content::Empty | Content::Blob(_) => None,
        }
    }

    fn make<S: ChunkSource>(&self, job: RebuildJob<'_, S>) -> Result<Vec<u8>, RecipeError> {
        job.monitor.check_stop()?;
        // Plain bytes are not output of the task, so they are not counted.
        let quiet = Quiet(job.monitor);
        let job = RebuildJob {
            depth: self.depth,
            ..job.inside(self.codec, &quiet)
        };
        let mut plain = Vec::new();
        write(job, &self.plain, &mut plain)?;
        let mut out = Exactly {
            out: Vec::with_capacity(self.bytes),
            left: self.bytes,
        };
        let bytes = self.bytes as u64;
        let (mut remake, mut plain) = (&self.remake[..], &plain[..]);
        let made = reconstruct(self.codec, &mut remake, &mut plain, &mut out, bytes, 1);
        let wrong = |source| RecipeError::Remake {
            blob: self.blob,
            source,
        };
        made.map_err(wrong)?;
        if out.left > 0 {
            return Err(wrong(DeflateError::Truncated.into()));
        }
        Ok(out.out)
    }
}

/// Reconstructs all streams of a batch, on every core.
pub(super) fn all<S: ChunkSource>(
    job: RebuildJob<'_, S>,
    streams: &[SmallStream],
) -> Result<Vec<Vec<u8>>, RecipeError> {
    match streams {
        [] => Ok(Vec::new()),
        [only] => Ok(vec![only.make(job)?]),
        // Those within others are made by the thread that makes the others.
        many if job.depth > 0 => many.iter().map(|stream| stream.make(job)).collect(),
        many => side_by_side(job, many),
    }
}

/// Makes streams by threads of their own. One that holds a long stream waits for the threads that make that, which read
/// frames by the pool of the process. A thread of that pool would wait for itself.
fn side_by_side<S: ChunkSource>(
    job: RebuildJob<'_, S>,
    streams: &[SmallStream],
) -> Result<Vec<Vec<u8>>, RecipeError> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(stream) = streams.get(at) else {
                return made;
            };
            let stream = stream.make(job);
            if stream.is_err() {
                // One failure is enough.
                next.store(streams.len(), Ordering::Relaxed);
            }
            made.push((at, stream));
        }
    };
    let mut made: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores.min(streams.len()))
            .map(|_| scope.spawn(work))
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended
            .flat_map(|made| made.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    made.sort_unstable_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, stream)| stream).collect()
}

/// A writer that takes an exact number of bytes.
struct Exactly {
    out: Vec<u8>,
    left: usize,
}

impl Write for Exactly {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The stream is made in memory, so a wrong recipe must not make it longer than it was.
        if bytes.len() > self.left {
            return Err(io::Error::other("the stream is longer than it was"));
        }
        self.left -= bytes.len();
        self.out.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that is reconstructed by threads of its own.
pub(super) struct LongStream<'env, S: ChunkSource> {
    pub(super) blob: BlobId,
    /// Its length.
    pub(super) bytes: u64,
    pub(super) plain: Content,
    /// A reader at the start of its recipe.
    pub(super) remake: StreamReader<'env, S>,
    pub(super) remake_bytes: u64,
    pub(super) codec: u16,
}

impl<'env, S: ChunkSource> LongStream<'env, S> {
    /// Returns the stream that a blob begins with, when it is a long one.
    pub(super) fn first_of(
        source: &'env S,
        blob: &Blob,
        depth: usize,
    ) -> Result<Option<Self>, RecipeError> {
        if blob.bytes <= SMALL_BYTES {
            return Ok(None);
        }
        let Some(RecipeOp::Stream {
            bytes,
            plain,
            remake_bytes,
            codec,
        }) = first_op(source, &blob.recipe)?
        else {
            return Ok(None);
        };
        check_stream(bytes, &plain, remake_bytes, blob.recipe.side.bytes)?;
        let small = SmallStream::plan(blob.id, bytes, &plain, remake_bytes, codec, depth);
        let is_large = codec == RECODE_CODEC && plain.bytes() > RECODED_AHEAD_BYTES_MAX;
        if small.is_some() || is_large {
            return Ok(None);
        }
        Ok(Some(Self {
            blob: blob.id,
            bytes,
            plain,
            remake: StreamReader::open(source, &blob.recipe.side)?,
            remake_bytes,
            codec,
        }))
    }

    /// Starts to reconstruct it. Its bytes come out of the pipe, in which `pieces` wait at most. An error follows them.
    pub(super) fn start<'scope>(
        self,
        job: RebuildJob<'env, S>,
        scope: &'scope Scope<'scope, 'env>,
        pieces: usize,
    ) -> PipeReader {
        let (mut plain_in, mut plain_out) = pipe(PIECES_WAITING);
        let (mut made_in, made_out) = pipe(pieces);
        let (plain, codec) = (self.plain, self.codec);
        scope.spawn(move || {
            let quiet = Quiet(job.monitor);
            let job = job.inside(codec, &quiet);
            let outcome = write(job, &plain, &mut plain_in);
            plain_in.finish(outcome);
        });
        scope.spawn(move || {
            let mut recipe = RecipeReader {
                stream: self.remake,
                left: self.remake_bytes,
                buffer: Vec::new(),
                at: 0,
                failed: None,
            };
            let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
            let made = reconstruct(
                codec,
                &mut recipe,
                &mut plain_out,
                &mut made_in,
                self.bytes,
                threads,
            );
            made_in.finish(outcome(self.blob, made, &mut plain_out, recipe.failed));
        });
        made_out
    }
}

/// Returns the outcome of a reconstruction: the first error, wherever it happened.
fn outcome(
    blob: BlobId,
    made: Result<(), StreamError>,
    plain: &mut PipeReader,
    recipe_failed: Option<RecipeError>,
) -> Result<(), RecipeError> {
    // A reader's own error explains a failed reconstruction better than the error that it caused.
    if let Some(error) = recipe_failed {
        return Err(error);
    }
    if made.is_ok() {
        // Plain bytes that the recipe did not use are read to the end, so that their hash is compared as well.
        while !plain.next(usize::MAX).is_empty() {}
    }
    match plain.failure() {
        Some(error) => Err(error),
        None => made.map_err(|source| RecipeError::Remake { blob, source }),
    }
}

/// The recipe of a long stream, read when it is needed.
struct RecipeReader<'a, S: ChunkSource> {
    stream: StreamReader<'a, S>,
    left: u64,
    buffer: Vec<u8>,
    at: usize,
    failed: Option<RecipeError>,
}

impl<S: ChunkSource> Read for RecipeReader<'_, S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buffer.len() {
            self.buffer.clear();
            self.at = 0;
            let len = usize::try_from(self.left).map_or(64 << 10, |left| left.min(64 << 10));
            if let Err(error) = self.stream.read_into(len, &mut self.buffer) {
                self.failed = Some(error);
                return Err(io::Error::other("the recipe cannot be read"));
            }
            self.left -= len as u64;
        }
        let rest = &self.buffer[self.at..];
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        self.at += len;
        Ok(len)
    }
}
