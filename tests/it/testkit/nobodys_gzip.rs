//! A gzip writer that no model predicts: what it takes is decided by a hash of the bytes that follow.
//!
//! So it takes the same again behind a change of the text, as real writers do.

use std::collections::HashMap;

use super::deflate_blocks::{Bits, Kind, distance, dynamic_header, symbol};

/// A block ends at one place in so many, whatever was before.
const BLOCK_PLACES: u32 = 1 << 14;
const WINDOW: usize = 32_768;

/// A gzip stream of `plain`.
pub fn nobodys_gzip(plain: &[u8]) -> Vec<u8> {
    let mut newest: HashMap<&[u8], usize> = HashMap::new();
    let mut blocks: Vec<Vec<(usize, usize)>> = vec![Vec::new()];
    let mut at = 0;
    while at < plain.len() {
        let next = plain[at..].iter().take(4);
        let hash = next.fold(0_u32, |hash, byte| {
            (hash ^ u32::from(*byte))
                .wrapping_mul(0x0100_0193)
                .rotate_left(7)
        });
        let three = plain.get(at..at + 3);
        let found = three.and_then(|three| newest.get(three).copied());
        let found = found.filter(|found| at - found <= WINDOW && hash & 15 != 0);
        let length = found.map_or(1, |found| {
            let same = plain[found..].iter().zip(&plain[at..]);
            let is_short = (hash / 256).is_multiple_of(8);
            let most = if is_short {
                3 + (hash >> 16) as usize % 8
            } else {
                10
            };
            same.take(most)
                .take_while(|(one, other)| one == other)
                .count()
        });
        if (hash / 32).is_multiple_of(BLOCK_PLACES) {
            blocks.push(Vec::new());
        }
        let block = blocks.last_mut().unwrap();
        block.push((length, found.map_or(0, |found| at - found)));
        for place in at..at + length {
            if let Some(three) = plain.get(place..place + 3) {
                newest.insert(three, place);
            }
        }
        at += length;
    }
    let mut bits = Bits::default();
    let (mut at, last) = (0, blocks.len() - 1);
    for (number, block) in blocks.iter().enumerate() {
        bits.put(u32::from(number == last), 1);
        bits.put(Kind::Dynamic as u32, 2);
        dynamic_header(&mut bits);
        for (length, far) in block {
            if *far == 0 {
                symbol(&mut bits, Kind::Dynamic, u32::from(plain[at]));
            } else {
                let length = u32::try_from(*length).unwrap();
                symbol(&mut bits, Kind::Dynamic, 254 + length);
                distance(&mut bits, Kind::Dynamic, u32::try_from(*far).unwrap());
            }
            at += length;
        }
        symbol(&mut bits, Kind::Dynamic, 256);
    }
    bits.put(0, bits.free);
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    out.extend(bits.bytes);
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    out
}
