//! The text that an encoder sees, and what its tables hold of it.

use super::rules::BLOCK_LOGS;

/// Positions from which on tables are moved down.
const POSITION_MAX: usize = 1 << 30;

/// The text of a window, and the block behind it.
pub(super) struct History {
    text: Vec<u8>,
    /// Where the block begins.
    begin: usize,
    /// Farthest distance.
    reach: usize,
    /// Position of the first byte. No byte has a position below `reach`, so an empty entry is out of reach.
    base: usize,
}

impl History {
    pub(super) fn new(reach: usize) -> Self {
        Self {
            text: Vec::new(),
            begin: 0,
            reach,
            base: reach,
        }
    }

    /// Returns the bytes of the block.
    pub(super) fn block(&self) -> &[u8] {
        &self.text[self.begin..]
    }

    /// Bytes beyond the reach that are held before they are dropped at once.
    fn spare(&self) -> usize {
        self.reach / 2 + (1 << 20)
    }

    /// Adds bytes to the block.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.text.capacity() - self.text.len() < bytes.len() {
            // Twice as much, and no more than is ever needed.
            let most = self.reach + self.spare() + (1 << *BLOCK_LOGS.end());
            let wanted = (2 * self.text.capacity()).min(most);
            let wanted = wanted.max(self.text.len() + bytes.len());
            self.text.reserve_exact(wanted - self.text.len());
        }
        self.text.extend_from_slice(bytes);
    }

    pub(super) fn view(&self) -> HistoryView<'_> {
        HistoryView {
            text: &self.text,
            begin: self.begin,
            reach: self.reach,
            base: self.base as u32,
        }
    }

    /// Ends the block. Returns by how much positions became less, when they did.
    pub(super) fn end_block(&mut self) -> Option<u32> {
        self.begin = self.text.len();
        if self.text.len() >= self.reach + self.spare() {
            let dropped = self.text.len() - self.reach;
            self.text.drain(..dropped);
            self.begin -= dropped;
            self.base += dropped;
        }
        if self.base < POSITION_MAX {
            return None;
        }
        let by = self.base - self.reach;
        self.base = self.reach;
        Some(by as u32)
    }
}

/// A block and the text before it.
#[derive(Clone, Copy)]
pub(super) struct HistoryView<'a> {
    /// To the end of the block.
    pub(super) text: &'a [u8],
    /// Where the block begins.
    pub(super) begin: usize,
    /// Farthest distance, which no match found by a table has.
    pub(super) reach: usize,
    base: u32,
}

impl<'a> HistoryView<'a> {
    pub(super) fn block(&self) -> &'a [u8] {
        &self.text[self.begin..]
    }

    /// Returns the position of a place, as tables hold it.
    #[inline]
    pub(super) fn position(&self, at: usize) -> u32 {
        self.base + at as u32
    }

    /// Returns the place of a position that is less than `reach` before `at`.
    #[inline]
    pub(super) fn place(&self, position: u32, at: usize) -> Option<usize> {
        let distance = self.position(at).wrapping_sub(position) as usize;
        if distance < self.reach {
            at.checked_sub(distance)
        } else {
            None
        }
    }

    /// As [`Self::place`], where the distance may be `reach` too.
    #[inline]
    pub(super) fn place_at_reach(&self, position: u32, at: usize) -> Option<usize> {
        let distance = self.position(at).wrapping_sub(position) as usize;
        if distance <= self.reach {
            at.checked_sub(distance)
        } else {
            None
        }
    }

    /// Returns the place of a position, wherever it is in the text.
    #[inline]
    pub(super) fn place_of(&self, position: u32) -> Option<usize> {
        Some(position.checked_sub(self.base)? as usize)
    }

    /// Returns the eight bytes at a place, the first one lowest.
    #[inline]
    pub(super) fn load8(&self, at: usize) -> u64 {
        match self.text.get(at..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u64::from_le_bytes(*bytes),
            None => 0,
        }
    }

    /// Returns the four bytes at a place.
    #[inline]
    pub(super) fn load4(&self, at: usize) -> u32 {
        match self.text.get(at..).and_then(<[u8]>::first_chunk) {
            Some(bytes) => u32::from_le_bytes(*bytes),
            None => 0,
        }
    }

    /// Returns how many bytes from `at` on are those from `from` on, which is before it.
    #[inline]
    pub(super) fn same_bytes(&self, at: usize, from: usize) -> usize {
        let ahead = &self.text[at..];
        let earlier = &self.text[from..][..ahead.len()];
        let (ahead8, rest) = ahead.as_chunks::<8>();
        let (earlier8, earlier_rest) = earlier.as_chunks::<8>();
        for (no, (a, b)) in ahead8.iter().zip(earlier8).enumerate() {
            let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
            if differ != 0 {
                return 8 * no + (differ.trailing_zeros() / 8) as usize;
            }
        }
        let same = rest.iter().zip(earlier_rest).take_while(|(a, b)| a == b);
        8 * ahead8.len() + same.count()
    }

    /// Returns how many bytes before `at` are those before `from`, down to `low` and within reach of `at`.
    #[inline]
    pub(super) fn same_before(&self, at: usize, from: usize, low: usize, end: usize) -> usize {
        let farthest = end.saturating_sub(self.reach);
        let most = at.saturating_sub(low).min(from.saturating_sub(farthest));
        let before = self.text[..at]
            .iter()
            .rev()
            .zip(self.text[..from].iter().rev());
        before.take(most).take_while(|(a, b)| a == b).count()
    }
}

const PRIME5: u64 = 889_523_592_379;
const PRIME6: u64 = 227_718_039_650_203;
const PRIME8: u64 = 0xcf1b_bcdc_b7a5_6463;

#[inline]
pub(super) fn hash5(bytes: u64, bits: u32) -> usize {
    ((bytes << 24).wrapping_mul(PRIME5) >> (64 - bits)) as usize
}

#[inline]
pub(super) fn hash6(bytes: u64, bits: u32) -> usize {
    ((bytes << 16).wrapping_mul(PRIME6) >> (64 - bits)) as usize
}

#[inline]
pub(super) fn hash8(bytes: u64, bits: u32) -> usize {
    (bytes.wrapping_mul(PRIME8) >> (64 - bits)) as usize
}

/// Where four bytes came last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TableEntry {
    pub(super) bytes: u32,
    pub(super) position: u32,
}
