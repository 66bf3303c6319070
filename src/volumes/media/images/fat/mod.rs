//! FAT and exFAT file systems on a stick or in its image: the files that lie in several stretches are put in order.
//!
//! It reads tables and directories only, and changes nothing. Hostile tables cost little more than honest ones: each
//! cluster is taken once, so that no chain loops, and what is read of tables and directories is bounded. Partitions are
//! looked for in MBR and GPT.

mod table;

use std::sync::Arc;

use crate::base::read_at::ReadAt;
use crate::volumes::block::SMALL_BLOCK_BYTES;
use crate::volumes::media::images::extents::{Extent, in_front};
use crate::volumes::media::images::fields::{u16_at, u32_at, u64_at};
use crate::volumes::media::images::read_full;

use self::table::FatTable;

/// Clusters of a file system that are followed: their marks take 32 MiB.
const CLUSTERS_MAX: u32 = 1 << 28;
/// Stretches that are put in order.
const EXTENTS_MAX: usize = 1 << 20;
/// Bytes of one directory, and of all directories of a file system.
const DIRECTORY_BYTES_MAX: u64 = 16 << 20;
const DIRECTORIES_BYTES_MAX: u64 = 64 << 20;
const SECTOR: u64 = 512;
const GPT_ENTRIES_MAX: u32 = 128;
/// File systems on one stick that are looked at.
const FILE_SYSTEMS_MAX: usize = 16;
/// Bytes of a directory's entry.
const ENTRY: usize = 32;

/// Returns the order in which files in several stretches come first, and how many these files are. `None` when there are
/// none.
pub(super) fn order(source: &dyn ReadAt) -> Option<(Arc<[Extent]>, usize)> {
    let mut found = ScatteredFiles::default();
    for base in file_systems(source).into_iter().take(FILE_SYSTEMS_MAX) {
        if let Some(volume) = FatVolume::at(source, base) {
            volume.walk(&mut found);
        }
    }
    if found.files == 0 {
        return None;
    }
    Some((in_front(found.extents, source.size_bytes())?, found.files))
}

#[derive(Default)]
struct ScatteredFiles {
    extents: Vec<Extent>,
    files: usize,
}

/// Returns where file systems may begin.
fn file_systems(source: &dyn ReadAt) -> Vec<u64> {
    let mut first = [0; 512];
    if read_full(source, 0, &mut first) < first.len() || first[510..] != [0x55, 0xaa] {
        return Vec::new();
    }
    if FatVolume::at(source, 0).is_some() {
        return vec![0];
    }
    let entries = (0..4).map(|no| &first[446 + 16 * no..][..16]);
    if entries.clone().any(|entry| entry[4] == 0xee) {
        return gpt(source);
    }
    let used = entries.filter(|entry| entry[4] != 0);
    used.map(|entry| u64::from(u32_at(entry, 8)) * SECTOR)
        .collect()
}

fn gpt(source: &dyn ReadAt) -> Vec<u64> {
    let mut header = [0; 92];
    if read_full(source, SECTOR, &mut header) < header.len() || !header.starts_with(b"EFI PART") {
        return Vec::new();
    }
    let table = u64_at(&header, 72).saturating_mul(SECTOR);
    let step = u64::from(u32_at(&header, 84)).clamp(128, 4096);
    let place = |no: u32| {
        let mut entry = [0; 40];
        let at = table.checked_add(u64::from(no) * step)?;
        let is_used = read_full(source, at, &mut entry) == entry.len() && entry[..16] != [0; 16];
        is_used.then(|| u64_at(&entry, 32).checked_mul(SECTOR))?
    };
    (0..u32_at(&header, 80).min(GPT_ENTRIES_MAX))
        .filter_map(place)
        .collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FatKind {
    Fat12,
    Fat16,
    Fat32,
    ExFat,
}

/// Where a directory lies.
#[derive(Debug, Clone, Copy)]
enum Directory {
    /// Behind the tables, for FAT12 and FAT16.
    Fixed(Extent),
    /// In a chain of clusters.
    Chain(u32),
    /// In clusters in a row, for exFAT.
    Row(u32, u64),
}

struct FatVolume<'a> {
    source: &'a dyn ReadAt,
    kind: FatKind,
    table: FatTable<'a>,
    /// Where cluster 2 begins.
    heap: u64,
    cluster_bytes: u64,
    clusters: u32,
    root: Directory,
}

