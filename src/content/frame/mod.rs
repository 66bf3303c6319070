//! The frame: chunks compressed together, self-describing, so that a scan finds every intact one in a damaged file.
//!
//! It handles bytes only. Packs and bundles decide where frames lie. No other module calls the compressors.

use std::ops::Range;

use zstd::zstd_safe::DCtx;

use crate::base::id::{ChunkId, Hasher};
use crate::base::recycled::RecycledBytes;
use crate::base::roomy::roomy;
use crate::base::term::Flaw;
use crate::base::term::terms;
use crate::content::content_kind::ContentKind;
use delta::NoBases;

mod behind;
mod delta;
mod differences;
mod encode;
mod head;
mod kept;
mod lzma;
mod references;
mod renames;
mod smallest;
mod tables;
mod zstd_frames;

pub use delta::Bases;
pub(crate) use encode::encode_raw;
pub(crate) use encode::{ChunkLength, OldBytes};
pub use encode::{DeltaMode, FrameCodec, FrameEncoder, FrameOptions, LongMatches, encode_frame};
pub(crate) use head::FrameTable;
pub use head::{FrameHead, Ids};
pub use kept::KeptFrame;
pub(crate) use zstd_frames::FrameUnpacker;

/// First four bytes of every frame.
pub const MAGIC: [u8; 4] = *b"\x8aCYF";
/// Bytes of a frame's header. The table and the stored bytes follow.
pub const HEADER_BYTES: usize = 56;
/// Most plain bytes of a frame.
pub const PLAIN_MAX: usize = 128 << 20;
/// Most chunks of a frame.
pub(crate) const CHUNKS_MAX: usize = 1 << 20;
/// Most bytes of a whole frame.
pub const FRAME_MAX: usize =
    HEADER_BYTES + CHUNKS_MAX * ENTRY_WITH_ID + BASES_MAX * ChunkId::BYTES + PLAIN_MAX;
/// Most chunks that a frame depends on.
pub(crate) const BASES_MAX: usize = 65_535;
/// Most bytes of all chunks together that a frame depends on.
pub(crate) const BASE_BYTES_MAX: usize = 64 << 20;

const VERSION: u8 = 1;
const FLAG_IDS: u16 = 1;
const ENTRY_WITH_ID: usize = 36;
const ENTRY_PLAIN: usize = 4;
const CODEC_RAW: u8 = 0;
const CODEC_ZSTD: u8 = 1;
const CODEC_LZMA: u8 = 2;
/// zstd with old chunks as a prefix.
const CODEC_PREFIX: u8 = 3;
/// A script of copies, differences and literals.
const CODEC_DIFFERENCES: u8 = 4;
/// LZMA2 with old chunks as a prefix.
const CODEC_LZMA_PREFIX: u8 = 5;
/// As [`CODEC_DIFFERENCES`], on bytes with labels.
const CODEC_LABELED_DIFFERENCES: u8 = 6;
/// As [`CODEC_LZMA_PREFIX`], on bytes with labels.
const CODEC_LABELED_LZMA_PREFIX: u8 = 7;
/// As [`CODEC_DIFFERENCES`], with new names in the bases.
const CODEC_RENAMED_DIFFERENCES: u8 = 8;
/// As [`CODEC_LZMA_PREFIX`], with new names in the bases.
const CODEC_RENAMED_LZMA_PREFIX: u8 = 9;
const CODEC_MAX: u8 = CODEC_RENAMED_LZMA_PREFIX;

terms! {
    /// What a frame may need of the program.
    FrameFeature {
        Codec = "term-feature-codec", "codec";
        Filter = "term-feature-filter", "filter";
        Flag = "term-feature-flag", "flag";
        Dependence = "term-feature-dependence", "way to lean on chunks";
    }
}

/// Returns the hash in the header of a frame.
pub(crate) fn frame_hash(frame: &[u8]) -> Option<&[u8; 32]> {
    frame.get(24..HEADER_BYTES)?.try_into().ok()
}

/// Returns how far the stored bytes of a frame without ids and bases are from its beginning.
pub(crate) fn plain_table_end(chunks: u32) -> u64 {
    HEADER_BYTES as u64 + u64::from(chunks) * ENTRY_PLAIN as u64
}

