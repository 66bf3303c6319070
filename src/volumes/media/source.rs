//! Sources of blocks: folders, files, images and block devices, recognized by their type and never by their names.
//!
//! It reads bytes at offsets and survives bad sectors. `scan` interprets the bytes. Nothing is mapped, because a bad
//! sector under a map would kill the process.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::ops::Range;
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use walkdir::WalkDir;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;

/// The preferred access pattern of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessPattern {
    /// From several threads.
    Parallel,
    /// From front to back, for drives that seek slowly.
    Sequential,
}

/// A file or device that may hold blocks. It is open only while it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaSource {
    /// Its path.
    pub path: PathBuf,
    /// Its length when it was found.
    pub bytes: u64,
    /// Its preferred access pattern.
    pub access: AccessPattern,
}

impl MediaSource {
    /// Opens it for reading.
    ///
    /// # Errors
    /// [`MediaError::Io`] when it cannot be opened.
    pub fn open(&self) -> Result<FileReader, MediaError> {
        FileReader::open(&self.path)
    }
}

/// An open file or device.
#[derive(Debug)]
pub struct FileReader {
    file: File,
    bytes: u64,
}

impl FileReader {
    fn open(path: &Path) -> Result<Self, MediaError> {
        let mut file = File::open(path).map_err(MediaError::io(path))?;
        // A device's metadata says 0. Seeking to its end gives its size.
        let bytes = file.seek(SeekFrom::End(0)).map_err(MediaError::io(path))?;
        Ok(Self { file, bytes })
    }
}

impl ReadAt for FileReader {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buf, offset)
    }
}

/// Lists all sources at or below `paths`, in order. A file or block device is a source itself. Of a folder, every
/// regular file that could hold a block is one, sorted by name. Links inside a folder are not followed, because a link
/// is not the medium. Anything unreadable below a folder is a finding. Each file is listed once, however often it is
/// named.
///
/// # Errors
/// [`MediaError::Missing`], [`MediaError::NotAMedium`] or [`MediaError::Io`] for one of `paths` itself.
pub fn find_sources(
    paths: &[PathBuf],
    monitor: &dyn Monitor,
) -> Result<Vec<MediaSource>, MediaError> {
    let mut found = FoundSource::default();
    for path in paths {
        let meta = fs::metadata(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => MediaError::Missing { path: path.clone() },
            _ => MediaError::Io {
                path: path.clone(),
                source,
            },
        })?;
        let kind = meta.file_type();
        if kind.is_dir() {
            found.walk(path, monitor)?;
        } else if kind.is_file() {
            found.push(path.clone(), meta.len(), access_of(path));
        } else if kind.is_block_device() {
            let bytes = FileReader::open(path)?.bytes;
            found.push(path.clone(), bytes, AccessPattern::Sequential);
        } else {
            return Err(MediaError::NotAMedium { path: path.clone() });
        }
    }
    Ok(found.sources)
}

/// Returns how to read a file. A file of a mounted disc is read like the disc itself, because two readers would send
/// the head to and fro.
#[cfg(target_os = "linux")]
fn access_of(file: &Path) -> AccessPattern {
    const ISO_9660: u64 = 0x9660;
    const UDF: u64 = 0x1501_3346;
    let kind = rustix::fs::statfs(file)
        .ok()
        .and_then(|stat| u64::try_from(stat.f_type).ok());
    match kind {
        Some(ISO_9660 | UDF) => AccessPattern::Sequential,
        _ => AccessPattern::Parallel,
    }
}

#[cfg(not(target_os = "linux"))]
fn access_of(_file: &Path) -> AccessPattern {
    AccessPattern::Parallel
}

#[derive(Default)]
struct FoundSource {
    sources: Vec<MediaSource>,
    seen: HashSet<PathBuf>,
}

impl FoundSource {
    fn push(&mut self, path: PathBuf, bytes: u64, access: AccessPattern) {
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if self.seen.insert(real) {
            self.sources.push(MediaSource {
                path,
                bytes,
                access,
            });
        }
    }

