//! Models of writers: they predict what a known compressor does next.
//!
//! A model is a pure function of the plain text and of the tokens that it was told. A wrong model makes a recipe larger
//! and never wrong.

pub(crate) mod chain;
pub(crate) mod klauspost;
pub(crate) mod libdeflate;
pub(crate) mod miniz;
pub(crate) mod quick_go;
pub(crate) mod quick_miniz;
pub(crate) mod zlib_ng;

use super::token::Token;

/// Bytes of plain text before the place that a model can see, unless the text begins later.
pub(crate) const BEHIND: usize = 2 * 65536;
/// Bytes of plain text behind the place that a model can see, unless the text ends earlier.
pub(crate) const AHEAD: usize = 65536 + 1024;

/// Plain text around a place. Places are indices into `bytes`.
#[derive(Clone, Copy)]
pub(crate) struct Text<'a> {
    /// The text: at least from [`BEHIND`] before the place, or from `start`, to [`AHEAD`] behind it, or to `end`.
    pub(crate) bytes: &'a [u8],
    /// Position of `bytes[0]` in the stream, modulo 2^32. Tables hold positions: `base.wrapping_add(place)`. The first
    /// position of a stream is 2^16, so that a table of zeros points to no place within reach.
    pub(crate) base: u32,
    /// The beginning of the text that the writer knows. No match reaches before it.
    pub(crate) start: usize,
    /// The end of the writer's input (of the chunk, for chunked writers), or the end of `bytes`. No match reaches over
    /// it.
    pub(crate) end: usize,
}

impl Text<'_> {
    /// Returns the position of a place, as tables hold it.
    #[inline]
    pub(crate) fn position(&self, at: usize) -> u32 {
        #[expect(clippy::cast_possible_truncation, reason = "modulo 2^32")]
        self.base.wrapping_add(at as u32)
    }
}

/// Returns the length of the common run of `bytes[a..]` and `bytes[b..]`, up to `limit` bytes. `b` is the later place,
/// and `b + limit` lies within `bytes`.
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
    /// Begins a run of the writer at `at`, for a stream or a chunk of one. The model clears its state and takes the text
    /// from `dictionary` (>= `text.start`, at most 32 KiB before) to `at` as known.
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize);

    /// Begins a deflate block at `at`.
    fn block(&mut self, text: Text<'_>, at: usize) {
        let _ = (text, at);
    }

    /// Continues after a flush at `at`, where the writer keeps what it knows (zlib's `Z_SYNC_FLUSH`).
    fn resume(&mut self, text: Text<'_>, at: usize) {
        let _ = (text, at);
    }

    /// Returns the token that the writer would write at `at`. `at < text.end`, and the token ends at `text.end` at most.
    /// Called once for each place at which a token begins, in order.
    fn predict(&mut self, text: Text<'_>, at: usize) -> Token;

    /// Tells the model the token that the writer did write there. Called after each [`Model::predict`].
    fn follow(&mut self, text: Text<'_>, at: usize, token: Token);

    /// Predicts each of `tokens`, the first of which is at `at`, up to the first that begins at `stop` or behind.
    /// Appends the predictions to `predicted` and returns the place behind the last token.
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

    /// Appends up to `most` tokens to `out`, as the writer would write them from `at` on. The last begins before `stop`.
    /// A match that crosses `until` becomes a literal. Returns the place behind the last token.
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

/// Returns the place of the next window's beginning, for a writer that compresses window by window and has to reach
/// `at`. The current window has `bytes` bytes from `start` on. `None` means that it includes `at`, or that no text is
/// left.
fn next_window(text: &Text<'_>, at: usize, start: u32, bytes: u32) -> Option<usize> {
    if at >= text.end || text.position(at).wrapping_sub(start) < bytes {
        return None;
    }
    let passed = text.position(at).wrapping_sub(start.wrapping_add(bytes)) as usize;
    // Dropped text cannot be encoded any more, so the next window begins at `at` itself.
    Some(at.checked_sub(passed).unwrap_or(at))
}
