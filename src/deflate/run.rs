//! A writer that processes a stream, predicted: its model, its chunks, and its position.

use super::DeflateError;
use super::idle_models;
use super::model::Text;
use super::text::Stretch;
use super::token::{Token, WINDOW};
use super::writers::{AnyModel, Writer};

/// The smallest chunk size, and the largest, that count as chunks.
pub(crate) const CHUNK_BYTES_MIN: u64 = 1 << 12;
pub(crate) const CHUNK_BYTES_MAX: u64 = 1 << 31;

/// How a stream is cut into chunks that are compressed separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkedWriting {
    /// Plain bytes of each but the last.
    pub(crate) bytes: u64,
    /// Bytes before a chunk that its writer knows.
    pub(crate) dictionary: usize,
}

impl ChunkedWriting {
    /// Returns whether one writer continues from chunk to chunk.
    pub(crate) fn go_on(self) -> bool {
        self.dictionary == GOES_ON
    }
}

/// Stands for one writer that continues and is only flushed at the end of a chunk.
const GOES_ON: usize = usize::MAX;

/// Dictionaries of chunked writers: pigz, pgzip, none, and pigz with one thread. The index of each is part of the
/// format.
pub(crate) const DICTIONARIES: [usize; 4] = [WINDOW, WINDOW / 2, 0, GOES_ON];

/// Chunks of up to this size are processed as pieces: predicted and reconstructed independently, several at a time.
const PIECE_BYTES_MAX: u64 = 2 << 20;
/// Most segments of a piece.
pub(crate) const PIECE_SEGMENTS_MAX: usize = 1 << 12;

/// The positions of a chunk's beginning and end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl Span {
    /// Returns the position of the `more + 1`st end of a window of 65535 bytes behind `position`.
    pub(crate) fn window_end(self, position: u64, more: u32) -> u64 {
        let done = position.saturating_sub(self.begin) / 65535;
        self.begin + (done + 1 + u64::from(more)) * 65535
    }
}

/// A writer and its chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriterStyle {
    pub(crate) writer: Writer,
    pub(crate) chunks: Option<ChunkedWriting>,
}

/// A writer during one member.
pub(crate) struct WriterRun {
    pub(crate) style: WriterStyle,
    model: Option<AnyModel>,
    /// Position at which the member begins.
    member: u64,
    /// Position at which the member ends, when it is known.
    pub(crate) member_end: Option<u64>,
    /// Positions of the chunk's beginning and end. The last one is the position before which its writer knows nothing.
    pub(crate) begin: u64,
    end: u64,
    start: u64,
    begun: bool,
    /// Whether the script said the member's end.
    pub(crate) announced: bool,
    /// Whether its model is kept for the next stream. That pays for short streams alone.
    pub(crate) keeps_model: bool,
}

impl Drop for WriterRun {
    fn drop(&mut self) {
        self.put_aside();
    }
}

impl Default for WriterStyle {
    fn default() -> Self {
        Self {
            writer: Writer::zlib(6),
            chunks: None,
        }
    }
}

impl WriterRun {
    /// Creates a writer before a member that begins at `member`.
    pub(crate) fn new(style: WriterStyle, member: u64) -> Self {
        let mut run = Self {
            style,
            model: idle_models::take(style.writer),
            member,
            member_end: None,
            begin: member,
            end: u64::MAX,
            start: member,
            begun: false,
            announced: false,
            keeps_model: true,
        };
        run.place_chunk(member);
        run
    }

    /// Moves the same writer to another member.
    pub(crate) fn next_member(&mut self, member: u64) {
        self.member = member;
        self.member_end = None;
        self.begin = member;
        self.end = u64::MAX;
        self.start = member;
        self.begun = false;
        self.announced = false;
        self.place_chunk(member);
    }

    /// Changes to another writer from `position` on, within the member.
    pub(crate) fn change(&mut self, style: WriterStyle, position: u64) {
        let is_new = !self.begun && style.writer.begins_anew();
        if !is_new || self.style.writer != style.writer {
            self.put_aside();
            self.model = idle_models::take(style.writer);
        }
        self.style = style;
        self.begun = false;
        self.place_chunk(position);
        if self.begin < position {
            self.begin = position;
            self.start = self
                .start
                .max(position.saturating_sub(WINDOW as u64))
                .max(self.member);
        }
    }

