//! Reads of a block device that pass by the page cache.
//!
//! The cache reads pages of 4 KiB and more, and asks a drive up to five times for one bad sector. Around errors, sectors
//! are therefore asked for directly. Where that does not work, nothing is lost: the caller reads through the cache.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

/// What buffers must be aligned to on any device.
const ALIGN_BYTES: usize = 4096;

/// A device that is read without the cache.
#[derive(Debug)]
pub(super) struct DirectReader {
    file: File,
    sector_bytes: u64,
}

impl DirectReader {
    /// Opens a device whose sectors have this size. Returns `None` where that is not possible.
    pub(super) fn open(path: &Path, sector_bytes: u64) -> Option<Self> {
        let flags = i32::try_from(rustix::fs::OFlags::DIRECT.bits()).ok()?;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path);
        Some(Self {
            file: file.ok()?,
            sector_bytes,
        })
    }

    /// Reads some bytes at `offset`. Returns `None` when the device does not do that without the cache.
    pub(super) fn read_at(&self, offset: u64, out: &mut [u8]) -> Option<io::Result<usize>> {
        // Places and lengths must be those of whole sectors.
        let from = offset / self.sector_bytes * self.sector_bytes;
        let front = usize::try_from(offset - from).ok()?;
        let sector = usize::try_from(self.sector_bytes).ok()?;
        let len = (front + out.len()).next_multiple_of(sector);
        let mut room = vec![0; len + ALIGN_BYTES];
        let start = room.as_ptr().align_offset(ALIGN_BYTES);
        let aligned = room.get_mut(start..start + len)?;
        match self.file.read_at(aligned, from) {
            Ok(read) => {
                let useful = read.saturating_sub(front).min(out.len());
                out[..useful].copy_from_slice(&aligned[front..front + useful]);
                Some(Ok(useful))
            }
            Err(error) if is_refused(&error) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

fn is_refused(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let refused = [Errno::INVAL, Errno::OPNOTSUPP];
    refused
        .iter()
        .any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bytes_at_any_place_are_those_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("device");
        let bytes: Vec<u8> = (0..20_480_u32)
            .map(|at| (at % 251).to_le_bytes()[0])
            .collect();
        std::fs::write(&path, &bytes).unwrap();
        // Some file systems know no such reads. Then every caller reads through the cache.
        let Some(reader) = DirectReader::open(&path, 4096) else {
            return;
        };
        for (offset, len) in [
            (0, 4096),
            (2048, 2048),
            (100, 9000),
            (20_000, 480),
            (4095, 2),
        ] {
            let mut out = vec![0; len];
            if let Some(read) = reader.read_at(offset, &mut out) {
                assert_eq!(read.unwrap(), len);
                let from = usize::try_from(offset).unwrap();
                assert_eq!(out, bytes[from..from + len]);
            }
        }
    }
}
