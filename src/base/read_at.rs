//! Reads at any offset: the interface that files, media, memory and temporary streams share.

use std::io;

/// Bytes that can be read at any offset, from several threads.
pub trait ReadAt: Send + Sync {
    /// Returns the length in bytes.
    fn size_bytes(&self) -> u64;

    /// Reads some bytes at `offset` into `out` and returns how many. Returns 0 only at the end.
    ///
    /// # Errors
    /// What the system reports, a bad sector included.
    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize>;

    /// Reads as [`Self::read_at`] does, and asks the medium itself where a cache would ask it several times for a bad
    /// sector.
    ///
    /// # Errors
    /// As [`Self::read_at`].
    fn read_uncached_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.read_at(offset, out)
    }

    /// Returns the bytes that the medium reads at least, or 1 when that does not matter.
    fn sector_bytes(&self) -> u64 {
        1
    }

    /// Returns the first place from `offset` on that may hold anything but zeros, or the end.
    fn next_data(&self, offset: u64) -> u64 {
        offset
    }
}

/// Fills `out` from `offset` on as far as there are bytes, and returns how far that is. Bytes before an error count.
///
/// # Errors
/// The error at the first byte.
pub fn read_some(source: &dyn ReadAt, offset: u64, out: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < out.len() {
        match source.read_at(offset + done as u64, &mut out[done..]) {
            Ok(0) => break,
            Ok(len) => done += len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

impl ReadAt for [u8] {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|at| self.get(at..));
        let rest = rest.unwrap_or_default();
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

impl ReadAt for Vec<u8> {
    fn size_bytes(&self) -> u64 {
        self.as_slice().size_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, out)
    }
}
