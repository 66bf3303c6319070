//! An open file or device: its bytes at offsets, past the cache and without the holes where that matters.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::base::read_at::ReadAt;
use crate::volumes::media::direct::DirectReader;
use crate::volumes::media::rescue_map::RescueMap;

/// An open file or device.
#[derive(Debug)]
pub(in crate::volumes::media) struct FileReader {
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
    pub(in crate::volumes::media) fn open(path: &Path) -> io::Result<Self> {
        Self::with_map(path, None)
    }

    /// Opens it with its map of ddrescue, when that lies elsewhere.
    pub(super) fn with_map(path: &Path, map: Option<&Path>) -> io::Result<Self> {
        let mut file = File::open(path)?;
        // A device's metadata says 0. Seeking to its end gives its size.
        let bytes = file.seek(SeekFrom::End(0))?;
        let device = Device::of(&file, path);
        let map = match device {
            Some(_) => RescueMap::default(),
            None => RescueMap::of(path, map),
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
