//! Models of writers: what a known compressor would do next.
//!
//! A model is a pure function of the plain text and of what it was told. A wrong one makes a recipe larger, never wrong.

pub(crate) mod chain;
pub(crate) mod klauspost;
pub(crate) mod libdeflate;
pub(crate) mod quick_go;

use super::token::Token;

/// Bytes of plain text before the place that are there for a model, unless the text begins later.
pub(crate) const BEHIND: usize = 2 * 65536;
/// Bytes of plain text behind the place that are there for a model, unless the text ends before.
pub(crate) const AHEAD: usize = 65536 + 1024;

/// Plain text around a place. Places are indices into `bytes`.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The text, from [`BEHIND`] before the place to [`AHEAD`] behind it at least, or from `start`, or to `end`.
    pub(crate) bytes: &'a [u8],
    /// Position of `bytes[0]` in the stream, modulo 2^32; what tables hold is a position: `base.wrapping_add(place)`.
    /// The first position of a stream is 2^16, so that a table of zeros points to nothing near.
    pub(crate) base: u32,
    /// Where the text begins that the writer knows: no match reaches before it.
    pub(crate) start: usize,
    /// Where the input of the writer ends (of the chunk, for writers in chunks), or the end of `bytes`: no match reaches
    /// over it.
    pub(crate) end: usize,
}

impl Text<'_> {
    /// Position of a place, as tables hold it.
    #[inline]
    pub(crate) fn position(&self, at: usize) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        self.base.wrapping_add(at as u32)
    }
}

/// Length of the common run of `bytes[a..]` and `bytes[b..]`, `b` the later, up to `limit` bytes; `b + limit` is in `bytes`.
#[inline]
pub(crate) fn common(bytes: &[u8], a: usize, b: usize, limit: usize) -> usize {
    let (a, b) = (&bytes[a..a + limit], &bytes[b..b + limit]);
    let mut len = 0;
    let (a_words, _) = a.as_chunks::<8>();
    let (b_words, _) = b.as_chunks::<8>();
    for (x, y) in a_words.iter().zip(b_words) {
        let differs = u64::from_le_bytes(*x) ^ u64::from_le_bytes(*y);
        if differs != 0 {
            return len + differs.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    while len < limit && a[len] == b[len] {
        len += 1;
    }
    len
}

/// A writer's choice of tokens.
pub(crate) trait Model {
    /// A run of the writer begins at `at` (a stream, or a chunk of one): forget all, and take the text from
    /// `dictionary` (>= `text.start`, at most 32 KiB before) to `at` as known.
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize);

    /// A deflate block begins at `at`.
    fn block(&mut self, text: Text<'_>, at: usize) {
        let _ = (text, at);
    }

    /// The writer was made to write out all that it held at `at`, and goes on with what it knows (zlib's `Z_SYNC_FLUSH`).
    fn resume(&mut self, text: Text<'_>, at: usize) {
        let _ = (text, at);
    }

    /// The token that the writer would write at `at`; `at < text.end`, and the token ends at `text.end` at most.
    /// Called once for each place at which a token begins, in order.
    fn predict(&mut self, text: Text<'_>, at: usize) -> Token;

    /// The token that it did write there. Called behind each [`Model::predict`].
    fn follow(&mut self, text: Text<'_>, at: usize, token: Token);

    /// Predicts each of `tokens`, the first of which is at `at`, up to the first that begins at `stop` or behind. Appends
    /// what was predicted to `predicted` and returns the place behind the last token.
    fn predict_all(
        &mut self,
        text: Text<'_>,
        at: usize,
        stop: usize,
        tokens: &[Token],
        predicted: &mut Vec<Token>,
    ) -> usize {
        let mut at = at;
        for token in tokens {
            if at >= stop {
                break;
            }
            predicted.push(self.predict(text, at));
            self.follow(text, at, *token);
            at += token.advance();
        }
        at
    }

    /// Appends up to `most` tokens to `out`, as the writer would write them from `at` on: the last begins before `stop`.
    /// A match over `until` becomes a literal. Returns the place behind the last token.
    fn run(
        &mut self,
        text: Text<'_>,
        at: usize,
        stop: usize,
        until: usize,
        most: usize,
        out: &mut Vec<Token>,
    ) -> usize {
        let mut at = at;
        let mut left = most;
        while at < stop && left > 0 {
            let mut token = self.predict(text, at);
            if at + token.advance() > until {
                token = Token::literal(text.bytes[at]);
            }
            self.follow(text, at, token);
            out.push(token);
            at += token.advance();
            left -= 1;
        }
        at
    }
}

/// Where the window after the one of `bytes` at `start` begins in the text, for a writer that compresses window by window and
/// has to get to `at`. `None`: the window holds `at`, or nothing is left.
fn next_window(text: &Text<'_>, at: usize, start: u32, bytes: u32) -> Option<usize> {
    if at >= text.end || text.position(at).wrapping_sub(start) < bytes {
        return None;
    }
    let passed = text.position(at).wrapping_sub(start.wrapping_add(bytes)) as usize;
    // Text that is gone cannot be encoded any more.
    Some(at.checked_sub(passed).unwrap_or(at))
}
