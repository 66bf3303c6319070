//! Copies blobs that their source has ready, piece by piece.

use std::io::Write;
use std::ops::Range;

use crate::base::id::BlobId;
use crate::base::monitor::Monitor;
use crate::content::recipe::{Blob, ChunkSource, ReadyBytes, RecipeError};

/// Bytes that are read together.
const PIECE_BYTES: u64 = 1 << 20;

/// The ready bytes of a blob, and the piece that was read last.
pub(super) struct Copied<'a> {
    blob: BlobId,
    bytes: Box<dyn ReadyBytes + 'a>,
    /// Where the next piece begins.
    at: u64,
    /// Where the last one ends.
    end: u64,
    piece: Vec<u8>,
    /// Bytes of the piece that were given out.
    given: usize,
    failed: Option<RecipeError>,
}

impl<'a> Copied<'a> {
    /// Finds the ready bytes of a blob.
    pub(super) fn of<S: ChunkSource>(source: &'a S, blob: &Blob) -> Option<Self> {
        Some(Self {
            blob: blob.id,
            bytes: source.ready(blob)?,
            at: 0,
            end: blob.bytes,
            piece: Vec::new(),
            given: 0,
            failed: None,
        })
    }

    /// Sets the first byte. Only valid before anything was read.
    pub(super) fn seek(&mut self, at: u64) {
        self.at = at;
    }

    /// Writes the bytes `range`.
    pub(super) fn write(
        mut self,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), RecipeError> {
        (self.at, self.end) = (range.start, range.end);
        loop {
            monitor.check_stop()?;
            let piece = self.next(usize::MAX);
            if piece.is_empty() {
                return self.failed.map_or(Ok(()), Err);
            }
            out.write_all(piece).map_err(RecipeError::write)?;
            monitor.advance(piece.len() as u64);
        }
    }

    /// Returns available bytes, up to `most`. Returns none at the end, which is a success unless [`Copied::failure`]
    /// says otherwise.
    pub(super) fn next(&mut self, most: usize) -> &[u8] {
        if self.given == self.piece.len() {
            let len = (self.end - self.at).min(PIECE_BYTES);
            self.piece.resize(usize::try_from(len).unwrap_or(0), 0);
            self.given = 0;
            if let Err(source) = self.bytes.read_at(self.at, &mut self.piece) {
                let blob = self.blob;
                self.failed = Some(RecipeError::ready(blob, source));
                self.piece.clear();
                self.end = self.at;
            }
            self.at += self.piece.len() as u64;
        }
        let from = self.given;
        self.given = self.piece.len().min(from.saturating_add(most));
        &self.piece[from..self.given]
    }

    /// Returns the error, once.
    pub(super) fn failure(&mut self) -> Option<RecipeError> {
        self.failed.take()
    }
}
