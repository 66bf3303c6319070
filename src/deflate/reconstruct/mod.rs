//! Turns plain text and a recipe into exactly the original stream.
//!
//! Memory holds a part of the text and the tokens of one segment. The chunks of a chunked writer are reconstructed
//! several at a time.

mod piece;
mod pieces;

use std::io::{Read, Write};

use self::piece::{SegmentGoal, write_stored};
use self::pieces::FinishedPiece;
use super::bits::{BitWriter, WriteError};
use super::coder::{CodingVersion, RangeDecoder};
use super::codes;
use super::corrections::{self, CorrectionModels, DeflateBlockKind, Flag, HeadKind, SegmentExtent};
use super::inflate::SEGMENT_TOKENS;
use super::model::AHEAD;
use super::ordered_pool::OrderedPool;
use super::run::{WriterRun, WriterStyle};
use super::text::{FIRST, Stretch};
use super::token::Token;
use super::trees::{Rule, WRITTEN_OUT};
use super::wrapper::{Check, Wrapper};
use super::{DeflateError, ReconstructOptions};

/// Plain bytes that are read ahead of what models need, so that they work on long pieces.
const PIECE_BYTES: usize = 192 * 1024;
/// Bytes that are added to the checksum at a time.
const CHECK_BYTES: u64 = 64 * 1024;

impl From<WriteError> for DeflateError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Limit => Self::Length,
            WriteError::Io(error) => Self::Io(error),
        }
    }
}

/// Reconstructs a stream, see [`super::reconstruct()`].
pub(super) fn reconstruct(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &ReconstructOptions,
) -> Result<(), DeflateError> {
    let mut head = [0; 2];
    recipe.read_exact(&mut head)?;
    let [version, wrapper] = head;
    if version == 0 {
        return Err(DeflateError::Corrupt("version"));
    }
    let coding = CodingVersion::from_number(version).ok_or(DeflateError::Newer(version))?;
    let wrapper = Wrapper::from_number(wrapper).ok_or(DeflateError::Newer(version))?;
    let mut remaker = Reconstructor {
        wrapper,
        plain,
        stretch: Stretch::new(),
        position: FIRST,
        checked: FIRST,
        check: Check::new(wrapper),
        coder: RangeDecoder::new(recipe, coding),
        script: CorrectionModels::default(),
        run: WriterRun::new(WriterStyle::default(), FIRST),
        out: BitWriter::new(out, options.stream_bytes),
        stream_bytes: options.stream_bytes,
        last_count: 0,
        last_stored: 0,
        tokens: Vec::new(),
        pool: OrderedPool::new(options.threads),
        runs: Vec::new(),
    };
    remaker.stream()?;
    remaker.coder.check()?;
    if remaker.out.finish()? == 0 {
        return Ok(());
    }
    Err(DeflateError::Length)
}

struct Reconstructor<'a> {
    wrapper: Wrapper,
    plain: &'a mut dyn Read,
    stretch: Stretch,
    position: u64,
    /// Position up to which the checksum was computed.
    checked: u64,
    check: Check,
    coder: RangeDecoder<'a>,
    script: CorrectionModels,
    run: WriterRun,
    out: BitWriter<&'a mut dyn Write>,
    stream_bytes: u64,
    last_count: usize,
    last_stored: usize,
    /// Tokens of the segment.
    tokens: Vec<Token>,
    pool: OrderedPool<FinishedPiece>,
    runs: Vec<WriterRun>,
}

/// Refuses an empty segment that continues in the next one. It writes nothing, so a short recipe could have any number
/// of them.
fn check_goes_on(tokens: &[Token], continues: bool) -> Result<(), DeflateError> {
    if continues && tokens.is_empty() {
        return Err(DeflateError::Corrupt("recipe: stands still"));
    }
    Ok(())
}

/// A block that continues in the next segment.
struct OpenBlock {
    codes: codes::TokenEncoder,
    last: bool,
}

