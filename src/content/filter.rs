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

/// Sets the top bit of each byte of a word whose bits under `mask` are `wanted`, and clears all other bits.
fn equal_bytes(word: u64, mask: u8, wanted: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f * ONES;
    let other = (word & (u64::from(mask) * ONES)) ^ (u64::from(wanted) * ONES);
    !(((other & LOW) + LOW) | other | LOW)
}

/// Returns the place of the distance in the next instruction that has one. The instruction begins at or behind `at`.
fn next_distance(bytes: &[u8], mut at: usize) -> Option<usize> {
    // Tests eight places at a time, with `is_call` and `is_relative` on whole words.
    while let Some(ahead) = bytes.get(at..).and_then(<[u8]>::first_chunk::<16>) {
        let word = |skip: usize| {
            ahead[skip..]
                .first_chunk()
                .map_or(0, |eight| u64::from_le_bytes(*eight))
        };
        let calls = equal_bytes(word(0), 0xfe, 0xe8);
        let relatives = equal_bytes(word(0), 0xfb, 0x48)
            & equal_bytes(word(1), 0xf9, 0x89)
            & equal_bytes(word(2), 0xc7, 0x05);
        let hits = calls | relatives;
        if hits != 0 {
            let first = hits & hits.wrapping_neg();
            let place = at + usize::try_from(first.trailing_zeros() / 8).unwrap_or(0);
            return Some(if calls & first != 0 {
                place + 1
            } else {
                place + 3
            });
        }
        at += 8;
    }
    (at..bytes.len()).find_map(|place| match bytes[place..] {
        [first, ..] if is_call(first) => Some(place + 1),
        [first, second, third, ..] if is_relative(first, second, third) => Some(place + 3),
        _ => None,
    })
}

/// Replaces each distance whose top byte is only its sign by `shift(distance, place behind the instruction)`. The
/// result is cut to 25 bits and sign-extended again. Its top byte therefore stays 0 or 255, and undoing finds the same
/// instructions.
fn x86(bytes: &mut [u8], shift: fn(u32, u32) -> u32) {
    let mut at = 0;
    while let Some(operand) = next_distance(bytes, at) {
        let Some(field) = bytes
            .get_mut(operand..)
            .and_then(<[u8]>::first_chunk_mut::<4>)
        else {
            return;
        };
        // All four bytes are skipped in any case: an operand that was tested must not change afterwards.
        at = operand + 4;
        // Only a distance of at most 25 bits has a top byte that is all sign.
        if field[3] != 0 && field[3] != 0xff {
            continue;
        }
        // Frames have at most 128 MiB, so a place always fits.
        let place = u32::try_from(operand + 4).unwrap_or(u32::MAX);
        let moved = shift(u32::from_le_bytes(*field), place) << (32 - DISTANCE_BITS);
        let extended = moved.cast_signed() >> (32 - DISTANCE_BITS);
        *field = extended.to_le_bytes();
    }
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

    proptest! {
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
