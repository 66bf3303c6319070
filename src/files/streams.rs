//! Handles streams in files: which are looked at, how much they may cost, and what the result was.
//!
//! Opening and rebuilding a stream is the work of `deflate` and `recode`, and reading its plain bytes is the work of the unpacker. A
//! stream that is not opened is kept as it came and is never an error. Each stream holds two spools of at most 16 MiB
//! each in memory.

use std::collections::HashSet;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use super::LayoutError;
use super::effort::{ItemEffort, is_fast};
use super::open_options::OpenOptions;
use super::stream_report::KeptReason;
use crate::base::limits::PLAIN_RATIO_MAX;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::base::spooled_temp::SpooledTemp;
use crate::base::term::Action;
use crate::content::recipe::{DEFLATE_CODEC, RECODE_CODEC};
use crate::deflate::{self, DeflateError, Expectation, Experience, Wrapper};
use crate::recode::{self, Guesses, RecodeError};

/// Bytes that count as read at a time, and of the first of them those that are read at first.
const READ_BYTES: usize = 256 << 10;
const FIRST_BYTES: usize = 16 << 10;
/// Most plain bytes of a stream that is looked at because it may be as expected.
const EXPECTED_BYTES_MAX: u64 = 1 << 20;
/// Recipe length that is always allowed, and that of codec 2. Those hold headers and checks as they are, most of which are
/// the same in all streams of a writer.
const RECIPE_BYTES_MIN: u64 = 64;
const RECODE_RECIPE_BYTES_MIN: u64 = 192;

/// A stream that was opened.
pub(super) struct Opened {
    /// Length of the stream. What follows does not belong to it.
    pub(super) stream_bytes: u64,
    pub(super) plain: SpooledTemp,
    pub(super) recipe: SpooledTemp,
    pub(super) writer: String,
    /// How the recipe is read.
    pub(super) codec: u16,
}

/// The result of looking at a stream.
pub(super) enum Outcome {
    Opened(Box<Opened>),
    Kept(KeptReason),
    /// It was not looked at, because it is known or another thread looks at it.
    Known,
}

/// The part of a source that a stream is in.
pub(super) struct Region<'a, R: ?Sized> {
    pub(super) source: &'a R,
    pub(super) path: &'a Path,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

impl<R: ?Sized> Clone for Region<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R: ?Sized> Copy for Region<'_, R> {}

/// What a stream is made of.
#[derive(Clone, Copy)]
pub(super) enum StreamFormat {
    Deflate(Wrapper),
    Recoded(recode::Format),
}

/// How a stream is looked at.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    pub(super) format: StreamFormat,
    /// The effort limit of the item's streams. `None` for a stream that is looked at by itself.
    pub(super) effort: Option<&'a ItemEffort>,
    pub(super) threads: usize,
}

/// Opens the stream at the front of a region, within the effort limit of its item. Reports the bytes that are read to
/// `monitor`, and returns how many were reported.
///
/// # Errors
/// [`LayoutError::Io`] when the region cannot be read or the spool's folder cannot be written, or an interruption.
pub(super) fn open<R: ReadAt + ?Sized>(
    region: Region<'_, R>,
    how: How<'_>,
    options: &OpenOptions,
    monitor: &dyn Monitor,
) -> Result<(Outcome, u64), LayoutError> {
    let Some(effort) = how.effort else {
        let (outcome, read, _) = look(region, how, None, options, monitor)?;
        return Ok((outcome, read));
    };
    if !effort.allows() {
        return Ok((Outcome::Kept(KeptReason::Effort), 0));
    }
    let begun = spent_here();
    let experience = Some(effort.experience());
    let (outcome, read, plain_bytes) = look(region, how, experience, options, monitor)?;
    let was_opened = matches!(outcome, Outcome::Opened(_));
    let spent = spent_here().saturating_sub(begun);
    effort.looked(spent, plain_bytes, read + plain_bytes, was_opened);
    // A search of all writers might have found the stream's own.
    if matches!(outcome, Outcome::Kept(KeptReason::Recipe)) && effort.experience().was_cut_short() {
        return Ok((Outcome::Kept(KeptReason::Effort), read));
    }
    Ok((outcome, read))
}

/// A stream that was as expected.
pub(super) struct ExpectedStream {
    /// What it was, for streams whose writer is looked for.
    expectation: Option<Expectation>,
    /// Bytes of the region that it was read from.
    region_bytes: u64,
    opened: Box<Opened>,
    read: u64,
    spent: Duration,
}

