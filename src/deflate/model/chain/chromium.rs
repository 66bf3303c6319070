//! Chromium's zlib, which Node.js has inside: zlib's rules with hashes of its own.
//!
//! The rules are those of `insert_string.h` in Chromium's zlib, for machines with the instructions that it asks for: all
//! of x86-64 and arm64. Hashes of four bytes are why matches of three are found by chance alone.

use super::super::Model;
use super::{Chain, Family, LEVELS};

/// Versions of Chromium's zlib that write the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChromiumEra {
    /// Hashes by multiplication: Node.js from 18 on.
    Multiplied,
    /// Hashes by CRC-32C: Node.js up to 16.
    Crc,
}

/// Returns the model of a level, 1 to 9.
pub(crate) fn chromium_model(era: ChromiumEra, level: u8) -> Box<dyn Model + Send> {
    let level_rules = LEVELS[usize::from(level) - 1];
    match era {
        ChromiumEra::Multiplied => Box::new(Chain::<Multiplied>::new(level_rules)),
        // From level 6 on, the writer hashes three bytes only.
        ChromiumEra::Crc if level < 6 => Box::new(Chain::<Crc<4>>::new(level_rules)),
        ChromiumEra::Crc => Box::new(Chain::<Crc<3>>::new(level_rules)),
    }
}

/// The later hash.
pub(super) struct Multiplied;

impl Family for Multiplied {
    const HASHED: usize = 4;
    const HASH_BITS: u32 = 15;

    #[inline]
    fn hash(bytes: [u8; 4]) -> usize {
        let value = u32::from_le_bytes(bytes);
        let mixed = value.wrapping_mul(66521).wrapping_add(66521) >> 16;
        mixed as usize & 0x7fff
    }
}

/// The earlier hash, of three or four bytes.
pub(super) struct Crc<const BYTES: usize>;

/// The low 16 bits of the CRC-32C of a byte that stands so many bytes before the end of four.
const CRCS: [[u16; 256]; 4] = crcs();

#[expect(clippy::cast_possible_truncation, reason = "masked to 16 bits")]
const fn crcs() -> [[u16; 256]; 4] {
    let mut crcs = [[0; 256]; 4];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut behind = 0;
        while behind < 4 {
            let mut bit = 0;
            while bit < 8 {
                crc = if crc & 1 == 1 {
                    crc >> 1 ^ 0x82f6_3b78
                } else {
                    crc >> 1
                };
                bit += 1;
            }
            crcs[behind][byte] = (crc & 0xffff) as u16;
            behind += 1;
        }
        byte += 1;
    }
    crcs
}

/// Returns the low 16 bits of the CRC-32C of four bytes, from 0 and without a last inversion.
#[inline]
pub(super) fn crc_32c([a, b, c, d]: [u8; 4]) -> usize {
    let parts = [(a, 3), (b, 2), (c, 1), (d, 0)];
    let crc = parts.iter().fold(0, |crc, (byte, behind)| {
        crc ^ CRCS[*behind][usize::from(*byte)]
    });
    usize::from(crc)
}

impl<const BYTES: usize> Family for Crc<BYTES> {
    const HASHED: usize = BYTES;
    const HASH_BITS: u32 = 15;

    #[inline]
    fn hash([a, b, c, d]: [u8; 4]) -> usize {
        let d = if BYTES < 4 { 0 } else { d };
        crc_32c([a, b, c, d]) & 0x7fff
    }
}
