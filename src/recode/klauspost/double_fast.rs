//! The search of the default level: a table of eight bytes, which is asked first, and one of five.

use super::block::{BlockParse, ParsePlace};
use super::history::{HistoryView, TableEntry, hash5, hash8};
use super::sequences::Sequence;

/// Sizes of the tables, as powers of two.
const LONG_BITS: u32 = 17;
const SHORT_BITS: u32 = 15;
/// Bytes at the end of a block where no search begins.
const MARGIN: usize = 10;
/// Shortest block that is searched.
const SEARCHED_MIN: usize = 16;
/// Literals after which steps get longer by one, as a power of two.
const STEP_SHIFT: u32 = 7;

/// The tables.
pub(super) struct DoubleFastSearch {
    long: Vec<TableEntry>,
    short: Vec<TableEntry>,
}

impl DoubleFastSearch {
    pub(super) fn new() -> Self {
        Self {
            long: vec![TableEntry::default(); 1 << LONG_BITS],
            short: vec![TableEntry::default(); 1 << SHORT_BITS],
        }
    }

    /// Moves all positions down.
    pub(super) fn shift(&mut self, by: u32) {
        for entry in self.long.iter_mut().chain(&mut self.short) {
            entry.position = entry.position.saturating_sub(by);
        }
    }

    /// Parses a block. `is_lone`: it is the only one of its frame.
    pub(super) fn parse(&mut self, view: &HistoryView<'_>, is_lone: bool, parse: &mut BlockParse) {
        let mut progress = ParsePlace::new(view);
        if view.block().len() >= SEARCHED_MIN {
            let limit = view.text.len() - MARGIN;
            while progress.at < limit {
                // The first three copies of a block have distances of their own.
                let mut may_repeat = parse.sequences.len() > 2;
                let Some(from) = self.find(view, may_repeat, limit, &mut progress, parse) else {
                    break;
                };
                self.copy(view, from, limit, &mut progress, parse);
                if is_lone {
                    may_repeat = parse.sequences.len() > 2;
                }
                if may_repeat && progress.at < limit {
                    self.repeat(view, is_lone, limit, &mut progress, parse);
                }
            }
        }
        parse
            .literals
            .extend_from_slice(&view.text[progress.from..]);
    }

    /// Looks for the next copy with a new distance, from `progress.at` on. Returns from where it is. Copies with the last
    /// distance are taken on the way.
    fn find(
        &mut self,
        view: &HistoryView<'_>,
        may_repeat: bool,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) -> Option<usize> {
        while progress.at < limit {
            let at = progress.at;
            let bytes = view.load8(at);
            let (long, short) = (hash8(bytes, LONG_BITS), hash5(bytes, SHORT_BITS));
            let (of_long, of_short) = (self.long[long], self.short[short]);
            let entry = TableEntry {
                bytes: bytes as u32,
                position: view.position(at),
            };
            self.long[long] = entry;
            self.short[short] = entry;
            if may_repeat {
                let next = at + 1;
                let repeated = next - progress.distances[0];
                if view.load4(repeated) == (bytes >> 8) as u32 {
                    let ahead = 4 + view.same_bytes(next + 4, repeated + 4);
                    let before = view.same_before(next, repeated, progress.from + 1, at);
                    parse.add(view, progress.from, next - before, ahead + before, 1);
                    progress.at = next + ahead;
                    progress.from = progress.at;
                    continue;
                }
            }
            if of_long.bytes == entry.bytes
                && let Some(from) = view.place(of_long.position, at)
            {
                return Some(from);
            }
            if of_short.bytes == entry.bytes
                && let Some(from) = view.place(of_short.position, at)
            {
                let bytes = view.load8(at + 1);
                let long = hash8(bytes, LONG_BITS);
                let of_next = self.long[long];
                self.long[long] = TableEntry {
                    bytes: bytes as u32,
                    position: view.position(at + 1),
                };
                if of_next.bytes == bytes as u32
                    && let Some(from) = view.place(of_next.position, at + 1)
                {
                    progress.at = at + 1;
                    return Some(from);
                }
                return Some(from);
            }
            progress.at += 1 + ((at - progress.from) >> STEP_SHIFT);
        }
        None
    }

    /// Takes a copy of at least four bytes, as long as it gets.
    fn copy(
        &mut self,
        view: &HistoryView<'_>,
        from: usize,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) {
        let at = progress.at;
        let distance = at - from;
        progress.distances = [distance, progress.distances[0]];
        let ahead = 4 + view.same_bytes(at + 4, from + 4);
        let before = view.same_before(at, from, progress.from, at);
        let begin = at - before;
        let offset = distance as u32 + 3;
        parse.add(view, progress.from, begin, ahead + before, offset);
        let end = at + ahead;
        (progress.at, progress.from) = (end, end);
        if end >= limit {
            return;
        }
        for place in [begin + 1, end - 2] {
            let bytes = view.load8(place);
            let position = view.position(place);
            self.long[hash8(bytes, LONG_BITS)] = TableEntry {
                bytes: bytes as u32,
                position,
            };
        }
        for place in [begin + 1, end - 2] {
            let bytes = view.load8(place) >> 8;
            self.short[hash5(bytes, SHORT_BITS)] = TableEntry {
                bytes: bytes as u32,
                position: view.position(place + 1),
            };
        }
    }

    /// Takes copies with the distance before the last, which follow without literals.
    fn repeat(
        &mut self,
        view: &HistoryView<'_>,
        is_lone: bool,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) {
        // What stands in a frame of one block is entered under a hash of other bytes, those at the end of the last copy.
        let stale = view.load8(progress.at - 2) >> 16;
        while progress.at < limit {
            let at = progress.at;
            let from = at - progress.distances[1];
            let bytes = view.load8(at);
            if view.load4(from) != bytes as u32 {
                break;
            }
            let entry = TableEntry {
                bytes: bytes as u32,
                position: view.position(at),
            };
            self.long[hash8(bytes, LONG_BITS)] = entry;
            let hashed = if is_lone { stale } else { bytes };
            self.short[hash5(hashed, SHORT_BITS)] = entry;
            let length = 4 + view.same_bytes(at + 4, from + 4);
            parse.sequences.push(Sequence {
                literals: 0,
                length: length as u32 - 3,
                offset: 1,
            });
            progress.at += length;
            progress.from = progress.at;
            progress.distances.swap(0, 1);
        }
    }
}
