//! Streams of xz, lzma, bzip2 and lz4, golden ones and those of the tools that are here: each opens into its plain text and a small recipe,
//! and comes back byte for byte. Whatever is no stream of theirs is refused.
//!
//! `CARRYALL_WRITE_RECIPES=1` writes recipes that are not there yet.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use carryall::base::id::hash;
use carryall::recode::{
    EncodeOptions, Format, Guesses, RecodeAnalysis, RecodeError, RecodeOptions, analyze,
    reconstruct,
};
use proptest::prelude::*;

use crate::testkit::bytes::{noise, text};
use crate::testkit::programs::has;

/// BLAKE3 of the text that all golden streams unpack to.
const GOLDEN_TEXT: &str = "854e4dfc4cff6d0814f8dabe7a62aabe793da5aff50995d28b3e8a46f52a1d4c";

pub fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/recode")
        .join(path)
}

pub fn open_as(
    format: Format,
    packed: &[u8],
    guesses: &Guesses,
) -> Result<(RecodeAnalysis, Vec<u8>, Vec<u8>), RecodeError> {
    let (mut plain, mut recipe) = (Vec::new(), Vec::new());
    let options = RecodeOptions {
        format,
        plain_limit_bytes: 1 << 24,
        ratio_limit: 1032,
        recipe_limit_per_mille: 125,
        guesses,
        watch: &|_| true,
        clock: &|| Duration::ZERO,
        affords: &|_, _| true,
    };
    let found = analyze(&mut &packed[..], &mut plain, &mut recipe, &options)?;
    Ok((found, plain, recipe))
}

pub fn open(packed: &[u8]) -> Result<(RecodeAnalysis, Vec<u8>, Vec<u8>), RecodeError> {
    open_as(Format::of(packed).unwrap(), packed, &Guesses::default())
}

pub fn make(
    plain: &[u8],
    recipe: &[u8],
    bytes: u64,
    threads: usize,
) -> Result<Vec<u8>, RecodeError> {
    let mut out = Vec::new();
    let options = EncodeOptions {
        stream_bytes: bytes,
        threads,
    };
    let made = reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options);
    assert!(out.len() as u64 <= bytes);
    made.map(|()| out)
}

#[track_caller]
pub fn comes_back(packed: &[u8], plain: &[u8]) -> RecodeAnalysis {
    let (found, opened, recipe) = open(packed).unwrap();
    assert!(opened == plain);
    for threads in [1, 4] {
        let made = make(plain, &recipe, found.stream_bytes, threads).unwrap();
        assert!(made == packed[..made.len()]);
    }
    assert_eq!(found.recipe_bytes, recipe.len() as u64);
    assert_eq!(found.plain_bytes, plain.len() as u64);
    found
}

