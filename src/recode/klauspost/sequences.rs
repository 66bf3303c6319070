//! Sequences of a block: copies from earlier text and the literals before each, as three coders give them.
//!
//! The format is in RFC 8878, 3.1.1.3.2. Which table each coder takes decides bytes.

use super::bits::BitSink;
use super::fse::{CoderState, Coding, SYMBOLS, StateTable, SymbolCounts, floor_log};

/// Largest table, as a power of two.
const LOG_MAX: u32 = 8;
/// What a table seems to cost that cannot be taken.
const NEVER: u32 = u32::MAX;

/// Literals and the copy behind them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sequence {
    /// Literals before the copy.
    pub(super) literals: u32,
    /// Bytes of the copy less 3.
    pub(super) length: u32,
    /// Distance and 3, or 1 for one of the last distances.
    pub(super) offset: u32,
}

/// Lowest values of literal length codes from 16 on, and their extra bits.
const LITERAL_BITS: [u8; 36] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11,
    12, 13, 14, 15, 16,
];
const MATCH_BITS: [u8; 53] = [
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16,
];

/// Returns the code of a number of literals.
fn literal_code(literals: u32) -> u8 {
    const CODES: [u8; 64] = codes(&LITERAL_BITS);
    match CODES.get(literals as usize) {
        Some(code) => *code,
        None => (floor_log(literals) + 19) as u8,
    }
}

/// Returns the code of a length less 3.
fn match_code(length: u32) -> u8 {
    const CODES: [u8; 128] = codes(&MATCH_BITS);
    match CODES.get(length as usize) {
        Some(code) => *code,
        None => (floor_log(length) + 36) as u8,
    }
}

/// Returns the codes of the first values, from the extra bits of codes.
const fn codes<const N: usize>(bits: &[u8]) -> [u8; N] {
    let mut all = [0; N];
    let (mut value, mut code) = (0, 0);
    while value < N {
        let mut left = 1_usize << bits[code];
        while left > 0 && value < N {
            all[value] = code as u8;
            value += 1;
            left -= 1;
        }
        code += 1;
    }
    all
}

/// One of the three kinds of codes.
#[derive(Clone)]
struct CodeKind {
    preset: StateTable,
    last: Option<StateTable>,
}

/// What a block takes for a kind of codes.
enum ChosenTable {
    Preset,
    Same(u8),
    New(Box<StateTable>),
    Last,
}

impl ChosenTable {
    fn mode(&self) -> u8 {
        match self {
            Self::Preset => 0,
            Self::Same(_) => 1,
            Self::New(_) => 2,
            Self::Last => 3,
        }
    }
}

impl CodeKind {
    fn new(log: u32, given: &[i16]) -> Self {
        let mut shares = [0; SYMBOLS];
        shares[..given.len()].copy_from_slice(given);
        let preset = StateTable::new(log, shares, given.len());
        Self {
            preset: preset.expect("the shares of the format sum up"),
            last: None,
        }
    }

    /// Takes the table that seems to need the fewest bits. A new one must save more than its description.
    fn choose(&self, histogram: &SymbolCounts, first: u8) -> Option<ChosenTable> {
        if histogram.most == histogram.total {
            return Some(ChosenTable::Same(first));
        }
        let source_bits = floor_log(histogram.total) + 1;
        let new = StateTable::of(histogram, histogram.log(source_bits, LOG_MAX))?;
        let of_new = new.cost(histogram).unwrap_or(NEVER);
        let of_new = of_new.wrapping_add(new.header_bits());
        let of_new = of_new.wrapping_add(of_new.wrapping_add(2 * 8 * 16) >> 4);
        let of_preset = self.preset.cost(histogram).unwrap_or(NEVER);
        let last = self.last.as_ref().and_then(|last| last.cost(histogram));
        let of_last = last.unwrap_or(NEVER);
        Some(if of_preset <= of_last && of_preset <= of_new {
            ChosenTable::Preset
        } else if of_last <= of_new {
            ChosenTable::Last
        } else {
            ChosenTable::New(Box::new(new))
        })
    }

    fn coding<'a>(&'a self, chosen: &'a ChosenTable) -> Coding<'a> {
        match (chosen, &self.last) {
            (ChosenTable::Same(_), _) => Coding::Same,
            (ChosenTable::New(table), _) => Coding::Table(table),
            (ChosenTable::Last, Some(table)) => Coding::Table(table),
            (ChosenTable::Preset | ChosenTable::Last, _) => Coding::Table(&self.preset),
        }
    }

