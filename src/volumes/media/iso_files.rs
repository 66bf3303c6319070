//! Where the files of an ISO 9660 file system lie, as its directory says.
//!
//! A directory is a hint from a medium that may be damaged or hostile. It says where to look first, and never that
//! something is not there. Reading it is bounded: 8 MiB of directories, and as many files as [`FILES_MAX`].

use std::collections::{BTreeSet, VecDeque};
use std::ops::Range;

use crate::base::read_at::ReadAt;
use crate::volumes::block::{BlockHeader, HEADER_BYTES, SMALL_BLOCK_BYTES};
use crate::volumes::media::kind::SECTOR_BYTES;

/// Sector of the primary volume descriptor.
const DESCRIPTOR_SECTOR: u64 = 16;
/// Its type, the file system's name, and its version.
const DESCRIPTOR_START: &[u8; 7] = b"\x01CD001\x01";
const BLOCK_SIZE_AT: usize = 128;
const ROOT_AT: usize = 156;
/// Fields of a directory record.
const EXTENT_AT: usize = 2;
const LENGTH_AT: usize = 10;
const FLAGS_AT: usize = 25;
const NAME_LENGTH_AT: usize = 32;
const NAME_AT: usize = 33;
const IS_DIRECTORY: u8 = 2;
/// Sectors of directories that are read: 8 MiB.
const SECTORS_MAX: usize = 4096;
/// Directories that are read.
const DIRECTORIES_MAX: usize = 1024;
/// Files that are taken from it.
pub(super) const FILES_MAX: usize = 4096;
/// Sectors that may be unreadable before the directory is left alone. Each can take a drive several seconds.
const FAILURES_MAX: u32 = 4;
/// Files whose beginning is looked at.
const LOOKED_AT_MAX: usize = 64;
/// Blocks of the smallest volume.
const VOLUME_BLOCKS_MIN: u64 = 7;
/// How the names of volume files begin.
const VOLUME_NAME: &[u8] = b"carryall";

/// What the directory of a medium says.
#[derive(Debug, Default)]
pub(super) struct IsoFiles {
    /// The stretches of files that are volume files, as far as their names or beginnings tell. In order, and apart from
    /// one another.
    pub(super) volumes: Vec<Range<u64>>,
    /// The end of the last file.
    pub(super) end: u64,
}

/// A file's stretch, and whether it is named as a volume file.
type IsoFile = (Range<u64>, bool);

impl IsoFiles {
    /// Reads the directory of a medium. Returns `None` when there is no such file system, or nothing of its directory
    /// can be read.
    pub(super) fn of(reader: &dyn ReadAt) -> Option<Self> {
        let mut sectors = Sectors {
            reader,
            failures: 0,
        };
        let descriptor = sectors.read(DESCRIPTOR_SECTOR)?;
        let block_size = u64::from(half(&descriptor, BLOCK_SIZE_AT)?);
        if !descriptor.starts_with(DESCRIPTOR_START) || block_size != SECTOR_BYTES {
            return None;
        }
        let root = Record::parse(descriptor.get(ROOT_AT..)?)?;
        let found = sectors.walk(&root)?;
        let end = found.iter().map(|(stretch, _)| stretch.end).max()?;
        let volumes = volumes_among(found, reader);
        Some(Self { volumes, end })
    }
}

/// Returns the stretches of volume files, in order and apart from one another.
fn volumes_among(mut found: Vec<IsoFile>, reader: &dyn ReadAt) -> Vec<Range<u64>> {
    let least = VOLUME_BLOCKS_MIN * SMALL_BLOCK_BYTES as u64;
    found.retain(|(stretch, _)| stretch.end - stretch.start >= least);
    let (named, others): (Vec<IsoFile>, Vec<IsoFile>) =
        found.into_iter().partition(|(_, is_named)| *is_named);
    let mut head = [0; HEADER_BYTES];
    let mut begins_with_block = |(stretch, _): &IsoFile| {
        let read = reader.read_at(stretch.start, &mut head);
        read.is_ok_and(|len| BlockHeader::peek(&head[..len]).is_some())
    };
    let looked_at = others.into_iter().take(LOOKED_AT_MAX);
    let others: Vec<IsoFile> = looked_at.filter(&mut begins_with_block).collect();
    let mut volumes: Vec<Range<u64>> = named
        .into_iter()
        .chain(others)
        .map(|(stretch, _)| stretch)
        .collect();
    volumes.sort_by_key(|stretch| (stretch.start, stretch.end));
    let mut behind = 0;
    volumes.retain(|stretch| {
        let is_apart = stretch.start >= behind;
        if is_apart {
            behind = stretch.end;
        }
        is_apart
    });
    volumes
}

