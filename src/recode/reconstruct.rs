//! Makes a stream again from its plain bytes and its recipe.
//!
//! Pieces up to a length that depends on the encoder are encoded by several threads, and longer ones as their bytes come.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::{self, Scope, ScopedJoinHandle};

use super::coder::Encoder;
use super::recipe::{RecipePiece, pieces_max, take_piece, take_version};
use super::settings::EncoderSettings;
use super::{EncodeOptions, RecodeError, bitcode, chunks};

/// Most memory of the encoders of one stream, with what they read and give, unless a single one takes more.
pub(super) const RECONSTRUCT_BYTES: u64 = 1 << 30;
/// Plain bytes that are encoded at a time. A stop is asked for as often.
const STEP_BYTES: usize = 64 << 10;
/// Parts that wait for the first of them.
const PARTS_MAX: usize = 256;

/// Bytes of the stream that are in no output yet.
enum StreamPart<'scope> {
    Ready(Vec<u8>),
    /// A piece that a thread encodes.
    Made(ScopedJoinHandle<'scope, Result<Vec<u8>, RecodeError>>),
}

/// Tells the threads to stop when the work ends, however it ends.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Encoders of blocks that run now, in all streams of the process. Whoever has a turn has all that it needs, and waits
/// for nobody.
static AT_WORK: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// The right to run an encoder, one for each core. So streams that are made side by side take no more memory for
/// encoders than one.
struct Turn;

impl Turn {
    fn take() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let (at_work, changed) = &AT_WORK;
        let mut at_work = at_work.lock().unwrap_or_else(PoisonError::into_inner);
        while *at_work >= cores {
            at_work = changed
                .wait(at_work)
                .unwrap_or_else(PoisonError::into_inner);
        }
        *at_work += 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (at_work, changed) = &AT_WORK;
        *at_work.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        changed.notify_one();
    }
}

pub(super) fn reconstruct(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &EncodeOptions,
) -> Result<(), RecodeError> {
    take_version(recipe)?;
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _stop_on_drop = StopOnDrop(&over);
        let mut maker = Maker {
            plain,
            out,
            left: options.stream_bytes,
            threads: options.threads.max(1),
            scope,
            over: &over,
            parts: VecDeque::new(),
            at_work: 0,
            pieces: 0,
            plain_bytes: 0,
        };
        let mut settings = None;
        let mut flushed = None;
        let order = || RecodeError::Corrupt("order of pieces");
        while let Some(piece) = take_piece(recipe)? {
            let goes_on = matches!(piece, RecipePiece::Coded(_) | RecipePiece::Flushed(_));
            if flushed.is_some() && !goes_on {
                return Err(order());
            }
            match piece {
                RecipePiece::Literal(bytes) => maker.part(StreamPart::Ready(bytes))?,
                RecipePiece::Settings(new) => settings = Some(new),
                RecipePiece::Stored(bytes) => maker.stored(bytes)?,
                RecipePiece::Bitcode(bytes) => maker.bitcode(bytes)?,
                RecipePiece::Coded(bytes) => match flushed.take() {
                    Some(encoder) => maker.last_part(encoder, bytes)?,
                    None => maker.coded(settings.as_ref().ok_or_else(order)?, bytes)?,
                },
                RecipePiece::Flushed(bytes) => {
                    let settings = settings.as_ref().ok_or_else(order)?;
                    flushed = Some(maker.flushed(settings, flushed.take(), bytes)?);
                }
            }
        }
        if flushed.is_some() {
            return Err(order());
        }
        while !maker.parts.is_empty() {
            maker.put_first()?;
        }
        if maker.left > 0 {
            return Err(RecodeError::Length);
        }
        Ok(())
    })
}

/// Puts the parts of a stream together, in their order.
struct Maker<'scope, 'env, 'a> {
    plain: &'a mut dyn Read,
    out: &'a mut dyn Write,
    /// Bytes of the stream that are still to come.
    left: u64,
    threads: usize,
    scope: &'scope Scope<'scope, 'env>,
    over: &'env AtomicBool,
    parts: VecDeque<StreamPart<'scope>>,
    /// Parts that a thread encodes.
    at_work: usize,
    pieces: u64,
    plain_bytes: u64,
}

impl<'scope> Maker<'scope, '_, '_> {
    fn part(&mut self, part: StreamPart<'scope>) -> Result<(), RecodeError> {
        self.parts.push_back(part);
        if self.parts.len() > PARTS_MAX {
            self.put_first()?;
        }
        while matches!(self.parts.front(), Some(StreamPart::Ready(_))) {
            self.put_first()?;
        }
        Ok(())
    }