    fn put_aside(&mut self) {
        if let Some(model) = self.model.take()
            && self.keeps_model
        {
            idle_models::give_back(self.style.writer, model);
        }
    }

    /// Returns the chunk that begins at `position` when it is processed as a piece.
    pub(crate) fn piece_at(&self, position: u64) -> Option<Span> {
        let chunks = self.style.chunks?;
        let bytes = chunks.bytes;
        let begins = (position - self.member).is_multiple_of(bytes) && !chunks.go_on();
        (begins && bytes <= PIECE_BYTES_MAX).then_some(Span {
            begin: position,
            end: position + bytes,
        })
    }

    /// Returns the chunk that the writer is in.
    pub(crate) fn span(&self) -> Span {
        Span {
            begin: self.begin,
            end: self.end(),
        }
    }

    /// Returns the position before which the writer of a chunk that begins at `position` knows nothing.
    pub(crate) fn dictionary_of(&self, position: u64) -> u64 {
        let bytes = self.style.chunks.map_or(0, |chunks| chunks.dictionary);
        position.saturating_sub(bytes as u64).max(self.member)
    }

    /// Prepares a writer for another thread, at the beginning of a piece of `other`'s. Reuses `lent` when it is given.
    pub(crate) fn lend(lent: Option<Self>, other: &Self) -> Self {
        match lent {
            Some(mut run) if run.style == other.style => {
                run.next_member(other.member);
                run.member_end = other.member_end;
                run
            }
            _ => {
                let mut run = Self::new(other.style, other.member);
                run.member_end = other.member_end;
                run.keeps_model = false;
                run
            }
        }
    }

    fn place_chunk(&mut self, position: u64) {
        let Some(chunks) = self.style.chunks else {
            self.start = self.member;
            self.end = u64::MAX;
            return;
        };
        let number = (position - self.member) / chunks.bytes;
        self.begin = self.member + number * chunks.bytes;
        self.end = self.begin.saturating_add(chunks.bytes);
        self.start = self
            .begin
            .saturating_sub(chunks.dictionary as u64)
            .max(self.member);
    }

    /// Advances to the chunk that includes `position`. Called before anything is predicted there.
    pub(crate) fn turn(&mut self, stretch: &Stretch, position: u64) {
        if position >= self.end {
            self.place_chunk(position);
            let goes_on = self.style.chunks.is_some_and(ChunkedWriting::go_on);
            if goes_on && self.begun {
                let (text, at) = (self.text(stretch), stretch.place(position));
                if let Some(model) = &mut self.model {
                    model.resume(text, at);
                }
            }
            self.begun &= goes_on;
        }
        if self.begun {
            return;
        }
        self.begun = true;
        let text = self.text(stretch);
        let at = stretch.place(position);
        let dictionary = stretch
            .place(self.start)
            .max(at.saturating_sub(WINDOW))
            .min(at);
        if let Some(model) = &mut self.model {
            model.begin(text, at, dictionary);
        }
    }

    /// Returns the position at which the writer's input ends, when it is known.
    pub(crate) fn end(&self) -> u64 {
        self.end.min(self.member_end.unwrap_or(u64::MAX))
    }