struct Sectors<'a> {
    reader: &'a dyn ReadAt,
    failures: u32,
}

impl Sectors<'_> {
    fn read(&mut self, sector: u64) -> Option<Vec<u8>> {
        let is_there = sector < self.reader.size_bytes() / SECTOR_BYTES;
        if self.failures >= FAILURES_MAX || !is_there {
            return None;
        }
        let mut bytes = vec![0; usize::try_from(SECTOR_BYTES).ok()?];
        let read = self.reader.read_at(sector * SECTOR_BYTES, &mut bytes);
        if read.is_ok_and(|len| len == bytes.len()) {
            return Some(bytes);
        }
        self.failures += 1;
        None
    }

    /// Returns the files at or below a directory. Returns `None` when nothing of it can be read.
    fn walk(&mut self, root: &Record) -> Option<Vec<IsoFile>> {
        let size = self.reader.size_bytes();
        let mut files = Vec::new();
        let mut known = BTreeSet::from([root.sector]);
        let mut waiting = VecDeque::from([*root]);
        let (mut left, mut any) = (SECTORS_MAX, false);
        while let Some(directory) = waiting.pop_front() {
            let count = directory.length.div_ceil(SECTOR_BYTES);
            for sector in (directory.sector..).take(usize::try_from(count).unwrap_or(left)) {
                if left == 0 {
                    return any.then_some(files);
                }
                left -= 1;
                let Some(bytes) = self.read(sector) else {
                    continue;
                };
                any = true;
                for (record, name) in records(&bytes) {
                    let stretch = record.stretch();
                    if record.is_directory {
                        // A directory that leads back to itself is entered once.
                        if known.len() < DIRECTORIES_MAX && known.insert(record.sector) {
                            waiting.push_back(record);
                        }
                    } else if files.len() < FILES_MAX && !stretch.is_empty() && stretch.end <= size
                    {
                        let start = name.get(..VOLUME_NAME.len());
                        let is_named =
                            start.is_some_and(|start| start.eq_ignore_ascii_case(VOLUME_NAME));
                        files.push((stretch, is_named));
                    }
                }
            }
        }
        any.then_some(files)
    }
}

/// A directory record, as far as it is needed.
#[derive(Debug, Clone, Copy)]
struct Record {
    sector: u64,
    length: u64,
    is_directory: bool,
}

impl Record {
    fn parse(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            sector: word(bytes, EXTENT_AT)?,
            length: word(bytes, LENGTH_AT)?,
            is_directory: bytes.get(FLAGS_AT)? & IS_DIRECTORY != 0,
        })
    }

    fn stretch(&self) -> Range<u64> {
        let start = self.sector * SECTOR_BYTES;
        start..start + self.length
    }
}

