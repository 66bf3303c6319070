//! Segments: where in a frame's bytes code and tables lie, and which addresses they have.

/// A range of bytes of which the fields are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// First byte, in the plain bytes or in the bases.
    pub place: usize,
    /// Number of bytes.
    pub bytes: usize,
    /// What it holds.
    pub kind: SegmentKind,
    /// Address of the first byte.
    pub address: u32,
    /// What is added to the numbers in it to give addresses. Code and unwind entries do not use it.
    pub base: u32,
    /// The same for names of symbols.
    pub names: u32,
}

impl Segment {
    pub(super) const EMPTY: Self = Self {
        place: 0,
        bytes: 0,
        kind: SegmentKind::Code,
        address: 0,
        base: 0,
        names: 0,
    };

    pub fn end(&self) -> usize {
        self.place + self.bytes
    }
}

/// What a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum SegmentKind {
    /// Instructions for x86-64.
    Code = 0,
    /// Entries of `.eh_frame`.
    Unwind = 1,
    /// Relocations with addends for x86-64, 24 bytes each.
    Relocations = 2,
    /// Symbols, 24 bytes each.
    Symbols = 3,
    /// Addresses of 8 bytes.
    Words = 4,
    /// Distances of 4 bytes from a common base.
    Distances = 5,
    /// Instructions for arm64.
    Arm64Code = 6,
    /// Relocations with addends for arm64, 24 bytes each.
    Arm64Relocations = 7,
}

impl SegmentKind {
    pub fn is_code(self) -> bool {
        matches!(self, Self::Code | Self::Arm64Code)
    }

    pub fn from_number(number: u64) -> Option<Self> {
        [
            Self::Code,
            Self::Unwind,
            Self::Relocations,
            Self::Symbols,
            Self::Words,
            Self::Distances,
            Self::Arm64Code,
            Self::Arm64Relocations,
        ]
        .into_iter()
        .find(|kind| number == u64::from(*kind as u8))
    }
}
