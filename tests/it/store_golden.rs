//! Format version 1 of frames, packs and index segments, byte for byte. The files under `data/golden/v1` are never edited:
//! they are what stores in the field hold. `write_golden` made them.

use crate::testkit::golden;

use carryall::base::id::{ChunkId, PackId, hash};
use carryall::content::content_kind::ContentKind;
use carryall::content::frame::{Frame, FrameOptions, Ids, encode_frame};
use carryall::content::index::{self, ChunkEntry, IndexSegment, PackEntry};
use carryall::content::pack::{self, PackBuilder};
use carryall::store::{LeaseRecord, MarkState, PackMark, PackMarks};

/// Bytes that do not compress, so that frames of them are raw and do not depend on the version of zstd.
fn hash_chain(seed: u8, blocks: usize) -> Vec<u8> {
    let mut last = hash(&[seed]);
    let mut out = Vec::new();
    for _ in 0..blocks {
        out.extend_from_slice(&last);
        last = hash(&last);
    }
    out
}

fn code() -> Vec<u8> {
    let calls = (0..200_u32).flat_map(|n| {
        [
            &b"\x48\x8d\x05"[..],
            &(9000 - n * 12).to_le_bytes(),
            b"\xe8",
            &(5000 - n * 12).to_le_bytes(),
        ]
        .concat()
    });
    calls.collect()
}

fn frame(contents: &[Vec<u8>], class: ContentKind, ids: Ids) -> Vec<u8> {
    let chunks: Vec<(ChunkId, &[u8])> = contents
        .iter()
        .map(|plain| (ChunkId::of(plain), &plain[..]))
        .collect();
    encode_frame(
        &chunks,
        class,
        &FrameOptions {
            ids,
            ..FrameOptions::for_store(3, class)
        },
    )
}

fn raw_frame() -> Vec<u8> {
    frame(
        &[hash_chain(1, 3), hash_chain(2, 1), hash_chain(3, 8)],
        ContentKind::Packed,
        Ids::Stored,
    )
}

fn raw_frame_without_ids() -> Vec<u8> {
    frame(
        &[hash_chain(1, 3), hash_chain(2, 1), hash_chain(3, 8)],
        ContentKind::Packed,
        Ids::LeftOut,
    )
}

fn pack_bytes() -> Vec<u8> {
    let (mut builder, header) = PackBuilder::start();
    let mut bytes = header.to_vec();
    for frame in [raw_frame(), raw_frame_without_ids()] {
        builder.push(&frame);
        bytes.extend_from_slice(&frame);
    }
    bytes.extend_from_slice(&builder.finish().0);
    bytes
}

fn segment() -> Vec<u8> {
    let pack = pack_bytes();
    let packs = [PackEntry {
        id: PackId(hash(&pack)),
        bytes: pack.len() as u64,
    }];
    let entry = |seed| ChunkEntry {
        prefix: index::prefix(&ChunkId::of(&hash_chain(seed, 1))),
        pack_no: 0,
        frame_offset: 16,
    };
    index::build(&packs, (0..20).map(entry).collect())
}

fn compared() -> [(&'static str, Vec<u8>); 4] {
    [
        ("raw.frame", raw_frame()),
        ("raw-no-ids.frame", raw_frame_without_ids()),
        ("two-frames.pack", pack_bytes()),
        ("one-pack.idx", segment()),
    ]
}

#[test]
#[ignore = "writes the golden files of a new format version; never to be run for one that is out"]
fn write_golden() {
    for (name, bytes) in compared() {
        std::fs::write(golden::path(name), bytes).unwrap();
    }
    std::fs::write(
        golden::path("zstd-x86.frame"),
        frame(
            &[code(), b"tail".to_vec()],
            ContentKind::ElfX86_64,
            Ids::Stored,
        ),
    )
    .unwrap();
}

#[test]
fn what_is_written_is_what_was_written() {
    for (name, bytes) in compared() {
        assert!(
            std::fs::read(golden::path(name)).unwrap() == bytes,
            "{name} has changed"
        );
    }
}

#[test]
fn what_was_written_is_read() {
    let raw = Frame::decode(&std::fs::read(golden::path("raw.frame")).unwrap()).unwrap();
    assert_eq!(
        *raw.plain,
        [hash_chain(1, 3), hash_chain(2, 1), hash_chain(3, 8)].concat()
    );
    // zstd may compress otherwise one day; what it compressed once must stay readable.
    let filtered = Frame::decode(&std::fs::read(golden::path("zstd-x86.frame")).unwrap()).unwrap();
    assert_eq!(
        (&*filtered.plain, filtered.class),
        (&[code(), b"tail".to_vec()].concat(), ContentKind::ElfX86_64)
    );
    let pack = std::fs::read(golden::path("two-frames.pack")).unwrap();
    assert_eq!(pack::scan(&pack).len(), 2);
    let segment = IndexSegment::open(std::fs::read(golden::path("one-pack.idx")).unwrap()).unwrap();
    assert_eq!(segment.lookup(&ChunkId::of(&hash_chain(7, 1))).count(), 1);
}

/// What prune keeps in a bucket. A mark that an older program wrote is heeded by a newer one, and the other way round.
#[test]
fn marks_and_lease_are_what_was_written() {
    let mark = |state, since| PackMark { state, since };
    let marks = PackMarks {
        fence: 3,
        round: 0x0102_0304_0506,
        packs: [
            (PackId([1; 32]), mark(MarkState::Marked, None)),
            (
                PackId([2; 32]),
                mark(MarkState::Doomed, Some(1_796_000_000)),
            ),
            (PackId(hash(b"pack")), mark(MarkState::Removed, Some(1))),
        ]
        .into(),
    };
    let read = golden::golden("marks.bin", &marks.encode());
    assert_eq!(PackMarks::decode(&read).unwrap(), marks);
    let lease = LeaseRecord {
        owner: *b"sixteen bytes ..",
        fence: 4,
        renewals: 0x0a0b,
        is_over: true,
    };
    let read = golden::golden("lease.bin", &lease.encode());
    assert_eq!(LeaseRecord::decode(&read).unwrap(), lease);
}
