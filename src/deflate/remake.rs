//! Plain text and recipe in, the very same stream out.
//!
//! Holds a stretch of the text and the tokens of one segment.

use std::io::{Read, Write};

use super::bits::{BitWriter, WriteError};
use super::coder::Decoder;
use super::codes;
use super::inflate::SEGMENT_TOKENS;
use super::model::AHEAD;
use super::run::{Run, Style};
use super::script::{self, BlockKind, Extent, Flag, HeadKind, Script};
use super::text::{FIRST, Stretch};
use super::token::Token;
use super::wrapper::{Check, Wrapper};
use super::{DeflateError, RECIPE_VERSION, RemakeOptions};

/// Plain bytes that are in hand ahead of what models need, so that they work on long pieces.
const PIECE_BYTES: usize = 192 * 1024;
/// Bytes that go into the checksum together.
const CHECK_BYTES: u64 = 64 * 1024;

impl From<WriteError> for DeflateError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Limit => Self::Length,
            WriteError::Io(error) => Self::Io(error),
        }
    }
}

/// Makes a stream again; see [`super::remake`].
pub(super) fn remake(
    recipe: &mut dyn Read,
    plain: &mut dyn Read,
    out: &mut dyn Write,
    options: &RemakeOptions,
) -> Result<(), DeflateError> {
    let mut head = [0; 2];
    recipe.read_exact(&mut head)?;
    let [version, wrapper] = head;
    if version != RECIPE_VERSION {
        return Err(DeflateError::Newer(version));
    }
    let wrapper = Wrapper::from_number(wrapper).ok_or(DeflateError::Newer(version))?;
    let mut remaker = Remaker {
        wrapper,
        plain,
        stretch: Stretch::new(),
        position: FIRST,
        checked: FIRST,
        check: Check::new(wrapper),
        coder: Decoder::new(recipe),
        script: Script::default(),
        run: Run::new(Style::default(), FIRST),
        out: BitWriter::new(out, options.stream_bytes),
        last_count: 0,
        last_stored: 0,
        tokens: Vec::new(),
    };
    remaker.stream()?;
    remaker.coder.check()?;
    if remaker.out.finish()? == 0 {
        return Ok(());
    }
    Err(DeflateError::Length)
}

struct Remaker<'a> {
    wrapper: Wrapper,
    plain: &'a mut dyn Read,
    stretch: Stretch,
    position: u64,
    /// Position up to which the checksum goes.
    checked: u64,
    check: Check,
    coder: Decoder<'a>,
    script: Script,
    run: Run,
    out: BitWriter<&'a mut dyn Write>,
    last_count: usize,
    last_stored: usize,
    /// Tokens of the segment.
    tokens: Vec<Token>,
}

/// Where a segment ends.
#[derive(Clone, Copy)]
enum Goal {
    /// Behind so many tokens.
    Tokens(usize),
    /// At this position, or where the member ends.
    End(u64),
    /// At this position.
    Position(u64),
}