    fn walk(&mut self, root: &Path, monitor: &dyn Monitor) -> Result<(), MediaError> {
        for entry in WalkDir::new(root).sort_by_file_name() {
            monitor.check_stop()?;
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = error.path().unwrap_or(root).to_owned();
                    monitor.finding(&unreadable(&path, error));
                    continue;
                }
            };
            let path = entry.path();
            if entry.file_type().is_file() {
                match entry.metadata() {
                    Ok(meta) if meta.len() >= BLOCK_BYTES as u64 => {
                        self.push(path.to_owned(), meta.len(), access_of(path));
                    }
                    Ok(_) => {}
                    Err(error) => monitor.finding(&unreadable(path, error)),
                }
            } else if entry.path_is_symlink() && entry.depth() > 0 {
                let what = diagnostic!("media.link_not_followed");
                monitor.finding(&Finding::note(path.display().to_string(), what));
            }
        }
        Ok(())
    }
}

/// Reports what cannot be read, also a link that leads back to a folder above it.
fn unreadable(path: &Path, error: walkdir::Error) -> Finding {
    let why = error
        .into_io_error()
        .map_or_else(|| diagnostic!("media.link_loop").into(), Arg::caught);
    let what = diagnostic!("media.cannot_be_read", why);
    Finding::damage(path.display().to_string(), what)
}

/// Reads `buf` at `offset`. After an error it reads again in steps of one block, which begin where `offset + phase`
/// would be a multiple of 64 KiB. Bytes that still cannot be read are zeros in `buf` and a returned gap, in bytes of
/// the source.
///
/// # Errors
/// [`MediaError::Interrupted`] alone. A drive may take long at bad sectors, so the stop is checked here.
pub(crate) fn read_surviving(
    reader: &dyn ReadAt,
    offset: u64,
    buf: &mut [u8],
    phase: u64,
    monitor: &dyn Monitor,
) -> Result<Vec<Range<u64>>, MediaError> {
    let end = offset + buf.len() as u64;
    match read_whole(reader, offset, buf) {
        Ok(()) => return Ok(Vec::new()),
        Err(error) if is_gone(&error) => {
            buf.fill(0);
            return Ok(std::iter::once(offset..end).collect());
        }
        Err(_) => {}
    }
    // Steps that begin at blocks cost only the blocks with bad sectors, and not their neighbors.
    let step = BLOCK_BYTES as u64;
    let mut gaps: Vec<Range<u64>> = Vec::new();
    let mut at = offset;
    let mut rest = buf;
    while !rest.is_empty() {
        monitor.check_stop()?;
        let to_boundary = step - (at + step - phase % step) % step;
        let len = usize::try_from(to_boundary).map_or(rest.len(), |len| len.min(rest.len()));
        let (part, behind) = rest.split_at_mut(len);
        let part_end = at + part.len() as u64;
        if read_whole(reader, at, part).is_err() {
            part.fill(0);
            match gaps.last_mut() {
                // Adjacent gaps are joined, so that a long scratch is one gap.
                Some(last) if last.end == at => last.end = part_end,
                _ => gaps.push(at..part_end),
            }
        }
        at = part_end;
        rest = behind;
    }
    Ok(gaps)
}

