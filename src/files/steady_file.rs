//! A regular file that is read and must not change meanwhile. Changes are reported and holes are known. Files that
//! programs make up as they are read, such as those in /proc, are read to their end.

use std::fs::{File, Metadata};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{Mode, OFlags, SeekFrom};

use super::LayoutError;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::base::spooled_temp::SpooledTemp;
use crate::base::term::Action;

/// A file that takes no room on its disk and is no longer than this may be made up as it is read.
const MADE_UP_BYTES_MAX: u64 = 1 << 20;
/// Bytes of such a file that are read at a time.
const READ_BYTES: usize = 64 << 10;
/// Shorter files are read with their holes.
const HOLES_BYTES_MIN: u64 = 1 << 20;
/// Most stretches of data in a file with holes. When a file has more, its holes are read from the disk as zeros.
const STRETCHES_MAX: usize = 1 << 16;

/// A regular file that must stay as it was when it was opened.
pub(crate) struct SteadyFile {
    file: File,
    stat: Metadata,
    /// The ranges between holes that hold data, in order. `None` stands for the whole file.
    stretches: Option<Vec<Range<u64>>>,
}

/// See [`SteadyFile::sign`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    file: (u64, u64),
    bytes: u64,
    changed: (i64, i64),
}

impl Sign {
    fn of(stat: &Metadata) -> Self {
        Self {
            file: (stat.dev(), stat.ino()),
            bytes: stat.len(),
            changed: (stat.mtime(), stat.mtime_nsec()),
        }
    }
}

impl SteadyFile {
    /// Opens a regular file without following links. A pipe that took the file's place does not block.
    ///
    /// # Errors
    /// [`LayoutError::Io`], or [`LayoutError::Changed`] when it is not a regular file.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        // NONBLOCK keeps a pipe that took the file's place from blocking the open.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())
            .map_err(|error| LayoutError::io(Action::Open, path)(error.into()))?;
        let file = File::from(file);
        let stat = file
            .metadata()
            .map_err(LayoutError::io(Action::LookAt, path))?;
        if !stat.is_file() {
            return Err(LayoutError::Changed(path.to_owned()));
        }
        // `st_blocks` counts units of 512 bytes on every file system.
        let has_holes = stat.len() >= HOLES_BYTES_MIN && stat.blocks() * 512 < stat.len();
        let stretches = has_holes.then(|| stretches(&file, stat.len())).flatten();
        Ok(Self {
            file,
            stat,
            stretches,
        })
    }

    /// Returns the whole content of a file whose stated length is wrong, read once to its end. Such files are in /proc
    /// and /sys, and in file systems that programs make up. Returns `None` for all others.
    ///
    /// # Errors
    /// [`LayoutError::Io`], or an interruption.
    pub(super) fn made_up(
        &self,
        path: &Path,
        mut spool: SpooledTemp,
        monitor: &dyn Monitor,
    ) -> Result<Option<SpooledTemp>, LayoutError> {
        let said = self.stat.len();
        let read = |offset: u64, out: &mut [u8]| {
            let count = self.file.read_at(out, offset);
            count.map_err(LayoutError::io(Action::Read, path))
        };
        let takes_no_room = self.stat.blocks() == 0 && (1..=MADE_UP_BYTES_MAX).contains(&said);
        // A real file without blocks is one hole, and its last byte can be read.
        let is_shorter = takes_no_room && read(said - 1, &mut [0])? == 0;
        if !is_shorter && read(said, &mut [0])? == 0 {
            return Ok(None);
        }
        let mut piece = vec![0; READ_BYTES];
        loop {
            monitor.check_stop()?;
            let count = read(ReadAt::size_bytes(&spool), &mut piece)?;
            if count == 0 {
                break;
            }
            if let Err(error) = spool.write_all(&piece[..count]) {
                let error = spool.refusal().unwrap_or(error);
                return Err(LayoutError::io(Action::KeepWhatWasRead, path)(error));
            }
        }
        let finished = spool.finish();
        finished.map_err(LayoutError::io(Action::KeepWhatWasRead, path))?;
        Ok(Some(spool))
    }

    /// Returns what distinguishes the file from its later states and from other files.
    pub fn sign(&self) -> Sign {
        Sign::of(&self.stat)
    }

    /// Checks that the file was not written to since it was opened, as far as its length and time tell.
    ///
    /// # Errors
    /// [`LayoutError::Changed`] or [`LayoutError::Io`].
    pub fn check(&self, path: &Path) -> Result<(), LayoutError> {
        let now = self
            .file
            .metadata()
            .map_err(LayoutError::io(Action::LookAt, path))?;
        if Sign::of(&now) == self.sign() {
            Ok(())
        } else {
            Err(LayoutError::Changed(path.to_owned()))
        }
    }
}

