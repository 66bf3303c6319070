//! Shows a bare bundle as the volume that it stands for, from a file or from a stream.
//!
//! Each block keeps the hash that it had on the volume, so wrong bytes show as a damaged block where they are. Blocks
//! behind the end of a file that was cut read as zeros.

use std::io::{self, Read};
use std::sync::Arc;

use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::bare_head::{BARE_BYTES_MIN, BareHead};
use crate::volumes::block::BLOCK_BYTES;

/// A bare bundle at any place.
pub(super) struct BareVolume {
    head: Arc<BareHead>,
    file: Arc<dyn ReadAt>,
}

impl BareVolume {
    pub(super) fn new(file: Arc<dyn ReadAt>, head: Arc<BareHead>) -> Self {
        Self { head, file }
    }

    fn block(&self, block_no: u32, block: &mut [u8]) -> io::Result<()> {
        self.head.make_block(block_no, block, |piece, room| {
            if piece.range.end > self.file.size_bytes() {
                return Ok(false);
            }
            let mut done = 0;
            while done < room.len() {
                // What stands behind an error is tried again, so that the error comes as itself.
                match read_some(
                    &*self.file,
                    piece.range.start + done as u64,
                    &mut room[done..],
                )? {
                    0 => return Ok(false),
                    len => done += len,
                }
            }
            Ok(true)
        })
    }

    fn is_there(&self, block_no: u32) -> bool {
        let piece = self.head.piece(block_no);
        piece.is_none_or(|piece| piece.range.end <= self.file.size_bytes())
    }
}

impl ReadAt for BareVolume {
    fn size_bytes(&self) -> u64 {
        self.head.volume_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let block_bytes = BLOCK_BYTES as u64;
        let Ok(block_no) = u32::try_from(offset / block_bytes) else {
            return Ok(0);
        };
        if offset >= self.size_bytes() || out.is_empty() {
            return Ok(0);
        }
        let within = usize::try_from(offset % block_bytes).unwrap_or(0);
        if within == 0
            && let Some(block) = out.get_mut(..BLOCK_BYTES)
        {
            self.block(block_no, block)?;
            return Ok(BLOCK_BYTES);
        }
        let mut block = vec![0; BLOCK_BYTES];
        self.block(block_no, &mut block)?;
        let rest = &block[within..];
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }

    fn next_data(&self, offset: u64) -> u64 {
        let block_bytes = BLOCK_BYTES as u64;
        let Ok(block_no) = u32::try_from(offset / block_bytes) else {
            return offset;
        };
        if block_no >= self.head.geometry().volume_blocks() || self.is_there(block_no) {
            return offset;
        }
        // Pieces are in order, so behind one that was cut off only superblocks are known.
        let superblocks = self.head.geometry().superblocks().into_iter();
        let next = superblocks.filter(|next| *next > block_no).min();
        next.map_or(self.size_bytes(), |next| u64::from(next) * block_bytes)
    }
}

/// A bare bundle that comes once, from front to back.
pub(super) struct BareStream<R> {
    head: Arc<BareHead>,
    inner: R,
    next: u32,
    block: Vec<u8>,
    given: usize,
}

impl<R: Read> BareStream<R> {
    /// Takes a stream that stands at the beginning of a bare bundle with this head.
    pub(super) fn new(mut inner: R, head: Arc<BareHead>) -> io::Result<Self> {
        let head_bytes = head.to_bytes().len() as u64;
        io::copy(&mut inner.by_ref().take(head_bytes), &mut io::sink())?;
        Ok(Self {
            head,
            inner,
            next: 0,
            block: Vec::new(),
            given: 0,
        })
    }
}

impl<R: Read> Read for BareStream<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.block.len() {
            if self.next >= self.head.geometry().volume_blocks() {
                // Who sends it may still have zeros to send.
                let rest = &mut self.inner.by_ref().take(BARE_BYTES_MIN);
                io::copy(rest, &mut io::sink())?;
                return Ok(0);
            }
            self.block.resize(BLOCK_BYTES, 0);
            self.given = self.block.len();
            let inner = &mut self.inner;
            let read = |_: &_, room: &mut [u8]| inner.read_exact(room).map(|()| true);
            self.head.make_block(self.next, &mut self.block, read)?;
            self.next += 1;
            self.given = 0;
        }
        let rest = &self.block[self.given..];
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        self.given += len;
        Ok(len)
    }
}
