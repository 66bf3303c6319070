//! Slices of damaged blocks that were read from media, kept until the blocks are complete.
//!
//! Each volume has a sparse image with the slices at their places, and a journal that says which of them are known. The
//! journal has a check of every slice, so that it may be written first or last: a slice that does not match counts as
//! unknown.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::fs::cannot_write;
use crate::base::id;
use crate::volumes::VolumeError;
use crate::volumes::block::BlockSize;
use crate::volumes::geometry::Geometry;
use crate::volumes::recovery::BlockPlace;
use crate::volumes::slices::{SLICES, Slices, bytes_of};

/// Suffix of a volume's image of slices.
pub(crate) const PARTS: &str = ".parts";
/// Suffix of its journal.
pub(crate) const KNOWN: &str = ".known";
/// Bytes of an entry: block number, slices, a check for each slice, a check of the entry.
const ENTRY_BYTES: usize = 4 + 4 + SLICES * 4 + 4;

/// The slices of one set's damaged blocks.
#[derive(Debug)]
pub(crate) struct StagedSlices {
    dir: PathBuf,
    volume_blocks: u32,
    block_size: BlockSize,
    /// Volumes that were opened, indexed by volume number less one.
    volumes: Vec<Mutex<Option<VolumeSlices>>>,
}

#[derive(Debug)]
struct VolumeSlices {
    image: File,
    journal: File,
    known: BTreeMap<u32, BlockSlices>,
}

#[derive(Debug, Clone, Copy)]
struct BlockSlices {
    slices: Slices,
    checks: [[u8; 4]; SLICES],
}

impl StagedSlices {
    /// Uses `dir`, which must exist when slices are written.
    pub(crate) fn new(dir: PathBuf, geometry: &Geometry) -> Self {
        Self {
            dir,
            volume_blocks: geometry.volume_blocks(),
            block_size: geometry.block_size(),
            volumes: (0..geometry.volume_count())
                .map(|_| Mutex::new(None))
                .collect(),
        }
    }

    fn path(&self, volume_no: u16, suffix: &str) -> PathBuf {
        self.dir.join(format!("v{volume_no:03}{suffix}"))
    }

    /// Returns the slot of a volume, opened when it has files or `create` says so.
    fn volume(
        &self,
        volume_no: u16,
        create: bool,
    ) -> Result<MutexGuard<'_, Option<VolumeSlices>>, VolumeError> {
        let slot = &self.volumes[usize::from(volume_no) - 1];
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            let paths = [KNOWN, PARTS].map(|suffix| self.path(volume_no, suffix));
            let [journal, image] = [&paths[0], &paths[1]].map(|path| open(path, create));
            let (Some(mut journal), Some(image)) = (journal?, image?) else {
                return Ok(slot);
            };
            let known = self
                .load(&mut journal)
                .map_err(VolumeError::io(&paths[0]))?;
            cut_tail(&journal);
            *slot = Some(VolumeSlices {
                image,
                journal,
                known,
            });
        }
        Ok(slot)
    }

    /// Reads a journal. A later entry of a block replaces an earlier one, and entries that a kill cut are left out.
    fn load(&self, journal: &mut File) -> io::Result<BTreeMap<u32, BlockSlices>> {
        let mut known = BTreeMap::new();
        let mut reader = io::BufReader::new(journal);
        let mut entry = [0; ENTRY_BYTES];
        loop {
            match reader.read_exact(&mut entry) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break,
                Err(error) => return Err(error),
            }
            if let Some((block_no, slices)) = parse(&entry, self.block_size)
                && block_no < self.volume_blocks
            {
                known.insert(block_no, slices);
            }
        }
        Ok(known)
    }

    /// Returns the known slices of every damaged block.
    pub(crate) fn load_all(&self) -> Result<Vec<(BlockPlace, Slices)>, VolumeError> {
        let mut all = Vec::new();
        for (volume_no, _) in (1..).zip(&self.volumes) {
            if let Some(volume) = self.volume(volume_no, false)?.as_ref() {
                let known = volume.known.iter();
                all.extend(known.map(|(block_no, known)| ((volume_no, *block_no), known.slices)));
            }
        }
        Ok(all)
    }

    /// Writes the given slices of a block, which replace what was known of it.
    pub(crate) fn write(
        &self,
        (volume_no, block_no): BlockPlace,
        block: &[u8],
        slices: Slices,
    ) -> Result<(), VolumeError> {
        let mut slot = self.volume(volume_no, true)?;
        let volume = slot.as_mut().expect("made when missing");
        let before = volume.known.get(&block_no).copied();
        let mut now = BlockSlices {
            slices,
            checks: [[0; 4]; SLICES],
        };
        let path = self.path(volume_no, PARTS);
        for slice in slices.iter() {
            let bytes = &block[bytes_of(slice)];
            now.checks[slice] = check(bytes);
            let is_there = before.is_some_and(|before| {
                before.slices.has(slice) && before.checks[slice] == now.checks[slice]
            });
            if !is_there {
                let offset = self.block_size.offset_of(block_no) + bytes_of(slice).start as u64;
                let written = volume.image.write_all_at(bytes, offset);
                written.map_err(VolumeError::io(&path))?;
            }
        }
        if let Err(error) = volume.journal.write_all(&entry_of(block_no, &now)) {
            cut_tail(&volume.journal);
            return Err(VolumeError::io(&self.path(volume_no, KNOWN))(error));
        }
        volume.known.insert(block_no, now);
        Ok(())
    }

    /// Reads the known slices of a block into `block`, and returns those that match their checks.
    pub(crate) fn read(
        &self,
        (volume_no, block_no): BlockPlace,
        block: &mut [u8],
    ) -> Result<Slices, VolumeError> {
        let slot = self.volume(volume_no, false)?;
        let Some(volume) = slot.as_ref() else {
            return Ok(Slices::NONE);
        };
        let Some(known) = volume.known.get(&block_no) else {
            return Ok(Slices::NONE);
        };
        let mut right = Slices::NONE;
        for slice in known.slices.iter() {
            let bytes = &mut block[bytes_of(slice)];
            let offset = self.block_size.offset_of(block_no) + bytes_of(slice).start as u64;
            match volume.image.read_exact_at(bytes, offset) {
                Ok(()) if check(bytes) == known.checks[slice] => right.add(slice),
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
                Err(error) => return Err(VolumeError::io(&self.path(volume_no, PARTS))(error)),
            }
        }
        Ok(right)
    }

    /// Makes the slices durable.
    pub(crate) fn checkpoint(&self) -> Result<(), VolumeError> {
        for (volume_no, slot) in (1..).zip(&self.volumes) {
            let slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(volume) = slot.as_ref() {
                let files = [(&volume.image, PARTS), (&volume.journal, KNOWN)];
                for (file, suffix) in files {
                    let path = self.path(volume_no, suffix);
                    file.sync_data().map_err(VolumeError::io(&path))?;
                }
            }
        }
        Ok(())
    }
}

