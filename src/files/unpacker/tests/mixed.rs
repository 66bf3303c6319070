//! Streams are found behind scripts, loaders and other streams, and what only looks like one costs little.
use super::streams::{gzip, opened, words};
use super::*;
use crate::base::id::ChunkId;

/// Bytes that say gzip and go on as nothing.
fn false_start(seed: u64) -> Vec<u8> {
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3][..], &noise(seed, 700)].concat()
}

#[test]
fn streams_behind_anything_are_opened() {
    let stream = gzip(&words(1, 300_000));
    let script = b"#!/bin/sh\ntail -c +999 \"$0\" | gzip -d\nexit 0\n".repeat(20);
    for prefix in [
        script,
        noise(2, 30_000),
        noise(3, 1_000_000),
        vec![0; 40_000],
    ] {
        for tail in [Vec::new(), vec![0; 300], noise(4, 200_000)] {
            let whole = [&prefix[..], &stream, &tail].concat();
            let (_, report) = opened(&whole);
            assert_eq!(report.opened.bytes, stream.len() as u64, "{report:?}");
            assert_eq!(report.kept.len(), 0);
        }
    }
    // Too far behind, in a program, and too short.
    for whole in [
        [&noise(5, 1_200_000)[..], &stream].concat(),
        [
            &b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0"[..],
            &noise(6, 9000),
            &stream,
        ]
        .concat(),
        [&noise(7, 90_000)[..], &gzip(&words(1, 2000))].concat(),
    ] {
        assert_eq!(opened(&whole).1.opened.streams, 0);
    }
}

#[test]
fn streams_and_archives_behind_streams_are_opened_too() {
    let one = gzip(&words(1, 60_000));
    let two = gzip(&tar_of(&[
        ("a", &words(2, 90_000)),
        ("b.gz", &gzip(&words(3, 40_000))),
    ]));
    let archive = tar_of(&[("c", &noise(5, 90_000)), ("d.gz", &gzip(&words(4, 50_000)))]);
    let whole = [
        &noise(1, 20_000)[..],
        &one,
        &[0; 512],
        &two,
        &[0; 77],
        &noise(9, 900),
        &one,
    ]
    .concat();
    assert_eq!(opened(&whole).1.opened.streams, 4);
    let whole = [&noise(1, 20_000)[..], &one, &archive].concat();
    assert_eq!(opened(&whole).1.opened.streams, 2);
    // The same in a tar, twice, and known when it comes again.
    let both = tar_of(&[("x.run", &whole), ("y.run", &whole)]);
    assert_eq!(opened(&both).1.opened.streams, 2);
}

#[test]
fn what_begins_like_a_stream_costs_little_and_leaves_the_chunks_as_they_were() {
    let plain = [&noise(1, 50_000)[..], &false_start(2), &noise(3, 300_000)].concat();
    let (memory, report) = opened(&plain);
    assert_eq!((report.opened.streams, report.kept.len()), (0, 0));
    let id = ChunkId(id::hash(&plain[..Cutter::cut(&plain)]));
    assert!(memory.with(|map| map.contains_key(&id)));
    // Thousands of beginnings.
    let many: Vec<u8> = (0..4000).flat_map(false_start).collect();
    assert_eq!(opened(&many).1.opened.streams, 0);
    // Long streams without an end, one behind the other.
    let cut = gzip(&words(4, 900_000));
    let many = [&b"#!/bin/sh\n"[..], &cut[..cut.len() - 9].repeat(12)].concat();
    opened(&many);
}

#[test]
fn what_stays_closed_is_counted_by_its_kind() {
    let kinds: [(&[u8], KeptReason); 4] = [
        (b"\x28\xb5\x2f\xfd\x03", KeptReason::Zstd),
        (b"\x04\x22\x4d\x18\x03", KeptReason::Lz4),
        (b"7z\xbc\xaf\x27\x1c", KeptReason::SevenZip),
        (b"Rar!\x1a\x07\x01", KeptReason::Rar),
    ];
    let mut zip = super::streams::zip_member("locked", &noise(7, 80_000), 8, false);
    zip[6] |= 1;
    zip.extend(super::streams::zip_member(
        "odd",
        &noise(8, 70_000),
        99,
        false,
    ));
    zip.extend(super::streams::zip_member(
        "short",
        &noise(9, 900),
        99,
        false,
    ));
    let contents = kinds.map(|(magic, _)| [magic, &noise(1, 90_000)].concat());
    let mut members: Vec<(&str, &[u8])> = vec![("app.zip", &zip)];
    members.extend(contents.iter().map(|content| ("closed", &content[..])));
    let (_, report) = opened(&tar_of(&members));
    let told = |reason| report.kept[&reason];
    for ((_, reason), content) in kinds.iter().zip(&contents) {
        assert_eq!(told(*reason).streams, 1);
        assert_eq!(told(*reason).bytes, content.len() as u64);
    }
    assert_eq!(told(KeptReason::Encrypted).bytes, 80_000);
    assert_eq!(
        (
            told(KeptReason::ZipMethod).streams,
            told(KeptReason::ZipMethod).bytes
        ),
        (2, 70_900)
    );
    // Known contents are not counted again.
    let twice = tar_of(&[("one", &contents[0]), ("two", &contents[0])]);
    assert_eq!(opened(&twice).1.kept[&KeptReason::Zstd].streams, 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn mixtures_come_back(
        parts in prop::collection::vec((0_u8..5, any::<u64>(), 1_usize..60_000), 1..7),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..3),
    ) {
        let parts = parts.into_iter().map(|(kind, seed, len)| match kind {
            0 => gzip(&words(seed, 2 * len)),
            1 => noise(seed, len),
            2 => vec![0; len],
            3 => false_start(seed),
            _ => tar_of(&[("m", &gzip(&words(seed, len)))]),
        });
        let mut whole: Vec<u8> = parts.flatten().collect();
        for (at, mask) in flips {
            let at = at.index(whole.len());
            whole[at] ^= mask;
        }
        opened(&whole);
    }
}
