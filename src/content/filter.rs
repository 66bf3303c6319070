//! Makes machine code compress better: calls of one function become equal bytes wherever they stand.
//!
//! The filter keeps lengths and is undone exactly. It knows only call and jump instructions and nothing of ELF.

use crate::content::content_kind::ContentKind;

/// The transformation of a frame's plain bytes before compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Filter {
    /// Nothing.
    None = 0,
    /// x86-64: the distances of near calls, near jumps and instruction-pointer-relative loads become absolute
    /// addresses.
    X86 = 1,
}

impl Filter {
    /// Returns the filter that suits contents of `class`.
    pub fn fitting(class: ContentKind) -> Self {
        if class == ContentKind::ElfX86_64 {
            Self::X86
        } else {
            Self::None
        }
    }

    /// Returns the filter with this number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::X86),
            _ => None,
        }
    }

    /// Applies the filter in place.
    pub(crate) fn apply(self, bytes: &mut [u8]) {
        if self == Self::X86 {
            x86(bytes, u32::wrapping_add);
        }
    }

    /// Undoes [`Filter::apply`] in place.
    pub(crate) fn undo(self, bytes: &mut [u8]) {
        if self == Self::X86 {
            x86(bytes, u32::wrapping_sub);
        }
    }
}

/// Only distances that fit into this many bits, sign included, are changed. Longer ones are rarely distances.
const DISTANCE_BITS: u32 = 25;

/// Returns whether a near call or jump (E8, E9) begins with `first`.
fn is_call(first: u8) -> bool {
    first & 0xfe == 0xe8
}

/// Returns whether these bytes begin a `mov` or `lea` with an operand relative to the instruction pointer. The opcodes
/// are REX.W 89, 8B and 8D, and 8F along with them.
fn is_relative(first: u8, second: u8, third: u8) -> bool {
    first & 0xfb == 0x48 && second & 0xf9 == 0x89 && third & 0xc7 == 5
}

/// Places that are looked at together, a bit each.
const BLOCK_BYTES: usize = 64;
/// A block and the bytes behind it that the instructions in it may begin with.
const AHEAD_BYTES: usize = BLOCK_BYTES + 2;

/// The places in a block at which an instruction with a distance begins, lowest bit first.
struct Beginnings {
    calls: u64,
    relatives: u64,
}

impl Beginnings {
    /// Compares all places of a block. The compiler does this with the vector instructions of the machine, since no
    /// place depends on another.
    fn of(ahead: &[u8; AHEAD_BYTES]) -> Self {
        let mut calls = [0; BLOCK_BYTES];
        let mut relatives = [0; BLOCK_BYTES];
        for at in 0..BLOCK_BYTES {
            let (first, second, third) = (ahead[at], ahead[at + 1], ahead[at + 2]);
            calls[at] = u8::from(first & 0xfe == 0xe8);
            relatives[at] = u8::from(first & 0xfb == 0x48)
                & u8::from(second & 0xf9 == 0x89)
                & u8::from(third & 0xc7 == 5);
        }
        Self {
            calls: bits(&calls),
            relatives: bits(&relatives),
        }
    }
}

/// Returns the lowest bits of these bytes as one number.
fn bits(flags: &[u8; BLOCK_BYTES]) -> u64 {
    let (words, _) = flags.as_chunks::<8>();
    // The product moves bit 0 of byte i to bit 56 + i, and no two bits meet.
    let gathered = words
        .iter()
        .map(|word| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56);
    gathered
        .zip((0_u32..).step_by(8))
        .fold(0, |all, (eight, at)| all | eight << at)
}

