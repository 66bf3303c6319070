//! The writer of github.com/klauspost/compress/flate. It is Go's own compress/flate from 1.27 on, and pgzip calls it
//! for each chunk. Podman, buildah, skopeo, umoci and all newer Go programs use it.
//!
//! The rules are those of its deflate.go, fast_encoder.go, token.go, level5.go and their like. The writer works window
//! by window, 65535 bytes at a time, however its input was split. The model runs the writer's algorithm over a whole
//! window and answers by place. It never adapts to other choices: a stream of another writer only costs more.

mod costs;
mod level1_2;
mod level3;
mod level4;
mod level5_6;
mod level7_9;
mod window;

use super::super::token::Token;
use super::{Model, Text, next_window};
use window::{Matches, PlainWindow};

/// Bytes of a window.
const WINDOW_BYTES: usize = 65535;
/// A last window shorter than this is written without matches, and the tables are cleared.
const TINY: usize = 128;
/// Text this far back is out of reach.
const FAR: u32 = 1 << 17;
/// Tables are checked once in this many bytes (as a shift), so that an old entry is never taken for a new one.
const AGE_SHIFT: u32 = 30;

/// Versions of klauspost/compress between which the tokens change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Era {
    /// Up to 1.12.1.
    First,
    /// The end of a match is checked for a longer one.
    From1_12_2,
    /// Levels 7 to 9 are new.
    From1_14_2,
    /// Level 3 has a larger table.
    From1_14_3,
    /// Long matches are cut into pieces of 258 bytes, not 255.
    From1_15_0,
    /// Levels 5 and 6: the end check skips two bytes.
    From1_15_10,
    /// Levels 1 to 3 hash five bytes.
    From1_15_11,
    /// Levels 7 to 9: the end check skips two bytes.
    From1_15_15,
    /// Level 4 has a bug.
    From1_18_0,
    /// Level 9 counts only the first half of its window.
    From1_18_2,
    /// Go's own: level 9 counts at least a bit for any byte.
    Go1_27,
}

/// Returns the eras in which a level differs, the last one first.
pub(crate) fn eras(level: u8) -> &'static [Era] {
    match level {
        ..=2 => &[Era::From1_15_11, Era::From1_15_0, Era::First],
        3 => &[
            Era::From1_15_11,
            Era::From1_15_0,
            Era::From1_14_3,
            Era::First,
        ],
        4 => &[Era::From1_18_0, Era::From1_15_0, Era::First],
        5 | 6 => &[
            Era::From1_15_10,
            Era::From1_15_0,
            Era::From1_12_2,
            Era::First,
        ],
        7 | 8 => &[Era::From1_15_15, Era::From1_14_2, Era::First],
        9.. => &[
            Era::From1_18_2,
            Era::From1_15_15,
            Era::From1_14_2,
            Era::First,
        ],
    }
}

/// Returns the model of a level from 1 to 9.
pub(crate) fn model(level: u8, era: Era) -> Box<dyn Model + Send> {
    if level > 6 {
        return Box::new(level7_9::Lazy::new(level, era));
    }
    Box::new(Fast::new(level, era))
}

/// The differences between levels.
trait LevelEncoder {
    /// Clears all tables at a position.
    fn forget(&mut self, position: u32);

    /// Limits the age of entries that are out of reach of a position.
    fn age(&mut self, position: u32);

    /// Finds the matches of a window.
    fn encode(&mut self, window: &PlainWindow<'_>, matches: &mut Matches);
}

/// Returns the table entry that stands for no place.
fn far(position: u32) -> u32 {
    position.wrapping_sub(FAR)
}

/// Replaces old entries by [`far`].
fn age<'a>(entries: impl Iterator<Item = &'a mut u32>, position: u32) {
    for entry in entries {
        if position.wrapping_sub(*entry) > FAR {
            *entry = far(position);
        }
    }
}

/// The model of levels 1 to 6.
struct Fast {
    encoder: Box<dyn LevelEncoder + Send>,
    /// Matches of the current window.
    matches: Matches,
    /// Position at which the current window begins, and its bytes.
    start: u32,
    bytes: u32,
    /// Position before which the writer knows no text, while it is near.
    low: Option<u32>,
}

impl Fast {
    fn new(level: u8, era: Era) -> Self {
        let encoder: Box<dyn LevelEncoder + Send> = match level {
            ..=1 => Box::new(level1_2::Level1::new(era)),
            2 => Box::new(level1_2::Level2::new(era)),
            3 => Box::new(level3::Three::new(era)),
            4 => Box::new(level4::Four::new(era)),
            5 => Box::new(level5_6::Level56::<false>::new(era)),
            6.. => Box::new(level5_6::Level56::<true>::new(era)),
        };
        Self {
            encoder,
            matches: Matches::default(),
            start: 0,
            bytes: 0,
            low: None,
        }
    }

    /// Runs the writer until its window includes `at`.
    fn reach(&mut self, text: Text<'_>, at: usize) {
        while let Some(from) = next_window(&text, at, self.start, self.bytes) {
            self.window(text, from);
        }
    }

    fn window(&mut self, text: Text<'_>, from: usize) {
        let to = text.end.min(from + WINDOW_BYTES);
        let start = text.position(from);
        if (start ^ self.start) >> AGE_SHIFT != 0 {
            self.encoder.age(start);
        }
        self.start = start;
        #[expect(clippy::cast_possible_truncation, reason = "a window is small")]
        let bytes = (to - from) as u32;
        self.bytes = bytes;
        self.matches.clear();
        if to - from < TINY {
            self.encoder.forget(start);
            return;
        }
        let window = PlainWindow::new(text, self.low(text, from), from, to);
        self.encoder.encode(&window, &mut self.matches);
        // A window is written without matches when they save less than a sixteenth of the tokens.
        let bytes = to - from;
        if self.matches.token_count(bytes) > bytes - bytes / 16 {
            self.matches.clear();
        }
    }

    /// Returns the place from which on the writer knows the text.
    fn low(&mut self, text: Text<'_>, from: usize) -> usize {
        let before = self.low.map(|low| text.position(from).wrapping_sub(low));
        if before.is_none_or(|before| before > FAR) {
            self.low = None;
            return 0;
        }
        before.map_or(0, |before| from.saturating_sub(before as usize))
    }
}

impl Model for Fast {
    fn begin(&mut self, text: Text<'_>, at: usize, dictionary: usize) {
        self.encoder.forget(text.position(dictionary));
        self.low = Some(text.position(dictionary));
        self.start = text.position(at);
        self.bytes = 0;
        if dictionary < at {
            self.encoder.encode(
                &PlainWindow::new(text, dictionary, dictionary, at),
                &mut self.matches,
            );
        }
        self.matches.clear();
    }

    fn block(&mut self, text: Text<'_>, at: usize) {
        // Windows that are written without tokens fill the tables, too.
        self.reach(text, at);
    }

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let position = text.position(at);
        if position.wrapping_sub(self.start) >= self.bytes {
            self.reach(text, at);
        }
        self.matches.token(position, text.bytes[at])
    }

    fn follow(&mut self, _text: Text<'_>, _at: usize, _token: Token) {}
}

#[cfg(test)]
mod tests;
