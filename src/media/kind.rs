//! Kinds of media and how many blocks of a volume fit on each.
//!
//! It answers from numbers alone and asks no drive: what a drive reports is where the largest class of capacity bugs comes from.

use std::fmt;
use std::str::FromStr;

use crate::block::BLOCK_BYTES;
use crate::media::carrier::CARRIER_FILE_BLOCKS;
use crate::media::page::PAGES_MAX_BYTES;
use crate::size::ByteSize;

/// Bytes of a sector, on every optical medium.
pub const SECTOR_BYTES: u64 = 2048;

const SECTORS_PER_BLOCK: u64 = BLOCK_BYTES as u64 / SECTOR_BYTES;
/// Track-at-once CDs may end in unreadable sectors; 150 is what burning programs leave.
const CD_PAD_SECTORS: u64 = 150;
/// What other programs may put around a folder that is burned as it is: UDF structures and padding.
const FOREIGN_BURN_SECTORS: u64 = 512;
/// ISO 9660, Rock Ridge and Joliet structures of xorriso before the first file, for one carrier file (measured: 33).
const ISO_BASE_SECTORS: u64 = 36;
/// Directory records of one carrier file, both trees (measured: below 300).
const ISO_BYTES_PER_FILE: u64 = 320;
/// Partition table and its alignment (1 MiB), exFAT structures of small disks (1 MiB each for FAT and heap), clusters.
const STICK_BASE_BYTES: u64 = 3 << 20;
/// Two FATs at 4 KiB clusters take 1/512; the rest is for coarser rounding.
const STICK_SHARE: u64 = 256;

/// What a volume is put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// CD, 80 minutes.
    Cd,
    /// DVD, single layer; the smallest of the family (DVD+R).
    Dvd,
    /// DVD, double layer; the smallest of the family (DVD-R DL).
    DvdDl,
    /// Blu-ray 25 GB, as left by default spare areas.
    Bd,
    /// Blu-ray 50 GB, as left by default spare areas.
    BdDl,
    /// Blu-ray 100 GB, as left by default spare areas.
    Bdxl,
    /// USB disk as large as needed.
    Usb,
    /// A medium of an exact size.
    Exact,
}

const NAMED: [(&str, MediaKind, Option<u64>); 7] = [
    ("cd", MediaKind::Cd, Some(359_424)),
    ("dvd", MediaKind::Dvd, Some(2_295_104)),
    ("dvd-dl", MediaKind::DvdDl, Some(4_171_712)),
    ("bd", MediaKind::Bd, Some(11_826_176)),
    ("bd-dl", MediaKind::BdDl, Some(23_652_352)),
    ("bdxl", MediaKind::Bdxl, Some(47_305_728)),
    ("usb", MediaKind::Usb, None),
];

/// Other ways people write the names.
const ALIASES: [(&str, &str); 22] = [
    ("cdr", "cd"),
    ("cdrom", "cd"),
    ("cd700", "cd"),
    ("dvd5", "dvd"),
    ("dvdr", "dvd"),
    ("dvdrw", "dvd"),
    ("dvdsl", "dvd"),
    ("dvd9", "dvd-dl"),
    ("dvddl", "dvd-dl"),
    ("bdr", "bd"),
    ("bdre", "bd"),
    ("bd25", "bd"),
    ("bluray", "bd"),
    ("bdrdl", "bd-dl"),
    ("bd50", "bd-dl"),
    ("bddl", "bd-dl"),
    ("bd100", "bdxl"),
    ("bdrxl", "bdxl"),
    ("stick", "usb"),
    ("flash", "usb"),
    ("disk", "usb"),
    ("hdd", "usb"),
];

/// In what form volumes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// One folder a volume, to be copied to a disk or burned.
    Folders,
    /// One ISO 9660 image a volume.
    Iso,
}

/// A medium and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capacity {
    kind: MediaKind,
    bytes: Option<u64>,
}

/// Says why a text names no medium.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such medium: {text:?}; there are cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb, or an exact size such as 700MB, 8GB or 4GiB{}",
    suggestion.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
)]
pub struct MediaParseError {
    /// What was given, cut at 40 characters.
    pub text: String,
    /// The name that comes nearest, when one does.
    pub suggestion: Option<&'static str>,
}

