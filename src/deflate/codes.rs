//! Prefix codes of deflate: the meaning of symbols, canonical codes made from lengths, and tables for decoding.

use super::bits::{BitReader, BitWriter, WriteError};
use super::token::Token;
use std::io::{Read, Write};

/// Symbols of the literal and length code that may be used.
pub(crate) const LIT_SYMBOLS: usize = 286;
/// Symbols of the distance code that may be used.
pub(crate) const DIST_SYMBOLS: usize = 30;
/// The symbol that ends a block.
pub(crate) const END: usize = 256;

/// First length of each length symbol from 257 on, and its extra bits (RFC 1951, section 3.2.5).
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Returns the first distance of a distance symbol, and its extra bits.
pub(crate) fn distance_base(symbol: usize) -> (u32, u32) {
    let symbol = u32::try_from(symbol).expect("30 symbols");
    if symbol < 4 {
        return (symbol + 1, 0);
    }
    let extra = symbol / 2 - 1;
    (((2 + (symbol & 1)) << extra) + 1, extra)
}

/// Returns the symbol (from 257) of a length.
#[inline]
pub(crate) fn length_symbol(len: u32) -> usize {
    const TABLE: [u16; 259] = {
        let mut table = [0; 259];
        let mut symbol: u16 = 0;
        while symbol < 29 {
            let mut len = LENGTHS[symbol as usize].0 as usize;
            while len < 259 {
                table[len] = 257 + symbol;
                len += 1;
            }
            symbol += 1;
        }
        table
    };
    usize::from(TABLE[len as usize])
}

/// Returns the symbol of a distance.
#[inline]
pub(crate) fn distance_symbol(dist: u32) -> usize {
    let from_zero = dist - 1;
    if from_zero < 4 {
        return from_zero as usize;
    }
    let log = 31 - from_zero.leading_zeros();
    (2 * log + (from_zero >> (log - 1) & 1)) as usize
}

/// How often each symbol is used in a block.
#[derive(Clone)]
pub(crate) struct Histogram {
    pub(crate) lit: [u32; LIT_SYMBOLS],
    pub(crate) dist: [u32; DIST_SYMBOLS],
}

impl Histogram {
    /// Counts tokens, and one end of block.
    pub(crate) fn of(tokens: &[Token]) -> Self {
        let mut counted = Self {
            lit: [0; LIT_SYMBOLS],
            dist: [0; DIST_SYMBOLS],
        };
        counted.lit[END] = 1;
        for token in tokens {
            if token.is_literal() {
                counted.lit[usize::from(token.byte())] += 1;
            } else {
                let symbol = if token.is_odd() {
                    284
                } else {
                    length_symbol(token.len())
                };
                counted.lit[symbol] += 1;
                counted.dist[distance_symbol(token.dist())] += 1;
            }
        }
        counted
    }
}

/// Computes canonical codes from lengths. Bits are reversed so that codes can be written lowest bit first. Symbols
/// without a code get 0.
pub(crate) fn canonical(lens: &[u8], codes: &mut [u16]) {
    let mut count = [0_u16; 16];
    for len in lens {
        count[usize::from(*len)] += 1;
    }
    count[0] = 0;
    let mut next = [0_u16; 16];
    for len in 1..16 {
        next[len] = next[len - 1].wrapping_add(count[len - 1]) << 1;
    }
    for (code, len) in codes.iter_mut().zip(lens) {
        if *len > 0 {
            *code = next[usize::from(*len)].reverse_bits() >> (16 - u32::from(*len));
            next[usize::from(*len)] = next[usize::from(*len)].wrapping_add(1);
        } else {
            *code = 0;
        }
    }
}

/// Returns whether lengths make a code, which needs no more codes than there is room for.
pub(crate) fn fits(lens: &[u8]) -> bool {
    let used: u32 = lens
        .iter()
        .filter(|len| **len > 0)
        .map(|len| 1_u32 << (15 - len))
        .sum();
    used <= 1 << 15
}

/// Returns the lengths of the fixed codes.
pub(crate) fn fixed_lengths() -> ([u8; 288], [u8; 30]) {
    let mut lit = [8; 288];
    lit[144..256].fill(9);
    lit[256..280].fill(7);
    (lit, [5; 30])
}

/// Bits of a code that the first table lookup takes.
const FAST_BITS: u32 = 11;

/// Decodes one code.
pub(crate) struct CodeDecoder {
    /// Indexed by the next [`FAST_BITS`] bits: symbol << 4 | length. 0 means a longer code or none.
    fast: Vec<u16>,
    /// For each length: the first code, the number of codes, and the index of their first symbol.
    first: [u32; 16],
    count: [u32; 16],
    offset: [u32; 16],
    symbols: Vec<u16>,
}

impl CodeDecoder {
    pub(crate) fn new() -> Self {
        Self {
            fast: vec![0; 1 << FAST_BITS],
            first: [0; 16],
            count: [0; 16],
            offset: [0; 16],
            symbols: Vec::new(),
        }
    }

