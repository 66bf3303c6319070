//! Fields of bits, as the bitstream of LLVM has them: fixed width or variable, the lowest bit first.
//!
//! Source: LLVM Bitcode File Format, section Bitstream Format.

use super::super::RecodeError;

/// The first bytes of a file.
pub(in crate::recode) const MAGIC: [u8; 4] = [b'B', b'C', 0xc0, 0xde];
/// Bits of the words to which blocks are aligned.
const WORD_BITS: usize = 32;

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BitField {
    /// So many bits, 0 to 64. Without a bit it is 0.
    Fixed(u32),
    /// Groups of so many bits, 2 to 32, of which the highest says whether another one follows.
    Variable(u32),
    /// Six bits for a letter, digit, dot or underscore.
    Letter,
}

/// The characters of [`BitField::Letter`].
const LETTERS: &[u8; 64] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._";

/// Takes fields from bits.
pub(super) struct BitFields<'a> {
    bytes: &'a [u8],
    /// Bits that were taken.
    at: usize,
}

impl<'a> BitFields<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len() * 8
    }

    /// Returns the place of the next byte, at the border of a word.
    pub(super) fn byte(&self) -> usize {
        self.at / 8
    }

    pub(super) fn take(&mut self, field: BitField) -> Result<u64, RecodeError> {
        match field {
            BitField::Fixed(width) => self.fixed(width),
            BitField::Letter => {
                let letter = self.fixed(6)?;
                Ok(LETTERS[(letter & 63) as usize].into())
            }
            BitField::Variable(width) => {
                let more = 1 << (width - 1);
                let (mut number, mut shift) = (0, 0);
                loop {
                    let group = self.fixed(width)?;
                    if shift >= u64::BITS {
                        return Err(RecodeError::Corrupt("number of bitcode"));
                    }
                    number |= (group & (more - 1)) << shift;
                    if group & more == 0 {
                        return Ok(number);
                    }
                    shift += width - 1;
                }
            }
        }
    }

    fn fixed(&mut self, width: u32) -> Result<u64, RecodeError> {
        let end = self.at + width as usize;
        if end > self.bytes.len() * 8 {
            return Err(RecodeError::Truncated);
        }
        // Up to 64 bits stand in nine bytes.
        let rest = &self.bytes[self.at / 8..];
        let mut window = [0; 16];
        let len = rest.len().min(9);
        window[..len].copy_from_slice(&rest[..len]);
        let bits = u128::from_le_bytes(window) >> (self.at % 8);
        self.at = end;
        Ok(u64::try_from(bits & ((1 << width) - 1)).unwrap_or_default())
    }

    /// Passes over the bits up to the border of a word.
    pub(super) fn align(&mut self) -> Result<(), RecodeError> {
        self.at = self.at.next_multiple_of(WORD_BITS);
        if self.at > self.bytes.len() * 8 {
            return Err(RecodeError::Truncated);
        }
        Ok(())
    }

    /// Takes whole bytes at the border of a word, and the rest of their last word.
    pub(super) fn bytes(&mut self, len: u64) -> Result<&'a [u8], RecodeError> {
        let rest = &self.bytes[self.byte().min(self.bytes.len())..];
        let len = usize::try_from(len).map_err(|_| RecodeError::Truncated)?;
        let bytes = rest.get(..len).ok_or(RecodeError::Truncated)?;
        self.at += len * 8;
        self.align()?;
        Ok(bytes)
    }
}

/// Writes fields of bits.
pub(super) struct BitFieldsOut {
    pub(super) bytes: Vec<u8>,
    /// Bits that are in no byte yet, and how many.
    rest: u128,
    rest_bits: u32,
    bytes_max: u64,
}

impl BitFieldsOut {
    pub(super) fn new(bytes_max: u64) -> Self {
        Self {
            bytes: Vec::new(),
            rest: 0,
            rest_bits: 0,
            bytes_max,
        }
    }

    pub(super) fn put(&mut self, field: BitField, number: u64) -> Result<(), RecodeError> {
        const WIDE: RecodeError = RecodeError::Corrupt("width of a number of bitcode");
        match field {
            BitField::Fixed(width) => {
                if number.checked_shr(width).is_some_and(|rest| rest > 0) {
                    return Err(WIDE);
                }
                self.fixed(width, number)
            }
            BitField::Letter => {
                let mut letters = LETTERS.iter();
                let letter = letters.position(|letter| u64::from(*letter) == number);
                self.fixed(6, letter.ok_or(WIDE)? as u64)
            }
            BitField::Variable(width) => {
                let more = 1 << (width - 1);
                let mut rest = number;
                while rest >= more {
                    self.fixed(width, rest & (more - 1) | more)?;
                    rest >>= width - 1;
                }
                self.fixed(width, rest)
            }
        }
    }

    fn fixed(&mut self, width: u32, number: u64) -> Result<(), RecodeError> {
        self.rest |= u128::from(number) << self.rest_bits;
        self.rest_bits += width;
        let whole = (self.rest_bits / 8) as usize;
        self.extend(whole, self.rest.to_le_bytes())?;
        self.rest >>= whole * 8;
        self.rest_bits %= 8;
        Ok(())
    }

    fn extend(&mut self, len: usize, bytes: [u8; 16]) -> Result<(), RecodeError> {
        if (self.bytes.len() + len) as u64 > self.bytes_max {
            return Err(RecodeError::Length);
        }
        self.bytes.extend_from_slice(&bytes[..len]);
        Ok(())
    }

    /// Fills up the last word with zeros.
    pub(super) fn align(&mut self) -> Result<(), RecodeError> {
        if self.rest_bits > 0 {
            self.fixed(8 - self.rest_bits, 0)?;
        }
        while !self.bytes.len().is_multiple_of(WORD_BITS / 8) {
            self.extend(1, [0; 16])?;
        }
        Ok(())
    }

    /// Writes whole bytes at the border of a word, and fills up their last word.
    pub(super) fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), RecodeError> {
        if (self.bytes.len() + bytes.len()) as u64 > self.bytes_max {
            return Err(RecodeError::Length);
        }
        self.bytes.extend_from_slice(bytes);
        self.align()
    }
}
