//! The script of a stream: everything that must be known beside its plain text, in coding order.
//!
//! Each part is written once for both directions (see [`SymbolCoder`]). `docs/format.md` describes it.

mod headers;
mod parts;
pub(crate) mod tokens;

use std::io::Write;

use self::headers::HeaderCorrections;
use self::parts::PartEnds;
use self::tokens::TokenCorrections;
use super::DeflateError;
use super::bits::BitWriter;
use super::coder::{BitTree, Chance, Number, SymbolCoder};
use super::codes;
use super::fallback::Fallback;
use super::header::DynamicHeader;
use super::inflate::{BlockForm, Head};
use super::model::Text;
use super::run::{CHUNK_BYTES_MAX, CHUNK_BYTES_MIN, ChunkedWriting, DICTIONARIES, WriterStyle};
use super::token::Token;
use super::trees::Rule;
use super::writers::Writer;

/// Longest header or trailer that a reader accepts.
const BYTES_MAX: u32 = 64 * 1024;

/// The extent of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SegmentExtent {
    /// As many tokens as the last block whose token count was coded. For a stored block, as many bytes as the last one.
    Same,
    /// To the end of the writer's run, which is the stream or the chunk.
    Rest,
    /// To the `n + 1`st multiple of 65535 plain bytes from the beginning of the writer's run.
    Windows(u32),
    /// This number of tokens. For a stored block, this number of bytes.
    Count(u32),
}

/// All adaptive models of the script.
#[derive(Default)]
pub(crate) struct CorrectionModels {
    flags: [Chance; 8],
    last: Chance,
    kinds: [BitTree<2>; 4],
    last_kind: usize,
    padding: [Chance; 1],
    extents: [BitTree<2>; 4],
    windows: Number,
    counts: [Number; 4],
    bytes: BitTree<8>,
    byte_count: Number,
    tokens: TokenCorrections,
    headers: HeaderCorrections,
    fallback: Option<Box<Fallback>>,
    ends: PartEnds,
}

/// Facts that take one bit, nearly always zero.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flag {
    /// Another member follows.
    Member,
    /// The model changes here.
    Model,
    /// The end of the member is near, and it is not the end of the text.
    End,
    /// The segment has tokens that were not predicted.
    Misses,
    /// The segment is not the last of its block.
    Continues,
    /// The trailer differs from the expected one.
    Trailer,
    /// The header differs from the one before.
    Wrapper,
    /// The piece was not predicted completely.
    Mixed,
}

impl CorrectionModels {
    pub(crate) fn flag<C: SymbolCoder>(&mut self, coder: &mut C, flag: Flag, set: bool) -> bool {
        coder.bit(&mut self.flags[flag as usize], set)
    }

    /// Codes the number of segments of a piece.
    pub(crate) fn segments<C: SymbolCoder>(&mut self, coder: &mut C, count: usize) -> usize {
        self.counts[3].code(coder, small(count)) as usize
    }

    /// Codes the distance to a member's end.
    pub(crate) fn distance<C: SymbolCoder>(&mut self, coder: &mut C, ahead: u64) -> u64 {
        let ahead = u32::try_from(ahead).expect("what is parsed ahead is bounded");
        u64::from(self.counts[2].code(coder, ahead))
    }

