//! A gzip writer that no model predicts: what it takes is decided by a hash of the bytes that follow.
//!
//! So it takes the same again behind a change of the text, as real writers do.

use std::collections::HashMap;

/// A block ends at one place in so many, whatever was before.
const BLOCK_PLACES: u32 = 1 << 14;
const WINDOW: usize = 32_768;

/// Bits from the lowest up, codes from their highest.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        self.held |= value << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.held.to_le_bytes()[0]);
            (self.held, self.count) = (self.held >> 8, self.count - 8);
        }
    }

    fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }

    /// A literal, the end of the block or a length, of 226 codes of 8 bits and 60 of 9.
    fn symbol(&mut self, symbol: u32) {
        match symbol {
            0..226 => self.code(symbol, 8),
            _ => self.code(2 * 226 + symbol - 226, 9),
        }
    }

    /// A distance, of 2 codes of 4 bits and 28 of 5.
    fn distance(&mut self, distance: usize) {
        let distance = u32::try_from(distance).unwrap();
        let base = |code: u32| match code {
            0 | 1 => code + 1,
            _ => ((2 + code % 2) << (code / 2 - 1)) + 1,
        };
        let code = (0..30).rev().find(|code| base(*code) <= distance).unwrap();
        match code {
            0 | 1 => self.code(code, 4),
            _ => self.code(2 * 2 + code - 2, 5),
        }
        self.put(distance - base(code), (code / 2).saturating_sub(1));
    }

    fn begin_block(&mut self, is_last: bool) {
        self.put(u32::from(is_last) | 2 << 1, 3);
        self.put(286 - 257, 5);
        self.put(30 - 1, 5);
        self.put(19 - 4, 4);
        // Lengths 4, 5, 8 and 9 have the codes 00, 01, 10, 11.
        for length in [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ] {
            self.put(if [4, 5, 8, 9].contains(&length) { 2 } else { 0 }, 3);
        }
        (0..286).for_each(|symbol| self.code(if symbol < 226 { 2 } else { 3 }, 2));
        (0..30).for_each(|symbol| self.code(u32::from(symbol >= 2), 2));
    }
}

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
        bits.begin_block(number == last);
        for (length, distance) in block {
            if *distance == 0 {
                bits.symbol(u32::from(plain[at]));
            } else {
                bits.symbol(254 + u32::try_from(*length).unwrap());
                bits.distance(*distance);
            }
            at += length;
        }
        bits.symbol(256);
    }
    bits.put(0, 7);
    let mut crc = flate2::Crc::new();
    crc.update(plain);
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff".to_vec();
    out.extend(bits.bytes);
    out.extend(crc.sum().to_le_bytes());
    out.extend(crc.amount().to_le_bytes());
    out
}
