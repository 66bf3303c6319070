//! Zstd frames as other programs wrote them, which are kept as they came: unpacked while they are read, and never stored
//! unpacked.
//!
//! A frame may ask for 128 MiB of memory, as the tool `zstd` allows without being asked. What needs more is refused.

use std::io::{self, Write};

use zstd::stream::write::Decoder;

/// Largest window, as a power of two.
const WINDOW_LOG_MAX: u32 = 27;

/// Takes the bytes of frames, one behind the other, and gives what they unpack to on to a writer. All of it is there
/// after a flush.
pub(crate) struct FrameUnpacker<W: Write>(Decoder<'static, W>);

impl<W: Write> FrameUnpacker<W> {
    /// Begins. Takes what libzstd takes.
    ///
    /// # Errors
    /// No memory.
    pub(crate) fn new(out: W) -> io::Result<Self> {
        let mut decoder = Decoder::new(out)?;
        decoder.window_log_max(WINDOW_LOG_MAX)?;
        Ok(Self(decoder))
    }
}

impl<W: Write> Write for FrameUnpacker<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn unpacked(packed: &[u8], step: usize) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut unpacker = FrameUnpacker::new(&mut out)?;
        for piece in packed.chunks(step) {
            unpacker.write_all(piece)?;
        }
        unpacker.flush()?;
        drop(unpacker);
        Ok(out)
    }

    #[test]
    fn frames_behind_one_another_come_out_and_others_do_not() {
        let frames =
            [&b"first "[..], b"second"].map(|plain| zstd::bulk::compress(plain, 3).unwrap());
        for step in [1, 3, 100] {
            assert_eq!(unpacked(&frames.concat(), step).unwrap(), b"first second");
        }
        assert!(unpacked(&[&frames[0][..], b"no frame"].concat(), 7).is_err());
        // A window of 2^41 bytes.
        assert!(unpacked(&[0x28, 0xb5, 0x2f, 0xfd, 0, 0xf8, 1, 0, 0], 9).is_err());
        let mut room = [0; 3];
        let mut unpacker = FrameUnpacker::new(&mut room[..]).unwrap();
        let written = unpacker
            .write_all(&frames[0])
            .and_then(|()| unpacker.flush());
        assert!(written.is_err());
    }
}