fn read_whole(reader: &dyn ReadAt, mut offset: u64, mut buf: &mut [u8]) -> io::Result<()> {
    while !buf.is_empty() {
        match reader.read_at(offset, buf) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(len) => {
                offset += len as u64;
                buf = &mut buf[len..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Returns whether the medium itself is gone (removed, unplugged). Then no part of it is worth another try.
fn is_gone(error: &io::Error) -> bool {
    let gone = [Errno::NODEV, Errno::NXIO, Errno::NOMEDIUM, Errno::STALE];
    gone.iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// A test double that fails as media do.
#[cfg(test)]
pub(crate) mod faulty {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Bytes with bad sectors. Every read that touches one fails.
    pub(crate) struct Faulty {
        pub(crate) bytes: Vec<u8>,
        pub(crate) bad: Vec<Range<u64>>,
        pub(crate) errno: Errno,
        pub(crate) reads: AtomicUsize,
    }

    impl Faulty {
        pub(crate) fn new(bytes: Vec<u8>, bad: Vec<Range<u64>>) -> Self {
            Self {
                bytes,
                bad,
                errno: Errno::IO,
                reads: AtomicUsize::new(0),
            }
        }
    }

    impl ReadAt for Faulty {
        fn size_bytes(&self) -> u64 {
            self.bytes.len() as u64
        }

        fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            let end = (offset + buf.len() as u64).min(self.size_bytes());
            if self
                .bad
                .iter()
                .any(|bad| bad.start < end && offset < bad.end)
            {
                return Err(self.errno.into());
            }
            let from = usize::try_from(offset).expect("test data are small");
            let part = &self.bytes[from..usize::try_from(end).expect("test data are small")];
            buf[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::single_range_in_vec_init)]
    use super::faulty::Faulty;
    use super::*;
    use crate::base::monitor::{Recording, Silent};
    use std::sync::atomic::Ordering;

    const B: u64 = BLOCK_BYTES as u64;

    #[test]
    fn a_bad_sector_costs_the_step_around_it_and_nothing_else() {
        let bytes: Vec<u8> = (0..10 * B)
            .map(|i| u8::try_from(i % 251).unwrap())
            .collect();
        let faulty = Faulty::new(bytes.clone(), vec![3 * B + 5000..3 * B + 7048]);
        let mut buf = vec![1; 8 * BLOCK_BYTES];
        let gaps = read_surviving(&faulty, 512, &mut buf, 512, &Silent).unwrap();
        assert_eq!(gaps, vec![3 * B + 512..4 * B + 512]);
        assert_eq!(buf[..3 * BLOCK_BYTES], bytes[512..3 * BLOCK_BYTES + 512]);
        assert!(
            buf[3 * BLOCK_BYTES..4 * BLOCK_BYTES]
                .iter()
                .all(|byte| *byte == 0)
        );
        assert_eq!(
            buf[4 * BLOCK_BYTES..],
            bytes[4 * BLOCK_BYTES + 512..8 * BLOCK_BYTES + 512]
        );
    }

    #[test]
    fn steps_follow_the_phase_from_any_offset() {
        let faulty = Faulty::new(vec![7; 4 * BLOCK_BYTES], vec![B..B + 1]);
        let mut buf = vec![1; 3 * BLOCK_BYTES];
        let gaps = read_surviving(&faulty, 100, &mut buf, 0, &Silent).unwrap();
        assert_eq!(gaps, vec![B..2 * B]);
    }

    #[test]
    fn a_medium_taken_out_is_one_gap_and_not_asked_again() {
        let mut faulty = Faulty::new(vec![7; 8 * BLOCK_BYTES], vec![0..1]);
        faulty.errno = Errno::NOMEDIUM;
        let mut buf = vec![1; 8 * BLOCK_BYTES];
        let gaps = read_surviving(&faulty, 0, &mut buf, 0, &Silent).unwrap();
        assert_eq!(gaps, vec![0..8 * B]);
        assert_eq!(faulty.reads.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn folders_are_listed_by_name_without_links_and_doubles() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("in");
        fs::create_dir_all(root.join("b")).unwrap();
        for name in ["z", "a", "b/c"] {
            fs::write(root.join(name), vec![0; BLOCK_BYTES]).unwrap();
        }
        fs::write(root.join("small"), b"x").unwrap();
        fs::write(dir.path().join("out"), vec![0; BLOCK_BYTES]).unwrap();
        std::os::unix::fs::symlink(dir.path().join("out"), root.join("link")).unwrap();
        let heard = Recording::default();
        let sources = find_sources(&[root.clone(), root.join("z")], &heard).unwrap();
        let names: Vec<_> = sources
            .iter()
            .map(|s| s.path.strip_prefix(&root).unwrap().to_owned())
            .collect();
        assert_eq!(names, ["a", "b/c", "z"].map(PathBuf::from));
        assert_eq!(heard.findings.lock().unwrap().len(), 1);
        let missing = find_sources(&[dir.path().join("none")], &heard);
        assert!(matches!(missing, Err(MediaError::Missing { .. })));
        let odd = find_sources(&[PathBuf::from("/dev/null")], &heard);
        assert!(matches!(odd, Err(MediaError::NotAMedium { .. })));
    }
}
