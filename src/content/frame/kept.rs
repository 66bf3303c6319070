//! A bundle's frame that a store keeps as it came. The compressed bytes stay, and the ids of the chunks join the table.
//!
//! Whether a frame is kept, the store decides. The measurements behind the limits are in
//! docs/decisions/013-kept-frames.md.

use super::encode::EncodedTable;
use super::{CODEC_RAW, CODEC_ZSTD, Frame, FrameHead, HEADER_BYTES, Ids};
use crate::base::id::ChunkId;
use crate::content::chunk::CHUNK_MAX;

/// Most plain bytes of a frame that is kept: those of a bundle's frame and one chunk. Reading one chunk unpacks its whole
/// frame.
const KEPT_BYTES_MAX: usize = (16 << 20) + CHUNK_MAX;

/// A frame of a bundle that was unpacked and checked, and depends on nothing.
pub struct KeptFrame {
    head: FrameHead,
    bytes: Vec<u8>,
    ids: Vec<ChunkId>,
}

impl KeptFrame {
    /// Takes the bytes of a frame along with what they were unpacked to. Returns `None` for frames that a store does
    /// not keep: those that depend on old chunks, those that unpack slowly, and those that are too long.
    pub(crate) fn of(bytes: Vec<u8>, unpacked: &Frame) -> Option<Self> {
        let head = FrameHead::parse(&bytes).ok()?;
        let is_fast = matches!(head.codec, CODEC_RAW | CODEC_ZSTD);
        let is_kept = is_fast && head.plain_bytes <= KEPT_BYTES_MAX;
        let is_same = head.frame_bytes() == bytes.len()
            && head.plain_bytes == unpacked.plain.len()
            && head.chunk_count == unpacked.chunks.len();
        (is_kept && is_same).then(|| Self {
            head,
            bytes,
            ids: unpacked.chunks.iter().map(|(id, _)| *id).collect(),
        })
    }

    /// Returns the frame as a store holds it, and the ids of its chunks.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<ChunkId>) {
        if self.head.ids == Ids::Stored {
            return (self.bytes, self.ids);
        }
        let (table, stored) = self.bytes[HEADER_BYTES..].split_at(self.head.table_bytes());
        let mut lengths = Vec::with_capacity(table.len() + self.ids.len() * ChunkId::BYTES);
        for (length, id) in table.chunks_exact(self.head.entry_bytes()).zip(&self.ids) {
            lengths.extend_from_slice(length);
            lengths.extend_from_slice(id.as_bytes());
        }
        let table = EncodedTable {
            chunk_count: self.ids.len(),
            plain_bytes: self.head.plain_bytes,
            ids: Ids::Stored,
            lengths,
            bases: &[],
        };
        // Codec, filter and class stand side by side in the header.
        let kind = [self.bytes[5], self.bytes[6], self.bytes[7]];
        (table.seal(kind, stored), self.ids)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::content::content_kind::ContentKind;
    use crate::content::frame::{FrameCodec, FrameOptions, encode_frame};

    fn packed(options: &FrameOptions) -> Vec<u8> {
        let contents = [b"abc".repeat(9000), vec![7], b"\xe8\x10\0\0\0".repeat(500)];
        let chunks: Vec<_> = contents
            .iter()
            .map(|plain| (ChunkId::of(plain), plain.as_slice()))
            .collect();
        encode_frame(&chunks, ContentKind::ElfX86_64, options)
    }

    #[test]
    fn a_kept_frame_has_the_same_chunks_and_compressed_bytes_and_carries_ids() {
        let options = FrameOptions::for_bundle(12, ContentKind::ElfX86_64);
        let bytes = packed(&options);
        let frame = Frame::decode(&bytes).unwrap();
        let kept = KeptFrame::of(bytes.clone(), &frame).unwrap().into_parts().0;
        let head = FrameHead::parse(&kept).unwrap();
        assert_eq!((head.ids, head.frame_bytes()), (Ids::Stored, kept.len()));
        assert_eq!(kept.len(), bytes.len() + 3 * 32);
        assert!(kept.ends_with(&bytes[bytes.len() - head.stored_bytes..]));
        assert_eq!(Frame::decode(&kept).unwrap(), frame);
        // A frame that has ids already stays as it is.
        let again = KeptFrame::of(kept.clone(), &frame).unwrap();
        assert_eq!(again.into_parts().0, kept);
    }

    #[test]
    fn frames_that_unpack_slowly_or_do_not_fit_are_not_kept() {
        let options = FrameOptions::for_bundle(12, ContentKind::ElfX86_64);
        let bytes = packed(&options);
        let mut frame = Frame::decode(&bytes).unwrap();
        frame.chunks.pop();
        assert!(KeptFrame::of(bytes, &frame).is_none());
        let lzma = packed(&FrameOptions {
            codec: FrameCodec::Lzma,
            ..options
        });
        let frame = Frame::decode(&lzma).unwrap();
        assert!(KeptFrame::of(lzma, &frame).is_none());
    }
}
