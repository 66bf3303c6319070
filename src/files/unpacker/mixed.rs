//! Opens streams that stand behind something else: behind the script of an installer, the loader of a kernel, or
//! another stream and its padding.
//!
//! What stands around the streams stays plain. The search is for magics at the front and behind each stream, so a
//! stream deep within something else is not found.

use super::form::ContentForm;
use super::{Depth, OPEN_DEPTH_MAX, Unpacker};
use crate::base::monitor::Quiet;
use crate::base::read_at::ReadAt;
use crate::content::archive::tar;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::writer::RecipeWriter;
use crate::content::recipe::{Blob, ChunkSource, SMALL_BYTES};
use crate::files::LayoutError;
use crate::files::hashing_reader::HashingReader;
use crate::files::stream_kind::{STREAM_BYTES_MIN, STREAM_HEAD_BYTES, StreamKind};
use crate::files::stream_report::KeptReason;
use crate::files::streams::{Opened, Outcome, Region};

/// Most bytes before a stream.
const PREFIX_BYTES_MAX: usize = 1 << 20;
/// Most bytes that are read for what turns out to be no stream. A hostile file could otherwise have everything read
/// again for each magic in it.
const VAIN_BYTES_MAX: u64 = 4 << 20;
/// Magics that are tried behind one another.
const TRIES_MAX: u32 = 64;

/// What may still be spent on magics that are no streams.
struct SearchBudget {
    bytes: u64,
    tries: u32,
}

impl<S: ChunkSource> Unpacker<'_, S> {
    /// Opens the streams in a content that is none itself. Returns `None` and leaves the reader where it is when there
    /// are none.
    pub(super) fn mixed<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        name: &[u8],
        depth: usize,
    ) -> Result<Option<Blob>, LayoutError> {
        let is_open = self.options.depth == Depth::Open && bytes > SMALL_BYTES;
        if !is_open || Self::is_code(reader)? || Self::candidate(reader, bytes, 0)?.is_none() {
            return Ok(None);
        }
        if let Some(known) = self.look_up(reader, bytes)? {
            return Ok(Some(known));
        }
        if self.is_closed(reader, bytes)? {
            return Ok(None);
        }
        let end = reader.offset() + bytes;
        let mut budget = SearchBudget {
            bytes: VAIN_BYTES_MAX,
            tries: TRIES_MAX,
        };
        let Some(mut found) = self.find_stream(reader, end, &mut budget)? else {
            return Ok(None);
        };
        reader.push_hasher();
        let mut recipe = RecipeWriter::new(ContentKind::Other);
        loop {
            let (before, opened) = found;
            self.plain_part(reader, before, name, &mut recipe)?;
            self.deflate(&opened, reader.path(), name, depth, &mut recipe)?;
            reader.skip(opened.stream_bytes)?;
            self.report(opened.stream_bytes)?;
            let left = end - reader.offset();
            let may_open = left > 0 && depth + 1 < OPEN_DEPTH_MAX;
            if may_open && self.form(reader, left)? != ContentForm::Plain {
                self.body(reader, left, name, depth + 1, None, &mut recipe)?;
                break;
            }
            match self.find_stream(reader, end, &mut budget)? {
                Some(next) => found = next,
                None => {
                    self.plain_part(reader, left, name, &mut recipe)?;
                    break;
                }
            }
        }
        self.finish(reader, bytes, recipe).map(Some)
    }

    /// Returns whether a program begins here. Streams in programs are left alone, because deltas of machine code need
    /// it in one piece.
    fn is_code<R: ReadAt + ?Sized>(reader: &mut HashingReader<'_, R>) -> Result<bool, LayoutError> {
        Ok(ContentKind::of(b"", reader.peek(tar::BLOCK)?).is_code())
    }

    /// Returns where the next stream may begin, in bytes from here and from `from` on.
    fn candidate<R: ReadAt + ?Sized>(
        reader: &mut HashingReader<'_, R>,
        bytes: u64,
        from: usize,
    ) -> Result<Option<(usize, StreamKind)>, LayoutError> {
        let most = PREFIX_BYTES_MAX + STREAM_HEAD_BYTES;
        let window = usize::try_from(bytes).map_or(most, |bytes| bytes.min(most));
        Ok(StreamKind::find(reader.peek_far(window)?, from))
    }

    /// Returns the next stream that can be opened, and the bytes before it.
    fn find_stream<R: ReadAt + ?Sized>(
        &mut self,
        reader: &mut HashingReader<'_, R>,
        end: u64,
        budget: &mut SearchBudget,
    ) -> Result<Option<(u64, Box<Opened>)>, LayoutError> {
        let left = end - reader.offset();
        let mut from = 0;
        while let Some((at, kind)) = Self::candidate(reader, left, from)? {
            let before = at as u64;
            from = at + 1;
            if left - before < STREAM_BYTES_MIN || budget.bytes == 0 || budget.tries == 0 {
                break;
            }
            budget.tries -= 1;
            if !self.may_nest(kind) {
                continue;
            }
            let region = Region {
                source: reader.source(),
                path: reader.path(),
                offset: reader.offset() + before,
                bytes: left - before,
            };
            let quiet = Quiet(self.monitor);
            let effort = Some(&self.effort);
            let (outcome, read) = kind.open(region, effort, self.options, &quiet)?;
            match outcome {
                Outcome::Opened(opened) if opened.stream_bytes >= STREAM_BYTES_MIN => {
                    return Ok(Some((before, opened)));
                }
                Outcome::Kept(reason) if is_stream(reason) => self.kept(reason, left - before),
                _ => {}
            }
            budget.bytes = budget.bytes.saturating_sub(read);
        }
        Ok(None)
    }
}

/// Returns whether a stream that is kept for this reason is one, and not something that begins like one.
fn is_stream(reason: KeptReason) -> bool {
    !matches!(
        reason,
        KeptReason::Corrupt | KeptReason::Truncated | KeptReason::Effort
    )
}
