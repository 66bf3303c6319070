//! Volume folders: volume files of at most 1 GiB that hold a volume's blocks, and the pages for people beside them.
//!
//! It places blocks by their number and does not read their content. A folder gets its name only when it is complete.

mod facts;
mod read_back;
mod work;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::FallocateFlags;
use rustix::io::Errno;

use crate::base::fs::sync;
use crate::base::monitor::Monitor;
use crate::volumes::media::iso::{self, IsoImage};
use crate::volumes::media::kind::VOLUME_FILE_BYTES;
use crate::volumes::media::{CompanionFile, MediaError, page};

pub(crate) use self::facts::is_volume_file_name;
pub use self::facts::{PageNotes, VolumeFacts};
pub use self::read_back::ReadBack;
use self::work::WorkFolder;

/// Writes one volume, blocks in any order and from several threads. When it is dropped before
/// [`VolumeWriter::finish`], it leaves nothing behind.
#[derive(Debug)]
pub struct VolumeWriter {
    facts: VolumeFacts,
    notes: PageNotes,
    companions: Vec<CompanionFile>,
    read_back: ReadBack,
    target: PathBuf,
    form: VolumeOutput,
    work: WorkFolder,
    files: Vec<File>,
    written_blocks: AtomicU64,
}

/// The form of the finished volume.
#[derive(Debug)]
enum VolumeOutput {
    Folder,
    Iso { limit_bytes: Option<u64> },
}

impl VolumeWriter {
    /// Begins a volume folder in `dir`, which must exist. The unfinished folder has room for every block.
    ///
    /// # Errors
    /// [`MediaError::Exists`] when the volume exists already. [`MediaError::Busy`] when another process writes it.
    /// [`MediaError::Io`], for example when there is no room.
    pub fn create(dir: &Path, facts: VolumeFacts) -> Result<Self, MediaError> {
        let target = dir.join(facts.volume_name());
        Self::create_form(dir, facts, target, VolumeOutput::Folder)
    }

    /// Begins a volume as one `.iso` in `dir`, of at most `limit_bytes` bytes. Until it is finished, a folder of the
    /// same size stands beside it.
    ///
    /// # Errors
    /// As [`VolumeWriter::create`].
    /// As [`VolumeWriter::create`].
    pub fn create_iso(
        dir: &Path,
        facts: VolumeFacts,
        limit_bytes: Option<u64>,
    ) -> Result<Self, MediaError> {
        let target = dir.join(format!("{}.iso", facts.volume_name()));
        Self::create_form(dir, facts, target, VolumeOutput::Iso { limit_bytes })
    }

    fn create_form(
        dir: &Path,
        facts: VolumeFacts,
        target: PathBuf,
        form: VolumeOutput,
    ) -> Result<Self, MediaError> {
        let name = facts.volume_name();
        if target.symlink_metadata().is_ok() {
            return Err(MediaError::Exists { path: target });
        }
        let work = WorkFolder::create(dir.join(format!(".{name}.unfinished")))?;
        let mut files = Vec::new();
        let mut rest = facts.block_size.total(facts.volume_blocks);
        while rest > 0 {
            let bytes = rest.min(VOLUME_FILE_BYTES);
            let file_no = u32::try_from(files.len()).expect("fewer files than blocks");
            let path = work.path.join(facts.volume_file_name(file_no));
            files.push(create_volume_file(&path, bytes)?);
            rest -= bytes;
        }
        Ok(Self {
            facts,
            notes: PageNotes::default(),
            companions: Vec::new(),
            read_back: ReadBack::default(),
            target,
            form,
            work,
            files,
            written_blocks: AtomicU64::new(0),
        })
    }

    /// Adds notes for the pages.
    #[must_use]
    pub(crate) fn with_notes(self, notes: PageNotes) -> Self {
        Self { notes, ..self }
    }

    /// Adds files that are to stand beside the volume files.
    #[must_use]
    pub fn with_companions(self, companions: Vec<CompanionFile>) -> Self {
        Self { companions, ..self }
    }

