//! An adaptive binary range coder, and numbers made of its bits.
//!
//! The coder is that of LZMA (Igor Pavlov): a 32-bit range, with carries held back. Probabilities have 16 bits and are
//! the mean of a fast and a slow estimate. A zero bit is the low end of the range and zero bytes at the end are not
//! kept, so a stream of correctly predicted zeros costs nothing. Functions over [`SymbolCoder`] are written once for
//! both directions. An encoder returns the bit that it is given, a decoder the bit that it reads. A script may be a
//! row of parts: each has a coder of its own and whole bytes.

use std::io::{self, Read, Write};

/// The probability of a zero bit stays between this and its complement, out of 65536.
const CHANCE_MIN: u32 = 24;
/// The least parts of the way, out of 65536, that the two estimates of a chance go toward a bit.
const FAST_RATE: u32 = 1 << 12;
const SLOW_RATE: u32 = 1 << 9;
/// Bits that a chance counts: from then on both estimates go at their least rate.
const COUNTED_BITS: u16 = 127;
/// When the range is smaller than this, it is widened by a byte.
const RANGE_MIN: u32 = 1 << 24;

/// The adaptive state of a bit: the probability that it is zero.
#[derive(Clone, Copy)]
pub(crate) struct Chance {
    fast: u16,
    slow: u16,
    /// The bits that it learned from, up to [`COUNTED_BITS`].
    count: u16,
}

impl Default for Chance {
    fn default() -> Self {
        Self {
            fast: 1 << 15,
            slow: 1 << 15,
            count: 0,
        }
    }
}

impl Chance {
    /// Returns the part of the range that a zero gets.
    #[inline]
    fn share(self, range: u32) -> u32 {
        let mean = (u32::from(self.fast) + u32::from(self.slow)) >> 1;
        let chance = mean.clamp(CHANCE_MIN, 65536 - CHANCE_MIN);
        (range >> 16) * chance + (((range & 0xffff) * chance) >> 16)
    }

    #[inline]
    fn learn(&mut self, bit: bool, rates: &LearningRates) {
        let rate = rates[usize::from(self.count)];
        self.count = (self.count + 1).min(COUNTED_BITS);
        self.fast = toward(self.fast, bit, rate.max(FAST_RATE));
        self.slow = toward(self.slow, bit, rate.max(SLOW_RATE));
    }
}

/// Parts of the way, out of 65536, that estimates go at least, by the bits that their chance learned from.
type LearningRates = [u32; COUNTED_BITS as usize + 1];

/// As an average over these bits would go.
static AVERAGING: LearningRates = {
    let mut rates = [0; COUNTED_BITS as usize + 1];
    let mut count = 0_u32;
    while (count as usize) < rates.len() {
        rates[count as usize] = 131_072 / (2 * count + 3);
        count += 1;
    }
    rates
};

/// At their own rate from the first bit on.
static STEADY: LearningRates = [0; COUNTED_BITS as usize + 1];

/// How bits are coded, by the recipe's version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodingVersion {
    /// One part, whose chances learn at a steady rate.
    Steady,
    /// Parts, whose chances learn fast at first.
    Parts,
}

impl CodingVersion {
    /// Returns the coding of a recipe's version.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Steady),
            2 => Some(Self::Parts),
            _ => None,
        }
    }
}

/// Moves an estimate toward a bit.
#[inline]
fn toward(estimate: u16, bit: bool, rate: u32) -> u16 {
    if bit {
        estimate - ((u32::from(estimate) * rate) >> 16) as u16
    } else {
        estimate + ((u32::from(u16::MAX - estimate) * rate) >> 16) as u16
    }
}

/// One direction of coding.
pub(crate) trait SymbolCoder {
    /// Codes one bit. An encoder writes `bit`, a decoder ignores it and returns the bit that it read.
    fn bit(&mut self, chance: &mut Chance, bit: bool) -> bool;

    /// Codes the low `count` bits of `value`, highest first, with equal probabilities.
    fn even(&mut self, value: u32, count: u32) -> u32;

    /// Returns the bytes of the part so far: those by which the range was widened. There are none where the script is
    /// one part.
    fn taken(&self) -> u32;

    /// Ends a part and begins the next one.
    fn begin_anew(&mut self);
}

