//! The search of the better level: a table of eight bytes that holds the last two places of each hash, and one of five.

use super::block::{BlockParse, ParsePlace};
use super::history::{HistoryView, TableEntry, hash5, hash8};
use super::sequences::Sequence;

/// Sizes of the tables, as powers of two.
const LONG_BITS: u32 = 19;
const SHORT_BITS: u32 = 13;
/// Bytes at the end of a block where no search begins.
const MARGIN: usize = 10;
/// Shortest block that is searched.
const SEARCHED_MIN: usize = 16;
/// Literals after which steps get longer by one, as a power of two.
const STEP_SHIFT: u32 = 8;
/// Bytes at the beginning of a copy that one found from its end may miss.
const MISSED: usize = 3;

/// The last two positions of a hash.
#[derive(Debug, Clone, Copy, Default)]
struct LastTwo {
    last: u32,
    before: u32,
}

/// The tables.
pub(super) struct BetterSearch {
    /// Whether a block of equal bytes is told before it is searched.
    tells_same: bool,
    /// Whether places that were asked for are not entered again with the copy behind them.
    enters_once: bool,
    long: Vec<LastTwo>,
    short: Vec<TableEntry>,
}

/// A copy that was found.
#[derive(Clone, Copy)]
struct FoundCopy {
    at: usize,
    source: usize,
    length: usize,
    /// From where on places are not in the tables.
    enter_from: usize,
}

impl BetterSearch {
    pub(super) fn new(era: u8) -> Self {
        Self {
            tells_same: era >= 5,
            enters_once: era >= 4,
            long: vec![LastTwo::default(); 1 << LONG_BITS],
            short: vec![TableEntry::default(); 1 << SHORT_BITS],
        }
    }

    /// Returns whether versions search alike.
    pub(super) fn is_alike(one: u8, other: u8) -> bool {
        one.max(3) == other.max(3)
    }

    /// Moves all positions down.
    pub(super) fn shift(&mut self, by: u32) {
        for entry in &mut self.long {
            entry.last = entry.last.saturating_sub(by);
            entry.before = entry.before.saturating_sub(by);
        }
        for entry in &mut self.short {
            entry.position = entry.position.saturating_sub(by);
        }
    }

    /// Parses a block.
    pub(super) fn parse(&mut self, view: &HistoryView<'_>, parse: &mut BlockParse) {
        let block = view.block();
        if self.tells_same && block.len() > 3 && block.iter().all(|byte| *byte == block[0]) {
            parse.literals.push(block[0]);
            parse.sequences.push(Sequence {
                literals: 1,
                length: block.len() as u32 - 4,
                offset: 4,
            });
            return;
        }
        let mut progress = ParsePlace::new(view);
        if block.len() >= SEARCHED_MIN {
            let limit = view.text.len() - MARGIN;
            while progress.at < limit {
                // The first three copies of a block have distances of their own.
                let may_repeat = parse.sequences.len() > 2;
                let Some(found) = self.find(view, may_repeat, limit, &mut progress, parse) else {
                    break;
                };
                let found = self.by_end(view, limit, found);
                self.copy(view, found, limit, &mut progress, parse);
                if may_repeat && progress.at < limit {
                    self.repeat(view, limit, &mut progress, parse);
                }
            }
        }
        parse
            .literals
            .extend_from_slice(&view.text[progress.from..]);
    }

    fn enter_long(&mut self, hash: usize, position: u32) {
        let entry = &mut self.long[hash];
        *entry = LastTwo {
            last: position,
            before: entry.last,
        };
    }

    /// Enters every second place up to the end of a copy.
    fn enter_to(&mut self, view: &HistoryView<'_>, from: usize, end: usize) {
        let mut at = from;
        while at + 1 < end {
            let bytes = view.load8(at);
            self.enter_long(hash8(bytes, LONG_BITS), view.position(at));
            let bytes = bytes >> 8;
            self.short[hash5(bytes, SHORT_BITS)] = TableEntry {
                bytes: bytes as u32,
                position: view.position(at + 1),
            };
            at += 2;
        }
    }

    /// Returns the place of a position whose eight bytes are `bytes`, less than the reach before `at`.
    fn place8(view: &HistoryView<'_>, position: u32, at: usize, bytes: u64) -> Option<usize> {
        let place = view.place(position, at)?;
        (view.load8(place) == bytes).then_some(place)
    }

