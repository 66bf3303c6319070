//! Parses a deflate stream into plain text and segments of tokens.
//!
//! Nothing is predicted here. A segment is a block, or a part of a very long block, so that memory stays bounded.

use std::io::{self, Read};

use super::DeflateError;
use super::bits::BitReader;
use super::codes::{self, CodeDecoder};
use super::header::DynamicHeader;
use super::token::{Token, WINDOW};

/// Most tokens of a segment.
pub(crate) const SEGMENT_TOKENS: usize = 1 << 18;
/// Plain bytes at which a segment ends: more than any common writer puts into a block of known length.
pub(crate) const SEGMENT_BYTES: usize = 66 << 16;

/// How a block is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BlockForm {
    /// Without compression. The bits before the byte boundary hold `padding`.
    Stored {
        padding: u8,
    },
    Fixed,
    Dynamic(Box<DynamicHeader>),
}

/// The beginning of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// Whether it is the last of its stream.
    pub(crate) last: bool,
    pub(crate) kind: BlockForm,
}

/// A block, or a part of one.
#[derive(Debug, Default)]
pub(crate) struct BlockSegment {
    /// Head of the block that begins here. `None` when the block of the segment before continues.
    pub(crate) head: Option<Head>,
    /// Tokens. Empty in a stored block.
    pub(crate) tokens: Vec<Token>,
    /// Plain bytes.
    pub(crate) bytes: usize,
    /// Whether the block ends here.
    pub(crate) ends: bool,
    /// Whether it begins at a whole byte of the stream.
    pub(crate) aligned: bool,
}

impl BlockSegment {
    /// Returns its memory beside the tokens, in units of about 128 bytes.
    pub(crate) fn weight(&self) -> usize {
        match self.head.as_ref().map(|head| &head.kind) {
            Some(BlockForm::Dynamic(_)) => 16,
            _ => 1,
        }
    }
}

enum InflateState {
    Between,
    /// In a block with codes. The value says whether the block is the last.
    Within(bool),
    Done,
}

/// Reads one deflate stream.
pub(crate) struct Inflater<R> {
    bits: BitReader<R>,
    lit: CodeDecoder,
    dist: CodeDecoder,
    state: InflateState,
    /// Plain bytes so far.
    plain_bytes: u64,
}

impl<R: Read> Inflater<R> {
    pub(crate) fn new(bits: BitReader<R>) -> Self {
        Self {
            bits,
            lit: CodeDecoder::new(),
            dist: CodeDecoder::new(),
            state: InflateState::Between,
            plain_bytes: 0,
        }
    }

    /// Returns the bit reader, for reading the wrapper around the stream.
    pub(crate) fn bits(&mut self) -> &mut BitReader<R> {
        &mut self.bits
    }

    /// Prepares for another stream behind this one.
    pub(crate) fn restart(&mut self) {
        self.state = InflateState::Between;
        self.plain_bytes = 0;
    }

    /// Reads the next segment and appends its plain bytes to `out`. The end of `out` must hold at least the last 32 KiB
    /// of the stream. Returns `false` behind the last segment.
    pub(crate) fn next(
        &mut self,
        out: &mut Vec<u8>,
        segment: &mut BlockSegment,
    ) -> Result<bool, DeflateError> {
        segment.tokens.clear();
        segment.head = None;
        segment.ends = false;
        segment.bytes = 0;
        segment.aligned = self.bits.bits_to_byte() == 0;
        let before = out.len();
        let last = match self.state {
            InflateState::Done => return Ok(false),
            InflateState::Within(last) => last,
            InflateState::Between => {
                let last = self.bits.take(1)? == 1;
                let kind = match self.bits.take(2)? {
                    0 => return self.stored(last, out, segment).map(|()| true),
                    1 => {
                        let (lit, dist) = codes::fixed_lengths();
                        self.lit.set(&lit);
                        self.dist.set(&dist);
                        BlockForm::Fixed
                    }
                    2 => {
                        let header = DynamicHeader::read(&mut self.bits, &mut self.lit)?;
                        self.lit.set(header.lit_lens());
                        self.dist.set(header.dist_lens());
                        BlockForm::Dynamic(Box::new(header))
                    }
                    _ => return Err(DeflateError::Corrupt("kind of block")),
                };
                segment.head = Some(Head { last, kind });
                last
            }
        };
        segment.ends = self.tokens(out, segment)?;
        if self.bits.overrun() {
            return Err(DeflateError::Truncated);
        }
        segment.bytes = out.len() - before;
        self.plain_bytes += segment.bytes as u64;
        self.state = match (segment.ends, last) {
            (false, _) => InflateState::Within(last),
            (true, false) => InflateState::Between,
            (true, true) => InflateState::Done,
        };
        Ok(true)
    }

