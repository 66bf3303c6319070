//! The bytes of a stream that is being opened, with their place.

use std::io::{ErrorKind, Read};

use super::RecodeError;

/// Bytes that are read at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// Reads a stream from its front.
pub(super) struct StreamInput<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    /// Bytes before the buffer.
    before: u64,
}

impl<'a> StreamInput<'a> {
    pub(super) fn new(source: &'a mut dyn Read) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            at: 0,
            before: 0,
        }
    }

    /// Returns how many bytes were taken.
    pub(super) fn taken(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Returns the next bytes, `least` of them unless the source ends before. At most 64 KiB may be asked for.
    pub(super) fn peek(&mut self, least: usize) -> Result<&[u8], RecodeError> {
        while self.buffer.len() - self.at < least {
            if self.at > 0 {
                self.buffer.drain(..self.at);
                self.before += self.at as u64;
                self.at = 0;
            }
            let filled = self.buffer.len();
            self.buffer.resize(filled + BUFFER_BYTES, 0);
            let read = loop {
                match self.source.read(&mut self.buffer[filled..]) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    other => break other,
                }
            };
            self.buffer
                .truncate(filled + read.as_ref().map_or(0, |len| *len));
            if read.map_err(RecodeError::Io)? == 0 {
                break;
            }
        }
        Ok(&self.buffer[self.at..])
    }

    /// Passes over bytes that were seen.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.at = self.buffer.len().min(self.at + bytes);
    }

    /// Takes the next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], RecodeError> {
        let next = self.peek(N)?.first_chunk::<N>().copied();
        self.pass(N);
        next.ok_or(RecodeError::Truncated)
    }

    /// Takes the next `len` bytes, at most 64 KiB.
    pub(super) fn take_vec(&mut self, len: usize) -> Result<Vec<u8>, RecodeError> {
        let next = self.peek(len)?.get(..len).map(<[u8]>::to_vec);
        self.pass(len);
        next.ok_or(RecodeError::Truncated)
    }
}
