//! The pack: frames back to back, then a table of them and a trailer. A finished pack never changes.
//!
//! It handles bytes only. The table is a convenience: [`scan`] finds the frames of a pack without it.

use memchr::memmem;

use crate::base::id::{Hasher, PackId};
use crate::base::term::Flaw;
use crate::content::frame::{FrameHead, MAGIC as FRAME_MAGIC, SealedFrame};

/// First four bytes of every pack.
pub const MAGIC: [u8; 4] = *b"\x8aCYP";
/// First four bytes of a pack's trailer.
pub(crate) const TRAILER_MAGIC: [u8; 4] = *b"\x8aCYT";
/// Bytes before the first frame.
pub const HEADER_BYTES: usize = 16;
/// Bytes of the trailer, which ends the file.
pub(crate) const TRAILER_BYTES: usize = 32;
/// Most bytes of a pack, because offsets in it are 32-bit numbers.
pub(crate) const PACK_MAX: u64 = u32::MAX as u64;

const VERSION: u8 = 1;
const KIND_FRAMES: u8 = 1;
const ENTRY_BYTES: usize = 8;

/// Says what is wrong with a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// It does not begin with a pack's header.
    #[error("not a pack")]
    NotAPack,
    /// It was written by a newer program.
    #[error("pack version {0} is newer than this program reads (1)")]
    Unsupported(u8),
    /// Its table or trailer is damaged or missing.
    #[error("damaged pack: {0}")]
    Corrupt(Flaw),
}

/// The range of a frame in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FrameSpan {
    /// Offset in the pack.
    pub offset: u32,
    /// Length, header included.
    pub len: u32,
}

/// Tracks a pack while it is written. The writer appends exactly the returned bytes and the frames.
#[derive(Clone)]
pub struct PackBuilder {
    frames: Vec<FrameSpan>,
    bytes: u64,
    hasher: Hasher,
}

impl PackBuilder {
    /// Starts a pack and returns the header, which is written first.
    pub fn start() -> (Self, [u8; HEADER_BYTES]) {
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&MAGIC);
        header[4] = VERSION;
        header[5] = KIND_FRAMES;
        let mut hasher = Hasher::new();
        hasher.update(&header);
        (
            Self {
                frames: Vec::new(),
                bytes: HEADER_BYTES as u64,
                hasher,
            },
            header,
        )
    }

    /// Records a frame that is appended now and returns its offset.
    ///
    /// # Panics
    /// When the pack would exceed [`PACK_MAX`]. [`PackBuilder::fits`] tells that before.
    pub fn push(&mut self, frame: &[u8]) -> u32 {
        let offset = u32::try_from(self.bytes).expect("the caller asked whether it fits");
        let len = u32::try_from(frame.len()).expect("a frame is far below 4 GiB");
        self.frames.push(FrameSpan { offset, len });
        self.bytes += u64::from(len);
        self.hasher.update(frame);
        offset
    }

    /// Returns whether a frame of `len` bytes still fits, with its table entry.
    pub fn fits(&self, len: usize) -> bool {
        // The table grows by an entry with each frame, and it must fit as well.
        let tail = (self.frames.len() + 1) * ENTRY_BYTES + TRAILER_BYTES;
        self.bytes + (len + tail) as u64 <= PACK_MAX
    }

    /// Returns the bytes so far, header included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Ends the pack. Returns its last bytes, its id and its length.
    pub fn finish(mut self) -> (Vec<u8>, PackId, u64) {
        let mut tail = Vec::with_capacity(self.frames.len() * ENTRY_BYTES + TRAILER_BYTES);
        for span in &self.frames {
            tail.extend_from_slice(&span.offset.to_le_bytes());
            tail.extend_from_slice(&span.len.to_le_bytes());
        }
        let pack_bytes = self.bytes + (tail.len() + TRAILER_BYTES) as u64;
        tail.extend_from_slice(&TRAILER_MAGIC);
        let count = u32::try_from(self.frames.len()).expect("fewer frames than bytes");
        tail.extend_from_slice(&count.to_le_bytes());
        tail.extend_from_slice(&pack_bytes.to_le_bytes());
        // The table has a hash of its own, so that it can be trusted without reading the frames.
        let sum = Hasher::new().update(&tail).finish_128();
        tail.extend_from_slice(&sum);
        // The pack's id is the hash of the whole file, table and trailer included.
        self.hasher.update(&tail);
        (tail, PackId(self.hasher.finish()), pack_bytes)
    }
}

