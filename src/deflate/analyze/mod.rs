//! Turns a stream into plain text and a recipe.
//!
//! Parsing runs [`AHEAD`] bytes ahead of coding, so that models see the text that the writer saw. The segments between
//! the two and the text around them are held in memory. The chunks of a chunked writer are predicted as pieces, several
//! at a time.

mod corrections_out;
mod fit;
mod prediction;

use std::collections::VecDeque;
use std::io::{Read, Write};

use self::corrections_out::{CorrectionsOut, Prologue};
use self::fit::ModelFit;
use self::prediction::Prediction;
use super::bits::BitReader;
use super::coder::RangeEncoder;
use super::corrections::Flag;
use super::inflate::{BlockSegment, Inflater};
use super::model::AHEAD;
use super::ordered_pool::OrderedPool;
use super::run::{PIECE_SEGMENTS_MAX, Span, WriterRun, WriterStyle};
use super::text::{FIRST, Stretch};
use super::wrapper::{Check, Wrapper};
use super::{Analysis, AnalyzeOptions, DeflateError, RECIPE_VERSION};

/// Bytes that a recipe may have beyond its allowed share of the stream.
const RECIPE_FREE_BYTES: u64 = 4096;
/// Plain bytes before the ratio of plain bytes to stream bytes is checked.
const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Most weight of the segments in memory, see [`BlockSegment::weight`]. A stream with more blocks than that in [`AHEAD`]
/// bytes is refused, because memory is bounded.
const QUEUE_WEIGHT_MAX: usize = 1 << 15;
/// The end of a member, once it was read.
struct End {
    position: u64,
    padding: u8,
    trailer: Vec<u8>,
    /// Header of the member that follows.
    next: Option<Vec<u8>>,
}

/// Most threads. There is at most one piece more than threads in memory.
const THREADS_MAX: usize = 3;

/// A chunk that was predicted.
struct PredictedChunk {
    prologue: Prologue,
    span: Span,
    segments: Vec<BlockSegment>,
    /// Whether the chunk takes whole bytes of the stream.
    aligned: bool,
    foresights: Result<Vec<Prediction>, DeflateError>,
    /// The writer run, to be reused.
    run: WriterRun,
    text: Vec<u8>,
}

struct StreamAnalyzer<'a, R> {
    input: Inflater<R>,
    options: &'a AnalyzeOptions<'a>,
    plain: &'a mut dyn Write,
    stretch: Stretch,
    /// Segments that were parsed and not taken. The first begins at `position`.
    queue: VecDeque<BlockSegment>,
    spare: Vec<BlockSegment>,
    queued_tokens: usize,
    queued_weight: usize,
    position: u64,
    /// Bytes of the stream up to the end of the last whole member.
    consumed: u64,
    end: Option<End>,
    check: Check,
    out: CorrectionsOut<'a>,
    run: WriterRun,
    /// Number of the last header's rule.
    rule: u8,
    fit: ModelFit,
    /// Position up to which every token is known to be predicted.
    foreseen_to: u64,
    pool: OrderedPool<PredictedChunk>,
    /// Tokens and misses of pieces that were coded and do not count yet for the fit.
    late_fits: VecDeque<(u64, u64)>,
    pieces_given: u64,
    pieces_counted: u64,
    runs: Vec<WriterRun>,
    texts: Vec<Vec<u8>>,
    /// A style that is taken whatever the searches find.
    forced: Option<WriterStyle>,
}

/// Opens a stream, see [`super::analyze()`].
pub(super) fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &AnalyzeOptions<'_>,
) -> Result<Analysis, DeflateError> {
    if let Some(experience) = options.experience {
        experience.begin();
    }
    recipe.write_all(&[RECIPE_VERSION, options.wrapper.number()])?;
    let mut bits = BitReader::new(source);
    let header = options.wrapper.read_header(&[], &mut bits)?;
    let analyzer = StreamAnalyzer {
        input: Inflater::new(bits),
        options,
        plain,
        stretch: Stretch::new(),
        queue: VecDeque::new(),
        spare: Vec::new(),
        queued_tokens: 0,
        queued_weight: 0,
        position: FIRST,
        consumed: 0,
        end: None,
        check: Check::new(options.wrapper),
        out: CorrectionsOut::new(RangeEncoder::new(recipe)),
        run: WriterRun::new(WriterStyle::default(), FIRST),
        rule: 0,
        fit: ModelFit::default(),
        foreseen_to: FIRST,
        pool: OrderedPool::new(options.threads.min(THREADS_MAX)),
        late_fits: VecDeque::new(),
        pieces_given: 0,
        pieces_counted: 0,
        runs: Vec::new(),
        texts: Vec::new(),
        forced: None,
    };
    analyzer.stream(header)
}

