//! Rebuilds contents from their recipes, in batches. Frames and streams of the next batches are unpacked while this one is
//! gathered, hashed and written, run by run.
//!
//! Memory: at most five batches of 16 MiB of bytes that come from no chunk, whatever the length. Each deflate stream that is being reconstructed takes 12
//! MiB of batches of its plain bytes, and the memory that `deflate` or `recode` states. Streams are nested at most
//! `BLOB_DEPTH_MAX` deep. Up to 32 MiB of the next long stream are reconstructed ahead.
//!
//! A blob that the source has ready is copied, unless everything is to be proved. Bytes are written before the hash is
//! known, so the caller decides what happens to a content that does not match its hash.

mod batch;
mod copy;
mod feed;
mod flatten;
mod pipe;
mod reconstruct;

use std::io::{self, Write};
use std::ops::Range;
use std::sync::mpsc;

use self::batch::{Batch, Mark};
use self::copy::Copied;
use self::flatten::Flattener;
use super::stream::RecordReader;
use super::{
    Blob, ChunkRef, ChunkSource, Content, DEFLATE_CODEC, OP_BYTES_MAX, OP_TAGS, RECODE_CODEC,
    Recipe, RecipeError, RecipeOp,
};
use crate::base::envelope;
use crate::base::id::{BlobId, ChunkId, Hasher};
use crate::base::limits::{PLAIN_RATIO_MAX, RECODE_DEPTH_MAX};
use crate::base::monitor::Monitor;
use crate::base::term::Flaw;
#[cfg(doc)]
use crate::content::recipe::BLOB_DEPTH_MAX;

/// Which hashes are compared while a content is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// That of the content as a whole.
    Whole,
    /// Those of all blobs in it as well. It serves blobs that are new in a store, because inner blobs are used on their
    /// own later.
    EveryBlob,
    /// None. It serves a part of a blob, which has no hash of its own. Chunks are still checked against their ids.
    Nothing,
}

/// The start of a step in a blob's recipe, so that rebuilding can begin there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StepAt {
    /// Bytes of all earlier steps.
    pub ops: u64,
    /// Bytes of the side stream that earlier steps take.
    pub side: u64,
    /// Bytes of the blob that earlier steps give.
    pub offset: u64,
}

/// How much is prepared at a time.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// Bytes of output in a batch.
    batch_bytes: usize,
    /// Batches that wait to be written. Frames hold one kind of content each, so the first batches of a stretch unpack
    /// many frames and the next ones none. A few waiting batches keep both sides busy. More would push the frames of
    /// the first one out of the cache before they are read.
    batches_waiting: usize,
    /// Pieces of a stream that is reconstructed ahead of its turn. 0 means that none is.
    pieces_ahead: usize,
}

/// For the content that the caller asked for.
const OUTER: Pace = Pace {
    batch_bytes: 16 << 20,
    batches_waiting: 2,
    pieces_ahead: 128,
};
/// For a part of a blob. Bytes behind it are not wanted, and the caller may wait for the first bytes.
const PART: Pace = Pace {
    batch_bytes: 4 << 20,
    pieces_ahead: 0,
    ..OUTER
};
/// For the plain bytes of a stream. Reconstructing it is many times slower than reading them.
const INNER: Pace = Pace {
    batch_bytes: 4 << 20,
    batches_waiting: 1,
    pieces_ahead: 0,
};

/// The parameters of a whole rebuild.
struct RebuildJob<'a, S: ChunkSource> {
    source: &'a S,
    proof: Proof,
    /// Blobs that need no proof of their own.
    proved: Option<&'a dyn KnownBlobs>,
    /// Receives the blobs that are proved.
    keeper: Option<&'a dyn BlobKeeper>,
    monitor: &'a dyn Monitor,
    pace: Pace,
    /// Levels of blobs that contain this one.
    depth: usize,
    /// Levels of streams of `recode` that contain this one.
    recoded: usize,
}

impl<S: ChunkSource> Clone for RebuildJob<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S: ChunkSource> Copy for RebuildJob<'_, S> {}

/// Blobs that were proved before.
pub trait KnownBlobs: Sync {
    /// Returns whether this blob was rebuilt from this recipe, and had its id.
    fn has(&self, blob: &Blob) -> bool;
}