    /// Says whether it is read back before it gets its name.
    #[must_use]
    pub(crate) fn with_read_back(self, read_back: ReadBack) -> Self {
        Self { read_back, ..self }
    }

    /// Returns the facts it was created with.
    pub fn facts(&self) -> &VolumeFacts {
        &self.facts
    }

    /// Writes adjacent blocks from `block_no` on.
    ///
    /// # Errors
    /// [`MediaError::Io`] with the volume file's path.
    ///
    /// # Panics
    /// When `blocks` is not whole blocks of this volume.
    pub fn write_run(&self, block_no: u32, blocks: &[u8]) -> Result<(), MediaError> {
        self.each_file(block_no, blocks.len(), |file, at, part| {
            file.write_all_at(&blocks[part], at)
        })?;
        self.written_blocks.fetch_add(
            (blocks.len() / self.facts.block_size.bytes()) as u64,
            Ordering::Relaxed,
        );
        Ok(())
    }

    /// Reads adjacent blocks back, from `block_no` on. Blocks that were not written yet are zeros.
    ///
    /// # Errors
    /// [`MediaError::Io`] with the volume file's path.
    ///
    /// # Panics
    /// When `blocks` is not whole blocks of this volume.
    pub(crate) fn read_run(&self, block_no: u32, blocks: &mut [u8]) -> Result<(), MediaError> {
        self.each_file(block_no, blocks.len(), |file, at, part| {
            file.read_exact_at(&mut blocks[part], at)
        })
    }

    /// Splits a run at the ends of volume files.
    fn each_file(
        &self,
        block_no: u32,
        len: usize,
        mut act: impl FnMut(&File, u64, std::ops::Range<usize>) -> io::Result<()>,
    ) -> Result<(), MediaError> {
        let size = self.facts.block_size;
        assert!(len.is_multiple_of(size.bytes()), "a run is whole blocks");
        let mut at = size.offset_of(block_no);
        let end = at + len as u64;
        assert!(
            end <= size.total(self.facts.volume_blocks),
            "a run ends within the volume"
        );
        let mut done = 0;
        while at < end {
            let file_no = u32::try_from(at / VOLUME_FILE_BYTES).expect("block numbers are u32");
            let in_file = at % VOLUME_FILE_BYTES;
            let part_bytes = (VOLUME_FILE_BYTES - in_file).min(end - at);
            let part_len = usize::try_from(part_bytes).expect("part of a slice");
            let file = &self.files[usize::try_from(file_no).expect("an index of files")];
            act(file, in_file, done..done + part_len).map_err(|source| MediaError::Io {
                path: self.work.path.join(self.facts.volume_file_name(file_no)),
                source,
            })?;
            at += part_bytes;
            done += part_len;
        }
        Ok(())
    }

    /// Writes the pages, makes the image if one is wanted, syncs everything and renames it. Returns the final path.
    /// Making an image advances the monitor's task by the image's bytes.
    ///
    /// # Errors
    /// [`MediaError::Unfinished`] when blocks are missing, [`MediaError::Interrupted`], [`MediaError::Io`]. For images
    /// [`MediaError::XorrisoMissing`], [`MediaError::XorrisoFailed`], [`MediaError::TooLarge`].
    pub fn finish(self, monitor: &dyn Monitor) -> Result<PathBuf, MediaError> {
        let written_blocks = self.written_blocks.load(Ordering::Relaxed);
        // Blocks are counted and not recorded: every writer writes each block exactly once.
        if written_blocks < u64::from(self.facts.volume_blocks) {
            return Err(MediaError::Unfinished {
                volume_no: self.facts.volume_no,
                written_blocks,
                volume_blocks: self.facts.volume_blocks,
            });
        }
        self.write_pages()?;
        for file in &self.companions {
            file.write(&self.work.path)?;
        }
        match self.form {
            VolumeOutput::Folder => self.finish_folder(monitor),
            VolumeOutput::Iso { limit_bytes } => self.finish_iso(limit_bytes, monitor),
        }
    }

