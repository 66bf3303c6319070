//! Tables of finite state entropy: how often symbols come, rounded to a power of two, and the states of a coder.
//!
//! The format is in RFC 8878, 4.1. How counts are rounded, and what a table seems to cost, decides bytes.

use super::bits::BitSink;

/// Symbols that a table has at most: those of match lengths.
pub(super) const SYMBOLS: usize = 53;
/// States of the largest table.
const STATES: usize = 256;
/// Smallest table, as a power of two.
const LOG_MIN: u32 = 5;
/// What a symbol must have beyond a whole number of states to get one more, for 0 to 7 states, in 2^-20.
const ROUND_UP: [u64; 8] = [
    0, 473_195, 504_333, 520_860, 550_000, 700_000, 750_000, 830_000,
];

/// How often each symbol comes.
#[derive(Debug, Clone)]
pub(super) struct SymbolCounts {
    pub(super) counts: [u32; SYMBOLS],
    /// Symbols up to the last that comes.
    pub(super) symbols: usize,
    pub(super) total: u32,
    /// How often the most frequent symbol comes.
    pub(super) most: u32,
}

impl SymbolCounts {
    pub(super) fn of(values: impl Iterator<Item = u8>) -> Self {
        let mut counts = [0; SYMBOLS];
        let mut total = 0;
        for value in values {
            counts[usize::from(value)] += 1;
            total += 1;
        }
        let symbols = counts.iter().rposition(|count| *count > 0);
        Self {
            symbols: symbols.map_or(0, |last| last + 1),
            total,
            most: counts.iter().copied().max().unwrap_or(0),
            counts,
        }
    }

    /// Returns the size of a table as a power of two. `source_bits` are those that the total needs at least.
    pub(super) fn log(&self, source_bits: u32, most: u32) -> u32 {
        let symbol_bits = floor_log(self.symbols as u32 - 1).wrapping_add(2);
        let least = (source_bits & 0xff).min(symbol_bits & 0xff);
        // Fewer than five symbols in all count as many, since the difference is taken in a byte.
        let accuracy = floor_log(self.total - 1).wrapping_sub(2) & 0xff;
        most.min(accuracy)
            .max(least)
            .clamp(LOG_MIN, most.max(LOG_MIN))
    }
}

/// Returns the place of the highest bit, and all ones for 0.
pub(super) fn floor_log(value: u32) -> u32 {
    31_u32.wrapping_sub(value.leading_zeros())
}

/// What moves a coder from state to state at a symbol.
#[derive(Debug, Clone, Copy, Default)]
struct Step {
    /// Bits to give, times 2^16, less the state from which on it is one more.
    bits: u32,
    /// What leads to the next state.
    next: i32,
}

/// A table of states.
#[derive(Debug, Clone)]
pub(super) struct StateTable {
    log: u32,
    /// States of each symbol, -1 for one state of a symbol that is rarer.
    shares: [i16; SYMBOLS],
    symbols: usize,
    steps: [Step; SYMBOLS],
    next: [u16; STATES],
}

impl StateTable {
    /// Makes the table of a histogram. Returns `None` where the shares do not come out.
    pub(super) fn of(histogram: &SymbolCounts, log: u32) -> Option<Self> {
        let shares = shares(histogram, log)?;
        Self::new(log, shares, histogram.symbols)
    }

    /// Makes a table of shares that sum up to 2^log.
    pub(super) fn new(log: u32, shares: [i16; SYMBOLS], symbols: usize) -> Option<Self> {
        let size = 1_usize << log;
        let mut symbol_of = [0_u8; STATES];
        let mut begins = [0_usize; SYMBOLS];
        let (mut begin, mut high) = (0, size);
        for (symbol, share) in shares[..symbols].iter().enumerate() {
            begins[symbol] = begin;
            if *share == -1 {
                high = high.checked_sub(1)?;
                symbol_of[high] = symbol as u8;
            }
            begin += usize::from(share.unsigned_abs());
        }
        if begin != size {
            return None;
        }
        let mut at = 0;
        for (symbol, share) in shares[..symbols].iter().enumerate() {
            for _ in 0..(*share).max(0) {
                symbol_of[at] = symbol as u8;
                loop {
                    at = (at + (size >> 1) + (size >> 3) + 3) & (size - 1);
                    if at < high {
                        break;
                    }
                }
            }
        }
        let mut next = [0; STATES];
        let mut fill = begins;
        for (state, symbol) in symbol_of[..size].iter().enumerate() {
            let place = &mut fill[usize::from(*symbol)];
            next[*place] = (size + state) as u16;
            *place += 1;
        }
        let mut steps = [Step::default(); SYMBOLS];
        for (symbol, share) in shares[..symbols].iter().enumerate() {
            let begin = begins[symbol] as i32;
            steps[symbol] = match share {
                0 => continue,
                -1 | 1 => Step {
                    bits: (log << 16) - (1 << log),
                    next: begin - 1,
                },
                share => {
                    let most = log - floor_log(u32::from(share.unsigned_abs()) - 1);
                    Step {
                        bits: (most << 16) - (u32::from(share.unsigned_abs()) << most),
                        next: begin - i32::from(*share),
                    }
                }
            };
        }
        Some(Self {
            log,
            shares,
            symbols,
            steps,
            next,
        })
    }

