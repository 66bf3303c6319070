//! Delta frames, which depend on others: they are compressed against old bytes that the reader has already.
//!
//! The reader provides the old bytes. The writer chooses good bases.

use std::collections::HashMap;

use zstd::zstd_safe::DCtx;

use super::{BASE_BYTES_MAX, FrameError};
use crate::base::id::ChunkId;
use crate::base::term::Flaw;
use crate::content::chunk::CHUNK_MAX;
use crate::content::filter::Filter;

/// Provides the chunks that a frame depends on.
pub trait Bases: Sync {
    /// Appends the bytes of a chunk to `out` and returns whether it could. The frame checks that they are the right
    /// ones.
    fn append(&self, id: &ChunkId, out: &mut Vec<u8>) -> bool;

    /// Reads chunks that several frames are about to depend on, where one read gives many of them. What is not returned
    /// is asked for singly.
    fn read_together(&self, _: &[ChunkId]) -> HashMap<ChunkId, Box<[u8]>> {
        HashMap::new()
    }
}

/// Provides no old bytes. Stores use it, because their frames depend on nothing.
pub(super) struct NoBases;

impl Bases for NoBases {
    fn append(&self, _: &ChunkId, _: &mut Vec<u8>) -> bool {
        false
    }
}

/// Concatenates the bases and filters them as the frame's own bytes were. Holds [`BASE_BYTES_MAX`] bytes and one chunk
/// at most, whatever the frame says.
pub(super) fn gather(
    ids: &[ChunkId],
    bases: &dyn Bases,
    filter: Filter,
) -> Result<Vec<u8>, FrameError> {
    let mut all = Vec::new();
    for id in ids {
        let from = all.len();
        let is_there = bases.append(id, &mut all)
            && (1..=CHUNK_MAX).contains(&(all.len() - from))
            && ChunkId::of(&all[from..]) == *id;
        if !is_there {
            return Err(FrameError::Base(*id));
        }
        // Checked after each chunk, so that a hostile table of bases cannot fill the memory.
        if all.len() > BASE_BYTES_MAX {
            return Err(FrameError::Corrupt(Flaw::DependsOnTooMuch));
        }
    }
    filter.apply(&mut all);
    Ok(all)
}

