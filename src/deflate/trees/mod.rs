//! Builds the headers of dynamic blocks from symbol counts, by the rules of known writers.
//!
//! A rule that is not the writer's only costs a few bytes a block.

pub(crate) mod go;
pub(crate) mod klauspost;
pub(crate) mod libdeflate;
pub(crate) mod miniz;
pub(crate) mod zlib;

use klauspost::CodeSmoothing;

use super::codes::{DIST_SYMBOLS, Histogram, LIT_SYMBOLS};
use super::header::{DynamicHeader, LengthSymbol, ORDER};
use super::token::Token;

/// Code lengths of a block's two codes, one for every symbol that there is.
pub(crate) struct Lengths {
    pub(crate) lit: [u8; LIT_SYMBOLS],
    pub(crate) dist: [u8; DIST_SYMBOLS],
}

/// Returns the length of a list without its last zeros, but at least `least`.
pub(crate) fn used(lens: &[u8], least: usize) -> usize {
    lens.iter()
        .rposition(|len| *len > 0)
        .map_or(0, |last| last + 1)
        .max(least)
}

/// Writes a run of code lengths as zlib does (`scan_tree`) and all other writers, too: the length first, then repeats
/// as long as possible.
pub(crate) fn write_run(lens: &[u8], ops: &mut Vec<LengthSymbol>) {
    let mut rest = lens;
    while let Some(&len) = rest.first() {
        let run = rest.iter().take_while(|other| **other == len).count();
        rest = &rest[run..];
        let mut left = run;
        if len > 0 {
            ops.push(LengthSymbol {
                symbol: len,
                extra: 0,
            });
            left -= 1;
        }
        while left > 0 {
            let (symbol, least, most) = match (len, left) {
                (0, 11..) => (18, 11, 138),
                (0, 3..) => (17, 3, 10),
                (1.., 3..) => (16, 3, 6),
                _ => (len, 1, 1),
            };
            let count = left.min(most);
            let extra = u8::try_from(count - least).expect("at most 127");
            ops.push(LengthSymbol { symbol, extra });
            left -= count;
        }
    }
}

/// Assembles a header. `cl_tree` gives the lengths of the code length code.
pub(crate) fn assemble(
    lengths: &Lengths,
    lit_count: usize,
    dist_count: usize,
    ops: Vec<LengthSymbol>,
    cl_tree: impl FnOnce(&[u32; 19]) -> [u8; 19],
) -> DynamicHeader {
    let mut counts = [0; 19];
    for op in &ops {
        counts[usize::from(op.symbol)] += 1;
    }
    let cl_lens = cl_tree(&counts);
    let cl_count = cl_used(&cl_lens);
    let mut lens = lengths.lit[..lit_count].to_vec();
    lens.extend_from_slice(&lengths.dist[..dist_count]);
    DynamicHeader {
        lit_count,
        dist_count,
        lens,
        ops,
        cl_lens,
        cl_count,
    }
}

/// Rules by which headers are built. Their numbers are part of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    Zlib,
    Go,
    Libdeflate,
    /// libdeflate from 1.19 on.
    LibdeflatePaired,
    /// Go's rule for the first window of klauspost/compress.
    GoWindow,
    Klauspost(klauspost::CodeSmoothing),
    /// Go's rule for the first tokens of klauspost/compress at levels 7 to 9.
    GoLazy,
    /// klauspost/compress at levels 7 to 9.
    KlauspostLazy,
    Miniz,
}

const RULES: [Rule; 11] = [
    Rule::Zlib,
    Rule::Go,
    Rule::Libdeflate,
    Rule::LibdeflatePaired,
    Rule::GoWindow,
    Rule::Klauspost(CodeSmoothing::AllWritten),
    Rule::Klauspost(CodeSmoothing::AllUsed),
    Rule::Klauspost(CodeSmoothing::LiteralsUsed),
    Rule::GoLazy,
    Rule::KlauspostLazy,
    Rule::Miniz,
];

/// Stands for no rule: the header is written out.
pub(crate) const WRITTEN_OUT: u8 = 15;

/// Returns the number of a rule that gives `header`, or [`WRITTEN_OUT`]. Tries `likely` first.
pub(crate) fn find_rule(tokens: &[Token], header: &DynamicHeader, likely: u8) -> u8 {
    let others = (0..WRITTEN_OUT).filter(|number| *number != likely);
    let mut numbers = std::iter::once(likely).chain(others);
    let found = numbers.find(|number| {
        Rule::from_number(*number).is_some_and(|rule| rule.header(tokens) == *header)
    });
    found.unwrap_or(WRITTEN_OUT)
}

impl Rule {
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        RULES.get(usize::from(number)).copied()
    }

    /// Builds the header of a block that begins with these tokens. They are all its tokens, unless it is very long.
    pub(crate) fn header(self, tokens: &[Token]) -> DynamicHeader {
        match self {
            Self::Zlib => zlib::header(&Histogram::of(tokens)),
            Self::Go => go::header(&Histogram::of(tokens)),
            Self::Libdeflate => libdeflate::header(&Histogram::of(tokens)),
            Self::LibdeflatePaired => libdeflate::header_paired(&Histogram::of(tokens)),
            Self::Miniz => miniz::header(&Histogram::of(tokens)),
            Self::GoWindow => go::header(&Histogram::of(first_window(tokens))),
            Self::Klauspost(ready) => {
                klauspost::header(&Histogram::of(first_window(tokens)), ready)
            }
            Self::GoLazy => go::header(&Histogram::of(first_tokens(tokens))),
            Self::KlauspostLazy => klauspost::header(
                &Histogram::of(first_tokens(tokens)),
                CodeSmoothing::AllWritten,
            ),
        }
    }
}

/// Returns the tokens that klauspost/compress counts together at levels 7 to 9.
fn first_tokens(tokens: &[Token]) -> &[Token] {
    &tokens[..tokens.len().min(1 << 15)]
}

/// Returns the tokens that begin in the first 65535 plain bytes.
fn first_window(tokens: &[Token]) -> &[Token] {
    let mut bytes = 0;
    let count = tokens.iter().take_while(|token| {
        let begins = bytes < 65535;
        bytes += token.advance();
        begins
    });
    &tokens[..count.count()]
}

/// Writes code lengths in one run, as Go does.
pub(crate) fn in_one_run(lens: &[u8]) -> Vec<LengthSymbol> {
    let mut ops = Vec::with_capacity(lens.len());
    write_run(lens, &mut ops);
    ops
}

/// Writes the code lengths of each code separately, as zlib does.
pub(crate) fn in_two_runs(lit: &[u8], dist: &[u8]) -> Vec<LengthSymbol> {
    let mut ops = Vec::with_capacity(lit.len() + dist.len());
    write_run(lit, &mut ops);
    write_run(dist, &mut ops);
    ops
}

/// Returns code length codes for these ops by the known rules, and how many lengths of each are written.
pub(crate) fn cl_by_rules(ops: &[LengthSymbol]) -> [([u8; 19], usize); 2] {
    let mut counts = [0; 19];
    for op in ops {
        counts[usize::from(op.symbol)] += 1;
    }
    [zlib::cl_tree(&counts), go::cl_tree(&counts)].map(|lens| (lens, cl_used(&lens)))
}

/// Returns how many lengths of the code length code are written, without zeros at the end.
fn cl_used(cl_lens: &[u8; 19]) -> usize {
    ORDER
        .iter()
        .rposition(|symbol| cl_lens[*symbol] > 0)
        .map_or(0, |last| last + 1)
        .max(4)
}
