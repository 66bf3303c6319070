//! Temporary bytes: in memory up to a bound, then in a file without a name that vanishes with the process.
//!
//! They are written once from front to back and can then be read at any offset. The writer decides what they mean.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::read_at::ReadAt;

/// Bytes that are held in memory at most.
pub(crate) const MEMORY_BYTES: usize = 16 << 20;
/// Bytes that are written to the file at a time.
const WRITE_BYTES: usize = 1 << 20;

/// Number of the next file, so that the files of one process have different names.
static COUNT: AtomicU64 = AtomicU64::new(0);

/// Temporary bytes that are being written or read.
pub(crate) struct SpooledTemp {
    folder: PathBuf,
    /// All bytes, or those that are not in the file yet.
    memory: Vec<u8>,
    file: Option<File>,
    /// Bytes in the file.
    filed: u64,
    /// The error of the last write that failed.
    refusal: Option<io::Error>,
}

impl SpooledTemp {
    /// Creates an empty one. Its file, when one is needed, is made in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory: Vec::new(),
            file: None,
            filed: 0,
            refusal: None,
        }
    }

    /// Returns the folder of its file.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the error of the last failed write.
    pub fn refusal(&mut self) -> Option<io::Error> {
        self.refusal.take()
    }

    /// Ends writing.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(&mut self) -> io::Result<()> {
        if self.file.is_some() {
            self.file_memory()?;
        }
        Ok(())
    }

    /// Returns a reader from the first byte on.
    pub fn reader(&self) -> impl Read + '_ {
        SpoolReader { spool: self, at: 0 }
    }

    fn file_memory(&mut self) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(nameless_file(&self.folder)?),
        };
        file.write_all_at(&self.memory, self.filed)?;
        self.filed += self.memory.len() as u64;
        self.memory.clear();
        Ok(())
    }

    fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.memory.extend_from_slice(bytes);
        let most = if self.file.is_some() {
            WRITE_BYTES
        } else {
            MEMORY_BYTES
        };
        if self.memory.len() <= most {
            return Ok(());
        }
        let first = self.file.is_none();
        self.file_memory()?;
        if first {
            self.memory = Vec::with_capacity(2 * WRITE_BYTES);
        }
        Ok(())
    }
}

/// Creates a file in `folder` for reading and writing that no other process finds.
///
/// # Errors
/// What the file system reports.
pub(crate) fn nameless_file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    loop {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!("stream-{}-{number}", std::process::id()));
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        match file {
            // A process that was killed before it removed the name left this file, so the next number is tried.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            file => {
                let file = file?;
                std::fs::remove_file(&path)?;
                return Ok(file);
            }
        }
    }
}

impl Write for SpooledTemp {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.take(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.refusal = Some(error);
                Err(io::Error::other("the spool takes no more"))
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl ReadAt for SpooledTemp {
    fn size_bytes(&self) -> u64 {
        self.filed + self.memory.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        match &self.file {
            Some(file) if offset < self.filed => file.read_at(out, offset),
            _ => self.memory[..].read_at(offset.saturating_sub(self.filed), out),
        }
    }
}

struct SpoolReader<'a> {
    spool: &'a SpooledTemp,
    at: u64,
}

impl Read for SpoolReader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.spool.read_at(self.at, out)?;
        self.at += len as u64;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn long_and_short_ones_come_back_and_leave_no_file() {
        let folder = tempfile::TempDir::new().unwrap();
        for len in [0, 10, MEMORY_BYTES, MEMORY_BYTES + 1, 3 * MEMORY_BYTES + 7] {
            let bytes: Vec<u8> = (0..len).map(|n| (n % 251).to_le_bytes()[0]).collect();
            let mut spool = SpooledTemp::new(folder.path());
            for piece in bytes.chunks(300_007) {
                spool.write_all(piece).unwrap();
            }
            spool.finish().unwrap();
            assert_eq!(ReadAt::size_bytes(&spool), len as u64);
            let mut back = Vec::new();
            spool.reader().read_to_end(&mut back).unwrap();
            assert!(back == bytes, "{len}");
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn why_it_took_no_more_is_told() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        let mut spool = SpooledTemp::new(&file.join("below"));
        assert!(spool.write_all(&vec![0; MEMORY_BYTES + 1]).is_err());
        assert!(spool.refusal().is_some());
    }
}
