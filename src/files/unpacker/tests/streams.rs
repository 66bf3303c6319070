//! Deflate streams and zip files of all kinds, whole and broken, are rebuilt exactly. Those that can be opened are
//! opened.
use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};

use super::*;
use crate::content::archive::zip;
use crate::files::unpacker::{KeptReason, StreamReport};

/// Returns the report of opening `bytes`, after they were rebuilt with every proof and compared.
pub(super) fn opened(bytes: &[u8]) -> (Memory, StreamReport) {
    let memory = Memory::default();
    let mut sink = memory.clone();
    let (known, options) = (BlobTable::default(), OpenOptions::default());
    let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
    let content = unpacker.open(bytes, Path::new("some/file.gz")).unwrap();
    let report = unpacker.streams().clone();
    assert!(rebuilt(&memory, &content) == bytes);
    assert_eq!(content.id(), BlobId(id::hash(bytes)));
    (memory, report)
}

fn rebuilt(memory: &Memory, content: &Content) -> Vec<u8> {
    let mut out = Vec::new();
    write_content(memory, content, Proof::EveryBlob, &mut out, &Silent).unwrap();
    out
}

/// Makes text that compresses and has matches of all lengths.
pub(super) fn words(seed: u64, len: usize) -> Vec<u8> {
    let noise = noise(seed, len);
    let mut out = Vec::with_capacity(len + 16);
    for pair in noise.chunks(2) {
        let word = usize::from(pair[0] & 63);
        out.extend_from_slice(format!("word{word} ").as_bytes());
        out.push(pair[0]);
        if out.len() >= len {
            break;
        }
    }
    out.truncate(len);
    out
}

pub(super) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn deflate(plain: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Makes a member of a zip, with its sizes in front or behind.
pub(super) fn zip_member(name: &str, body: &[u8], method: u8, sizes_behind: bool) -> Vec<u8> {
    let mut out = zip::LOCAL_MAGIC.to_vec();
    let bytes = u32::try_from(body.len()).unwrap().to_le_bytes();
    out.extend_from_slice(&[20, 0, if sizes_behind { 8 } else { 0 }, 0, method, 0]);
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&if sizes_behind { [0; 4] } else { bytes });
    out.extend_from_slice(&[9; 4]);
    out.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
    out.extend_from_slice(&4_u16.to_le_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"more");
    out.extend_from_slice(body);
    if sizes_behind {
        out.extend_from_slice(b"PK\x07\x08crc!");
        out.extend_from_slice(&bytes);
        out.extend_from_slice(&[9; 4]);
    }
    out
}

fn kept(report: &StreamReport, reason: KeptReason) -> u64 {
    report.kept.get(&reason).map_or(0, |tally| tally.streams)
}

#[test]
fn gzip_files_of_all_sizes_are_opened() {
    for len in [1000, 20_000, 60_000, 300_000, 3_000_000] {
        let plain = words(1, len);
        let packed = gzip(&plain);
        let (memory, report) = opened(&packed);
        assert_eq!(report.opened.bytes, packed.len() as u64, "{report:?}");
        assert_eq!(report.plain_bytes, plain.len() as u64);
        let first = if len <= 65_536 {
            len
        } else {
            Cutter::cut(&plain)
        };
        assert!(chunk_of(&memory, &plain[..first]));
    }
    let (_, report) = opened(&gzip(&words(1, 100)));
    assert_eq!(kept(&report, KeptReason::Small), 1);
}