/// Returns the records in a sector of a directory, each with its name.
fn records(sector: &[u8]) -> Vec<(Record, &[u8])> {
    let mut records = Vec::new();
    let mut rest = sector;
    // The rest of a sector behind its last record is zero.
    while let Some(length) = rest.first().map(|length| usize::from(*length))
        && length > NAME_AT
        && length <= rest.len()
    {
        let (record, behind) = rest.split_at(length);
        let name_end = NAME_AT + usize::from(record[NAME_LENGTH_AT]);
        if let (Some(parsed), Some(name)) = (Record::parse(record), record.get(NAME_AT..name_end)) {
            records.push((parsed, name));
        }
        rest = behind;
    }
    records
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u16::from_le_bytes(*bytes))
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u64::from(u32::from_le_bytes(*bytes)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    const SECTOR: usize = 2048;

    struct DirectoryImage(Vec<u8>);

    impl ReadAt for DirectoryImage {
        fn size_bytes(&self) -> u64 {
            self.0.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> std::io::Result<usize> {
            self.0.read_at(offset, buf)
        }
    }

    fn files_of(image: &[u8]) -> Option<IsoFiles> {
        IsoFiles::of(&DirectoryImage(image.to_vec()))
    }

    /// Writes a record, and returns the place behind it.
    fn put(image: &mut [u8], at: usize, sector: u32, length: u32, flags: u8, name: &[u8]) -> usize {
        let record = &mut image[at..at + NAME_AT + name.len()];
        record[0] = u8::try_from(record.len()).unwrap();
        record[EXTENT_AT..][..4].copy_from_slice(&sector.to_le_bytes());
        record[LENGTH_AT..][..4].copy_from_slice(&length.to_le_bytes());
        record[FLAGS_AT] = flags;
        record[NAME_LENGTH_AT] = u8::try_from(name.len()).unwrap();
        record[NAME_AT..].copy_from_slice(name);
        at + NAME_AT + name.len()
    }

    /// A file system with a directory below its root, which leads back to the root.
    fn image() -> Vec<u8> {
        let mut image = vec![0; 3000 * SECTOR];
        let descriptor = 16 * SECTOR;
        image[descriptor..][..7].copy_from_slice(DESCRIPTOR_START);
        image[descriptor + BLOCK_SIZE_AT..][..2].copy_from_slice(&2048_u16.to_le_bytes());
        put(&mut image, descriptor + ROOT_AT, 20, 2048, 2, b"\0");
        let mut at = put(&mut image, 20 * SECTOR, 20, 2048, 2, b"\0");
        at = put(&mut image, at, 100, 10_000, 0, b"README.TXT;1");
        at = put(&mut image, at, 1000, 500_000, 0, b"VIDEO.BIN;1");
        put(&mut image, at, 21, 2048, 2, b"DISC");
        let at = put(&mut image, 21 * SECTOR, 20, 2048, 2, b"\0");
        put(&mut image, at, 200, 8 * 65_536, 0, b"CARRYALL_01.000;1");
        image
    }

    #[test]
    fn volume_files_are_found_by_name_and_by_what_they_begin_with() {
        let mut image = image();
        let named = 200 * 2048..200 * 2048 + 8 * 65_536;
        let files = files_of(&image).unwrap();
        assert_eq!(files.volumes, std::slice::from_ref(&named));
        assert_eq!(files.end, 1000 * 2048 + 500_000);
        // Another name says nothing, but what stands there does.
        let set = crate::volumes::block::SetHeader {
            block_size: crate::volumes::block::BlockSize::Full,
            set_id: crate::base::id::SetId([1; 16]),
            codec: crate::volumes::block::ParityCodec::Gf16,
            data_volumes: 1,
            spare_volumes: 0,
            stripe_width: 0,
            local_data: 9,
            local_parity: 1,
            catalog_blocks: 1,
            volume_blocks: 1000,
        };
        let geometry = crate::volumes::geometry::Geometry::from_header(&set).unwrap();
        let block = crate::volumes::blocks::header_at(&geometry, (1, 0)).empty_block();
        image[1000 * SECTOR..][..block.len()].copy_from_slice(&block);
        let files = files_of(&image).unwrap();
        assert_eq!(files.volumes, [named, 1000 * 2048..1000 * 2048 + 500_000]);
    }

    #[test]
    fn other_media_have_no_directory_and_lies_are_bounded() {
        assert!(files_of(&[0; 100 * SECTOR]).is_none());
        let mut image = image();
        // A directory that claims to be endless, and files beyond the end of the medium.
        put(&mut image, 16 * SECTOR + ROOT_AT, 20, u32::MAX, 2, b"\0");
        put(&mut image, 20 * SECTOR, 2999, u32::MAX, 0, b"CARRYALL;1");
        let files = files_of(&image).unwrap();
        assert!(files.end <= image.len() as u64);
    }

    proptest! {
        #[test]
        fn arbitrary_directories_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 2048),
            root in any::<u32>(),
        ) {
            let mut image = image();
            image[20 * SECTOR..21 * SECTOR].copy_from_slice(&bytes);
            let _ = files_of(&image);
            put(&mut image, 16 * SECTOR + ROOT_AT, root, root, 2, b"\0");
            let _ = files_of(&image);
        }
    }
}
