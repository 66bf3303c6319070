//! Makes frames: puts chunks together, filters and compresses them.
//!
//! The way back is in the module above.

use zstd::zstd_safe::{CCtx, CParameter, ResetDirective, compress_bound};

use super::{
    CHUNKS_MAX, CODEC_RAW, CODEC_ZSTD, ENTRY_WITH_ID, FLAG_IDS, HEADER_BYTES, Ids, MAGIC,
    PLAIN_MAX, VERSION,
};
use crate::chunk::CHUNK_MAX;
use crate::class::Class;
use crate::filter::Filter;
use crate::id::{ChunkId, Hasher};

/// 8 MiB, a whole frame of a store.
const STORE_WINDOW_LOG: u32 = 23;

/// All of a bundle's solid frame.
const BUNDLE_WINDOW_LOG: u32 = 27;

/// How a frame is compressed.
#[derive(Debug, Clone, Copy)]
pub struct FrameOptions {
    /// zstd level, 1 to 22.
    pub level: i32,
    /// log2 of zstd's window, 10 to 27; `None` takes what the level and the length suggest.
    pub window_log: Option<u32>,
    /// Long-distance matching: for frames longer than the level's own search reaches. Needs `window_log`.
    pub long_matches: LongMatches,
    /// Whether ids are carried.
    pub ids: Ids,
    /// What is done to the bytes first.
    pub filter: Filter,
}

/// Whether zstd looks for long matches far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongMatches {
    /// As the level does by itself.
    Off,
    /// With zstd's long-distance matcher.
    On,
}

impl FrameOptions {
    /// Options for frames of a store of up to 8 MiB: ids stored, the filter that fits `class`, a window of the whole
    /// frame, and for all but machine code two levels more, where they gain most for their time
    /// (docs/decisions/001-frames.md).
    pub fn for_store(level: i32, class: Class) -> Self {
        let extra = if class == Class::ElfX86_64 || class == Class::ElfArm64 {
            0
        } else {
            2
        };
        Self {
            level: level + extra,
            window_log: Some(STORE_WINDOW_LOG),
            long_matches: LongMatches::Off,
            ids: Ids::Stored,
            filter: Filter::fitting(class),
        }
    }

    /// Options for the solid frames of a bundle: ids left out, windows as long as the frame
    /// (docs/decisions/002-bundles.md).
    pub fn for_bundle(level: i32, class: Class) -> Self {
        Self {
            level,
            window_log: Some(BUNDLE_WINDOW_LOG),
            long_matches: LongMatches::On,
            ids: Ids::LeftOut,
            filter: Filter::fitting(class),
        }
    }
}

/// Packs chunks, in the order given, into one frame; [`FrameEncoder`] does many with less work.
///
/// What does not shrink by at least 1/64 is stored as it is; [`Class::Packed`] is tried at level 1 first.
///
/// # Panics
/// When the chunks pass [`PLAIN_MAX`] or [`CHUNKS_MAX`], or one of them is empty or longer than [`CHUNK_MAX`].
pub fn encode_frame(chunks: &[(ChunkId, &[u8])], class: Class, options: &FrameOptions) -> Vec<u8> {
    FrameEncoder::new().encode(chunks, class, options)
}

/// Packs chunks into frames, keeping its buffers from one to the next: about twice the longest frame, and zstd's tables.
pub struct FrameEncoder {
    context: CCtx<'static>,
    plain: Vec<u8>,
    packed: Vec<u8>,
}

impl Default for FrameEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameEncoder {
    /// Makes an encoder with empty buffers.
    pub fn new() -> Self {
        Self {
            context: CCtx::create(),
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Packs chunks, in the order given, into one frame; see [`encode_frame`].
    ///
    /// # Panics
    /// As [`encode_frame`].
    pub fn encode(
        &mut self,
        chunks: &[(ChunkId, &[u8])],
        class: Class,
        options: &FrameOptions,
    ) -> Vec<u8> {
        assert!(chunks.len() <= CHUNKS_MAX, "too many chunks for a frame");
        let plain_bytes: usize = chunks.iter().map(|(_, plain)| plain.len()).sum();
        assert!(plain_bytes <= PLAIN_MAX, "too many bytes for a frame");

        self.plain.clear();
        self.plain.reserve(plain_bytes);
        let mut table = Vec::with_capacity(chunks.len() * ENTRY_WITH_ID);
        for (id, bytes) in chunks {
            assert!(
                (1..=CHUNK_MAX).contains(&bytes.len()),
                "a chunk has 1 byte to 256 KiB"
            );
            table.extend_from_slice(&word(bytes.len()));
            if options.ids == Ids::Stored {
                table.extend_from_slice(id.as_bytes());
            }
            self.plain.extend_from_slice(bytes);
        }
        options.filter.apply(&mut self.plain);
        let (codec, filter, stored) = if self.compress(class, options) {
            (CODEC_ZSTD, options.filter, &self.packed)
        } else {
            options.filter.undo(&mut self.plain);
            (CODEC_RAW, Filter::None, &self.plain)
        };

        let flags = if options.ids == Ids::Stored {
            FLAG_IDS
        } else {
            0
        };
        let mut out = Vec::with_capacity(HEADER_BYTES + table.len() + stored.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, codec, filter as u8, class as u8]);
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&word(chunks.len()));
        out.extend_from_slice(&word(plain_bytes));
        out.extend_from_slice(&word(stored.len()));
        let sum = Hasher::new()
            .update(&out)
            .update(&table)
            .update(stored)
            .finish();
        out.extend_from_slice(&sum);
        out.extend_from_slice(&table);
        out.extend_from_slice(stored);
        out
    }

    /// Compresses `plain` into `packed`; says whether it pays.
    fn compress(&mut self, class: Class, options: &FrameOptions) -> bool {
        if class == Class::Packed && options.level > 1 {
            self.compress_once(&FrameOptions {
                level: 1,
                ..*options
            });
            if !self.pays() {
                return false;
            }
        }
        self.compress_once(options);
        self.pays()
    }

    fn pays(&self) -> bool {
        self.packed.len() + self.plain.len() / 64 < self.plain.len()
    }

    fn compress_once(&mut self, options: &FrameOptions) {
        let mut parameters = vec![
            CParameter::CompressionLevel(options.level),
            CParameter::ContentSizeFlag(true),
            CParameter::ChecksumFlag(false),
        ];
        parameters.extend(
            options
                .window_log
                .map(|log| CParameter::WindowLog(log.clamp(10, 27))),
        );
        if options.long_matches == LongMatches::On {
            parameters.push(CParameter::EnableLongDistanceMatching(true));
        }
        self.context
            .reset(ResetDirective::SessionAndParameters)
            .expect("nothing is under way");
        for parameter in parameters {
            self.context
                .set_parameter(parameter)
                .expect("levels and window are within zstd's bounds");
        }
        self.packed.clear();
        self.packed.reserve(compress_bound(self.plain.len()));
        self.context
            .compress2(&mut self.packed, &self.plain)
            .expect("the output has room for the worst case");
    }
}

fn word(value: usize) -> [u8; 4] {
    u32::try_from(value)
        .expect("bounded by the limits of a frame")
        .to_le_bytes()
}
