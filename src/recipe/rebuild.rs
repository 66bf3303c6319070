//! Rebuilds contents from their recipes, in batches: the next is made ready while this one is hashed and written.
//!
//! Holds at most six batches of 16 MiB, whatever the length. What happens to a content that does not match its hash is
//! the caller's decision: bytes are handed out before the hash is known.

use std::io::Write;
use std::sync::mpsc;

use super::stream::{RecordReader, StreamReader};
use super::{
    BLOB_DEPTH_MAX, Blob, ChunkRef, ChunkSource, Content, OP_BYTES_MAX, OP_TAGS, Op, RecipeError,
};
use crate::chunk::CHUNK_MAX;
use crate::envelope;
use crate::id::{BlobId, ChunkId, Hasher};
use crate::monitor::Monitor;

/// Bytes of output that are made ready together.
const BATCH_BYTES: usize = 16 << 20;

/// Batches that wait to be written. Frames hold one kind of content each, so that the first batches of a stretch unpack many
/// frames and the next ones none: with a few in hand both sides keep working.
const BATCHES_WAITING: usize = 4;

/// Which hashes are compared while a content is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// That of the content as a whole.
    Whole,
    /// Those of all blobs in it as well: for what is new in a store, since inner blobs are used on their own later.
    EveryBlob,
}

/// Writes the bytes of `content` to `out` and compares their hash.
///
/// # Errors
/// [`RecipeError::Mismatch`] when other bytes came out; what the source, `out` and the monitor give. Bytes may have been
/// written by then.
pub fn write_content<S: ChunkSource>(
    source: &S,
    content: &Content,
    proof: Proof,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    match content {
        Content::Empty => Ok(()),
        Content::Chunk(chunk) => {
            let bytes = read_chunk(source, chunk)?;
            if proof == Proof::EveryBlob && ChunkId::of(&bytes) != chunk.id {
                return Err(RecipeError::Mismatch(content.id()));
            }
            out.write_all(&bytes).map_err(RecipeError::Write)?;
            monitor.advance(bytes.len() as u64);
            Ok(())
        }
        Content::Blob(blob) => write_blob(source, blob, proof, out, monitor),
    }
}

fn write_blob<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    proof: Proof,
    out: &mut dyn Write,
    monitor: &dyn Monitor,
) -> Result<(), RecipeError> {
    let mut flattener = Flattener::open(source, blob, proof)?;
    let mut consumer = Consumer {
        out,
        hashers: Vec::new(),
        monitor,
    };
    if blob.bytes <= BATCH_BYTES as u64 {
        let mut batch = Batch::default();
        while flattener.fill(&mut batch)? {
            consumer.take(&batch)?;
        }
        return Ok(());
    }
    std::thread::scope(|scope| {
        let (full_in, full_out) = mpsc::sync_channel::<Result<Batch, RecipeError>>(BATCHES_WAITING);
        let (empty_in, empty_out) = mpsc::channel::<Batch>();
        scope.spawn(move || {
            loop {
                let mut batch = empty_out.try_recv().unwrap_or_default();
                let filled = match flattener.fill(&mut batch) {
                    Ok(true) => Ok(batch),
                    Ok(false) => return,
                    Err(error) => Err(error),
                };
                let failed = filled.is_err();
                // The receiver is gone when the consumer failed: nothing is left to do then.
                if full_in.send(filled).is_err() || failed {
                    return;
                }
            }
        });
        // The iterator owns the receiver, so that an early return here ends the thread.
        for batch in full_out {
            let batch = batch?;
            consumer.take(&batch)?;
            // The thread may be done already.
            let _ = empty_in.send(batch);
        }
        Ok(())
    })
}

fn read_chunk<S: ChunkSource>(source: &S, chunk: &ChunkRef) -> Result<S::Bytes, RecipeError> {
    let bytes = source.chunk(&chunk.id)?;
    if bytes.len() as u64 != u64::from(chunk.bytes) {
        return Err(RecipeError::Corrupt("length of a chunk"));
    }
    Ok(bytes)
}

/// Returns the next step; `None` at the end.
///
/// # Errors
/// [`RecipeError::Newer`] for a step that this program cannot do, [`RecipeError::Corrupt`] for what no program could.
pub(super) fn read_op<S: ChunkSource>(
    ops: &mut RecordReader<'_, S, Op>,
) -> Result<Option<Op>, RecipeError> {
    let Some(bytes) = ops.next_bytes()? else {
        return Ok(None);
    };
    if let Some(tag) = bytes.first_chunk::<4>().map(|tag| u32::from_le_bytes(*tag))
        && tag >= OP_TAGS
    {
        return Err(RecipeError::Newer(format!("recipe step {tag}")));
    }
    match envelope::decode(bytes).map_err(|_| RecipeError::Corrupt("recipe step"))? {
        Op::Gzip { codec, .. } => Err(RecipeError::Newer(format!("gzip codec {codec}"))),
        op => Ok(Some(op)),
    }
}

