//! Kinds of media, and how many blocks of a volume fit on each.
//!
//! It computes from numbers alone and asks no drive, because reported capacities are the most frequent source of
//! capacity bugs.

mod parse;

use std::fmt;
use std::path::Path;

pub use self::parse::MediaParseError;
use crate::base::fs::free_clusters;
use crate::base::size::ByteSize;
use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;
use crate::volumes::media::page::PAGES_MAX_BYTES;

/// Bytes of a volume file, except for a volume's last one: FAT32 and every level of ISO 9660 support them.
pub const VOLUME_FILE_BYTES: u64 = 1 << 30;

/// Bytes of a sector, on every optical medium.
pub const SECTOR_BYTES: u64 = 2048;

const SECTORS_PER_BLOCK: u64 = BLOCK_BYTES as u64 / SECTOR_BYTES;
/// Track-at-once CDs may end in unreadable sectors. Burning programs leave 150.
const CD_PAD_SECTORS: u64 = 150;
/// UDF structures and padding that other programs may add to a folder that they burn.
const FOREIGN_BURN_SECTORS: u64 = 512;
/// Structures of ISO 9660, Rock Ridge and Joliet that xorriso writes before the first file, for one volume file
/// (measured: 33).
const ISO_BASE_SECTORS: u64 = 36;
/// Directory records of one volume file, both trees (measured: below 300).
const ISO_BYTES_PER_FILE: u64 = 320;
/// Partition table and its alignment (1 MiB), exFAT structures of small disks (1 MiB each for FAT and heap), clusters.
const STICK_BASE_BYTES: u64 = 3 << 20;
/// Two FATs at 4 KiB clusters take 1/512. The rest is for coarser rounding.
const STICK_SHARE: u64 = 256;

/// What a companion file is rounded up to on a disk. Larger clusters come with larger disks, where the share above has
/// room for them.
const CLUSTER_BYTES: u64 = 64 * 1024;
/// Bytes left free on a mounted file system, because its lists of files and extents grow (NTFS, ext4, XFS).
const AT_BASE_BYTES: u64 = 1 << 20;
const AT_SHARE: u64 = 512;

/// The medium that a volume is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// CD, 80 minutes.
    Cd,
    /// DVD, single layer. The size is the smallest of the family (DVD+R).
    Dvd,
    /// DVD, double layer. The size is the smallest of the family (DVD-R DL).
    DvdDl,
    /// Blu-ray 25 GB, less the default spare areas.
    Bd,
    /// Blu-ray 50 GB, less the default spare areas.
    BdDl,
    /// Blu-ray 100 GB, less the default spare areas.
    Bdxl,
    /// USB disk as large as needed.
    Usb,
    /// A medium of an exact size.
    Exact,
    /// The free space of the file system where a medium is mounted.
    Mounted,
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

/// The form in which volumes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Carrier {
    /// One folder a volume, to be copied to a disk or burned.
    Folders,
    /// One ISO 9660 image a volume.
    Iso,
}

/// The room that companion files take on a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CompanionRoom {
    files: u64,
    disk_bytes: u64,
    sectors: u64,
}

impl CompanionRoom {
    /// Returns the room for files of these sizes in bytes.
    pub fn of(sizes: impl IntoIterator<Item = u64>) -> Self {
        let mut room = Self::default();
        for bytes in sizes {
            room.files += 1;
            room.disk_bytes += bytes.next_multiple_of(CLUSTER_BYTES);
            room.sectors += bytes.div_ceil(SECTOR_BYTES);
        }
        room
    }

    /// Returns the bytes that they take on a disk.
    pub fn bytes(&self) -> u64 {
        self.disk_bytes
    }
}

/// A medium and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Capacity {
    kind: MediaKind,
    bytes: Option<u64>,
    companions: CompanionRoom,
}

impl Capacity {
    /// Returns a medium of exactly `sectors` sectors of 2048 bytes.
    pub fn from_sectors(sectors: u64) -> Self {
        Self::exact(sectors.saturating_mul(SECTOR_BYTES))
    }

    /// Returns the free space of the file system that is mounted at `dir`, less the overhead of putting a volume there:
    /// partial clusters, entries, and the file system's own growing lists. The file system is asked for its sizes,
    /// whatever its type is.
    ///
    /// # Errors
    /// [`MediaError::Io`] when the file system does not answer.
    pub fn at(dir: &Path) -> Result<Self, MediaError> {
        let (free_bytes, cluster_bytes) = free_clusters(dir).map_err(MediaError::io(dir))?;
        let files = free_bytes / VOLUME_FILE_BYTES + 6;
        let kept = AT_BASE_BYTES + free_bytes / AT_SHARE + files * 2 * cluster_bytes;
        Ok(Self {
            kind: MediaKind::Mounted,
            bytes: Some(free_bytes.saturating_sub(kept)),
            companions: CompanionRoom::default(),
        })
    }

    /// Returns a medium of exactly `bytes` bytes.
    pub fn exact(bytes: u64) -> Self {
        Self {
            kind: MediaKind::Exact,
            bytes: Some(bytes),
            companions: CompanionRoom::default(),
        }
    }