/// What a tool makes of bytes.
pub fn tool(program: &str, arguments: &str, plain: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .args(arguments.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(plain).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{program} {arguments}");
    output.stdout
}

/// The encoder that this program is built with writes what the tools of the last years wrote. When a later version fails
/// here, bundles that exist would no longer be read: it needs a number of its own (docs/decisions/019-recode.md).
#[test]
fn golden_streams_and_recipes_stay_what_they_are() {
    let mut names: Vec<String> = fs::read_dir(data("streams"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names.len() >= 33);
    for name in names {
        let packed = fs::read(data("streams").join(&name)).unwrap();
        let (found, plain, recipe) = open(&packed).unwrap();
        let kept = data("recipes").join(format!("{name}.recipe"));
        if !kept.exists() && std::env::var_os("CARRYALL_WRITE_RECIPES").is_some() {
            fs::write(&kept, &recipe).unwrap();
        }
        let kept = fs::read(kept).unwrap();
        assert!(kept == recipe, "{name}");
        assert_eq!(
            hash(&plain).map(|byte| format!("{byte:02x}")).concat(),
            GOLDEN_TEXT
        );
        let made = make(&plain, &kept, packed.len() as u64, 2).unwrap();
        assert!(made == packed, "{name}");
        // Levels 7 to 9 differ from 6 by their dictionary alone, and levels with -e too.
        let level = name
            .strip_prefix("xz-")
            .and_then(|name| name.strip_suffix(".xz"));
        if let Some(level) = level.filter(|level| level.len() <= 2) {
            assert_eq!(found.writer, format!("xz -{level}"));
        }
        if name.ends_with(".bz2") {
            assert!(found.writer.starts_with("bzip2 -"), "{}", found.writer);
        }
        if name.ends_with(".lz4") {
            assert!(found.writer.starts_with("lz4 -"), "{}", found.writer);
        }
    }
}

#[test]
fn what_xz_writes_today_comes_back() {
    if !has(&["xz"]) {
        return;
    }
    let plain = text(11, 150_000);
    for arguments in [
        "-c -T1 -0",
        "-c -T1 -2",
        "-c -T1 -5e",
        "-c -T2 -6",
        "-c -T2 -1 --block-size=40000",
        "-c -T1 --block-size=70000 --check=sha256",
        "-c --check=none --x86 --lzma2=preset=6,dict=1MiB",
        "-c --check=crc32 --delta=dist=4 --lzma2=preset=2,lc=2,lp=2,pb=0",
        "-c --arm --delta --lzma2=preset=0,dict=96KiB",
        "-c --format=lzma -6",
        "-c --format=lzma -0e",
    ] {
        let packed = tool("xz", arguments, &plain);
        let found = comes_back(&packed, &plain);
        assert!(found.recipe_bytes < 400, "{}", found.recipe_bytes);
        if Format::of(&packed) == Some(Format::Xz) {
            // Two streams with padding between, and something behind.
            let all = [&packed[..], &[0; 8], &packed, b"behind"].concat();
            let found = comes_back(&all, &[&plain[..], &plain].concat());
            assert_eq!(found.stream_bytes, all.len() as u64 - 6);
        }
    }
}

#[test]
fn what_bzip2_and_pbzip2_write_today_comes_back() {
    // Runs are coded before anything else, so the first block of this has a length of its own.
    let plain = [&[7; 800_000][..], &text(11, 400_000), &noise(2, 200_000)].concat();
    for (program, arguments) in [
        ("bzip2", "-c -1"),
        ("bzip2", "-c -6"),
        ("bzip2", "-c -9"),
        ("pbzip2", "-c -p2 -b2 -9"),
    ] {
        if !has(&[program]) {
            continue;
        }
        let packed = tool(program, arguments, &plain);
        let found = comes_back(&packed, &plain);
        assert!(found.recipe_bytes < 300, "{}", found.recipe_bytes);
        // Two streams, and something behind.
        let all = [&packed[..], &packed, b"behind"].concat();
        let found = comes_back(&all, &[&plain[..], &plain].concat());
        assert_eq!(found.stream_bytes, all.len() as u64 - 6);
    }
}

#[test]
fn what_lz4_writes_today_comes_back() {
    if !has(&["lz4"]) {
        return;
    }
    let plain = [text(12, 5_000_000), noise(5, 300_000), text(13, 100_000)].concat();
    for arguments in [
        "-q -c -1",
        "-q -c -2",
        "-q -c -9",
        "-q -c -12 -B6",
        "-q -c -3 -BD",
        "-q -c -1 -B4 -BD",
        "-q -c -9 --no-frame-crc",
    ] {
        let packed = tool("lz4", arguments, &plain);
        let found = comes_back(&packed, &plain);
        assert!(found.recipe_bytes < 60, "{arguments}: {found:?}");
        // Bytes behind the last frame are not part of the stream.
        let longer = [&packed[..], b"behind"].concat();
        assert_eq!(open(&longer).unwrap().0.stream_bytes, packed.len() as u64);
        let cut = &packed[..packed.len() - 1];
        assert!(
            matches!(open(cut), Err(RecodeError::Truncated)),
            "{arguments}"
        );
    }
    // What hardly anybody writes: checksums of blocks, and the format from before frames.
    let checked = tool("lz4", "-q -c -BX", &plain);
    assert!(matches!(open(&checked), Err(RecodeError::Unknown)));
    assert_eq!(Format::of(&tool("lz4", "-q -c -l", &plain)), None);
    let mut hurt = tool("lz4", "-q -c", &plain);
    hurt[50_000] ^= 0x55;
    assert!(open(&hurt).is_err());
}

#[test]
fn a_bzip2_stream_of_another_encoder_is_refused_and_one_of_nothing_is_none() {
    if has(&["lbzip2"]) {
        let packed = tool("lbzip2", "-c -n2 -9", &text(2, 2_000_000));
        assert!(matches!(open(&packed), Err(RecodeError::Unknown)));
    }
    if has(&["bzip2"]) {
        assert_eq!(Format::of(&tool("bzip2", "-c", b"")), None);
    }
    let golden = fs::read(data("streams/bzip2-5.bz2")).unwrap();
    let (_, plain, recipe) = open(&golden).unwrap();
    // The level stands behind the version and the number of the encoder.
    assert_eq!(recipe[..4], [1, 1, 3, 5]);
    for level in [0, 10, 255] {
        let mut hostile = recipe.clone();
        hostile[3] = level;
        assert!(make(&plain, &hostile, golden.len() as u64, 1).is_err());
    }
    for cut in (0..golden.len()).step_by(41) {
        assert!(open_as(Format::Bzip2, &golden[..cut], &Guesses::default()).is_err());
    }
    for at in (0..golden.len()).step_by(29) {
        let mut other = golden.clone();
        other[at] ^= 0x21;
        if let Ok((found, plain, recipe)) = open_as(Format::Bzip2, &other, &Guesses::default()) {
            let made = make(&plain, &recipe, found.stream_bytes, 1).unwrap();
            assert!(made == other[..made.len()], "{at}");
        }
    }
}

#[test]
fn what_does_not_get_shorter_comes_back_from_one_thread_and_from_several() {
    if !has(&["xz"]) {
        return;
    }
    let noise = noise(5, 400_000);
    let mixed = [&noise[..200_000], &text(3, 99_999)].concat();
    for arguments in ["-c -T1 -6", "-c -T2 -1 --block-size=150000", "-c -T2 -0"] {
        for plain in [&noise[..], &noise[..7], &mixed] {
            comes_back(&tool("xz", arguments, plain), plain);
        }
    }
}

#[test]
fn what_others_write_is_refused() {
    let mut other = Vec::new();
    let plain = text(2, 200_000);
    let mut options = lzma_rust2::XzOptions::with_preset(6);
    options.set_block_size(None);
    let mut writer = lzma_rust2::XzWriter::new(&mut other, options).unwrap();
    writer.write_all(&plain).unwrap();
    writer.finish().unwrap();
    match open(&other) {
        Err(RecodeError::Unknown) => {}
        // Should it write the same bytes one day, they come back.
        Ok((found, plain, recipe)) => {
            assert!(make(&plain, &recipe, found.stream_bytes, 1).unwrap() == other);
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn headers_that_ask_for_too_much_are_refused_before_anything_is_allocated() {
    let packed = fs::read(data("streams/xz-0.xz")).unwrap();
    // Byte 16 of a block without sizes is its dictionary: 40 is 4 GiB.
    assert_eq!(packed[14..16], [0x21, 1]);
    for (bits, is_limit) in [
        (28, false),
        (29, true),
        (40, true),
        (41, false),
        (0xff, false),
    ] {
        let mut hostile = packed.clone();
        hostile[16] = bits;
        let opened = open(&hostile);
        assert_eq!(
            matches!(opened, Err(RecodeError::Limit)),
            is_limit,
            "{bits}"
        );
        assert_eq!(opened.is_ok(), bits == 28);
    }
    // Reserved flags of a block, a filter that nobody knows, a check that is reserved.
    for (at, value, refused) in [
        (13, 0x3c, true),
        (14, 0x22, true),
        (7, 15, true),
        (6, 1, true),
    ] {
        let mut hostile = packed.clone();
        hostile[at] = value;
        assert_eq!(open(&hostile).is_err(), refused, "{at}");
    }
    // An index of 2^60 records ends with the file.
    let index = packed.len() - 12 - 8;
    let begin = packed[..index].iter().rposition(|byte| *byte == 0).unwrap();
    let mut hostile = packed[..=begin].to_vec();
    hostile.extend_from_slice(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]);
    hostile.extend_from_slice(&packed);
    assert!(open(&hostile).is_err());
    // A lzma header may ask for 4 GiB too.
    let mut lone = fs::read(data("streams/xz-0.lzma")).unwrap();
    lone[1..5].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    assert!(matches!(open(&lone), Err(RecodeError::Limit)));
}

#[test]
fn an_index_that_disagrees_and_checks_that_lie_come_back_as_they_are() {
    let packed = fs::read(data("streams/xz-threads.xz")).unwrap();
    let (found, ..) = open(&packed).unwrap();
    for at in [8, 9, packed.len() - 14, packed.len() - 9, packed.len() - 30] {
        let mut other = packed.clone();
        other[at] ^= 0x55;
        let (again, plain, recipe) = open(&other).unwrap();
        assert_eq!(again.stream_bytes, found.stream_bytes);
        assert!(make(&plain, &recipe, again.stream_bytes, 2).unwrap() == other);
    }
}

#[test]
fn every_truncation_is_refused_and_every_flipped_byte_is_refused_or_comes_back() {
    let whole = fs::read(data("streams/xz-0.xz")).unwrap();
    let guesses = Guesses::default();
    for cut in (0..whole.len())
        .step_by(37)
        .chain(whole.len() - 40..whole.len())
    {
        assert!(
            open_as(Format::Xz, &whole[..cut], &guesses).is_err(),
            "{cut}"
        );
    }
    for at in (0..40)
        .chain((40..whole.len()).step_by(171))
        .chain(whole.len() - 40..whole.len())
    {
        let mut other = whole.clone();
        other[at] ^= 0x21;
        if let Ok((found, plain, recipe)) = open_as(Format::Xz, &other, &guesses) {
            let made = make(&plain, &recipe, found.stream_bytes, 1).unwrap();
            assert!(made == other[..made.len()], "{at}");
        }
    }
}

#[test]
fn hostile_recipes_are_refused() {
    let packed = fs::read(data("streams/xz-0.xz")).unwrap();
    let (found, plain, recipe) = open(&packed).unwrap();
    for cut in 0..recipe.len() {
        assert!(
            make(&plain, &recipe[..cut], found.stream_bytes, 2).is_err(),
            "{cut}"
        );
    }
    for at in 0..recipe.len() {
        for value in [0, 3, 0xff] {
            let mut other = recipe.clone();
            other[at] = value;
            let made = make(&plain, &other, found.stream_bytes, 2);
            assert!(made.is_err() || made.unwrap().len() == packed.len());
        }
    }
    // Pieces without end, of one byte each: an encoder takes time for each.
    let mut many = recipe;
    for _ in 0..1000 {
        many.extend_from_slice(&[2, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
    let long = [&plain[..], &[0; 1000]].concat();
    assert!(matches!(
        make(&long, &many, u64::MAX, 1),
        Err(RecodeError::Corrupt("number of pieces"))
    ));
}

#[test]
fn what_costs_too_much_is_given_up() {
    let packed = fs::read(data("streams/xz-threads.xz")).unwrap();
    let options = RecodeOptions {
        format: Format::Xz,
        plain_limit_bytes: 1 << 24,
        ratio_limit: 1032,
        recipe_limit_per_mille: 125,
        guesses: &Guesses::default(),
        watch: &|_| true,
        clock: &|| Duration::ZERO,
        affords: &|_, _| true,
    };
    let fails = |options: RecodeOptions<'_>| {
        let (mut plain, mut recipe) = (Vec::new(), Vec::new());
        analyze(&mut &packed[..], &mut plain, &mut recipe, &options).unwrap_err()
    };
    let affords = |plain_bytes, _| plain_bytes < 50_000;
    let slow = RecodeOptions {
        affords: &affords,
        ..options
    };
    assert!(matches!(fails(slow), RecodeError::Stopped));
    let watched = RecodeOptions {
        watch: &|_| false,
        ..options
    };
    assert!(matches!(fails(watched), RecodeError::Stopped));
    let small = RecodeOptions {
        plain_limit_bytes: 59_999,
        ..options
    };
    assert!(matches!(fails(small), RecodeError::Limit));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn bytes_of_any_kind_behind_a_header_never_do_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        kind in 0_usize..3,
    ) {
        let kinds = [("xz-0.lzma", 13), ("xz-0.xz", 24), ("bzip2-1.bz2", 30), ("lz4-frames.lz4", 62)];
        let (name, kept) = kinds[kind];
        let head = fs::read(data("streams").join(name)).unwrap();
        let hostile = [&head[..kept], &bytes].concat();
        let format = Format::of(&hostile).unwrap();
        if let Ok((found, plain, recipe)) = open_as(format, &hostile, &Guesses::default()) {
            let made = make(&plain, &recipe, found.stream_bytes, 1).unwrap();
            prop_assert!(made == hostile[..made.len()]);
        }
        // And as a recipe.
        let recipe = [&[1][..], &bytes].concat();
        let _ = make(&head, &recipe, 5000, 2);
    }
}