/// Replaces each distance whose top byte is only its sign by `shift(distance, place behind the instruction)`. The
/// result is cut to 25 bits and sign-extended again. Its top byte therefore stays 0 or 255, and undoing finds the same
/// instructions.
fn x86(bytes: &mut [u8], shift: fn(u32, u32) -> u32) {
    let mut base = 0;
    // Bytes of the block that are in a field of an earlier one.
    let mut taken: u32 = 0;
    while let Some(ahead) = bytes.get(base..).and_then(<[u8]>::first_chunk) {
        let Beginnings { calls, relatives } = Beginnings::of(ahead);
        // Bytes are only changed in fields, which are skipped, so what was found before the changes still holds.
        let mut open = (calls | relatives) & above(taken);
        taken = 0;
        while open != 0 {
            let bit = open.trailing_zeros();
            let skip = if calls >> bit & 1 == 1 { 1 } else { 3 };
            // All four bytes are skipped in any case: an operand that was tested must not change afterwards.
            let behind = bit + skip + 4;
            let operand = base + usize::try_from(bit + skip).unwrap_or(BLOCK_BYTES);
            if !change(bytes, operand, shift) {
                return;
            }
            open &= above(behind);
            taken = behind.saturating_sub(u64::BITS);
        }
        base += BLOCK_BYTES;
    }
    let mut at = base + usize::try_from(taken).unwrap_or(0);
    while let Some(operand) = next_distance(bytes, at) {
        if !change(bytes, operand, shift) {
            return;
        }
        at = operand + 4;
    }
}

/// Returns a mask of the bits from `first` on.
fn above(first: u32) -> u64 {
    u64::MAX.checked_shl(first).unwrap_or(0)
}

/// Returns the place of the distance in the next instruction that has one. The instruction begins at or behind `at`.
fn next_distance(bytes: &[u8], at: usize) -> Option<usize> {
    (at..bytes.len()).find_map(|place| match bytes[place..] {
        [first, ..] if is_call(first) => Some(place + 1),
        [first, second, third, ..] if is_relative(first, second, third) => Some(place + 3),
        _ => None,
    })
}

/// Changes the distance at `operand` if its top byte is only its sign. Returns false where it would pass the end.
fn change(bytes: &mut [u8], operand: usize, shift: fn(u32, u32) -> u32) -> bool {
    let Some(field) = bytes
        .get_mut(operand..)
        .and_then(<[u8]>::first_chunk_mut::<4>)
    else {
        return false;
    };
    let distance = u32::from_le_bytes(*field);
    // Only a distance of at most 25 bits has a top byte that is all sign.
    let is_near = matches!(field[3], 0 | 0xff);
    // Frames have at most 128 MiB, so a place always fits.
    let place = u32::try_from(operand + 4).unwrap_or(u32::MAX);
    let moved = shift(distance, place) << (32 - DISTANCE_BITS);
    let extended = moved.cast_signed() >> (32 - DISTANCE_BITS);
    // Half of the candidates are no instructions, so no branch could be predicted here.
    let changed = std::hint::select_unpredictable(is_near, extended.cast_unsigned(), distance);
    *field = changed.to_le_bytes();
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn two_calls_to_one_place_become_alike() {
        let mut code = [0x90_u8; 64];
        for at in [3_u8, 40] {
            let operand = usize::from(at) + 1;
            let distance = 1000_i32 - i32::from(at + 5);
            code[usize::from(at)] = 0xe8;
            code[operand..operand + 4].copy_from_slice(&distance.to_le_bytes());
        }
        Filter::X86.apply(&mut code);
        assert_eq!(code[4..8], 1000_u32.to_le_bytes());
        assert_eq!(code[41..45], 1000_u32.to_le_bytes());
    }

    /// The rule of docs/format.md, place by place.
    fn apply_slowly(bytes: &mut [u8]) {
        let mut at = 0;
        while let Some(operand) = next_distance(bytes, at) {
            if !change(bytes, operand, u32::wrapping_add) {
                return;
            }
            at = operand + 4;
        }
    }

    proptest! {
        #[test]
        fn blocks_change_what_single_places_do(bytes in proptest::collection::vec(
            prop_oneof![
                Just(0xe8_u8), Just(0xe9), Just(0), Just(0xff), Just(0x48), Just(0x8b), Just(0x05), any::<u8>()], 0..700)) {
            let (mut by_blocks, mut by_places) = (bytes.clone(), bytes);
            Filter::X86.apply(&mut by_blocks);
            apply_slowly(&mut by_places);
            prop_assert_eq!(by_blocks, by_places);
        }

        #[test]
        fn undone_exactly(bytes in proptest::collection::vec(
            prop_oneof![
                Just(0xe8_u8), Just(0xe9), Just(0), Just(0xff), Just(0x48), Just(0x8b), Just(0x05), any::<u8>()], 0..2000)) {
            let mut filtered = bytes.clone();
            Filter::X86.apply(&mut filtered);
            Filter::X86.undo(&mut filtered);
            prop_assert_eq!(filtered, bytes);
        }
    }
}
