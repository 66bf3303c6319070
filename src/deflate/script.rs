//! The script of a stream: what must be said besides its plain text, in the order in which it is said.
//!
//! Each part is written once for both directions (see [`Code`]). docs/format.md describes it.

use std::io::Write;

use super::DeflateError;
use super::agnostic::Agnostic;
use super::bits::BitWriter;
use super::coder::{Chance, Code, Number, Signed, Tree};
use super::codes::{self, DIST_SYMBOLS, LIT_SYMBOLS, distance_base, distance_symbol};
use super::header::{Header, Op};
use super::inflate::{Head, Kind};
use super::model::Text;
use super::run::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, Chunks, DICTIONARIES, Style};
use super::token::Token;
use super::trees::{self, Rule};
use super::writers::Writer;

/// Longest header or trailer that a reader takes.
const BYTES_MAX: u32 = 64 * 1024;

/// How far a segment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// As many tokens as the last block whose number of tokens was said; of a stored block: as many bytes as the one before.
    Same,
    /// To the end of the writer's run: of the stream, or of the chunk.
    Rest,
    /// To the `n + 1`st multiple of 65535 plain bytes from the beginning of the writer's run.
    Windows(u32),
    /// So many tokens; of a stored block: bytes.
    Count(u32),
}

/// Everything that adapts.
#[derive(Default)]
pub(crate) struct Script {
    flags: [Chance; 8],
    last: Chance,
    kinds: [Tree<2>; 4],
    last_kind: usize,
    padding: [Chance; 1],
    extents: [Tree<2>; 4],
    windows: Number,
    counts: [Number; 4],
    bytes: Tree<8>,
    byte_count: Number,
    tokens: TokenScript,
    headers: HeaderScript,
    agnostic: Option<Box<Agnostic>>,
}

/// Things that are said with one bit, nearly always zero.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flag {
    /// Another member follows.
    Member,
    /// The model changes here.
    Model,
    /// The end of the member is in sight, and it is not the end of the text.
    End,
    /// The segment has tokens that were not foreseen.
    Misses,
    /// The segment is not the last of its block.
    Continues,
    /// The trailer is other than it should be.
    Trailer,
    /// The header is other than the one before.
    Wrapper,
    /// The piece is not as foreseen.
    Mixed,
}

impl Script {
    pub(crate) fn flag<C: Code>(&mut self, coder: &mut C, flag: Flag, set: bool) -> bool {
        coder.bit(&mut self.flags[flag as usize], set)
    }

    /// How many segments a piece has.
    pub(crate) fn segments<C: Code>(&mut self, coder: &mut C, count: usize) -> usize {
        self.counts[3].code(coder, small(count)) as usize
    }

    /// How far ahead a member ends.
    pub(crate) fn distance<C: Code>(&mut self, coder: &mut C, ahead: u64) -> u64 {
        let ahead = u32::try_from(ahead).expect("what is parsed ahead is bounded");
        u64::from(self.counts[2].code(coder, ahead))
    }

    /// Who writes from here on.
    pub(crate) fn style<C: Code>(
        &mut self,
        coder: &mut C,
        style: Style,
    ) -> Result<Style, DeflateError> {
        let corrupt = || DeflateError::Corrupt("recipe: writer");
        let writer = u32::from(style.writer.number());
        let number = u8::try_from(self.bytes.code(coder, writer)).expect("eight bits");
        let writer = Writer::from_number(number).ok_or_else(corrupt)?;
        let cut = style.chunks.map_or(0, |chunks| {
            let place = DICTIONARIES
                .iter()
                .position(|bytes| *bytes == chunks.dictionary);
            1 + place.unwrap_or(0)
        });
        let cut = self.bytes.code(coder, small(cut)) as usize;
        let Some(dictionary) = cut.checked_sub(1) else {
            return Ok(Style {
                writer,
                chunks: None,
            });
        };
        let dictionary = *DICTIONARIES.get(dictionary).ok_or_else(corrupt)?;
        let bytes = style.chunks.map_or(0, |chunks| chunks.bytes);
        let low = coder.even((bytes & 0xffff) as u32, 16);
        let high = coder.even((bytes >> 16) as u32, 16);
        let bytes = u64::from(low) | u64::from(high) << 16;
        if !(CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&bytes) {
            return Err(corrupt());
        }
        Ok(Style {
            writer,
            chunks: Some(Chunks { bytes, dictionary }),
        })
    }