impl Capacity {
    /// A medium of exactly `sectors` sectors of 2048 bytes.
    pub fn from_sectors(sectors: u64) -> Self {
        Self::exact(sectors.saturating_mul(SECTOR_BYTES))
    }

    /// A medium of exactly `bytes` bytes.
    pub fn exact(bytes: u64) -> Self {
        Self {
            kind: MediaKind::Exact,
            bytes: Some(bytes),
        }
    }

    /// A medium of a named kind. [`MediaKind::Usb`] and [`MediaKind::Exact`] have no size of their own and are without limit.
    pub fn of(kind: MediaKind) -> Self {
        let bytes = NAMED
            .iter()
            .find(|(_, named, _)| *named == kind)
            .and_then(|(_, _, sectors)| *sectors)
            .map(|sectors| sectors * SECTOR_BYTES);
        Self { kind, bytes }
    }

    /// Returns the kind.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// Returns the size of the medium in bytes; `None` when it is as large as needed.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Returns how many blocks of a volume fit together with the file system, the pages and a margin;
    /// `None` when the medium is as large as needed, 0 when it is too small for any.
    ///
    /// For [`Carrier::Iso`] the finished image has at most the medium's sectors (on a CD 150 less).
    /// For [`Carrier::Folders`] on discs there is room for UDF and padding beside that; on exact sizes, taken as
    /// disks, 3 MiB and 1/256 are left for partition table, FAT or exFAT structures and rounding.
    pub fn usable_blocks(&self, carrier: Carrier) -> Option<u32> {
        let bytes = self.bytes?;
        let on_disk = matches!(self.kind, MediaKind::Exact | MediaKind::Usb);
        let blocks = match carrier {
            Carrier::Folders if on_disk => {
                bytes.saturating_sub(STICK_BASE_BYTES + PAGES_MAX_BYTES + bytes / STICK_SHARE)
                    / BLOCK_BYTES as u64
            }
            Carrier::Folders => iso_blocks(
                self.burnable_sectors(bytes)
                    .saturating_sub(FOREIGN_BURN_SECTORS),
            ),
            Carrier::Iso => iso_blocks(self.burnable_sectors(bytes)),
        };
        Some(u32::try_from(blocks).unwrap_or(u32::MAX))
    }

    fn burnable_sectors(&self, bytes: u64) -> u64 {
        let pad = if self.kind == MediaKind::Cd {
            CD_PAD_SECTORS
        } else {
            0
        };
        (bytes / SECTOR_BYTES).saturating_sub(pad)
    }
}

/// Blocks that fit an image of `sectors`: the carrier files begin at a multiple of 64 KiB behind structures and pages.
fn iso_blocks(sectors: u64) -> u64 {
    let files = (sectors / SECTORS_PER_BLOCK)
        .div_ceil(u64::from(CARRIER_FILE_BLOCKS))
        .max(1);
    let structures = ISO_BASE_SECTORS + (files * ISO_BYTES_PER_FILE).div_ceil(SECTOR_BYTES);
    let before_data = structures + PAGES_MAX_BYTES.div_ceil(SECTOR_BYTES);
    (sectors / SECTORS_PER_BLOCK).saturating_sub(before_data.div_ceil(SECTORS_PER_BLOCK))
}

impl FromStr for Capacity {
    type Err = MediaParseError;

    /// Reads a kind (`dvd-dl`, in any case) or an exact size (`8GB`, `4GiB`, `4700372992`).
    fn from_str(text: &str) -> Result<Self, MediaParseError> {
        let lower = text.trim().to_ascii_lowercase();
        if let Some((_, kind, _)) = NAMED.iter().find(|(name, _, _)| *name == lower) {
            return Ok(Self::of(*kind));
        }
        match lower.parse::<ByteSize>() {
            Ok(ByteSize(bytes)) if bytes > 0 => Ok(Self::exact(bytes)),
            _ => Err(MediaParseError {
                text: text.chars().take(40).collect(),
                suggestion: nearest(&lower),
            }),
        }
    }
}

impl fmt::Display for Capacity {
    /// Prints `dvd (4.70 GB)`, `usb`, `8.00 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMED
            .iter()
            .find(|(_, kind, _)| *kind == self.kind)
            .map(|(name, _, _)| *name);
        match (name, self.bytes) {
            (Some(name), Some(bytes)) => write!(f, "{name} ({})", ByteSize(bytes)),
            (Some(name), None) => f.write_str(name),
            (None, Some(bytes)) => write!(f, "{}", ByteSize(bytes)),
            (None, None) => f.write_str("any size"),
        }
    }
}

