//! Bits of a deflate stream, lowest first (RFC 1951, section 3.1.1): read from any reader, written to any writer.

use std::io::{self, Read, Write};

/// Bytes that are read or written at a time.
const BUFFER_BYTES: usize = 64 * 1024;

/// Reads bits and bytes. Bits behind the end are zeros, and [`BitReader::overrun`] tells that they were taken.
pub(crate) struct BitReader<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    bits: u64,
    bit_count: u32,
    /// Bytes taken from the buffer, including those in `bits`.
    taken: u64,
    /// Zero bytes that were added behind the end.
    missing: u64,
}

impl<R: Read> BitReader<R> {
    pub(crate) fn new(source: R) -> Self {
        Self {
            source,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            bits: 0,
            bit_count: 0,
            taken: 0,
            missing: 0,
        }
    }

    /// Makes at least 56 bits ready. Behind the end they are zeros.
    #[inline]
    pub(crate) fn refill(&mut self) -> io::Result<()> {
        if self.filled - self.at >= 8 {
            let word = self.buffer[self.at..].first_chunk::<8>();
            let word = u64::from_le_bytes(*word.expect("eight bytes are there"));
            // Whole words are loaded, but only whole bytes are counted. Surplus bits are loaded again with the same
            // values.
            self.bits |= word << self.bit_count;
            let bytes = (63 - self.bit_count) / 8;
            self.at += bytes as usize;
            self.taken += u64::from(bytes);
            self.bit_count += bytes * 8;
            return Ok(());
        }
        self.refill_slowly()
    }

    #[cold]
    fn refill_slowly(&mut self) -> io::Result<()> {
        // The fast path may have put bits above `bit_count`. They are read again.
        self.bits &= (1 << self.bit_count) - 1;
        while self.bit_count < 56 {
            if self.at == self.filled {
                self.fill()?;
            }
            let byte = if self.at < self.filled {
                self.at += 1;
                self.buffer[self.at - 1]
            } else {
                self.missing += 1;
                0
            };
            self.taken += 1;
            self.bits |= u64::from(byte) << self.bit_count;
            self.bit_count += 8;
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.at = 0;
        // Most streams are short, so no more is asked for than the source gives at once.
        loop {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    self.filled += read?;
                    return Ok(());
                }
            }
        }
    }

    /// Returns the next bits. Bits beyond those that [`BitReader::refill`] promises are undefined.
    #[inline]
    pub(crate) fn peek(&self) -> u64 {
        self.bits
    }

    /// Skips `count` bits that are ready.
    #[inline]
    pub(crate) fn skip(&mut self, count: u32) {
        debug_assert!(count <= self.bit_count);
        self.bits >>= count;
        self.bit_count -= count;
    }

    /// Takes up to 32 bits.
    pub(crate) fn take(&mut self, count: u32) -> io::Result<u32> {
        self.refill()?;
        let value = self.bits & ((1 << count) - 1);
        self.skip(count);
        Ok(u32::try_from(value).expect("at most 32 bits"))
    }

    /// Returns the number of bits to the next byte boundary.
    pub(crate) fn bits_to_byte(&self) -> u32 {
        self.bit_count % 8
    }

    /// Returns whether bits behind the end were taken.
    pub(crate) fn overrun(&self) -> bool {
        self.missing * 8 > u64::from(self.bit_count)
    }

    /// Returns the bytes that were taken, counting a partly taken byte as whole.
    pub(crate) fn consumed(&self) -> u64 {
        self.taken - u64::from(self.bit_count / 8)
    }

    /// Takes whole bytes from a byte boundary. Returns fewer than asked for only at the end.
    pub(crate) fn bytes(&mut self, out: &mut [u8]) -> io::Result<usize> {
        debug_assert_eq!(self.bits_to_byte(), 0);
        let mut len = 0;
        while len < out.len() && self.bit_count >= 8 {
            if self.missing * 8 >= u64::from(self.bit_count) {
                return Ok(len);
            }
            out[len] = self.bits.to_le_bytes()[0];
            self.skip(8);
            len += 1;
        }
        if self.bit_count == 0 {
            // The fast path may have put bits above `bit_count`. They are read again.
            self.bits = 0;
        }
        while len < out.len() {
            if self.at == self.filled {
                self.fill()?;
                if self.filled == 0 {
                    break;
                }
            }
            let step = (self.filled - self.at).min(out.len() - len);
            out[len..len + step].copy_from_slice(&self.buffer[self.at..self.at + step]);
            self.at += step;
            self.taken += step as u64;
            len += step;
        }
        Ok(len)
    }
}

/// Says why bits could not be written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// More bytes than the limit allows.
    Limit,
    Io(io::Error),
}

/// Writes bits and bytes, up to a number of bytes.
pub(crate) struct BitWriter<W> {
    out: W,
    buffer: Vec<u8>,
    bits: u64,
    bit_count: u32,
    /// Bytes that may still leave the buffer.
    left: u64,
}

impl<W: Write> BitWriter<W> {
    pub(crate) fn new(out: W, limit_bytes: u64) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(BUFFER_BYTES + 16),
            bits: 0,
            bit_count: 0,
            left: limit_bytes,
        }
    }

    /// Writes the low `count` bits (at most 48) of `value`. All higher bits of it must be zero.
    #[inline]
    pub(crate) fn put(&mut self, value: u64, count: u32) -> Result<(), WriteError> {
        debug_assert!(count <= 48 && value >> count == 0);
        self.bits |= value << self.bit_count;
        self.bit_count += count;
        if self.bit_count >= 16 {
            let bytes = self.bit_count / 8;
            self.buffer.extend_from_slice(&self.bits.to_le_bytes());
            self.buffer.truncate(self.buffer.len() - 8 + bytes as usize);
            self.bits = if bytes == 8 {
                0
            } else {
                self.bits >> (bytes * 8)
            };
            self.bit_count %= 8;
            if self.buffer.len() >= BUFFER_BYTES {
                self.drain()?;
            }
        }
        Ok(())
    }

    /// Returns the number of bits to the next byte boundary.
    pub(crate) fn bits_to_byte(&self) -> u32 {
        self.bit_count.wrapping_neg() % 8
    }

    /// Writes whole bytes at a byte boundary.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        debug_assert_eq!(self.bits_to_byte(), 0);
        self.flush_bits();
        for piece in bytes.chunks(BUFFER_BYTES) {
            self.buffer.extend_from_slice(piece);
            if self.buffer.len() >= BUFFER_BYTES {
                self.drain()?;
            }
        }
        Ok(())
    }

    fn flush_bits(&mut self) {
        while self.bit_count > 0 {
            self.buffer.push(self.bits.to_le_bytes()[0]);
            self.bits >>= 8;
            self.bit_count = self.bit_count.saturating_sub(8);
        }
    }

    fn drain(&mut self) -> Result<(), WriteError> {
        self.left = self
            .left
            .checked_sub(self.buffer.len() as u64)
            .ok_or(WriteError::Limit)?;
        self.out.write_all(&self.buffer).map_err(WriteError::Io)?;
        self.buffer.clear();
        Ok(())
    }

    /// Writes the remaining bits, with zeros up to a byte boundary. Returns how many bytes of the limit are left.
    pub(crate) fn finish(mut self) -> Result<u64, WriteError> {
        self.flush_bits();
        self.drain()?;
        Ok(self.left)
    }
}
