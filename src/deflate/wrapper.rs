//! The wrapper around a deflate stream: gzip members (RFC 1952), zlib's two bytes (RFC 1950), or nothing.

use std::io::Read;

use super::DeflateError;
use super::bits::BitReader;

/// Longest gzip header that is accepted.
const HEADER_BYTES_MAX: usize = 64 * 1024;

/// The wrapper of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// Members, each with header and trailer.
    Gzip,
    /// Two bytes before, a checksum behind.
    Zlib,
    /// Nothing, as in zip files.
    Raw,
}

impl Wrapper {
    /// Returns the bytes of the trailer.
    pub(crate) fn trailer_bytes(self) -> usize {
        match self {
            Self::Gzip => 8,
            Self::Zlib => 4,
            Self::Raw => 0,
        }
    }

    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Gzip => 0,
            Self::Zlib => 1,
            Self::Raw => 2,
        }
    }

    pub(crate) fn from_number(number: u8) -> Option<Self> {
        [Self::Gzip, Self::Zlib, Self::Raw]
            .get(usize::from(number))
            .copied()
    }

    /// Reads the header exactly as it is. `begun` are its first bytes, which were read before.
    pub(crate) fn read_header<R: Read>(
        self,
        begun: &[u8],
        bits: &mut BitReader<R>,
    ) -> Result<Vec<u8>, DeflateError> {
        let mut header = HeaderReader {
            bits,
            begun,
            header: Vec::new(),
        };
        match self {
            Self::Raw => {}
            Self::Zlib => header.zlib()?,
            Self::Gzip => header.gzip()?,
        }
        Ok(header.header)
    }
}

struct HeaderReader<'a, R> {
    bits: &'a mut BitReader<R>,
    begun: &'a [u8],
    header: Vec<u8>,
}

impl<R: Read> HeaderReader<'_, R> {
    fn byte(&mut self) -> Result<u8, DeflateError> {
        let byte = if let Some((first, rest)) = self.begun.split_first() {
            self.begun = rest;
            *first
        } else {
            let mut byte = [0];
            if self.bits.bytes(&mut byte)? == 0 {
                return Err(DeflateError::Truncated);
            }
            byte[0]
        };
        if self.header.len() == HEADER_BYTES_MAX {
            return Err(DeflateError::Corrupt("header: too long"));
        }
        self.header.push(byte);
        Ok(byte)
    }

    fn word(&mut self) -> Result<u16, DeflateError> {
        Ok(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn text(&mut self) -> Result<(), DeflateError> {
        while self.byte()? != 0 {}
        Ok(())
    }

    fn gzip(&mut self) -> Result<(), DeflateError> {
        let magic = [self.byte()?, self.byte()?, self.byte()?];
        let flags = self.byte()?;
        if magic != [0x1f, 0x8b, 8] || flags & 0xe0 != 0 {
            return Err(DeflateError::Corrupt("gzip header"));
        }
        for _ in 4..10 {
            self.byte()?;
        }
        if flags & 4 != 0 {
            for _ in 0..self.word()? {
                self.byte()?;
            }
        }
        if flags & 8 != 0 {
            self.text()?;
        }
        if flags & 16 != 0 {
            self.text()?;
        }
        if flags & 2 != 0 {
            self.word()?;
        }
        Ok(())
    }

    fn zlib(&mut self) -> Result<(), DeflateError> {
        let first = self.byte()?;
        let flags = self.byte()?;
        let sum = u16::from_be_bytes([first, flags]);
        if first & 15 != 8 || first >> 4 > 7 || sum % 31 != 0 || flags & 32 != 0 {
            return Err(DeflateError::Corrupt("zlib header"));
        }
        Ok(())
    }
}

/// The checksum and length of a member's plain text.
pub(crate) enum Check {
    Gzip(crc32fast::Hasher, u32),
    Zlib(u32, u32),
    Raw,
}

impl Check {
    pub(crate) fn new(wrapper: Wrapper) -> Self {
        match wrapper {
            Wrapper::Gzip => Self::Gzip(crc32fast::Hasher::new(), 0),
            Wrapper::Zlib => Self::Zlib(1, 0),
            Wrapper::Raw => Self::Raw,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Raw => {}
            Self::Gzip(hasher, len) => {
                hasher.update(bytes);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "modulo 2^32, as gzip has it"
                )]
                let more = bytes.len() as u32;
                *len = len.wrapping_add(more);
            }
            // Adler-32 (RFC 1950): sums modulo the largest prime below 2^16. 5552 bytes do not overflow.
            Self::Zlib(one, two) => {
                for piece in bytes.chunks(5552) {
                    for byte in piece {
                        *one += u32::from(*byte);
                        *two += *one;
                    }
                    *one %= 65521;
                    *two %= 65521;
                }
            }
        }
    }

    /// Returns the trailer of the text.
    pub(crate) fn trailer(self) -> Vec<u8> {
        match self {
            Self::Raw => Vec::new(),
            Self::Gzip(hasher, len) => {
                let mut bytes = hasher.finalize().to_le_bytes().to_vec();
                bytes.extend_from_slice(&len.to_le_bytes());
                bytes
            }
            Self::Zlib(one, two) => (two << 16 | one).to_be_bytes().to_vec(),
        }
    }
}