/// Checks a pack's header.
///
/// # Errors
/// [`PackError`] when it is not a pack, or newer than this program.
pub fn check_header(bytes: &[u8]) -> Result<(), PackError> {
    match bytes.first_chunk::<HEADER_BYTES>() {
        Some(head) if head[..4] == MAGIC && head[5] == KIND_FRAMES => match head[4] {
            VERSION => Ok(()),
            0 => Err(PackError::Corrupt(Flaw::Version)),
            newer => Err(PackError::Unsupported(newer)),
        },
        _ => Err(PackError::NotAPack),
    }
}

/// Reads the trailer of a pack of `pack_bytes` bytes. Returns the length of table and trailer together at its end.
///
/// # Errors
/// [`PackError::Corrupt`] when it is not the trailer of a pack of that length.
pub(crate) fn tail_bytes(trailer: &[u8], pack_bytes: u64) -> Result<usize, PackError> {
    let trailer: &[u8; TRAILER_BYTES] = trailer
        .try_into()
        .map_err(|_| PackError::Corrupt(Flaw::NoTrailer))?;
    let said = u64::from_le_bytes([
        trailer[8],
        trailer[9],
        trailer[10],
        trailer[11],
        trailer[12],
        trailer[13],
        trailer[14],
        trailer[15],
    ]);
    let count = u32::from_le_bytes([trailer[4], trailer[5], trailer[6], trailer[7]]);
    let tail = u64::from(count) * ENTRY_BYTES as u64 + TRAILER_BYTES as u64;
    if trailer[..4] != TRAILER_MAGIC
        || said != pack_bytes
        || tail + HEADER_BYTES as u64 > pack_bytes
    {
        return Err(PackError::Corrupt(Flaw::NoTrailer));
    }
    usize::try_from(tail).map_err(|_| PackError::Corrupt(Flaw::NoTrailer))
}

/// Reads the table of frames from the last `tail_bytes` of a pack of `pack_bytes` bytes.
///
/// # Errors
/// [`PackError::Corrupt`] when its hash is wrong or its frames overlap or leave gaps.
pub fn parse_tail(tail: &[u8], pack_bytes: u64) -> Result<Vec<FrameSpan>, PackError> {
    let table_bytes = tail
        .len()
        .checked_sub(TRAILER_BYTES)
        .ok_or(PackError::Corrupt(Flaw::NoTrailer))?;
    // The given bytes must be exactly those that this trailer speaks of.
    if tail_bytes(&tail[table_bytes..], pack_bytes)? != tail.len() {
        return Err(PackError::Corrupt(Flaw::NoTrailer));
    }
    let (summed, sum) = tail.split_at(tail.len() - 16);
    if Hasher::new().update(summed).finish_128() != *sum {
        return Err(PackError::Corrupt(Flaw::TableHash));
    }
    let mut spans = Vec::with_capacity(table_bytes / ENTRY_BYTES);
    let mut next = HEADER_BYTES as u64;
    for entry in tail[..table_bytes].as_chunks::<ENTRY_BYTES>().0 {
        let span = FrameSpan {
            offset: u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]),
            len: u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]),
        };
        // Frames without gaps or overlaps account for every byte of the pack exactly once.
        if u64::from(span.offset) != next {
            return Err(PackError::Corrupt(Flaw::FrameGaps));
        }
        next += u64::from(span.len);
        spans.push(span);
    }
    // The last frame ends where the table begins.
    if next + tail.len() as u64 != pack_bytes {
        return Err(PackError::Corrupt(Flaw::FrameGaps));
    }
    Ok(spans)
}

