//! Bytes that look random, or like text, and are the same every time.

/// Bytes that no compressor makes smaller and no code can guess.
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        out.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    out.truncate(len);
    out
}

/// Bytes that compress well.
pub fn text(seed: u64, len: usize) -> Vec<u8> {
    let mut numbers = Seeded::new(seed);
    let mut out = Vec::with_capacity(len + 64);
    while out.len() < len {
        let number = numbers.next();
        let line = format!(
            "{} server[{}]: request {} took {} ms\n",
            number % 86_400,
            number % 7,
            number % 1000,
            number % 97
        );
        out.extend_from_slice(line.as_bytes());
    }
    out.truncate(len);
    out
}

/// Numbers that look random and are the same every time.
pub struct Seeded(u64);

impl Seeded {
    /// Begins a row of numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 to 1.
    pub fn fraction(&mut self) -> f64 {
        f64::from(u32::try_from(self.next() >> 40).unwrap()) / f64::from(1 << 24)
    }
}