    fn put_first(&mut self) -> Result<(), RecodeError> {
        let bytes = match self.parts.pop_front() {
            None => return Ok(()),
            Some(StreamPart::Ready(bytes)) => bytes,
            Some(StreamPart::Made(thread)) => {
                self.at_work -= 1;
                let made = thread.join();
                made.map_err(|_| RecodeError::Corrupt("encoder"))??
            }
        };
        self.put(&bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RecodeError> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or(RecodeError::Length)?;
        self.out.write_all(bytes).map_err(RecodeError::Io)
    }

    /// Counts a piece.
    fn count(&mut self, bytes: u64) -> Result<(), RecodeError> {
        self.pieces += 1;
        self.plain_bytes = self.plain_bytes.saturating_add(bytes);
        if self.pieces > pieces_max(self.plain_bytes) {
            return Err(RecodeError::Corrupt("number of pieces"));
        }
        Ok(())
    }

    fn coded(&mut self, settings: &EncoderSettings, bytes: u64) -> Result<(), RecodeError> {
        // A piece of no bytes would let a short recipe run forever.
        if bytes == 0 {
            return Err(RecodeError::Corrupt("length of a piece"));
        }
        self.count(bytes)?;
        let each = settings
            .encoder_bytes()
            .saturating_add(bytes.saturating_mul(3));
        let room = usize::try_from(RECONSTRUCT_BYTES / each.max(1)).unwrap_or(usize::MAX);
        let most = self.threads.min(room);
        if most < 2 || bytes > settings.parallel_bytes_max() {
            while !self.parts.is_empty() {
                self.put_first()?;
            }
            return self.encode_here(settings, bytes);
        }
        while self.at_work >= most {
            self.put_first()?;
        }
        let mut piece = Vec::new();
        let read = self.plain.take(bytes).read_to_end(&mut piece);
        if read.map_err(RecodeError::Io)? as u64 != bytes {
            return Err(RecodeError::Truncated);
        }
        let (settings, over) = (settings.clone(), self.over);
        let thread = self.scope.spawn(move || {
            let _turn = Turn::take();
            let mut encoder = Encoder::new(&settings)?;
            let mut made = Vec::new();
            for step in piece.chunks(STEP_BYTES) {
                if over.load(Ordering::Relaxed) {
                    return Err(RecodeError::Stopped);
                }
                encoder.push(step, &mut made)?;
            }
            encoder.finish(&mut made)?;
            Ok(made)
        });
        self.at_work += 1;
        self.part(StreamPart::Made(thread))
    }

    /// Encodes a piece as its bytes come.
    fn encode_here(&mut self, settings: &EncoderSettings, bytes: u64) -> Result<(), RecodeError> {
        self.end_piece(Encoder::new(settings)?, bytes)
    }

    /// Encodes the last bytes of a piece.
    fn end_piece(&mut self, mut encoder: Encoder, bytes: u64) -> Result<(), RecodeError> {
        self.encode(&mut encoder, bytes)?;
        let mut made = Vec::new();
        encoder.finish(&mut made)?;
        self.put(&made)
    }

    fn encode(&mut self, encoder: &mut Encoder, bytes: u64) -> Result<(), RecodeError> {
        let mut made = Vec::new();
        self.steps(bytes, STEP_BYTES, |maker, step| {
            encoder.push(step, &mut made)?;
            maker.put(&made)?;
            made.clear();
            Ok(())
        })
    }

    /// Encodes a part of a piece up to a flush. Returns the encoder, which `begun` is unless the part is the first.
    fn flushed(
        &mut self,
        settings: &EncoderSettings,
        begun: Option<Encoder>,
        bytes: u64,
    ) -> Result<Encoder, RecodeError> {
        self.count(bytes)?;
        while !self.parts.is_empty() {
            self.put_first()?;
        }
        let mut encoder = match begun {
            Some(begun) => begun,
            None => Encoder::new(settings)?,
        };
        self.encode(&mut encoder, bytes)?;
        let mut made = Vec::new();
        encoder.flush(&mut made)?;
        self.put(&made)?;
        Ok(encoder)
    }

    /// Ends a piece behind its last flush.
    fn last_part(&mut self, encoder: Encoder, bytes: u64) -> Result<(), RecodeError> {
        self.count(bytes)?;
        self.end_piece(encoder, bytes)
    }

    /// Makes chunks that are not compressed.
    fn stored(&mut self, bytes: u64) -> Result<(), RecodeError> {
        self.count(bytes)?;
        while !self.parts.is_empty() {
            self.put_first()?;
        }
        let chunk_bytes = usize::try_from(chunks::STORED_BYTES).unwrap_or(STEP_BYTES);
        // The first chunk resets the dictionary.
        let mut control = 1;
        self.steps(bytes, chunk_bytes, |maker, step| {
            let size = u16::try_from(step.len() - 1).map_err(|_| RecodeError::Length)?;
            let [high, low] = size.to_be_bytes();
            maker.put(&[control, high, low])?;
            control = 2;
            maker.put(step)
        })?;
        self.put(&[0])
    }

    /// Makes a file of bitcode.
    fn bitcode(&mut self, bytes: u64) -> Result<(), RecodeError> {
        self.count(bytes)?;
        while !self.parts.is_empty() {
            self.put_first()?;
        }
        if bytes > bitcode::OPENED_BYTES_MAX {
            return Err(RecodeError::Limit);
        }
        let mut opened = Vec::new();
        let read = self.plain.take(bytes).read_to_end(&mut opened);
        if read.map_err(RecodeError::Io)? as u64 != bytes {
            return Err(RecodeError::Truncated);
        }
        self.put(&bitcode::close(&opened, self.left)?)
    }

    /// Reads plain bytes in steps of `step_bytes`, of which only the last may be shorter.
    fn steps(
        &mut self,
        bytes: u64,
        step_bytes: usize,
        mut take: impl FnMut(&mut Self, &[u8]) -> Result<(), RecodeError>,
    ) -> Result<(), RecodeError> {
        let mut step = vec![0; step_bytes];
        let mut left = bytes;
        while left > 0 {
            let len = usize::try_from(left).map_or(step_bytes, |left| left.min(step_bytes));
            let read = self.plain.read_exact(&mut step[..len]);
            read.map_err(RecodeError::read)?;
            take(self, &step[..len])?;
            left -= len as u64;
        }
        Ok(())
    }
}
