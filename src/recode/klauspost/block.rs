//! Blocks: which form each takes, and how its literals and sequences are put together.
//!
//! The format is in RFC 8878, 3.1.1.2 and 3.1.1.3.

use super::history::HistoryView;
use super::huffman::{LiteralCoder, PackedLiterals};
use super::rules::{KlauspostSettings, WriterRules};
use super::sequences::{Sequence, SequenceCoder};

/// Bytes of a block's header.
const HEADER_BYTES: usize = 3;
/// Literals from which on they are in four streams.
const FOUR_STREAMS: usize = 1024;
/// Shortest block of literals alone that is compressed.
const LONE_LITERALS_MIN: usize = 32;
/// Literals up to which their header may be what decides.
const WEIGHED_MAX: usize = 64;
/// Bytes that sequences must save.
const SAVED_MIN: usize = 16;

const RAW: u32 = 0;
const SAME: u32 = 1;
const COMPRESSED: u32 = 2;

/// Where the parse of a block is.
pub(super) struct ParsePlace {
    pub(super) at: usize,
    /// Where the next literals begin.
    pub(super) from: usize,
    /// The last two distances.
    pub(super) distances: [usize; 2],
}

impl ParsePlace {
    /// Begins with a block.
    pub(super) fn new(view: &HistoryView<'_>) -> Self {
        Self {
            at: view.begin,
            from: view.begin,
            distances: [0; 2],
        }
    }
}

/// What was found in a block.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockParse {
    pub(super) sequences: Vec<Sequence>,
    /// All literals, those behind the last sequence too.
    pub(super) literals: Vec<u8>,
}

impl BlockParse {
    /// Adds the literals from `from` to `at` and a copy of `length` bytes behind them.
    #[inline]
    pub(super) fn add(
        &mut self,
        view: &HistoryView<'_>,
        from: usize,
        at: usize,
        length: usize,
        offset: u32,
    ) {
        self.literals.extend_from_slice(&view.text[from..at]);
        self.sequences.push(Sequence {
            literals: (at - from) as u32,
            length: length as u32 - 3,
            offset,
        });
    }
}

/// What becomes of a block, as far as its parse tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ParseForm {
    /// It stays as it is.
    Kept,
    /// All of it is literals.
    Lone,
    /// All its bytes are equal.
    Same,
    Sequences,
}

impl BlockParse {
    fn form(&self, bytes: usize, rules: &WriterRules) -> ParseForm {
        let literals = self.literals.len();
        if literals == bytes && rules.kept_literals == Some(bytes) {
            return ParseForm::Kept;
        }
        if let [sequence] = self.sequences[..]
            && rules.has_same_blocks
            && literals <= 1
            && sequence.literals as usize == literals
            && sequence.offset == 4
        {
            return ParseForm::Same;
        }
        let saved = bytes.saturating_sub(literals);
        let is_lone = self.sequences.is_empty() || saved < SAVED_MIN + (bytes >> rules.saved_shift);
        match is_lone {
            false => ParseForm::Sequences,
            true if rules.keeps_lone_literals || bytes < LONE_LITERALS_MIN => ParseForm::Kept,
            true => ParseForm::Lone,
        }
    }

    /// Returns whether a block of `bytes` bytes may become something else under other rules.
    pub(super) fn may_differ(&self, bytes: usize, one: &WriterRules, other: &WriterRules) -> bool {
        let form = self.form(bytes, one);
        let literals = match form {
            ParseForm::Kept | ParseForm::Same => usize::MAX,
            ParseForm::Lone => bytes,
            ParseForm::Sequences => self.literals.len(),
        };
        form != self.form(bytes, other)
            || one.packed_above != other.packed_above && literals <= WEIGHED_MAX
            || one.weighs_headers != other.weighs_headers && literals <= WEIGHED_MAX
    }
}

/// How the literals of a block are given.
struct LiteralSection {
    packed: PackedLiterals,
    in_four: bool,
}

/// Writes blocks, and keeps what they share.
#[derive(Clone)]
pub(super) struct BlockCoder {
    rules: WriterRules,
    literals: LiteralCoder,
    sequences: SequenceCoder,
}

impl BlockCoder {
    pub(super) fn new(settings: KlauspostSettings) -> Self {
        Self {
            rules: settings.rules(),
            literals: LiteralCoder::default(),
            sequences: SequenceCoder::new(),
        }
    }

    /// Returns a coder that goes on under the rules of other settings.
    pub(super) fn under(&self, settings: KlauspostSettings) -> Self {
        Self {
            rules: settings.rules(),
            ..self.clone()
        }
    }

