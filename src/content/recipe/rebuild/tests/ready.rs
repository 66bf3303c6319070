//! Blobs that the source has ready: copied whole and in parts, and never in their own proof.

use super::*;
use crate::base::backend::BackendError;
use crate::content::recipe::ReadyBytes;

/// Chunks in memory, with blobs that are ready besides.
struct WithReady {
    memory: Memory,
    ready: Vec<(BlobId, Vec<u8>)>,
    /// Reading beyond this fails.
    readable: u64,
}

struct Ready<'a>(&'a [u8], u64);

impl ReadyBytes for Ready<'_> {
    fn read_at(&self, offset: u64, out: &mut [u8]) -> Result<(), BackendError> {
        let from = usize::try_from(offset)?;
        if offset + out.len() as u64 > self.1 {
            return Err("gone".into());
        }
        out.copy_from_slice(&self.0[from..from + out.len()]);
        Ok(())
    }
}

impl ChunkSource for WithReady {
    type Bytes = <Memory as ChunkSource>::Bytes;

    fn chunk(&self, id: &ChunkId) -> Result<Self::Bytes, RecipeError> {
        self.memory.chunk(id)
    }

    fn prefetch(&self, _: &[ChunkId]) {}

    fn contains(&self, id: &ChunkId) -> bool {
        self.memory.contains(id)
    }

    fn ready(&self, blob: &Blob) -> Option<Box<dyn ReadyBytes + '_>> {
        let (_, bytes) = self.ready.iter().find(|(id, _)| *id == blob.id)?;
        Some(Box::new(Ready(bytes, self.readable)))
    }
}

/// Returns a blob of text, a blob that is ready and cannot be rebuilt, and text again. Returns its bytes, too.
fn around_ready(readable: u64) -> (WithReady, Blob, Vec<u8>) {
    let mut memory = Memory::default();
    let bytes: Vec<u8> = (0..700_000_u32).flat_map(u32::to_le_bytes).collect();
    let nowhere = ChunkRef {
        bytes: 1,
        id: ChunkId([7; 32]),
    };
    let inner = blob(&mut memory, &bytes, &[RecipeOp::Chunk(nowhere)]);
    let text = chunk(&mut memory, b"body");
    let whole = [b"body", &bytes[..], b"sidebody"].concat();
    let ops = [
        text,
        RecipeOp::Blob(inner),
        RecipeOp::Side { bytes: 4 },
        text,
    ];
    let outer = blob(&mut memory, &whole, &ops);
    let ready = vec![(inner.id, bytes)];
    let source = WithReady {
        memory,
        ready,
        readable,
    };
    (source, outer, whole)
}

#[test]
fn what_is_ready_is_copied_whole_and_in_parts_but_never_stands_for_a_proof() {
    let (source, outer, whole) = around_ready(u64::MAX);
    let content = Content::Blob(outer);
    let mut out = Vec::new();
    write_content(&source, &content, Proof::Whole, &mut out, &Silent).unwrap();
    assert!(out == whole);
    let len = whole.len() as u64;
    let cuts = [
        0,
        3,
        4,
        5,
        1_000_000,
        2_500_001,
        len - 9,
        len - 8,
        len - 7,
        len,
    ];
    for from in cuts {
        for to in cuts.into_iter().filter(|to| *to >= from) {
            let mut out = Vec::new();
            write_part(
                &source,
                &outer,
                StepAt::default(),
                from..to,
                &mut out,
                &Silent,
            )
            .unwrap();
            let range = usize::try_from(from).unwrap()..usize::try_from(to).unwrap();
            assert!(out == whole[range], "{from}..{to}");
        }
    }
    let proof = write_content(
        &source,
        &content,
        Proof::EveryBlob,
        &mut Vec::new(),
        &Silent,
    );
    assert!(proof.is_err());
}

/// The one blob that was proved before.
struct Known(Blob);

impl KnownBlobs for Known {
    fn has(&self, blob: &Blob) -> bool {
        *blob == self.0
    }
}

/// The blob that the second step of `around_ready` names.
fn ready_blob(source: &WithReady, outer: &Blob) -> Blob {
    let mut ops = RecordReader::open(source, &outer.recipe.ops, OP_BYTES_MAX).unwrap();
    read_op(&mut ops).unwrap();
    match read_op(&mut ops).unwrap() {
        Some(RecipeOp::Blob(inner)) => inner,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_proved_is_copied_in_the_proof_of_what_contains_it() {
    let (mut source, outer, _) = around_ready(u64::MAX);
    let content = Content::Blob(outer);
    let known = Known(ready_blob(&source, &outer));
    prove_content(&source, &content, Some(&known), None, &Silent).unwrap();
    assert!(prove_content(&source, &content, None, None, &Silent).is_err());
    // The same blob from another recipe is another claim.
    let recipe = outer.recipe;
    let other = Known(Blob { recipe, ..known.0 });
    assert!(prove_content(&source, &content, Some(&other), None, &Silent).is_err());
    // The hash of what contains it covers the copy.
    source.ready[0].1[5] ^= 1;
    let wrong = prove_content(&source, &content, Some(&known), None, &Silent);
    assert!(
        matches!(wrong, Err(RecipeError::Mismatch(id)) if id == outer.id),
        "{wrong:?}"
    );
}

#[test]
fn a_copy_that_goes_while_it_is_read_is_an_error() {
    let (source, outer, _) = around_ready(2_000_000);
    let outcome = write_content(
        &source,
        &Content::Blob(outer),
        Proof::Whole,
        &mut Vec::new(),
        &Silent,
    );
    assert!(
        matches!(outcome, Err(RecipeError::Ready { .. })),
        "{outcome:?}"
    );
}