/// Where in a batch a blob begins or ends.
enum Mark {
    Begin,
    End(BlobId),
}

/// What a stretch of output is made of.
enum Piece {
    Chunk(ChunkRef),
    /// So many bytes of the batch's own side bytes.
    Side(usize),
}

/// A stretch of output, made ready.
#[derive(Default)]
struct Batch {
    pieces: Vec<Piece>,
    side: Vec<u8>,
    /// Bytes of all pieces.
    planned: usize,
    marks: Vec<(usize, Mark)>,
    bytes: Vec<u8>,
}

/// A blob that is being followed.
struct Open<'a, S: ChunkSource> {
    id: BlobId,
    ops: RecordReader<'a, S, Op>,
    side: StreamReader<'a, S>,
    /// Bytes of the blob that no step has given yet.
    left: u64,
    /// Side bytes of the current step that no batch has yet.
    side_left: u64,
}

/// Turns a blob, and the blobs in it, into a flat run of bytes.
struct Flattener<'a, S: ChunkSource> {
    source: &'a S,
    proof: Proof,
    open: Vec<Open<'a, S>>,
    /// The outermost blob, until the first batch begins.
    first: Option<Blob>,
}

impl<'a, S: ChunkSource> Flattener<'a, S> {
    fn open(source: &'a S, blob: &Blob, proof: Proof) -> Result<Self, RecipeError> {
        Ok(Self {
            source,
            proof,
            open: Vec::new(),
            first: Some(*blob),
        })
    }

    /// Replaces what is in `batch` by the next stretch; false when there is none.
    fn fill(&mut self, batch: &mut Batch) -> Result<bool, RecipeError> {
        batch.pieces.clear();
        batch.side.clear();
        batch.planned = 0;
        batch.marks.clear();
        if let Some(blob) = self.first.take() {
            self.enter(&blob, batch)?;
        }
        while batch.planned < BATCH_BYTES && self.step(batch)? {}
        self.load(batch)?;
        Ok(!(batch.bytes.is_empty() && batch.marks.is_empty()))
    }

    fn enter(&mut self, blob: &Blob, batch: &mut Batch) -> Result<(), RecipeError> {
        if self.open.len() >= BLOB_DEPTH_MAX {
            return Err(RecipeError::Corrupt("recipe: too deep"));
        }
        if self.proof == Proof::EveryBlob || self.open.is_empty() {
            batch.marks.push((batch.planned, Mark::Begin));
        }
        self.open.push(Open {
            id: blob.id,
            ops: RecordReader::open(self.source, &blob.recipe.ops, OP_BYTES_MAX)?,
            side: StreamReader::open(self.source, &blob.recipe.side)?,
            left: blob.bytes,
            side_left: 0,
        });
        Ok(())
    }

    /// Does one step, or a part of a long one; false at the end of the outermost blob.
    fn step(&mut self, batch: &mut Batch) -> Result<bool, RecipeError> {
        let Some(open) = self.open.last_mut() else {
            return Ok(false);
        };
        if open.side_left > 0 {
            let room = BATCH_BYTES - batch.planned;
            let len = usize::try_from(open.side_left).map_or(room, |left| left.min(room));
            open.side.read_into(len, &mut batch.side)?;
            batch.pieces.push(Piece::Side(len));
            batch.planned += len;
            open.side_left -= len as u64;
            return Ok(true);
        }
        let Some(op) = read_op(&mut open.ops)? else {
            if open.left > 0 {
                return Err(RecipeError::Corrupt("recipe: shorter than the blob"));
            }
            if self.proof == Proof::EveryBlob || self.open.len() == 1 {
                let id = self.open.last().map(|open| open.id);
                batch
                    .marks
                    .extend(id.map(|id| (batch.planned, Mark::End(id))));
            }
            self.open.pop();
            return Ok(true);
        };
        let bytes = match &op {
            Op::Chunk(chunk) => u64::from(chunk.bytes),
            Op::Side { bytes } | Op::Gzip { bytes, .. } => *bytes,
            Op::Blob(inner) => inner.bytes,
        };
        // A step of no bytes would let a short recipe take for ever.
        if bytes == 0 || bytes > open.left {
            return Err(RecipeError::Corrupt("recipe: length of a step"));
        }
        open.left -= bytes;
        match op {
            Op::Chunk(chunk) => {
                let len = usize::try_from(chunk.bytes)
                    .ok()
                    .filter(|len| *len <= CHUNK_MAX)
                    .ok_or(RecipeError::Corrupt("recipe: length of a chunk"))?;
                batch.pieces.push(Piece::Chunk(chunk));
                batch.planned += len;
            }
            Op::Side { bytes } => open.side_left = bytes,
            Op::Blob(inner) => self.enter(&inner, batch)?,
            Op::Gzip { codec, .. } => {
                return Err(RecipeError::Newer(format!("gzip codec {codec}")));
            }
        }
        Ok(true)
    }