    /// Appends a block of the bytes `text`, at least one.
    pub(super) fn write(
        &mut self,
        text: &[u8],
        parse: &BlockParse,
        is_last: bool,
        out: &mut Vec<u8>,
    ) {
        let rules = self.rules;
        let literals = &parse.literals;
        match parse.form(text.len(), &rules) {
            ParseForm::Kept => return raw(text, is_last, out),
            ParseForm::Lone => return self.lone_literals(text, is_last, out),
            ParseForm::Same => {
                header(SAME, text.len(), is_last, out);
                out.push(text[0]);
                return;
            }
            ParseForm::Sequences => {}
        }
        let begin = out.len();
        header(COMPRESSED, 0, is_last, out);
        let section = self.pack(literals);
        self.literal_section(literals, &section, out);
        let taken = self.sequences.write(&parse.sequences, out);
        let bytes = out.len() - begin - HEADER_BYTES;
        match taken {
            Some(taken) if bytes < text.len() => {
                self.sequences.keep(taken);
                let mut head = Vec::new();
                header(COMPRESSED, bytes, is_last, &mut head);
                out[begin..begin + HEADER_BYTES].copy_from_slice(&head);
            }
            _ => {
                out.truncate(begin);
                raw(text, is_last, out);
                self.literals.forget();
            }
        }
    }

    /// Appends a block that has no sequences.
    fn lone_literals(&mut self, text: &[u8], is_last: bool, out: &mut Vec<u8>) {
        let mut section = self.pack(text);
        if let PackedLiterals::Packed { bytes, .. } = &section.packed
            && self.rules.weighs_headers
            && bytes.len() + sizes_bytes(bytes.len(), text.len()) >= text.len()
        {
            section.packed = PackedLiterals::Plain;
        }
        match &section.packed {
            PackedLiterals::Plain => raw(text, is_last, out),
            PackedLiterals::Same => {
                header(SAME, text.len(), is_last, out);
                out.push(text[0]);
            }
            PackedLiterals::Packed { bytes, .. } => {
                let len = bytes.len() + sizes_bytes(bytes.len(), text.len()) + 1;
                header(COMPRESSED, len, is_last, out);
                self.literal_section(text, &section, out);
                // No sequences.
                out.push(0);
            }
        }
    }

    fn pack(&mut self, literals: &[u8]) -> LiteralSection {
        let in_four = literals.len() >= FOUR_STREAMS;
        let packed = if literals.len() > self.rules.packed_above {
            self.literals.pack(literals, in_four)
        } else {
            PackedLiterals::Plain
        };
        LiteralSection { packed, in_four }
    }

    /// Appends literals with their header.
    fn literal_section(&mut self, literals: &[u8], section: &LiteralSection, out: &mut Vec<u8>) {
        match &section.packed {
            PackedLiterals::Packed { bytes, is_old_code }
                if !self.rules.weighs_headers
                    || bytes.len() + sizes_bytes(bytes.len(), literals.len())
                        < literals.len() + size_bytes(literals.len()) =>
            {
                let kind = 2 + u64::from(*is_old_code);
                sizes(kind, bytes.len(), literals.len(), section.in_four, out);
                out.extend_from_slice(bytes);
                self.literals.remember();
            }
            PackedLiterals::Same => {
                size(1, literals.len(), out);
                out.push(literals[0]);
            }
            PackedLiterals::Plain | PackedLiterals::Packed { .. } => {
                size(0, literals.len(), out);
                out.extend_from_slice(literals);
            }
        }
    }
}

/// Appends the header of a block.
fn header(kind: u32, bytes: usize, is_last: bool, out: &mut Vec<u8>) {
    let header = ((bytes as u32) << 3) | (kind << 1) | u32::from(is_last);
    out.extend_from_slice(&header.to_le_bytes()[..HEADER_BYTES]);
}

/// Appends a block as it is.
pub(super) fn raw(text: &[u8], is_last: bool, out: &mut Vec<u8>) {
    header(RAW, text.len(), is_last, out);
    out.extend_from_slice(text);
}

/// Bits that a number takes.
fn bits(number: usize) -> u32 {
    usize::BITS - number.leading_zeros()
}

/// Bytes of the header of literals that are not compressed.
fn size_bytes(len: usize) -> usize {
    match bits(len) {
        0..5 => 1,
        5..12 => 2,
        _ => 3,
    }
}

/// Appends the header of literals that are not compressed.
fn size(kind: u64, len: usize, out: &mut Vec<u8>) {
    let len_bits = len as u64;
    let header = match size_bytes(len) {
        1 => kind | (len_bits << 3),
        2 => kind | (1 << 2) | (len_bits << 4),
        _ => kind | (3 << 2) | (len_bits << 4),
    };
    out.extend_from_slice(&header.to_le_bytes()[..size_bytes(len)]);
}

/// Bytes of the header of compressed literals.
fn sizes_bytes(packed: usize, len: usize) -> usize {
    match bits(packed.max(len)) {
        0..11 => 3,
        11..15 => 4,
        _ => 5,
    }
}

/// Appends the header of compressed literals.
fn sizes(kind: u64, packed: usize, len: usize, in_four: bool, out: &mut Vec<u8>) {
    let (packed_bits, len_bits) = (packed as u64, len as u64);
    let bytes = sizes_bytes(packed, len);
    let header = match bytes {
        3 => kind | (u64::from(in_four) << 2) | (len_bits << 4) | (packed_bits << 14),
        4 => kind | (2 << 2) | (len_bits << 4) | (packed_bits << 18),
        _ => kind | (3 << 2) | (len_bits << 4) | (packed_bits << 22),
    };
    out.extend_from_slice(&header.to_le_bytes()[..bytes]);
}