/// Opens the stream at the front of a region if it is as expected. Any thread may do this before its turn. Without an
/// expectation, what is found must not depend on the streams before it.
pub(super) fn expect<R: ReadAt + ?Sized>(
    region: Region<'_, R>,
    format: StreamFormat,
    expectation: Option<Expectation>,
    options: &OpenOptions,
    monitor: &dyn Monitor,
) -> Option<ExpectedStream> {
    let how = How {
        format,
        effort: None,
        threads: 1,
    };
    let options = OpenOptions {
        plain_limit_bytes: options.plain_limit_bytes.min(EXPECTED_BYTES_MAX),
        closed: HashSet::new(),
        spool_folder: options.spool_folder.clone(),
        ..*options
    };
    let begun = spent_here();
    let experience = expectation.map(Experience::expecting);
    // Whatever fails here is met again when it is the stream's turn.
    match look(region, how, experience.as_ref(), &options, monitor) {
        Ok((Outcome::Opened(opened), read, _)) => Some(ExpectedStream {
            expectation,
            region_bytes: region.bytes,
            opened,
            read,
            spent: spent_here().saturating_sub(begun),
        }),
        _ => None,
    }
}

/// Does what [`open`] would do for a stream that was looked at before its turn. Returns `None` when [`open`] might find
/// something else.
pub(super) fn open_expected(
    expected: ExpectedStream,
    region_bytes: u64,
    effort: &ItemEffort,
) -> Option<(Outcome, u64)> {
    let experience = effort.experience();
    let is_latest = expected.expectation.is_none() || experience.latest() == expected.expectation;
    if !is_latest || expected.region_bytes != region_bytes {
        return None;
    }
    if !effort.allows() {
        return Some((Outcome::Kept(KeptReason::Effort), 0));
    }
    let ExpectedStream { opened, read, .. } = expected;
    let plain_bytes = opened.plain.size_bytes();
    if let Some(expectation) = expected.expectation {
        experience.confirm(expectation, plain_bytes);
    }
    effort.looked(expected.spent, plain_bytes, read + plain_bytes, true);
    Some((Outcome::Opened(opened), read))
}

/// Does the same as [`open`] without a limit on the effort. Also returns the number of plain bytes that came out.
fn look<R: ReadAt + ?Sized>(
    region: Region<'_, R>,
    how: How<'_>,
    experience: Option<&Experience>,
    options: &OpenOptions,
    monitor: &dyn Monitor,
) -> Result<(Outcome, u64, u64), LayoutError> {
    let mut source = RegionReader {
        region,
        at: 0,
        piece: 0,
        buffer: Vec::new(),
        taken: 0,
        monitor,
        failed: None,
    };
    let mut plain = SpooledTemp::new(&options.spool_folder);
    let mut recipe = SpooledTemp::new(&options.spool_folder);
    let begun = spent_here();
    let goes_on = |plain_bytes| {
        let in_time = options.seconds_per_gb.is_none_or(|seconds| {
            let spent = spent_here().saturating_sub(begun);
            let item = |effort: &ItemEffort| effort.is_fast(spent, plain_bytes, seconds);
            is_fast(spent, plain_bytes, seconds) && how.effort.is_none_or(item)
        });
        in_time && !monitor.stop_asked()
    };
    let found = match how.format {
        StreamFormat::Deflate(wrapper) => {
            let limits = deflate::AnalyzeOptions {
                wrapper,
                plain_limit_bytes: options.plain_limit_bytes,
                ratio_limit: options.ratio_limit,
                recipe_limit_per_mille: options.recipe_limit_per_mille,
                experience,
                watch: Some(&goes_on),
                threads: how.threads,
            };
            let found = deflate::analyze(&mut source, &mut plain, &mut recipe, &limits);
            let found = found.map(|found| (found.stream_bytes, found.writer, DEFLATE_CODEC));
            found.map_err(|error| kept_by_deflate(&error))
        }
        StreamFormat::Recoded(format) => {
            let guesses = Guesses::default();
            let affords = |plain_bytes, spent| {
                let seconds = options.seconds_per_gb;
                seconds.is_none_or(|seconds| is_fast(spent, plain_bytes, seconds))
            };
            let limits = recode::RecodeOptions {
                format,
                plain_limit_bytes: options.plain_limit_bytes,
                ratio_limit: options.ratio_limit,
                recipe_limit_per_mille: options.recipe_limit_per_mille,
                guesses: how.effort.map_or(&guesses, ItemEffort::guesses),
                watch: &goes_on,
                clock: &spent_here,
                affords: &affords,
            };
            let found = recode::analyze(&mut source, &mut plain, &mut recipe, &limits);
            match found {
                // The format of steps has no more.
                Ok(found) if found.plain_bytes / PLAIN_RATIO_MAX > found.stream_bytes => {
                    Err(KeptReason::Limit)
                }
                Ok(found) => Ok((found.stream_bytes, found.writer, RECODE_CODEC)),
                // No limit that is set changes that.
                Err(RecodeError::Unknown) => Err(match format {
                    recode::Format::Zstd => KeptReason::Zstd,
                    recode::Format::Lz4 => KeptReason::Lz4,
                    _ => KeptReason::Recipe,
                }),
                Err(error) => Err(kept_by_recode(&error)),
            }
        }
    };
    let (read, failed) = (source.at, source.failed.take());
    if let Some(error) = failed {
        return Err(error);
    }
    monitor.check_stop()?;
    let plain_bytes = plain.size_bytes();
    let kept = |kept| Ok((Outcome::Kept(kept), read, plain_bytes));
    for spool in [&mut plain, &mut recipe] {
        match spool.refusal() {
            Some(error) if is_full(&error) => return kept(KeptReason::Space),
            Some(error) => return Err(LayoutError::io(Action::WriteIn, spool.folder())(error)),
            None => {}
        }
    }
    let (stream_bytes, writer, codec) = match found {
        Ok(found) => found,
        Err(reason) => return kept(reason),
    };
    for spool in [&mut plain, &mut recipe] {
        if let Err(error) = spool.finish() {
            if is_full(&error) {
                return kept(KeptReason::Space);
            }
            return Err(LayoutError::io(Action::WriteIn, spool.folder())(error));
        }
    }
    let always = match codec {
        RECODE_CODEC => RECODE_RECIPE_BYTES_MIN,
        _ => RECIPE_BYTES_MIN,
    };
    if recipe.size_bytes() > recipe_limit(stream_bytes, options).max(always) {
        return kept(KeptReason::Recipe);
    }
    let opened = Opened {
        stream_bytes,
        plain,
        recipe,
        writer,
        codec,
    };
    Ok((Outcome::Opened(Box::new(opened)), read, plain_bytes))
}

