//! zlib with settings that are rare: smaller windows, smaller memory levels, the strategy `Z_FILTERED`.
//!
//! The rules are those of zlib's deflate.c. A memory level sets the bits of the hash, and how far each byte is shifted.

use super::super::super::token::MATCH_MAX;
use super::super::{Model, Text};
use super::{Chain, Family, LEVELS};

/// Longest match that `Z_FILTERED` drops.
const FILTERED_MAX: usize = 5;

macro_rules! family {
    ($name:ident $(<$parameter:ident>)?, bits: $bits:expr, window_bits: $window_bits:expr, dropped: $dropped:expr) => {
        struct $name $(<const $parameter: u32>)?;

        impl $(<const $parameter: u32>)? Family for $name $(<$parameter>)? {
            const HASH_BITS: u32 = $bits;
            const DROPPED: usize = $dropped;

            #[inline]
            fn hash([a, b, c, _]: [u8; 4]) -> usize {
                let shift = u32::div_ceil($bits, 3);
                (usize::from(a) << (2 * shift) ^ usize::from(b) << shift ^ usize::from(c)) & ((1 << $bits) - 1)
            }

            #[inline]
            fn reach(text: &Text<'_>, at: usize) -> (usize, usize) {
                let most = (1 << $window_bits) - (MATCH_MAX + 3 + 1);
                let known = (at - text.start).saturating_sub(1);
                (known.min(most), known.min(most - 1))
            }
        }
    };
}

family!(Filtered, bits: 15, window_bits: 15, dropped: FILTERED_MAX);
family!(Windowed<BITS>, bits: 15, window_bits: BITS, dropped: 0);
family!(Small<BITS>, bits: BITS, window_bits: 15, dropped: 0);

/// Returns the model of `Z_FILTERED` at levels 4 to 9. The levels below do not know it.
pub(crate) fn filtered_zlib(level: u8) -> Box<dyn Model + Send> {
    Box::new(Chain::<Filtered>::new(LEVELS[usize::from(level) - 1]))
}

/// Returns the model of a window of 9 to 14 bits.
pub(crate) fn zlib_window(bits: u8, level: u8) -> Box<dyn Model + Send> {
    let level = LEVELS[usize::from(level) - 1];
    match bits {
        9 => Box::new(Chain::<Windowed<9>>::new(level)),
        10 => Box::new(Chain::<Windowed<10>>::new(level)),
        11 => Box::new(Chain::<Windowed<11>>::new(level)),
        12 => Box::new(Chain::<Windowed<12>>::new(level)),
        13 => Box::new(Chain::<Windowed<13>>::new(level)),
        _ => Box::new(Chain::<Windowed<14>>::new(level)),
    }
}

/// Returns the model of memory levels 1 to 7.
pub(crate) fn zlib_memory(memory: u8, level: u8) -> Box<dyn Model + Send> {
    let level = LEVELS[usize::from(level) - 1];
    match memory {
        1 => Box::new(Chain::<Small<8>>::new(level)),
        2 => Box::new(Chain::<Small<9>>::new(level)),
        3 => Box::new(Chain::<Small<10>>::new(level)),
        4 => Box::new(Chain::<Small<11>>::new(level)),
        5 => Box::new(Chain::<Small<12>>::new(level)),
        6 => Box::new(Chain::<Small<13>>::new(level)),
        _ => Box::new(Chain::<Small<14>>::new(level)),
    }
}
