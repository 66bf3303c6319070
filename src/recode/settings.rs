//! The settings of an encoder, as recipes hold them: which encoder, and everything that decides its bytes.
//!
//! The byte table is in `docs/format.md`, section Recode recipes. What no writer uses is refused here, so that a recipe
//! cannot ask for more than 800 MiB of memory, which a test holds it to.

use std::io::Read;

use super::RecodeError;
use super::klauspost::KlauspostSettings;
use super::lz4_encoder::Lz4Settings;

/// Smallest and largest dictionary, which is that of `xz -9`.
pub(crate) const DICTIONARY_BYTES_MIN: u32 = 4096;
pub(crate) const DICTIONARY_BYTES_MAX: u32 = 64 << 20;
/// Most filters before the coder.
pub(crate) const FILTERS_MAX: usize = 3;
/// Longest search that a recipe may ask for. `xz -9e` asks for 512.
const DEPTH_MAX: u16 = 1024;
/// Most memory of one encoder, see [`EncoderSettings::encoder_bytes`].
#[cfg(test)]
pub(crate) const ENCODER_BYTES_MAX: u64 = 800 << 20;

/// A filter that changes plain bytes before they are compressed. The numbers are those of the xz format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LzmaFilter {
    /// Differences between bytes at this distance less one.
    Delta(u8),
    X86,
    PowerPc,
    Ia64,
    Arm,
    ArmThumb,
    Sparc,
    Arm64,
    RiscV,
}

impl LzmaFilter {
    const DELTA: u8 = 3;
    const BRANCHES: [Self; 8] = [
        Self::X86,
        Self::PowerPc,
        Self::Ia64,
        Self::Arm,
        Self::ArmThumb,
        Self::Sparc,
        Self::Arm64,
        Self::RiscV,
    ];

    fn number(self) -> u8 {
        match self {
            Self::Delta(_) => Self::DELTA,
            Self::X86 => 4,
            Self::PowerPc => 5,
            Self::Ia64 => 6,
            Self::Arm => 7,
            Self::ArmThumb => 8,
            Self::Sparc => 9,
            Self::Arm64 => 10,
            Self::RiscV => 11,
        }
    }

    /// Returns the filter of an xz block header, or `None` for one that is not known or has a start offset.
    pub(crate) fn of_header(number: u64, properties: &[u8]) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        match (number, properties) {
            (Self::DELTA, &[distance]) => Some(Self::Delta(distance)),
            (_, []) => Self::branch(number),
            _ => None,
        }
    }

    fn branch(number: u8) -> Option<Self> {
        let mut all = Self::BRANCHES.into_iter();
        all.find(|filter| filter.number() == number)
    }
}

/// How an LZMA encoder searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Search {
    /// 1: fast, 2: normal.
    pub(crate) mode: u8,
    /// liblzma's number of the match finder.
    pub(crate) finder: u8,
    /// Length of a match that ends a search.
    pub(crate) nice: u16,
    /// Longest search, 0 for liblzma's own choice.
    pub(crate) depth: u16,
}

/// Which container the LZMA data is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lzma {
    /// Chunks, as in xz.
    Two,
    /// One run with an end marker, as in .lzma.
    One,
}

/// Settings of liblzma.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LzmaSettings {
    pub(crate) lzma: Lzma,
    pub(crate) dictionary_bytes: u32,
    /// `(pb * 5 + lp) * 9 + lc`.
    pub(crate) properties: u8,
    pub(crate) search: Search,
    pub(crate) filters: Vec<LzmaFilter>,
}

impl LzmaSettings {
    /// Returns lc, lp and pb.
    pub(crate) fn bits(&self) -> (u32, u32, u32) {
        let all = u32::from(self.properties);
        (all % 9, all / 9 % 5, all / 45)
    }
}