    fn write_pages(&self) -> Result<(), MediaError> {
        // The pages speak of those programs alone that are beside them.
        let on_volume = self
            .companions
            .iter()
            .filter_map(|file| file.program.clone());
        let notes = PageNotes {
            programs: on_volume.collect(),
            ..self.notes.clone()
        };
        let pages = [
            (page::HTML_NAME, page::html(&self.facts, &notes)),
            (page::TEXT_NAME, page::text(&self.facts, &notes)),
        ];
        for (name, text) in pages {
            let path = self.work.path.join(name);
            fs::write(&path, text).map_err(MediaError::io(&path))?;
            sync(&path).map_err(MediaError::io(&path))?;
        }
        Ok(())
    }

    fn finish_folder(self, monitor: &dyn Monitor) -> Result<PathBuf, MediaError> {
        for file in &self.files {
            monitor.check_stop()?;
            file.sync_all().map_err(MediaError::io(&self.work.path))?;
        }
        // Everything in the folder is durable before the folder gets its name.
        sync(&self.work.path).map_err(MediaError::io(&self.work.path))?;
        let file_nos = 0..u32::try_from(self.files.len()).expect("fewer files than blocks");
        let name = |no| self.work.path.join(self.facts.volume_file_name(no));
        let paths: Vec<PathBuf> = file_nos.map(name).collect();
        self.check_back(&paths, monitor)?;
        self.work.rename_to(&self.target)?;
        Ok(self.target)
    }

    /// Makes the image. Dropping `self` removes the folder.
    fn finish_iso(
        self,
        limit_bytes: Option<u64>,
        monitor: &dyn Monitor,
    ) -> Result<PathBuf, MediaError> {
        let file_nos = 0..u32::try_from(self.files.len()).expect("fewer files than blocks");
        let image = IsoImage {
            program: &iso::default_program(),
            folder: &self.work.path,
            companions: self
                .companions
                .iter()
                .map(|file| file.name.clone())
                .collect(),
            volume_files: file_nos.map(|no| self.facts.volume_file_name(no)).collect(),
            iso: &self.target,
            block_size: self.facts.block_size,
            label: self.facts.label(),
            limit_bytes,
        };
        image.write(monitor)?;
        let back = self.check_back(std::slice::from_ref(&self.target), monitor);
        if back.is_err() {
            // An image that does not come back is no volume.
            let _ = fs::remove_file(&self.target);
        }
        back?;
        Ok(self.target)
    }

    /// Reads everything back where that is wanted.
    fn check_back(&self, files: &[PathBuf], monitor: &dyn Monitor) -> Result<(), MediaError> {
        let folder = self.target.parent().unwrap_or(Path::new("."));
        if !self.read_back.applies_to(folder) {
            return Ok(());
        }
        read_back::check(&self.facts, files, &self.target, monitor)
    }
}