    /// Looks for the next copy with a new distance. Copies with the last distance are taken on the way.
    fn find(
        &mut self,
        view: &HistoryView<'_>,
        may_repeat: bool,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) -> Option<FoundCopy> {
        while progress.at < limit {
            let at = progress.at;
            let bytes = view.load8(at);
            let (long, short) = (hash8(bytes, LONG_BITS), hash5(bytes, SHORT_BITS));
            let (of_long, of_short) = (self.long[long], self.short[short]);
            self.enter_long(long, view.position(at));
            self.short[short] = TableEntry {
                bytes: bytes as u32,
                position: view.position(at),
            };
            if may_repeat {
                let next = at + 1;
                let repeated = next - progress.distances[0];
                if view.load4(repeated) == (bytes >> 8) as u32 {
                    let ahead = 4 + view.same_bytes(next + 4, repeated + 4);
                    let before = view.same_before(next, repeated, progress.from + 1, at);
                    parse.add(view, progress.from, next - before, ahead + before, 1);
                    let end = next + ahead;
                    progress.at = end;
                    progress.from = end;
                    if end < limit {
                        self.enter_to(view, next, end);
                    }
                    continue;
                }
            }
            let found = |source: usize| FoundCopy {
                at,
                source,
                length: 8 + view.same_bytes(at + 8, source + 8),
                enter_from: at + 1,
            };
            let of_last = Self::place8(view, of_long.last, at, bytes).map(found);
            let of_before = Self::place8(view, of_long.before, at, bytes).map(found);
            match (of_last, of_before) {
                (Some(last), Some(before)) if before.length > last.length => return Some(before),
                (Some(found), _) | (None, Some(found)) => return Some(found),
                (None, None) => {}
            }
            if of_short.bytes == bytes as u32
                && let Some(source) = view.place(of_short.position, at)
            {
                let of_here = FoundCopy {
                    at,
                    source,
                    length: 4 + view.same_bytes(at + 4, source + 4),
                    enter_from: at + 1,
                };
                return Some(self.of_next(view, of_here));
            }
            progress.at += 1 + ((at - progress.from) >> STEP_SHIFT);
        }
        None
    }

    /// Looks for a longer copy one byte behind.
    fn of_next(&mut self, view: &HistoryView<'_>, of_here: FoundCopy) -> FoundCopy {
        let next = of_here.at + 1;
        let bytes = view.load8(next);
        let long = hash8(bytes, LONG_BITS);
        let candidates = self.long[long];
        self.enter_long(long, view.position(next));
        for position in [candidates.last, candidates.before] {
            // The distance that counts is that from the place before.
            let source = view.place_at_reach(position, next);
            let Some(source) = source.filter(|source| view.load8(*source) == bytes) else {
                continue;
            };
            let length = 8 + view.same_bytes(next + 8, source + 8);
            if length > of_here.length {
                return FoundCopy {
                    at: next,
                    source,
                    length,
                    ..of_here
                };
            }
        }
        of_here
    }

    /// Looks for a longer copy by what comes at the end of one.
    fn by_end(&self, view: &HistoryView<'_>, limit: usize, found: FoundCopy) -> FoundCopy {
        let end = found.at + found.length;
        if end >= limit {
            return found;
        }
        let candidates = self.long[hash8(view.load8(end), LONG_BITS)];
        let at = found.at + MISSED;
        let bytes = view.load4(at);
        let mut best = found;
        for position in [candidates.last, candidates.before] {
            let Some(source) = view
                .place_of(position)
                .and_then(|place| place.checked_sub(best.length - MISSED))
            else {
                continue;
            };
            if source >= at || at - source >= view.reach || view.load4(source) != bytes {
                continue;
            }
            let length = 4 + view.same_bytes(at + 4, source + 4);
            if length > best.length {
                best = FoundCopy {
                    at,
                    source,
                    length,
                    ..best
                };
            }
        }
        best
    }

    fn copy(
        &mut self,
        view: &HistoryView<'_>,
        found: FoundCopy,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) {
        let distance = found.at - found.source;
        progress.distances = [distance, progress.distances[0]];
        let before = view.same_before(found.at, found.source, progress.from, found.at);
        let begin = found.at - before;
        let offset = distance as u32 + 3;
        parse.add(view, progress.from, begin, found.length + before, offset);
        let end = found.at + found.length;
        (progress.at, progress.from) = (end, end);
        if end < limit {
            let from = if self.enters_once {
                found.enter_from
            } else {
                begin + 1
            };
            self.enter_to(view, from, end);
        }
    }

    /// Takes copies with the distance before the last, which follow without literals.
    fn repeat(
        &mut self,
        view: &HistoryView<'_>,
        limit: usize,
        progress: &mut ParsePlace,
        parse: &mut BlockParse,
    ) {
        while progress.at < limit {
            let at = progress.at;
            let source = at - progress.distances[1];
            let bytes = view.load8(at);
            if view.load4(source) != bytes as u32 {
                break;
            }
            self.enter_long(hash8(bytes, LONG_BITS), view.position(at));
            self.short[hash5(bytes, SHORT_BITS)] = TableEntry {
                bytes: bytes as u32,
                position: view.position(at),
            };
            let length = 4 + view.same_bytes(at + 4, source + 4);
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
