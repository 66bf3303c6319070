//! Writes a new file and leaves holes in place of long runs of zeros.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Aligned pieces of this length are left out when they are all zeros. Shorter holes would cost more in extents than
/// they save.
const HOLE_BYTES: usize = 64 << 10;

/// Writes into an empty file from its beginning.
pub(super) struct SparseWriter<'a> {
    file: &'a File,
    /// Bytes so far, holes included.
    at: u64,
    /// End of the last bytes that were written.
    written: u64,
}

impl<'a> SparseWriter<'a> {
    /// Starts at the beginning of an empty file.
    pub(super) fn new(file: &'a File) -> Self {
        Self {
            file,
            at: 0,
            written: 0,
        }
    }

    /// Sets the file's length when it ends in a hole.
    ///
    /// # Errors
    /// The system's error.
    pub(super) fn finish(self) -> io::Result<()> {
        if self.written < self.at {
            self.file.set_len(self.at)?;
        }
        Ok(())
    }

    /// Returns the length of the run at the beginning of `bytes`, and whether it becomes a hole or is written. A run is
    /// made of whole pieces, apart from the first and the last.
    fn run(&self, bytes: &[u8]) -> (bool, usize) {
        let into = usize::try_from(self.at % HOLE_BYTES as u64).unwrap_or_default();
        let first = (HOLE_BYTES - into) % HOLE_BYTES;
        let Some(aligned) = bytes.get(first..).filter(|rest| rest.len() >= HOLE_BYTES) else {
            return (false, bytes.len());
        };
        let mut pieces = aligned.chunks_exact(HOLE_BYTES).map(is_zeros).peekable();
        let is_hole = first == 0 && pieces.peek() == Some(&true);
        let same = pieces.take_while(|zeros| *zeros == is_hole).count();
        let len = first + same * HOLE_BYTES;
        // What follows the last whole piece is written with the run.
        let is_rest = !is_hole && bytes.len() - len < HOLE_BYTES;
        (is_hole, if is_rest { bytes.len() } else { len })
    }
}

fn is_zeros(piece: &[u8]) -> bool {
    let (words, rest) = piece.as_chunks::<16>();
    words.iter().all(|word| *word == [0; 16]) && rest.iter().all(|byte| *byte == 0)
}

impl Write for SparseWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (is_hole, len) = self.run(bytes);
        if !is_hole {
            self.file.write_all_at(&bytes[..len], self.at)?;
            self.written = self.at + len as u64;
        }
        self.at += len as u64;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::MetadataExt;

    use proptest::prelude::*;

    use super::*;

    fn written(bytes: &[u8], piece: usize) -> (Vec<u8>, u64) {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("file");
        let file = File::create(&path).unwrap();
        let mut writer = SparseWriter::new(&file);
        for piece in bytes.chunks(piece) {
            writer.write_all(piece).unwrap();
        }
        writer.finish().unwrap();
        (
            std::fs::read(&path).unwrap(),
            file.metadata().unwrap().blocks() * 512,
        )
    }

    #[test]
    fn zeros_take_no_room() {
        let mut bytes = vec![0; 32 << 20];
        for at in [9_000_000, 20_000_000] {
            bytes[at..at + 5].copy_from_slice(b"hello");
        }
        let (back, room_bytes) = written(&bytes, 1 << 20);
        assert!(back == bytes);
        assert!(room_bytes <= 1 << 20, "{room_bytes}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn what_is_written_comes_back(
            runs in proptest::collection::vec((0_usize..200_000, any::<u8>()), 0..6), piece in 1000_usize..300_000,
        ) {
            let bytes: Vec<u8> =
                runs.iter().flat_map(|(len, byte)| vec![byte & 1; *len]).collect();
            prop_assert!(written(&bytes, piece).0 == bytes);
        }
    }
}