impl<'a> FatVolume<'a> {
    /// Reads the first sector of a file system. Returns `None` for another one, and for numbers that make no sense.
    fn at(source: &'a dyn ReadAt, base: u64) -> Option<Self> {
        let mut boot = [0; 512];
        if read_full(source, base, &mut boot) < boot.len() || boot[510..] != [0x55, 0xaa] {
            return None;
        }
        let volume = if boot[3..11] == *b"EXFAT   " {
            Self::exfat(source, base, &boot)?
        } else {
            Self::fat(source, base, &boot)?
        };
        // A copy may be cut.
        let there = source.size_bytes().saturating_sub(volume.heap) / volume.cluster_bytes;
        let there = u32::try_from(there).unwrap_or(u32::MAX).min(CLUSTERS_MAX);
        Some(Self {
            clusters: volume.clusters.min(there),
            ..volume
        })
    }

    fn exfat(source: &'a dyn ReadAt, base: u64, boot: &[u8]) -> Option<Self> {
        let (sector, cluster) = (u32::from(boot[108]), u32::from(boot[109]));
        if !(9..=12).contains(&sector) || sector + cluster > 25 {
            return None;
        }
        let place = |at: usize| base.checked_add(u64::from(u32_at(boot, at)) << sector);
        Some(Self {
            source,
            kind: FatKind::ExFat,
            table: FatTable::new(
                source,
                FatKind::ExFat,
                Extent {
                    at: place(80)?,
                    bytes: u64::from(u32_at(boot, 84)) << sector,
                },
            ),
            heap: place(88)?,
            cluster_bytes: 1 << (sector + cluster),
            clusters: u32_at(boot, 92),
            root: Directory::Chain(u32_at(boot, 96)),
        })
    }

    fn fat(source: &'a dyn ReadAt, base: u64, boot: &[u8]) -> Option<Self> {
        let sector = u64::from(u16_at(boot, 11));
        let in_cluster = u64::from(boot[13]);
        let reserved = u64::from(u16_at(boot, 14));
        let tables = u64::from(boot[16]);
        let short_or_long = |short: usize, long: usize| match u16_at(boot, short) {
            0 => u64::from(u32_at(boot, long)),
            sectors => u64::from(sectors),
        };
        let (total, table) = (short_or_long(19, 32), short_or_long(22, 36));
        let is_sane = [512, 1024, 2048, 4096].contains(&sector)
            && in_cluster.is_power_of_two()
            && reserved > 0
            && (1..=4).contains(&tables)
            && boot[21] >= 0xf0;
        if !is_sane {
            return None;
        }
        let root_bytes = u64::from(u16_at(boot, 17)) * ENTRY as u64;
        let root = reserved + tables * table;
        let data = root + root_bytes.div_ceil(sector);
        let clusters = u32::try_from(total.checked_sub(data)? / in_cluster).ok()?;
        let place = |sectors: u64| base.checked_add(sectors * sector);
        // Small file systems of 32 bits exist, although none should. They have no short length of the table.
        let kind = match clusters {
            _ if u16_at(boot, 22) == 0 => FatKind::Fat32,
            ..4085 => FatKind::Fat12,
            4085..65525 => FatKind::Fat16,
            _ => FatKind::Fat32,
        };
        Some(Self {
            source,
            kind,
            table: FatTable::new(
                source,
                kind,
                Extent {
                    at: place(reserved)?,
                    bytes: table * sector,
                },
            ),
            heap: place(data)?,
            cluster_bytes: in_cluster * sector,
            clusters,
            root: if kind == FatKind::Fat32 {
                Directory::Chain(u32_at(boot, 44))
            } else {
                Directory::Fixed(Extent {
                    at: place(root)?,
                    bytes: root_bytes,
                })
            },
        })
    }

    /// Finds the files in several stretches, below all directories.
    fn walk(&self, found: &mut ScatteredFiles) {
        let mut used = ClusterMarks::new(self.clusters);
        let mut directories = vec![self.root];
        let mut left = DIRECTORIES_BYTES_MAX;
        while let Some(directory) = directories.pop() {
            let entries = self.read_directory(directory, left, &mut used);
            left -= left.min(entries.len() as u64);
            let mut attributes = 0;
            for entry in entries.chunks_exact(ENTRY) {
                if entry[0] == 0 {
                    break;
                }
                let child = if self.kind == FatKind::ExFat {
                    if entry[0] == 0x85 {
                        attributes = entry[4];
                    }
                    (entry[0] == 0xc0).then(|| Child::exfat(entry, attributes))
                } else {
                    Child::fat(entry, self.kind)
                };
                let Some(child) = child else { continue };
                if child.is_directory {
                    directories.push(child.directory());
                } else if child.bytes >= SMALL_BLOCK_BYTES as u64 && !child.is_row {
                    self.file(&child, &mut used, found);
                }
            }
        }
    }

