//! Zstd streams of klauspost's encoder, golden ones of five versions and those that skopeo writes: each opens into its plain text and
//! a small recipe, and comes back byte for byte. Those of other encoders are refused.
//!
//! `CARRYALL_WRITE_RECIPES=1` writes recipes that are not there yet.

use std::fs;

use carryall::base::id::hash;
use carryall::recode::{Format, Guesses, RecodeError};
use proptest::prelude::*;

use crate::recode::{comes_back, data, make, open, open_as};
use crate::testkit::bytes::{noise, text};

/// BLAKE3 of the text that all golden streams unpack to.
const GOLDEN_TEXT: &str = "52f514d65dbf8f3f70ecc7a16f28dc6e3979a9ee00d5725fc7a5c75e0e2604c5";

fn golden(name: &str) -> Vec<u8> {
    fs::read(data("klauspost").join(name)).unwrap()
}

/// What a recipe makes of plain bytes: settings, parts with a flush behind each, and the last bytes.
fn frame(settings: [u8; 4], parts: &[u64], plain: &[u8]) -> Vec<u8> {
    // A window, no size, no checksum.
    let header = [0x28, 0xb5, 0x2f, 0xfd, 0, (settings[2] - 10) << 3];
    let mut recipe = vec![1, 0, 6, 0, 0, 0, 0, 0, 0, 0];
    recipe.extend_from_slice(&header);
    recipe.extend_from_slice(&[1, 4]);
    recipe.extend_from_slice(&settings);
    for part in parts {
        recipe.push(4);
        recipe.extend_from_slice(&part.to_le_bytes());
    }
    recipe.push(2);
    let last = plain.len() as u64 - parts.iter().sum::<u64>();
    recipe.extend_from_slice(&last.to_le_bytes());
    let mut out = Vec::new();
    let options = carryall::recode::EncodeOptions {
        stream_bytes: 1 << 30,
        threads: 1,
    };
    let made = carryall::recode::reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options);
    assert!(matches!(made, Err(RecodeError::Length)), "{made:?}");
    out
}

/// The model writes what five versions of the encoder wrote. When a change fails here, bundles that exist would no longer be
/// read.
#[test]
fn golden_zstd_streams_and_recipes_stay_what_they_are() {
    let mut names: Vec<String> = fs::read_dir(data("klauspost"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".zst"))
        .collect();
    names.sort();
    assert!(names.len() >= 20);
    for name in names {
        let packed = golden(&name);
        let (found, plain, recipe) = open(&packed).unwrap();
        let kept = data("klauspost").join(format!("{name}.recipe"));
        if !kept.exists() && std::env::var_os("CARRYALL_WRITE_RECIPES").is_some() {
            fs::write(&kept, &recipe).unwrap();
        }
        let kept = fs::read(kept).unwrap();
        assert!(kept == recipe, "{name}");
        assert!(recipe.len() <= 60 || name.contains("fl") || name.contains("frames"));
        let id = hash(&plain).map(|byte| format!("{byte:02x}")).concat();
        assert_eq!(id, GOLDEN_TEXT);
        let made = make(&plain, &kept, packed.len() as u64, 2).unwrap();
        assert!(made == packed, "{name}");
        let level = ["fastest", "default", "better"]
            [usize::from(name.as_bytes()[name.find("-").unwrap() + 1] - b'1')];
        assert!(found.writer.ends_with(level), "{name}: {}", found.writer);
    }
}

#[test]
fn frames_that_follow_one_another_are_one_stream() {
    let one = golden("v1.19.0-2-stream.zst");
    let other = golden("v1.19.0-2-flushed.zst");
    let (_, plain, _) = open(&one).unwrap();
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0][..], b"padd?"].concat();
    let all = [&one[..], &skippable, &other, &skippable, b"behind"].concat();
    let found = comes_back(&all, &[&plain[..], &plain].concat());
    assert_eq!(found.stream_bytes, all.len() as u64 - 6);
    // A frame of nothing, as the encoder writes it, beside one of something.
    let nothing = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];
    comes_back(&[&nothing[..], &one].concat(), &plain);
    assert!(matches!(open(&nothing), Err(RecodeError::Unknown)));
}

#[test]
fn what_libzstd_writes_is_refused() {
    let plain = [text(2, 300_000), noise(3, 5000)].concat();
    for level in [1, 3, 9] {
        let packed = zstd::encode_all(&plain[..], level).unwrap();
        assert!(matches!(open(&packed), Err(RecodeError::Unknown)));
        // A stream of two writers, too.
        let mixed = [&golden("v1.19.0-2-stream.zst")[..], &packed].concat();
        assert!(matches!(open(&mixed), Err(RecodeError::Unknown)));
    }
}

#[test]
fn frames_that_ask_for_too_much_or_for_what_nobody_writes_are_refused() {
    let packed = golden("v1.19.0-2-stream.zst");
    assert_eq!(packed[4..6], [4, 13 << 3]);
    // Windows of 64 MiB and of no power of two, dictionaries, and a reserved bit.
    for (at, value) in [
        (5, 16 << 3),
        (5, 0xff),
        (5, (13 << 3) + 1),
        (4, 5),
        (4, 7),
        (4, 12),
    ] {
        let mut hostile = packed.clone();
        hostile[at] = value;
        assert!(matches!(open(&hostile), Err(RecodeError::Unknown)), "{at}");
    }
    // A length of the content that is wrong, and one that is beyond all windows.
    let whole = golden("v1.19.0-2-whole.zst");
    assert_eq!(whole[4], 0xa4);
    for (at, value) in [(5, whole[5] ^ 1), (8, 0xff)] {
        let mut hostile = whole.clone();
        hostile[at] = value;
        assert!(open(&hostile).is_err(), "{at}");
    }
    // Blocks of a reserved kind, and longer ones than there are.
    for header in [6_u32, 0x20_0001 << 3, (128 << 10 << 3) + 12] {
        let mut hostile = packed[..6].to_vec();
        hostile.extend_from_slice(&header.to_le_bytes()[..3]);
        hostile.extend_from_slice(&noise(1, 140_000));
        assert!(open(&hostile).is_err());
    }
}

