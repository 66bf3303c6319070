//! Finds in arm64 instructions what they say about other places: distances, and addresses in two parts, of which one
//! instruction has the page (`adrp`) and others the place in it.
//!
//! The masks are part of the format (docs/format.md, Labels), as are the tables for x86-64. No bit that is changed decides
//! what an instruction is or which register it names.

/// Bytes of an instruction.
pub(super) const INSTRUCTION_BYTES: usize = 4;

/// NumberBits that tell instructions apart, and what they are.
struct InstructionPattern {
    mask: u32,
    is: u32,
}

impl InstructionPattern {
    const fn fits(&self, word: u32) -> bool {
        word & self.mask == self.is
    }
}

const fn pattern(mask: u32, is: u32) -> InstructionPattern {
    InstructionPattern { mask, is }
}

const CALL: InstructionPattern = pattern(0xfc00_0000, 0x9400_0000);
const JUMP: InstructionPattern = pattern(0xfc00_0000, 0x1400_0000);
/// `b.cond`, `cbz` and `cbnz`, and loads of a literal.
const SHORT: [InstructionPattern; 3] = [
    pattern(0xff00_0010, 0x5400_0000),
    pattern(0x7e00_0000, 0x3400_0000),
    pattern(0x3b00_0000, 0x1800_0000),
];
const ADDRESS: InstructionPattern = pattern(0x9f00_0000, 0x1000_0000);
const PAGE: InstructionPattern = pattern(0x9f00_0000, 0x9000_0000);
/// `add` of an immediate value.
const ADD: InstructionPattern = pattern(0xffc0_0000, 0x9100_0000);
/// Loads and stores that add an immediate value.
const LOAD: InstructionPattern = pattern(0x3b00_0000, 0x3900_0000);
/// Loads and stores of 16 bytes have this and 0 in the two highest bits.
const LONG: InstructionPattern = pattern(0xc480_0000, 0x0480_0000);
/// Loads of two registers.
const LOAD_TWO: InstructionPattern = pattern(0x3e40_0000, 0x2840_0000);
/// `br` and `ret`.
const LEAVE: InstructionPattern = pattern(0xffbf_fc1f, 0xd61f_0000);
/// Not set in instructions that write to the register in their lowest five bits.
const NO_RESULT: u32 = 1 << 26;

/// Where in an instruction a number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberBits {
    /// In 26 bits, a quarter of it.
    Branch,
    /// In 19 bits, a quarter of it.
    Short,
    /// In 19 bits, and the lowest two elsewhere.
    Address,
}

impl NumberBits {
    /// Returns the number.
    pub(super) fn get(self, word: u32) -> u32 {
        match self {
            Self::Branch => signed(word << 2, 28),
            Self::Short => signed((word >> 5) << 2, 21),
            Self::Address => signed((word >> 5) << 2 | (word >> 29 & 3), 21),
        }
    }

    /// Returns the instruction with another number. NumberBits that have no place are lost.
    pub(super) fn set(self, word: u32, number: u32) -> u32 {
        let within = |mask: u32, bits: u32| word & !mask | bits & mask;
        match self {
            Self::Branch => within(0x03ff_ffff, number >> 2),
            Self::Short => within(0x00ff_ffe0, number >> 2 << 5),
            Self::Address => within(
                0x60ff_ffe0,
                (number >> 2 & 0x7_ffff) << 5 | (number & 3) << 29,
            ),
        }
    }

    /// Returns how many bits a number has, and how many of the lowest are always zero.
    pub(super) fn reach(self) -> (u32, u32) {
        match self {
            Self::Branch => (28, 2),
            Self::Short => (21, 2),
            Self::Address => (21, 0),
        }
    }
}

/// Extends the sign of a number of so many bits.
fn signed(number: u32, bits: u32) -> u32 {
    let unused = 32 - bits;
    ((number << unused).cast_signed() >> unused).cast_unsigned()
}

/// The number that `adrp` and a place in its page make, where it fits 32 bits.
pub(super) fn pair(page: u32, place: u32) -> Option<u32> {
    let pages = NumberBits::Address.get(page).cast_signed();
    let fits = (-(1 << 19)..1 << 19).contains(&pages);
    fits.then_some(pages.cast_unsigned() << 12 | place)
}