    /// One token of an unknown writer.
    pub(crate) fn unforeseen<C: Code>(
        &mut self,
        coder: &mut C,
        text: Text<'_>,
        at: usize,
        token: Token,
    ) -> Token {
        let agnostic = self
            .agnostic
            .get_or_insert_with(|| Box::new(Agnostic::new()));
        agnostic.code(coder, text, at, token)
    }

    /// Bytes as they are.
    pub(crate) fn bytes<C: Code>(
        &mut self,
        coder: &mut C,
        bytes: &[u8],
    ) -> Result<Vec<u8>, DeflateError> {
        let count = self
            .byte_count
            .code(coder, u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        if count > BYTES_MAX {
            return Err(DeflateError::Corrupt("recipe: header"));
        }
        let given = bytes.iter().copied().chain(std::iter::repeat(0));
        let coded = given.take(count as usize).map(|byte| {
            let byte = self.bytes.code(coder, u32::from(byte));
            u8::try_from(byte).expect("eight bits")
        });
        Ok(coded.collect())
    }

    /// Whether a block is the last, and its kind but for the header.
    pub(crate) fn head<C: Code>(
        &mut self,
        coder: &mut C,
        head: Option<&Head>,
    ) -> Result<HeadKind, DeflateError> {
        let (last, kind, padding) = match head {
            None => (false, 0, 0),
            Some(Head { last, kind }) => match kind {
                Kind::Stored { padding } => (*last, 0, *padding),
                Kind::Fixed => (*last, 1, 0),
                Kind::Dynamic(_) => (*last, 2, 0),
            },
        };
        let last = coder.bit(&mut self.last, last);
        let kind = self.kinds[self.last_kind].code(coder, kind);
        self.last_kind = kind as usize;
        let stored = |padding| HeadKind {
            last,
            kind: BlockKind::Stored { padding },
        };
        match kind {
            0 if !coder.bit(&mut self.padding[0], padding != 0) => Ok(stored(0)),
            0 => {
                let padding = coder.even(u32::from(padding), 7);
                Ok(stored(u8::try_from(padding).expect("seven bits")))
            }
            1 => Ok(HeadKind {
                last,
                kind: BlockKind::Fixed,
            }),
            2 => Ok(HeadKind {
                last,
                kind: BlockKind::Dynamic,
            }),
            _ => Err(DeflateError::Corrupt("recipe: kind of block")),
        }
    }

    /// How far a segment goes; `stored` for the bytes of a stored block.
    pub(crate) fn extent<C: Code>(
        &mut self,
        coder: &mut C,
        extent: Extent,
        stored: bool,
    ) -> Extent {
        let tag = match extent {
            Extent::Same => 0,
            Extent::Rest => 1,
            Extent::Windows(_) => 2,
            Extent::Count(_) => 3,
        };
        match self.extents[self.last_kind].code(coder, tag) {
            0 => Extent::Same,
            1 => Extent::Rest,
            2 => {
                let more = if let Extent::Windows(more) = extent {
                    more
                } else {
                    0
                };
                Extent::Windows(self.windows.code(coder, more))
            }
            _ => {
                let count = if let Extent::Count(count) = extent {
                    count
                } else {
                    0
                };
                Extent::Count(self.counts[usize::from(stored)].code(coder, count))
            }
        }
    }

    /// One token, where `foreseen` was foreseen; when reading, `token` is of no meaning but for the byte of a literal.
    #[inline]
    pub(crate) fn token<C: Code>(
        &mut self,
        coder: &mut C,
        foreseen: Token,
        token: Token,
        literal: Token,
    ) -> Token {
        self.tokens.code(coder, foreseen, token, literal)
    }

    /// By which rule a header is built.
    pub(crate) fn rule<C: Code>(&mut self, coder: &mut C, rule: u8) -> u8 {
        self.headers.rule(coder, rule)
    }

    /// A header that no rule gives; `tokens` are those that the block begins with.
    pub(crate) fn written_out<C: Code>(
        &mut self,
        coder: &mut C,
        tokens: &[Token],
        header: Option<&Header>,
    ) -> Result<Header, DeflateError> {
        let near = Rule::Zlib.header(tokens);
        self.headers.written_out(coder, &near, header)
    }
}

/// A block's head without its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadKind {
    pub(crate) last: bool,
    pub(crate) kind: BlockKind,
}

