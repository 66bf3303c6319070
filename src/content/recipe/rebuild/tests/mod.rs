//! Rebuilding: steps in their order, hashes that are proved, recipes that lie.
#![allow(clippy::unwrap_used)]

mod ready;

use proptest::prelude::*;

use super::*;
use crate::base::monitor::{Interrupted, Recording, Silent};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::memory::Memory;
use crate::content::recipe::stream::StreamWriter;
use crate::content::recipe::{BLOB_DEPTH_MAX, ChunkSink, Recipe, StreamRef};

fn blob(memory: &mut Memory, whole: &[u8], ops: &[RecipeOp]) -> Blob {
    let mut writer = StreamWriter::new(ContentKind::Meta);
    for op in ops {
        writer.write_record(memory, op).unwrap();
    }
    let ops = writer.finish(memory).unwrap();
    let mut side = StreamWriter::new(ContentKind::Other);
    side.write(memory, b"sideside").unwrap();
    let side = side.finish(memory).unwrap();
    Blob {
        id: BlobId(crate::base::id::hash(whole)),
        bytes: whole.len() as u64,
        recipe: Recipe { side, ops },
    }
}

fn rebuild(memory: &Memory, blob: Blob) -> Result<Vec<u8>, RecipeError> {
    let mut out = Vec::new();
    let content = Content::Blob(blob);
    write_content(memory, &content, Proof::EveryBlob, &mut out, &Silent).map(|()| out)
}

fn chunk(memory: &mut Memory, bytes: &[u8]) -> RecipeOp {
    let id = memory.put(bytes, ContentKind::Other).unwrap();
    let bytes = u32::try_from(bytes.len()).unwrap();
    RecipeOp::Chunk(ChunkRef { bytes, id })
}

#[test]
fn steps_come_in_their_order_and_inner_blobs_are_proved() {
    let mut memory = Memory::default();
    let body = chunk(&mut memory, b"body");
    let inner = blob(&mut memory, b"sibodx", &[RecipeOp::Side { bytes: 2 }, body]);
    assert!(matches!(
        rebuild(&memory, inner),
        Err(RecipeError::Mismatch(_))
    ));
    let inner = blob(&mut memory, b"sibody", &[RecipeOp::Side { bytes: 2 }, body]);
    let ops = [body, RecipeOp::Blob(inner), RecipeOp::Side { bytes: 8 }];
    let outer = blob(&mut memory, b"bodysibodysideside", &ops);
    assert_eq!(rebuild(&memory, outer).unwrap(), b"bodysibodysideside");
    let wrong = Blob {
        id: BlobId([1; 32]),
        ..inner
    };
    let outer = blob(&mut memory, b"sibody", &[RecipeOp::Blob(wrong)]);
    assert!(matches!(
        rebuild(&memory, outer),
        Err(RecipeError::Mismatch(_))
    ));
}