/// The encoding direction.
pub(crate) struct RangeEncoder<'a> {
    out: &'a mut dyn Write,
    low: u64,
    range: u32,
    /// The byte that a carry may still change, and the number of 0xff bytes behind it.
    held: Option<u8>,
    held_ff: u64,
    /// Zero bytes that are written only when another byte follows.
    zeros: u64,
    written: u64,
    taken: u32,
    /// The first write error. `finish` returns it.
    failed: Option<io::Error>,
    buffer: Vec<u8>,
}

impl<'a> RangeEncoder<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            low: 0,
            range: u32::MAX,
            held: None,
            held_ff: 0,
            zeros: 0,
            written: 0,
            taken: 0,
            failed: None,
            buffer: Vec::new(),
        }
    }

    /// Returns the bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    #[inline]
    fn widen(&mut self) {
        while self.range < RANGE_MIN {
            self.range <<= 8;
            self.taken = self.taken.saturating_add(1);
            self.shift();
        }
    }

    fn shift(&mut self) {
        // A carry changes the byte before it and turns the 0xff bytes between into zeros. They are held back until it
        // is known.
        let carry = self.low >> 32 != 0;
        let top = self.low.to_le_bytes()[3];
        if carry || top != 0xff {
            if let Some(held) = self.held {
                self.byte(held.wrapping_add(u8::from(carry)));
            }
            for _ in 0..std::mem::take(&mut self.held_ff) {
                self.byte(if carry { 0 } else { 0xff });
            }
            self.held = Some(top);
        } else {
            self.held_ff += 1;
        }
        self.low = (self.low & 0x00ff_ffff) << 8;
    }

    fn byte(&mut self, byte: u8) {
        if byte == 0 {
            self.zeros += 1;
            return;
        }
        for _ in 0..std::mem::take(&mut self.zeros) {
            self.buffer.push(0);
            self.written += 1;
            self.drain(1 << 16);
        }
        self.buffer.push(byte);
        self.written += 1;
        self.drain(1 << 16);
    }

    fn drain(&mut self, most: usize) {
        if self.buffer.len() >= most {
            if let Err(error) = self.out.write_all(&self.buffer) {
                self.failed.get_or_insert(error);
            }
            self.buffer.clear();
        }
    }

    /// Writes the bytes that are held back.
    fn flush(&mut self) {
        // Five shifts move all four bytes of `low` and the byte that was held back to the output.
        for _ in 0..5 {
            self.shift();
        }
    }

    /// Writes the remaining bytes.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.flush();
        self.drain(1);
        self.failed.map_or(Ok(self.written), Err)
    }
}

impl SymbolCoder for RangeEncoder<'_> {
    #[inline]
    fn bit(&mut self, chance: &mut Chance, bit: bool) -> bool {
        let share = chance.share(self.range);
        if bit {
            self.low += u64::from(share);
            self.range -= share;
        } else {
            self.range = share;
        }
        chance.learn(bit, &AVERAGING);
        self.widen();
        bit
    }

    fn even(&mut self, value: u32, count: u32) -> u32 {
        for place in (0..count).rev() {
            self.range >>= 1;
            if value >> place & 1 == 1 {
                self.low += u64::from(self.range);
            }
            self.widen();
        }
        value
    }

    fn taken(&self) -> u32 {
        self.taken
    }

    fn begin_anew(&mut self) {
        self.flush();
        // What is still held is the zero that was shifted in last.
        (self.held, self.held_ff, self.low) = (None, 0, 0);
        (self.range, self.taken) = (u32::MAX, 0);
    }
}

/// The decoding direction. Reads zeros behind the end.
pub(crate) struct RangeDecoder<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    at: usize,
    filled: usize,
    range: u32,
    code: u32,
    rates: &'static LearningRates,
    has_parts: bool,
    taken: u32,
    failed: Option<io::Error>,
}

impl<'a> RangeDecoder<'a> {
    pub(crate) fn new(source: &'a mut dyn Read, version: CodingVersion) -> Self {
        let has_parts = version == CodingVersion::Parts;
        let mut decoder = Self {
            source,
            buffer: vec![0; 4096],
            at: 0,
            filled: 0,
            range: u32::MAX,
            code: 0,
            rates: if has_parts { &AVERAGING } else { &STEADY },
            has_parts,
            taken: 0,
            failed: None,
        };
        decoder.begin_anew();
        decoder
    }

