//! Collects bits from the lowest up, in bytes.

/// Appends bits to bytes. The first bit is the lowest of the first byte.
pub(super) struct BitSink<'a> {
    out: &'a mut Vec<u8>,
    held: u64,
    /// Bits that are held, fewer than 32 between calls.
    count: u32,
}

impl<'a> BitSink<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            held: 0,
            count: 0,
        }
    }

    /// Adds the lowest `bits` bits of `value`, at most 32.
    #[inline]
    pub(super) fn push(&mut self, value: u32, bits: u32) {
        let mask = (1_u64 << bits) - 1;
        self.held |= (u64::from(value) & mask) << self.count;
        self.count += bits;
        if self.count >= 32 {
            let [a, b, c, d, ..] = self.held.to_le_bytes();
            self.out.extend_from_slice(&[a, b, c, d]);
            self.held >>= 32;
            self.count -= 32;
        }
    }

    /// Adds the bit that marks the end, and fills the last byte.
    pub(super) fn finish(mut self) {
        self.push(1, 1);
        let bytes = self.count.div_ceil(8) as usize;
        self.out
            .extend_from_slice(&self.held.to_le_bytes()[..bytes]);
    }
}