    /// Builds the tables. The lengths must satisfy [`fits`].
    pub(crate) fn set(&mut self, lens: &[u8]) {
        self.fast.fill(0);
        self.count = [0; 16];
        for len in lens {
            self.count[usize::from(*len)] += 1;
        }
        self.count[0] = 0;
        for len in 1..16 {
            self.first[len] = (self.first[len - 1] + self.count[len - 1]) << 1;
            self.offset[len] = self.offset[len - 1] + self.count[len - 1];
        }
        let mut next = self.offset;
        self.symbols.clear();
        self.symbols.resize(lens.len(), 0);
        let mut codes = [0; 320];
        canonical(lens, &mut codes[..lens.len()]);
        for (symbol, len) in lens.iter().enumerate().filter(|(_, len)| **len > 0) {
            let symbol = u16::try_from(symbol).expect("at most 320 symbols");
            let slot = &mut next[usize::from(*len)];
            self.symbols[*slot as usize] = symbol;
            *slot += 1;
            if u32::from(*len) <= FAST_BITS {
                let step = 1 << len;
                // Every value of the bits behind a short code leads to the same symbol.
                let mut index = usize::from(codes[usize::from(symbol)]);
                while index < 1 << FAST_BITS {
                    self.fast[index] = symbol << 4 | u16::from(*len);
                    index += step;
                }
            }
        }
    }

    /// Returns the symbol and length of the code at the start of `bits`. Length 0 means that there is none.
    #[inline]
    pub(crate) fn decode(&self, bits: u64) -> (usize, u32) {
        let entry = self.fast[(bits & ((1 << FAST_BITS) - 1)) as usize];
        if entry != 0 {
            return (usize::from(entry >> 4), u32::from(entry & 15));
        }
        self.decode_slowly(bits)
    }

    #[cold]
    fn decode_slowly(&self, bits: u64) -> (usize, u32) {
        let mut code = 0_u32;
        for (len, bits_taken) in (1..16).zip(1_u32..) {
            code = code << 1 | u32::from(bits >> (len - 1) & 1 == 1);
            // Codes of one length are consecutive, so a smaller code wraps around and fails the comparison, too.
            let place = code.wrapping_sub(self.first[len]);
            if place < self.count[len] {
                let symbol = self.symbols[(self.offset[len] + place) as usize];
                return (usize::from(symbol), bits_taken);
            }
        }
        (0, 0)
    }
}

/// Returns the lowest `count` bits, 16 at most.
#[inline]
pub(crate) fn low_bits(bits: u64, count: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "at most 16 bits are left")]
    let low = (bits & ((1 << count) - 1)) as u32;
    low
}

/// Reads the extra bits of a length symbol. `bits` begin behind the symbol's code. Returns the token length, whether it
/// has the odd form, and the bits taken.
#[inline]
pub(crate) fn length_of(symbol: usize, bits: u64) -> Option<(u32, bool, u32)> {
    let (base, extra) = *LENGTHS.get(symbol - 257)?;
    let more = low_bits(bits, u32::from(extra));
    let len = u32::from(base) + more;
    Some((len, symbol == 284 && more == 31, u32::from(extra)))
}

/// Writes tokens of a block in its codes.
pub(crate) struct TokenEncoder {
    lit: [(u16, u8); 288],
    dist: [(u16, u8); 30],
}

impl TokenEncoder {
    pub(crate) fn new(lit_lens: &[u8], dist_lens: &[u8]) -> Self {
        let mut encoder = Self {
            lit: [(0, 0); 288],
            dist: [(0, 0); 30],
        };
        let mut codes = [0; 320];
        canonical(lit_lens, &mut codes[..lit_lens.len()]);
        for (slot, pair) in encoder.lit.iter_mut().zip(codes.iter().zip(lit_lens)) {
            *slot = (*pair.0, *pair.1);
        }
        canonical(dist_lens, &mut codes[..dist_lens.len()]);
        for (slot, pair) in encoder.dist.iter_mut().zip(codes.iter().zip(dist_lens)) {
            *slot = (*pair.0, *pair.1);
        }
        encoder
    }

    #[inline]
    pub(crate) fn put<W: Write>(
        &self,
        token: Token,
        out: &mut BitWriter<W>,
    ) -> Result<(), WriteError> {
        if token.is_literal() {
            let (code, len) = self.lit[usize::from(token.byte())];
            return out.put(u64::from(code), u32::from(len));
        }
        let symbol = if token.is_odd() {
            284
        } else {
            length_symbol(token.len())
        };
        let (code, code_len) = self.lit[symbol];
        let (base, extra) = LENGTHS[symbol - 257];
        let mut bits = u64::from(code) | u64::from(token.len() - u32::from(base)) << code_len;
        let mut count = u32::from(code_len) + u32::from(extra);
        let symbol = distance_symbol(token.dist());
        let (code, code_len) = self.dist[symbol];
        let (base, extra) = distance_base(symbol);
        bits |= u64::from(code) << count;
        count += u32::from(code_len);
        bits |= u64::from(token.dist() - base) << count;
        out.put(bits, count + extra)
    }

    pub(crate) fn end<W: Write>(&self, out: &mut BitWriter<W>) -> Result<(), WriteError> {
        let (code, len) = self.lit[END];
        out.put(u64::from(code), u32::from(len))
    }
}

/// Reads one symbol of a code length code. Serves the header alone.
pub(crate) fn take_symbol<R: Read>(
    decoder: &CodeDecoder,
    bits: &mut BitReader<R>,
) -> std::io::Result<Option<usize>> {
    bits.refill()?;
    let (symbol, len) = decoder.decode(bits.peek());
    if len == 0 {
        return Ok(None);
    }
    bits.skip(len);
    Ok(Some(symbol))
}
