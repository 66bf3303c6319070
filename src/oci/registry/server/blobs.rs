//! Threads that write blobs to connections. A whole blob that does not match its digest is cut off before its last
//! bytes.

use std::io::{self, Write};
use std::ops::Range;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::runtime::Handle;

use super::blob_cache::CachedSource;
use super::callers::Busy;
use super::pressure::{HeldUp, Pressure};
use super::{Answered, Lines};
use crate::base::monitor::Monitor;
use crate::oci::image::Digest;

/// Blobs that are sent at a time. More have to wait.
pub(crate) const WRITERS: usize = 64;
/// Bytes of a piece.
const PIECE_BYTES: usize = 256 << 10;
/// Most pieces of a blob that wait to be sent.
const PIECES: usize = 3;
/// Time without progress after which a client counts as gone.
const STALL_TIME: Duration = Duration::from_secs(60);
/// Time without progress after which a client gives way when others are held up.
const GIVE_WAY_TIME: Duration = Duration::from_secs(2);
/// Interval in which a writer that waits for its client checks whether to go on waiting.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Number of checks in a row at which others must be held up. A job that is taken at once is no reason to break a
/// connection.
const LOOKS_MIN: u32 = 5;

/// A blob, or a part of one, to be written.
pub(crate) struct WriteJob {
    pub digest: Digest,
    pub range: Range<u64>,
    pub out: tokio::sync::mpsc::Sender<Result<Bytes, Cut>>,
    pub line: Answered,
    /// Marks the job as waiting until a writer takes it.
    pub waits: HeldUp,
}

/// The error of a body that ends early.
#[derive(Debug, thiserror::Error)]
#[error("the blob cannot be sent to its end")]
pub struct Cut;

/// Jobs that wait.
pub(crate) type Queue = Mutex<Receiver<WriteJob>>;

/// Returns the two ends of a queue of jobs.
pub fn queue() -> (Sender<WriteJob>, Queue) {
    let (sender, receiver) = channel();
    (sender, Mutex::new(receiver))
}

/// Writes one job after another until no more can come. `pressure` says whether jobs wait for a writer.
pub fn write_all(
    queue: &Queue,
    source: &CachedSource<'_>,
    handle: &Handle,
    pressure: &Pressure,
    lines: &Lines,
    monitor: &dyn Monitor,
) {
    loop {
        // The guard is dropped with this statement, so that other writers take jobs while this one is written.
        let job = match queue.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(job) = job else {
            return;
        };
        let WriteJob {
            digest,
            range,
            out,
            mut line,
            waits,
        } = job;
        // The job no longer waits, so nobody has to give way for it.
        drop(waits);
        let way = source.way(&digest);
        let mut body = BodyWriter {
            wanted_bytes: range.end - range.start,
            out: &out,
            handle,
            monitor,
            held_up_by_me: [Some(pressure), source.makers_pressure(&way)],
            piece: Vec::new(),
            bytes: 0,
        };
        let outcome = source
            .write(&way, &digest, range, &mut body, monitor)
            .and_then(|()| Ok(body.finish()?));
        line.bytes = body.bytes;
        if let Err(error) = outcome {
            line.broken = Some(error.to_string());
            // A client that is gone does not receive it.
            let _ = out.try_send(Err(Cut));
        }
        let _ = lines.send(line);
    }
}

struct BodyWriter<'a> {
    wanted_bytes: u64,
    out: &'a tokio::sync::mpsc::Sender<Result<Bytes, Cut>>,
    handle: &'a Handle,
    monitor: &'a dyn Monitor,
    /// What this writer holds up while its client takes nothing.
    held_up_by_me: [Option<&'a Pressure>; 2],
    piece: Vec<u8>,
    bytes: u64,
}

impl BodyWriter<'_> {
    fn send(&mut self) -> io::Result<()> {
        self.wait_for_room()?;
        let piece = Bytes::from(std::mem::take(&mut self.piece));
        let count = piece.len() as u64;
        // There is room, and only this writer sends here.
        self.out.try_send(Ok(piece)).map_err(|_| gone())?;
        self.bytes += count;
        Ok(())
    }

    /// Waits until the client takes something. Fails when the client has gone, when it takes nothing for too long, or
    /// when it takes nothing while others are held up.
    fn wait_for_room(&self) -> io::Result<()> {
        let begin = Instant::now();
        let mut looks = 0;
        loop {
            self.monitor.check_stop()?;
            let room = self.handle.block_on(async {
                tokio::time::timeout(LOOK_EVERY, self.out.reserve())
                    .await
                    .map(|room| room.map(drop))
            });
            match room {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(_)) => return Err(gone()),
                Err(_) => {}
            }
            let others = self.held_up_by_me.iter().flatten();
            let waited = others.clone().any(|pressure| pressure.is_on());
            looks = if waited { looks + 1 } else { 0 };
            let stalled = begin.elapsed();
            let gives_way = stalled >= GIVE_WAY_TIME && looks >= LOOKS_MIN;
            if stalled >= STALL_TIME || gives_way && others.clone().any(|each| each.give_way()) {
                let why = "the client takes nothing";
                return Err(io::Error::new(io::ErrorKind::TimedOut, why));
            }
        }
    }

    /// Sends the last piece when everything is right.
    fn finish(&mut self) -> io::Result<()> {
        // The last piece is still here, so a wrong length breaks the connection before the body is complete.
        if self.bytes + self.piece.len() as u64 != self.wanted_bytes {
            return Err(io::Error::other("the blob has another length here"));
        }
        if self.piece.is_empty() {
            Ok(())
        } else {
            self.send()
        }
    }
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone")
}

impl Write for BodyWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full piece waits here until more bytes come, so that only `finish` sends the last one.
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

/// The body of an answer that a job writes.
pub(crate) struct BlobBody {
    pieces: tokio::sync::mpsc::Receiver<Result<Bytes, Cut>>,
    left: u64,
    /// Keeps the connection busy while the body is sent.
    _busy: Busy,
}

impl BlobBody {
    /// Makes a body of this many bytes, and the sender for its pieces.
    pub fn new(bytes: u64, busy: Busy) -> (tokio::sync::mpsc::Sender<Result<Bytes, Cut>>, Self) {
        let (sender, pieces) = tokio::sync::mpsc::channel(PIECES);
        (
            sender,
            Self {
                pieces,
                left: bytes,
                _busy: busy,
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
            // The writer ended before the body was complete.
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