/// Kind of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockKind {
    Stored { padding: u8 },
    Fixed,
    Dynamic,
}

/// What adapts for tokens.
struct TokenScript {
    /// By what was foreseen and the last three outcomes: whether it was missed.
    missed: [[Chance; 8]; 16],
    /// The last three outcomes.
    history: usize,
    to_literal: [Chance; 16],
    same_distance: [Chance; 16],
    length_change: Signed,
    slot: Tree<5>,
    length: Tree<8>,
    odd: Chance,
}

impl Default for TokenScript {
    fn default() -> Self {
        Self {
            missed: [[Chance::default(); 8]; 16],
            history: 0,
            to_literal: [Chance::default(); 16],
            same_distance: [Chance::default(); 16],
            length_change: Signed::default(),
            slot: Tree::default(),
            length: Tree::default(),
            odd: Chance::default(),
        }
    }
}

impl TokenScript {
    #[inline]
    fn code<C: Code>(
        &mut self,
        coder: &mut C,
        foreseen: Token,
        token: Token,
        literal: Token,
    ) -> Token {
        let context = if foreseen.is_literal() {
            0
        } else {
            let near = usize::from(foreseen.dist() <= 4096);
            1 + 2 * (foreseen.len().min(130).ilog2() as usize).min(6) + near
        };
        let missed = coder.bit(&mut self.missed[context][self.history], token != foreseen);
        self.history = (self.history << 1 | usize::from(missed)) & 7;
        if !missed {
            return foreseen;
        }
        if !foreseen.is_literal() {
            if coder.bit(&mut self.to_literal[context], token.is_literal()) {
                return literal;
            }
            let same = token.dist() == foreseen.dist();
            if coder.bit(&mut self.same_distance[context], same) {
                let change = token.len().cast_signed() - foreseen.len().cast_signed();
                let change = self.length_change.code(coder, change);
                let len = foreseen
                    .len()
                    .cast_signed()
                    .saturating_add(change)
                    .clamp(3, 258);
                return self.finish(coder, len.cast_unsigned(), foreseen.dist(), token.is_odd());
            }
        }
        let (slot, more) = if token.is_literal() {
            (0, 0)
        } else {
            let slot = distance_symbol(token.dist());
            (slot, token.dist() - distance_base(slot).0)
        };
        let slot = self
            .slot
            .code(coder, u32::try_from(slot).expect("30 symbols"))
            .min(29);
        let (base, extra) = distance_base(slot as usize);
        let dist = base + coder.even(more, extra);
        let len = self.length.code(coder, token.len().saturating_sub(3)) + 3;
        self.finish(coder, len, dist, token.is_odd())
    }

    fn finish<C: Code>(&mut self, coder: &mut C, len: u32, dist: u32, odd: bool) -> Token {
        if len == 258 && coder.bit(&mut self.odd, odd) {
            return Token::odd(dist);
        }
        Token::matched(len.min(258), dist)
    }
}

/// What adapts for headers of dynamic blocks.
#[derive(Default)]
struct HeaderScript {
    /// Whether the rule is another than the last.
    other: Chance,
    rule: Tree<4>,
    last: u8,
    /// Of a header that no rule gives:
    lit_count: Tree<5>,
    dist_count: Tree<5>,
    /// By the length that zlib would give.
    lens: [Tree<4>; 16],
    one_run: [Chance; 3],
    op_count: Number,
    ops: Tree<5>,
    extras: Tree<7>,
    cl_ruled: [Chance; 3],
    cl_lens: Tree<3>,
    cl_count: Tree<4>,
}

impl HeaderScript {
    fn rule<C: Code>(&mut self, coder: &mut C, rule: u8) -> u8 {
        if coder.bit(&mut self.other, rule != self.last) {
            let rule = self.rule.code(coder, u32::from(rule));
            self.last = u8::try_from(rule).expect("four bits");
        }
        self.last
    }