#[test]
fn any_part_of_a_blob_is_what_the_whole_has_there() {
    let mut memory = Memory::default();
    let first = chunk(&mut memory, b"0123456789");
    let last = chunk(&mut memory, b"abcdef");
    let deepest = blob(
        &mut memory,
        b"0123456789sid",
        &[first, RecipeOp::Side { bytes: 3 }],
    );
    let ops = [RecipeOp::Side { bytes: 2 }, RecipeOp::Blob(deepest), last];
    let inner = blob(&mut memory, b"si0123456789sidabcdef", &ops);
    let ops = [
        first,
        RecipeOp::Blob(inner),
        RecipeOp::Side { bytes: 5 },
        last,
    ];
    let whole = b"0123456789si0123456789sidabcdefsidesabcdef";
    let outer = blob(&mut memory, whole, &ops);
    let part = |from, range: std::ops::Range<u64>| {
        let mut out = Vec::new();
        write_part(&memory, &outer, from, range, &mut out, &Silent).map(|()| out)
    };
    let bytes = whole.len() as u64;
    for start in 0..=bytes {
        for end in start..=bytes {
            let expected = &whole[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
            assert_eq!(
                part(StepAt::default(), start..end).unwrap(),
                expected,
                "{start}..{end}"
            );
        }
    }
    // The second step, as a reader of the steps finds it.
    let mut steps: RecordReader<'_, Memory, RecipeOp> =
        RecordReader::open(&memory, &outer.recipe.ops, OP_BYTES_MAX).unwrap();
    read_op(&mut steps).unwrap();
    let from = StepAt {
        ops: outer.recipe.ops.bytes - steps.left(),
        side: 0,
        offset: 10,
    };
    assert_eq!(part(from, 12..16).unwrap(), b"0123");
    assert_eq!(part(from, 30..bytes).unwrap(), b"fsidesabcdef");
    assert!(part(from, 9..16).is_err());
    assert!(part(StepAt::default(), 0..bytes + 1).is_err());
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
        vec![RecipeOp::Side { bytes: 0 }, body],
        vec![body, body],
        vec![RecipeOp::Side { bytes: 9 }],
        vec![RecipeOp::Side { bytes: u64::MAX }],
    ] {
        let blob = blob(&mut memory, b"body", &ops);
        assert!(rebuild(&memory, blob).is_err(), "{ops:?}");
    }
    let endless = blob(
        &mut memory,
        &vec![0; 100_000],
        &[RecipeOp::Side { bytes: 100_000 }],
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
        nested = blob(&mut memory, b"body", &[RecipeOp::Blob(nested)]);
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
    let stream = RecipeOp::Stream {
        bytes: 4,
        plain: Content::Empty,
        remake_bytes: 0,
        codec: 3,
    };
    let known = blob(&mut memory, b"body", &[stream]);
    let error = rebuild(&memory, known).unwrap_err();
    assert_eq!(error.to_string(), "needs a newer carryall: stream codec 3");
    let mut writer = StreamWriter::new(ContentKind::Meta);
    writer.write_record(&mut memory, &77_u32).unwrap();
    let ops = writer.finish(&mut memory).unwrap();
    let recipe = Recipe {
        ops,
        ..known.recipe
    };
    let error = rebuild(&memory, Blob { recipe, ..known }).unwrap_err();
    assert_eq!(error.to_string(), "needs a newer carryall: recipe step 77");
}

/// A blob of one gzip stream of `plain`, as a blob of many chunks.
fn stream_blob(memory: &mut Memory, plain: &[u8]) -> (Blob, Vec<u8>) {
    let steps: Vec<RecipeOp> = plain
        .chunks(100_000)
        .map(|body| chunk(memory, body))
        .collect();
    let inner = blob(memory, plain, &steps);
    stream_around(memory, plain, inner)
}

/// A blob of one gzip stream of `plain`, which is that of `inner`.
fn stream_around(memory: &mut Memory, plain: &[u8], inner: Blob) -> (Blob, Vec<u8>) {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    let whole = encoder.finish().unwrap();
    let (mut text, mut remake) = (Vec::new(), Vec::new());
    let options = crate::deflate::AnalyzeOptions {
        recipe_limit_per_mille: 2000,
        ..crate::deflate::AnalyzeOptions::default()
    };
    crate::deflate::analyze(&mut &whole[..], &mut text, &mut remake, &options).unwrap();
    let mut writer = crate::content::recipe::writer::RecipeWriter::new(ContentKind::Meta);
    let bytes = whole.len() as u64;
    writer
        .deflate(
            memory,
            bytes,
            Content::Blob(inner),
            DEFLATE_CODEC,
            &mut &remake[..],
        )
        .unwrap();
    let recipe = writer.finish(memory).unwrap();
    let id = BlobId(crate::base::id::hash(&whole));
    (Blob { id, bytes, recipe }, whole)
}

fn lines(seed: u32, count: u32) -> Vec<u8> {
    let line = |n: u32| format!("{} {n}\n", (n ^ seed).wrapping_mul(2_654_435_761));
    (0..count).flat_map(|n| line(n).into_bytes()).collect()
}

/// Takes some bytes and then no more.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => return Err(std::io::ErrorKind::StorageFull.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Takes some bytes until a stop is asked for.
struct StoppedWriter(usize);

impl Write for StoppedWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.0.checked_sub(bytes.len()) {
            Some(left) => self.0 = left,
            None => return Err(Interrupted.into()),
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads ahead by the pool of the process, as a store does.
struct Pooled<'a>(&'a Memory);

impl ChunkSource for Pooled<'_> {
    type Bytes = std::sync::Arc<[u8]>;

    fn chunk(&self, id: &ChunkId) -> Result<Self::Bytes, RecipeError> {
        self.0.chunk(id)
    }

    fn prefetch(&self, _: &[ChunkId]) {
        rayon::join(|| (), || ());
    }

    fn contains(&self, id: &ChunkId) -> bool {
        self.0.contains(id)
    }
}