/// Says what is wrong with the bytes of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// There is no frame here.
    #[error("not a frame")]
    NotAFrame,
    /// It was written by a newer program.
    #[error("frame version {0} is newer than this program reads (1)")]
    Unsupported(u8),
    /// It needs a codec, filter or flag that this program does not know.
    #[error("frame needs a {0} that this program does not have")]
    Unknown(FrameFeature),
    /// Lengths do not fit each other or the limits, or a hash is wrong.
    #[error("damaged frame: {0}")]
    Corrupt(Flaw),
    /// It depends on a chunk that is missing or damaged.
    #[error("it depends on chunk {0}, which cannot be read")]
    Base(ChunkId),
}

/// What is done with the ids of chunks that a frame carries.
#[derive(Clone, Copy)]
enum CarriedIds {
    Checked,
    Trusted,
}

/// A frame whose own hash is right. Its table can be trusted. Its bytes are still compressed.
#[derive(Debug)]
pub struct SealedFrame<'a> {
    /// What the header says.
    pub head: FrameHead,
    /// Ids, where carried, and ranges in the plain bytes, in order.
    pub chunks: FrameTable,
    /// The chunks that it depends on, in order.
    pub bases: Vec<ChunkId>,
    stored: &'a [u8],
}

impl<'a> SealedFrame<'a> {
    /// Checks the frame that `bytes` begins with. Bytes behind it are ignored.
    ///
    /// # Errors
    /// [`FrameError`] for anything but an intact frame.
    pub fn open(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let head = FrameHead::parse(bytes)?;
        let body = bytes
            .get(HEADER_BYTES..head.frame_bytes())
            .ok_or(FrameError::Corrupt(Flaw::Short))?;
        // The hash covers the header before it and everything behind it, tables included.
        if Hasher::new().update(&bytes[..24]).update(body).finish() != bytes[24..HEADER_BYTES] {
            return Err(FrameError::Corrupt(Flaw::Hash));
        }
        let (table, stored) = body.split_at(head.table_bytes());
        let bases = table[head.chunk_count * head.entry_bytes()..]
            .chunks_exact(ChunkId::BYTES)
            .filter_map(|id| id.first_chunk().copied().map(ChunkId))
            .collect();
        Ok(Self {
            head,
            chunks: head.parse_table(table)?,
            bases,
            stored,
        })
    }

    /// Decompresses and checks every chunk. Computes ids that were left out.
    ///
    /// # Errors
    /// [`FrameError::Corrupt`] when the content is not what the header and the ids say.
    pub fn unpack(self) -> Result<Frame, FrameError> {
        self.unpack_on(&NoBases)
    }

    /// Unpacks as [`SealedFrame::unpack`] does, with the old chunks that the frame depends on. They take up to
    /// [`BASE_BYTES_MAX`] more.
    ///
    /// # Errors
    /// [`FrameError::Base`] when one of them is missing or damaged. Otherwise as [`SealedFrame::unpack`].
    pub fn unpack_on(self, bases: &dyn Bases) -> Result<Frame, FrameError> {
        let plain = RecycledBytes::with_room(self.head.plain_bytes);
        self.decompress(bases, plain, CarriedIds::Checked)
    }

    /// Unpacks as [`SealedFrame::unpack`] does, into a buffer that leaves no hole in the heap. It serves frames that are
    /// dropped soon.
    ///
    /// # Errors
    /// As [`SealedFrame::unpack`].
    pub(crate) fn unpack_briefly(self) -> Result<Frame, FrameError> {
        let plain = roomy(self.head.plain_bytes).into();
        self.decompress(&NoBases, plain, CarriedIds::Checked)
    }

    /// Decompresses and trusts ids that are carried. It serves frames that this store wrote itself. A damaged frame
    /// does not pass [`SealedFrame::open`]. A caller that rebuilds a blob from the chunks also checks the blob's hash.
    ///
    /// # Errors
    /// [`FrameError::Corrupt`] when the content is not as long as the header says.
    pub(crate) fn unpack_own(self) -> Result<Frame, FrameError> {
        let plain = RecycledBytes::with_room(self.head.plain_bytes);
        self.decompress(&NoBases, plain, CarriedIds::Trusted)
    }