#[test]
fn a_package_of_images_of_layers_is_opened_to_the_bottom() {
    let inner = words(3, 30_000);
    let slug = gzip(&tar_of(&[
        ("app/main.py", &inner),
        ("app/x", &words(4, 90_000)),
    ]));
    let layer = gzip(&tar_of(&[
        ("slug.tgz", &slug),
        ("etc/large", &words(5, 2_500_000)),
    ]));
    let second = gzip(&tar_of(&[("usr/lib/x.so", &words(6, 3_000_000))]));
    let image = tar_of(&[
        ("blobs/sha256/1", &layer),
        ("blobs/sha256/2", &second),
        ("index.json", b"{}"),
    ]);
    let package = gzip(&tar_of(&[("image.tar", &image), ("metadata.json", b"{}")]));
    let (memory, report) = opened(&package);
    assert!(chunk_of(&memory, &inner));
    assert_eq!(
        (report.opened.streams, report.kept.len()),
        (4, 0),
        "{report:?}"
    );
}

#[test]
fn what_follows_a_stream_is_kept_and_several_members_are_one_stream() {
    let one = gzip(&words(7, 200_000));
    for tail in [&b"tail"[..], &noise(8, 100_000), &[0; 5000]] {
        let (_, report) = opened(&[&one, tail].concat());
        assert_eq!(
            report.opened.bytes,
            one.len() as u64,
            "{report:?} {:?}",
            &tail[..4]
        );
    }
    let many = [&one[..], &gzip(&[]), &gzip(&words(9, 100_000))].concat();
    let (_, report) = opened(&many);
    assert_eq!(
        (report.opened.streams, report.opened.bytes),
        (1, many.len() as u64)
    );
}

#[test]
fn broken_streams_are_kept_and_say_why() {
    let mut stream = gzip(&words(10, 400_000));
    let (_, report) = opened(&stream[..stream.len() - 9]);
    assert_eq!(kept(&report, KeptReason::Truncated), 1, "{report:?}");
    let at = stream.len() / 2;
    stream[at..at + 200].copy_from_slice(&noise(11, 200));
    let (_, report) = opened(&stream);
    assert_eq!(report.opened.streams, 0, "{report:?}");
    let mut false_start = noise(12, 200_000);
    false_start[..4].copy_from_slice(&[0x1f, 0x8b, 8, 0]);
    let (_, report) = opened(&false_start);
    assert_eq!(kept(&report, KeptReason::Corrupt), 1, "{report:?}");
}

#[test]
fn bombs_are_kept() {
    let bomb = gzip(&vec![0; 40 << 20]);
    let (memory, report) = opened(&bomb);
    assert_eq!(kept(&report, KeptReason::Limit), 1, "{report:?}");
    assert!(memory.with(|map| map.len()) < 10);
    let options = OpenOptions {
        plain_limit_bytes: 100_000,
        ..OpenOptions::default()
    };
    let (memory, known) = (Memory::default(), BlobTable::default());
    let mut sink = memory.clone();
    let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
    let stream = gzip(&words(13, 300_000));
    unpacker.open(&stream[..], Path::new("x")).unwrap();
    assert_eq!(kept(unpacker.streams(), KeptReason::Limit), 1);
}

#[test]
fn zips_are_opened_member_by_member() {
    let classes: Vec<Vec<u8>> = (20..60)
        .zip((3000..).step_by(500))
        .map(|(seed, len)| words(seed, len))
        .collect();
    let nested = {
        let member = zip_member("n.class", &deflate(&words(99, 400_000)), 8, false);
        [member, vec![1; 70]].concat()
    };
    for sizes_behind in [false, true] {
        let mut whole = Vec::new();
        for (number, class) in classes.iter().enumerate() {
            whole.extend(zip_member(
                &format!("a/{number}.class"),
                &deflate(class),
                8,
                sizes_behind,
            ));
        }
        whole.extend(zip_member("lib/nested.jar", &nested, 0, false));
        whole.extend(zip_member("locked", &noise(1, 5000), 99, false));
        whole.extend(zip_member(
            "large.so",
            &deflate(&words(98, 2_000_000)),
            8,
            sizes_behind,
        ));
        whole.extend_from_slice(b"PK\x01\x02 and what else a central directory has PK\x05\x06");
        let (memory, report) = opened(&whole);
        assert_eq!(report.opened.streams, 42, "{report:?}");
        let kept: Vec<_> = report.kept.keys().collect();
        assert_eq!(kept, [&KeptReason::ZipMethod], "the locked one");
        assert!(classes.iter().all(|class| chunk_of(&memory, class)));
        // A stream cut anywhere is rebuilt.
        for cut in [whole.len() / 2, whole.len() - 3, 70_000] {
            opened(&whole[..cut]);
        }
    }
}

