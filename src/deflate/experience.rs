//! What streams of one origin taught of their writers, and what looking for writers may still cost.
//!
//! All writers are tried anew for a stream only as long as the bytes that this takes are allowed; so many streams of a writer
//! that there is no model of cost little more than one. Counted in bytes, so that results do not depend on the machine.

use std::cell::{Cell, RefCell};

use super::run::WriterStyle;
use super::writers::Writer;

/// Bytes that models may go through while writers are looked for, before any stream was opened.
const SEARCH_FREE_BYTES: u64 = 64 << 20;
/// Writers that are remembered.
const REMEMBERED: usize = 4;

/// Of the streams of one item, in their order.
#[derive(Debug)]
pub struct Experience {
    /// Writers that fitted, the last first.
    fitted: RefCell<Vec<WriterStyle>>,
    /// Bytes that models may still go through.
    allowance: Cell<u64>,
    /// Whether the writer of the last stream was looked for among all.
    was_cut_short: Cell<bool>,
}

impl Default for Experience {
    fn default() -> Self {
        Self::with_allowance(SEARCH_FREE_BYTES)
    }
}

impl Experience {
    /// Looks for the writer of every stream, whatever it costs.
    pub fn unlimited() -> Self {
        Self::with_allowance(u64::MAX)
    }

    fn with_allowance(bytes: u64) -> Self {
        Self {
            fitted: RefCell::default(),
            allowance: Cell::new(bytes),
            was_cut_short: Cell::new(false),
        }
    }

    /// Whether the writer of the last stream might have been found, had more been allowed.
    pub fn was_cut_short(&self) -> bool {
        self.was_cut_short.get()
    }

    /// Another stream begins.
    pub(crate) fn begin(&self) {
        self.was_cut_short.set(false);
    }

    /// Writers to try first.
    pub(crate) fn likely(&self) -> Vec<WriterStyle> {
        self.fitted.borrow().clone()
    }

    /// Takes the cost of a search off what is allowed; false when that is not enough.
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

    /// A stream of `plain_bytes` was opened: it pays for others.
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