impl Reconstructor<'_> {
    fn stream(&mut self) -> Result<(), DeflateError> {
        let mut header = self.script.bytes(&mut self.coder, &[])?;
        loop {
            self.out.bytes(&header)?;
            self.member()?;
            if !self.script.flag(&mut self.coder, Flag::Member, false) {
                break;
            }
            if self.script.flag(&mut self.coder, Flag::Wrapper, false) {
                header = self.script.bytes(&mut self.coder, &[])?;
            }
            self.run.next_member(self.position);
        }
        // The recipe must account for the whole text, so one byte more is an error.
        self.read_ahead(1)?;
        if self.stretch.end() > self.position {
            return Err(DeflateError::Corrupt("recipe: ends before the text"));
        }
        Ok(())
    }

    fn member(&mut self) -> Result<(), DeflateError> {
        let mut open: Option<OpenBlock> = None;
        let mut last = false;
        while open.is_some() || !last {
            self.read_ahead(AHEAD + PIECE_BYTES)?;
            self.prologue()?;
            last = match self.run.piece_at(self.position) {
                Some(span) if open.is_none() => self.piece(span)?,
                _ => {
                    self.drain()?;
                    self.segment(&mut open)?
                }
            };
            // Zeros stand for bytes that could not be read, so an error is reported before they are followed.
            self.coder.check()?;
            self.forget();
        }
        self.drain()?;
        self.trailer()
    }

    /// Reads the writer from here on, and the member's end.
    fn prologue(&mut self) -> Result<(), DeflateError> {
        if self.script.flag(&mut self.coder, Flag::Model, false) {
            let style = self.script.style(&mut self.coder, WriterStyle::default())?;
            self.run.change(style, self.position);
        }
        if !self.run.announced && self.script.flag(&mut self.coder, Flag::End, false) {
            let ahead = self.script.distance(&mut self.coder, 0);
            self.run.announced = true;
            self.run.member_end = Some(self.position + ahead);
        }
        Ok(())
    }

    /// Drops text that was used and is in the checksum.
    fn forget(&mut self) {
        if self.position - self.checked >= CHECK_BYTES {
            self.update_check();
        }
        self.stretch.drop_before(self.position);
    }

    fn update_check(&mut self) {
        let bytes = self.stretch.place(self.checked)..self.stretch.place(self.position);
        self.check.update(&self.stretch.bytes[bytes]);
        self.checked = self.position;
    }

    fn read_ahead(&mut self, ahead: usize) -> Result<(), DeflateError> {
        self.stretch.read_ahead(self.plain, self.position, ahead)?;
        if self.stretch.at_end && !self.run.announced {
            self.run.member_end = Some(self.stretch.end());
        }
        Ok(())
    }

    /// Reconstructs one segment. Returns whether its block is the member's last.
    fn segment(&mut self, open: &mut Option<OpenBlock>) -> Result<bool, DeflateError> {
        let continued = open.take();
        let head = match &continued {
            Some(_) => None,
            None => Some(self.script.head(&mut self.coder, None)?),
        };
        if let Some(HeadKind {
            kind: DeflateBlockKind::Stored { padding },
            last,
        }) = head
        {
            self.stored(last, padding)?;
            return Ok(last);
        }
        let extent = self
            .script
            .extent(&mut self.coder, SegmentExtent::Same, false);
        let continues = self.script.flag(&mut self.coder, Flag::Continues, false);
        self.tokens.clear();
        if extent != SegmentExtent::Count(0) {
            self.turn();
            if head.is_some() && self.position < self.limit() {
                self.run.block(&self.stretch, self.position);
            }
        }
        let goal = SegmentGoal::of(extent, self.position, self.run.span(), self.last_count);
        self.predict(goal)?;
        check_goes_on(&self.tokens, continues)?;
        if let (SegmentExtent::Count(_), false) = (extent, continues) {
            self.last_count = self.tokens.len();
        }
        let block = match (continued, head) {
            (Some(block), _) => block,
            (None, Some(head)) => self.begin_block(head)?,
            (None, None) => return Err(DeflateError::Corrupt("recipe: block")),
        };
        for token in &self.tokens {
            block.codes.put(*token, &mut self.out)?;
        }
        let last = block.last;
        if continues {
            *open = Some(block);
        } else {
            block.codes.end(&mut self.out)?;
        }
        Ok(last)
    }

    fn begin_block(&mut self, head: HeadKind) -> Result<OpenBlock, DeflateError> {
        let mut header = None;
        if head.kind == DeflateBlockKind::Dynamic {
            let number = self.script.rule(&mut self.coder, 0);
            header = Some(if number == WRITTEN_OUT {
                self.script
                    .written_out(&mut self.coder, &self.tokens, None)?
            } else {
                let rule = Rule::from_number(number);
                rule.ok_or(DeflateError::Corrupt("recipe: rule of a header"))?
                    .header(&self.tokens)
            });
        }
        let codes = corrections::begin_block(&mut self.out, head.kind, head.last, header.as_ref())?;
        Ok(OpenBlock {
            codes,
            last: head.last,
        })
    }

    /// Advances to the next chunk, if there is one.
    fn turn(&mut self) {
        if self.position < self.limit() {
            self.run.turn(&self.stretch, self.position);
        }
    }

    /// Returns the number of tokens up to a goal, and the position before which they begin.
    fn left(&self, goal: SegmentGoal) -> Result<(usize, u64), DeflateError> {
        let room = SEGMENT_TOKENS - self.tokens.len();
        let member_end = self.run.member_end.unwrap_or(u64::MAX);
        let (tokens, end) = match goal {
            SegmentGoal::Count(tokens) => (tokens.saturating_sub(self.tokens.len()), member_end),
            SegmentGoal::End(end) => (usize::MAX, end.min(member_end)),
            SegmentGoal::Position(end) => (usize::MAX, end),
        };
        if tokens == 0 || self.position == end && !matches!(goal, SegmentGoal::Count(_)) {
            return Ok((0, end));
        }
        // The tokens of a segment are bounded, whatever a recipe claims of a block.
        if room == 0 || self.position >= end || self.position >= self.limit() {
            return Err(DeflateError::Corrupt("recipe: length of a block"));
        }
        Ok((tokens.min(room), end))
    }

    /// Fills `tokens` up to the goal.
    fn predict(&mut self, goal: SegmentGoal) -> Result<(), DeflateError> {
        let known = self.run.has_model();
        let misses = !known || self.script.flag(&mut self.coder, Flag::Misses, false);
        loop {
            self.read_ahead(AHEAD + PIECE_BYTES)?;
            let (most, end) = self.left(goal)?;
            if most == 0 {
                return Ok(());
            }
            self.run.turn(&self.stretch, self.position);
            let before = self.position;
            let stop = end.min(self.safe_end());
            if misses {
                self.with_misses(most, stop)?;
            } else {
                let at = self.position;
                self.position = self.run.go(&self.stretch, at, stop, most, &mut self.tokens);
            }
            // A recipe that makes no progress would loop forever.
            if self.position <= before {
                return Err(DeflateError::Corrupt("recipe: stands still"));
            }
            self.forget();
        }
    }

    /// Returns the position up to which tokens may begin now.
    fn safe_end(&self) -> u64 {
        if self.stretch.at_end {
            return self.stretch.end();
        }
        // Models compare up to `AHEAD` bytes behind a place, so these must be read first.
        self.stretch.end() - AHEAD as u64
    }

    /// Returns the position behind which the member has no text.
    fn limit(&self) -> u64 {
        self.stretch
            .end()
            .min(self.run.member_end.unwrap_or(u64::MAX))
    }

    fn with_misses(&mut self, most: usize, stop: u64) -> Result<(), DeflateError> {
        let stop = stop.min(self.limit());
        let most = self.tokens.len() + most;
        while self.tokens.len() < most && self.position < stop {
            self.run.turn(&self.stretch, self.position);
            let literal = self.literal();
            let token = if self.run.has_model() {
                let predicted = self.run.predict(&self.stretch, self.position);
                self.script
                    .token(&mut self.coder, predicted, literal, literal)
            } else {
                let at = self.stretch.place(self.position);
                let text = self.run.text(&self.stretch);
                self.script.unforeseen(&mut self.coder, text, at, literal)
            };
            // The token comes from the recipe, which may be damaged or hostile.
            self.run.check(&self.stretch, self.position, token)?;
            self.run.follow(&self.stretch, self.position, token);
            self.tokens.push(token);
            self.position += token.advance() as u64;
        }
        Ok(())
    }

    fn literal(&self) -> Token {
        let at = self.stretch.place(self.position);
        Token::literal(self.stretch.bytes[at])
    }

    fn stored(&mut self, last: bool, padding: u8) -> Result<(), DeflateError> {
        let extent = self
            .script
            .extent(&mut self.coder, SegmentExtent::Same, true);
        if extent != SegmentExtent::Count(0) {
            self.turn();
        }
        let goal = SegmentGoal::of(extent, self.position, self.run.span(), self.last_stored);
        let end = goal.stored_end(self.position, self.limit())?;
        let bytes = self.stretch.place(self.position)..self.stretch.place(end);
        write_stored(&mut self.out, last, padding, &self.stretch.bytes[bytes])?;
        if end > self.position {
            if let SegmentExtent::Count(_) = extent {
                self.last_stored = usize::try_from(end - self.position).expect("16 bits");
            }
            self.run.block(&self.stretch, self.position);
            self.run
                .pass_over(&self.stretch, self.position, end, &mut self.tokens);
        }
        self.position = end;
        Ok(())
    }

    fn trailer(&mut self) -> Result<(), DeflateError> {
        self.update_check();
        let check = std::mem::replace(&mut self.check, Check::new(self.wrapper)).trailer();
        let pad_bits = self.out.bits_to_byte();
        if !self.script.flag(&mut self.coder, Flag::Trailer, false) {
            self.out.put(0, pad_bits)?;
            return Ok(self.out.bytes(&check)?);
        }
        let bytes = self.script.bytes(&mut self.coder, &[])?;
        let (padding, trailer) = bytes
            .split_first()
            .ok_or(DeflateError::Corrupt("recipe: trailer"))?;
        self.out
            .put(u64::from(*padding) & ((1 << pad_bits) - 1), pad_bits)?;
        Ok(self.out.bytes(trailer)?)
    }
}
