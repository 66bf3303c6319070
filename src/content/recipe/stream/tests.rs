//! Streams come back whole, in the same chunks however they were written. Lists that lie are refused.
#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::super::memory::Memory;
use super::*;

fn noise(len: usize) -> Vec<u8> {
    let mut state: u64 = 1;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        out.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    out.truncate(len);
    out
}

fn store(bytes: &[u8], step: usize) -> (Memory, StreamRef) {
    let mut memory = Memory::default();
    let mut writer = StreamWriter::new(ContentKind::Other);
    for piece in bytes.chunks(step) {
        writer.write(&mut memory, piece).unwrap();
    }
    let stream = writer.finish(&mut memory).unwrap();
    (memory, stream)
}

fn load(memory: &Memory, stream: &StreamRef) -> Result<Vec<u8>, RecipeError> {
    let mut out = Vec::new();
    let mut reader = StreamReader::open(memory, stream)?;
    while reader.left() > 0 {
        let step = reader.left().min(10_007);
        reader.read_into(usize::try_from(step).unwrap(), &mut out)?;
    }
    Ok(out)
}

#[test]
fn a_stream_of_any_length_comes_back_and_does_not_depend_on_the_writes() {
    for (len, depth) in [(0, 0), (1, 0), (16_000, 0), (1 << 20, 1), (9 << 20, 1)] {
        let bytes = noise(len);
        let (memory, stream) = store(&bytes, 1 << 20);
        assert_eq!(stream.depth, depth, "{len}");
        assert_eq!(load(&memory, &stream).unwrap(), bytes);
        assert_eq!(store(&bytes, 70_001).1, stream);
        let mut seen = 0;
        visit_chunks(&memory, &stream, &mut HashSet::new(), &mut |id| {
            assert!(memory.contains(id));
            seen += 1;
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, memory.with(|map| map.len()));
    }
}

#[test]
fn many_chunks_make_lists_of_lists() {
    let mut memory = Memory::default();
    let mut writer = StreamWriter::new(ContentKind::Other);
    let mut ids = Vec::new();
    for number in 0_u64..20_000 {
        let plain = number.to_le_bytes();
        let id = memory.put(&plain, ContentKind::Other).unwrap();
        writer
            .push(&mut memory, 0, TreeRecord { bytes: 8, id })
            .unwrap();
        ids.extend_from_slice(&plain);
    }
    let stream = writer.finish(&mut memory).unwrap();
    assert_eq!((stream.depth, stream.bytes), (2, 160_000));
    assert_eq!(load(&memory, &stream).unwrap(), ids);
}

#[test]
fn equal_chunks_do_not_make_lists_endless() {
    let (memory, stream) = store(&vec![0; 300 * CHUNK_MAX], CHUNK_MAX);
    assert_eq!(stream.bytes, 300 * CHUNK_MAX as u64);
    assert_eq!(load(&memory, &stream).unwrap().len(), 300 * CHUNK_MAX);
}

#[test]
fn lists_that_lie_are_refused() {
    let (memory, stream) = store(&noise(1 << 20), 1 << 20);
    for wrong in [
        StreamRef {
            bytes: stream.bytes + 1,
            ..stream
        },
        StreamRef { depth: 0, ..stream },
        StreamRef { depth: 2, ..stream },
        StreamRef { depth: 5, ..stream },
        StreamRef {
            bytes: u64::MAX,
            ..stream
        },
    ] {
        assert!(load(&memory, &wrong).is_err(), "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_chunks_never_panic(bytes in proptest::collection::vec(any::<u8>(), 1..400), depth in 0_u8..6, claimed in 0_u64..1000) {
        let mut memory = Memory::default();
        let id = memory.put(&bytes, ContentKind::Meta).unwrap();
        let stream = StreamRef { bytes: claimed, depth, id };
        let mut records = match RecordReader::<_, super::super::RecipeOp>::open(&memory, &stream, 100) {
            Ok(records) => records,
            Err(_) => return Ok(()),
        };
        while let Ok(Some(_)) = records.next_record() {}
    }
}