    fn describe(chosen: &ChosenTable, out: &mut Vec<u8>) {
        match chosen {
            ChosenTable::Same(code) => out.push(*code),
            ChosenTable::New(table) => table.describe(out),
            ChosenTable::Preset | ChosenTable::Last => {}
        }
    }

    /// Remembers the table that a block took.
    fn keep(&mut self, chosen: ChosenTable) {
        match chosen {
            ChosenTable::Last => {}
            ChosenTable::New(table) => self.last = Some(*table),
            ChosenTable::Preset | ChosenTable::Same(_) => self.last = None,
        }
    }
}

/// The coders of sequences, with the tables that blocks share.
#[derive(Clone)]
pub(super) struct SequenceCoder {
    literals: CodeKind,
    offsets: CodeKind,
    lengths: CodeKind,
    codes: Vec<[u8; 3]>,
}

/// The tables that a block took, to be remembered when the block is kept.
pub(super) struct TakenTables([ChosenTable; 3]);

impl SequenceCoder {
    pub(super) fn new() -> Self {
        // Source: RFC 8878, 3.1.1.3.2.2.
        Self {
            literals: CodeKind::new(
                6,
                &[
                    4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3,
                    2, 1, 1, 1, 1, 1, -1, -1, -1, -1,
                ],
            ),
            offsets: CodeKind::new(
                5,
                &[
                    1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1,
                    -1, -1, -1,
                ],
            ),
            lengths: CodeKind::new(
                6,
                &[
                    1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1,
                    -1, -1,
                ],
            ),
            codes: Vec::new(),
        }
    }

    /// Appends the section of sequences, at least one. Returns `None` where a table does not come out.
    pub(super) fn write(
        &mut self,
        sequences: &[Sequence],
        out: &mut Vec<u8>,
    ) -> Option<TakenTables> {
        let count = sequences.len() as u32;
        let [low, high, ..] = count.to_le_bytes();
        match count {
            0..128 => out.push(low),
            128..0x7f00 => out.extend_from_slice(&[128 + high, low]),
            _ => {
                let [low, high, ..] = (count - 0x7f00).to_le_bytes();
                out.extend_from_slice(&[255, low, high]);
            }
        }
        self.codes.clear();
        self.codes.extend(sequences.iter().map(|sequence| {
            [
                literal_code(sequence.literals),
                floor_log(sequence.offset) as u8,
                match_code(sequence.length),
            ]
        }));
        let first = *self.codes.first()?;
        let histogram = |kind: usize| SymbolCounts::of(self.codes.iter().map(|codes| codes[kind]));
        let literals = self.literals.choose(&histogram(0), first[0])?;
        let offsets = self.offsets.choose(&histogram(1), first[1])?;
        let lengths = self.lengths.choose(&histogram(2), first[2])?;
        out.push((literals.mode() << 6) | (offsets.mode() << 4) | (lengths.mode() << 2));
        for chosen in [&literals, &offsets, &lengths] {
            CodeKind::describe(chosen, out);
        }
        let mut sink = BitSink::new(out);
        let all = self.codes.iter().zip(sequences);
        let mut all = all.rev();
        let (codes, sequence) = all.next()?;
        let mut of_literals = CoderState::new(self.literals.coding(&literals), codes[0]);
        let mut of_offsets = CoderState::new(self.offsets.coding(&offsets), codes[1]);
        let mut of_lengths = CoderState::new(self.lengths.coding(&lengths), codes[2]);
        extra_bits(*codes, sequence, &mut sink);
        for (codes, sequence) in all {
            of_offsets.code(codes[1], &mut sink);
            of_lengths.code(codes[2], &mut sink);
            of_literals.code(codes[0], &mut sink);
            extra_bits(*codes, sequence, &mut sink);
        }
        of_lengths.finish(&mut sink);
        of_offsets.finish(&mut sink);
        of_literals.finish(&mut sink);
        sink.finish();
        Some(TakenTables([literals, offsets, lengths]))
    }

    /// Remembers the tables of a block that is kept.
    pub(super) fn keep(&mut self, taken: TakenTables) {
        let TakenTables([literals, offsets, lengths]) = taken;
        self.literals.keep(literals);
        self.offsets.keep(offsets);
        self.lengths.keep(lengths);
    }
}

#[inline]
fn extra_bits(codes: [u8; 3], sequence: &Sequence, sink: &mut BitSink<'_>) {
    let [literals, offset, length] = codes;
    sink.push(
        sequence.literals,
        LITERAL_BITS[usize::from(literals)].into(),
    );
    sink.push(sequence.length, MATCH_BITS[usize::from(length)].into());
    sink.push(sequence.offset, offset.into());
}
