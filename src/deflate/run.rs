//! A writer at work on a stream, predicted: which model, in which chunks, and where it is.

use super::DeflateError;
use super::model::Text;
use super::text::Stretch;
use super::token::{Token, WINDOW};
use super::writers::{AnyModel, Writer};

/// Smallest and largest chunk that is taken for one.
pub(crate) const CHUNK_BYTES_MIN: u64 = 1 << 12;
pub(crate) const CHUNK_BYTES_MAX: u64 = 1 << 31;

/// How a stream is cut into chunks, each compressed for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkedWriting {
    /// Plain bytes of each but the last.
    pub(crate) bytes: u64,
    /// Bytes before a chunk that its writer knows.
    pub(crate) dictionary: usize,
}

impl ChunkedWriting {
    /// Whether one writer goes on from chunk to chunk.
    pub(crate) fn go_on(self) -> bool {
        self.dictionary == GOES_ON
    }
}

/// In place of a dictionary: the writer is one, and is only made to write out all that it holds at the end of a chunk.
const GOES_ON: usize = usize::MAX;

/// Dictionaries that chunked writers give: pigz, pgzip, none; pigz with one thread. The place is format.
pub(crate) const DICTIONARIES: [usize; 4] = [WINDOW, WINDOW / 2, 0, GOES_ON];

/// Chunks of up to so many bytes are taken as pieces: predicted and made each for itself, several at a time.
const PIECE_BYTES_MAX: u64 = 2 << 20;
/// Segments of a piece at most.
pub(crate) const PIECE_SEGMENTS_MAX: usize = 1 << 12;

/// Positions between which a chunk lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begin: u64,
    pub(crate) end: u64,
}

impl Span {
    /// Position of the `more + 1`st end of a window of 65535 bytes behind `position`.
    pub(crate) fn window_end(self, position: u64, more: u32) -> u64 {
        let done = position.saturating_sub(self.begin) / 65535;
        self.begin + (done + 1 + u64::from(more)) * 65535
    }
}

/// Who writes, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WriterStyle {
    pub(crate) writer: Writer,
    pub(crate) chunks: Option<ChunkedWriting>,
}

/// A writer on its way through one member.
pub(crate) struct WriterRun {
    pub(crate) style: WriterStyle,
    model: Option<AnyModel>,
    /// Position at which the member begins.
    member: u64,
    /// Position at which the member ends, when that is in sight.
    pub(crate) member_end: Option<u64>,
    /// Positions at which the chunk begins and ends, and before which its writer knows nothing.
    pub(crate) begin: u64,
    end: u64,
    start: u64,
    begun: bool,
    /// Whether the end of the member was said.
    pub(crate) announced: bool,
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
    /// A writer before a member that begins at `member`.
    pub(crate) fn new(style: WriterStyle, member: u64) -> Self {
        let mut run = Self {
            style,
            model: style.writer.model(),
            member,
            member_end: None,
            begin: member,
            end: u64::MAX,
            start: member,
            begun: false,
            announced: false,
        };
        run.place_chunk(member);
        run
    }

    /// The same writer before another member.
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

    /// Another writer from `position` on, in the midst of the member.
    pub(crate) fn change(&mut self, style: WriterStyle, position: u64) {
        self.style = style;
        self.model = style.writer.model();
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

    /// The chunk that begins at `position`, when it is one that is taken as a piece.
    pub(crate) fn piece_at(&self, position: u64) -> Option<Span> {
        let chunks = self.style.chunks?;
        let bytes = chunks.bytes;
        let begins = (position - self.member).is_multiple_of(bytes) && !chunks.go_on();
        (begins && bytes <= PIECE_BYTES_MAX).then_some(Span {
            begin: position,
            end: position + bytes,
        })
    }

    /// Where the chunk is that the writer is in.
    pub(crate) fn span(&self) -> Span {
        Span {
            begin: self.begin,
            end: self.end(),
        }
    }

    /// Position before which the writer of a chunk that begins at `position` knows nothing.
    pub(crate) fn dictionary_of(&self, position: u64) -> u64 {
        let bytes = self.style.chunks.map_or(0, |chunks| chunks.dictionary);
        position.saturating_sub(bytes as u64).max(self.member)
    }

    /// Makes this writer, which another thread shall use, one before a piece of `other`'s.
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

    /// Goes over to the chunk in which `position` lies; called before anything is predicted there.
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

    /// Position at which the writer's input ends, when it is in sight.
    pub(crate) fn end(&self) -> u64 {
        self.end.min(self.member_end.unwrap_or(u64::MAX))
    }

    /// The text as the writer sees it.
    pub(crate) fn text<'a>(&self, stretch: &'a Stretch) -> Text<'a> {
        Text {
            bytes: &stretch.bytes,
            base: stretch.base(),
            start: stretch.place(self.start),
            end: stretch.place(self.end()).min(stretch.bytes.len()),
        }
    }

    /// Another writer before the same member, nothing predicted yet.
    pub(crate) fn afresh(&self) -> Self {
        let mut run = Self::new(WriterStyle::default(), self.member);
        run.member_end = self.member_end;
        run
    }

    /// Position at which the member begins.
    pub(crate) fn member(&self) -> u64 {
        self.member
    }

    /// Whether tokens are predicted at all.
    pub(crate) fn has_model(&self) -> bool {
        self.model.is_some()
    }

    /// A block begins at `position`.
    pub(crate) fn block(&mut self, stretch: &Stretch, position: u64) {
        let text = self.text(stretch);
        if let Some(model) = &mut self.model {
            model.block(text, stretch.place(position));
        }
    }

    /// Predicts each of `tokens` from `position` on, over the ends of chunks: `predicted` gets one for each. False when there
    /// is none for some, since there is no model or it does not advance: whoever follows foreign data must not wait for one.
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
            if behind <= at || predicted.len() == before {
                return false;
            }
            position += (behind - at) as u64;
        }
        true
    }

    /// What is predicted at `position`.
    pub(crate) fn predict(&mut self, stretch: &Stretch, position: u64) -> Token {
        let text = self.text(stretch);
        let at = stretch.place(position);
        match &mut self.model {
            Some(model) => model.predict(text, at),
            None => Token::literal(text.bytes[at]),
        }
    }

    /// What stands at `position`.
    pub(crate) fn follow(&mut self, stretch: &Stretch, position: u64, token: Token) {
        let text = self.text(stretch);
        if let Some(model) = &mut self.model {
            model.follow(text, stretch.place(position), token);
        }
    }

    /// Appends up to `most` tokens as predicted from `position` on, the last of which begins before `stop`, to the end of the
    /// chunk at most; returns the position behind, which is `position` when there is no model.
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

    /// Follows what the writer would have written up to `end`, over the ends of chunks: the tokens of a block that was stored
    /// instead. `scratch` is overwritten.
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
            // Goes on whatever the model does.
            position += behind.saturating_sub(at).max(1) as u64;
        }
    }

    /// Whether a token can stand at `position`: not over the end, and from nowhere before the member.
    pub(crate) fn check(
        &self,
        stretch: &Stretch,
        position: u64,
        token: Token,
    ) -> Result<(), DeflateError> {
        let end = self.member_end.unwrap_or(u64::MAX).min(stretch.end());
        let fits = position + token.advance() as u64 <= end;
        if fits && (token.is_literal() || u64::from(token.dist()) <= position - self.member) {
            return Ok(());
        }
        Err(DeflateError::Corrupt("recipe: token"))
    }
}