    fn written_out<C: Code>(
        &mut self,
        coder: &mut C,
        near: &Header,
        header: Option<&Header>,
    ) -> Result<Header, DeflateError> {
        let given = header.unwrap_or(near);
        let lit_count = 257 + self.lit_count.code(coder, small(given.lit_count - 257)) as usize;
        let dist_count = 1 + self.dist_count.code(coder, small(given.dist_count - 1)) as usize;
        if lit_count > LIT_SYMBOLS || dist_count > DIST_SYMBOLS {
            return Err(DeflateError::Corrupt("recipe: number of codes"));
        }
        let total = lit_count + dist_count;
        let mut lens = Vec::with_capacity(total);
        for place in 0..total {
            let (near, at, given) = if place < lit_count {
                (near.lit_lens(), place, given.lit_lens().get(place))
            } else {
                (
                    near.dist_lens(),
                    place - lit_count,
                    given.dist_lens().get(place - lit_count),
                )
            };
            let near = usize::from(near.get(at).copied().unwrap_or(0));
            let len = self.lens[near].code(coder, u32::from(given.copied().unwrap_or(0)));
            lens.push(u8::try_from(len).expect("four bits"));
        }
        let ops = self.ops(coder, &lens, lit_count, &given.ops)?;
        let (cl_lens, cl_count) = self.cl(coder, &ops, given);
        Ok(Header {
            lit_count,
            dist_count,
            lens,
            ops,
            cl_lens,
            cl_count,
        })
    }

    fn ops<C: Code>(
        &mut self,
        coder: &mut C,
        lens: &[u8],
        lit_count: usize,
        given: &[Op],
    ) -> Result<Vec<Op>, DeflateError> {
        for (chance, ruled) in self.one_run.iter_mut().zip([
            trees::in_one_run(lens),
            trees::in_two_runs(&lens[..lit_count], &lens[lit_count..]),
        ]) {
            if !coder.bit(chance, ruled != given) {
                return Ok(ruled);
            }
        }
        let count = self.op_count.code(coder, small(given.len()));
        if count as usize > lens.len() {
            return Err(DeflateError::Corrupt("recipe: code lengths"));
        }
        let mut ops = Vec::with_capacity(count as usize);
        for place in 0..count as usize {
            let op = given.get(place).copied().unwrap_or(Op {
                symbol: 0,
                extra: 0,
            });
            let symbol = self.ops.code(coder, u32::from(op.symbol)).min(18);
            let extra = if symbol > 15 {
                self.extras.code(coder, u32::from(op.extra))
            } else {
                0
            };
            let most = [3, 7, 127]
                .get((symbol as usize).wrapping_sub(16))
                .copied()
                .unwrap_or(0);
            ops.push(Op {
                symbol: u8::try_from(symbol).expect("at most 18"),
                extra: u8::try_from(extra.min(most)).expect("at most 127"),
            });
        }
        Ok(ops)
    }

    fn cl<C: Code>(&mut self, coder: &mut C, ops: &[Op], given: &Header) -> ([u8; 19], usize) {
        for (chance, ruled) in self.cl_ruled.iter_mut().zip(trees::cl_by_rules(ops)) {
            if !coder.bit(chance, ruled != (given.cl_lens, given.cl_count)) {
                return ruled;
            }
        }
        let mut lens = [0; 19];
        for (len, given) in lens.iter_mut().zip(given.cl_lens) {
            *len = u8::try_from(self.cl_lens.code(coder, u32::from(given))).expect("three bits");
        }
        let count = 4 + self.cl_count.code(coder, small(given.cl_count - 4)) as usize;
        (lens, count.min(19))
    }
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("hundreds at most")
}

/// Writes what a block of tokens begins with; returns the codes of its tokens.
pub(crate) fn begin_block<W: Write>(
    out: &mut BitWriter<W>,
    kind: BlockKind,
    last: bool,
    header: Option<&Header>,
) -> Result<codes::Encoder, DeflateError> {
    match (kind, header) {
        (BlockKind::Dynamic, Some(header)) => {
            out.put(4 | u64::from(last), 3)?;
            header.write(out)?;
            Ok(codes::Encoder::new(header.lit_lens(), header.dist_lens()))
        }
        (BlockKind::Fixed, _) => {
            out.put(2 | u64::from(last), 3)?;
            let (lit, dist) = codes::fixed_lengths();
            Ok(codes::Encoder::new(&lit, &dist))
        }
        _ => Err(DeflateError::Corrupt("recipe: header")),
    }
}