    /// Returns the text as the writer sees it.
    pub(crate) fn text<'a>(&self, stretch: &'a Stretch) -> Text<'a> {
        Text {
            bytes: &stretch.bytes,
            base: stretch.base(),
            start: stretch.place(self.start),
            end: stretch.place(self.end()).min(stretch.bytes.len()),
        }
    }

    /// Returns a writer of this style before the same member, without any predictions yet.
    pub(crate) fn afresh(&self, style: WriterStyle) -> Self {
        let mut run = Self::new(style, self.member);
        run.member_end = self.member_end;
        run.keeps_model = self.keeps_model;
        run
    }

    /// Returns the position at which the member begins.
    pub(crate) fn member(&self) -> u64 {
        self.member
    }

    /// Returns whether tokens are predicted at all.
    pub(crate) fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// Tells the model that a block begins at `position`.
    pub(crate) fn block(&mut self, stretch: &Stretch, position: u64) {
        let text = self.text(stretch);
        if let Some(model) = &mut self.model {
            model.block(text, stretch.place(position));
        }
    }

    /// Predicts each of `tokens` from `position` on, over the ends of chunks. Appends one prediction for each to
    /// `predicted`. Returns false when one is missing, because there is no model or the model does not advance. A
    /// caller that follows foreign data must not wait for one.
    pub(crate) fn predict_all(
        &mut self,
        stretch: &Stretch,
        position: u64,
        tokens: &[Token],
        predicted: &mut Vec<Token>,
    ) -> bool {
        let mut position = position;
        let first = predicted.len();
        while predicted.len() - first < tokens.len() {
            self.turn(stretch, position);
            let text = self.text(stretch);
            let at = stretch.place(position);
            let Some(model) = &mut self.model else {
                return false;
            };
            let left = &tokens[predicted.len() - first..];
            let before = predicted.len();
            let behind = model.predict_all(text, at, text.end, left, predicted);
            // A model that makes no progress must not loop forever.
            if behind <= at || predicted.len() == before {
                return false;
            }
            position += (behind - at) as u64;
        }
        true
    }

    /// Returns the prediction at `position`.
    pub(crate) fn predict(&mut self, stretch: &Stretch, position: u64) -> Token {
        let text = self.text(stretch);
        let at = stretch.place(position);
        match &mut self.model {
            Some(model) => model.predict(text, at),
            None => Token::literal(text.bytes[at]),
        }
    }

    /// Tells the model which token stands at `position`.
    pub(crate) fn follow(&mut self, stretch: &Stretch, position: u64, token: Token) {
        let text = self.text(stretch);
        if let Some(model) = &mut self.model {
            model.follow(text, stretch.place(position), token);
        }
    }

    /// Appends up to `most` predicted tokens from `position` on, to the end of the chunk at most. The last of them
    /// begins before `stop`. Returns the position behind them, which is `position` when there is no model.
    pub(crate) fn go(
        &mut self,
        stretch: &Stretch,
        position: u64,
        stop: u64,
        most: usize,
        out: &mut Vec<Token>,
    ) -> u64 {
        let text = self.text(stretch);
        let at = stretch.place(position);
        let stop = stretch.place(stop).min(text.end);
        let Some(model) = &mut self.model else {
            return position;
        };
        let behind = model.run(text, at, stop, text.end, most, out);
        position + (behind - at) as u64
    }

    /// Follows what the writer would have written up to `end`, over the ends of chunks. These are the tokens of a block
    /// that was stored instead. Overwrites `scratch`.
    pub(crate) fn pass_over(
        &mut self,
        stretch: &Stretch,
        position: u64,
        end: u64,
        scratch: &mut Vec<Token>,
    ) {
        let mut position = position;
        while position < end {
            self.turn(stretch, position);
            let text = self.text(stretch);
            let at = stretch.place(position);
            let until = stretch.place(end).min(text.end);
            let Some(model) = &mut self.model else {
                return;
            };
            scratch.clear();
            let behind = model.run(text, at, until, until, usize::MAX, scratch);
            // Advances at least one byte, whatever the model predicts.
            position += behind.saturating_sub(at).max(1) as u64;
        }
    }

    /// Checks that a token can stand at `position`: it must not cross the end or copy from before the member.
    pub(crate) fn check(
        &self,
        stretch: &Stretch,
        position: u64,
        token: Token,
    ) -> Result<(), DeflateError> {
        let end = self.member_end.unwrap_or(u64::MAX).min(stretch.end());
        // The text of the token must exist already, because its bytes are taken from there.
        let fits = position + token.advance() as u64 <= end;
        if fits && (token.is_literal() || u64::from(token.dist()) <= position - self.member) {
            return Ok(());
        }
        Err(DeflateError::Corrupt("recipe: token"))
    }
}