/// Keeps blobs that were rebuilt for a proof, when they are worth it.
pub trait BlobKeeper: Sync {
    /// Announces a blob that begins with deflate streams, before its bytes. Called from several threads.
    fn begin(&self, blob: &Blob) -> Option<Box<dyn Keeping + '_>>;
}

/// A blob that is being kept.
pub trait Keeping {
    /// Takes its next bytes.
    fn take(&mut self, bytes: &[u8]);

    /// Keeps the blob: all bytes have come, and they match its id. Not called when they do not.
    fn keep(self: Box<Self>);
}

impl<'a, S: ChunkSource> RebuildJob<'a, S> {
    /// Refuses streams in streams whose encoders would take too much memory together.
    fn check_codec(&self, codec: u16) -> Result<(), RecipeError> {
        if codec == RECODE_CODEC && self.recoded >= RECODE_DEPTH_MAX {
            return Err(RecipeError::Corrupt(Flaw::DeepSteps));
        }
        Ok(())
    }

    /// Returns the job for the plain bytes of a stream.
    fn inside(self, codec: u16, monitor: &'a dyn Monitor) -> Self {
        Self {
            monitor,
            pace: INNER,
            recoded: self.recoded + usize::from(codec == RECODE_CODEC),
            ..self
        }
    }

    /// Returns whether a blob was proved before, from the same recipe.
    fn is_known(&self, blob: &Blob) -> bool {
        self.proved.is_some_and(|proved| proved.has(blob))
    }

    /// Returns the ready copy of a blob, which replaces rebuilding it. The proof of a blob never uses one.
    fn copy_of(&self, blob: &Blob) -> Option<Copied<'a>> {
        match self.proof {
            Proof::EveryBlob if !self.is_known(blob) => None,
            _ => Copied::of(self.source, blob),
        }
    }
}

/// Writes the bytes of `content` to `out` and compares their hash.
///
/// # Errors
/// [`RecipeError::Mismatch`] when the bytes differ from the hash. The errors of the source, `out` and the monitor.
/// Bytes may have been written by then.
pub fn write_content<S: ChunkSource>(
    source: &S,
    content: &Content,
    proof: Proof,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let job = RebuildJob {
        source,
        proof,
        proved: None,
        keeper: None,
        monitor,
        pace: OUTER,
        depth: 0,
        recoded: 0,
    };
    write(job, content, out)
}

/// Rebuilds `content` with [`Proof::EveryBlob`]. The bytes go only to `keeper`. Blobs in it that are `proved` are only
/// hashed as a part of what contains them, and ready copies of them are used.
///
/// # Errors
/// As [`write_content`].
pub(crate) fn prove_content<S: ChunkSource>(
    source: &S,
    content: &Content,
    proved: Option<&dyn KnownBlobs>,
    keeper: Option<&dyn BlobKeeper>,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let job = RebuildJob {
        source,
        proof: Proof::EveryBlob,
        proved,
        keeper,
        monitor,
        pace: OUTER,
        depth: 0,
        recoded: 0,
    };
    write(job, content, &mut io::sink())
}

fn write<S: ChunkSource>(
    job: RebuildJob<'_, S>,
    content: &Content,
    out: &mut dyn Write,
) -> Result<(), RecipeError> {
    match content {
        Content::Empty => Ok(()),
        Content::Chunk(chunk) => {
            let bytes = read_chunk(job.source, chunk)?;
            if job.proof == Proof::EveryBlob && ChunkId::of(&bytes) != chunk.id {
                return Err(RecipeError::Mismatch(content.id()));
            }
            out.write_all(&bytes).map_err(RecipeError::write)?;
            job.monitor.advance(bytes.len() as u64);
            Ok(())
        }
        Content::Blob(blob) => {
            let part = BlobPart {
                from: StepAt::default(),
                range: 0..blob.bytes,
            };
            write_blob(job, blob, part, out)
        }
    }
}

