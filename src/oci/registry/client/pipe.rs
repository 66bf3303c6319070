//! Connects a source that writes to a request that reads: two threads and a bounded channel, 1 MiB at most.

use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::base::backend::BackendError;
use crate::base::monitor::Monitor;
use crate::oci::image::{Digest, DigestHasher};

/// Bytes of a piece in the channel.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces in the channel.
const PIECES: usize = 3;

/// A piece, or the reason why there are no more.
pub(super) type BodyPiece = Result<Vec<u8>, BackendError>;

/// The reason why not everything was read.
pub(super) enum PipeBroken {
    /// The source failed.
    Source(BackendError),
    /// The bytes are not those of the digest.
    Hash(Digest),
    /// A stop was asked for.
    Stopped,
    /// The reader stopped early.
    Early,
}

/// Runs a source beside a reader.
pub(super) fn between<T>(
    write: impl FnOnce(&mut dyn Write) -> Result<(), BackendError> + Send,
    read: impl FnOnce(Receiver<BodyPiece>) -> T,
) -> T {
    let (sender, receiver) = sync_channel(PIECES);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut out = PieceWriter {
                piece: Vec::new(),
                sender: &sender,
            };
            // When sending fails, the reader has ended and has reported why.
            let outcome = write(&mut out).and_then(|()| Ok(out.flush()?));
            if let Err(error) = outcome {
                let _ = sender.send(Err(error));
            }
        });
        read(receiver)
    })
}

struct PieceWriter<'a> {
    piece: Vec<u8>,
    sender: &'a SyncSender<BodyPiece>,
}

impl PieceWriter<'_> {
    fn send(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.sender.send(Ok(piece)).map_err(gone)
    }
}

impl Write for PieceWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE_BYTES - self.piece.len();
        let count = room.min(bytes.len());
        if self.piece.capacity() == 0 {
            self.piece.reserve_exact(PIECE_BYTES);
        }
        self.piece.extend_from_slice(&bytes[..count]);
        if self.piece.len() == PIECE_BYTES {
            self.send()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        self.send()
    }
}

/// Reads what a source writes. Hashes everything, leaves out the beginning, and holds the last bytes back until the
/// hash is right.
pub(super) struct UploadReader<'a> {
    pieces: Receiver<BodyPiece>,
    hasher: DigestHasher,
    /// Bytes that are hashed but not passed on.
    skip: u64,
    /// Bytes that are still to be passed on.
    left: u64,
    /// The digest of the whole blob, when these are its last bytes.
    whole: Option<&'a Digest>,
    piece: Vec<u8>,
    at: usize,
    broken: Option<PipeBroken>,
    monitor: &'a dyn Monitor,
}

impl<'a> UploadReader<'a> {
    pub(super) fn new(
        pieces: Receiver<BodyPiece>,
        hasher: DigestHasher,
        skip: u64,
        left: u64,
        whole: Option<&'a Digest>,
        monitor: &'a dyn Monitor,
    ) -> Self {
        Self {
            pieces,
            hasher,
            skip,
            left,
            whole,
            piece: Vec::new(),
            at: 0,
            broken: None,
            monitor,
        }
    }

    /// Returns the hash of everything, once everything was read.
    pub(super) fn into_end(self) -> Result<DigestHasher, PipeBroken> {
        match self.broken {
            Some(broken) => Err(broken),
            None if self.left > 0 || self.at < self.piece.len() => Err(PipeBroken::Early),
            None => Ok(self.hasher),
        }
    }

    /// Takes the next piece with bytes to pass on.
    fn next_piece(&mut self) -> Result<(), PipeBroken> {
        while self.at == self.piece.len() && self.left > 0 {
            if self.monitor.stop_asked() {
                return Err(PipeBroken::Stopped);
            }
            let piece = match self.pieces.recv() {
                Ok(piece) => piece.map_err(PipeBroken::Source)?,
                Err(_) => return Err(PipeBroken::Source("it ended early".into())),
            };
            self.hasher.update(&piece);
            let skipped = usize::try_from(self.skip)
                .unwrap_or(usize::MAX)
                .min(piece.len());
            self.skip -= skipped as u64;
            let given = (piece.len() - skipped) as u64;
            if given > self.left {
                return Err(PipeBroken::Source(
                    "it is longer than it is said to be".into(),
                ));
            }
            self.left -= given;
            if self.left == 0
                && let Some(digest) = self.whole
            {
                let got = self.hasher.clone().finish();
                if got != *digest {
                    return Err(PipeBroken::Hash(got));
                }
            }
            self.piece = piece;
            self.at = skipped;
        }
        Ok(())
    }
}

impl Read for UploadReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.broken.is_some() {
            return Err(io::Error::other("what is sent ended early"));
        }
        if let Err(broken) = self.next_piece() {
            self.broken = Some(broken);
            return Err(io::Error::other("what is sent ended early"));
        }
        let count = (self.piece.len() - self.at).min(out.len());
        out[..count].copy_from_slice(&self.piece[self.at..self.at + count]);
        self.at += count;
        self.monitor.advance(count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::Silent;

    fn read_all(
        bytes: &[u8],
        skip: u64,
        digest: &Digest,
    ) -> (Vec<u8>, Result<DigestHasher, PipeBroken>) {
        between(
            |out| Ok(out.write_all(bytes)?),
            |pieces| {
                let left = bytes.len() as u64 - skip;
                let mut reader = UploadReader::new(
                    pieces,
                    DigestHasher::default(),
                    skip,
                    left,
                    Some(digest),
                    &Silent,
                );
                let mut got = Vec::new();
                let _ = reader.read_to_end(&mut got);
                (got, reader.into_end())
            },
        )
    }

    #[test]
    fn all_but_what_is_skipped_arrives() {
        let bytes: Vec<u8> = (0..1_000_003_u32).map(|at| at.to_le_bytes()[0]).collect();
        let (got, end) = read_all(&bytes, 300_000, &Digest::of(&bytes));
        assert!(got == bytes[300_000..]);
        assert_eq!(end.ok().unwrap().finish(), Digest::of(&bytes));
    }

    #[test]
    fn the_last_bytes_of_what_has_another_hash_are_held_back() {
        let bytes = vec![7; 600_000];
        let (got, end) = read_all(&bytes, 0, &Digest::of(b"other"));
        assert!(got.len() < bytes.len());
        assert!(matches!(end, Err(PipeBroken::Hash(_))));
    }

    #[test]
    fn a_source_that_fails_is_told() {
        let end = between(
            |_| Err("gone".into()),
            |pieces| {
                let mut reader =
                    UploadReader::new(pieces, DigestHasher::default(), 0, 5, None, &Silent);
                assert!(reader.read_to_end(&mut Vec::new()).is_err());
                reader.into_end()
            },
        );
        assert!(matches!(end, Err(PipeBroken::Source(_))));
    }
}