    /// Returns about how many bits the symbols take, or `None` when one of them is not in the table.
    pub(super) fn cost(&self, histogram: &SymbolCounts) -> Option<u32> {
        const FRACTION: u32 = 8;
        if self.symbols < histogram.symbols {
            return None;
        }
        let mut cost = 0_u32;
        for (symbol, count) in histogram.counts[..histogram.symbols].iter().enumerate() {
            if *count == 0 {
                continue;
            }
            if self.shares[symbol] == 0 {
                return None;
            }
            let bits = self.steps[symbol].bits;
            let most = (bits >> 16) + 1;
            let beyond = (most << 16).wrapping_sub(bits + (1 << self.log));
            let each = (most << FRACTION) - ((beyond << FRACTION) >> self.log);
            if each > (self.log + 1) << FRACTION {
                return None;
            }
            cost = cost.wrapping_add(count * each);
        }
        Some(cost >> FRACTION)
    }

    /// Returns how many bits the description of the table counts for.
    pub(super) fn header_bits(&self) -> u32 {
        (((self.symbols as u32 * self.log) >> 3) + 3) * 8
    }

    /// Appends the description of the table (RFC 8878, 4.1.1).
    pub(super) fn describe(&self, out: &mut Vec<u8>) {
        let mut sink = DescriptionBits {
            out,
            held: 0,
            count: 0,
        };
        sink.add(self.log - LOG_MIN, 4);
        let mut left = (1_i32 << self.log) + 1;
        let mut threshold = 1_i32 << self.log;
        let mut bits = self.log + 1;
        let mut symbol = 0;
        let mut is_after_zero = false;
        while left > 1 && symbol < self.symbols {
            if is_after_zero {
                let rest = &self.shares[symbol..self.symbols];
                let mut zeros = rest.iter().take_while(|share| **share == 0).count();
                symbol += zeros;
                while zeros >= 3 {
                    sink.add(3, 2);
                    zeros -= 3;
                }
                sink.add(zeros as u32, 2);
            }
            let share = i32::from(self.shares[symbol]);
            symbol += 1;
            let spare = 2 * threshold - 1 - left;
            left -= share.abs();
            let mut value = share + 1;
            is_after_zero = value == 1;
            if value >= threshold {
                value += spare;
            }
            sink.add(value as u32, bits - u32::from(value < spare));
            while left < threshold {
                bits -= 1;
                threshold >>= 1;
            }
        }
        sink.finish();
    }
}

/// Bits of a description, which ends without a mark.
struct DescriptionBits<'a> {
    out: &'a mut Vec<u8>,
    held: u32,
    count: u32,
}

