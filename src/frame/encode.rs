//! Makes frames: puts chunks together, filters and compresses them.
//!
//! The way back is in the module above.

use std::io::Write;

use lzma_rust2::{Lzma2Options, Lzma2Writer, LzmaOptions};
use zstd::zstd_safe::{CCtx, CParameter, ResetDirective, compress_bound};

use super::{
    CHUNKS_MAX, CODEC_LZMA, CODEC_RAW, CODEC_ZSTD, ENTRY_WITH_ID, FLAG_IDS, HEADER_BYTES, Ids,
    MAGIC, PLAIN_MAX, VERSION, lzma_dictionary_bytes,
};
use crate::chunk::CHUNK_MAX;
use crate::class::Class;
use crate::filter::Filter;
use crate::id::{ChunkId, Hasher};

/// 8 MiB, a whole frame of a store.
const STORE_WINDOW_LOG: u32 = 23;

/// zstd's level for what is not machine code in the smallest bundle: the default's, since the time is better spent on LZMA.
const SMALLEST_LEVEL: i32 = 12;
/// Matches this long end LZMA's search; longer ones gain a thousandth.
const LZMA_NICE_BYTES: u32 = 32;
/// All of a bundle's solid frame.
const BUNDLE_WINDOW_LOG: u32 = 27;

/// How a frame is compressed.
#[derive(Debug, Clone, Copy)]
pub struct FrameOptions {
    /// What compresses.
    pub codec: Codec,
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

/// What compresses a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// zstd: unpacks at a gigabyte a second and more.
    Zstd,
    /// LZMA2: a quarter smaller than zstd 12 on machine code; packs at 2 and unpacks at some 60 megabytes a second and core.
    Lzma,
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
            codec: Codec::Zstd,
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
            codec: Codec::Zstd,
            level,
            window_log: Some(BUNDLE_WINDOW_LOG),
            long_matches: LongMatches::On,
            ids: Ids::LeftOut,
            filter: Filter::fitting(class),
        }
    }
}

impl FrameOptions {
    /// Options for the smallest bundle, whatever it takes: LZMA for machine code, where it gains most.
    pub fn for_smallest_bundle(class: Class) -> Self {
        let is_code = class == Class::ElfX86_64 || class == Class::ElfArm64;
        Self {
            codec: if is_code { Codec::Lzma } else { Codec::Zstd },
            ..Self::for_bundle(SMALLEST_LEVEL, class)
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
            let codec = match options.codec {
                Codec::Zstd => CODEC_ZSTD,
                Codec::Lzma => CODEC_LZMA,
            };
            (codec, options.filter, &self.packed)
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
            self.zstd(&FrameOptions {
                level: 1,
                ..*options
            });
            if !self.pays() {
                return false;
            }
        }
        match options.codec {
            Codec::Zstd => self.zstd(options),
            Codec::Lzma => self.lzma(),
        }
        self.pays()
    }

    fn pays(&self) -> bool {
        self.packed.len() + self.plain.len() / 64 < self.plain.len()
    }

    fn lzma(&mut self) {
        let mut lzma = LzmaOptions::with_preset(6);
        lzma.dict_size = lzma_dictionary_bytes(self.plain.len());
        lzma.nice_len = LZMA_NICE_BYTES;
        let options = Lzma2Options {
            lzma_options: lzma,
            ..Lzma2Options::default()
        };
        let mut writer = Lzma2Writer::new(std::mem::take(&mut self.packed), options);
        writer.inner_mut().clear();
        writer
            .write_all(&self.plain)
            .expect("memory takes everything");
        self.packed = writer.finish().expect("memory takes everything");
    }

    fn zstd(&mut self, options: &FrameOptions) {
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