impl<R: Read> StreamAnalyzer<'_, R> {
    fn stream(mut self, first: Vec<u8>) -> Result<Analysis, DeflateError> {
        let mut header = first;
        self.out.bytes(&header)?;
        while let Some(next) = self.member()? {
            self.out.flag(Flag::Member, true);
            self.out.flag(Flag::Wrapper, next != header);
            if next != header {
                self.out.bytes(&next)?;
                header = next;
            }
            self.run.next_member(self.position);
        }
        self.out.flag(Flag::Member, false);
        let recipe_bytes = self.out.coder.finish()? + 2;
        self.plain.flush()?;
        if let Some(experience) = self.options.experience {
            experience.learn(self.run.style, self.position - FIRST);
        }
        Ok(Analysis {
            stream_bytes: self.consumed,
            plain_bytes: self.position - FIRST,
            recipe_bytes,
            missed_tokens: self.fit.all_misses,
            writer: self.run.style.writer.name(),
        })
    }

    /// Codes one member and returns the header of the next.
    fn member(&mut self) -> Result<Option<Vec<u8>>, DeflateError> {
        while let Some(style) = self.writer()? {
            if let Some(span) = self.run.piece_at(self.position) {
                match self.gather(span)? {
                    Some(segments) => self.piece(style, span, segments)?,
                    None => self.forced = Some(self.without_chunks()),
                }
            } else {
                self.drain()?;
                self.segment(style)?;
            }
            self.check_limits()?;
            self.stretch.drop_before(self.position);
        }
        self.drain()?;
        let end = self.end.take().ok_or(DeflateError::Truncated)?;
        let check = std::mem::replace(&mut self.check, Check::new(self.options.wrapper));
        let odd = end.padding != 0 || end.trailer != check.trailer();
        self.out.flag(Flag::Trailer, odd);
        if odd {
            let mut bytes = vec![end.padding];
            bytes.extend(end.trailer);
            self.out.bytes(&bytes)?;
        }
        Ok(end.next)
    }

    fn without_chunks(&self) -> WriterStyle {
        WriterStyle {
            writer: self.run.style.writer,
            chunks: None,
        }
    }

    /// Decides which writer writes the next segment or piece, and whether the script says so. Returns `None` at the end
    /// of the member.
    #[expect(clippy::option_option, reason = "the end, no change, a change")]
    fn writer(&mut self) -> Result<Option<Option<WriterStyle>>, DeflateError> {
        self.parse_to(self.position)?;
        if self.queue.is_empty() {
            return Ok(None);
        }
        let style = self.look()?;
        if let Some(style) = style {
            self.run.change(style, self.position);
        }
        Ok(Some(style))
    }

    /// Returns the prologue of a segment or piece. It says the member's end when that is near.
    fn prologue(&mut self, style: Option<WriterStyle>) -> Prologue {
        self.see_end();
        let announced = self.run.announced;
        let end = self.end.as_ref().filter(|end| end.next.is_some());
        let ahead = end.map(|end| end.position - self.position);
        let end_ahead = ahead.filter(|_| !announced);
        self.run.announced |= end_ahead.is_some();
        Prologue {
            style,
            end_ahead,
            announced,
        }
    }

    fn see_end(&mut self) {
        self.run.member_end = self.end.as_ref().map(|end| end.position);
    }

    /// Parses up to a position, but at least one segment, or to the end of the member.
    fn parse_to(&mut self, position: u64) -> Result<(), DeflateError> {
        while self.end.is_none() && (self.stretch.end() < position || self.queue.is_empty()) {
            self.parse()?;
        }
        Ok(())
    }

    /// Parses one more segment, or the member's end.
    fn parse(&mut self) -> Result<(), DeflateError> {
        // Blocks without text take memory and advance nothing, so a hostile stream could queue any number of them.
        if self.queued_weight >= QUEUE_WEIGHT_MAX {
            return Err(DeflateError::Corrupt(
                "blocks: too many with next to nothing in them",
            ));
        }
        let before = self.stretch.bytes.len();
        let mut segment = self.spare.pop().unwrap_or_default();
        if self.input.next(&mut self.stretch.bytes, &mut segment)? {
            let text = &self.stretch.bytes[before..];
            self.check.update(text);
            self.plain.write_all(text)?;
            self.queued_tokens += segment.tokens.len();
            self.queued_weight += segment.weight();
            self.queue.push_back(segment);
            return Ok(());
        }
        let position = self.stretch.end();
        let bits = self.input.bits();
        let pad_bits = bits.bits_to_byte();
        let padding = u8::try_from(bits.take(pad_bits)?).expect("less than eight bits");
        let mut trailer = vec![0; self.options.wrapper.trailer_bytes()];
        if bits.overrun() || bits.bytes(&mut trailer)? < trailer.len() {
            return Err(DeflateError::Truncated);
        }
        self.consumed = bits.consumed();
        let next = self.next_header()?;
        self.end = Some(End {
            position,
            padding,
            trailer,
            next,
        });
        Ok(())
    }

    /// Returns the header of a following member.
    fn next_header(&mut self) -> Result<Option<Vec<u8>>, DeflateError> {
        if self.options.wrapper != Wrapper::Gzip {
            return Ok(None);
        }
        let mut magic = [0; 3];
        let taken = self.input.bits().bytes(&mut magic)?;
        if taken < magic.len() || magic != [0x1f, 0x8b, 8] {
            return Ok(None);
        }
        self.input.restart();
        let wrapper = self.options.wrapper;
        wrapper.read_header(&magic, self.input.bits()).map(Some)
    }

    fn pop(&mut self) -> Option<BlockSegment> {
        let segment = self.queue.pop_front();
        self.queued_tokens -= segment.as_ref().map_or(0, |segment| segment.tokens.len());
        self.queued_weight -= segment.as_ref().map_or(0, BlockSegment::weight);
        segment
    }

    /// Predicts and codes one segment.
    fn segment(&mut self, style: Option<WriterStyle>) -> Result<(), DeflateError> {
        let front = self.queue.front().map_or(0, |segment| segment.bytes);
        self.parse_to(self.position + (front + AHEAD) as u64)?;
        let prologue = self.prologue(style);
        self.out.prologue(&prologue)?;
        let Some(segment) = self.pop() else {
            return Ok(());
        };
        let at = self.position;
        let prediction = if at < self.foreseen_to {
            prediction::foreseen(&segment, self.rule)
        } else {
            prediction::look(&mut self.run, &self.stretch, at, &segment, self.rule)?
        };
        self.rule = prediction.rule;
        self.fit
            .add(segment.tokens.len() as u64, prediction.misses as u64);
        self.out
            .segment(at, &segment, &prediction, &mut self.run, &self.stretch)?;
        self.position += segment.bytes as u64;
        self.spare.push(segment);
        Ok(())
    }

    /// Takes the segments of a chunk. Returns `None` and takes nothing when they do not end at the chunk's end.
    fn gather(&mut self, span: Span) -> Result<Option<Vec<BlockSegment>>, DeflateError> {
        let mut segments: Vec<BlockSegment> = Vec::new();
        let mut at = span.begin;
        loop {
            self.parse_to(at)?;
            let Some(front) = self.queue.front() else {
                break;
            };
            if front.bytes > 0 && at >= span.end {
                break;
            }
            // A piece is held whole by one thread, so its segments are bounded.
            if segments.len() > PIECE_SEGMENTS_MAX {
                break;
            }
            at += front.bytes as u64;
            segments.extend(self.pop());
        }
        self.see_end();
        let whole = at == span.end || Some(at) == self.run.member_end;
        let begins = segments
            .first()
            .is_some_and(|segment| segment.head.is_some());
        let ends = segments.last().is_some_and(|segment| segment.ends);
        if whole && at <= span.end && begins && ends && segments.len() <= PIECE_SEGMENTS_MAX {
            return Ok(Some(segments));
        }
        // They go back in their order, and are coded as ordinary segments.
        for segment in segments.into_iter().rev() {
            self.queued_tokens += segment.tokens.len();
            self.queued_weight += segment.weight();
            self.queue.push_front(segment);
        }
        Ok(None)
    }

    /// Gives a piece to the pool, and codes the pieces that are predicted.
    fn piece(
        &mut self,
        style: Option<WriterStyle>,
        span: Span,
        segments: Vec<BlockSegment>,
    ) -> Result<(), DeflateError> {
        let prologue = self.prologue(style);
        let end = span.end.min(self.run.member_end.unwrap_or(u64::MAX));
        let span = Span { end, ..span };
        let known = self.run.dictionary_of(span.begin);
        let text = self.texts.pop().unwrap_or_default();
        let stretch = self.stretch.copy(known, end, text);
        let mut run = WriterRun::lend(self.runs.pop(), &self.run);
        let begins_aligned = segments.first().is_some_and(|segment| segment.aligned);
        let aligned = begins_aligned
            && match self.queue.front() {
                Some(next) => next.aligned,
                None => self.end.as_ref().is_some_and(|end| end.padding == 0),
            };
        self.pieces_given += 1;
        self.pool.give(move || {
            // Each piece starts from the same rule, because the threads decide which other pieces are done.
            let mut rule = 0;
            let mut position = span.begin;
            let look = |segment: &BlockSegment| {
                let prediction = prediction::look(&mut run, &stretch, position, segment, rule)?;
                rule = prediction.rule;
                position += segment.bytes as u64;
                Ok(prediction)
            };
            let foresights = segments.iter().map(look).collect();
            let text = stretch.bytes;
            PredictedChunk {
                prologue,
                span,
                segments,
                aligned,
                foresights,
                run,
                text,
            }
        });
        self.position = end;
        while self.pool.is_full() {
            self.code_piece()?;
        }
        Ok(())
    }

    /// Codes all pieces that are being predicted.
    fn drain(&mut self) -> Result<(), DeflateError> {
        while self.code_piece()? {}
        self.count_fits(0);
        Ok(())
    }

    fn code_piece(&mut self) -> Result<bool, DeflateError> {
        let Some(piece) = self.pool.take() else {
            return Ok(false);
        };
        let foresights = piece.foresights?;
        let tokens: usize = piece.segments.iter().map(|each| each.tokens.len()).sum();
        let misses: usize = foresights.iter().map(|each| each.misses).sum();
        self.late_fits.push_back((tokens as u64, misses as u64));
        self.out.prologue(&piece.prologue)?;
        self.out
            .piece(piece.span, piece.aligned, &piece.segments, &foresights)?;
        self.spare.extend(piece.segments);
        self.runs.push(piece.run);
        self.texts.push(piece.text);
        Ok(true)
    }

    fn check_limits(&mut self) -> Result<(), DeflateError> {
        let plain_bytes = self.stretch.end() - FIRST;
        let stream_bytes = self.input.bits().consumed();
        let options = self.options;
        if plain_bytes > options.plain_limit_bytes {
            return Err(DeflateError::PlainLimit(options.plain_limit_bytes));
        }
        if plain_bytes > RATIO_FREE_BYTES && plain_bytes / options.ratio_limit.max(1) > stream_bytes
        {
            return Err(DeflateError::RatioLimit(options.ratio_limit));
        }
        let most = stream_bytes.saturating_mul(options.recipe_limit_per_mille) / 1000;
        if self.out.coder.written() > most + RECIPE_FREE_BYTES {
            return Err(DeflateError::RecipeLimit(options.recipe_limit_per_mille));
        }
        if options.watch.is_some_and(|watch| !watch(plain_bytes)) {
            return Err(DeflateError::Stopped);
        }
        Ok(())
    }
}
