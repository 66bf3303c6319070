//! Stream in, plain text and recipe out.
//!
//! Parsing runs ahead of coding by [`AHEAD`] bytes, so that models see what the writer saw; in hand are the segments between
//! the two, and the text around them.

use std::collections::VecDeque;
use std::io::{Read, Write};

use super::bits::BitReader;
use super::coder::{Code, Encoder};
use super::inflate::{Head, Inflater, Kind, Segment};
use super::model::AHEAD;
use super::run::{Run, Style};
use super::script::{Extent, Flag, Script};
use super::select::{self, SAMPLE_BYTES, SAMPLE_TOKENS};
use super::text::{FIRST, Stretch};
use super::token::Token;
use super::wrapper::{Check, Wrapper};
use super::{AnalyseOptions, Analysis, DeflateError, Hint, RECIPE_VERSION};

/// A recipe may have so many bytes beside the part of the stream that it may be.
const RECIPE_FREE_BYTES: u64 = 4096;
/// Plain bytes before the ratio of plain to stream is looked at.
const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Tokens between two looks at how well the model fits, and misses in a thousand at which another is looked for.
const LOOK_TOKENS: u64 = 1 << 16;
const LOOK_PER_MILLE: u64 = 5;
/// Looks that may end without a better model.
const LOOKS_IN_VAIN_MAX: u32 = 4;

/// A member's end, once it was read.
struct End {
    position: u64,
    padding: u8,
    trailer: Vec<u8>,
    /// Header of the member that follows.
    next: Option<Vec<u8>>,
}

/// How well the model fits.
#[derive(Default)]
struct Fit {
    /// Since the last look.
    tokens: u64,
    misses: u64,
    all_misses: u64,
    looks_in_vain: u32,
    looked: bool,
}

struct Analyser<'a, R> {
    input: Inflater<R>,
    options: &'a AnalyseOptions<'a>,
    plain: &'a mut dyn Write,
    stretch: Stretch,
    /// Segments that were parsed and not coded; the first begins at `position`.
    queue: VecDeque<Segment>,
    spare: Vec<Segment>,
    queued_tokens: usize,
    position: u64,
    /// Bytes of the stream up to the end of the last whole member.
    consumed: u64,
    end: Option<End>,
    check: Check,
    coder: Encoder<'a>,
    script: Script,
    run: Run,
    /// Tokens of the last block whose number of tokens was coded.
    last_count: usize,
    /// Bytes of the stored block before.
    last_stored: usize,
    foreseen: Vec<Token>,
    fit: Fit,
}

/// Opens a stream; see [`super::analyse`].
pub(super) fn analyse(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &AnalyseOptions<'_>,
) -> Result<Analysis, DeflateError> {
    recipe.write_all(&[RECIPE_VERSION, options.wrapper.number()])?;
    let mut bits = BitReader::new(source);
    let header = options.wrapper.read_header(&[], &mut bits)?;
    let analyser = Analyser {
        input: Inflater::new(bits),
        options,
        plain,
        stretch: Stretch::new(),
        queue: VecDeque::new(),
        spare: Vec::new(),
        queued_tokens: 0,
        position: FIRST,
        consumed: 0,
        end: None,
        check: Check::new(options.wrapper),
        coder: Encoder::new(recipe),
        script: Script::default(),
        run: Run::new(Style::default(), FIRST),
        last_count: 0,
        last_stored: 0,
        foreseen: Vec::new(),
        fit: Fit::default(),
    };
    analyser.stream(header)
}

