//! Blocks of deflate, bit by bit (RFC 1951), for streams that no writer makes.

/// Bits from the lowest up; Huffman codes from their highest, as RFC 1951 says.
#[derive(Default)]
pub struct Bits {
    pub bytes: Vec<u8>,
    /// Bits of the last byte that are free.
    pub free: u32,
}

impl Bits {
    pub fn put(&mut self, value: u32, count: u32) {
        for bit in 0..count {
            if self.free == 0 {
                self.bytes.push(0);
                self.free = 8;
            }
            if value >> bit & 1 == 1 {
                *self.bytes.last_mut().unwrap() |= 1 << (8 - self.free);
            }
            self.free -= 1;
        }
    }

    pub fn code(&mut self, code: u32, count: u32) {
        self.put(code.reverse_bits() >> (32 - count), count);
    }
}

/// How a block of any tokens is written: the codes are always the same, complete, and nobody's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    Stored,
    Fixed,
    /// 226 codes of 8 bits and 60 of 9; distances of 4 and 5.
    Dynamic,
}

/// A literal, the end of the block or a length.
pub fn symbol(bits: &mut Bits, kind: Kind, symbol: u32) {
    match (kind, symbol) {
        (Kind::Dynamic, 0..226) => bits.code(symbol, 8),
        (Kind::Dynamic, _) => bits.code(2 * 226 + symbol - 226, 9),
        (_, 0..144) => bits.code(0x30 + symbol, 8),
        (_, 144..256) => bits.code(0x190 + symbol - 144, 9),
        (_, 256..280) => bits.code(symbol - 256, 7),
        _ => bits.code(0xc0 + symbol - 280, 8),
    }
}

pub fn distance_symbol(bits: &mut Bits, kind: Kind, symbol: u32) {
    match (kind, symbol) {
        (Kind::Dynamic, 0..2) => bits.code(symbol, 4),
        (Kind::Dynamic, _) => bits.code(2 * 2 + symbol - 2, 5),
        _ => bits.code(symbol, 5),
    }
}

/// The header of a dynamic block.
pub fn dynamic_header(bits: &mut Bits) {
    bits.put(286 - 257, 5);
    bits.put(30 - 1, 5);
    bits.put(19 - 4, 4);
    // Lengths 4, 5, 8 and 9 have the codes 00, 01, 10, 11.
    for length in [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ] {
        bits.put(if [4, 5, 8, 9].contains(&length) { 2 } else { 0 }, 3);
    }
    (0..286).for_each(|symbol| bits.code(if symbol < 226 { 2 } else { 3 }, 2));
    (0..30).for_each(|symbol| bits.code(u32::from(symbol >= 2), 2));
}

/// A distance with its extra bits.
pub fn distance(bits: &mut Bits, kind: Kind, dist: u32) {
    let code = (0..30_u32)
        .rev()
        .find(|code| distance_base(*code) <= dist)
        .unwrap();
    distance_symbol(bits, kind, code);
    bits.put(dist - distance_base(code), (code / 2).saturating_sub(1));
}

/// The shortest distance of a code.
fn distance_base(code: u32) -> u32 {
    if code < 2 {
        code + 1
    } else {
        ((2 + code % 2) << (code / 2 - 1)) + 1
    }
}