fn create_volume_file(path: &Path, bytes: u64) -> Result<File, MediaError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(MediaError::io(path))?;
    match rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes) {
        Ok(()) => {}
        // Not every file system can reserve room. On such a one a full disk shows only while writing.
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {
            file.set_len(bytes).map_err(MediaError::io(path))?
        }
        Err(errno) => return Err(MediaError::io(path)(errno.into())),
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::SetId;
    use crate::base::monitor::Silent;
    use crate::volumes::block::{BLOCK_BYTES, BlockSize};

    const FILE_BLOCKS: u32 = 16_384;

    pub(crate) fn facts(volume_blocks: u32) -> VolumeFacts {
        VolumeFacts {
            set_id: SetId([0xab; 16]),
            title: "Shop: 商店 / 2.0 ".into(),
            volume_no: 3,
            data_volumes: 5,
            spare_volumes: 2,
            block_size: BlockSize::Full,
            volume_blocks,
            releases: vec!["shop:2.0".into()],
            created_by: "carryall 0.1.0".into(),
        }
    }

    #[test]
    fn names_are_plain_whatever_the_title() {
        let mut one = facts(1);
        assert_eq!(one.volume_name(), "Shop-u5546u5e97-2.0-abababab-vol03of07");
        assert_eq!(one.volume_file_name(12), "carry03.012");
        for (spare_volumes, name) in [(200, "carry003.999"), (1019, "carr0003.999")] {
            let many = VolumeFacts {
                spare_volumes,
                ..one.clone()
            };
            assert_eq!(many.volume_file_name(999), name);
            assert!(is_volume_file_name(name));
        }
        assert_eq!(one.label(), "CARRYALL_03_07_ABABABAB");
        one.title = "../..\\商店".into();
        one.spare_volumes = 200;
        assert_eq!(one.volume_name(), "u5546u5e97-abababab-vol003of205");
        one.title = "☃ / ☃".into();
        assert_eq!(one.volume_name(), "carryall-abababab-vol003of205");
        one.title = "商".repeat(500);
        assert_eq!(one.volume_name().len(), 40 + "-abababab-vol003of205".len());
        one.title = "x".repeat(500);
        assert!(one.volume_name().len() < 80);
    }

    #[test]
    fn blocks_come_back_from_where_they_were_put_and_the_folder_appears_at_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let writer = VolumeWriter::create(dir.path(), facts(5)).unwrap();
        let block = |fill: u8| vec![fill; BLOCK_BYTES];
        writer.write_run(4, &block(4)).unwrap();
        writer.write_run(0, &[block(0), block(1)].concat()).unwrap();
        let unfinished = VolumeWriter::create(dir.path(), facts(5));
        assert!(matches!(unfinished, Err(MediaError::Busy { .. })));
        std::thread::scope(|scope| {
            scope.spawn(|| writer.write_run(2, &block(2)).unwrap());
            scope.spawn(|| writer.write_run(3, &block(3)).unwrap());
        });
        let mut back = vec![0; 2 * BLOCK_BYTES];
        writer.read_run(3, &mut back).unwrap();
        assert_eq!(back, [block(3), block(4)].concat());
        let folder = writer.finish(&Silent).unwrap();
        assert_eq!(folder, dir.path().join(facts(5).volume_name()));
        let file = fs::read(folder.join("carry03.000")).unwrap();
        assert!(
            file.chunks(BLOCK_BYTES)
                .zip(0_u8..)
                .all(|(have, fill)| have == block(fill))
        );
        let again = VolumeWriter::create(dir.path(), facts(5));
        assert!(matches!(again, Err(MediaError::Exists { .. })));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_volume_not_finished_leaves_nothing_and_one_killed_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let writer = VolumeWriter::create(dir.path(), facts(3)).unwrap();
        writer.write_run(0, &vec![1; BLOCK_BYTES]).unwrap();
        assert!(matches!(
            writer.finish(&Silent),
            Err(MediaError::Unfinished { .. })
        ));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let left = dir
            .path()
            .join(format!(".{}.unfinished", facts(3).volume_name()));
        fs::create_dir(&left).unwrap();
        fs::write(left.join("carry03.000"), b"half").unwrap();
        drop(VolumeWriter::create(dir.path(), facts(3)).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_run_may_cross_volume_files() {
        let dir = tempfile::tempdir().unwrap();
        // The files are preallocated: the first takes 1 GiB of room for a moment, or is sparse where the system
        // supports it.
        let writer = VolumeWriter::create(dir.path(), facts(FILE_BLOCKS + 1)).unwrap();
        let run = [vec![8; BLOCK_BYTES], vec![9; BLOCK_BYTES]].concat();
        writer.write_run(FILE_BLOCKS - 1, &run).unwrap();
        let mut back = vec![0; run.len()];
        writer.read_run(FILE_BLOCKS - 1, &mut back).unwrap();
        assert!(back == run);
        let second = fs::metadata(writer.work.path.join("carry03.001")).unwrap();
        assert_eq!(second.len(), BLOCK_BYTES as u64);
    }
}