    /// Decompresses into `plain`, which has room for what the head says. The head was checked against the limits, so
    /// that this is at most 128 MiB. A buffer may have a little more room, but never more bytes than it says in the end.
    fn decompress(
        self,
        bases: &dyn Bases,
        mut plain: RecycledBytes,
        carried: CarriedIds,
    ) -> Result<Frame, FrameError> {
        let bad = || FrameError::Corrupt(Flaw::NotDecompressible);
        match self.head.codec {
            CODEC_RAW => plain.extend_from_slice(self.stored),
            _ if self.head.plain_bytes == 0 => {}
            CODEC_LZMA => lzma::unpack(self.stored, &[], self.head.plain_bytes, &mut plain)
                .map_err(|_| bad())?,
            CODEC_PREFIX..=CODEC_MAX => {
                let base = delta::gather(&self.bases, bases, self.head.filter)?;
                unpack_behind(
                    self.head.codec,
                    self.stored,
                    base,
                    self.head.plain_bytes,
                    &mut plain,
                )?;
            }
            _ => {
                // The vector's capacity bounds the output, and zstd refuses to write more.
                DCtx::create()
                    .decompress(&mut *plain, self.stored)
                    .map_err(|_| bad())?;
            }
        }
        // The ranges of the chunks lie within this length, so slicing below cannot fail.
        if plain.len() != self.head.plain_bytes {
            return Err(FrameError::Corrupt(Flaw::OtherLength));
        }
        self.head.filter.undo(&mut plain);
        let mut chunks = Vec::with_capacity(self.chunks.len());
        for (said, range) in self.chunks {
            let id = match (said, carried) {
                (Some(id), CarriedIds::Trusted) => id,
                (said, _) => {
                    let id = ChunkId::of(&plain[range.clone()]);
                    if said.is_some_and(|said| said != id) {
                        return Err(FrameError::Corrupt(Flaw::ChunkId));
                    }
                    id
                }
            };
            chunks.push((id, range));
        }
        Ok(Frame {
            class: self.head.class,
            chunks,
            plain,
        })
    }
}

/// Unpacks what a codec from [`CODEC_PREFIX`] on made with `base`.
fn unpack_behind(
    codec: u8,
    stored: &[u8],
    base: Vec<u8>,
    plain_bytes: usize,
    plain: &mut Vec<u8>,
) -> Result<(), FrameError> {
    match codec {
        CODEC_PREFIX => delta::unpack(stored, &base, plain),
        CODEC_LZMA_PREFIX => lzma::unpack(stored, &base, plain_bytes, plain)
            .map_err(|_| FrameError::Corrupt(Flaw::NotDecompressible)),
        CODEC_DIFFERENCES => differences::unpack(stored, &base, plain_bytes, plain),
        CODEC_LABELED_DIFFERENCES | CODEC_LABELED_LZMA_PREFIX => {
            references::unpack(codec, stored, base, plain_bytes, plain)
        }
        _ => renames::unpack(codec, stored, base, plain_bytes, plain),
    }
}

/// A frame's content, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Kind of content.
    pub class: ContentKind,
    /// Chunks and their places in `plain`, in order.
    pub chunks: Vec<(ChunkId, Range<usize>)>,
    /// All chunks, concatenated.
    pub plain: RecycledBytes,
}

