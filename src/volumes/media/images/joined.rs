//! Pieces of a file as one stream. A piece that is missing in the middle is a gap of the length that the others have.
//!
//! Thousands of pieces are common, so few files are open at a time.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::read_at::ReadAt;
use crate::volumes::media::images::{FileReader, MediaPiece};

/// Files that stay open: enough for the threads that read.
const OPEN_MAX: usize = 16;

/// The stream of all pieces.
pub(super) struct JoinedPieces {
    pieces: Arc<[MediaPiece]>,
    /// Where each piece begins, and where the last one ends.
    starts: Vec<u64>,
    open: Mutex<VecDeque<(usize, Arc<FileReader>)>>,
}

impl JoinedPieces {
    pub(super) fn new(pieces: Arc<[MediaPiece]>) -> Self {
        let mut starts = vec![0_u64];
        for piece in pieces.iter() {
            let end = starts.last().copied().unwrap_or(0);
            starts.push(end.saturating_add(piece.bytes));
        }
        Self {
            pieces,
            starts,
            open: Mutex::new(VecDeque::new()),
        }
    }

    fn file(&self, piece_no: usize) -> io::Result<Arc<FileReader>> {
        let Some(path) = &self.pieces[piece_no].path else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a piece that is missing",
            ));
        };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, file)) = open.iter().find(|(no, _)| *no == piece_no) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(FileReader::open(path)?);
        if open.len() == OPEN_MAX {
            open.pop_front();
        }
        open.push_back((piece_no, Arc::clone(&file)));
        Ok(file)
    }
}

impl ReadAt for JoinedPieces {
    fn size_bytes(&self) -> u64 {
        self.starts.last().copied().unwrap_or(0)
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size_bytes() || out.is_empty() {
            return Ok(0);
        }
        // Empty pieces begin where the next one does, and the last of these is meant.
        let piece_no = self.starts.partition_point(|start| *start <= offset) - 1;
        let start = self.starts[piece_no];
        let end = self.starts[piece_no + 1];
        let left = usize::try_from(end - offset).unwrap_or(usize::MAX);
        let len = left.min(out.len());
        match self
            .file(piece_no)?
            .read_at(offset - start, &mut out[..len])?
        {
            // It became shorter since it was found.
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            len => Ok(len),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_are_those_of_the_pieces_and_a_missing_one_is_a_gap() {
        let dir = tempfile::tempdir().unwrap();
        let whole: Vec<u8> = (0..=255).cycle().take(40 * 100).collect();
        let pieces: Arc<[MediaPiece]> = whole
            .chunks(100)
            .enumerate()
            .map(|(no, bytes)| {
                let path = dir.path().join(no.to_string());
                std::fs::write(&path, bytes).unwrap();
                MediaPiece {
                    path: (no != 7).then_some(path),
                    bytes: 100,
                }
            })
            .collect();
        let joined = JoinedPieces::new(pieces);
        assert_eq!(joined.size_bytes(), 4000);
        let mut at = 0;
        while at < 4000 {
            let mut out = [0; 33];
            match joined.read_at(at, &mut out) {
                Ok(len) => {
                    let from = usize::try_from(at).unwrap();
                    assert!(len > 0 && whole[from..].starts_with(&out[..len]));
                    at += len as u64;
                }
                Err(_) => {
                    assert_eq!(at, 700);
                    at = 800;
                }
            }
        }
        assert_eq!(joined.read_at(4000, &mut [0; 3]).unwrap(), 0);
        assert!(joined.open.lock().unwrap().len() <= OPEN_MAX);
    }
}