/// Writes the bytes `range` of `blob` to `out`. Whole steps before them are skipped, from `from` on.
///
/// Only hashes of chunks are compared. A caller that knows a hash of the part compares it itself.
///
/// # Errors
/// [`RecipeError::Corrupt`] when the recipe contradicts itself, when `from` lies behind the range, or when the range
/// lies beyond the blob. The errors of the source, `out` and the monitor. Bytes may have been written by then.
pub(crate) fn write_part<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    from: StepAt,
    range: Range<u64>,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let fits = from.offset <= range.start && range.start <= range.end && range.end <= blob.bytes;
    if !fits {
        return Err(RecipeError::Corrupt(Flaw::BlobPart));
    }
    if range.is_empty() {
        return Ok(());
    }
    let job = RebuildJob {
        source,
        proof: Proof::Nothing,
        proved: None,
        keeper: None,
        monitor,
        pace: PART,
        depth: 0,
        recoded: 0,
    };
    write_blob(job, blob, BlobPart { from, range }, out)
}

/// The wanted part of a blob.
#[derive(Debug, Clone)]
struct BlobPart {
    /// A step at or before the range.
    from: StepAt,
    /// The bytes, at least one.
    range: Range<u64>,
}

fn write_blob<S: ChunkSource>(
    job: RebuildJob<'_, S>,
    blob: &Blob,
    part: BlobPart,
    out: &mut dyn Write,
) -> Result<(), RecipeError> {
    let range = part.range.clone();
    if let Some(copy) = job.copy_of(blob) {
        return copy.write(range, out, job.monitor);
    }
    let mut consumer = Consumer {
        out,
        open: Vec::new(),
        keeper: job.keeper,
        range: range.clone(),
        monitor: job.monitor,
        run: Vec::new(),
    };
    std::thread::scope(|scope| {
        let mut flattener = Flattener::open(job, blob, part, scope);
        // One batch suffices, so starting a thread would only cost time.
        if range.end - range.start <= job.pace.batch_bytes as u64 {
            let mut batch = Batch::default();
            while flattener.fill(&mut batch)? {
                consumer.take(job.source, &batch)?;
            }
            return Ok(());
        }
        let (full_in, full_out) =
            mpsc::sync_channel::<Result<Batch, RecipeError>>(job.pace.batches_waiting);
        let (empty_in, empty_out) = mpsc::channel::<Batch>();
        scope.spawn(move || {
            loop {
                // Emptied batches come back to be reused. The bounded channel limits how many exist.
                let mut batch = empty_out.try_recv().unwrap_or_default();
                let filled = match flattener.fill(&mut batch) {
                    Ok(true) => Ok(batch),
                    Ok(false) => return,
                    Err(error) => Err(error),
                };
                let failed = filled.is_err();
                // Sending fails when the consumer failed and is gone. Then nothing is left to do.
                if full_in.send(filled).is_err() || failed {
                    return;
                }
            }
        });
        // The iterator owns the receiver, so that an early return here ends the thread.
        for batch in full_out {
            let batch = batch?;
            consumer.take(job.source, &batch)?;
            // Sending fails when the thread is done already, which is no error.
            let _ = empty_in.send(batch);
        }
        Ok(())
    })
}

fn read_chunk<S: ChunkSource>(source: &S, chunk: &ChunkRef) -> Result<S::Bytes, RecipeError> {
    let bytes = source.chunk(&chunk.id)?;
    if bytes.len() as u64 != u64::from(chunk.bytes) {
        return Err(RecipeError::Corrupt(Flaw::ChunkLength));
    }
    Ok(bytes)
}

/// Returns the first step of a recipe.
///
/// # Errors
/// The errors of the source, [`RecipeError::Newer`] and [`RecipeError::Corrupt`].
pub(crate) fn first_op<S: ChunkSource>(
    source: &S,
    recipe: &Recipe,
) -> Result<Option<RecipeOp>, RecipeError> {
    read_op(&mut RecordReader::open(source, &recipe.ops, OP_BYTES_MAX)?)
}