/// Returns both instructions with another number.
pub(super) fn with_pair(page: u32, low: u32, unit_log: u32, number: u32) -> (u32, u32) {
    let pages = (number.cast_signed() >> 12).cast_unsigned();
    (
        NumberBits::Address.set(page, pages),
        with_low_part(low, unit_log, number),
    )
}

/// Returns the immediate value of `add`, and of loads and stores. Of these it counts in units.
pub(super) fn low_part(word: u32, unit_log: u32) -> u32 {
    (word >> 10 & 0xfff) << unit_log
}

/// Returns the instruction with another immediate value, of which the low 12 bits count.
pub(super) fn with_low_part(word: u32, unit_log: u32, number: u32) -> u32 {
    word & !0x003f_fc00 | (number & 0xfff) >> unit_log << 10
}

/// What an instruction says about another place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PlaceOperand {
    /// The distance of a call.
    Call,
    /// The distance of a jump.
    Jump,
    /// A distance of which there are few bits.
    Short(NumberBits),
    /// The place in a page that an instruction before it named.
    InPage {
        register: usize,
        unit_log: u32,
        /// Whether the register gets the address and nothing is read or written.
        is_load: bool,
    },
}

/// What stood in the instructions that named a page and first used it, before and after a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NamedPage {
    pub given: u32,
    pub made: u32,
}

/// What is known of a register's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeldPage {
    /// Place of the instruction that named it. No other has used it yet.
    Named(usize),
    /// The number that it made with the first instruction that used it, and what that counts from.
    Used { page: NamedPage, base: u32 },
}

/// The pages that registers hold.
#[derive(Default)]
pub(super) struct Pages([Option<HeldPage>; 32]);

impl Pages {
    /// Returns what the instruction at `at` says about another place, and what its register is known to hold. The caller
    /// says what the register holds then ([`Self::set`]) and calls [`Self::pass`] with the instruction.
    pub(super) fn operand(
        &mut self,
        word: u32,
        at: usize,
    ) -> Option<(PlaceOperand, Option<HeldPage>)> {
        let alone = |operand| Some((operand, None));
        if PAGE.fits(word) {
            self.0[result(word)] = Some(HeldPage::Named(at));
            return None;
        }
        if CALL.fits(word) {
            return alone(PlaceOperand::Call);
        }
        if JUMP.fits(word) {
            return alone(PlaceOperand::Jump);
        }
        if ADDRESS.fits(word) {
            return alone(PlaceOperand::Short(NumberBits::Address));
        }
        if SHORT.iter().any(|short| short.fits(word)) {
            return alone(PlaceOperand::Short(NumberBits::Short));
        }
        let is_load = ADD.fits(word);
        if !is_load && !LOAD.fits(word) {
            return None;
        }
        let register = usize::try_from(word >> 5 & 31).unwrap_or(0);
        let page = self.0[register]?;
        let unit_log = match word >> 30 {
            _ if is_load => 0,
            _ if LONG.fits(word) => 4,
            bytes_log => bytes_log,
        };
        let operand = PlaceOperand::InPage {
            register,
            unit_log,
            is_load,
        };
        Some((operand, Some(page)))
    }

    /// Says what a register holds.
    pub(super) fn set(&mut self, register: usize, page: Option<HeldPage>) {
        self.0[register] = page;
    }

    /// Forgets what an instruction overwrites.
    pub(super) fn pass(&mut self, word: u32) {
        if word & NO_RESULT == 0 && !PAGE.fits(word) {
            self.0[result(word)] = None;
        }
        if LOAD_TWO.fits(word) {
            self.0[result(word >> 10)] = None;
        }
        if LEAVE.fits(word) {
            *self = Self::default();
        }
    }
}