#[test]
fn every_cut_is_refused_and_every_flipped_byte_is_refused_or_comes_back() {
    let whole = golden("v1.19.0-2-frames.zst");
    for cut in (0..whole.len()).step_by(211).chain([whole.len() - 1]) {
        let Ok((found, plain, recipe)) = open_as(Format::Zstd, &whole[..cut], &Guesses::default())
        else {
            continue;
        };
        // A cut between frames.
        let made = make(&plain, &recipe, found.stream_bytes, 1).unwrap();
        assert!(made == whole[..made.len()] && found.stream_bytes <= cut as u64);
    }
    for at in (0..whole.len()).step_by(97) {
        let mut other = whole.clone();
        other[at] ^= 0x21;
        if let Ok((found, plain, recipe)) = open_as(Format::Zstd, &other, &Guesses::default()) {
            let made = make(&plain, &recipe, found.stream_bytes, 1).unwrap();
            assert!(made == other[..made.len()], "{at}");
        }
    }
}

#[test]
fn hostile_recipes_of_zstd_are_refused() {
    let packed = golden("v1.19.0-2-flushed.zst");
    let (found, plain, recipe) = open(&packed).unwrap();
    let made = |recipe: &[u8]| make(&plain, recipe, found.stream_bytes, 2);
    assert!(made(&recipe).unwrap() == packed);
    for cut in 0..recipe.len() {
        assert!(made(&recipe[..cut]).is_err(), "{cut}");
    }
    for at in 0..recipe.len() {
        for value in [0, 1, 3, 4, 26, 0xff] {
            let mut other = recipe.clone();
            other[at] = value;
            let made = made(&other);
            assert!(made.is_err() || made.unwrap().len() == packed.len());
        }
    }
    // Settings stand behind the version, a literal of six bytes, and two numbers.
    let begin = 1 + 9 + 6 + 2;
    assert_eq!(recipe[begin - 2..begin + 4], [1, 4, 5, 2, 23, 17]);
    for (at, values) in [(0, [0, 6]), (1, [0, 4]), (2, [9, 26]), (3, [9, 18])] {
        for value in values {
            let mut other = recipe.clone();
            other[begin + at] = value;
            let refused = made(&other).unwrap_err().to_string();
            assert_eq!(refused, "corrupt settings", "{at}");
        }
    }
    // A flush that nothing follows, one of another encoder, and pieces of nothing.
    let flushed = |bytes: u64| [&[4][..], &bytes.to_le_bytes()].concat();
    let coded = |bytes: u64| [&[2][..], &bytes.to_le_bytes()].concat();
    let head = &recipe[..begin + 4];
    let bzip2 = [1, 1, 3, 9];
    for hostile in [
        [head, &flushed(plain.len() as u64)].concat(),
        [head, &flushed(100), &[0, 1, 0, 0, 0, 0, 0, 0, 0, 7]].concat(),
        [head, &coded(0)].concat(),
        [head, &flushed(0), &coded(9)].concat(),
        [&bzip2[..], &flushed(100), &coded(9)].concat(),
        [&[1][..], &flushed(100), &coded(9)].concat(),
    ] {
        let refused = made(&hostile).unwrap_err();
        assert!(matches!(refused, RecodeError::Corrupt(_)), "{refused:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_the_model_writes_is_zstd_and_is_opened_again(
        pieces in prop::collection::vec((0_u8..6, 1_usize..40_000, any::<u64>()), 1..9),
        era in 1_u8..=5,
        level in 1_u8..=3,
        window_log in 17_u8..=20,
        flushes in prop::collection::vec(1_u64..50_000, 0..4),
    ) {
        let mut plain = Vec::new();
        for (kind, len, seed) in pieces {
            match kind {
                0 => plain.extend(noise(seed, len)),
                1 => plain.extend(vec![seed.to_le_bytes()[0]; 4 * len]),
                2 => plain.extend(noise(seed, len).iter().map(|byte| byte & byte >> 3)),
                3 => plain.extend(noise(seed, 30).iter().cycle().take(len)),
                4 => plain.extend(text(seed, len % 300)),
                _ => plain.extend(text(seed, len)),
            }
        }
        let mut left = plain.len() as u64;
        let parts: Vec<u64> = flushes.into_iter().take_while(|part| {
            let fits = *part < left;
            left = left.saturating_sub(*part);
            fits
        }).collect();
        let block_log = if level == 1 { 16 } else { 17 };
        let packed = frame([era, level, window_log, block_log], &parts, &plain);
        prop_assert!(zstd::decode_all(&packed[..]).unwrap() == plain);
        let (found, opened, recipe) = open(&packed).unwrap();
        prop_assert!(opened == plain);
        prop_assert!(make(&plain, &recipe, found.stream_bytes, 1).unwrap() == packed);
    }
}