/// Returns the next step, or `None` at the end.
///
/// # Errors
/// [`RecipeError::Newer`] for a step that this program does not know. [`RecipeError::Corrupt`] for a step that no
/// program could follow.
pub(crate) fn read_op<S: ChunkSource>(
    ops: &mut RecordReader<'_, S, RecipeOp>,
) -> Result<Option<RecipeOp>, RecipeError> {
    let Some(bytes) = ops.next_bytes()? else {
        return Ok(None);
    };
    if let Some(tag) = bytes.first_chunk::<4>().map(|tag| u32::from_le_bytes(*tag))
        && tag >= OP_TAGS
    {
        return Err(RecipeError::Newer(format!("recipe step {tag}")));
    }
    match envelope::decode(bytes).map_err(|_| RecipeError::Corrupt(Flaw::Step))? {
        RecipeOp::Stream { codec, .. } if !matches!(codec, DEFLATE_CODEC | RECODE_CODEC) => {
            Err(RecipeError::Newer(format!("stream codec {codec}")))
        }
        op => Ok(Some(op)),
    }
}

/// A blob that is being proved.
struct Proving<'a> {
    hasher: Hasher,
    keeping: Option<Box<dyn Keeping + 'a>>,
}

/// Hashes and writes batches.
struct Consumer<'a> {
    out: &'a mut dyn Write,
    open: Vec<Proving<'a>>,
    keeper: Option<&'a dyn BlobKeeper>,
    /// The wanted range of the blob.
    range: Range<u64>,
    monitor: &'a dyn Monitor,
    /// Memory of the run that is being hashed and written.
    run: Vec<u8>,
}

impl Consumer<'_> {
    fn take<S: ChunkSource>(&mut self, source: &S, batch: &Batch) -> Result<(), RecipeError> {
        self.monitor.check_stop()?;
        let mut marks = batch.marks.iter().peekable();
        let mut run = std::mem::take(&mut self.run);
        batch.give(source, &mut run, |given, bytes| {
            let mut at = 0;
            while let Some((place, mark)) = marks.next_if(|(place, _)| place - given <= bytes.len())
            {
                self.hash(&bytes[at..place - given]);
                at = place - given;
                self.mark(mark)?;
            }
            self.hash(&bytes[at..]);
            let wanted = self.wanted(batch.offset + given as u64, bytes);
            self.out.write_all(wanted).map_err(RecipeError::write)?;
            self.monitor.advance(wanted.len() as u64);
            Ok(())
        })?;
        self.run = run;
        Ok(())
    }

    /// Begins or ends the proof of a blob.
    fn mark(&mut self, mark: &Mark) -> Result<(), RecipeError> {
        match mark {
            Mark::Begin(with_streams) => {
                let keeper = self.keeper.zip(with_streams.as_ref());
                self.open.push(Proving {
                    hasher: Hasher::new(),
                    keeping: keeper.and_then(|(keeper, blob)| keeper.begin(blob)),
                });
                Ok(())
            }
            Mark::End(id) => self.end(id),
        }
    }

    /// Returns those of the bytes from `offset` on that lie in the range.
    fn wanted<'b>(&self, offset: u64, bytes: &'b [u8]) -> &'b [u8] {
        let place = |of_blob: u64| {
            let at = of_blob.saturating_sub(offset);
            usize::try_from(at).map_or(bytes.len(), |at| at.min(bytes.len()))
        };
        &bytes[place(self.range.start)..place(self.range.end)]
    }

    fn hash(&mut self, bytes: &[u8]) {
        // Hashing stays on this thread: the others prepare the next batch, and waiting for them costs more.
        for open in &mut self.open {
            open.hasher.update(bytes);
            if let Some(keeping) = &mut open.keeping {
                keeping.take(bytes);
            }
        }
    }

    fn end(&mut self, id: &BlobId) -> Result<(), RecipeError> {
        let Some(open) = self.open.pop() else {
            return Err(RecipeError::Mismatch(*id));
        };
        if BlobId(open.hasher.finish()) != *id {
            return Err(RecipeError::Mismatch(*id));
        }
        if let Some(keeping) = open.keeping {
            keeping.keep();
        }
        Ok(())
    }
}

/// Refuses lengths that no stream has.
pub(super) fn check_stream(
    bytes: u64,
    plain: &Content,
    remake_bytes: u64,
    side_left: u64,
) -> Result<(), RecipeError> {
    if plain.bytes() / PLAIN_RATIO_MAX > bytes || remake_bytes > side_left {
        return Err(RecipeError::Corrupt(Flaw::StepStreamLength));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