    /// Puts the bytes of the batch's pieces together.
    fn load(&self, batch: &mut Batch) -> Result<(), RecipeError> {
        let chunks = batch.pieces.iter().filter_map(|piece| match piece {
            Piece::Chunk(chunk) => Some(chunk.id),
            Piece::Side(_) => None,
        });
        self.source.prefetch(&chunks.collect::<Vec<_>>());
        batch.bytes.clear();
        batch.bytes.reserve(batch.planned);
        let mut side = &batch.side[..];
        for piece in &batch.pieces {
            match piece {
                Piece::Chunk(chunk) => {
                    let bytes = read_chunk(self.source, chunk)?;
                    batch.bytes.extend_from_slice(&bytes);
                }
                Piece::Side(len) => {
                    let (bytes, rest) = side.split_at(*len);
                    batch.bytes.extend_from_slice(bytes);
                    side = rest;
                }
            }
        }
        Ok(())
    }
}

/// Hashes and writes batches.
struct Consumer<'a> {
    out: &'a mut dyn Write,
    hashers: Vec<Hasher>,
    monitor: &'a dyn Monitor,
}

impl Consumer<'_> {
    fn take(&mut self, batch: &Batch) -> Result<(), RecipeError> {
        self.monitor.check_stop()?;
        let mut at = 0;
        for (place, mark) in &batch.marks {
            self.hash(&batch.bytes[at..*place]);
            at = *place;
            match mark {
                Mark::Begin => self.hashers.push(Hasher::new()),
                Mark::End(id) => {
                    let found = self.hashers.pop().map(|hasher| BlobId(hasher.finish()));
                    if found != Some(*id) {
                        return Err(RecipeError::Mismatch(*id));
                    }
                }
            }
        }
        self.hash(&batch.bytes[at..]);
        self.out
            .write_all(&batch.bytes)
            .map_err(RecipeError::Write)?;
        self.monitor.advance(batch.bytes.len() as u64);
        Ok(())
    }

    fn hash(&mut self, bytes: &[u8]) {
        // On this thread alone: the others are busy with the next batch, and waiting for them costs more.
        for hasher in &mut self.hashers {
            hasher.update(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::super::memory::Memory;
    use super::super::stream::StreamWriter;
    use super::super::{ChunkSink, Recipe, StreamRef};
    use super::*;
    use crate::class::Class;
    use crate::monitor::{Recording, Silent};

    fn blob(memory: &mut Memory, whole: &[u8], ops: &[Op]) -> Blob {
        let mut writer = StreamWriter::new(Class::Meta);
        for op in ops {
            writer.write_record(memory, op).unwrap();
        }
        let ops = writer.finish(memory).unwrap();
        let mut side = StreamWriter::new(Class::Other);
        side.write(memory, b"sideside").unwrap();
        let side = side.finish(memory).unwrap();
        Blob {
            id: BlobId(crate::id::hash(whole)),
            bytes: whole.len() as u64,
            recipe: Recipe { side, ops },
        }
    }

    fn rebuild(memory: &Memory, blob: Blob) -> Result<Vec<u8>, RecipeError> {
        let mut out = Vec::new();
        let content = Content::Blob(blob);
        write_content(memory, &content, Proof::EveryBlob, &mut out, &Silent).map(|()| out)
    }

    fn chunk(memory: &mut Memory, bytes: &[u8]) -> Op {
        let id = memory.put(bytes, Class::Other).unwrap();
        let bytes = u32::try_from(bytes.len()).unwrap();
        Op::Chunk(ChunkRef { bytes, id })
    }

    #[test]
    fn steps_come_in_their_order_and_inner_blobs_are_proved() {
        let mut memory = Memory::default();
        let body = chunk(&mut memory, b"body");
        let inner = blob(&mut memory, b"sibodx", &[Op::Side { bytes: 2 }, body]);
        assert!(matches!(
            rebuild(&memory, inner),
            Err(RecipeError::Mismatch(_))
        ));
        let inner = blob(&mut memory, b"sibody", &[Op::Side { bytes: 2 }, body]);
        let ops = [body, Op::Blob(inner), Op::Side { bytes: 8 }];
        let outer = blob(&mut memory, b"bodysibodysideside", &ops);
        assert_eq!(rebuild(&memory, outer).unwrap(), b"bodysibodysideside");
        let wrong = Blob {
            id: BlobId([1; 32]),
            ..inner
        };
        let outer = blob(&mut memory, b"sibody", &[Op::Blob(wrong)]);
        assert!(matches!(
            rebuild(&memory, outer),
            Err(RecipeError::Mismatch(_))
        ));
    }

    #[test]
    fn long_blobs_pass_through_batches() {
        let mut memory = Memory::default();
        let mut whole = Vec::new();
        let mut ops = Vec::new();
        for number in 0_u32..1000 {
            let bytes = number.to_le_bytes().repeat(16_000);
            ops.push(chunk(&mut memory, &bytes));
            whole.extend_from_slice(&bytes);
        }
        let blob = blob(&mut memory, &whole, &ops);
        assert_eq!(rebuild(&memory, blob).unwrap(), whole);
        let stopped = Recording::default();
        stopped
            .stop
            .store(true, std::sync::atomic::Ordering::Relaxed);
        let content = Content::Blob(blob);
        let end = write_content(&memory, &content, Proof::Whole, &mut Vec::new(), &stopped);
        assert!(matches!(end, Err(RecipeError::Interrupted(_))));
        memory.with(|map| map.remove(&ChunkId::of(&999_u32.to_le_bytes().repeat(16_000))));
        assert!(matches!(
            rebuild(&memory, blob),
            Err(RecipeError::Missing(_))
        ));
    }

    #[test]
    fn recipes_that_lie_are_refused() {
        let mut memory = Memory::default();
        let body = chunk(&mut memory, b"body");
        for ops in [
            vec![],
            vec![Op::Side { bytes: 0 }, body],
            vec![body, body],
            vec![Op::Side { bytes: 9 }],
            vec![Op::Side { bytes: u64::MAX }],
        ] {
            let blob = blob(&mut memory, b"body", &ops);
            assert!(rebuild(&memory, blob).is_err(), "{ops:?}");
        }
        let endless = blob(
            &mut memory,
            &vec![0; 100_000],
            &[Op::Side { bytes: 100_000 }],
        );
        assert!(matches!(
            rebuild(&memory, endless),
            Err(RecipeError::Corrupt(_))
        ));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut memory = Memory::default();
        let body = chunk(&mut memory, b"body");
        let mut nested = blob(&mut memory, b"body", &[body]);
        for depth in 2..=BLOB_DEPTH_MAX + 1 {
            nested = blob(&mut memory, b"body", &[Op::Blob(nested)]);
            assert_eq!(
                rebuild(&memory, nested).is_ok(),
                depth <= BLOB_DEPTH_MAX,
                "{depth}"
            );
        }
    }

    #[test]
    fn steps_of_later_versions_are_named() {
        let mut memory = Memory::default();
        let gzip = Op::Gzip {
            bytes: 4,
            id: BlobId([0; 32]),
            plain: Content::Empty,
            remake: StreamRef::EMPTY,
            codec: 3,
        };
        let known = blob(&mut memory, b"body", &[gzip]);
        let error = rebuild(&memory, known).unwrap_err();
        assert_eq!(error.to_string(), "needs a newer carryall: gzip codec 3");
        let mut writer = StreamWriter::new(Class::Meta);
        writer.write_record(&mut memory, &77_u32).unwrap();
        let ops = writer.finish(&mut memory).unwrap();
        let recipe = Recipe {
            ops,
            ..known.recipe
        };
        let error = rebuild(&memory, Blob { recipe, ..known }).unwrap_err();
        assert_eq!(error.to_string(), "needs a newer carryall: recipe step 77");
    }

    proptest! {
        #[test]
        fn arbitrary_steps_never_panic(
            ops in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..140), 0..6),
            tags in proptest::collection::vec(0_u8..5, 6),
            bytes in 1_u64..5000,
        ) {
            let mut memory = Memory::default();
            let mut writer = StreamWriter::new(Class::Meta);
            for (mut op, tag) in ops.into_iter().zip(tags) {
                if let Some(head) = op.first_chunk_mut::<4>() {
                    *head = [tag, 0, 0, 0];
                }
                let len = u32::try_from(op.len()).unwrap();
                writer.write(&mut memory, &len.to_le_bytes()).unwrap();
                writer.write(&mut memory, &op).unwrap();
            }
            let ops = writer.finish(&mut memory).unwrap();
            let side = StreamRef { bytes, ..ops };
            let recipe = Recipe { side, ops };
            let _ = rebuild(&memory, Blob { id: BlobId([0; 32]), bytes, recipe });
        }
    }
}
