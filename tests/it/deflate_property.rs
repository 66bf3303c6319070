//! Properties of opening deflate streams: whatever is opened comes back byte for byte, from any writer and out of any bytes;
//! damaged streams and hostile recipes are errors, never panics, and never more output than was allowed.

use crate::testkit::deflate_blocks::{
    Bits, Kind, distance, distance_symbol, dynamic_header, symbol,
};
use crate::testkit::properties::cases;

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use carryall::deflate::{
    AnalyzeOptions, Experience, ReconstructOptions, Wrapper, analyze, reconstruct,
};
use flate2::Compression;
use proptest::prelude::*;

/// Most plain bytes of a stream here.
const PLAIN_LIMIT_BYTES: u64 = 1 << 20;

fn options(wrapper: Wrapper) -> AnalyzeOptions<'static> {
    AnalyzeOptions {
        wrapper,
        plain_limit_bytes: PLAIN_LIMIT_BYTES,
        ratio_limit: 2000,
        recipe_limit_per_mille: 100_000,
        ..AnalyzeOptions::default()
    }
}

/// Opens a stream and re-makes it; `None` when it is refused. Gives the plain bytes and those that were taken.
fn round_trip(packed: &[u8], wrapper: Wrapper) -> Option<(Vec<u8>, usize)> {
    round_trip_after(None, packed, wrapper)
}

/// As [`round_trip`], after what other streams taught.
fn round_trip_after(
    experience: Option<&Experience>,
    packed: &[u8],
    wrapper: Wrapper,
) -> Option<(Vec<u8>, usize)> {
    let (mut plain, mut recipe) = (Vec::new(), Vec::new());
    let result = {
        let options = AnalyzeOptions {
            experience,
            ..options(wrapper)
        };
        analyze(&mut &packed[..], &mut plain, &mut recipe, &options)
    };
    assert!(plain.len() as u64 <= PLAIN_LIMIT_BYTES + (1 << 17));
    let analysis = result.ok()?;
    assert_eq!(analysis.plain_bytes, plain.len() as u64);
    let taken = usize::try_from(analysis.stream_bytes).unwrap();
    for threads in [1, 3] {
        let mut out = Vec::new();
        let options = ReconstructOptions {
            stream_bytes: analysis.stream_bytes,
            threads,
        };
        reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options).unwrap();
        assert!(out == packed[..taken], "comes back otherwise");
    }
    Some((plain, taken))
}

/// A piece of plain text.
#[derive(Debug, Clone)]
enum Piece {
    Run(u8, usize),
    Noise(u32, usize),
    Text(u32, usize),
    Records(u32, usize),
    /// What stood `distance` before, once more.
    Again(usize, usize),
}

fn next(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state >> 8
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (any::<u8>(), 1_usize..3000).prop_map(|(byte, len)| Piece::Run(byte, len)),
        (any::<u32>(), 1_usize..2000).prop_map(|(seed, len)| Piece::Noise(seed, len)),
        (any::<u32>(), 1_usize..12_000).prop_map(|(seed, len)| Piece::Text(seed, len)),
        (any::<u32>(), 1_usize..6000).prop_map(|(seed, len)| Piece::Records(seed, len)),
        (1_usize..40_000, 3_usize..3000).prop_map(|(back, len)| Piece::Again(back, len)),
        (32_400_usize..32_800, 3_usize..600).prop_map(|(back, len)| Piece::Again(back, len)),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| {
        let mut plain = Vec::new();
        pieces.iter().for_each(|piece| push(&mut plain, piece));
        plain
    })
}