fn nearest(lower: &str) -> Option<&'static str> {
    let plain: String = lower
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    if plain.is_empty() {
        return None;
    }
    let by_alias = ALIASES
        .iter()
        .find(|(alias, _)| *alias == plain)
        .map(|(_, name)| *name);
    by_alias.or_else(|| {
        NAMED
            .iter()
            .map(|(name, _, _)| {
                (
                    edits(name.replace('-', "").as_bytes(), plain.as_bytes()),
                    *name,
                )
            })
            .filter(|(edits, name)| *edits <= 1 + name.len() / 4)
            .min_by_key(|(edits, _)| *edits)
            .map(|(_, name)| name)
    })
}

/// Levenshtein distance, for texts of a few bytes.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn kinds_have_the_sectors_that_the_design_promises() {
        for (text, sectors) in [
            ("cd", 359_424),
            ("DVD", 2_295_104),
            ("dvd-dl", 4_171_712),
            ("bd", 11_826_176),
            ("bd-dl", 23_652_352),
            ("bdxl", 47_305_728),
        ] {
            let capacity: Capacity = text.parse().unwrap();
            assert_eq!(capacity.bytes(), Some(sectors * SECTOR_BYTES), "{text}");
        }
        let usb: Capacity = "usb".parse().unwrap();
        assert_eq!(
            (usb.bytes(), usb.usable_blocks(Carrier::Folders)),
            (None, None)
        );
    }

    #[test]
    fn exact_sizes_are_read_and_printed() {
        for (text, bytes) in [
            ("8GB", 8_000_000_000),
            ("4GiB", 4 << 30),
            ("4700372992", 4_700_372_992),
        ] {
            assert_eq!(text.parse(), Ok(Capacity::exact(bytes)));
        }
        assert_eq!(Capacity::from_sectors(100).bytes(), Some(204_800));
        assert_eq!(
            "dvd".parse::<Capacity>().unwrap().to_string(),
            "dvd (4.70 GB)"
        );
        assert_eq!("8gb".parse::<Capacity>().unwrap().to_string(), "8.00 GB");
    }

    #[test]
    fn a_wrong_name_lists_what_there_is_and_suggests_the_nearest() {
        for (text, suggestion) in [
            ("dvd9", Some("dvd-dl")),
            ("DVD_DL", Some("dvd-dl")),
            ("dvdd", Some("dvd")),
            ("blu-ray", Some("bd")),
            ("bdxll", Some("bdxl")),
            ("floppy", None),
            ("", None),
            ("0", None),
        ] {
            let error = text.parse::<Capacity>().unwrap_err();
            assert_eq!(error.suggestion, suggestion, "{text}");
            assert!(
                error
                    .to_string()
                    .contains("cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb")
            );
        }
    }

    #[test]
    fn little_is_wasted_and_the_medium_is_never_exceeded() {
        for (text, carrier, lost_percent) in [
            ("cd", Carrier::Iso, 0.1),
            ("dvd", Carrier::Iso, 0.01),
            ("dvd", Carrier::Folders, 0.05),
            ("bdxl", Carrier::Iso, 0.01),
            ("100MB", Carrier::Iso, 0.4),
            ("100MB", Carrier::Folders, 4.0),
            ("8GB", Carrier::Folders, 0.5),
        ] {
            let capacity: Capacity = text.parse().unwrap();
            let usable = u64::from(capacity.usable_blocks(carrier).unwrap()) * BLOCK_BYTES as u64;
            let bytes = capacity.bytes().unwrap();
            assert!(usable < bytes, "{text}");
            #[allow(clippy::cast_precision_loss)]
            let lost = (bytes - usable) as f64 * 100.0 / bytes as f64;
            assert!(lost < lost_percent, "{text} {carrier:?}: {lost} %");
        }
        assert_eq!(Capacity::exact(1000).usable_blocks(Carrier::Iso), Some(0));
        assert_eq!(
            Capacity::exact(u64::MAX).usable_blocks(Carrier::Iso),
            Some(u32::MAX)
        );
    }
}