fn kept_by_deflate(error: &DeflateError) -> KeptReason {
    match error {
        DeflateError::Truncated => KeptReason::Truncated,
        DeflateError::PlainLimit(_) | DeflateError::RatioLimit(_) => KeptReason::Limit,
        DeflateError::RecipeLimit(_) => KeptReason::Recipe,
        DeflateError::Stopped => KeptReason::Time,
        _ => KeptReason::Corrupt,
    }
}

fn kept_by_recode(error: &RecodeError) -> KeptReason {
    match error {
        RecodeError::Truncated => KeptReason::Truncated,
        RecodeError::Limit => KeptReason::Limit,
        RecodeError::Unknown | RecodeError::RecipeLimit(_) => KeptReason::Recipe,
        RecodeError::Stopped => KeptReason::Time,
        _ => KeptReason::Corrupt,
    }
}

/// Returns the largest recipe of a stream that the options allow.
fn recipe_limit(stream_bytes: u64, options: &OpenOptions) -> u64 {
    let part = u128::from(stream_bytes) * u128::from(options.recipe_limit_per_mille) / 1000;
    u64::try_from(part).unwrap_or(u64::MAX)
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}

/// Reads a region from its front.
struct RegionReader<'a, R: ?Sized> {
    region: Region<'a, R>,
    /// Bytes that count as read from the source, up to the end of a piece.
    at: u64,
    /// Bytes of the last piece, and those of them that were read.
    piece: usize,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were taken.
    taken: usize,
    monitor: &'a dyn Monitor,
    failed: Option<LayoutError>,
}

impl<R: ReadAt + ?Sized> RegionReader<'_, R> {
    fn fill(&mut self) -> Result<(), LayoutError> {
        self.monitor.check_stop()?;
        let Region {
            source,
            path,
            offset,
            bytes,
        } = self.region;
        if self.buffer.len() == self.piece {
            let left = bytes - self.at;
            self.piece = usize::try_from(left).map_or(READ_BYTES, |left| left.min(READ_BYTES));
            self.buffer.clear();
            self.taken = 0;
            self.at += self.piece as u64;
            self.monitor.advance(self.piece as u64);
        }
        // A short stream ends long before the first piece does.
        let is_first = self.at == self.piece as u64;
        let more = if is_first {
            self.buffer.len().max(FIRST_BYTES)
        } else {
            self.piece
        };
        let mut filled = self.buffer.len();
        let len = self.piece.min(filled + more);
        let offset = offset + self.at - self.piece as u64;
        self.buffer.resize(len, 0);
        while filled < len {
            match source.read_at(offset + filled as u64, &mut self.buffer[filled..]) {
                Ok(0) => return Err(LayoutError::Changed(path.to_owned())),
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(LayoutError::io(Action::Read, path)(error)),
            }
        }
        Ok(())
    }
}

impl<R: ReadAt + ?Sized> Read for RegionReader<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.buffer.len()
            && !out.is_empty()
            && let Err(error) = self.fill()
        {
            self.failed = Some(error);
            return Err(io::Error::other("the file cannot be read"));
        }
        let rest = &self.buffer[self.taken..];
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        self.taken += len;
        Ok(len)
    }
}

/// Returns the processor time of this thread. Other work of the machine must not affect the decision.
fn spent_here() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(
        u64::try_from(time.tv_sec).unwrap_or_default(),
        u32::try_from(time.tv_nsec).unwrap_or_default(),
    )
}
