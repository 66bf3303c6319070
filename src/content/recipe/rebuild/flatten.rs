//! Turns a blob, and the blobs and streams in it, into batches of bytes.
//!
//! It checks lengths. The consumer of the batches checks hashes.

use std::collections::VecDeque;
use std::thread::Scope;

use super::batch::{Batch, BatchPiece, Mark};
use super::check_stream;
use super::copy::Copied;
use super::feed::Feed;
use super::pipe::PipeReader;
use super::reconstruct::{self, LongStream, SmallStream};
use super::{BlobPart, Proof, RebuildJob, read_op};
use crate::base::id::BlobId;
use crate::base::term::Flaw;
use crate::content::recipe::stream::{RecordReader, StreamReader};
use crate::content::recipe::{
    BLOB_DEPTH_MAX, Blob, ChunkSource, Content, OP_BYTES_MAX, Recipe, RecipeError, RecipeOp,
    StreamRef,
};

/// Bytes of a stream's output that one step takes.
const STREAM_STEP_BYTES: u64 = 1 << 20;
/// Steps at the beginning of a blob that are searched for its first stream.
const STEPS_OF_BEGINNING: usize = 8;
/// Steps that are read ahead to find a stream that can be started.
const STEPS_AHEAD: usize = 32;

/// A stream that is being reconstructed, and its bytes that are in no batch yet.
type RunningStream = (PipeReader, u64);

/// A step that was read ahead.
enum NextStep {
    Step(RecipeOp),
    /// A blob that begins with a stream that is being reconstructed already.
    Begun(Blob, RunningStream),
}

/// A blob that is being followed.
struct OpenBlob<'env, S: ChunkSource> {
    id: BlobId,
    /// Whether its hash is compared.
    is_proved: bool,
    /// Whether it was proved before, and so was every blob in it.
    is_known: bool,
    ops: RecordReader<'env, S, RecipeOp>,
    /// Steps that were read ahead.
    next: VecDeque<NextStep>,
    /// The stream that this blob begins with, when it was started earlier.
    first_stream: Option<RunningStream>,
    side_ref: StreamRef,
    side: StreamReader<'env, S>,
    /// Whether a step was followed already.
    has_begun: bool,
    /// Bytes of the blob that no step has given yet.
    left: u64,
    /// Side bytes of the current step that are in no batch yet.
    side_left: u64,
    /// The feed of the current step, and the bytes that are left of it.
    feed: Option<(Feed<'env>, u64)>,
}

/// Follows a blob step by step.
pub(super) struct Flattener<'scope, 'env, S: ChunkSource> {
    job: RebuildJob<'env, S>,
    scope: &'scope Scope<'scope, 'env>,
    open: Vec<OpenBlob<'env, S>>,
    /// The outermost blob, until the first batch begins.
    first: Option<Blob>,
    part: BlobPart,
    /// Bytes of the outermost blob that whole steps may still be skipped for.
    skip: u64,
    /// Bytes of the outermost blob before the next batch.
    given: u64,
}

impl<'scope, 'env, S: ChunkSource> Flattener<'scope, 'env, S> {
    pub(super) fn open(
        job: RebuildJob<'env, S>,
        blob: &Blob,
        part: BlobPart,
        scope: &'scope Scope<'scope, 'env>,
    ) -> Self {
        Self {
            job,
            scope,
            open: Vec::new(),
            first: Some(*blob),
            skip: part.range.start.saturating_sub(part.from.offset),
            given: part.from.offset,
            part,
        }
    }

    /// Replaces the content of `batch` by the next batch. Returns false at the end.
    pub(super) fn fill(&mut self, batch: &mut Batch) -> Result<bool, RecipeError> {
        batch.clear();
        if let Some(blob) = self.first.take() {
            self.enter(&blob, self.job.is_known(&blob), batch)?;
            self.seek()?;
        }
        while batch.planned + batch.held < self.job.pace.batch_bytes
            && self.wants_more(batch)
            && self.step(batch)?
        {}
        batch.offset = self.given;
        self.given += batch.planned as u64;
        batch.prepare(self.job)?;
        Ok(!(batch.planned == 0 && batch.marks.is_empty()))
    }

