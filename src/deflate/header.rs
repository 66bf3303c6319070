//! The header of a dynamic block (RFC 1951, section 3.2.7): code lengths, and the form in which they were written.

use std::io::{Read, Write};

use super::DeflateError;
use super::bits::{BitReader, BitWriter, WriteError};
use super::codes::{self, CodeDecoder, DIST_SYMBOLS, LIT_SYMBOLS};

/// Order in which lengths of the code length code are written.
pub(crate) const ORDER: [usize; 19] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];

/// One symbol of the written code lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LengthSymbol {
    /// 0 to 15: that length. 16: the length before, 3 to 6 times. 17: 3 to 10 zeros. 18: 11 to 138 zeros.
    pub(crate) symbol: u8,
    /// Added to 3, 3 or 11.
    pub(crate) extra: u8,
}

impl LengthSymbol {
    /// Returns the number of lengths that it gives.
    pub(crate) fn count(self) -> usize {
        match self.symbol {
            16 | 17 => 3 + usize::from(self.extra),
            18 => 11 + usize::from(self.extra),
            _ => 1,
        }
    }

    fn extra_bits(symbol: u8) -> u32 {
        match symbol {
            16 => 2,
            17 => 3,
            18 => 7,
            _ => 0,
        }
    }
}

/// A complete header of a dynamic block. The same header gives the same bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DynamicHeader {
    /// Lengths of the literal and length code: 257 to 286 are written.
    pub(crate) lit_count: usize,
    /// Lengths of the distance code: 1 to 30 are written.
    pub(crate) dist_count: usize,
    /// Code lengths: literals and lengths, then distances, `lit_count + dist_count` of them.
    pub(crate) lens: Vec<u8>,
    /// The symbols that write them.
    pub(crate) ops: Vec<LengthSymbol>,
    /// Lengths of the code length code, by symbol.
    pub(crate) cl_lens: [u8; 19],
    /// How many of those are written, in [`ORDER`]: 4 to 19.
    pub(crate) cl_count: usize,
}

impl DynamicHeader {
    /// Reads a header. The three bits that begin a block were read before.
    pub(crate) fn read<R: Read>(
        bits: &mut BitReader<R>,
        decoder: &mut CodeDecoder,
    ) -> Result<Self, DeflateError> {
        let lit_count = bits.take(5)? as usize + 257;
        let dist_count = bits.take(5)? as usize + 1;
        let cl_count = bits.take(4)? as usize + 4;
        if lit_count > LIT_SYMBOLS || dist_count > DIST_SYMBOLS {
            return Err(DeflateError::Corrupt("number of codes"));
        }
        let mut cl_lens = [0; 19];
        for symbol in &ORDER[..cl_count] {
            cl_lens[*symbol] = u8::try_from(bits.take(3)?).expect("three bits");
        }
        if !codes::fits(&cl_lens) {
            return Err(DeflateError::Corrupt("code of code lengths"));
        }
        decoder.set(&cl_lens);
        let total = lit_count + dist_count;
        let mut lens = Vec::with_capacity(total);
        let mut ops = Vec::with_capacity(total);
        while lens.len() < total {
            let symbol = codes::take_symbol(decoder, bits)?
                .ok_or(DeflateError::Corrupt("code of code lengths"))?;
            let symbol = u8::try_from(symbol).expect("19 symbols");
            let extra = u8::try_from(bits.take(LengthSymbol::extra_bits(symbol))?)
                .expect("seven bits at most");
            let op = LengthSymbol { symbol, extra };
            let len = match symbol {
                16 => *lens.last().ok_or(DeflateError::Corrupt("code lengths"))?,
                17 | 18 => 0,
                len => len,
            };
            lens.resize(lens.len() + op.count(), len);
            ops.push(op);
            // Zeros behind the end could otherwise be decoded as lengths.
            if bits.overrun() {
                return Err(DeflateError::Truncated);
            }
        }
        // A repeat may run over the end of the lists.
        if lens.len() > total
            || !codes::fits(&lens[..lit_count])
            || !codes::fits(&lens[lit_count..])
        {
            return Err(DeflateError::Corrupt("code lengths"));
        }
        Ok(Self {
            lit_count,
            dist_count,
            lens,
            ops,
            cl_lens,
            cl_count,
        })
    }

    /// Writes the header. The three bits that begin a block were written before.
    pub(crate) fn write<W: Write>(&self, out: &mut BitWriter<W>) -> Result<(), WriteError> {
        out.put(self.lit_count as u64 - 257, 5)?;
        out.put(self.dist_count as u64 - 1, 5)?;
        out.put(self.cl_count as u64 - 4, 4)?;
        for symbol in &ORDER[..self.cl_count] {
            out.put(u64::from(self.cl_lens[*symbol]), 3)?;
        }
        let mut codes = [0; 19];
        codes::canonical(&self.cl_lens, &mut codes);
        for op in &self.ops {
            let symbol = usize::from(op.symbol);
            out.put(u64::from(codes[symbol]), u32::from(self.cl_lens[symbol]))?;
            out.put(u64::from(op.extra), LengthSymbol::extra_bits(op.symbol))?;
        }
        Ok(())
    }

    /// Returns the lengths of the literal and length code.
    pub(crate) fn lit_lens(&self) -> &[u8] {
        &self.lens[..self.lit_count]
    }

    /// Returns the lengths of the distance code.
    pub(crate) fn dist_lens(&self) -> &[u8] {
        &self.lens[self.lit_count..]
    }
}
