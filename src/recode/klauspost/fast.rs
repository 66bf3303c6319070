//! The search of the fastest level: one table of six bytes, asked for two places at a time.

use super::block::BlockParse;
use super::history::{HistoryView, TableEntry, hash6};
use super::sequences::Sequence;

/// Size of the table, as a power of two.
const TABLE_BITS: u32 = 15;
/// Bytes at the end of a block where no search begins.
const MARGIN: usize = 8;
/// Shortest block that is searched.
const SEARCHED_MIN: usize = 10;
/// Literals after which steps get longer by one, as a power of two.
const STEP_SHIFT: u32 = 5;

/// The table.
pub(super) struct FastSearch {
    table: Vec<TableEntry>,
}

impl FastSearch {
    pub(super) fn new() -> Self {
        Self {
            table: vec![TableEntry::default(); 1 << TABLE_BITS],
        }
    }

    /// Moves all positions down.
    pub(super) fn shift(&mut self, by: u32) {
        for entry in &mut self.table {
            entry.position = entry.position.saturating_sub(by);
        }
    }

    /// Parses a block. `is_lone`: it is the only one of its frame.
    pub(super) fn parse(&mut self, view: &HistoryView<'_>, is_lone: bool, parse: &mut BlockParse) {
        let (mut at, mut from) = (view.begin, view.begin);
        let mut distances = [0; 2];
        let limit = match view.block().len() {
            SEARCHED_MIN.. => view.text.len() - MARGIN,
            _ => 0,
        };
        'block: while at < limit {
            // The first three copies of a block have distances of their own.
            let mut may_repeat = parse.sequences.len() > 2;
            let source = loop {
                let bytes = view.load8(at);
                let (first, second) = (hash6(bytes, TABLE_BITS), hash6(bytes >> 8, TABLE_BITS));
                let (of_first, of_second) = (self.table[first], self.table[second]);
                let next = at + 1;
                self.table[first] = TableEntry {
                    bytes: bytes as u32,
                    position: view.position(at),
                };
                self.table[second] = TableEntry {
                    bytes: (bytes >> 8) as u32,
                    position: view.position(next),
                };
                if may_repeat {
                    let third = at + 2;
                    let repeated = third - distances[0];
                    if view.load4(repeated) == (bytes >> 16) as u32 {
                        let ahead = 4 + view.same_bytes(third + 4, repeated + 4);
                        let before = view.same_before(third, repeated, from + 1, at);
                        parse.add(view, from, third - before, ahead + before, 1);
                        at = third + ahead;
                        from = at;
                        if at >= limit {
                            break 'block;
                        }
                        continue;
                    }
                }
                if of_first.bytes == bytes as u32
                    && let Some(source) = view.place(of_first.position, at)
                {
                    break source;
                }
                if of_second.bytes == (bytes >> 8) as u32
                    && let Some(source) = view.place(of_second.position, next)
                {
                    at = next;
                    break source;
                }
                at += 2 + ((at - from) >> STEP_SHIFT);
                if at >= limit {
                    break 'block;
                }
            };
            let distance = at - source;
            distances = [distance, distances[0]];
            let ahead = 4 + view.same_bytes(at + 4, source + 4);
            let before = view.same_before(at, source, from, at);
            let offset = distance as u32 + 3;
            parse.add(view, from, at - before, ahead + before, offset);
            at += ahead;
            from = at;
            if is_lone {
                may_repeat = parse.sequences.len() > 2;
            }
            if !may_repeat || at >= limit {
                continue;
            }
            let bytes = view.load8(at);
            let source = at - distances[1];
            if view.load4(source) == bytes as u32 {
                let length = 4 + view.same_bytes(at + 4, source + 4);
                self.table[hash6(bytes, TABLE_BITS)] = TableEntry {
                    bytes: bytes as u32,
                    position: view.position(at),
                };
                parse.sequences.push(Sequence {
                    literals: 0,
                    length: length as u32 - 3,
                    offset: 1,
                });
                at += length;
                from = at;
                distances.swap(0, 1);
            }
        }
        parse.literals.extend_from_slice(&view.text[from..]);
    }
}