impl<R: Read> Analyser<'_, R> {
    fn stream(mut self, first: Vec<u8>) -> Result<Analysis, DeflateError> {
        let mut header = first;
        self.script.bytes(&mut self.coder, &header)?;
        while let Some(next) = self.member()? {
            self.script.flag(&mut self.coder, Flag::Member, true);
            let other = next != header;
            if self.script.flag(&mut self.coder, Flag::Wrapper, other) {
                self.script.bytes(&mut self.coder, &next)?;
                header = next;
            }
            self.run.next_member(self.position);
        }
        self.script.flag(&mut self.coder, Flag::Member, false);
        let recipe_bytes = self.coder.finish()? + 2;
        self.plain.flush()?;
        Ok(Analysis {
            stream_bytes: self.consumed,
            plain_bytes: self.position - FIRST,
            recipe_bytes,
            missed_tokens: self.fit.all_misses,
            writer: self.run.style.writer.name(),
            hint: Hint(self.run.style),
        })
    }

    /// Codes one member; returns the header of the next.
    fn member(&mut self) -> Result<Option<Vec<u8>>, DeflateError> {
        loop {
            let front = self.queue.front().map_or(0, |segment| segment.bytes);
            self.parse_to(self.position + (front + AHEAD) as u64)?;
            let Some(segment) = self.front()? else {
                break;
            };
            self.segment(&segment)?;
            self.spare.push(segment);
            self.check_limits()?;
            self.stretch.drop_before(self.position);
        }
        let end = self.end.take().ok_or(DeflateError::Truncated)?;
        let check = std::mem::replace(&mut self.check, Check::new(self.options.wrapper));
        let odd = end.padding != 0 || end.trailer != check.trailer();
        if self.script.flag(&mut self.coder, Flag::Trailer, odd) {
            let mut bytes = vec![end.padding];
            bytes.extend(end.trailer);
            self.script.bytes(&mut self.coder, &bytes)?;
        }
        Ok(end.next)
    }

    /// Takes the next segment, when its writer was chosen.
    fn front(&mut self) -> Result<Option<Segment>, DeflateError> {
        self.run.member_end = self.end.as_ref().map(|end| end.position);
        if self.queue.is_empty() {
            return Ok(None);
        }
        let changed = self.look()?;
        if self
            .script
            .flag(&mut self.coder, Flag::Model, changed.is_some())
            && let Some(style) = changed
        {
            self.script.style(&mut self.coder, style)?;
            self.run.change(style, self.position);
        }
        let segment = self.queue.pop_front();
        self.queued_tokens -= segment.as_ref().map_or(0, |segment| segment.tokens.len());
        Ok(segment)
    }

    /// Parses up to a position, so that what lies before can be coded.
    fn parse_to(&mut self, position: u64) -> Result<(), DeflateError> {
        while self.end.is_none() && (self.stretch.end() < position || self.queue.is_empty()) {
            self.parse()?;
            // The front segment may have come only now.
            if self.queue.len() == 1 {
                let front = self.position + (self.queue[0].bytes + AHEAD) as u64;
                return self.parse_to(position.max(front));
            }
        }
        Ok(())
    }

    /// Parses one more segment, or the member's end.
    fn parse(&mut self) -> Result<(), DeflateError> {
        let before = self.stretch.bytes.len();
        let mut segment = self.spare.pop().unwrap_or_default();
        if self.input.next(&mut self.stretch.bytes, &mut segment)? {
            let text = &self.stretch.bytes[before..];
            self.check.update(text);
            self.plain.write_all(text)?;
            self.queued_tokens += segment.tokens.len();
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

    /// The header of a member that follows.
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

    /// Looks for a model: at the beginning, and when the one that there is does not fit.
    fn look(&mut self) -> Result<Option<Style>, DeflateError> {
        let fit = &mut self.fit;
        if fit.looked {
            if fit.tokens < LOOK_TOKENS {
                return Ok(None);
            }
            let fits = fit.misses * 1000 < fit.tokens * LOOK_PER_MILLE;
            (fit.tokens, fit.misses) = (0, 0);
            if fits || fit.looks_in_vain >= LOOKS_IN_VAIN_MAX {
                return Ok(None);
            }
        }
        while self.end.is_none()
            && self.stretch.end() - self.position < SAMPLE_BYTES
            && self.queued_tokens < SAMPLE_TOKENS
        {
            self.parse()?;
        }
        self.run.member_end = self.end.as_ref().map(|end| end.position);
        let likely = if self.fit.looked {
            Some(self.run.style)
        } else {
            self.options.hint.map(|Hint(style)| style)
        };
        let chosen = select::select(&self.stretch, &self.queue, self.position, &self.run, likely);
        if chosen == self.run.style {
            self.fit.looks_in_vain += u32::from(self.fit.looked);
        }
        self.fit.looked = true;
        Ok((chosen != self.run.style).then_some(chosen))
    }

    fn segment(&mut self, segment: &Segment) -> Result<(), DeflateError> {
        self.announce_end(segment);
        let end = self.position + segment.bytes as u64;
        if segment.bytes > 0 {
            self.run.turn(&self.stretch, self.position);
        }
        if let Some(head) = &segment.head {
            self.script.head(&mut self.coder, Some(head))?;
            if segment.bytes > 0 || !segment.tokens.is_empty() {
                self.run.block(&self.stretch, self.position);
            }
        }
        if let Some(Head {
            kind: Kind::Stored { .. },
            ..
        }) = segment.head
        {
            self.stored(segment, end);
            self.position = end;
            return Ok(());
        }
        let extent = self.extent(segment, end);
        self.script.extent(&mut self.coder, extent, false);
        if let (Extent::Count(_), true) = (extent, segment.ends) {
            self.last_count = segment.tokens.len();
        }
        self.script
            .flag(&mut self.coder, Flag::Continues, !segment.ends);
        self.tokens(segment);
        self.position = end;
        if let Some(Head {
            kind: Kind::Dynamic(header),
            ..
        }) = &segment.head
        {
            self.script
                .header(&mut self.coder, &segment.tokens, Some(header))?;
        }
        Ok(())
    }

    /// Says where the member ends when another follows; else it ends with the text.
    fn announce_end(&mut self, segment: &Segment) {
        if self.run.announced {
            return;
        }
        let near = self.position + (segment.bytes + AHEAD) as u64;
        let end = self.end.as_ref().filter(|end| end.next.is_some());
        let ahead = end.map(|end| end.position).filter(|end| *end <= near);
        if self
            .script
            .flag(&mut self.coder, Flag::End, ahead.is_some())
        {
            self.run.announced = true;
            let ahead = ahead.map_or(0, |end| end - self.position);
            self.script.distance(&mut self.coder, ahead);
        }
    }

    fn extent(&self, segment: &Segment, end: u64) -> Extent {
        let count = u32::try_from(segment.tokens.len()).expect("a segment is bounded");
        if segment.ends && count > 0 {
            if segment.tokens.len() == self.last_count {
                return Extent::Same;
            }
            if end == self.run.end() {
                return Extent::Rest;
            }
            let past = end - self.run.begin;
            if past.is_multiple_of(65535) {
                let windows = past / 65535 - (self.position - self.run.begin) / 65535;
                return Extent::Windows(u32::try_from(windows - 1).expect("a segment is bounded"));
            }
        }
        Extent::Count(count)
    }

    /// A stored block: the writer looked for matches in it all the same.
    fn stored(&mut self, segment: &Segment, end: u64) {
        let past = end - self.run.begin;
        let extent = if segment.bytes == self.last_stored {
            Extent::Same
        } else if segment.bytes > 0 && end == self.run.end() {
            Extent::Rest
        } else if segment.bytes > 0 && past.is_multiple_of(65535) {
            Extent::Windows(0)
        } else {
            Extent::Count(u32::try_from(segment.bytes).expect("16 bits"))
        };
        self.script.extent(&mut self.coder, extent, true);
        self.run
            .pass_over(&self.stretch, self.position, end, &mut self.foreseen);
        if segment.bytes > 0 {
            self.last_stored = segment.bytes;
        }
    }

    fn tokens(&mut self, segment: &Segment) {
        self.fit.tokens += segment.tokens.len() as u64;
        if !self.run.has_model() {
            let mut position = self.position;
            for token in &segment.tokens {
                self.run.turn(&self.stretch, position);
                let (text, at) = (self.run.text(&self.stretch), self.stretch.place(position));
                self.script.unforeseen(&mut self.coder, text, at, *token);
                position += token.advance() as u64;
            }
            return;
        }
        self.foreseen.clear();
        let mut position = self.position;
        while self.foreseen.len() < segment.tokens.len() {
            self.run.turn(&self.stretch, position);
            let left = &segment.tokens[self.foreseen.len()..];
            position = self
                .run
                .foresee(&self.stretch, position, left, &mut self.foreseen);
        }
        let pairs = segment.tokens.iter().zip(&self.foreseen);
        let misses = pairs.filter(|(token, foreseen)| token != foreseen).count() as u64;
        self.fit.misses += misses;
        self.fit.all_misses += misses;
        if !self.script.flag(&mut self.coder, Flag::Misses, misses > 0) {
            return;
        }
        for (token, foreseen) in segment.tokens.iter().zip(&self.foreseen) {
            self.script.token(
                &mut self.coder,
                *foreseen,
                *token,
                Token::literal(token.byte()),
            );
        }
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
        if self.coder.written() > most + RECIPE_FREE_BYTES {
            return Err(DeflateError::RecipeLimit(options.recipe_limit_per_mille));
        }
        if options.watch.is_some_and(|watch| !watch(plain_bytes)) {
            return Err(DeflateError::Stopped);
        }
        Ok(())
    }
}