    /// Returns a read error, if there was one. Zeros stand for bytes that could not be read.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn byte(&mut self) -> u8 {
        if self.at == self.filled {
            self.at = 0;
            self.filled = loop {
                match self.source.read(&mut self.buffer) {
                    Ok(len) => break len,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.failed.get_or_insert(error);
                        break 0;
                    }
                }
            };
            // The encoder drops zeros at the end, so the decoder reads zeros behind it.
            if self.filled == 0 {
                return 0;
            }
        }
        self.at += 1;
        self.buffer[self.at - 1]
    }

    #[inline]
    fn widen(&mut self) {
        while self.range < RANGE_MIN {
            self.range <<= 8;
            self.taken = self.taken.saturating_add(u32::from(self.has_parts));
            self.code = self.code << 8 | u32::from(self.byte());
        }
    }
}

impl SymbolCoder for RangeDecoder<'_> {
    #[inline]
    fn bit(&mut self, chance: &mut Chance, _: bool) -> bool {
        let share = chance.share(self.range);
        let bit = self.code >= share;
        if bit {
            self.code -= share;
            self.range -= share;
        } else {
            self.range = share;
        }
        chance.learn(bit, self.rates);
        self.widen();
        bit
    }

    fn even(&mut self, _: u32, count: u32) -> u32 {
        let mut value = 0;
        for _ in 0..count {
            self.range >>= 1;
            let bit = self.code >= self.range;
            if bit {
                self.code -= self.range;
            }
            value = value << 1 | u32::from(bit);
            self.widen();
        }
        value
    }

    fn taken(&self) -> u32 {
        self.taken
    }

    fn begin_anew(&mut self) {
        (self.range, self.taken) = (u32::MAX, 0);
        for _ in 0..4 {
            self.code = self.code << 8 | u32::from(self.byte());
        }
    }
}

/// Codes numbers below `1 << BITS`, bit by bit from the highest. The probability of each bit depends on the bits above
/// it.
#[derive(Clone)]
pub(crate) struct BitTree<const BITS: u32> {
    chances: Vec<Chance>,
}

impl<const BITS: u32> Default for BitTree<BITS> {
    fn default() -> Self {
        Self {
            chances: vec![Chance::default(); 1 << BITS],
        }
    }
}

impl<const BITS: u32> BitTree<BITS> {
    pub(crate) fn code<C: SymbolCoder>(&mut self, coder: &mut C, value: u32) -> u32 {
        let mut node = 1;
        for place in (0..BITS).rev() {
            let bit = coder.bit(&mut self.chances[node], value >> place & 1 == 1);
            node = node << 1 | usize::from(bit);
        }
        u32::try_from(node - (1 << BITS)).expect("a node has at most 16 bits")
    }
}

/// Codes any 32-bit number: the number of its bits, then the bits below the highest, the first three of them adaptive.
#[derive(Clone, Default)]
pub(crate) struct Number {
    /// The number of bits of `value + 1`.
    size: BitTree<6>,
    bits: Vec<BitTree<3>>,
}

impl Number {
    pub(crate) fn code<C: SymbolCoder>(&mut self, coder: &mut C, value: u32) -> u32 {
        let from_one = u64::from(value) + 1;
        let size = self.size.code(coder, 63 - from_one.leading_zeros()).min(32);
        if self.bits.is_empty() {
            self.bits.resize(33, BitTree::default());
        }
        let below = from_one & ((1 << size) - 1);
        let first = size.min(3);
        let rest = size - first;
        #[expect(clippy::cast_possible_truncation, reason = "three bits")]
        let top = self.bits[size as usize].code(coder, (below >> rest << (3 - first)) as u32);
        #[expect(clippy::cast_possible_truncation, reason = "at most 29 bits")]
        let low = coder.even((below & ((1 << rest) - 1)) as u32, rest);
        let from_one = 1_u64 << size | u64::from(top >> (3 - first)) << rest | u64::from(low);
        u32::try_from(from_one - 1).unwrap_or(u32::MAX)
    }
}

/// Codes signed numbers. Small ones are cheap.
#[derive(Clone, Default)]
pub(crate) struct SignedNumbers {
    number: Number,
}

impl SignedNumbers {
    pub(crate) fn code<C: SymbolCoder>(&mut self, coder: &mut C, value: i32) -> i32 {
        let folded = (value << 1 ^ value >> 31).cast_unsigned();
        let folded = self.number.code(coder, folded);
        (folded >> 1).cast_signed() ^ -((folded & 1).cast_signed())
    }
}