impl Frame {
    /// Checks and decompresses the frame that `bytes` begins with, chunk ids included. Takes at most the plain bytes
    /// that the header says (up to [`PLAIN_MAX`]) and 64 bytes a chunk.
    ///
    /// # Errors
    /// [`FrameError`] for anything but an intact frame.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        SealedFrame::open(bytes)?.unpack()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn chunks(contents: &[Vec<u8>]) -> Vec<(ChunkId, &[u8])> {
        contents
            .iter()
            .map(|plain| (ChunkId::of(plain), plain.as_slice()))
            .collect()
    }

    /// Puts the right hash into a frame that was tampered with, as a hostile medium would.
    pub(crate) fn reseal(frame: &mut [u8]) {
        if frame.len() >= HEADER_BYTES {
            let sum = Hasher::new()
                .update(&frame[..24])
                .update(&frame[HEADER_BYTES..])
                .finish();
            frame[24..HEADER_BYTES].copy_from_slice(&sum);
        }
    }

    fn options(ids: Ids) -> FrameOptions {
        FrameOptions {
            ids,
            ..FrameOptions::for_store(3, ContentKind::ElfX86_64)
        }
    }

    #[test]
    fn what_goes_in_comes_out_with_and_without_ids() {
        let contents = vec![b"abc".repeat(9000), vec![7], b"\xe8\x10\0\0\0".repeat(500)];
        for ids in [Ids::Stored, Ids::LeftOut] {
            let bytes = encode_frame(&chunks(&contents), ContentKind::ElfX86_64, &options(ids));
            let head = FrameHead::parse(&bytes).unwrap();
            assert_eq!(
                (head.frame_bytes(), head.chunk_count, head.ids),
                (bytes.len(), 3, ids)
            );
            let frame = Frame::decode(&bytes).unwrap();
            assert_eq!(frame.class, ContentKind::ElfX86_64);
            for ((id, range), plain) in frame.chunks.iter().zip(&contents) {
                assert_eq!(
                    (&frame.plain[range.clone()], *id),
                    (plain.as_slice(), ChunkId::of(plain))
                );
            }
        }
        let empty = encode_frame(&[], ContentKind::Meta, &options(Ids::Stored));
        assert!(Frame::decode(&empty).unwrap().plain.is_empty());
    }

    #[test]
    fn noise_is_stored_raw_and_any_flip_is_seen() {
        let mut noise = Vec::new();
        while noise.len() < 4096 {
            noise.extend_from_slice(&crate::base::id::hash(&noise));
        }
        let mut bytes = encode_frame(
            &chunks(&[noise]),
            ContentKind::Packed,
            &options(Ids::Stored),
        );
        assert_eq!(bytes[5], CODEC_RAW);
        assert_eq!(bytes.len(), HEADER_BYTES + ENTRY_WITH_ID + 4096);
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            assert!(Frame::decode(&bytes).is_err(), "flip at {at}");
            bytes[at] ^= 1;
        }
        assert!(Frame::decode(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn a_wrong_id_is_seen_where_ids_are_not_believed() {
        let wrong = (ChunkId::of(b"other"), b"these bytes".as_slice());
        let bytes = encode_frame(&[wrong], ContentKind::Other, &options(Ids::Stored));
        assert!(SealedFrame::open(&bytes).unwrap().unpack_own().is_ok());
        assert_eq!(
            Frame::decode(&bytes),
            Err(FrameError::Corrupt(Flaw::ChunkId))
        );
    }

    #[test]
    fn lengths_past_the_limits_are_refused_before_anything_is_allocated() {
        let mut bytes = encode_frame(
            &chunks(&[b"abc".repeat(900)]),
            ContentKind::Text,
            &options(Ids::Stored),
        );
        for at in [12, 16, 20] {
            let mut bad = bytes.clone();
            bad[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            reseal(&mut bad);
            assert!(Frame::decode(&bad).is_err(), "length at {at}");
        }
        bytes[4] = 2;
        reseal(&mut bytes);
        assert_eq!(Frame::decode(&bytes), Err(FrameError::Unsupported(2)));
    }

    proptest! {
        #[test]
        fn hostile_frames_never_panic(
            change in proptest::collection::vec((0_usize..400, any::<u8>()), 1..8), cut in 0_usize..400) {
            let contents = [b"some text, some text, some text".repeat(20), b"\x01\x02".repeat(30)];
            let mut bytes = encode_frame(&chunks(&contents), ContentKind::Text, &options(Ids::Stored));
            for (at, value) in change {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(bytes.len().saturating_sub(cut / 20));
            reseal(&mut bytes);
            let _ = Frame::decode(&bytes);
            let _ = FrameHead::parse(&bytes);
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut framed = MAGIC.to_vec();
            framed.extend_from_slice(&[VERSION, CODEC_ZSTD, 1]);
            framed.extend_from_slice(&bytes);
            reseal(&mut framed);
            let _ = Frame::decode(&framed);
        }

        #[test]
        fn any_chunks_round_trip(contents in proptest::collection::vec(
            proptest::collection::vec(prop_oneof![Just(0xe8_u8), Just(0_u8), any::<u8>()], 1..500), 0..20)) {
            let bytes = encode_frame(&chunks(&contents), ContentKind::ElfX86_64, &options(Ids::LeftOut));
            prop_assert_eq!(&*Frame::decode(&bytes).unwrap().plain, &contents.concat());
        }
    }
}