    /// Codes the writer from here on.
    pub(crate) fn style<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        style: WriterStyle,
    ) -> Result<WriterStyle, DeflateError> {
        let corrupt = || DeflateError::Corrupt("recipe: writer");
        let (first, second) = style.writer.bytes();
        let mut byte = |byte| {
            let byte = self.bytes.code(coder, u32::from(byte));
            u8::try_from(byte).expect("eight bits")
        };
        let first = byte(first);
        let second = Writer::has_second(first).then(|| byte(second.unwrap_or(0)));
        let writer = Writer::from_bytes(first, second).ok_or_else(corrupt)?;
        let cut = style.chunks.map_or(0, |chunks| {
            let place = DICTIONARIES
                .iter()
                .position(|bytes| *bytes == chunks.dictionary);
            1 + place.unwrap_or(0)
        });
        let cut = self.bytes.code(coder, small(cut)) as usize;
        let Some(dictionary) = cut.checked_sub(1) else {
            return Ok(WriterStyle {
                writer,
                chunks: None,
            });
        };
        let dictionary = *DICTIONARIES.get(dictionary).ok_or_else(corrupt)?;
        let bytes = style.chunks.map_or(0, |chunks| chunks.bytes);
        let low = coder.even(codes::low_bits(bytes, 16), 16);
        let high = coder.even(codes::low_bits(bytes >> 16, 16), 16);
        let bytes = u64::from(low) | u64::from(high) << 16;
        if !(CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&bytes) {
            return Err(corrupt());
        }
        Ok(WriterStyle {
            writer,
            chunks: Some(ChunkedWriting { bytes, dictionary }),
        })
    }

    /// Codes one token of an unknown writer.
    pub(crate) fn unforeseen<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        text: Text<'_>,
        at: usize,
        token: Token,
    ) -> Token {
        let fallback = self
            .fallback
            .get_or_insert_with(|| Box::new(Fallback::new()));
        let token = fallback.code(coder, text, at, token);
        self.behind(coder, token);
        token
    }

    /// Begins another part behind a token where one ends. What is known of the text and of the last blocks and tokens
    /// stays, and is the same again soon behind a change.
    fn behind<C: SymbolCoder>(&mut self, coder: &mut C, token: Token) {
        if !self.ends.behind(token, coder.taken()) {
            return;
        }
        coder.begin_anew();
        let mut fallback = self.fallback.take();
        if let Some(fallback) = &mut fallback {
            fallback.begin_anew();
        }
        *self = Self {
            last_kind: self.last_kind,
            tokens: self.tokens.afresh(),
            headers: self.headers.afresh(),
            fallback,
            ends: self.ends,
            ..Self::default()
        };
    }

    /// Codes bytes without a model.
    pub(crate) fn bytes<C: SymbolCoder>(
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

    /// Codes whether a block is the last, and its kind. The header is coded apart.
    pub(crate) fn head<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        head: Option<&Head>,
    ) -> Result<HeadKind, DeflateError> {
        let (last, kind, padding) = match head {
            None => (false, 0, 0),
            Some(Head { last, kind }) => match kind {
                BlockForm::Stored { padding } => (*last, 0, *padding),
                BlockForm::Fixed => (*last, 1, 0),
                BlockForm::Dynamic(_) => (*last, 2, 0),
            },
        };
        let last = coder.bit(&mut self.last, last);
        let kind = self.kinds[self.last_kind].code(coder, kind);
        self.last_kind = kind as usize;
        let stored = |padding| HeadKind {
            last,
            kind: DeflateBlockKind::Stored { padding },
        };
        match kind {
            0 if !coder.bit(&mut self.padding[0], padding != 0) => Ok(stored(0)),
            0 => {
                let padding = coder.even(u32::from(padding), 7);
                Ok(stored(u8::try_from(padding).expect("seven bits")))
            }
            1 => Ok(HeadKind {
                last,
                kind: DeflateBlockKind::Fixed,
            }),
            2 => Ok(HeadKind {
                last,
                kind: DeflateBlockKind::Dynamic,
            }),
            _ => Err(DeflateError::Corrupt("recipe: kind of block")),
        }
    }

    /// Codes the extent of a segment. `stored` gives the bytes of a stored block.
    pub(crate) fn extent<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        extent: SegmentExtent,
        stored: bool,
    ) -> SegmentExtent {
        let tag = match extent {
            SegmentExtent::Same => 0,
            SegmentExtent::Rest => 1,
            SegmentExtent::Windows(_) => 2,
            SegmentExtent::Count(_) => 3,
        };
        match self.extents[self.last_kind].code(coder, tag) {
            0 => SegmentExtent::Same,
            1 => SegmentExtent::Rest,
            2 => {
                let more = if let SegmentExtent::Windows(more) = extent {
                    more
                } else {
                    0
                };
                SegmentExtent::Windows(self.windows.code(coder, more))
            }
            _ => {
                let count = if let SegmentExtent::Count(count) = extent {
                    count
                } else {
                    0
                };
                SegmentExtent::Count(self.counts[usize::from(stored)].code(coder, count))
            }
        }
    }

    /// Codes one token, where `predicted` was predicted. A reader ignores `token`, except for the byte of a literal.
    #[inline]
    pub(crate) fn token<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        predicted: Token,
        token: Token,
        literal: Token,
    ) -> Token {
        let token = self.tokens.code(coder, predicted, token, literal);
        self.behind(coder, token);
        token
    }

    /// Codes the rule by which a header is built.
    pub(crate) fn rule<C: SymbolCoder>(&mut self, coder: &mut C, rule: u8) -> u8 {
        self.headers.rule(coder, rule)
    }

    /// Codes a header that no rule gives. `tokens` are those at the start of the block.
    pub(crate) fn written_out<C: SymbolCoder>(
        &mut self,
        coder: &mut C,
        tokens: &[Token],
        header: Option<&DynamicHeader>,
    ) -> Result<DynamicHeader, DeflateError> {
        let near = Rule::Zlib.header(tokens);
        self.headers.written_out(coder, &near, header)
    }
}

/// A block's head without its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadKind {
    pub(crate) last: bool,
    pub(crate) kind: DeflateBlockKind,
}

/// Kind of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeflateBlockKind {
    Stored { padding: u8 },
    Fixed,
    Dynamic,
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("hundreds at most")
}

/// Writes the beginning of a block of tokens and returns the codes of its tokens.
pub(crate) fn begin_block<W: Write>(
    out: &mut BitWriter<W>,
    kind: DeflateBlockKind,
    last: bool,
    header: Option<&DynamicHeader>,
) -> Result<codes::TokenEncoder, DeflateError> {
    match (kind, header) {
        (DeflateBlockKind::Dynamic, Some(header)) => {
            out.put(4 | u64::from(last), 3)?;
            header.write(out)?;
            Ok(codes::TokenEncoder::new(
                header.lit_lens(),
                header.dist_lens(),
            ))
        }
        (DeflateBlockKind::Fixed, _) => {
            out.put(2 | u64::from(last), 3)?;
            let (lit, dist) = codes::fixed_lengths();
            Ok(codes::TokenEncoder::new(&lit, &dist))
        }
        _ => Err(DeflateError::Corrupt("recipe: header")),
    }
}