impl DescriptionBits<'_> {
    fn add(&mut self, value: u32, bits: u32) {
        self.held |= value << self.count;
        self.count += bits;
        while self.count >= 8 {
            self.out.push(self.held as u8);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    fn finish(self) {
        if self.count > 0 {
            self.out.push(self.held as u8);
        }
    }
}

/// Rounds counts to shares of 2^log states.
fn shares(histogram: &SymbolCounts, log: u32) -> Option<[i16; SYMBOLS]> {
    let mut shares = [0_i16; SYMBOLS];
    let scale = 62 - log;
    let step = (1_u64 << 62) / u64::from(histogram.total);
    let low = histogram.total >> log;
    let mut left = 1_i32 << log;
    let (mut largest, mut largest_share) = (0, 0);
    for (symbol, count) in histogram.counts[..histogram.symbols].iter().enumerate() {
        if *count == 0 {
            continue;
        }
        if *count <= low {
            shares[symbol] = -1;
            left -= 1;
            continue;
        }
        let exact = u64::from(*count) * step;
        let mut share = exact >> scale;
        if let Some(limit) = ROUND_UP.get(share as usize) {
            let beyond = exact - (share << scale);
            share += u64::from(beyond > (limit << (scale - 20)));
        }
        if share > largest_share {
            (largest, largest_share) = (symbol, share);
        }
        shares[symbol] = share as i16;
        left -= share as i32;
    }
    if -left >= i32::from(shares[largest] >> 1) {
        return crowded_shares(histogram, log);
    }
    shares[largest] += left as i16;
    Some(shares)
}

/// Rounds counts where the first way gives too many states away.
fn crowded_shares(histogram: &SymbolCounts, log: u32) -> Option<[i16; SYMBOLS]> {
    const OPEN: i16 = -2;
    let counts = &histogram.counts[..histogram.symbols];
    let mut shares = [0_i16; SYMBOLS];
    let mut total = histogram.total;
    let low = total >> log;
    let mut low_one = (total * 3) >> (log + 1);
    let mut given = 0_u32;
    for (share, count) in shares.iter_mut().zip(counts) {
        *share = match *count {
            0 => continue,
            count if count <= low => -1,
            count if count <= low_one => 1,
            _ => {
                *share = OPEN;
                continue;
            }
        };
        given += 1;
        total -= count;
    }
    let mut left = (1_u32 << log).checked_sub(given)?;
    if total.checked_div(left)? > low_one {
        low_one = (total * 3) / (left * 2);
        for (share, count) in shares.iter_mut().zip(counts) {
            if *share == OPEN && *count <= low_one {
                *share = 1;
                given += 1;
                total -= count;
            }
        }
        left = (1_u32 << log).checked_sub(given)?;
    }
    if total == 0 {
        if !shares.iter().any(|share| *share > 0) {
            return None;
        }
        let mut symbol = 0;
        while left > 0 {
            if shares[symbol] > 0 {
                left -= 1;
                shares[symbol] += 1;
            }
            symbol = (symbol + 1) % histogram.symbols;
        }
        return Some(shares);
    }
    let scale = 62 - log;
    let middle = (1_u64 << (scale - 1)) - 1;
    let step = ((1_u64 << scale) * u64::from(left) + middle) / u64::from(total);
    let mut at = middle;
    for (share, count) in shares.iter_mut().zip(counts) {
        if *share == OPEN {
            let end = at + u64::from(*count) * step;
            let weight = (end >> scale) - (at >> scale);
            if weight < 1 {
                return None;
            }
            *share = weight as i16;
            at = end;
        }
    }
    Some(shares)
}

/// A table as a coder uses it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Coding<'a> {
    Table(&'a StateTable),
    /// All symbols are the same, and take no bits.
    Same,
}

/// The state of a coder. Symbols are coded from the last to the first.
#[derive(Debug, Clone, Copy)]
pub(super) struct CoderState<'a> {
    coding: Coding<'a>,
    state: u32,
}

impl<'a> CoderState<'a> {
    /// Begins with the last symbol.
    pub(super) fn new(coding: Coding<'a>, last: u8) -> Self {
        let state = match coding {
            Coding::Same => 0,
            Coding::Table(table) => {
                let step = table.steps[usize::from(last)];
                let bits = step.bits.wrapping_add(1 << 15) >> 16;
                let place = ((bits << 16).wrapping_sub(step.bits) >> bits) as i32 + step.next;
                u32::from(table.next[place as usize])
            }
        };
        Self { coding, state }
    }

    #[inline]
    pub(super) fn code(&mut self, symbol: u8, sink: &mut BitSink<'_>) {
        if let Coding::Table(table) = self.coding {
            let step = table.steps[usize::from(symbol)];
            let bits = self.state.wrapping_add(step.bits) >> 16;
            sink.push(self.state, bits);
            let place = (self.state >> bits) as i32 + step.next;
            self.state = u32::from(table.next[place as usize]);
        }
    }

    /// Gives the state that a decoder begins with.
    pub(super) fn finish(self, sink: &mut BitSink<'_>) {
        if let Coding::Table(table) = self.coding {
            sink.push(self.state, table.log);
        }
    }
}