    /// Returns whether more output is wanted. A whole blob is followed to its very end.
    fn wants_more(&self, batch: &Batch) -> bool {
        self.job.proof != Proof::Nothing
            || self.given + (batch.planned as u64) < self.part.range.end
    }

    /// Advances to the step that the part begins at.
    fn seek(&mut self) -> Result<(), RecipeError> {
        let from = self.part.from;
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        open.ops.skip(from.ops)?;
        open.side.skip(from.side)?;
        open.left -= from.offset.min(open.left);
        open.has_begun = from.ops > 0;
        Ok(())
    }

    /// Returns whether the hash of the blob that is entered next is compared.
    fn is_proved(&self, is_known: bool) -> bool {
        match self.job.proof {
            Proof::EveryBlob => !is_known,
            Proof::Whole => self.open.is_empty(),
            Proof::Nothing => false,
        }
    }

    /// Returns whether a blob begins with deflate streams, behind the header of a zip's first member at most.
    fn begins_with_streams(&self, blob: &Blob) -> Result<bool, RecipeError> {
        let mut ops = RecordReader::open(self.job.source, &blob.recipe.ops, OP_BYTES_MAX)?;
        for _ in 0..STEPS_OF_BEGINNING {
            match read_op(&mut ops)? {
                Some(RecipeOp::Stream { .. }) => return Ok(true),
                Some(_) => {}
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Opens a blob. One that is known still has its hash compared when the keeper may want its bytes.
    fn enter(&mut self, blob: &Blob, is_known: bool, batch: &mut Batch) -> Result<(), RecipeError> {
        // Blobs may be nested by a hostile recipe. The depth of outer jobs counts, too.
        if self.job.depth + self.open.len() >= BLOB_DEPTH_MAX {
            return Err(RecipeError::Corrupt(Flaw::DeepSteps));
        }
        let named = self.job.keeper.is_some() && self.begins_with_streams(blob)?;
        let is_known = is_known && !named;
        let is_proved = self.is_proved(is_known);
        if is_proved {
            let mark = Mark::Begin(named.then_some(*blob));
            batch.marks.push((batch.planned, mark));
        }
        let source = self.job.source;
        self.open.push(OpenBlob {
            id: blob.id,
            is_proved,
            is_known,
            ops: RecordReader::open(source, &blob.recipe.ops, OP_BYTES_MAX)?,
            next: VecDeque::new(),
            first_stream: None,
            side_ref: blob.recipe.side,
            side: StreamReader::open(source, &blob.recipe.side)?,
            has_begun: false,
            left: blob.bytes,
            side_left: 0,
            feed: None,
        });
        Ok(())
    }

    /// Opens a blob that the source has ready. It has no steps, only bytes.
    fn enter_copy(
        &mut self,
        blob: &Blob,
        mut copied: Copied<'env>,
        batch: &mut Batch,
    ) -> Result<(), RecipeError> {
        let recipe = Recipe {
            side: StreamRef::EMPTY,
            ops: StreamRef::EMPTY,
        };
        // A copy was compared with the blob's id before it was given.
        self.enter(&Blob { recipe, ..*blob }, true, batch)?;
        // Bytes before the part are not read.
        let before = std::mem::take(&mut self.skip);
        copied.seek(before);
        self.given += before;
        if let Some(open) = self.open.last_mut() {
            open.left = 0;
            open.feed = Some((Feed::Copied(copied), blob.bytes - before));
        }
        Ok(())
    }

    /// Does one step, or a part of a long one. Returns false at the end of the outermost blob.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, RecipeError> {
        let room = self.job.pace.batch_bytes - batch.planned;
        let Some(open) = self.open.last_mut() else {
            return Ok(false);
        };
        if open.side_left > 0 {
            let len = usize::try_from(open.side_left).map_or(room, |left| left.min(room));
            open.side.read_into(len, &mut batch.own)?;
            batch.own(len);
            open.side_left -= len as u64;
            return Ok(true);
        }
        if open.feed.is_some() {
            open.go_on_with_feed(room, batch)?;
            return Ok(true);
        }
        let (op, begun) = match open.next.pop_front() {
            Some(NextStep::Step(op)) => (Some(op), None),
            Some(NextStep::Begun(blob, made)) => (Some(RecipeOp::Blob(blob)), Some(made)),
            None => (read_op(&mut open.ops)?, None),
        };
        let Some(op) = op else {
            // Steps never give more than the blob's length, so here it is enough to check that they gave all of it.
            if open.left > 0 {
                return Err(RecipeError::Corrupt(Flaw::ShortSteps));
            }
            if let Some(ended) = self.open.pop()
                && ended.is_proved
            {
                batch.marks.push((batch.planned, Mark::End(ended.id)));
            }
            return Ok(true);
        };
        // `Kept` gives no bytes, so only the first step may be one.
        let is_first = !std::mem::replace(&mut open.has_begun, true);
        let bytes = match &op {
            RecipeOp::Chunk(chunk) => u64::from(chunk.bytes),
            RecipeOp::Side { bytes } | RecipeOp::Stream { bytes, .. } => *bytes,
            RecipeOp::Blob(inner) => inner.bytes,
            RecipeOp::Kept { .. } if !is_first => {
                return Err(RecipeError::Corrupt(Flaw::StepOrder));
            }
            RecipeOp::Kept { .. } => return Ok(true),
        };
        // A step of no bytes would let a short recipe run forever.
        if bytes == 0 || bytes > open.left {
            return Err(RecipeError::Corrupt(Flaw::StepLength));
        }
        open.left -= bytes;
        if bytes <= self.skip {
            open.pass(&op)?;
            self.skip -= bytes;
            self.given += bytes;
            return Ok(true);
        }
        if !matches!(op, RecipeOp::Blob(_)) {
            // The part begins in this step. The consumer of the batch drops the bytes before it.
            self.skip = 0;
        }
        match op {
            RecipeOp::Chunk(chunk) => {
                batch.pieces.push(BatchPiece::Chunk(chunk));
                batch.planned += chunk.bytes as usize;
            }
            RecipeOp::Side { bytes } => open.side_left = bytes,
            RecipeOp::Blob(inner) => match self.job.copy_of(&inner).filter(|_| begun.is_none()) {
                Some(copied) => self.enter_copy(&inner, copied, batch)?,
                None => {
                    let is_known = open.is_known || self.job.is_known(&inner);
                    self.enter(&inner, is_known, batch)?;
                    if let Some(open) = self.open.last_mut() {
                        open.first_stream = begun;
                    }
                }
            },
            RecipeOp::Stream {
                bytes,
                plain,
                remake_bytes,
                codec,
            } => self.stream(bytes, &plain, remake_bytes, codec, batch)?,
            RecipeOp::Kept { .. } => {}
        }
        Ok(true)
    }

    /// Plans a small stream, or starts to reconstruct a long one.
    fn stream(
        &mut self,
        bytes: u64,
        plain: &Content,
        remake_bytes: u64,
        codec: u16,
        batch: &mut Batch,
    ) -> Result<(), RecipeError> {
        let depth = self.job.depth + self.open.len();
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        check_stream(bytes, plain, remake_bytes, open.side.left())?;
        self.job.check_codec(codec)?;
        let planned = SmallStream::plan(open.id, bytes, plain, remake_bytes, codec, depth);
        if let Some(mut small) = planned {
            open.side.read_into(small.remake_bytes, &mut small.remake)?;
            batch.planned += small.bytes;
            batch.held += small.remake_bytes;
            batch.pieces.push(BatchPiece::Small);
            batch.streams.push(small);
            return Ok(());
        }
        if open.first_stream.is_none() {
            let mut remake = StreamReader::open(self.job.source, &open.side_ref)?;
            // The recipe is read by another thread, through a reader of its own at the same place of the side stream.
            remake.skip(open.side_ref.bytes - open.side.left())?;
            let long = LongStream {
                blob: open.id,
                bytes,
                plain: *plain,
                remake,
                remake_bytes,
                codec,
            };
            let job = RebuildJob { depth, ..self.job };
            let made = long.start(job, self.scope, reconstruct::PIECES_WAITING);
            open.first_stream = Some((made, bytes));
        }
        let first = open.first_stream.take();
        open.feed = first.map(|(made, left)| (Feed::Made(made), left));
        open.side.skip(remake_bytes)?;
        self.look_ahead()
    }

    /// Starts to reconstruct the stream of a later blob, behind the one that is open. Most long streams keep only one
    /// core busy.
    fn look_ahead(&mut self) -> Result<(), RecipeError> {
        let (job, depth) = (self.job, self.job.depth + self.open.len());
        let Some((_, [.., parent])) = self.open.split_last_mut() else {
            return Ok(());
        };
        let is_begun = |next: &NextStep| matches!(next, NextStep::Begun(..));
        // At most one stream is reconstructed ahead, which bounds its memory.
        if job.pace.pieces_ahead == 0 || parent.next.iter().any(is_begun) {
            return Ok(());
        }
        for at in 0..STEPS_AHEAD {
            if at == parent.next.len() {
                let Some(op) = read_op(&mut parent.ops)? else {
                    return Ok(());
                };
                parent.next.push_back(NextStep::Step(op));
            }
            let Some(NextStep::Step(RecipeOp::Blob(blob))) = parent.next.get(at) else {
                continue;
            };
            if job.copy_of(blob).is_some() {
                continue;
            }
            if let Some(long) = LongStream::first_of(job.source, blob, depth)? {
                let (blob, bytes) = (*blob, long.bytes);
                let made = long.start(
                    RebuildJob { depth, ..job },
                    self.scope,
                    job.pace.pieces_ahead,
                );
                parent.next[at] = NextStep::Begun(blob, (made, bytes));
                return Ok(());
            }
        }
        Ok(())
    }
}

impl<S: ChunkSource> OpenBlob<'_, S> {
    /// Skips a step.
    fn pass(&mut self, op: &RecipeOp) -> Result<(), RecipeError> {
        match op {
            RecipeOp::Side { bytes } => self.side.skip(*bytes),
            RecipeOp::Stream { remake_bytes, .. } => self.side.skip(*remake_bytes),
            RecipeOp::Chunk(_) | RecipeOp::Blob(_) | RecipeOp::Kept { .. } => Ok(()),
        }
    }

    /// Takes some of the bytes from the current feed, and checks that it ends where it should.
    fn go_on_with_feed(&mut self, room: usize, batch: &mut Batch) -> Result<(), RecipeError> {
        let Some((feed, left)) = &mut self.feed else {
            return Ok(());
        };
        let most = usize::try_from((*left).min(STREAM_STEP_BYTES)).map_or(room, |m| m.min(room));
        let bytes = feed.next(most.max(1));
        let len = bytes.len();
        if *left == 0 && len > 0 {
            return Err(RecipeError::Corrupt(Flaw::StepStreamLength));
        }
        batch.own.extend_from_slice(bytes);
        if len > 0 {
            batch.own(len);
            *left -= len as u64;
            return Ok(());
        }
        if let Some(error) = feed.failure() {
            return Err(error);
        }
        if *left > 0 {
            return Err(RecipeError::Corrupt(Flaw::StepStreamLength));
        }
        self.feed = None;
        Ok(())
    }
}
