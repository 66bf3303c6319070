//! A pipe between two threads that carries bytes and, at its end, the error of the writing side.
//!
//! Either side may end early. The other side learns of it and never waits for it.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};

use crate::content::recipe::RecipeError;

/// Bytes that are sent together.
const PIECE_BYTES: usize = 256 << 10;

type RebuiltPiece = Result<Vec<u8>, RecipeError>;

/// Makes a pipe in which at most `pieces` pieces wait.
pub(super) fn pipe(pieces: usize) -> (PipeWriter, PipeReader) {
    let (into, out) = mpsc::sync_channel(pieces);
    let writer = PipeWriter {
        into,
        piece: Vec::new(),
    };
    let reader = PipeReader {
        out: Some(out),
        piece: Vec::new(),
        at: 0,
        failed: None,
    };
    (writer, reader)
}

/// The writing end.
pub(super) struct PipeWriter {
    into: SyncSender<RebuiltPiece>,
    piece: Vec<u8>,
}

impl PipeWriter {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        if !piece.is_empty() && self.into.send(Ok(piece)).is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }

    /// Ends the bytes and tells the reader the outcome.
    pub(super) fn finish(mut self, outcome: Result<(), RecipeError>) {
        // Sending fails when the reader is gone. Then nobody needs the outcome.
        let _ = match outcome {
            Ok(()) => self.send().is_ok(),
            Err(error) => self.into.send(Err(error)).is_ok(),
        };
    }
}

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Pieces are full except for the last, so the number that waits bounds the bytes that wait.
        let len = bytes.len().min(PIECE_BYTES - self.piece.len());
        self.piece.extend_from_slice(&bytes[..len]);
        if self.piece.len() == PIECE_BYTES {
            self.send()?;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The reading end.
pub(super) struct PipeReader {
    /// `None` once the writer ended.
    out: Option<Receiver<RebuiltPiece>>,
    piece: Vec<u8>,
    at: usize,
    failed: Option<RecipeError>,
}

impl PipeReader {
    /// Returns available bytes, up to `most`. Returns none at the end, which is a success unless
    /// [`PipeReader::failure`] says otherwise.
    pub(super) fn next(&mut self, most: usize) -> &[u8] {
        while self.at == self.piece.len() {
            let Some(piece) = self.out.as_ref().map(Receiver::recv) else {
                return &[];
            };
            match piece {
                Ok(Ok(piece)) => {
                    self.piece = piece;
                    self.at = 0;
                }
                Ok(Err(error)) => {
                    self.failed = Some(error);
                    self.out = None;
                }
                Err(_) => self.out = None,
            }
        }
        let from = self.at;
        self.at = self.piece.len().min(from.saturating_add(most));
        &self.piece[from..self.at]
    }

    /// Returns the error of the writing side, once.
    pub(super) fn failure(&mut self) -> Option<RecipeError> {
        self.failed.take()
    }
}

impl Read for PipeReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(out.len());
        out[..bytes.len()].copy_from_slice(bytes);
        let len = bytes.len();
        // A failure must not look like the end of the bytes.
        if len == 0 && !out.is_empty() && self.failed.is_some() {
            return Err(io::Error::other("what gives the plain bytes failed"));
        }
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::term::Flaw;

    #[test]
    fn bytes_and_failures_come_through_and_nobody_waits_for_who_is_gone() {
        let (mut into, mut out) = pipe(1);
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                into.write_all(&bytes).unwrap();
                into.finish(Err(RecipeError::Corrupt(Flaw::End)));
            });
            let mut back = Vec::new();
            // The last bytes, which fill no piece, are dropped with the failure.
            assert!(out.read_to_end(&mut back).is_err());
            assert!(bytes.starts_with(&back) && back.len() >= bytes.len() - PIECE_BYTES);
            assert!(matches!(
                out.failure(),
                Some(RecipeError::Corrupt(Flaw::End))
            ));
        });
        let (mut into, out) = pipe(1);
        drop(out);
        let error = into.write_all(&bytes).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        into.finish(Ok(()));
    }
}