/// An encoder and what decides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum EncoderSettings {
    /// liblzma, as it is from 5.2 to 5.8.
    Lzma(LzmaSettings),
    /// libbz2, as it is in 1.0: a stream of this level, 1 to 9.
    Bzip2(u8),
    /// That of github.com/klauspost/compress/zstd.
    Klauspost(KlauspostSettings),
    /// liblz4, as it is from 1.9 to 1.10.
    Lz4(Lz4Settings),
}

/// What a byte of lc, lp and pb may be: liblzma takes no more than four bits of lc and lp together.
pub(crate) fn are_properties(properties: u8) -> bool {
    properties < 225 && properties % 9 + properties / 9 % 5 <= 4
}

const LZMA2: u8 = 1;
const LZMA1: u8 = 2;
const BZIP2: u8 = 3;
const KLAUSPOST: u8 = 4;
const LZ4: u8 = 5;

impl EncoderSettings {
    /// Appends the settings as recipes hold them.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Bzip2(level) => out.extend_from_slice(&[BZIP2, *level]),
            Self::Klauspost(settings) => out.extend_from_slice(&[
                KLAUSPOST,
                settings.era,
                settings.level.number(),
                settings.window_log,
                settings.block_log,
            ]),
            Self::Lz4(settings) => out.extend_from_slice(&[
                LZ4,
                settings.level,
                settings.block_log,
                settings.is_linked.into(),
            ]),
            Self::Lzma(lzma) => {
                out.push(match lzma.lzma {
                    Lzma::Two => LZMA2,
                    Lzma::One => LZMA1,
                });
                out.extend_from_slice(&lzma.dictionary_bytes.to_le_bytes());
                let Search {
                    mode,
                    finder,
                    nice,
                    depth,
                } = lzma.search;
                out.extend_from_slice(&[lzma.properties, mode, finder]);
                out.extend_from_slice(&nice.to_le_bytes());
                out.extend_from_slice(&depth.to_le_bytes());
                out.push(u8::try_from(lzma.filters.len()).unwrap_or(u8::MAX));
                for filter in &lzma.filters {
                    out.push(filter.number());
                    if let LzmaFilter::Delta(distance) = filter {
                        out.push(*distance);
                    }
                }
            }
        }
    }

    /// Reads settings from a recipe.
    pub(crate) fn read(recipe: &mut dyn Read) -> Result<Self, RecodeError> {
        let lzma = match take_byte(recipe)? {
            LZMA2 => Lzma::Two,
            LZMA1 => Lzma::One,
            BZIP2 => match take_byte(recipe)? {
                level @ 1..=9 => return Ok(Self::Bzip2(level)),
                _ => return Err(RecodeError::Corrupt("settings")),
            },
            KLAUSPOST => {
                let mut fixed = [0; 4];
                recipe.read_exact(&mut fixed).map_err(RecodeError::read)?;
                let [era, level, window_log, block_log] = fixed;
                let settings = KlauspostSettings::new(era, level, window_log, block_log);
                let settings = settings.ok_or(RecodeError::Corrupt("settings"))?;
                return Ok(Self::Klauspost(settings));
            }
            LZ4 => {
                let mut fixed = [0; 3];
                recipe.read_exact(&mut fixed).map_err(RecodeError::read)?;
                let [level, block_log, linked] = fixed;
                let settings = Lz4Settings::new(level, block_log, linked == 1);
                let settings = settings.filter(|_| linked <= 1);
                let settings = settings.ok_or(RecodeError::Corrupt("settings"))?;
                return Ok(Self::Lz4(settings));
            }
            other => return Err(RecodeError::Newer(other)),
        };
        let mut fixed = [0; 11];
        recipe.read_exact(&mut fixed).map_err(RecodeError::read)?;
        let [d0, d1, d2, d3, properties, mode, finder, n0, n1, s0, s1] = fixed;
        let dictionary_bytes = u32::from_le_bytes([d0, d1, d2, d3]);
        let search = Search {
            mode,
            finder,
            nice: u16::from_le_bytes([n0, n1]),
            depth: u16::from_le_bytes([s0, s1]),
        };
        let is_known = (DICTIONARY_BYTES_MIN..=DICTIONARY_BYTES_MAX).contains(&dictionary_bytes)
            && are_properties(properties)
            && matches!(mode, 1 | 2)
            && matches!(finder, 0x03 | 0x04 | 0x12 | 0x13 | 0x14)
            && (4..=273).contains(&search.nice)
            && search.depth <= DEPTH_MAX;
        let count = usize::from(take_byte(recipe)?);
        if !is_known || count > FILTERS_MAX {
            return Err(RecodeError::Corrupt("settings"));
        }
        let mut filters = Vec::with_capacity(count);
        for _ in 0..count {
            let number = take_byte(recipe)?;
            filters.push(match number {
                LzmaFilter::DELTA => LzmaFilter::Delta(take_byte(recipe)?),
                _ => LzmaFilter::branch(number).ok_or(RecodeError::Newer(number))?,
            });
        }
        Ok(Self::Lzma(LzmaSettings {
            lzma,
            dictionary_bytes,
            properties,
            search,
            filters,
        }))
    }

    /// Returns the longest piece that a thread encodes beside others. `xz -9` in threads makes pieces of 192 MiB, and pbzip2
    /// some of 900 kB.
    pub(crate) fn parallel_bytes_max(&self) -> u64 {
        match self {
            Self::Lzma(_) => 192 << 20,
            Self::Bzip2(_) | Self::Klauspost(_) | Self::Lz4(_) => 16 << 20,
        }
    }

    /// Returns the most memory that the encoder takes. Source: the table of `xz -9 -vv`, 10.5 dictionaries and
    /// the hashes of a binary tree.
    pub(crate) fn encoder_bytes(&self) -> u64 {
        match self {
            // Source: the manual of bzip2, MEMORY MANAGEMENT.
            Self::Bzip2(level) => 400_000 + 800_000 * u64::from(*level),
            // The window, half as much and a MiB, and tables.
            Self::Klauspost(settings) => (settings.window_bytes() as u64 * 3 / 2) + (8 << 20),
            Self::Lz4(settings) => 5 * settings.block_bytes() as u64 + (1 << 19),
            Self::Lzma(lzma) => 11 * u64::from(lzma.dictionary_bytes) + (6 << 20),
        }
    }
}

