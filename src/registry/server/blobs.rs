//! Threads that write blobs into connections. The line is broken before the last bytes of a whole blob when they are not those
//! of its digest.

use std::io::{self, Write};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;

use super::kept::Kept;
use super::{Answered, Lines};
use crate::image::Digest;
use crate::monitor::Monitor;

/// Blobs that go out at a time; more wait.
pub const WRITERS: usize = 16;
/// Bytes of a piece.
const PIECE_BYTES: usize = 256 << 10;
/// Pieces of a blob that wait to go out.
const PIECES: usize = 3;
/// A client that takes nothing for so long has gone.
const STALL_TIME: Duration = Duration::from_secs(60);

/// A blob, or a part of one, that is to be written.
pub struct Job {
    pub digest: Digest,
    pub range: Range<u64>,
    pub out: tokio::sync::mpsc::Sender<Result<Bytes, Cut>>,
    pub line: Answered,
}

/// The body ends before its end.
#[derive(Debug, thiserror::Error)]
#[error("the blob cannot be sent to its end")]
pub struct Cut;

/// Jobs that wait.
pub type Queue = Mutex<Receiver<Job>>;

/// Where jobs are put, and where they are taken from.
pub fn queue() -> (Sender<Job>, Queue) {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
}

/// Writes one job after another, until no more can come.
pub fn write_all(
    queue: &Queue,
    source: &Kept<'_>,
    handle: &Handle,
    lines: &Lines,
    monitor: &dyn Monitor,
) {
    loop {
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else {
            return;
        };
        let mut line = job.line.clone();
        let mut out = BodyWriter {
            job: &job,
            handle,
            monitor,
            piece: Vec::new(),
            bytes: 0,
        };
        let outcome = source
            .write(&job.digest, job.range.clone(), &mut out, monitor)
            .and_then(|()| Ok(out.finish()?));
        line.bytes = out.bytes;
        if let Err(error) = outcome {
            line.broken = Some(error.to_string());
            // A client that is gone does not hear it.
            let _ = job.out.try_send(Err(Cut));
        }
        let _ = lines.send(line);
    }
}

struct BodyWriter<'a> {
    job: &'a Job,
    handle: &'a Handle,
    monitor: &'a dyn Monitor,
    piece: Vec<u8>,
    bytes: u64,
}

impl BodyWriter<'_> {
    fn send(&mut self) -> io::Result<()> {
        if self.monitor.stop_asked() {
            return Err(io::Error::other("stopped"));
        }
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        let count = piece.len() as u64;
        let sent = self.handle.block_on(async {
            tokio::time::timeout(STALL_TIME, self.job.out.send(Ok(piece))).await
        });
        match sent {
            Ok(Ok(())) => {
                self.bytes += count;
                Ok(())
            }
            Ok(Err(_)) => Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the client has gone",
            )),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client takes nothing",
            )),
        }
    }

    /// Sends the last piece, when everything is as it should be.
    fn finish(&mut self) -> io::Result<()> {
        let wanted = self.job.range.end - self.job.range.start;
        if self.bytes + self.piece.len() as u64 != wanted {
            return Err(io::Error::other("the blob has another length here"));
        }
        if self.piece.is_empty() {
            Ok(())
        } else {
            self.send()
        }
    }
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits here until there is more: the last one goes out by `finish` alone.
        if self.piece.len() == PIECE_BYTES {
            self.send()?;
        }
        if self.piece.capacity() == 0 {
            self.piece.reserve_exact(PIECE_BYTES);
        }
        let count = (PIECE_BYTES - self.piece.len()).min(bytes.len());
        self.piece.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A body that comes from a job.
pub struct BlobBody {
    pieces: tokio::sync::mpsc::Receiver<Result<Bytes, Cut>>,
    left: u64,
}

impl BlobBody {
    /// A body of so many bytes, and where its pieces are to be sent.
    pub fn new(bytes: u64) -> (tokio::sync::mpsc::Sender<Result<Bytes, Cut>>, Self) {
        let (sender, pieces) = tokio::sync::mpsc::channel(PIECES);
        (
            sender,
            Self {
                pieces,
                left: bytes,
            },
        )
    }
}

impl Body for BlobBody {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.pieces.poll_recv(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(piece))) => {
                self.left = self.left.saturating_sub(piece.len() as u64);
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            Poll::Ready(Some(Err(cut))) => Poll::Ready(Some(Err(cut))),
            // The writer has ended before the body did.
            Poll::Ready(None) if self.left > 0 => Poll::Ready(Some(Err(Cut))),
            Poll::Ready(None) => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