/// Returns the register in the lowest five bits.
fn result(word: u32) -> usize {
    usize::try_from(word & 31).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_where_an_assembler_puts_them() {
        let known = [
            // bl -4, b 0x1000, b.eq 0x20, cbz x3, -8, ldr x1, 0x7fffc, adr x0, 3
            (0x97ff_ffff, NumberBits::Branch, -4),
            (0x1400_0400, NumberBits::Branch, 0x1000),
            (0x5400_0100, NumberBits::Short, 0x20),
            (0xb4ff_ffc3, NumberBits::Short, -8),
            (0x583f_ffe1, NumberBits::Short, 0x7_fffc),
            (0x7000_0000, NumberBits::Address, 3),
        ];
        for (word, bits, number) in known {
            assert_eq!(bits.get(word).cast_signed(), number, "{word:x}");
        }
        // adrp x0, -1 page; ldr x1, [x0, 0xff8]; ldr q1, [x0, 0x10]; ldrb w1, [x0, 5]
        assert_eq!(low_part(0xf947_fc01, 3), 0xff8);
        assert_eq!(pair(0xf0ff_ffe0, 0xff8), Some(0xffff_fff8));
        let unit = |word| {
            let mut pages = Pages::default();
            assert_eq!(pages.operand(0x9000_0000, 0), None);
            let Some((PlaceOperand::InPage { unit_log, .. }, _)) = pages.operand(word, 4) else {
                return None;
            };
            Some(low_part(word, unit_log))
        };
        assert_eq!(unit(0xf947_fc01), Some(0xff8));
        assert_eq!(unit(0x3dc0_0401), Some(0x10));
        assert_eq!(unit(0x3940_1401), Some(5));
        assert_eq!(unit(0x9140_0400), None, "add of a shifted value");
    }

    #[test]
    fn a_page_is_known_until_its_register_is_written() {
        let held = |words: &[u32]| {
            let mut pages = Pages::default();
            let mut found = false;
            for word in words {
                found = pages.operand(*word, 0).is_some();
                pages.pass(*word);
            }
            found
        };
        let (page, add) = (0x9000_0001, 0x9100_0421);
        assert!(held(&[page, add]));
        // str x2, [x0]; fmov d1, d2; bl with a 1 in its lowest bits
        for other in [0xf900_0002, 0x1e60_4041, 0x9400_0001] {
            assert!(held(&[page, other, add]), "{other:x}");
        }
        // mov x1, x2; add x1, x1, 1; ldp x3, x1, [sp]; ret
        for other in [0xaa02_03e1, 0x9100_0421, 0xa940_07e3, 0xd65f_03c0] {
            assert!(!held(&[page, other, add]), "{other:x}");
        }
    }

    proptest! {
        #[test]
        fn a_number_comes_back_and_nothing_else_changes(word in any::<u32>(), other in any::<u32>(), number in any::<u32>()) {
            for bits in [NumberBits::Branch, NumberBits::Short, NumberBits::Address] {
                prop_assert_eq!(bits.set(word, bits.get(word)), word);
                let (width, unit_log) = bits.reach();
                let number = signed(number >> unit_log << unit_log, width);
                prop_assert_eq!(bits.get(bits.set(word, number)), number);
                prop_assert_eq!(bits.set(bits.set(word, number), bits.get(word)), word);
            }
            for unit_log in 0..5 {
                let number = number >> unit_log << unit_log;
                let (page, low) = with_pair(word, other, unit_log, number);
                prop_assert_eq!(pair(page, low_part(low, unit_log)), Some(number));
            }
        }

        #[test]
        fn what_is_changed_does_not_decide(word in any::<u32>(), number in any::<u32>()) {
            let mut pages = Pages::default();
            for register in 0..32 {
                pages.set(register, Some(HeldPage::Named(0)));
            }
            let changed = match pages.operand(word, 4) {
                Some((PlaceOperand::Call | PlaceOperand::Jump, _)) => NumberBits::Branch.set(word, number),
                Some((PlaceOperand::Short(bits), _)) => bits.set(word, number),
                Some((PlaceOperand::InPage { unit_log, .. }, _)) => with_low_part(word, unit_log, number),
                None if PAGE.fits(word) => NumberBits::Address.set(word, number),
                None => word,
            };
            prop_assert_eq!(pages.operand(word, 4), pages.operand(changed, 4));
            let mut others = Pages(pages.0);
            pages.pass(word);
            others.pass(changed);
            prop_assert_eq!(pages.0, others.0);
        }
    }
}