pub(crate) fn take_byte(recipe: &mut dyn Read) -> Result<u8, RecodeError> {
    let mut byte = [0];
    recipe.read_exact(&mut byte).map_err(RecodeError::read)?;
    Ok(byte[0])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn settings(filters: Vec<LzmaFilter>) -> EncoderSettings {
        EncoderSettings::Lzma(LzmaSettings {
            lzma: Lzma::Two,
            dictionary_bytes: DICTIONARY_BYTES_MAX,
            properties: 93,
            search: Search {
                mode: 2,
                finder: 0x14,
                nice: 273,
                depth: 512,
            },
            filters,
        })
    }

    #[test]
    fn settings_come_back_and_every_other_byte_is_refused_or_is_other_settings() {
        for filters in [
            vec![],
            vec![LzmaFilter::Delta(7), LzmaFilter::X86],
            LzmaFilter::BRANCHES[5..].to_vec(),
        ] {
            let given = settings(filters);
            assert!(given.encoder_bytes() <= ENCODER_BYTES_MAX);
            let mut bytes = Vec::new();
            given.write(&mut bytes);
            assert_eq!(EncoderSettings::read(&mut &bytes[..]).unwrap(), given);
            for cut in 0..bytes.len() {
                assert!(EncoderSettings::read(&mut &bytes[..cut]).is_err());
            }
            for at in 0..bytes.len() {
                for value in 0..=255 {
                    let mut other = bytes.clone();
                    other[at] = value;
                    match EncoderSettings::read(&mut &other[..]) {
                        Ok(read) => assert_eq!(read == given, value == bytes[at]),
                        Err(_) => assert_ne!(value, bytes[at]),
                    }
                }
            }
        }
    }
}