/// Finds every intact frame in `bytes`, which is a whole pack or any part of one, with any start.
pub fn scan(bytes: &[u8]) -> Vec<FrameSpan> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(skip) = memmem::find(&bytes[at..], &FRAME_MAGIC) {
        at += skip;
        let intact = FrameHead::parse(&bytes[at..])
            .ok()
            .filter(|head| bytes.len() - at >= head.frame_bytes())
            .filter(|_| SealedFrame::open(&bytes[at..]).is_ok());
        let Some(head) = intact else {
            // The magic may stand in stored bytes by chance, so the search goes on right behind its first byte.
            at += 1;
            continue;
        };
        if let (Ok(offset), Ok(len)) = (u32::try_from(at), u32::try_from(head.frame_bytes())) {
            found.push(FrameSpan { offset, len });
        }
        at += head.frame_bytes();
    }
    found
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::base::id::ChunkId;
    use crate::content::content_kind::ContentKind;
    use crate::content::frame::{FrameOptions, encode_frame};
    use proptest::prelude::*;

    fn pack() -> Vec<u8> {
        let (mut builder, header) = PackBuilder::start();
        let mut bytes = header.to_vec();
        for content in [
            b"first ".repeat(99),
            b"second ".repeat(99),
            b"\x8aCYF\x8aCYF".to_vec(),
        ] {
            let chunk = (ChunkId::of(&content), content.as_slice());
            let frame = encode_frame(
                &[chunk],
                ContentKind::Text,
                &FrameOptions::for_store(3, ContentKind::Text),
            );
            assert!(builder.fits(frame.len()));
            builder.push(&frame);
            bytes.extend_from_slice(&frame);
        }
        let (tail, id, pack_bytes) = builder.finish();
        bytes.extend_from_slice(&tail);
        assert_eq!(
            (bytes.len() as u64, crate::base::id::hash(&bytes)),
            (pack_bytes, id.0)
        );
        bytes
    }

    fn table(bytes: &[u8]) -> Result<Vec<FrameSpan>, PackError> {
        check_header(bytes)?;
        let trailer = bytes
            .len()
            .checked_sub(TRAILER_BYTES)
            .ok_or(PackError::NotAPack)?;
        let tail = tail_bytes(&bytes[trailer..], bytes.len() as u64)?;
        parse_tail(&bytes[bytes.len() - tail..], bytes.len() as u64)
    }

    #[test]
    fn table_and_scan_find_the_same_frames() {
        let bytes = pack();
        let spans = table(&bytes).unwrap();
        assert_eq!(spans.len(), 3);
        assert_eq!(scan(&bytes), spans);
    }

    #[test]
    fn a_scan_finds_what_is_intact_in_a_damaged_pack() {
        let mut bytes = pack();
        let spans = table(&bytes).unwrap();
        let middle = usize::try_from(spans[1].offset).unwrap();
        bytes[middle + 60] ^= 1;
        bytes.truncate(bytes.len() - 20);
        bytes[0] = 0;
        assert_eq!(scan(&bytes), [spans[0], spans[2]]);
        let behind_a_lost_front = scan(&bytes[middle + 1..]);
        assert_eq!(behind_a_lost_front.len(), 1);
        assert!(table(&bytes).is_err());
    }

    proptest! {
        #[test]
        fn damaged_tables_are_refused(at in 0_usize..56, bit in 0_u8..8) {
            let mut bytes = pack();
            let from_end = bytes.len() - 1 - at;
            bytes[from_end] ^= 1 << bit;
            prop_assert!(table(&bytes).is_err());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), len: u64) {
            let mut trailer = bytes.clone();
            trailer.extend_from_slice(&TRAILER_MAGIC);
            trailer.extend_from_slice(&bytes);
            for bytes in [&bytes, &trailer] {
                let _ = scan(bytes);
                let _ = table(bytes);
                let _ = parse_tail(bytes, len);
                let _ = tail_bytes(bytes, len);
            }
        }
    }
}