fn push(plain: &mut Vec<u8>, piece: &Piece) {
    let end = plain.len();
    match *piece {
        Piece::Run(byte, len) => plain.resize(end + len, byte),
        Piece::Noise(mut seed, len) => {
            plain.extend((0..len).map(|_| next(&mut seed).to_le_bytes()[0]))
        }
        Piece::Text(mut seed, len) => {
            while plain.len() < end + len {
                let at = (next(&mut seed) as usize * next(&mut seed) as usize) % WORDS.len();
                plain.extend_from_slice(WORDS[at].as_bytes());
            }
        }
        Piece::Records(mut seed, len) => {
            let mut address = next(&mut seed);
            while plain.len() < end + len {
                address += next(&mut seed) % 64;
                plain.extend_from_slice(&address.to_le_bytes());
                plain.extend_from_slice(&(next(&mut seed) % 3).to_le_bytes());
            }
        }
        Piece::Again(back, len) if back <= end => {
            (end - back..end - back + len).for_each(|at| plain.push(plain[at]));
        }
        Piece::Again(..) => {}
    }
}

const WORDS: [&str; 16] = [
    "the ", "release ", "of ", "a ", "store ", "is ", "kept ", "volume ", "and ", "packed, ",
    "layer", "\n", "fn ", "return ", "0x00", "0000",
];

fn packed_by_flate2(plain: &[u8], wrapper: Wrapper, level: u32) -> Vec<u8> {
    let (mut packed, level) = (Vec::new(), Compression::new(level));
    match wrapper {
        Wrapper::Gzip => flate2::read::GzEncoder::new(plain, level).read_to_end(&mut packed),
        Wrapper::Zlib => flate2::read::ZlibEncoder::new(plain, level).read_to_end(&mut packed),
        Wrapper::Raw => flate2::read::DeflateEncoder::new(plain, level).read_to_end(&mut packed),
    }
    .unwrap();
    packed
}

/// As a greedy writer with a small window makes it: no match reaches back farther than `window` bytes less 262.
fn packed_in_a_small_window(plain: &[u8], window: usize) -> Vec<u8> {
    let reach = window - 262;
    let (mut bits, mut at) = (Bits::default(), 0);
    bits.put(1, 1);
    bits.put(Kind::Fixed as u32, 2);
    while at < plain.len() {
        let low = at.saturating_sub(reach);
        let three = plain.get(at..at + 3);
        let found = three.and_then(|three| {
            let places = (low..at).rev().take(2000);
            places
                .into_iter()
                .find(|place| plain[*place..*place + 3] == *three)
        });
        let Some(found) = found else {
            symbol(&mut bits, Kind::Fixed, u32::from(plain[at]));
            at += 1;
            continue;
        };
        let same = plain[found..].iter().zip(&plain[at..]);
        let len = same
            .take(10)
            .take_while(|(one, other)| one == other)
            .count();
        symbol(&mut bits, Kind::Fixed, u32::try_from(254 + len).unwrap());
        distance(&mut bits, Kind::Fixed, u32::try_from(at - found).unwrap());
        at += len;
    }
    symbol(&mut bits, Kind::Fixed, 256);
    bits.put(0, bits.free);
    bits.bytes
}

/// What a program of this machine makes of it, if it is there.
fn packed_by(command: &[&str], plain: &[u8]) -> Option<Vec<u8>> {
    let mut child = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let (mut stdin, plain) = (child.stdin.take().unwrap(), plain.to_vec());
    let writer = std::thread::spawn(move || stdin.write_all(&plain));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    Some(output.stdout)
}

