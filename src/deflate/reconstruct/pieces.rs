//! Passes pieces of a stream through the threads that reconstruct them.

use super::super::DeflateError;
use super::super::bits::BitWriter;
use super::super::corrections::{DeflateBlockKind, Flag, HeadKind, SegmentExtent};
use super::super::run::{PIECE_SEGMENTS_MAX, Span, WriterRun};
use super::super::trees::Rule;
use super::Reconstructor;
use super::piece::{PieceMaker, SegmentCorrections};

/// A finished piece and the run that made it.
pub(super) struct FinishedPiece {
    bytes: Result<Vec<u8>, DeflateError>,
    run: WriterRun,
}

impl Reconstructor<'_> {
    /// Reconstructs a piece: in the pool when it is completely predicted, or else here. Returns whether its last block
    /// is the member's.
    pub(super) fn piece(&mut self, span: Span) -> Result<bool, DeflateError> {
        let count = self.script.segments(&mut self.coder, 0);
        if count == 0 || count > PIECE_SEGMENTS_MAX {
            return Err(DeflateError::Corrupt("recipe: segments of a piece"));
        }
        let bytes = usize::try_from(span.end - span.begin).expect("a piece is bounded");
        if !self.script.flag(&mut self.coder, Flag::Mixed, false) {
            self.read_ahead(bytes + 1)?;
            return self.plain_piece(span, count);
        }
        self.drain()?;
        let mut open = None;
        let mut last = false;
        for _ in 0..count {
            if open.is_none() && last {
                return Err(DeflateError::Corrupt("recipe: block behind the last"));
            }
            last = self.segment(&mut open)?;
            self.forget();
        }
        if open.is_some() {
            return Err(DeflateError::Corrupt("recipe: end of a piece"));
        }
        Ok(last)
    }

    fn plain_piece(&mut self, span: Span, count: usize) -> Result<bool, DeflateError> {
        let end = span.end.min(self.limit());
        let span = Span { end, ..span };
        let mut scripts = Vec::with_capacity(count);
        let mut last = false;
        let mut kind = None;
        for _ in 0..count {
            if kind.is_none() && last {
                return Err(DeflateError::Corrupt("recipe: block behind the last"));
            }
            let script = self.segment_script(kind)?;
            if let Some(head) = &script.head {
                last = head.last;
                kind = Some(head.kind);
            }
            if !script.continues {
                kind = None;
            }
            scripts.push(script);
        }
        let known = self.run.dictionary_of(span.begin);
        let stretch = self.stretch.copy(known, end, Vec::new());
        let mut run = WriterRun::lend(self.runs.pop(), &self.run);
        let limit = self.stream_bytes;
        self.pool.give(move || {
            let mut bytes = Vec::new();
            let mut out = BitWriter::new(&mut bytes, limit);
            let mut maker = PieceMaker {
                run: &mut run,
                stretch: &stretch,
                span,
                tokens: Vec::new(),
            };
            let made = maker.make(&scripts, &mut out);
            let made = made.and_then(|()| Ok(out.finish().map(|_| ())?));
            let bytes = made.map(|()| bytes);
            FinishedPiece { bytes, run }
        });
        self.position = end;
        while self.pool.is_full() {
            self.write_piece()?;
        }
        Ok(last)
    }

    /// Reads the script of a segment in a predicted piece. `open` is the kind of the block that continues.
    fn segment_script(
        &mut self,
        open: Option<DeflateBlockKind>,
    ) -> Result<SegmentCorrections, DeflateError> {
        let head: Option<HeadKind> = match open {
            Some(_) => None,
            None => Some(self.script.head(&mut self.coder, None)?),
        };
        let kind = head.as_ref().map(|head| head.kind);
        let stored = matches!(kind, Some(DeflateBlockKind::Stored { .. }));
        let extent = self
            .script
            .extent(&mut self.coder, SegmentExtent::Same, stored);
        let last = if stored {
            self.last_stored
        } else {
            self.last_count
        };
        let continues = !stored && self.script.flag(&mut self.coder, Flag::Continues, false);
        if let (SegmentExtent::Count(count), false) = (extent, continues) {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            match stored {
                false => self.last_count = count,
                true if count > 0 => self.last_stored = count,
                true => {}
            }
        }
        let rule = match kind {
            Some(DeflateBlockKind::Dynamic) => {
                let number = self.script.rule(&mut self.coder, 0);
                let rule = Rule::from_number(number);
                Some(rule.ok_or(DeflateError::Corrupt("recipe: rule of a header"))?)
            }
            _ => None,
        };
        Ok(SegmentCorrections {
            head,
            extent,
            continues,
            rule,
            last,
        })
    }

    /// Writes all pieces that are still in the pool.
    pub(super) fn drain(&mut self) -> Result<(), DeflateError> {
        while self.write_piece()? {}
        Ok(())
    }

    fn write_piece(&mut self) -> Result<bool, DeflateError> {
        let Some(made) = self.pool.take() else {
            return Ok(false);
        };
        self.runs.push(made.run);
        if self.out.bits_to_byte() != 0 {
            return Err(DeflateError::Corrupt("recipe: place of a piece"));
        }
        self.out.bytes(&made.bytes?)?;
        Ok(true)
    }
}
