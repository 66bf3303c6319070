//! Makes machine code compress better: calls to one place get one text wherever they stand.
//!
//! It keeps lengths and is undone exactly; it knows nothing of ELF, only of call and jump instructions.

use crate::class::Class;

/// What was done to a frame's plain bytes before they were compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Filter {
    /// Nothing.
    None = 0,
    /// x86: the distances of near calls and jumps (E8, E9) became places.
    X86 = 1,
}

impl Filter {
    /// Returns the filter that suits contents of `class`.
    pub fn fitting(class: Class) -> Self {
        if class == Class::ElfX86_64 { Self::X86 } else { Self::None }
    }

    /// Returns the filter with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::None),
            1 => Some(Self::X86),
            _ => None,
        }
    }

    /// Applies the filter in place.
    pub fn apply(self, bytes: &mut [u8]) {
        if self == Self::X86 {
            x86(bytes, u32::wrapping_add);
        }
    }

    /// Undoes [`Filter::apply`] in place.
    pub fn undo(self, bytes: &mut [u8]) {
        if self == Self::X86 {
            x86(bytes, u32::wrapping_sub);
        }
    }
}

/// Distances of this many bits, sign included, are changed; anything longer is hardly a distance.
const DISTANCE_BITS: u32 = 25;

/// Returns the place of the 32-bit distance that the instruction at the start of `code` ends with, if it is one of:
/// near call E8, near jump E9; REX.W `mov` (8B, 89) and `lea` (8D) with an operand relative to the instruction pointer.
fn distance_at(code: &[u8]) -> Option<usize> {
    match code {
        [0xe8 | 0xe9, ..] => Some(1),
        [0x48 | 0x4c, 0x8b | 0x8d | 0x89, mode, ..] if mode & 0xc7 == 5 => Some(3),
        _ => None,
    }
}

/// A distance whose top byte is only its sign is replaced by `shift(distance, place behind the instruction)`, cut to
/// 25 bits and sign-extended again: so its top byte stays 0 or 255, and the way back sees the same instructions.
fn x86(bytes: &mut [u8], shift: fn(u32, u32) -> u32) {
    const STARTS: [bool; 256] = {
        let mut starts = [false; 256];
        starts[0xe8] = true;
        starts[0xe9] = true;
        starts[0x48] = true;
        starts[0x4c] = true;
        starts
    };
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| STARTS[usize::from(*b)])) {
        at += found;
        let Some(operand) = distance_at(&bytes[at..]).map(|skip| at + skip) else {
            at += 1;
            continue;
        };
        let Some(field) = bytes.get_mut(operand..).and_then(<[u8]>::first_chunk_mut::<4>) else {
            return;
        };
        // Four bytes are passed over either way: an operand that was looked at must not change afterwards.
        at = operand + 4;
        if field[3] != 0 && field[3] != 0xff {
            continue;
        }
        // Frames are at most 128 MiB, so a place always fits.
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
            prop_oneof![Just(0xe8_u8), Just(0xe9), Just(0), Just(0xff), any::<u8>()], 0..2000)) {
            let mut filtered = bytes.clone();
            Filter::X86.apply(&mut filtered);
            Filter::X86.undo(&mut filtered);
            prop_assert_eq!(filtered, bytes);
        }
    }
}