impl Remaker<'_> {
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
        self.read_ahead(1)?;
        if self.stretch.end() > self.position {
            return Err(DeflateError::Corrupt("recipe: ends before the text"));
        }
        Ok(())
    }

    fn member(&mut self) -> Result<(), DeflateError> {
        // The last block, and codes of the block that goes on.
        let mut last = false;
        let mut codes: Option<(codes::Encoder, HeadKind)> = None;
        loop {
            self.read_ahead(AHEAD + PIECE_BYTES)?;
            let begins = codes.is_none();
            if begins && last {
                break;
            }
            if self.script.flag(&mut self.coder, Flag::Model, false) {
                let style = self.script.style(&mut self.coder, Style::default())?;
                self.run.change(style, self.position);
            }
            self.segment(&mut codes, &mut last)?;
            self.coder.check()?;
            self.forget();
        }
        self.trailer()
    }

    /// Drops text that was dealt with, when it is in the checksum.
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

    fn segment(
        &mut self,
        codes: &mut Option<(codes::Encoder, HeadKind)>,
        last: &mut bool,
    ) -> Result<(), DeflateError> {
        self.member_end()?;
        let continued = codes.take();
        let head = match &continued {
            Some(_) => None,
            None => Some(self.script.head(&mut self.coder, None)?),
        };
        let kind = match (&head, &continued) {
            (Some(head), _) | (None, Some((_, head))) => head.kind,
            (None, None) => return Err(DeflateError::Corrupt("recipe: block")),
        };
        if let Some(head) = &head {
            *last = head.last;
        }
        if let BlockKind::Stored { padding } = kind {
            return self.stored(*last, padding);
        }
        let extent = self.script.extent(&mut self.coder, Extent::Same, false);
        let continues = self.script.flag(&mut self.coder, Flag::Continues, false);
        self.tokens.clear();
        if extent != Extent::Count(0) {
            self.turn();
            if head.is_some() {
                self.run.block(&self.stretch, self.position);
            }
        }
        let goal = self.goal(extent);
        self.foresee(goal)?;
        if let (Extent::Count(_), false) = (extent, continues) {
            self.last_count = self.tokens.len();
        }
        let encoder = match (continued, head) {
            (Some((encoder, head)), _) => (encoder, head),
            (None, Some(head)) => self.begin_block(head)?,
            (None, None) => return Err(DeflateError::Corrupt("recipe: block")),
        };
        for token in &self.tokens {
            encoder.0.put(*token, &mut self.out)?;
        }
        if continues {
            *codes = Some(encoder);
        } else {
            encoder.0.end(&mut self.out)?;
        }
        Ok(())
    }

    /// Goes over to the next chunk when there is one.
    fn turn(&mut self) {
        if self.position < self.limit() {
            self.run.turn(&self.stretch, self.position);
        }
    }

    /// Learns where the member ends.
    fn member_end(&mut self) -> Result<(), DeflateError> {
        if self.run.announced || !self.script.flag(&mut self.coder, Flag::End, false) {
            return Ok(());
        }
        let ahead = self.script.distance(&mut self.coder, 0);
        self.run.announced = true;
        self.run.member_end = Some(self.position + ahead);
        Ok(())
    }

    fn begin_block(&mut self, head: HeadKind) -> Result<(codes::Encoder, HeadKind), DeflateError> {
        let bits = match head.kind {
            BlockKind::Dynamic => 4,
            _ => 2,
        };
        self.out.put(bits | u64::from(head.last), 3)?;
        let mut header = None;
        if head.kind == BlockKind::Dynamic {
            let built = self.script.header(&mut self.coder, &self.tokens, None)?;
            built.write(&mut self.out)?;
            header = Some(built);
        }
        Ok((script::encoder(head.kind, header.as_ref()), head))
    }

    fn goal(&self, extent: Extent) -> Goal {
        match extent {
            Extent::Same => Goal::Tokens(self.last_count),
            Extent::Count(tokens) => Goal::Tokens(usize::try_from(tokens).unwrap_or(usize::MAX)),
            Extent::Rest => Goal::End(self.run.end()),
            Extent::Windows(more) => Goal::Position(self.run.window_end(self.position, more)),
        }
    }

    /// How many tokens are left to a goal, and the position before which they begin.
    fn left(&self, goal: Goal) -> Result<(usize, u64), DeflateError> {
        let room = SEGMENT_TOKENS - self.tokens.len();
        let member_end = self.run.member_end.unwrap_or(u64::MAX);
        let (tokens, end) = match goal {
            Goal::Tokens(tokens) => (tokens.saturating_sub(self.tokens.len()), member_end),
            Goal::End(end) => (usize::MAX, end.min(member_end)),
            Goal::Position(end) => (usize::MAX, end),
        };
        if tokens == 0 || self.position == end && !matches!(goal, Goal::Tokens(_)) {
            return Ok((0, end));
        }
        if room == 0 || self.position >= end || self.position >= self.limit() {
            return Err(DeflateError::Corrupt("recipe: length of a block"));
        }
        Ok((tokens.min(room), end))
    }

    /// Fills `tokens` up to the goal.
    fn foresee(&mut self, goal: Goal) -> Result<(), DeflateError> {
        let known = self.run.has_model();
        let misses = !known || self.script.flag(&mut self.coder, Flag::Misses, false);
        loop {
            self.read_ahead(AHEAD + PIECE_BYTES)?;
            let (most, end) = self.left(goal)?;
            if most == 0 {
                return Ok(());
            }
            self.run.turn(&self.stretch, self.position);
            let stop = end.min(self.safe_end());
            if misses {
                self.with_misses(most, stop)?;
            } else {
                let at = self.position;
                self.position = self.run.go(&self.stretch, at, stop, most, &mut self.tokens);
            }
            self.forget();
        }
    }

    /// Position up to which tokens may begin now.
    fn safe_end(&self) -> u64 {
        if self.stretch.at_end {
            return self.stretch.end();
        }
        self.stretch.end() - AHEAD as u64
    }

    /// Position behind which there is no text of the member.
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
                let foreseen = self.run.predict(&self.stretch, self.position);
                self.script
                    .token(&mut self.coder, foreseen, literal, literal)
            } else {
                let at = self.stretch.place(self.position);
                let text = self.run.text(&self.stretch);
                self.script.unforeseen(&mut self.coder, text, at, literal)
            };
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
        let extent = self.script.extent(&mut self.coder, Extent::Same, true);
        if extent != Extent::Count(0) {
            self.turn();
        }
        let end = match extent {
            Extent::Same => self.position + self.last_stored as u64,
            Extent::Count(bytes) => self.position + u64::from(bytes),
            Extent::Rest => self.run.end().min(self.limit()),
            Extent::Windows(more) => self.run.window_end(self.position, more),
        };
        let len = u16::try_from(end - self.position)
            .map_err(|_| DeflateError::Corrupt("recipe: length of a stored block"))?;
        if end > self.limit() {
            return Err(DeflateError::Corrupt("recipe: longer than the text"));
        }
        self.out.put(u64::from(last), 3)?;
        let pad_bits = self.out.bits_to_byte();
        self.out
            .put(u64::from(padding) & ((1 << pad_bits) - 1), pad_bits)?;
        self.out.put(u64::from(len) | u64::from(!len) << 16, 32)?;
        let bytes = self.stretch.place(self.position)..self.stretch.place(end);
        self.out.bytes(&self.stretch.bytes[bytes])?;
        if len > 0 {
            self.last_stored = usize::from(len);
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
