//! What the streams of one origin showed about their writers, and the budget of further searches.
//!
//! A stream is tried with all writers only while the budget lasts. Therefore many streams of a writer without a model
//! cost little more than one. The budget counts bytes, so that results do not depend on the machine.

use std::cell::{Cell, RefCell};

use super::run::WriterStyle;
use super::writers::Writer;

/// Bytes that searches may process before any stream was opened.
const SEARCH_FREE_BYTES: u64 = 64 << 20;
/// Writers that are remembered.
const REMEMBERED: usize = 4;

/// The writer that a stream is expected to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expectation(WriterStyle);

/// The experience with the streams of one item, in their order.
#[derive(Debug)]
pub struct Experience {
    /// Writers that fitted, the latest first.
    fitted: RefCell<Vec<WriterStyle>>,
    /// Bytes that searches may still process.
    allowance: Cell<u64>,
    /// Whether the search for the last stream's writer ended before all were tried.
    was_cut_short: Cell<bool>,
    /// Whether a stream is given up that the first of the writers does not fit.
    is_strict: bool,
}

impl Default for Experience {
    fn default() -> Self {
        Self::with_allowance(SEARCH_FREE_BYTES)
    }
}

impl Experience {
    /// Returns an experience without a budget: every stream is tried with all writers.
    pub(crate) fn unlimited() -> Self {
        Self::with_allowance(u64::MAX)
    }

    fn with_allowance(bytes: u64) -> Self {
        Self {
            fitted: RefCell::default(),
            allowance: Cell::new(bytes),
            was_cut_short: Cell::new(false),
            is_strict: false,
        }
    }

    /// Returns an experience for a stream that is opened only if it is as expected. Otherwise its analysis ends with
    /// [`DeflateError::Stopped`](super::DeflateError::Stopped). A stream that is as expected is opened as it would be
    /// with all experience.
    pub(crate) fn expecting(expectation: Expectation) -> Self {
        Self {
            fitted: RefCell::new(vec![expectation.0]),
            is_strict: true,
            ..Self::with_allowance(0)
        }
    }

    /// Returns the writer that is tried first, if there is one.
    pub(crate) fn latest(&self) -> Option<Expectation> {
        self.fitted.borrow().first().copied().map(Expectation)
    }

    /// Records a stream that was as expected, as its analysis with this experience would.
    pub(crate) fn confirm(&self, expectation: Expectation, plain_bytes: u64) {
        self.begin();
        self.learn(expectation.0, plain_bytes);
    }

    pub(crate) fn is_strict(&self) -> bool {
        self.is_strict
    }

    /// Returns whether a larger budget might have found the writer of the last stream.
    pub(crate) fn was_cut_short(&self) -> bool {
        self.was_cut_short.get()
    }

    /// Begins another stream.
    pub(crate) fn begin(&self) {
        self.was_cut_short.set(false);
    }

    /// Returns the writers to try first.
    pub(crate) fn likely(&self) -> Vec<WriterStyle> {
        self.fitted.borrow().clone()
    }

    /// Takes the cost of a search off the budget. Returns false when the budget does not suffice.
    pub(crate) fn affords(&self, bytes: u64) -> bool {
        match self.allowance.get() {
            u64::MAX => true,
            left if left >= bytes => {
                self.allowance.set(left - bytes);
                true
            }
            _ => {
                self.was_cut_short.set(true);
                false
            }
        }
    }

    /// Records the writer of an opened stream and adds its `plain_bytes` to the budget.
    pub(crate) fn learn(&self, style: WriterStyle, plain_bytes: u64) {
        self.allowance
            .set(self.allowance.get().saturating_add(plain_bytes));
        if style.writer == Writer::UNKNOWN {
            return;
        }
        let mut fitted = self.fitted.borrow_mut();
        fitted.retain(|other| *other != style);
        fitted.insert(0, style);
        fitted.truncate(REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_writers_are_remembered_and_an_unknown_one_is_not() {
        let experience = Experience::default();
        let style = |level| WriterStyle {
            writer: Writer::zlib(level),
            chunks: None,
        };
        for level in [1, 2, 3, 4, 5, 3] {
            experience.learn(style(level), 1);
        }
        let unknown = WriterStyle {
            writer: Writer::UNKNOWN,
            chunks: None,
        };
        experience.learn(unknown, 1);
        assert_eq!(experience.likely(), [3, 5, 4, 2].map(style));
    }

    #[test]
    fn what_is_opened_pays_for_searches_and_unlimited_ones_are_free() {
        let experience = Experience::default();
        assert!(experience.affords(SEARCH_FREE_BYTES) && !experience.was_cut_short());
        assert!(!experience.affords(1) && experience.was_cut_short());
        experience.begin();
        experience.learn(WriterStyle::default(), 7);
        assert!(experience.affords(7) && !experience.was_cut_short() && !experience.affords(1));
        let unlimited = Experience::unlimited();
        assert!((0..9).all(|_| unlimited.affords(u64::MAX)));
    }
}
