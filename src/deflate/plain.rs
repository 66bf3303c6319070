//! Reads the plain bytes of a deflate stream, and nothing else of it: no recipe is made.
//!
//! Memory is bounded by a segment, whatever the stream unpacks to.

use std::io::{self, Read};

use super::DeflateError;
use super::bits::BitReader;
use super::inflate::{BlockSegment, Inflater};
use super::token::WINDOW;
use super::wrapper::{Check, Wrapper};

/// The plain bytes of a stream. A gzip stream includes all members that follow one another. Zeros and other bytes behind
/// the last one are ignored, as gzip does.
pub(crate) struct PlainReader<R> {
    input: Inflater<R>,
    wrapper: Wrapper,
    /// `None` between members and at the end.
    check: Option<Check>,
    is_first: bool,
    segment: BlockSegment,
    /// The window, and plain bytes that were not taken yet.
    out: Vec<u8>,
    at: usize,
}

impl<R: Read> PlainReader<R> {
    /// Begins at the first byte of a stream.
    pub(crate) fn new(source: R, wrapper: Wrapper) -> Self {
        Self {
            input: Inflater::new(BitReader::new(source)),
            wrapper,
            check: None,
            is_first: true,
            segment: BlockSegment::default(),
            out: Vec::new(),
            at: 0,
        }
    }

    /// Unpacks the next segment. Returns false at the end.
    fn advance(&mut self) -> Result<bool, DeflateError> {
        if self.check.is_none() && !self.begin()? {
            return Ok(false);
        }
        if self.out.len() > WINDOW {
            let stale = self.out.len() - WINDOW;
            self.out.drain(..stale);
        }
        self.at = self.out.len();
        if self.input.next(&mut self.out, &mut self.segment)? {
            if let Some(check) = &mut self.check {
                check.update(&self.out[self.at..]);
            }
            return Ok(true);
        }
        let bits = self.input.bits();
        bits.take(bits.bits_to_byte())?;
        let expected = self.check.take().map(Check::trailer).unwrap_or_default();
        let mut trailer = vec![0; expected.len()];
        if self.input.bits().bytes(&mut trailer)? < trailer.len() {
            return Err(DeflateError::Truncated);
        }
        if trailer != expected {
            return Err(DeflateError::Corrupt("checksum"));
        }
        // There are no plain bytes yet, but there may be another member.
        Ok(true)
    }

    /// Begins the next member. Returns false when there is none.
    fn begin(&mut self) -> Result<bool, DeflateError> {
        let mut begun = [0; 2];
        if self.is_first {
            self.is_first = false;
            self.wrapper.read_header(&[], self.input.bits())?;
        } else {
            if self.wrapper != Wrapper::Gzip
                || self.input.bits().bytes(&mut begun)? < begun.len()
                || begun != [0x1f, 0x8b]
            {
                self.wrapper = Wrapper::Raw;
                return Ok(false);
            }
            self.input.restart();
            self.wrapper.read_header(&begun, self.input.bits())?;
        }
        self.check = Some(Check::new(self.wrapper));
        Ok(true)
    }
}

impl<R: Read> Read for PlainReader<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() {
            match self.advance() {
                Ok(true) => {}
                Ok(false) => return Ok(0),
                Err(DeflateError::Io(error)) => return Err(error),
                Err(error @ DeflateError::Truncated) => {
                    return Err(io::Error::new(io::ErrorKind::UnexpectedEof, error));
                }
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
        let len = buf.len().min(self.out.len() - self.at);
        buf[..len].copy_from_slice(&self.out[self.at..self.at + len]);
        self.at += len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    fn plain() -> Vec<u8> {
        (0..3_000_000_u32)
            .flat_map(|no| (no.wrapping_mul(2_654_435_761) >> (no % 29)).to_le_bytes())
            .take(3_000_000)
            .collect()
    }

    fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::new(level));
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn read(bytes: &[u8], wrapper: Wrapper) -> (Vec<u8>, io::Result<usize>) {
        let mut out = Vec::new();
        let outcome = PlainReader::new(bytes, wrapper).read_to_end(&mut out);
        (out, outcome)
    }

    #[test]
    fn members_come_out_one_after_the_other_whatever_follows() {
        let plain = plain();
        let mut stream = gzip(&plain[..1_000_000], 6);
        stream.extend(gzip(&[], 6));
        stream.extend(gzip(&plain[1_000_000..], 0));
        for behind in [&b""[..], &[0; 9], b"\x1f", b"other"] {
            let stream = [&stream[..], behind].concat();
            let (out, outcome) = read(&stream, Wrapper::Gzip);
            assert!(out == plain);
            outcome.unwrap();
        }
    }

    #[test]
    fn raw_streams_come_out() {
        let plain = plain();
        let mut out = flate2::write::DeflateEncoder::new(Vec::new(), Compression::best());
        out.write_all(&plain).unwrap();
        let stream = out.finish().unwrap();
        assert!(read(&stream, Wrapper::Raw).0 == plain);
    }

    #[test]
    fn cut_and_changed_streams_are_errors_behind_what_came_before() {
        let plain = plain();
        let mut stream = gzip(&plain, 6);
        let (out, outcome) = read(&stream[..stream.len() / 2], Wrapper::Gzip);
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert!(out.len() > 100_000 && plain.starts_with(&out));
        let last = stream.len() - 6;
        stream[last] ^= 1;
        let (_, outcome) = read(&stream, Wrapper::Gzip);
        assert_eq!(outcome.unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