/// Unpacks into `plain`, whose capacity bounds the output. The window lies in `base` and `plain` themselves.
pub(super) fn unpack(stored: &[u8], base: &[u8], plain: &mut Vec<u8>) -> Result<(), FrameError> {
    let bad = |_| FrameError::Corrupt(Flaw::NotDecompressible);
    let mut context = DCtx::create();
    context.ref_prefix(base).map_err(bad)?;
    context.decompress(plain, stored).map_err(bad)?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::content::content_kind::ContentKind;
    use crate::content::frame::tests::{chunks, reseal};
    use crate::content::frame::{
        DeltaMode, Frame, FrameEncoder, FrameHead, FrameOptions, HEADER_BYTES, SealedFrame,
    };

    struct HeldBases(HashMap<ChunkId, Vec<u8>>);

    impl Bases for HeldBases {
        fn append(&self, id: &ChunkId, out: &mut Vec<u8>) -> bool {
            self.0
                .get(id)
                .map(|bytes| out.extend_from_slice(bytes))
                .is_some()
        }
    }

    fn noise(seed: u8, bytes: usize) -> Vec<u8> {
        let mut last = crate::base::id::hash(&[seed]);
        let mut out = Vec::new();
        while out.len() < bytes {
            out.extend_from_slice(&last);
            last = crate::base::id::hash(&last);
        }
        out.truncate(bytes);
        out
    }

    fn held(contents: &[Vec<u8>]) -> HeldBases {
        HeldBases(
            contents
                .iter()
                .map(|each| (ChunkId::of(each), each.clone()))
                .collect(),
        )
    }

    const WAYS: [DeltaMode; 3] = [
        DeltaMode::Prefix,
        DeltaMode::Differences,
        DeltaMode::Smallest,
    ];

    fn encode(new: &[Vec<u8>], old: &[Vec<u8>], class: ContentKind) -> Vec<u8> {
        encode_by(DeltaMode::Prefix, new, old, class)
    }

    fn encode_by(
        against: DeltaMode,
        new: &[Vec<u8>],
        old: &[Vec<u8>],
        class: ContentKind,
    ) -> Vec<u8> {
        let ids: Vec<ChunkId> = old.iter().map(|each| ChunkId::of(each)).collect();
        let options = FrameOptions {
            against,
            ..FrameOptions::for_bundle(12, class)
        };
        FrameEncoder::new().encode_delta(&chunks(new), class, &options, &ids, &old.concat())
    }

    fn open(bytes: &[u8], bases: &dyn Bases) -> Result<Frame, FrameError> {
        SealedFrame::open(bytes)?.unpack_on(bases)
    }

    #[test]
    fn what_is_in_the_old_bytes_costs_next_to_nothing() {
        let old = [noise(1, 9000), noise(2, 70_000)];
        let mut new = vec![old[1].clone(), old[0].clone()];
        new[0][5000] ^= 1;
        for (class, against) in [ContentKind::Other, ContentKind::ElfX86_64]
            .into_iter()
            .flat_map(|class| WAYS.map(|way| (class, way)))
        {
            let bytes = encode_by(against, &new, &old, class);
            assert!(bytes.len() < 400, "{against:?}: {}", bytes.len());
            assert_eq!(*open(&bytes, &held(&old)).unwrap().plain, new.concat());
        }
    }

    #[test]
    fn what_was_linked_anew_goes_by_differences_and_what_was_written_anew_behind_the_old_bytes() {
        let old = noise(1, 100_000);
        let mut linked = old.clone();
        for at in (0..linked.len()).step_by(50) {
            linked[at] = linked[at].wrapping_add(9);
        }
        // Words of old bytes in another order, each too short to be referenced on its own.
        let written: Vec<u8> = noise(2, 20_000)
            .chunks(2)
            .flat_map(|pair| {
                let at = usize::from(pair[0]) << 8 | usize::from(pair[1]);
                old[at..at + 7].to_vec()
            })
            .collect();
        let codec_of = |new: Vec<u8>| {
            let bytes = encode_by(
                DeltaMode::Differences,
                &[new],
                &old.chunks(50_000).map(<[_]>::to_vec).collect::<Vec<_>>(),
                ContentKind::ElfX86_64,
            );
            let held = held(&old.chunks(50_000).map(<[_]>::to_vec).collect::<Vec<_>>());
            assert!(open(&bytes, &held).is_ok());
            bytes[5]
        };
        assert_eq!(codec_of(linked), 4);
        assert_eq!(codec_of(written), 5);
    }

    #[test]
    fn without_its_bases_a_frame_says_which_one_it_lacks() {
        let old = [noise(1, 9000), noise(2, 9000)];
        let bytes = encode(&old[1..], &old, ContentKind::Other);
        let lacks = FrameError::Base(ChunkId::of(&old[1]));
        assert_eq!(open(&bytes, &held(&old[..1])), Err(lacks));
        assert!(Frame::decode(&bytes).is_err());
        let mut wrong = held(&old);
        wrong.0.insert(ChunkId::of(&old[1]), noise(3, 9000));
        assert_eq!(open(&bytes, &wrong), Err(lacks));
    }

    #[test]
    fn bases_that_are_no_help_are_left_out() {
        let bytes = encode(&[noise(5, 9000)], &[noise(1, 9000)], ContentKind::Other);
        assert!(Frame::decode(&bytes).is_ok());
    }

    #[test]
    fn a_frame_that_leans_on_more_than_the_limit_is_refused() {
        let old = vec![noise(1, CHUNK_MAX); BASE_BYTES_MAX / CHUNK_MAX];
        let bytes = encode(&old[..1], &old, ContentKind::Other);
        assert!(open(&bytes, &held(&old[..1])).is_ok());
        let mut more = bytes.clone();
        let base_count = u16::from_le_bytes([more[10], more[11]]) + 1;
        more[10..12].copy_from_slice(&base_count.to_le_bytes());
        let table_end = HEADER_BYTES + FrameHead::parse(&bytes).unwrap().table_bytes();
        more.splice(table_end..table_end, *ChunkId::of(&old[0]).as_bytes());
        reseal(&mut more);
        assert_eq!(
            open(&more, &held(&old[..1])),
            Err(FrameError::Corrupt(Flaw::DependsOnTooMuch))
        );
    }

    proptest! {
        #[test]
        fn any_bytes_come_back(seed in any::<u8>(), edits in proptest::collection::vec((0_usize..60_000, any::<u8>()), 0..50),
            cut in 1_usize..60_000, code in any::<bool>(), way in 0_usize..3) {
            let class = if code { ContentKind::ElfX86_64 } else { ContentKind::Text };
            let old = [noise(seed, 30_000), noise(!seed, 30_000)];
            let mut new = old.concat();
            for (at, value) in edits {
                new[at] = value;
            }
            new.rotate_left(cut);
            let bytes = encode_by(WAYS[way], &[new.clone()], &old, class);
            prop_assert_eq!(&*open(&bytes, &held(&old)).unwrap().plain, &new);
        }

        #[test]
        fn hostile_frames_never_panic(way in 0_usize..3, change in proptest::collection::vec((4_usize..200, any::<u8>()), 1..8), cut in 0_usize..20) {
            let old = [b"some text, some other text, ".repeat(30), noise(1, 500)];
            let mut bytes = encode_by(WAYS[way], &[old.concat()], &old, ContentKind::ElfX86_64);
            for (at, value) in change {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = value;
                }
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            reseal(&mut bytes);
            let _ = open(&bytes, &held(&old));
            let _ = Frame::decode(&bytes);
        }
    }
}
