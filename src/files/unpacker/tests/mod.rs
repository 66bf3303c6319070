//! Recipes rebuild exactly what the unpacker read, also from odd, broken and hostile tars.
#![allow(clippy::unwrap_used)]
mod contents;
mod mixed;
mod packages;
mod streams;
mod zips;

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::base::id;
use crate::base::monitor::Silent;
use crate::content::recipe::memory::Memory;
use crate::content::recipe::rebuild::{Proof, write_content};

fn open_with(memory: &Memory, bytes: &[u8], known: &BlobTable) -> (Content, u64, BlobTable) {
    let mut sink = memory.clone();
    let options = OpenOptions::default();
    let mut unpacker = Unpacker::new(memory, &mut sink, known, &options, &Silent);
    let content = unpacker.open(bytes, Path::new("some/file.bin")).unwrap();
    let reused = unpacker.reused_bytes();
    let (mut blobs, taken) = unpacker.into_blobs();
    blobs.extend(taken);
    (content, reused, blobs)
}

/// Opens, rebuilds with every proof, and compares.
fn round_trip(bytes: &[u8]) -> (Memory, Content) {
    let memory = Memory::default();
    let (content, _, _) = open_with(&memory, bytes, &BlobTable::default());
    let mut out = Vec::new();
    write_content(&memory, &content, Proof::EveryBlob, &mut out, &Silent).unwrap();
    assert!(
        out == bytes,
        "{} bytes came back as {}",
        bytes.len(),
        out.len()
    );
    assert_eq!(content.id(), BlobId(id::hash(bytes)));
    (memory, content)
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
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

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, body) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *body).unwrap();
    }
    builder.into_inner().unwrap()
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

/// Makes a header by hand. Its body and padding consist of `pad`.
fn member(kind: u8, size_field: &[u8], body: &[u8], pad: u8) -> Vec<u8> {
    let mut out = vec![0; 512];
    out[..4].copy_from_slice(b"name");
    out[124..124 + size_field.len()].copy_from_slice(size_field);
    out[156] = kind;
    seal(&mut out);
    out.extend_from_slice(body);
    out.resize(out.len().next_multiple_of(512), pad);
    out
}

fn chunk_of(memory: &Memory, bytes: &[u8]) -> bool {
    memory.contains(&crate::base::id::ChunkId::of(bytes))
}

#[test]
fn plain_files_of_every_size_come_back() {
    for len in [
        0,
        1,
        16_384,
        65_536,
        65_537,
        262_144,
        262_145,
        1 << 20,
        9 << 20,
    ] {
        let (_, content) = round_trip(&noise(1, len));
        let whole = matches!(content, Content::Chunk(_));
        assert_eq!(
            whole,
            (1..=65_536).contains(&len) || (whole && len <= CHUNK_MAX),
            "{len}"
        );
    }
    assert_eq!(round_trip(&[]).1, Content::Empty);
}

#[test]
fn bodies_are_chunks_of_their_own_in_tars_of_tars() {
    let small = noise(2, 30_000);
    let large = noise(3, 300_000);
    let inner = tar_of(&[
        ("a/small.py", &small),
        ("a/large.bin", &large),
        ("empty", b""),
    ]);
    let outer = tar_of(&[
        ("layer.tar", &inner),
        ("again.tar", &inner),
        ("x.json", b"{}"),
    ]);
    let (memory, content) = round_trip(&outer);
    assert!(matches!(content, Content::Blob(_)));
    assert!(chunk_of(&memory, &small) && chunk_of(&memory, b"{}"));
    assert!(chunk_of(&memory, &large[..Cutter::cut(&large)]));
}

#[test]
fn nesting_stops_at_the_limit_and_loses_nothing() {
    let mut bytes = noise(4, 70_000);
    for _ in 0..OPEN_DEPTH_MAX + 3 {
        bytes = tar_of(&[("nested.tar", &bytes)]);
    }
    round_trip(&bytes);
}

