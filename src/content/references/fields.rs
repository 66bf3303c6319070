//! Finds the fields of segments that refer to something, and replaces their values.

use super::arm64::{self, HeldPage, INSTRUCTION_BYTES, NamedPage, Pages, PlaceOperand};
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
    /// By a distance of which there are too few bits for an address.
    Short,
    /// By the place in a page that another field has named.
    InPage,
}

/// The bits of an address that say where in a page it is.
pub const IN_PAGE: u32 = 0xfff;

/// A field that refers to something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its first byte, counted as that of its segment.
    pub place: usize,
    /// What is added to its value to give the target.
    pub base: u32,
    /// How it refers.
    pub form: Form,
    /// The page, for [`Form::InPage`].
    pub page: NamedPage,
    /// Which values it can hold.
    pub reach: Reach,
    /// Whether an instruction loads the address of the target, and does nothing else with it.
    pub is_load: bool,
}

impl Field {
    /// Returns the field as it is found in the changed bytes.
    pub fn in_changed(&self) -> Self {
        let NamedPage { given, made } = self.page;
        let page = NamedPage {
            given: made,
            made: given,
        };
        Self { page, ..*self }
    }

    /// Returns what it refers to when it holds `value`.
    pub fn target(&self, value: u32) -> u32 {
        match self.form {
            Form::InPage => self.page.given.wrapping_add(self.base) & !IN_PAGE | value,
            _ => value.wrapping_add(self.base),
        }
    }
}

/// The values that a field can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Bits of a value, with its sign.
    bits: u32,
    /// How many of the lowest are zero.
    unit_log: u32,
}

impl Reach {
    /// Those of four bytes.
    const ALL: Self = Self {
        bits: 32,
        unit_log: 0,
    };

    /// Returns whether a value can be held.
    pub fn holds(self, value: u32) -> bool {
        let unused = 32 - self.bits;
        let signed = value.cast_signed();
        (signed << unused) >> unused == signed && value.trailing_zeros() >= self.unit_log
    }

    /// The mark of labels of targets that the old file does not have: the sign.
    pub fn new_mark(self) -> u32 {
        u32::MAX << (self.bits - 1)
    }

    /// The mark of labels of jumps, so that they do not look like short distances.
    pub fn jump_mark(self) -> u32 {
        1 << (self.bits - 2)
    }
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
            SegmentKind::Relocations => part.relocations(RELATIVE),
            SegmentKind::Symbols => part.symbols(),
            SegmentKind::Words => part.words(),
            SegmentKind::Distances => part.distances(),
            SegmentKind::Arm64Code => part.arm64_code(),
            SegmentKind::Arm64Relocations => part.relocations(ARM64_RELATIVE),
        }
    }
}

/// Opcode of `lea`.
const LOAD_ADDRESS: u8 = 0x8d;
/// Relocations whose addend is an address: `R_X86_64_RELATIVE` and `R_X86_64_IRELATIVE`.
const RELATIVE: [u32; 2] = [8, 37];
/// `R_AARCH64_RELATIVE` and `R_AARCH64_IRELATIVE`.
const ARM64_RELATIVE: [u32; 2] = [1027, 1032];
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
        self.change_field(at, base, form, false);
    }

    fn change_field(&mut self, at: usize, base: u32, form: Form, is_load: bool) {
        let field = Field {
            place: self.segment.place + at,
            base,
            form,
            page: NamedPage::default(),
            reach: Reach::ALL,
            is_load,
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
                        let at = at + distance.at;
                        let is_load = distance.at >= 2 && self.bytes[at - 2] == LOAD_ADDRESS;
                        self.change_field(at, base, form, is_load);
                    }
                    at += found.bytes;
                }
                Found::Unknown => at += 1,
                Found::Cut => return,
            }
        }
    }

    fn arm64_code(&mut self) {
        let mut pages = Pages::default();
        for at in self.entries(INSTRUCTION_BYTES) {
            let Some(word) = self.word(at) else { return };
            match pages.operand(word, at) {
                None => {}
                Some((PlaceOperand::Call, _)) => {
                    self.arm64_field(at, word, arm64::NumberBits::Branch, Form::Distance);
                }
                Some((PlaceOperand::Jump, _)) => {
                    self.arm64_field(at, word, arm64::NumberBits::Branch, Form::Jump);
                }
                Some((PlaceOperand::Short(bits), _)) => {
                    self.arm64_field(at, word, bits, Form::Short)
                }
                Some((operand, page)) => {
                    if let PlaceOperand::InPage { register, .. } = operand
                        && let Some(page) = page
                    {
                        let used = self.in_page(at, word, operand, page);
                        pages.set(register, used);
                    }
                }
            }
            pages.pass(word);
        }
    }

    /// Changes a number in an instruction.
    fn arm64_field(&mut self, at: usize, word: u32, bits: arm64::NumberBits, form: Form) {
        let (width, unit_log) = bits.reach();
        let field = Field {
            place: self.segment.place + at,
            base: self.address(at),
            form,
            page: NamedPage::default(),
            reach: Reach {
                bits: width,
                unit_log,
            },
            is_load: false,
        };
        let made = (self.change)(&field, bits.get(word));
        self.put(at, bits.set(word, made));
    }

    /// Changes the place in a page, and with the first one the page. Returns what its register is known to hold.
    fn in_page(
        &mut self,
        at: usize,
        word: u32,
        operand: PlaceOperand,
        page: HeldPage,
    ) -> Option<HeldPage> {
        let PlaceOperand::InPage {
            unit_log, is_load, ..
        } = operand
        else {
            return None;
        };
        let place_in_page = arm64::low_part(word, unit_log);
        if place_in_page > IN_PAGE {
            return None;
        }
        let mut field = Field {
            place: self.segment.place + at,
            base: 0,
            form: Form::Distance,
            page: NamedPage::default(),
            reach: Reach { bits: 32, unit_log },
            is_load,
        };
        match page {
            HeldPage::Named(named_at) => {
                let named = self.word(named_at)?;
                let given = arm64::pair(named, place_in_page)?;
                field.base = self.address(named_at) & !IN_PAGE;
                let made = (self.change)(&field, given);
                let (named, word) = arm64::with_pair(named, word, unit_log, made);
                self.put(named_at, named);
                self.put(at, word);
                let base = field.base;
                Some(HeldPage::Used {
                    page: NamedPage { given, made },
                    base,
                })
            }
            HeldPage::Used { page: named, base } => {
                (field.base, field.form, field.page) = (base, Form::InPage, named);
                let made = (self.change)(&field, place_in_page);
                self.put(at, arm64::with_low_part(word, unit_log, made));
                Some(page)
            }
        }
    }

    fn put(&mut self, at: usize, word: u32) {
        if let Some(bytes) = self.bytes.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *bytes = word.to_le_bytes();
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

    fn relocations(&mut self, relative: [u32; 2]) {
        for at in self.entries(ENTRY_BYTES) {
            self.wide_field(at);
            if self
                .word(at + 8)
                .is_some_and(|kind| relative.contains(&kind))
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