#[test]
fn zips_of_headers_alone_do_not_take_for_ever() {
    let hostile = zip_member("x", &[], 8, true).repeat(3000);
    opened(&hostile);
    let mut endless = zip_member("y", &deflate(&words(2, 200_000))[..30_000], 8, true);
    endless = endless.repeat(20);
    opened(&endless);
}

#[test]
fn zstd_frames_are_chunks_of_their_own() {
    // Of noise alone all writers make the same frame, and the stream would be opened.
    let mixed = [words(3, 40_000), noise(3, 40_000)].concat();
    let frames: Vec<Vec<u8>> = [noise(3, 10), noise(3, 5000), mixed, noise(3, 900_000)]
        .map(|plain| zstd::bulk::compress(&plain, 3).unwrap())
        .into();
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 8, 0, 0, 0][..], &[7; 8]].concat();
    let whole = [frames.concat(), skippable, frames[1].clone(), noise(4, 300)].concat();
    let (memory, _) = opened(&whole);
    assert!(chunk_of(&memory, &frames[1]) && chunk_of(&memory, &frames[2]));
    assert!(chunk_of(&memory, &frames[3][..Cutter::cut(&frames[3])]));
}

#[test]
fn known_streams_are_not_looked_at_again() {
    let memory = Memory::default();
    let layers: Vec<Vec<u8>> = (0..4).map(|n| gzip(&words(n, 2_000_000))).collect();
    let broken = layers[3][..layers[3].len() - 100].to_vec();
    let first = tar_of(&[("1", &layers[0]), ("2", &layers[1]), ("broken", &broken)]);
    let (_, _, known) = open_with(&memory, &first, &BlobTable::default());
    let second = tar_of(&[
        ("2", &layers[1]),
        ("new", &layers[2]),
        ("1", &layers[0]),
        ("broken", &broken),
    ]);
    let (mut sink, options) = (memory.clone(), OpenOptions::default());
    let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
    let content = unpacker.open(&second[..], Path::new("t")).unwrap();
    assert_eq!(unpacker.streams().opened.bytes, layers[2].len() as u64);
    assert!(unpacker.streams().kept.is_empty());
    let all = [&layers[0], &layers[1], &broken]
        .map(Vec::len)
        .iter()
        .sum::<usize>();
    assert_eq!(unpacker.reused_bytes(), all as u64);
    assert!(rebuilt(&memory, &content) == second);
}

#[test]
fn streams_that_are_to_stay_closed_do() {
    let options = |depth, closed: &[&[u8]]| OpenOptions {
        depth,
        closed: closed.iter().map(|bytes| BlobId(id::hash(bytes))).collect(),
        ..OpenOptions::default()
    };
    let layers: Vec<Vec<u8>> = (0..2).map(|n| gzip(&words(n, 2_000_000))).collect();
    let whole = tar_of(&[("1", &layers[0]), ("2", &layers[1])]);
    for (options, opened) in [
        (options(Depth::Open, &[]), 2),
        (options(Depth::Open, &[&layers[1]]), 1),
        (options(Depth::Tars, &[]), 0),
    ] {
        let (memory, known) = (Memory::default(), BlobTable::default());
        let mut sink = memory.clone();
        let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
        let content = unpacker.open(&whole[..], Path::new("t")).unwrap();
        assert_eq!(unpacker.streams().opened.streams, opened);
        assert!(rebuilt(&memory, &content) == whole);
    }
}