#[test]
fn known_blobs_are_taken_over_only_when_they_are_whole() {
    let memory = Memory::default();
    let inner = tar_of(&[("a", &noise(5, 200_000)), ("b", b"small")]);
    let outer = tar_of(&[("layer.tar", &inner), ("version", b"1")]);
    let (first, reused, blobs) = open_with(&memory, &outer, &BlobTable::default());
    assert_eq!((reused, blobs.len()), (0, 2));
    let before: HashSet<_> = memory.with(|map| map.keys().copied().collect());
    let (again, reused, same) = open_with(&memory, &outer, &blobs);
    assert_eq!((again, reused, &same), (first, outer.len() as u64, &blobs));
    // The layer is known. What is around it is new, although as long as before.
    let next = tar_of(&[("layer.tar", &inner), ("version", b"2")]);
    assert_eq!(next.len(), outer.len());
    let (_, reused, all) = open_with(&memory, &next, &blobs);
    assert_eq!((reused, all.len()), (inner.len() as u64, 2));
    // The layer has a hole. It is opened again, which heals it.
    let small = crate::base::id::ChunkId::of(b"small");
    memory.with(|map| map.remove(&small));
    let (healed, reused, _) = open_with(&memory, &outer, &blobs);
    assert_eq!((healed, reused), (first, 0));
    assert!(memory.contains(&small) && before.contains(&small));
}

#[test]
fn odd_tars_come_back_and_their_bodies_are_found() {
    let body = noise(6, 5000);
    let octal = b"00000011610\0";
    let base256 = b"\x80\0\0\0\0\0\0\0\0\0\x13\x88";
    let mut sparse = member(b'S', octal, &[], 0);
    sparse[482] = 1;
    seal(&mut sparse);
    let mut map = vec![7; 512];
    map[504] = 1;
    sparse.extend_from_slice(&map);
    map[504] = 0;
    sparse.extend_from_slice(&map);
    sparse.extend_from_slice(&body);
    sparse.resize(sparse.len().next_multiple_of(512), 0);
    let pax = [
        member(b'x', b"00000000015\0", b"13 size=5000\n", 0),
        member(b'0', b"0\0", &body, 0),
    ];
    let link_with_body = [member(b'1', octal, &[], 0), body.clone(), vec![0; 120]].concat();
    for (name, archive, found) in [
        ("non-zero padding", member(b'0', octal, &body, 0xaa), true),
        ("old style", member(0, b"      11610 ", &body, 0), true),
        ("base 256", member(b'0', base256, &body, 0), true),
        ("unknown type", member(b'Z', octal, &body, 0), true),
        ("sparse with more blocks", sparse, true),
        ("pax size", pax.concat(), true),
        ("link with a body", link_with_body, false),
        ("global header", member(b'g', octal, &body, 0), false),
        ("long name", member(b'L', octal, &body, 0), false),
    ] {
        let tail = [
            member(b'0', octal, &noise(7, 5000), 0),
            vec![0; 70_000],
            noise(8, 777),
        ];
        let whole = [archive, tail.concat()].concat();
        let (memory, _) = round_trip(&whole);
        assert_eq!(chunk_of(&memory, &body), found, "{name}");
        assert!(
            chunk_of(&memory, &noise(7, 5000)),
            "{name}: the member behind"
        );
    }
}

#[test]
fn hostile_sizes_are_bytes_like_any_other() {
    for size in [
        &b"77777777777\0"[..],
        b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff",
        b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    ] {
        for kind in [b'0', b'L', b'x', b'g', b'S', b'5', b'K'] {
            let whole = [member(kind, size, &[], 0), noise(9, 70_000)].concat();
            round_trip(&whole);
        }
    }
    let pax = member(b'x', b"00000000031\0", b"25 size=9999999999999999\n", 0);
    let whole = [pax, member(b'0', b"0\0", &noise(1, 70_000), 0)].concat();
    round_trip(&whole);
}

fn any_member() -> impl Strategy<Value = Vec<u8>> {
    let kinds = prop::sample::select(&b"\x000152LKxgSZVDM"[..]);
    let sizes = prop_oneof![0_usize..2000, 60_000_usize..70_000, 250_000_usize..300_000];
    (kinds, sizes, any::<u64>(), any::<u8>(), -600_i64..600).prop_map(
        |(kind, len, seed, pad, lie)| {
            let stated = if lie.abs() < 500 {
                len as i64
            } else {
                (len as i64 + lie).max(0)
            };
            member(
                kind,
                format!("{stated:011o}\0").as_bytes(),
                &noise(seed, len),
                pad,
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_mix_of_members_cut_and_flipped_comes_back(
        members in prop::collection::vec(any_member(), 1..8),
        nest: bool,
        cut in prop::option::of(any::<prop::sample::Index>()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut whole = members.concat();
        whole.extend_from_slice(&[0; 1024]);
        if nest {
            whole = tar_of(&[("inner.tar", &whole), ("more", b"more")]);
        }
        for (at, mask) in flips {
            let at = at.index(whole.len());
            whole[at] ^= mask;
        }
        if let Some(cut) = cut {
            whole.truncate(cut.index(whole.len()));
        }
        round_trip(&whole);
    }
}
