//! Finds the fields of segments that refer to something, and replaces their values.

use super::segment::{Segment, SegmentKind};
use super::x86::{self, Found};

/// How a field refers to its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// By a distance.
    Distance,
    /// By the distance of a jump.
    Jump,
    /// By an address.
    Address,
}

/// A field that refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its first byte, counted as that of its segment.
    pub place: usize,
    /// What is added to its value to give the target.
    pub base: u32,
    /// How it refers.
    pub form: Form,
}

/// Calls `change` for the value of each field and puts what it returns in its place. Goes by bytes outside of fields
/// alone, so that the same fields are found afterwards. Segments must lie within `bytes`.
pub fn change_fields(
    bytes: &mut [u8],
    segments: &[Segment],
    mut change: impl FnMut(&Field, u32) -> u32,
) {
    for segment in segments {
        let Some(part) = bytes.get_mut(segment.place..segment.end()) else {
            return;
        };
        let mut part = Part {
            bytes: part,
            segment,
            change: &mut change,
        };
        match segment.kind {
            SegmentKind::Code => part.code(),
            SegmentKind::Unwind => part.unwind(),
            SegmentKind::Relocations => part.relocations(),
            SegmentKind::Symbols => part.symbols(),
            SegmentKind::Words => part.words(),
            SegmentKind::Distances => part.distances(),
        }
    }
}

/// Relocations whose addend is an address: `R_X86_64_RELATIVE` and `R_X86_64_IRELATIVE`.
const RELATIVE: [u32; 2] = [8, 37];
/// Bytes of a relocation and of a symbol.
const ENTRY_BYTES: usize = 24;
/// A symbol of this type (`STT_TLS`) has no address.
const THREAD_LOCAL: u8 = 6;

struct Part<'a, C> {
    bytes: &'a mut [u8],
    segment: &'a Segment,
    change: &'a mut C,
}

impl<C: FnMut(&Field, u32) -> u32> Part<'_, C> {
    fn word(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes))
    }

    /// Returns the address of a byte.
    fn address(&self, at: usize) -> u32 {
        self.segment.address.wrapping_add(truncated(at))
    }

    /// Changes the four bytes at `at`.
    fn field(&mut self, at: usize, base: u32, form: Form) {
        let field = Field {
            place: self.segment.place + at,
            base,
            form,
        };
        if let Some(bytes) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *bytes = (self.change)(&field, u32::from_le_bytes(*bytes)).to_le_bytes();
        }
    }

    /// Changes an address of eight bytes, unless its upper half says that it is none.
    fn wide_field(&mut self, at: usize) {
        let lower = self.word(at);
        if lower.is_some_and(|lower| lower != 0) && self.word(at + 4) == Some(0) {
            self.field(at, self.segment.base, Form::Address);
        }
    }

    fn code(&mut self) {
        let mut at = 0;
        while at < self.bytes.len() {
            match x86::instruction(&self.bytes[at..]) {
                Found::Instruction(found) => {
                    if let Some(distance) = found.distance {
                        let form = if distance.is_jump {
                            Form::Jump
                        } else {
                            Form::Distance
                        };
                        let base = self.address(at + found.bytes);
                        self.field(at + distance.at, base, form);
                    }
                    at += found.bytes;
                }
                Found::Unknown => at += 1,
                Found::Cut => return,
            }
        }
    }

    fn unwind(&mut self) {
        let mut at = 0;
        while let (Some(bytes), Some(common)) = (self.word(at), self.word(at + 4)) {
            let end = at
                .saturating_add(4)
                .saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX));
            if bytes == 0 {
                at += 4;
                continue;
            }
            if end > self.bytes.len() {
                return;
            }
            // A zero marks an entry that others have in common. It has no such fields.
            if common != 0 && end >= at + 17 {
                // This distance counts backwards.
                let base = self.address(at + 4);
                self.backward_field(at + 4, base);
                let base = self.address(at + 8);
                self.field(at + 8, base, Form::Distance);
                let has_language_data = self.bytes[at + 16] == 4 && end >= at + 21;
                if has_language_data && self.word(at + 17) != Some(0) {
                    let base = self.address(at + 17);
                    self.field(at + 17, base, Form::Distance);
                }
            }
            at = end;
        }
    }

    /// Changes the four bytes at `at`, whose value is subtracted from `base`.
    fn backward_field(&mut self, at: usize, base: u32) {
        let negate = |bytes: &mut [u8]| {
            if let Some(bytes) = bytes.first_chunk_mut() {
                *bytes = u32::from_le_bytes(*bytes).wrapping_neg().to_le_bytes();
            }
        };
        negate(&mut self.bytes[at..]);
        self.field(at, base, Form::Distance);
        negate(&mut self.bytes[at..]);
    }

    fn relocations(&mut self) {
        for at in self.entries(ENTRY_BYTES) {
            self.wide_field(at);
            if self
                .word(at + 8)
                .is_some_and(|kind| RELATIVE.contains(&kind))
            {
                self.wide_field(at + 16);
            }
        }
    }

    fn symbols(&mut self) {
        for at in self.entries(ENTRY_BYTES) {
            if self.word(at).is_some_and(|name| name != 0) {
                self.field(at, self.segment.names, Form::Distance);
            }
            let is_defined = self.bytes[at + 6..at + 8] != [0, 0];
            if is_defined && self.bytes[at + 4] & 15 != THREAD_LOCAL {
                self.wide_field(at + 8);
            }
        }
    }

    fn words(&mut self) {
        for at in self.entries(8) {
            self.wide_field(at);
        }
    }

    fn distances(&mut self) {
        for at in self.entries(4) {
            self.field(at, self.segment.base, Form::Distance);
        }
    }

    /// Returns the places of the whole entries.
    fn entries(&self, bytes: usize) -> impl Iterator<Item = usize> + use<C> {
        let count = self.bytes.len() / bytes;
        (0..count).map(move |number| number * bytes)
    }
}

/// Returns the lower 32 bits.
pub fn truncated(value: usize) -> u32 {
    u32::try_from(value & 0xffff_ffff).unwrap_or(0)
}
