//! Reconstructs a completely predicted chunk, independently of other chunks and on any thread.

use std::io::Write;

use super::super::DeflateError;
use super::super::bits::BitWriter;
use super::super::codes;
use super::super::corrections::{self, DeflateBlockKind, HeadKind, SegmentExtent};
use super::super::inflate::SEGMENT_TOKENS;
use super::super::run::{Span, WriterRun};
use super::super::text::Stretch;
use super::super::token::Token;
use super::super::trees::Rule;
use super::check_goes_on;

/// The script of a piece's segment.
pub(super) struct SegmentCorrections {
    pub(super) head: Option<HeadKind>,
    pub(super) extent: SegmentExtent,
    pub(super) continues: bool,
    pub(super) rule: Option<Rule>,
    /// The count that [`SegmentExtent::Same`] stands for here.
    pub(super) last: usize,
}

/// The end of a segment.
#[derive(Clone, Copy)]
pub(super) enum SegmentGoal {
    /// Behind this number of tokens, or of bytes of a stored block.
    Count(usize),
    /// At this position, or at the member's end.
    End(u64),
    /// At this position.
    Position(u64),
}

impl SegmentGoal {
    pub(super) fn of(extent: SegmentExtent, position: u64, span: Span, last: usize) -> Self {
        match extent {
            SegmentExtent::Same => Self::Count(last),
            SegmentExtent::Count(count) => {
                Self::Count(usize::try_from(count).unwrap_or(usize::MAX))
            }
            SegmentExtent::Rest => Self::End(span.end),
            SegmentExtent::Windows(more) => Self::Position(span.window_end(position, more)),
        }
    }

    /// Returns the end of a stored block that begins at `position`, where the text ends at `limit`.
    pub(super) fn stored_end(self, position: u64, limit: u64) -> Result<u64, DeflateError> {
        let end = match self {
            Self::Count(bytes) => position.saturating_add(bytes as u64),
            Self::End(end) => end.min(limit),
            Self::Position(end) => end,
        };
        if end < position || end > limit || end - position > u64::from(u16::MAX) {
            return Err(DeflateError::Corrupt("recipe: length of a stored block"));
        }
        Ok(end)
    }
}

/// Writes a stored block.
pub(super) fn write_stored<W: Write>(
    out: &mut BitWriter<W>,
    last: bool,
    padding: u8,
    bytes: &[u8],
) -> Result<(), DeflateError> {
    let len = u16::try_from(bytes.len()).map_err(|_| DeflateError::Corrupt("stored block"))?;
    out.put(u64::from(last), 3)?;
    let pad_bits = out.bits_to_byte();
    out.put(u64::from(padding) & ((1 << pad_bits) - 1), pad_bits)?;
    out.put(u64::from(len) | u64::from(!len) << 16, 32)?;
    Ok(out.bytes(bytes)?)
}

/// Reconstructs a piece.
pub(super) struct PieceMaker<'a> {
    pub(super) run: &'a mut WriterRun,
    pub(super) stretch: &'a Stretch,
    pub(super) span: Span,
    pub(super) tokens: Vec<Token>,
}

impl PieceMaker<'_> {
    /// Writes all segments of the piece. It has the text of the whole span.
    pub(super) fn make<W: Write>(
        &mut self,
        scripts: &[SegmentCorrections],
        out: &mut BitWriter<W>,
    ) -> Result<(), DeflateError> {
        let mut position = self.span.begin;
        let mut encoder: Option<codes::TokenEncoder> = None;
        for script in scripts {
            if script.extent != SegmentExtent::Count(0) && position < self.span.end {
                self.run.turn(self.stretch, position);
                if script.head.is_some() {
                    self.run.block(self.stretch, position);
                }
            }
            let goal = SegmentGoal::of(script.extent, position, self.span, script.last);
            let kind = script.head.as_ref().map(|head| (head.kind, head.last));
            if let Some((DeflateBlockKind::Stored { padding }, last)) = kind {
                let end = goal.stored_end(position, self.span.end)?;
                let bytes = self.stretch.place(position)..self.stretch.place(end);
                write_stored(out, last, padding, &self.stretch.bytes[bytes])?;
                self.run
                    .pass_over(self.stretch, position, end, &mut self.tokens);
                position = end;
                continue;
            }
            position = self.predict(goal, position)?;
            check_goes_on(&self.tokens, script.continues)?;
            if let Some((kind, last)) = kind {
                let header = script.rule.map(|rule| rule.header(&self.tokens));
                encoder = Some(corrections::begin_block(out, kind, last, header.as_ref())?);
            }
            let codes = encoder
                .as_ref()
                .ok_or(DeflateError::Corrupt("recipe: block"))?;
            for token in &self.tokens {
                codes.put(*token, out)?;
            }
            if !script.continues {
                codes.end(out)?;
                encoder = None;
            }
        }
        if position == self.span.end && encoder.is_none() {
            return Ok(());
        }
        Err(DeflateError::Corrupt("recipe: end of a piece"))
    }

    fn predict(&mut self, goal: SegmentGoal, position: u64) -> Result<u64, DeflateError> {
        let (count, end) = match goal {
            SegmentGoal::Count(count) => (count, self.span.end),
            SegmentGoal::End(end) => (SEGMENT_TOKENS, end.min(self.span.end)),
            SegmentGoal::Position(end) => (SEGMENT_TOKENS, end),
        };
        if end > self.span.end || count > SEGMENT_TOKENS {
            return Err(DeflateError::Corrupt("recipe: length of a block"));
        }
        self.tokens.clear();
        let behind = if position < end {
            self.run
                .go(self.stretch, position, end, count, &mut self.tokens)
        } else {
            position
        };
        let met = match goal {
            SegmentGoal::Count(count) => self.tokens.len() == count,
            _ => behind == end,
        };
        if met {
            return Ok(behind);
        }
        Err(DeflateError::Corrupt("recipe: length of a block"))
    }
}