    fn file(&self, child: &Child, used: &mut ClusterMarks, found: &mut ScatteredFiles) {
        let runs = self.chain(child.first, child.bytes.div_ceil(self.cluster_bytes), used);
        if runs.len() > 1 && found.extents.len() + runs.len() <= EXTENTS_MAX {
            found.files += 1;
            found.extents.extend(runs);
        }
    }

    /// Reads a directory, no more of it than `left` bytes, rounded up to clusters.
    fn read_directory(&self, directory: Directory, left: u64, used: &mut ClusterMarks) -> Vec<u8> {
        let most = DIRECTORY_BYTES_MAX.min(left).div_ceil(self.cluster_bytes);
        let extents = match directory {
            Directory::Fixed(extent) => vec![extent],
            Directory::Chain(first) => self.chain(first, most, used),
            Directory::Row(first, bytes) => {
                let count = bytes.div_ceil(self.cluster_bytes).min(most);
                let clusters = u64::from(first)..u64::from(first) + count;
                clusters
                    .map_while(|cluster| self.cluster(u32::try_from(cluster).ok()?, used))
                    .collect()
            }
        };
        let mut out = Vec::new();
        for extent in extents {
            let mut bytes =
                vec![0; usize::try_from(extent.bytes.min(DIRECTORY_BYTES_MAX)).unwrap_or(0)];
            let have = read_full(self.source, extent.at, &mut bytes);
            out.extend_from_slice(&bytes[..have]);
        }
        out
    }

    /// Follows a chain for so many clusters at most. Clusters in a row are one stretch.
    fn chain(&self, first: u32, most: u64, used: &mut ClusterMarks) -> Vec<Extent> {
        let mut extents: Vec<Extent> = Vec::new();
        let mut cluster = first;
        let mut count = 0;
        while count < most
            && let Some(next) = self.cluster(cluster, used)
        {
            match extents.last_mut() {
                Some(last) if last.at + last.bytes == next.at => last.bytes += next.bytes,
                _ => extents.push(next),
            }
            count += 1;
            cluster = self.table.next(cluster);
        }
        extents
    }

    /// Takes a cluster, if there is such and it was not taken before.
    fn cluster(&self, cluster: u32, used: &mut ClusterMarks) -> Option<Extent> {
        let no = cluster.checked_sub(2).filter(|no| *no < self.clusters)?;
        used.take(no).then(|| Extent {
            at: self.heap + u64::from(no) * self.cluster_bytes,
            bytes: self.cluster_bytes,
        })
    }
}

/// An entry of a directory.
struct Child {
    is_directory: bool,
    first: u32,
    bytes: u64,
    /// Whether its clusters lie in a row, and the table says nothing of them.
    is_row: bool,
}

impl Child {
    fn fat(entry: &[u8], kind: FatKind) -> Option<Self> {
        let attributes = entry[11];
        // A deleted one, the folder itself and the one above, a label, a part of a long name.
        if entry[0] == 0xe5 || entry[0] == b'.' || attributes & 0x08 != 0 {
            return None;
        }
        let high = if kind == FatKind::Fat32 {
            u16_at(entry, 20)
        } else {
            0
        };
        Some(Self {
            is_directory: attributes & 0x10 != 0,
            first: u32::from(high) << 16 | u32::from(u16_at(entry, 26)),
            bytes: u64::from(u32_at(entry, 28)),
            is_row: false,
        })
    }

    fn exfat(entry: &[u8], attributes: u8) -> Self {
        Self {
            is_directory: attributes & 0x10 != 0,
            first: u32_at(entry, 20),
            bytes: u64_at(entry, 24),
            is_row: entry[1] & 2 != 0,
        }
    }

    fn directory(&self) -> Directory {
        if self.is_row {
            Directory::Row(self.first, self.bytes)
        } else {
            Directory::Chain(self.first)
        }
    }
}

/// One bit a cluster.
struct ClusterMarks(Vec<u64>);

impl ClusterMarks {
    fn new(count: u32) -> Self {
        Self(vec![0; usize::try_from(count.div_ceil(64)).unwrap_or(0)])
    }

    /// Marks a cluster. Returns false when it was marked before.
    fn take(&mut self, no: u32) -> bool {
        let bit = 1_u64 << (no % 64);
        let word = usize::try_from(no / 64)
            .ok()
            .and_then(|at| self.0.get_mut(at));
        word.is_some_and(|word| {
            let is_new = *word & bit == 0;
            *word |= bit;
            is_new
        })
    }
}

#[cfg(test)]
mod tests;
