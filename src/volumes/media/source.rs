//! Sources of blocks: folders, files, images and block devices, recognized by their type and never by their names.
//!
//! It reads bytes at offsets. `surviving` reads past bad sectors, and `scan` interprets the bytes. Nothing is mapped,
//! because a bad sector under a map would kill the process.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use walkdir::WalkDir;

use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::volumes::block::BLOCK_BYTES;
use crate::volumes::media::MediaError;
use crate::volumes::media::direct::DirectReader;
use crate::volumes::media::rescue_map::RescueMap;
use crate::volumes::media::volume_files::is_volume_file_name;

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
    /// Of a block device.
    device: Option<Device>,
    /// Of an image that ddrescue made.
    map: RescueMap,
}

#[derive(Debug)]
struct Device {
    path: PathBuf,
    sector_bytes: u64,
    /// Opened when something cannot be read.
    direct: OnceLock<Option<DirectReader>>,
}

impl Device {
    fn of(file: &File, path: &Path) -> Option<Self> {
        let is_device = file.metadata().ok()?.file_type().is_block_device();
        is_device.then(|| Self {
            path: path.to_owned(),
            sector_bytes: sector_bytes_of(file),
            direct: OnceLock::new(),
        })
    }

    fn direct(&self) -> Option<&DirectReader> {
        let open = || DirectReader::open(&self.path, self.sector_bytes);
        self.direct.get_or_init(open).as_ref()
    }
}

/// Returns the size of a device's sectors. Discs have 2 KiB.
#[cfg(target_os = "linux")]
fn sector_bytes_of(file: &File) -> u64 {
    let bytes = rustix::fs::ioctl_blksszget(file).map_or(0, u64::from);
    if bytes.is_power_of_two() && (512..=65_536).contains(&bytes) {
        bytes
    } else {
        2048
    }
}

#[cfg(not(target_os = "linux"))]
fn sector_bytes_of(_file: &File) -> u64 {
    2048
}

impl FileReader {
    fn open(path: &Path) -> Result<Self, MediaError> {
        let mut file = File::open(path).map_err(MediaError::io(path))?;
        // A device's metadata says 0. Seeking to its end gives its size.
        let bytes = file.seek(SeekFrom::End(0)).map_err(MediaError::io(path))?;
        let device = Device::of(&file, path);
        let map = match device {
            Some(_) => RescueMap::default(),
            None => RescueMap::beside(path),
        };
        Ok(Self {
            file,
            bytes,
            device,
            map,
        })
    }
}

impl ReadAt for FileReader {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        // Positions are given with each read, so that threads share the file without a lock.
        let read = self.file.read_at(buf, offset)?;
        match self.map.there(offset, &buf[..read]) {
            0 if read > 0 => Err(rustix::io::Errno::IO.into()),
            there => Ok(there),
        }
    }

    fn read_uncached_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<usize> {
        let direct = self.device.as_ref().and_then(Device::direct);
        let read = direct.and_then(|direct| direct.read_at(offset, buf));
        read.unwrap_or_else(|| self.read_at(offset, buf))
    }

    fn sector_bytes(&self) -> u64 {
        self.device.as_ref().map_or(1, |device| device.sector_bytes)
    }

    fn next_data(&self, offset: u64) -> u64 {
        // What ddrescue could not read is a hole and no zeros.
        if !self.map.is_empty() {
            return offset;
        }
        match rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(offset)) {
            Ok(data) => data.max(offset),
            Err(rustix::io::Errno::NXIO) => self.bytes.max(offset),
            // Not every file system knows holes.
            Err(_) => offset,
        }
    }
}

/// Lists all sources at or below `paths`, in order: those that are named as volume files, then the rest. A file or block device is a source itself. Of a folder, every
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
        let meta = fs::metadata(path).map_err(MediaError::at(path))?;
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
    // Names prove nothing, but what is named as a volume file most likely is one.
    found
        .sources
        .sort_by_key(|source| !is_named_as_volume(&source.path));
    Ok(found.sources)
}

fn is_named_as_volume(path: &Path) -> bool {
    let name = path.file_name().and_then(OsStr::to_str);
    name.is_some_and(is_volume_file_name)
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
        // The same file under two names would count as two copies of its blocks.
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::Recording;

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
