//! The encoder of lz4: liblz4, at the version that Cargo.toml pins. It gives the blocks of a frame.
//!
//! liblz4 frames them. Header and end of the frame stand in recipes, so they are cut off here. Memory: five blocks and half a
//! MiB.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lz4::liblz4::BlockChecksum;
use lz4::{BlockMode, BlockSize, ContentChecksum, EncoderBuilder};

use super::RecodeError;

/// Bytes of the header that liblz4 writes for these settings.
const HEADER_BYTES: usize = 7;
/// Bytes of the mark behind the last block.
const END_BYTES: usize = 4;

/// What decides the bytes of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lz4Settings {
    /// 1 to 12.
    pub(crate) level: u8,
    /// Plain bytes of a block, as a power of two: 16, 18, 20 or 22.
    pub(crate) block_log: u8,
    /// Whether blocks refer to those before them.
    pub(crate) is_linked: bool,
}

impl Lz4Settings {
    /// Returns the settings, or `None` for those that no frame has.
    pub(crate) fn new(level: u8, block_log: u8, is_linked: bool) -> Option<Self> {
        let is_known = matches!(level, 1..=12) && matches!(block_log, 16 | 18 | 20 | 22);
        is_known.then_some(Self {
            level,
            block_log,
            is_linked,
        })
    }

    /// Returns the plain bytes of a block.
    pub(crate) fn block_bytes(self) -> usize {
        1 << self.block_log
    }
}

/// What liblz4 gave and nobody has taken yet.
#[derive(Clone, Default)]
struct MadeBlocks(Arc<Mutex<Vec<u8>>>);

impl MadeBlocks {
    fn bytes(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for MadeBlocks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Encodes the blocks of one frame.
pub(crate) struct Lz4Encoder {
    encoder: lz4::Encoder<MadeBlocks>,
    given: MadeBlocks,
    /// Plain bytes that are no whole block yet.
    open: Vec<u8>,
    block_bytes: usize,
}

impl Lz4Encoder {
    pub(crate) fn new(settings: Lz4Settings) -> Result<Self, RecodeError> {
        let given = MadeBlocks::default();
        let mut builder = EncoderBuilder::new();
        builder
            .level(settings.level.into())
            .block_size(match settings.block_log {
                16 => BlockSize::Max64KB,
                18 => BlockSize::Max256KB,
                20 => BlockSize::Max1MB,
                _ => BlockSize::Max4MB,
            })
            .block_mode(match settings.is_linked {
                true => BlockMode::Linked,
                false => BlockMode::Independent,
            })
            .checksum(ContentChecksum::NoChecksum)
            .block_checksum(BlockChecksum::NoBlockChecksum);
        let encoder = builder.build(given.clone()).map_err(RecodeError::Io)?;
        given.bytes().drain(..HEADER_BYTES);
        Ok(Self {
            encoder,
            given,
            open: Vec::new(),
            block_bytes: settings.block_bytes(),
        })
    }

    /// Takes plain bytes, and appends the blocks to `out` that are whole.
    pub(crate) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecodeError> {
        while !plain.is_empty() {
            let len = plain.len().min(self.block_bytes - self.open.len());
            self.open.extend_from_slice(&plain[..len]);
            plain = &plain[len..];
            // Each block as a whole, as all writers give it. What linked blocks refer to depends on it.
            if self.open.len() == self.block_bytes {
                self.encoder
                    .write_all(&self.open)
                    .map_err(RecodeError::Io)?;
                self.open.clear();
                out.append(&mut self.given.bytes());
            }
        }
        Ok(())
    }

    /// Appends the last block to `out`.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), RecodeError> {
        self.encoder
            .write_all(&self.open)
            .map_err(RecodeError::Io)?;
        let (given, ended) = self.encoder.finish();
        ended.map_err(RecodeError::Io)?;
        let mut last = mem::take(&mut *given.bytes());
        last.truncate(last.len().saturating_sub(END_BYTES));
        out.append(&mut last);
        Ok(())
    }
}