impl ReadAt for SteadyFile {
    fn size_bytes(&self) -> u64 {
        self.stat.len()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let Some(stretches) = &self.stretches else {
            return self.file.read_at(out, offset);
        };
        let bytes = self.stat.len();
        let next = stretches.partition_point(|stretch| stretch.end <= offset);
        let (is_hole, end) = match stretches.get(next) {
            Some(stretch) if stretch.start <= offset => (false, stretch.end),
            Some(stretch) => (true, stretch.start),
            None => (true, bytes),
        };
        let left = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = out.len().min(left);
        if is_hole {
            out[..count].fill(0);
            return Ok(count);
        }
        self.file.read_at(&mut out[..count], offset)
    }
}

/// Returns the ranges of a file between its holes. Returns `None` when they cannot be known or are not worth knowing.
fn stretches(file: &File, bytes: u64) -> Option<Vec<Range<u64>>> {
    let mut stretches = Vec::new();
    let mut at = 0;
    while at < bytes {
        let start = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            // Only a hole follows.
            Err(rustix::io::Errno::NXIO) => break,
            Err(_) => return None,
        };
        let end = rustix::fs::seek(file, SeekFrom::Hole(start)).ok()?;
        // A file system that gives senseless answers is not asked again.
        if end <= start || stretches.len() == STRETCHES_MAX {
            return None;
        }
        stretches.push(start..end);
        at = end;
    }
    Some(stretches)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_file_that_is_written_to_meanwhile_is_told() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, b"before").unwrap();
        let steady = SteadyFile::open(&path).unwrap();
        steady.check(&path).unwrap();
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(b" and after").unwrap();
        let error = steady.check(&path).unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("file changed while it was read"),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_file_any_more_is_not_opened() {
        let dir = tempfile::TempDir::new().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("elsewhere", &link).unwrap();
        assert!(matches!(
            SteadyFile::open(&link),
            Err(LayoutError::Io { .. })
        ));
        assert!(matches!(
            SteadyFile::open(dir.path()),
            Err(LayoutError::Changed(_))
        ));
    }

    #[test]
    fn a_file_with_holes_reads_as_it_is() {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("holes");
        let file = File::create(&path).unwrap();
        file.set_len(9 << 20).unwrap();
        for (at, text) in [(3 << 20, &b"middle"[..]), ((9 << 20) - 3, b"end")] {
            file.write_all_at(text, at).unwrap();
        }
        let steady = SteadyFile::open(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let mut got = vec![7; whole.len()];
        let mut at = 0;
        while at < got.len() {
            let end = got.len().min(at + 700_001);
            let count = ReadAt::read_at(&steady, at as u64, &mut got[at..end]).unwrap();
            assert!(count > 0);
            at += count;
        }
        assert!(got == whole);
        assert_eq!(ReadAt::read_at(&steady, at as u64, &mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_file_that_is_made_up_as_it_is_read_is_read_to_its_end() {
        let dir = tempfile::TempDir::new().unwrap();
        let made_up = |path: &Path| {
            let file = SteadyFile::open(path).unwrap();
            let spool = SpooledTemp::new(dir.path());
            let made_up = file
                .made_up(path, spool, &crate::base::monitor::Silent)
                .unwrap();
            made_up.map(|spool| {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut spool.reader(), &mut bytes).unwrap();
                bytes
            })
        };
        for made in [
            "/proc/version",
            "/proc/sys/kernel/ostype",
            "/sys/kernel/mm/transparent_hugepage/enabled",
        ] {
            let path = Path::new(made);
            if let Ok(bytes) = std::fs::read(path) {
                assert_eq!(made_up(path), Some(bytes), "{made}");
            }
        }
        let (empty, plain, hole) = (
            dir.path().join("e"),
            dir.path().join("p"),
            dir.path().join("h"),
        );
        File::create(&empty).unwrap();
        std::fs::write(&plain, b"plain").unwrap();
        File::create(&hole).unwrap().set_len(5000).unwrap();
        assert!(
            [empty, plain, hole]
                .iter()
                .all(|path| made_up(path).is_none())
        );
    }
}