/// Valid blocks of any tokens: lengths 3 to 10 and 258 at distances 1 to 4 and 24577 to 32768, literals, stored bytes.
fn any_blocks() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![Just(Kind::Stored), Just(Kind::Fixed), Just(Kind::Dynamic)];
    let tokens = proptest::collection::vec(any::<(u8, u8, u16)>(), 0..600);
    let block = (kind, tokens, any::<u8>());
    proptest::collection::vec(block, 1..8).prop_map(|blocks| {
        let (mut bits, mut plain_bytes) = (Bits::default(), 0_u32);
        let last = blocks.len() - 1;
        for (no, (kind, tokens, padding)) in blocks.iter().enumerate() {
            bits.put(u32::from(no == last), 1);
            bits.put(*kind as u32, 2);
            if *kind == Kind::Stored {
                bits.put(u32::from(*padding), bits.free);
                let len = u32::try_from(tokens.len()).unwrap();
                bits.put(len | (!len << 16), 32);
                tokens
                    .iter()
                    .for_each(|token| bits.put(u32::from(token.0), 8));
                plain_bytes += len;
                continue;
            }
            if *kind == Kind::Dynamic {
                dynamic_header(&mut bits);
            }
            for &(what, byte, extra) in tokens {
                let is_far = what & 1 == 1 && plain_bytes > 32_768;
                if what % 3 == 0 || plain_bytes < 4 {
                    symbol(&mut bits, *kind, u32::from(byte));
                    plain_bytes += 1;
                    continue;
                }
                let is_longest = what & 12 == 12;
                let length = if is_longest {
                    285
                } else {
                    257 + u32::from(byte % 8)
                };
                symbol(&mut bits, *kind, length);
                plain_bytes += if is_longest { 258 } else { length - 254 };
                if is_far {
                    distance_symbol(&mut bits, *kind, 29);
                    bits.put(u32::from(extra) & 0x1fff, 13);
                } else {
                    distance_symbol(&mut bits, *kind, u32::from(extra) % 4);
                }
            }
            symbol(&mut bits, *kind, 256);
        }
        bits.put(0, bits.free);
        bits.bytes
    })
}

/// Some change of the bytes of a stream or recipe.
#[derive(Debug, Clone)]
enum Damage {
    Cut(u32),
    Flip(u32, u8),
    Set(u32, u8),
    Drop(u32, u16),
    Twice(u32, u16),
}

fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![
        any::<u32>().prop_map(Damage::Cut),
        (any::<u32>(), 0_u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        any::<(u32, u8)>().prop_map(|(at, byte)| Damage::Set(at, byte)),
        any::<(u32, u16)>().prop_map(|(at, len)| Damage::Drop(at, len)),
        any::<(u32, u16)>().prop_map(|(at, len)| Damage::Twice(at, len)),
    ];
    proptest::collection::vec(one, 1..4)
}