/// Opens a file for reading and appending. Returns `None` when it is missing and `create` is not set.
fn open(path: &Path, create: bool) -> Result<Option<File>, VolumeError> {
    let is_journal = path.extension() == Some(KNOWN.trim_start_matches('.').as_ref());
    let mut options = OpenOptions::new();
    options.read(true).create(create);
    if is_journal {
        options.append(true);
    } else {
        options.write(true);
    }
    match options.open(path) {
        // On a read-only file system what is staged can still be read.
        Err(error) if !create && cannot_write(&error) => {
            File::open(path).map(Some).map_err(VolumeError::io(path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some).map_err(VolumeError::io(path)),
    }
}

/// Removes an entry that was written in part, so that the next one begins at its place. On a read-only file system it
/// stays, and nothing is written behind it.
fn cut_tail(journal: &File) {
    let whole = |len: u64| len - len % ENTRY_BYTES as u64;
    if let Ok(stat) = journal.metadata()
        && whole(stat.len()) < stat.len()
    {
        let _ = journal.set_len(whole(stat.len()));
    }
}

fn check(bytes: &[u8]) -> [u8; 4] {
    let [a, b, c, d, ..] = id::hash(bytes);
    [a, b, c, d]
}

fn entry_of(block_no: u32, known: &BlockSlices) -> [u8; ENTRY_BYTES] {
    let mut entry = [0; ENTRY_BYTES];
    let (body, seal) = entry.split_at_mut(ENTRY_BYTES - 4);
    body[..4].copy_from_slice(&block_no.to_le_bytes());
    body[4..8].copy_from_slice(&known.slices.bits().to_le_bytes());
    for (out, check) in body[8..].chunks_exact_mut(4).zip(&known.checks) {
        out.copy_from_slice(check);
    }
    seal.copy_from_slice(&check(body));
    entry
}

fn parse(entry: &[u8; ENTRY_BYTES], size: BlockSize) -> Option<(u32, BlockSlices)> {
    let (body, seal) = entry.split_at(ENTRY_BYTES - 4);
    let word = |at: usize| Some(u32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?));
    let mut checks = [[0; 4]; SLICES];
    for (check, bytes) in checks.iter_mut().zip(body[8..].chunks_exact(4)) {
        check.copy_from_slice(bytes);
    }
    let known = BlockSlices {
        slices: Slices::from_bits(word(4)?).and(Slices::all(size)),
        checks,
    };
    (seal == check(body)).then_some((word(0)?, known))
}
