//! Opens packed files and pipes, and counts what is taken from them.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::base::read_at::ReadAt;
use crate::volumes::bare_head::BareHead;
use crate::volumes::media::images::streams::{Counted, FromSource, Stream, unpacked};
use crate::volumes::media::images::{read_full, zip};

/// Bytes that a stream may unpack to: more than any disk that is carried. A bomb ends there.
const PLAIN_BYTES_MAX: u64 = 32 << 40;

/// An open stream.
pub(crate) struct OpenStream {
    /// The unpacked bytes.
    pub(crate) read: Stream,
    taken: Arc<AtomicU64>,
    /// The head, when it is a bare bundle.
    pub(crate) bare: Option<Arc<BareHead>>,
}

impl OpenStream {
    /// Opens a file that is packed.
    pub(super) fn of(source: Arc<dyn ReadAt>) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let mut begin = [0; 4];
        let is_zip = read_full(&*source, 0, &mut begin) == 4 && begin == *b"PK\x03\x04";
        let (read, bare): (Stream, _) = if is_zip {
            (zip::unpacked(source, Arc::clone(&taken))?, None)
        } else {
            let end = source.size_bytes();
            unpacked(Box::new(Counted::new(
                FromSource::new(source, 0..end),
                Arc::clone(&taken),
            )))?
        };
        Ok(Self {
            read: Box::new(read.take(PLAIN_BYTES_MAX)),
            taken,
            bare,
        })
    }

    /// Opens a pipe, whatever comes through it.
    pub(super) fn of_pipe(path: &Path) -> io::Result<Self> {
        let taken = Arc::new(AtomicU64::new(0));
        let pipe: Stream = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            Box::new(std::fs::File::open(path)?)
        };
        let (read, bare) = unpacked(Box::new(Counted::new(pipe, Arc::clone(&taken))))?;
        Ok(Self {
            read: Box::new(read.take(PLAIN_BYTES_MAX)),
            taken,
            bare,
        })
    }

    /// Returns a counter of the packed bytes that were taken so far.
    pub(crate) fn taken(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.taken)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::volumes::media::images::raw_sectors::tests::raw;
    use std::io::Write;

    fn noise(len: usize) -> Vec<u8> {
        let mut state = 3_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        };
        (0..len).map(|_| next()).collect()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn read(bytes: Vec<u8>) -> (Vec<u8>, io::Result<()>) {
        let mut out = Vec::new();
        let outcome = OpenStream::of(Arc::new(bytes))
            .and_then(|mut stream| stream.read.read_to_end(&mut out).map(drop));
        (out, outcome)
    }

    #[test]
    fn packed_files_come_out_also_within_one_another() {
        let plain = noise(700_000);
        let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 1).unwrap();
        let twice = [zstd(&plain[..5]), zstd(&plain[5..])].concat();
        for packed in [gzip(&plain), zstd(&plain), twice, gzip(&zstd(&plain))] {
            let (out, outcome) = read(packed);
            outcome.unwrap();
            assert!(out == plain);
        }
        let user = noise(2048 * 400);
        let (out, outcome) = read(zstd(&raw(&user, 2352, 1)));
        outcome.unwrap();
        assert!(out == user);
    }

    #[test]
    fn a_cut_file_gives_what_came_before_and_an_error() {
        let plain = noise(3_000_000);
        for packed in [gzip(&plain), zstd::encode_all(&plain[..], 1).unwrap()] {
            let (out, outcome) = read(packed[..packed.len() / 2].to_vec());
            assert!(outcome.is_err() && out.len() > 1_000_000 && plain.starts_with(&out));
        }
    }

    #[test]
    fn more_memory_than_allowed_is_refused() {
        // A frame that asks for a window of 2 GiB.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0];
        assert!(read(frame.to_vec()).1.is_err());
    }
}