    /// Returns a medium of a named kind. [`MediaKind::Usb`] and [`MediaKind::Exact`] have no size of their own and are
    /// unlimited.
    pub fn of(kind: MediaKind) -> Self {
        let bytes = NAMED
            .iter()
            .find(|(_, named, _)| *named == kind)
            .and_then(|(_, _, sectors)| *sectors)
            .map(|sectors| sectors * SECTOR_BYTES);
        Self {
            kind,
            bytes,
            companions: CompanionRoom::default(),
        }
    }

    /// Returns the same medium with room kept for companion files on it.
    #[must_use]
    pub fn with_companions(self, companions: CompanionRoom) -> Self {
        Self { companions, ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> MediaKind {
        self.kind
    }

    /// Returns the size of the medium in bytes, or `None` when it is as large as needed.
    pub fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// Returns how many full blocks of a volume fit beside the file system, the pages, the companion files and a margin.
    /// Returns `None` when the medium is as large as needed, and 0 when it is too small for any.
    ///
    /// For [`Carrier::Iso`] the finished image has at most the medium's sectors (on a CD 150 less). For
    /// [`Carrier::Folders`] on discs there is also room for UDF and padding. Exact sizes are taken as disks. There, 3
    /// MiB and 1/256 are left for the partition table, FAT or exFAT structures and rounding.
    pub fn usable_blocks(&self, carrier: Carrier) -> Option<u32> {
        let bytes = self.bytes?;
        let companions = self.companions;
        let beside_bytes = PAGES_MAX_BYTES + companions.disk_bytes;
        let on_disk = matches!(self.kind, MediaKind::Exact | MediaKind::Usb);
        let blocks = match carrier {
            Carrier::Folders if on_disk => {
                bytes.saturating_sub(STICK_BASE_BYTES + beside_bytes + bytes / STICK_SHARE)
                    / BLOCK_BYTES as u64
            }
            Carrier::Folders if self.kind == MediaKind::Mounted => {
                bytes.saturating_sub(beside_bytes) / BLOCK_BYTES as u64
            }
            Carrier::Folders => iso_blocks(
                self.burnable_sectors(bytes)
                    .saturating_sub(FOREIGN_BURN_SECTORS),
                companions,
            ),
            Carrier::Iso => iso_blocks(self.burnable_sectors(bytes), companions),
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

/// Returns the blocks that fit an image of `sectors`. The volume files begin at a multiple of 64 KiB behind structures,
/// pages and companion files.
fn iso_blocks(sectors: u64, companions: CompanionRoom) -> u64 {
    let files = (sectors / SECTORS_PER_BLOCK)
        .div_ceil(VOLUME_FILE_BYTES / BLOCK_BYTES as u64)
        .max(1);
    let records_bytes = (files + companions.files) * ISO_BYTES_PER_FILE;
    let structures = ISO_BASE_SECTORS + records_bytes.div_ceil(SECTOR_BYTES);
    let before_data = structures + PAGES_MAX_BYTES.div_ceil(SECTOR_BYTES) + companions.sectors;
    (sectors / SECTORS_PER_BLOCK).saturating_sub(before_data.div_ceil(SECTORS_PER_BLOCK))
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
            ("dvdd", Some("dvd")),
            ("bdxll", Some("bdxl")),
            ("floppy", None),
            ("", None),
            ("0", None),
            ("4.7", Some("4.7GB")),
            ("25", Some("25GB")),
            ("700", Some("700MB")),
            ("4,7GB", Some("4.7GB")),
            ("4,7 gib", Some("4.7 GiB")),
            ("4，7ＧＢ", Some("4.7GB")),
            ("4,7", Some("4.7GB")),
            ("0,0", None),
            ("4.700,5MB", None),
        ] {
            let error = text.parse::<Capacity>().unwrap_err();
            assert_eq!(error.suggestion.as_deref(), suggestion, "{text}");
            assert!(
                error
                    .to_string()
                    .contains("cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb")
            );
        }
    }

    #[test]
    fn media_are_read_as_people_write_them() {
        for (text, kind) in [
            ("cd-rw", MediaKind::Cd),
            ("CD-R", MediaKind::Cd),
            ("dvd5", MediaKind::Dvd),
            ("DVD-R", MediaKind::Dvd),
            ("DVD+R", MediaKind::Dvd),
            ("dvd9", MediaKind::DvdDl),
            ("DVD_DL", MediaKind::DvdDl),
            ("DVD+R DL", MediaKind::DvdDl),
            ("Blu-ray", MediaKind::Bd),
            ("BD-RE", MediaKind::Bd),
            ("BD-R XL", MediaKind::Bdxl),
            ("ＤＶＤ", MediaKind::Dvd),
            ("usb stick", MediaKind::Usb),
        ] {
            assert_eq!(text.parse(), Ok(Capacity::of(kind)), "{text}");
        }
        for text in ["４.７GB", "4．7ＧＢ", "４。７ＧＢ", "4.7　GB", "4700000000"] {
            assert_eq!(text.parse(), Ok(Capacity::exact(4_700_000_000)), "{text}");
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