fn hurt(bytes: &mut Vec<u8>, damage: &[Damage]) {
    for one in damage {
        if bytes.is_empty() {
            return;
        }
        let place = |at: u32| at as usize % bytes.len();
        let end = |at: usize, len: u16| bytes.len().min(at + usize::from(len) % 300);
        match *one {
            Damage::Cut(at) => bytes.truncate(place(at)),
            Damage::Flip(at, bit) => {
                let at = place(at);
                bytes[at] ^= 1 << bit;
            }
            Damage::Set(at, byte) => {
                let at = place(at);
                bytes[at] = byte;
            }
            Damage::Drop(at, len) => {
                let at = place(at);
                bytes.drain(at..end(at, len));
            }
            Damage::Twice(at, len) => {
                let at = place(at);
                let again = bytes[at..end(at, len)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn wrappers() -> impl Strategy<Value = Wrapper> {
    prop_oneof![Just(Wrapper::Gzip), Just(Wrapper::Zlib), Just(Wrapper::Raw)]
}

proptest! {
    #![proptest_config(cases(40))]

    #[test]
    fn any_text_comes_back_from_flate2(plain in pieces(), wrapper in wrappers(), level in 0_u32..10) {
        let packed = packed_by_flate2(&plain, wrapper, level);
        let (back, taken) = round_trip(&packed, wrapper).unwrap();
        prop_assert!(back == plain);
        prop_assert_eq!(taken, packed.len());
    }

    #[test]
    fn any_text_comes_back_from_programs(plain in pieces(), level in 1_u32..10) {
        let level = format!("-{level}");
        for command in [
            &["gzip", "-nc", &level][..],
            &["pigz", "-nc", "-b", "32", &level],
            &["pigz", "-nci", "-p", "2", &level],
            &["pigz", "-zc", "-p", "1", &level],
        ] {
            let Some(packed) = packed_by(command, &plain) else { continue };
            let wrapper = if command[1] == "-zc" { Wrapper::Zlib } else { Wrapper::Gzip };
            let (back, taken) = round_trip(&packed, wrapper).unwrap();
            prop_assert!(back == plain);
            prop_assert_eq!(taken, packed.len());
        }
    }

    /// Members of an archive in a row: each learns who wrote those before, also when that is a writer of whom nothing
    /// is known, as zlib with a small window is (python's zlib, zip libraries for small devices).
    #[test]
    fn members_in_a_row_come_back(
        texts in proptest::collection::vec((pieces(), 0_u32..12), 1..6), window_bits in 9_u8..16,
        foreign in any_blocks(),
    ) {
        let experience = Experience::default();
        for (plain, what) in &texts {
            let packed = match what {
                0 => foreign.clone(),
                1..=9 => packed_by_flate2(plain, Wrapper::Raw, *what),
                _ => packed_in_a_small_window(plain, 1 << window_bits),
            };
            let (back, taken) = round_trip_after(Some(&experience), &packed, Wrapper::Raw).unwrap();
            prop_assert_eq!(taken, packed.len());
            prop_assert!(*what == 0 || back == *plain);
        }
    }

    #[test]
    fn any_tokens_come_back(packed in any_blocks()) {
        let (plain, taken) = round_trip(&packed, Wrapper::Raw).unwrap();
        let mut known = Vec::new();
        flate2::read::DeflateDecoder::new(&packed[..]).read_to_end(&mut known).unwrap();
        prop_assert!(plain == known);
        prop_assert_eq!(taken, packed.len());
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn damaged_streams_are_refused_or_come_back(
        plain in pieces(), wrapper in wrappers(), level in 0_u32..10, damage in damage(),
    ) {
        let mut packed = packed_by_flate2(&plain, wrapper, level);
        hurt(&mut packed, &damage);
        round_trip(&packed, wrapper);
    }

    #[test]
    fn damaged_blocks_are_refused_or_come_back(mut packed in any_blocks(), damage in damage()) {
        hurt(&mut packed, &damage);
        round_trip(&packed, Wrapper::Raw);
    }

    #[test]
    fn any_bytes_are_refused_or_come_back(bytes in proptest::collection::vec(any::<u8>(), 0..3000), wrapper in wrappers()) {
        round_trip(&bytes, wrapper);
        let mut member = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
        member.extend_from_slice(&bytes);
        round_trip(&member, Wrapper::Gzip);
    }

    #[test]
    fn hostile_recipes_stay_within_the_stream(
        plain in pieces(), level in 0_u32..10, damage in damage(), bytes in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let packed = packed_by_flate2(&plain, Wrapper::Gzip, level);
        let mut recipe = Vec::new();
        analyze(&mut &packed[..], &mut std::io::sink(), &mut recipe, &options(Wrapper::Gzip)).unwrap();
        let stream_bytes = packed.len() as u64;
        hurt(&mut recipe, &damage);
        let behind_the_front = [&recipe[..recipe.len().min(8)], &bytes[..]].concat();
        for (recipe, threads) in [(&recipe, 1), (&recipe, 2), (&bytes, 1), (&behind_the_front, 2)] {
            let mut out = Vec::new();
            let options = ReconstructOptions { stream_bytes, threads };
            let result = reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options);
            prop_assert!(out.len() as u64 <= stream_bytes);
            prop_assert!(result.is_err() || out.len() as u64 == stream_bytes);
        }
    }

    #[test]
    fn other_plain_text_is_no_panic(plain in pieces(), other in pieces(), level in 0_u32..10) {
        let packed = packed_by_flate2(&plain, Wrapper::Gzip, level);
        let mut recipe = Vec::new();
        analyze(&mut &packed[..], &mut std::io::sink(), &mut recipe, &options(Wrapper::Gzip)).unwrap();
        let mut out = Vec::new();
        let options = ReconstructOptions { stream_bytes: packed.len() as u64, threads: 1 };
        let _ = reconstruct(&mut &recipe[..], &mut &other[..], &mut out, &options);
        prop_assert!(out.len() <= packed.len());
    }
}