#[test]
fn the_same_file_gives_the_same_recipe_and_files_are_looked_at_ahead() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut paths = Vec::new();
    for number in 0..7 {
        let path = folder.path().join(number.to_string());
        let bytes = match number {
            3 => noise(9, 2_000_000),
            6 => gzip(&words(2, 3_000_000)),
            _ => gzip(&words(number, 3_000_000)),
        };
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    let read = |ahead: bool| {
        let (memory, known, options) = (
            Memory::default(),
            BlobTable::default(),
            OpenOptions::default(),
        );
        let mut sink = memory.clone();
        let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
        let all = |unpacker: &mut Unpacker<'_, Memory>| -> Vec<Content> {
            let read = |path: &std::path::PathBuf| crate::files::folder::read_file(unpacker, path);
            paths.iter().map(read).collect::<Result<_, _>>().unwrap()
        };
        let contents = if ahead {
            unpacker.ahead_of(paths.clone().into_iter(), all)
        } else {
            all(&mut unpacker)
        };
        (contents, unpacker.streams().clone())
    };
    let (ahead, report) = read(true);
    assert_eq!(
        (ahead, report.opened.streams),
        (read(false).0, 5),
        "{report:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn streams_cut_and_flipped_come_back(
        seed: u64,
        len in 5000_usize..150_000,
        shape in 0_u8..3,
        cut in prop::option::of(any::<prop::sample::Index>()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..3),
    ) {
        let plain = words(seed, len);
        let mut whole = match shape {
            0 => gzip(&plain),
            1 => tar_of(&[("a.gz", &gzip(&plain)), ("b", &noise(1, 90_000))]),
            _ => [
                zip_member("a", &deflate(&plain), 8, seed % 2 == 0),
                zip_member("b", &noise(1, 70_000), 0, false),
                zip_member("c", &deflate(&plain[..3000]), 8, true),
            ].concat(),
        };
        for (at, mask) in flips {
            let at = at.index(whole.len());
            whole[at] ^= mask;
        }
        if let Some(cut) = cut {
            whole.truncate(cut.index(whole.len()));
        }
        opened(&whole);
    }
}

/// Returns the report and the blob of a tar, with or without looking ahead.
fn tar_opened(tar: &[u8], is_ahead: bool) -> (StreamReport, Blob) {
    let memory = Memory::default();
    let mut sink = memory.clone();
    let (known, options) = (BlobTable::default(), OpenOptions::default());
    let mut unpacker = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
    let mut reader = HashingReader::new(tar, Path::new("some/file.tar"));
    let bytes = tar.len() as u64;
    let blob = match is_ahead {
        true => unpacker.tar(&mut reader, bytes, 0),
        false => unpacker.tar_members(&mut reader, bytes, 0, None, None),
    };
    (unpacker.streams().clone(), blob.unwrap())
}

#[test]
fn short_streams_are_the_same_whether_they_were_looked_at_ahead_or_not() {
    let of_level = |number: u64, level: u32| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        let plain = words(number, 3000 + usize::try_from(number).unwrap() * 7);
        encoder.write_all(&plain).unwrap();
        encoder.finish().unwrap()
    };
    // Runs of three writers, single ones among them, one that comes twice, one cut short, and one that is not a stream.
    let mut bodies: Vec<Vec<u8>> = (0..150)
        .map(|number| match number {
            n if n % 31 == 0 => of_level(n, 1),
            n if n < 90 => of_level(n, 9),
            n => of_level(n, 4),
        })
        .collect();
    bodies.insert(70, bodies[60].clone());
    bodies[20].truncate(900);
    bodies[40].truncate(10);
    bodies.push(words(1, 2 << 20));
    let members: Vec<(&str, &[u8])> = bodies.iter().map(|body| ("page.gz", &body[..])).collect();
    let tar = tar_of(&members);
    let (report, blob) = tar_opened(&tar, true);
    assert_eq!((report.clone(), blob), tar_opened(&tar, false));
    assert!(report.opened.streams >= 140, "{report:?}");
}
