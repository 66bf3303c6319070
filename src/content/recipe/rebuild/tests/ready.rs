//! Blobs that the source has ready: copied whole and in parts, and never in a proof.

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