    fn stored(
        &mut self,
        last: bool,
        out: &mut Vec<u8>,
        segment: &mut BlockSegment,
    ) -> Result<(), DeflateError> {
        let padding = self.bits.take(self.bits.bits_to_byte())?;
        let len = self.bits.take(16)?;
        let check = self.bits.take(16)?;
        if len != !check & 0xffff {
            return Err(DeflateError::Corrupt("length of a stored block"));
        }
        let before = out.len();
        out.resize(before + len as usize, 0);
        if self.bits.overrun() || self.bits.bytes(&mut out[before..])? < len as usize {
            return Err(DeflateError::Truncated);
        }
        let padding = u8::try_from(padding).expect("less than eight bits");
        segment.head = Some(Head {
            last,
            kind: BlockForm::Stored { padding },
        });
        segment.bytes = len as usize;
        segment.ends = true;
        self.plain_bytes += u64::from(len);
        self.state = if last {
            InflateState::Done
        } else {
            InflateState::Between
        };
        Ok(())
    }

    /// Reads tokens up to the end of the block or of the segment. Returns whether the block ended.
    fn tokens(
        &mut self,
        out: &mut Vec<u8>,
        segment: &mut BlockSegment,
    ) -> Result<bool, DeflateError> {
        let before = out.len();
        // No match may copy from before the stream's beginning, whatever bytes `out` has before it.
        let reach = usize::try_from(self.plain_bytes)
            .unwrap_or(WINDOW)
            .min(WINDOW);
        while segment.tokens.len() < SEGMENT_TOKENS && out.len() - before < SEGMENT_BYTES {
            self.bits.refill()?;
            // One refill serves three literals, 45 bits at most, or one match, 48 bits at most.
            let mut bits = self.bits.peek();
            let (symbol, len) = self.lit.decode(bits);
            if len == 0 {
                return Err(self.broken());
            }
            self.bits.skip(len);
            if symbol < 256 {
                #[expect(clippy::cast_possible_truncation, reason = "less than 256")]
                let byte = symbol as u8;
                out.push(byte);
                segment.tokens.push(Token::literal(byte));
                if self.bits.overrun() {
                    return Err(DeflateError::Truncated);
                }
                continue;
            }
            if symbol == codes::END {
                return Ok(true);
            }
            bits >>= len;
            let (length, odd, extra) =
                codes::length_of(symbol, bits).ok_or(DeflateError::Corrupt("length"))?;
            self.bits.skip(extra);
            bits >>= extra;
            let (symbol, len) = self.dist.decode(bits);
            if len == 0 {
                return Err(self.broken());
            }
            bits >>= len;
            let (base, extra) = codes::distance_base(symbol);
            let dist = base + codes::low_bits(bits, extra);
            self.bits.skip(len + extra);
            if dist as usize > reach + (out.len() - before) {
                return Err(DeflateError::Corrupt("distance"));
            }
            segment.tokens.push(if odd {
                Token::odd(dist)
            } else {
                Token::matched(length, dist)
            });
            copy(out, length as usize, dist as usize);
        }
        Ok(false)
    }

    fn broken(&self) -> DeflateError {
        if self.bits.overrun() {
            return DeflateError::Truncated;
        }
        DeflateError::Corrupt("code")
    }
}

/// Appends `len` bytes from `dist` bytes before the end.
#[inline]
fn copy(out: &mut Vec<u8>, len: usize, dist: usize) {
    let from = out.len() - dist;
    if dist >= len {
        out.extend_from_within(from..from + len);
        return;
    }
    // The most common overlap is a run of one byte.
    if dist == 1 {
        let byte = out[from];
        out.resize(out.len() + len, byte);
        return;
    }
    let mut left = len;
    while left > 0 {
        // Source and target overlap. Each step copies all bytes that exist by then, so steps double in length.
        let step = left.min(out.len() - from);
        out.extend_from_within(from..from + step);
        left -= step;
    }
}

impl From<io::Error> for DeflateError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