/// More small streams than there are threads, each with a long one in it.
#[test]
fn long_streams_in_small_ones_leave_the_pool_free() {
    let mut memory = Memory::default();
    let (mut whole, mut steps) = (Vec::new(), Vec::new());
    let streams = u32::try_from(2 * rayon::current_num_threads()).unwrap();
    for seed in 0..streams {
        let plain = lines(seed, 1000).repeat(90);
        assert!(plain.len() > 1 << 20, "it is a long one");
        let (long, packed) = stream_blob(&mut memory, &plain);
        let (small, packed) = stream_around(&mut memory, &packed, long);
        steps.push(RecipeOp::Blob(small));
        whole.extend_from_slice(&packed);
    }
    let outer = blob(&mut memory, &whole, &steps);
    let mut out = Vec::new();
    let content = Content::Blob(outer);
    write_content(
        &Pooled(&memory),
        &content,
        Proof::EveryBlob,
        &mut out,
        &Silent,
    )
    .unwrap();
    assert!(out == whole);
}

#[test]
fn streams_are_made_in_their_order_and_whatever_goes_wrong_ends_everything() {
    let mut memory = Memory::default();
    let mut whole = Vec::new();
    let mut steps = Vec::new();
    let mut plains = Vec::new();
    for seed in 0..4 {
        // Some are long, some are small.
        let plain = lines(seed, if seed % 2 == 0 { 300_000 } else { 20_000 });
        let (stream, bytes) = stream_blob(&mut memory, &plain);
        steps.extend([RecipeOp::Blob(stream), RecipeOp::Side { bytes: 2 }]);
        whole.extend_from_slice(&bytes);
        whole.extend_from_slice(&b"sideside"[2 * seed as usize..][..2]);
        plains.push(plain);
    }
    let outer = blob(&mut memory, &whole, &steps);
    assert!(rebuild(&memory, outer).unwrap() == whole);

    let content = Content::Blob(outer);
    let end = write_content(
        &memory,
        &content,
        Proof::Whole,
        &mut Full(3_000_000),
        &Silent,
    );
    assert!(matches!(end, Err(RecipeError::Write(_))), "{end:?}");
    let end = write_content(
        &memory,
        &content,
        Proof::Whole,
        &mut StoppedWriter(3_000_000),
        &Silent,
    );
    assert!(matches!(end, Err(RecipeError::Interrupted(_))), "{end:?}");
    let stopped = Recording::default();
    stopped
        .stop
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let end = write_content(&memory, &content, Proof::Whole, &mut Vec::new(), &stopped);
    assert!(matches!(end, Err(RecipeError::Interrupted(_))), "{end:?}");
    for plain in plains {
        let lost = ChunkId::of(&plain[100_000..200_000]);
        let bytes = memory.with(|map| map.remove(&lost)).unwrap();
        let end = rebuild(&memory, outer);
        assert!(matches!(end, Err(RecipeError::Missing(id)) if id == lost));
        // Another chunk in its place: the plain blob tells.
        let other = bytes.iter().map(|byte| !byte).collect();
        memory.with(|map| map.insert(lost, other));
        let end = rebuild(&memory, outer);
        let told = matches!(
            end,
            Err(RecipeError::Mismatch(_) | RecipeError::Remake { .. })
        );
        assert!(told, "{:?}", end.map(|bytes| bytes.len()));
        memory.with(|map| map.insert(lost, bytes));
    }
    assert!(rebuild(&memory, outer).unwrap() == whole);
}

#[test]
fn steps_that_say_why_come_first_and_give_nothing() {
    let mut memory = Memory::default();
    let body = chunk(&mut memory, b"body");
    let kept = RecipeOp::Kept { reason: 999 };
    let first = blob(&mut memory, b"body", &[kept, body]);
    assert_eq!(rebuild(&memory, first).unwrap(), b"body");
    for steps in [vec![body, kept], vec![kept, kept, body]] {
        let wrong = blob(&mut memory, b"body", &steps);
        assert!(matches!(
            rebuild(&memory, wrong),
            Err(RecipeError::Corrupt(_))
        ));
    }
}

proptest! {
    #[test]
    fn arbitrary_steps_never_panic(
        ops in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..140), 0..6),
        tags in proptest::collection::vec(0_u8..5, 6),
        bytes in 1_u64..5000,
    ) {
        let mut memory = Memory::default();
        let mut writer = StreamWriter::new(ContentKind::Meta);
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
