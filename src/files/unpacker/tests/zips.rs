//! Zips are found by their directory, whatever stands before them and whatever became of their local headers.
use super::streams::{deflate, opened, words, zip_member};
use super::*;
use crate::content::contents::{Contents, FileKind as Sort, FoundFile};
use crate::content::release::{Item, ItemKind, Meta};

/// A zip with a directory. Its offsets count from `counted` bytes before the zip.
fn zip_of(members: &[(&str, &[u8], u8)], sizes_behind: bool, counted: usize) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body, method) in members {
        let at = u32::try_from(out.len() + counted).unwrap();
        out.extend(zip_member(name, body, *method, sizes_behind));
        let mut entry = vec![0; 46];
        entry[..4].copy_from_slice(b"PK\x01\x02");
        entry[10] = *method;
        entry[20..24].copy_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        entry[28] = u8::try_from(name.len()).unwrap();
        entry[42..46].copy_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(&entry);
        directory.extend_from_slice(name.as_bytes());
    }
    let mut end = vec![0; 22];
    end[..4].copy_from_slice(b"PK\x05\x06");
    end[12..16].copy_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    let at = u32::try_from(out.len() + counted).unwrap();
    end[16..20].copy_from_slice(&at.to_le_bytes());
    [out, directory, end].concat()
}

fn classes() -> [Vec<u8>; 3] {
    [words(1, 30_000), words(2, 60_000), words(3, 9000)]
}

fn packed_zip(sizes_behind: bool, counted: usize) -> Vec<u8> {
    let [one, two, three] = classes().map(|class| deflate(&class));
    let members: [(&str, &[u8], u8); 4] = [
        ("com/One.class", &one, 8),
        ("com/Two.class", &two, 8),
        ("lib/stored.bin", &noise(4, 70_000), 0),
        ("com/Three.class", &three, 8),
    ];
    zip_of(&members, sizes_behind, counted)
}

pub(super) fn paths(memory: &Memory, content: Content) -> Vec<String> {
    let item = Item {
        name: b"app.jar".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::File { content },
    };
    let mut paths = Vec::new();
    let mut visit = |found: &FoundFile<'_>| {
        if found.kind == Sort::File {
            paths.push(String::from_utf8_lossy(found.path).into_owned());
        }
        Ok(())
    };
    Contents::new(memory).item(&item, &mut visit).unwrap();
    paths
}

#[test]
fn a_zip_behind_anything_is_opened_as_it_is_alone() {
    let script = b"#!/bin/sh\nexec java -jar \"$0\" \"$@\"\n".to_vec();
    let program = [b"\x7fELF\x02\x01\x01".to_vec(), noise(9, 300_000)].concat();
    for sizes_behind in [false, true] {
        let (_, alone) = opened(&packed_zip(sizes_behind, 0));
        assert_eq!(alone.opened.streams, 3);
        for prefix in [&script, &program, &noise(8, 70_000), &words(7, 5)] {
            for counted in [0, prefix.len()] {
                let whole = [&prefix[..], &packed_zip(sizes_behind, counted)].concat();
                let (_, report) = opened(&whole);
                assert_eq!(report, alone, "{counted}");
                let (memory, content) = round_trip(&whole);
                let paths = paths(&memory, content);
                for name in ["com/One.class", "com/Two.class", "lib/stored.bin"] {
                    assert!(paths.iter().any(|path| path == name), "{name}: {paths:?}");
                }
            }
        }
    }
}

#[test]
fn long_comments_and_records_in_them_do_not_hide_a_directory() {
    let zip = packed_zip(true, 0);
    let comment = [&b"PK\x05\x06 and so on"[..], &noise(1, 60_000)].concat();
    let whole = [b"#!/bin/sh\n", &zip[..], &comment].concat();
    assert_eq!(opened(&whole).1.opened.streams, 3);
}

#[test]
fn damaged_local_headers_cost_nothing_where_the_directory_is_whole() {
    let zip = packed_zip(false, 0);
    let second = zip
        .windows(13)
        .position(|name| name == b"com/Two.class")
        .unwrap()
        - 30;
    // The magic, the method, the sizes and the lengths of name and extra field.
    for (at, bytes) in [(0, 4), (8, 2), (18, 8), (26, 2), (28, 2), (0, 30)] {
        let mut damaged = zip.clone();
        damaged[second + at..][..bytes].fill(0xee);
        let (_, report) = opened(&damaged);
        assert_eq!(report.opened.streams, 3, "{at} {report:?}");
    }
}

#[test]
fn directories_that_lie_cost_what_they_hide_and_nothing_else() {
    let zip = packed_zip(false, 0);
    let directory = zip
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    let end = zip.len() - 22;
    let alone = opened(&zip).1;
    // Offsets and sizes of anything, and a directory that begins elsewhere or has no end.
    for (at, bytes) in [
        (directory + 42, 4),
        (directory + 20, 4),
        (directory + 28, 2),
        (directory, 4),
        (end + 12, 4),
        (end + 16, 4),
        (end, 4),
    ] {
        for value in [0, 1, 0x7f, 0xff] {
            let mut lying = zip.clone();
            lying[at..][..bytes].fill(value);
            let (_, report) = opened(&lying);
            assert!(report.opened.streams <= alone.opened.streams);
            opened(&[b"#!/bin/sh\n", &lying[..]].concat());
        }
    }
    // All members at one place, and all bodies over everything behind.
    let one = deflate(&words(5, 3000));
    let members: Vec<(&str, &[u8], u8)> = vec![("same", &one, 8); 100];
    let mut overlapping = zip_of(&members, false, 0);
    let bytes = overlapping.len();
    let directory = bytes - 22 - 100 * 50;
    for entry in overlapping[directory..bytes - 22].chunks_exact_mut(50) {
        entry[42..46].fill(0);
        entry[20..24].copy_from_slice(&u32::try_from(bytes).unwrap().to_le_bytes());
    }
    opened(&overlapping);
    opened(&[b"#!/bin/sh\n", &overlapping[..]].concat());
}

#[test]
fn a_zip_in_a_zip_behind_scripts_is_opened_up_to_the_depth_limit() {
    let mut whole = packed_zip(false, 0);
    for _ in 0..20 {
        whole = [
            &b"#!/bin/sh\n"[..],
            &zip_of(&[("inner", &whole, 0)], true, 0),
        ]
        .concat();
    }
    opened(&whole);
    let mut near = packed_zip(false, 0);
    for _ in 0..3 {
        near = [
            &b"#!/bin/sh\n"[..],
            &zip_of(&[("inner", &near, 0)], true, 0),
        ]
        .concat();
    }
    assert_eq!(opened(&near).1.opened.streams, 3);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn zips_behind_anything_come_back(
        prefix in prop::collection::vec(any::<u8>(), 0..2000),
        behind: bool,
        cut in prop::option::of(any::<prop::sample::Index>()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..6),
        last in 0_usize..800,
    ) {
        let mut whole = [&prefix[..], &packed_zip(behind, 0)].concat();
        for (at, mask) in flips {
            // Most flips are in the directory and its record.
            let from = whole.len() - last.max(1).min(whole.len());
            let at = from + at.index(whole.len() - from);
            whole[at] ^= mask;
        }
        if let Some(cut) = cut {
            whole.truncate(cut.index(whole.len()));
        }
        opened(&whole);
    }
}
