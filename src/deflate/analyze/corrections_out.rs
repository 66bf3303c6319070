//! Writes the corrections of a stream's segments and pieces.

use super::super::DeflateError;
use super::super::coder::RangeEncoder;
use super::super::corrections::{CorrectionModels, Flag, SegmentExtent};
use super::super::inflate::{BlockForm, BlockSegment, Head};
use super::super::run::{Span, WriterRun, WriterStyle};
use super::super::text::Stretch;
use super::super::token::Token;
use super::super::trees::WRITTEN_OUT;
use super::prediction::Prediction;

/// The part of the script before a segment or a piece.
#[derive(Default)]
pub(super) struct Prologue {
    /// The writer from here on, when it changes.
    pub(super) style: Option<WriterStyle>,
    /// Distance to the member's end, when the script says it here.
    pub(super) end_ahead: Option<u64>,
    /// Whether the script said it before.
    pub(super) announced: bool,
}

/// Writes the script of corrections.
pub(super) struct CorrectionsOut<'a> {
    pub(super) coder: RangeEncoder<'a>,
    pub(super) script: CorrectionModels,
    /// Tokens of the last block whose token count was coded.
    last_count: usize,
    /// Bytes of the last stored block.
    last_stored: usize,
}

impl<'a> CorrectionsOut<'a> {
    pub(super) fn new(coder: RangeEncoder<'a>) -> Self {
        Self {
            coder,
            script: CorrectionModels::default(),
            last_count: 0,
            last_stored: 0,
        }
    }

    pub(super) fn flag(&mut self, flag: Flag, set: bool) {
        self.script.flag(&mut self.coder, flag, set);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), DeflateError> {
        self.script.bytes(&mut self.coder, bytes).map(|_| ())
    }

    pub(super) fn prologue(&mut self, prologue: &Prologue) -> Result<(), DeflateError> {
        self.flag(Flag::Model, prologue.style.is_some());
        if let Some(style) = prologue.style {
            self.script.style(&mut self.coder, style)?;
        }
        if prologue.announced {
            return Ok(());
        }
        self.flag(Flag::End, prologue.end_ahead.is_some());
        if let Some(ahead) = prologue.end_ahead {
            self.script.distance(&mut self.coder, ahead);
        }
        Ok(())
    }

    /// Codes a piece of several segments, the first of which begins at `span.begin`. `aligned` says that they take
    /// whole bytes.
    pub(super) fn piece(
        &mut self,
        span: Span,
        aligned: bool,
        segments: &[BlockSegment],
        foresights: &[Prediction],
    ) -> Result<(), DeflateError> {
        let predicted = |(segment, prediction): (&BlockSegment, &Prediction)| {
            prediction.misses == 0 && (prediction.rule != WRITTEN_OUT || !is_dynamic(segment))
        };
        let plain = aligned && segments.iter().zip(foresights).all(predicted);
        self.script.segments(&mut self.coder, segments.len());
        self.flag(Flag::Mixed, !plain);
        let mut position = span.begin;
        for (segment, prediction) in segments.iter().zip(foresights) {
            self.begin(segment, position, span)?;
            if !plain {
                self.tokens(segment, prediction);
            }
            self.header(segment, prediction)?;
            position += segment.bytes as u64;
        }
        Ok(())
    }

    /// Codes a single segment. For an unknown writer, `run` gives the text.
    pub(super) fn segment(
        &mut self,
        position: u64,
        segment: &BlockSegment,
        prediction: &Prediction,
        run: &mut WriterRun,
        stretch: &Stretch,
    ) -> Result<(), DeflateError> {
        self.begin(segment, position, run.span())?;
        if run.has_model() {
            self.tokens(segment, prediction);
        } else {
            self.unforeseen(position, segment, run, stretch);
        }
        self.header(segment, prediction)
    }

    /// Codes the head and the extent of a segment.
    fn begin(
        &mut self,
        segment: &BlockSegment,
        position: u64,
        span: Span,
    ) -> Result<(), DeflateError> {
        if let Some(head) = &segment.head {
            self.script.head(&mut self.coder, Some(head))?;
        }
        let stored = is_stored(segment);
        let extent = self.extent(segment, position, span);
        self.script.extent(&mut self.coder, extent, stored);
        if stored {
            if let SegmentExtent::Count(1..) = extent {
                self.last_stored = segment.bytes;
            }
            return Ok(());
        }
        self.flag(Flag::Continues, !segment.ends);
        if let (SegmentExtent::Count(_), true) = (extent, segment.ends) {
            self.last_count = segment.tokens.len();
        }
        Ok(())
    }

    fn extent(&self, segment: &BlockSegment, position: u64, span: Span) -> SegmentExtent {
        let stored = is_stored(segment);
        let (count, last) = if stored {
            (segment.bytes, self.last_stored)
        } else {
            (segment.tokens.len(), self.last_count)
        };
        let number = u32::try_from(count).expect("a segment is bounded");
        if !segment.ends || count == 0 {
            return SegmentExtent::Count(number);
        }
        let end = position + segment.bytes as u64;
        let past = end - span.begin;
        if count == last {
            return SegmentExtent::Same;
        }
        if end == span.end {
            return SegmentExtent::Rest;
        }
        if past.is_multiple_of(65535) {
            let windows = past / 65535 - (position - span.begin) / 65535;
            return SegmentExtent::Windows(
                u32::try_from(windows - 1).expect("a segment is bounded"),
            );
        }
        SegmentExtent::Count(number)
    }

    fn tokens(&mut self, segment: &BlockSegment, prediction: &Prediction) {
        if is_stored(segment) {
            return;
        }
        self.flag(Flag::Misses, prediction.misses > 0);
        for (token, predicted) in segment.tokens.iter().zip(&prediction.tokens) {
            let literal = Token::literal(token.byte());
            self.script
                .token(&mut self.coder, *predicted, *token, literal);
        }
    }

    fn unforeseen(
        &mut self,
        position: u64,
        segment: &BlockSegment,
        run: &mut WriterRun,
        stretch: &Stretch,
    ) {
        let mut position = position;
        for token in &segment.tokens {
            run.turn(stretch, position);
            let (text, at) = (run.text(stretch), stretch.place(position));
            self.script.unforeseen(&mut self.coder, text, at, *token);
            position += token.advance() as u64;
        }
    }

    fn header(
        &mut self,
        segment: &BlockSegment,
        prediction: &Prediction,
    ) -> Result<(), DeflateError> {
        let Some(Head {
            kind: BlockForm::Dynamic(header),
            ..
        }) = &segment.head
        else {
            return Ok(());
        };
        if self.script.rule(&mut self.coder, prediction.rule) == WRITTEN_OUT {
            self.script
                .written_out(&mut self.coder, &segment.tokens, Some(header))?;
        }
        Ok(())
    }
}

fn is_stored(segment: &BlockSegment) -> bool {
    let kind = segment.head.as_ref().map(|head| &head.kind);
    matches!(kind, Some(BlockForm::Stored { .. }))
}

fn is_dynamic(segment: &BlockSegment) -> bool {
    let kind = segment.head.as_ref().map(|head| &head.kind);
    matches!(kind, Some(BlockForm::Dynamic(_)))
}
