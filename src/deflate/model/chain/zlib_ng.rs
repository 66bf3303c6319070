//! zlib-ng 2.x at levels 7 to 9: zlib's rules with hashes of its own. Matches of three bytes are taken however far away.
//!
//! The rules are those of zlib-ng's `deflate_slow.c` and `match_tpl.h`. At level 9, from 2.1 on, the writer jumps from chain
//! to chain as [`StringIndex::search`](super::index::StringIndex::search) does, and counts only what it meets. So it finds
//! nearly all there is.

use super::super::super::token::WINDOW;
use super::super::Model;
use super::chromium::crc_32c;
use super::{Chain, ChainLevel, Family, LEVELS, Zlib};

/// The hash of four bytes, 16 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NgHash {
    /// By multiplication: from 2.2 on.
    Multiplied,
    /// By CRC-32C, on x86-64 and arm64: up to 2.1.
    Crc,
}

impl NgHash {
    #[inline]
    pub(crate) fn of(self, four: [u8; 4]) -> usize {
        match self {
            Self::Multiplied => {
                (u32::from_le_bytes(four).wrapping_mul(2_654_435_761) >> 16) as usize
            }
            Self::Crc => crc_32c(four),
        }
    }
}

/// Returns the model of a level, 7 to 9. `leaps` says whether level 9 jumps from chain to chain.
pub(crate) fn lazy_zlib_ng(hash: NgHash, level: u8, leaps: bool) -> Box<dyn Model + Send> {
    let rules = LEVELS[usize::from(level) - 1];
    match hash {
        _ if level == 9 && leaps => Box::new(Chain::<Leaping>::new(ChainLevel {
            chain: usize::from(u16::MAX),
            ..rules
        })),
        NgHash::Multiplied => Box::new(Chain::<NgMultiplied>::new(rules)),
        NgHash::Crc => Box::new(Chain::<NgCrc>::new(rules)),
    }
}

macro_rules! family {
    ($name:ident, $hashed:literal, $bits:literal, $shortens:literal, $hash:expr) => {
        pub(super) struct $name;

        impl Family for $name {
            const HASHED: usize = $hashed;
            const HASH_BITS: u32 = $bits;
            const SHORTENS: bool = $shortens;
            const FAR: usize = WINDOW;

            #[inline]
            fn hash(bytes: [u8; 4]) -> usize {
                $hash(bytes)
            }
        }
    };
}

family!(NgMultiplied, 4, 16, true, |four| NgHash::Multiplied
    .of(four));
family!(NgCrc, 4, 16, true, |four| NgHash::Crc.of(four));
family!(Leaping, 3, 15, false, Zlib::hash);
