//! Encodes frames: puts chunks together, filters and compresses them.
//!
//! The parent module decodes them.

use zstd::zstd_safe::{CCtx, CParameter, ResetDirective, compress_bound};

use super::lzma::{self, LzmaSearch};
use super::{
    BASE_BYTES_MAX, BASES_MAX, CHUNKS_MAX, CODEC_LZMA, CODEC_RAW, CODEC_ZSTD, ENTRY_WITH_ID,
    FLAG_IDS, HEADER_BYTES, Ids, MAGIC, PLAIN_MAX, VERSION,
};
use crate::base::id::{ChunkId, Hasher};
use crate::base::roomy::roomy;
use crate::content::chunk::CHUNK_MAX;
use crate::content::content_kind::ContentKind;
use crate::content::filter::Filter;
use crate::content::references::Layouts;

/// 8 MiB, a whole frame of a store.
const STORE_WINDOW_LOG: u32 = 23;

/// zstd's level for everything but machine code in the smallest bundle. It is the default level, because the time is
/// better spent on LZMA.
const SMALLEST_LEVEL: i32 = 12;
/// The level from which on zstd's own search finds what long matches would.
const LEVEL_OF_WHOLE_FRAMES: i32 = 12;
/// The whole frame and all bases that it can depend on.
const WINDOW_LOG_MAX: u32 = 28;
/// The whole of a bundle's solid frame.
const BUNDLE_WINDOW_LOG: u32 = 27;

/// How a frame is compressed.
#[derive(Debug, Clone, Copy)]
pub struct FrameOptions {
    /// The compressor.
    pub codec: FrameCodec,
    /// zstd level, 1 to 22.
    pub level: i32,
    /// log2 of zstd's window, 10 to 27. `None` lets zstd choose by level and length.
    pub window_log: Option<u32>,
    /// Long-distance matching, for frames longer than the level's own search reaches. Needs `window_log`.
    pub long_matches: LongMatches,
    /// Whether the frame carries the ids of its chunks.
    pub ids: Ids,
    /// The filter that is applied first.
    pub filter: Filter,
    /// How old bytes are used.
    pub against: DeltaMode,
}

/// How a frame is compressed against old bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeltaMode {
    /// zstd with the old bytes as a prefix, at the frame's level.
    Prefix,
    /// A script of differences, or LZMA2 with the old bytes as a prefix where the differences are many.
    Differences,
    /// As [`Self::Differences`], with a longer search.
    Smallest,
}

/// The compressor of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameCodec {
    /// zstd: unpacks at a gigabyte a second and more.
    Zstd,
    /// LZMA2: a quarter smaller than zstd 12 on machine code. Packs at 2 and unpacks at some 60 megabytes a second and
    /// core.
    Lzma,
    /// The same with a shorter search: a quarter of the time less, a hundredth larger.
    QuickLzma,
}

/// Whether zstd searches for long matches far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LongMatches {
    /// As the level does by default.
    Off,
    /// With zstd's long-distance matcher.
    On,
}

impl FrameOptions {
    /// Returns options for frames of a store of up to 8 MiB: ids stored, the filter that fits `class`, and a window of
    /// the whole frame. All kinds but machine code get two levels more, because they gain most for the time
    /// (docs/decisions/001-frames.md).
    pub fn for_store(level: i32, class: ContentKind) -> Self {
        let extra = if class.is_code() { 0 } else { 2 };
        Self {
            codec: FrameCodec::Zstd,
            level: level + extra,
            window_log: Some(STORE_WINDOW_LOG),
            long_matches: LongMatches::Off,
            ids: Ids::Stored,
            filter: Filter::fitting(class),
            against: DeltaMode::Prefix,
        }
    }

    /// Returns options for the solid frames of a bundle: ids left out, and windows as long as the frame
    /// (docs/decisions/002-bundles.md). Long matches only help levels whose own search does not reach through the frame
    /// (docs/decisions/013-kept-frames.md).
    pub fn for_bundle(level: i32, class: ContentKind) -> Self {
        let long_matches = if level < LEVEL_OF_WHOLE_FRAMES {
            LongMatches::On
        } else {
            LongMatches::Off
        };
        Self {
            codec: FrameCodec::Zstd,
            level,
            window_log: Some(BUNDLE_WINDOW_LOG),
            long_matches,
            ids: Ids::LeftOut,
            filter: Filter::fitting(class),
            against: DeltaMode::Prefix,
        }
    }
}

impl FrameOptions {
    /// Returns options for the smallest bundle: LZMA for machine code, where it gains most, with a search that leaves
    /// out what gains least for its time.
    pub(crate) fn for_smallest_bundle(class: ContentKind) -> Self {
        Self::smallest(class, FrameCodec::QuickLzma)
    }

    /// Returns options for the smallest bundle for recipients, which is short and worth any time.
    pub(crate) fn for_smallest_delta(class: ContentKind) -> Self {
        Self::smallest(class, FrameCodec::Lzma)
    }

    fn smallest(class: ContentKind, lzma: FrameCodec) -> Self {
        Self {
            codec: if class.is_code() {
                lzma
            } else {
                FrameCodec::Zstd
            },
            against: DeltaMode::Smallest,
            ..Self::for_bundle(SMALLEST_LEVEL, class)
        }
    }
}

/// Puts bytes that are no content of anything, such as those of a cipher, into one frame as they are, without ids.
///
/// # Panics
/// When they exceed [`PLAIN_MAX`].
pub(crate) fn encode_raw(bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() <= PLAIN_MAX, "too many bytes for a frame");
    let chunks = bytes.chunks(CHUNK_MAX);
    let table = EncodedTable {
        chunk_count: chunks.len(),
        plain_bytes: bytes.len(),
        ids: Ids::LeftOut,
        lengths: chunks.flat_map(|chunk| word(chunk.len())).collect(),
        bases: &[],
    };
    table.seal([CODEC_RAW, 0, ContentKind::Packed as u8], bytes)
}

/// Packs chunks, in the order given, into one frame. [`FrameEncoder`] packs many frames with less work.
///
/// A frame that does not shrink by at least 1/64 is stored without compression. [`ContentKind::Packed`] is tried at
/// level 1 first.
///
/// # Panics
/// When the chunks exceed [`PLAIN_MAX`] or `CHUNKS_MAX`, or one of them is empty or longer than [`CHUNK_MAX`].
pub fn encode_frame(
    chunks: &[(ChunkId, &[u8])],
    class: ContentKind,
    options: &FrameOptions,
) -> Vec<u8> {
    FrameEncoder::new().encode(chunks, class, options)
}

/// Packs chunks into frames and reuses its buffers: about twice the longest frame, and zstd's tables.
pub struct FrameEncoder {
    context: CCtx<'static>,
    pub(super) plain: Vec<u8>,
    pub(super) packed: Vec<u8>,
}

impl Default for FrameEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl FrameEncoder {
    /// Creates an encoder with empty buffers.
    pub fn new() -> Self {
        Self {
            context: CCtx::create(),
            plain: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// Packs chunks, in the order given, into one frame, see [`encode_frame`].
    ///
    /// # Panics
    /// As [`encode_frame`].
    pub fn encode(
        &mut self,
        chunks: &[(ChunkId, &[u8])],
        class: ContentKind,
        options: &FrameOptions,
    ) -> Vec<u8> {
        let lengths = self.gather(chunks);
        let (frame, _) = self.encode_gathered(&lengths, class, options);
        frame
    }

    /// Packs what is in `plain`. Also returns the filter that `plain` was left with.
    fn encode_gathered(
        &mut self,
        chunks: &[ChunkLength],
        class: ContentKind,
        options: &FrameOptions,
    ) -> (Vec<u8>, Filter) {
        options.filter.apply(&mut self.plain);
        let (codec, filter, stored) = if self.compress(class, options) {
            let codec = match options.codec {
                FrameCodec::Zstd => CODEC_ZSTD,
                FrameCodec::Lzma | FrameCodec::QuickLzma => CODEC_LZMA,
            };
            (codec, options.filter, &self.packed)
        } else {
            options.filter.undo(&mut self.plain);
            (CODEC_RAW, Filter::None, &self.plain)
        };
        let table = EncodedTable {
            chunk_count: chunks.len(),
            plain_bytes: self.plain.len(),
            ids: options.ids,
            lengths: table_of(chunks, options.ids),
            bases: &[],
        };
        let frame = table.seal([codec, filter as u8, class as u8], stored);
        (frame, filter)
    }

    /// Packs chunks into one frame that depends on old ones. `base` has the bytes of `bases`, concatenated. Returns a
    /// plain frame when the old bytes gain nothing.
    ///
    /// The filter is used where LZMA behind the old bytes gains by it. Elsewhere it would make bytes differ that were
    /// only moved (docs/decisions/007-deltas.md). Beside the frame's own memory it takes 6 (zstd) to 13 (LZMA's trees)
    /// bytes for each byte of the frame and of `base`, and 64 MiB.
    ///
    /// # Panics
    /// As [`encode_frame`], and when the bases exceed [`BASES_MAX`] or [`BASE_BYTES_MAX`].
    pub fn encode_delta(
        &mut self,
        chunks: &[(ChunkId, &[u8])],
        class: ContentKind,
        options: &FrameOptions,
        bases: &[ChunkId],
        base: &[u8],
    ) -> Vec<u8> {
        let lengths = self.gather(chunks);
        self.encode_behind(&lengths, class, options, OldBytes::plain(bases, base))
    }

    /// Packs the chunks that `plain` consists of as [`Self::encode_delta`] does, without another copy of them.
    ///
    /// # Panics
    /// As [`Self::encode_delta`].
    pub(crate) fn encode_owned(
        &mut self,
        chunks: &[ChunkLength],
        plain: Vec<u8>,
        class: ContentKind,
        options: &FrameOptions,
        old: OldBytes<'_>,
    ) -> Vec<u8> {
        check_limits(chunks);
        self.plain = plain;
        let frame = self.encode_behind(chunks, class, options, old);
        self.plain = Vec::new();
        frame
    }

    fn encode_behind(
        &mut self,
        chunks: &[ChunkLength],
        class: ContentKind,
        options: &FrameOptions,
        old: OldBytes<'_>,
    ) -> Vec<u8> {
        let OldBytes { bases, base, .. } = old;
        assert!(bases.len() <= BASES_MAX, "too many bases for a frame");
        assert!(base.len() <= BASE_BYTES_MAX, "too much base for a frame");
        if bases.is_empty() || chunks.is_empty() {
            return self.encode_gathered(chunks, class, options).0;
        }
        let (codec, filter) = self.compress_behind(class, old, options);
        let table = EncodedTable {
            chunk_count: chunks.len(),
            plain_bytes: self.plain.len(),
            ids: Ids::LeftOut,
            lengths: table_of(chunks, Ids::LeftOut),
            bases,
        };
        let kind = [codec, filter as u8, class as u8];
        let delta = table.seal(kind, &self.packed);
        // When old bytes save at least half, a plain frame is nearly never smaller and need not be tried.
        if delta.len() < self.plain.len() / 2 {
            return delta;
        }
        let (mut best, left) = self.encode_gathered(chunks, class, options);
        if options.filter != Filter::None && options.against != DeltaMode::Prefix {
            let lzma = FrameOptions {
                codec: FrameCodec::Lzma,
                ..*options
            };
            left.undo(&mut self.plain);
            let (alone, _) = self.encode_gathered(chunks, class, &lzma);
            if alone.len() < best.len() {
                best = alone;
            }
        }
        if delta.len() < best.len() {
            best = delta;
        }
        best
    }

    /// Concatenates the chunks in `plain`. Returns their lengths.
    fn gather(&mut self, chunks: &[(ChunkId, &[u8])]) -> Vec<ChunkLength> {
        let lengths: Vec<ChunkLength> = chunks
            .iter()
            .map(|(id, bytes)| (*id, bytes.len()))
            .collect();
        check_limits(&lengths);
        self.plain.clear();
        self.plain
            .reserve(lengths.iter().map(|(_, bytes)| bytes).sum());
        for (_, bytes) in chunks {
            self.plain.extend_from_slice(bytes);
        }
        lengths
    }

    /// Compresses `plain` into `packed`. Returns whether that pays.
    fn compress(&mut self, class: ContentKind, options: &FrameOptions) -> bool {
        if class == ContentKind::Packed && options.level > 1 {
            let quick = FrameOptions {
                level: 1,
                ..*options
            };
            self.zstd(&quick);
            if !self.pays() {
                return false;
            }
        }
        match options.codec {
            FrameCodec::Zstd => self.zstd(options),
            FrameCodec::Lzma => self.lzma(LzmaSearch::Trees),
            FrameCodec::QuickLzma => self.lzma(LzmaSearch::LowTrees),
        }
        self.pays()
    }

    fn pays(&self) -> bool {
        self.packed.len() + self.plain.len() / 64 < self.plain.len()
    }

    fn lzma(&mut self, search: LzmaSearch) {
        let packed = std::mem::take(&mut self.packed);
        self.packed = lzma::pack(&self.plain, search, packed);
    }

    /// Empties `packed` and gives it room for whatever zstd makes of `plain`.
    pub(super) fn make_room(&mut self) {
        let bytes = compress_bound(self.plain.len());
        self.packed.clear();
        if self.packed.capacity() < bytes {
            self.packed = roomy(bytes);
        }
    }

    fn zstd(&mut self, options: &FrameOptions) {
        set(&mut self.context, options);
        self.make_room();
        self.context
            .compress2(&mut self.packed, &self.plain)
            .expect("the output has room for the worst case");
    }
}

/// A chunk and its number of bytes.
pub(crate) type ChunkLength = (ChunkId, usize);

/// Old chunks that a frame may depend on, and their bytes, one behind the other.
#[derive(Clone, Copy)]
pub(crate) struct OldBytes<'a> {
    pub(crate) bases: &'a [ChunkId],
    pub(crate) base: &'a [u8],
    /// With these, the references of machine code become labels.
    pub(crate) layouts: Option<&'a Layouts>,
}

impl<'a> OldBytes<'a> {
    /// Old bytes without anything known of them.
    fn plain(bases: &'a [ChunkId], base: &'a [u8]) -> Self {
        Self {
            bases,
            base,
            layouts: None,
        }
    }
}

fn check_limits(chunks: &[ChunkLength]) {
    assert!(chunks.len() <= CHUNKS_MAX, "too many chunks for a frame");
    let plain_bytes: usize = chunks.iter().map(|(_, bytes)| bytes).sum();
    assert!(plain_bytes <= PLAIN_MAX, "too many bytes for a frame");
    assert!(
        chunks
            .iter()
            .all(|(_, bytes)| (1..=CHUNK_MAX).contains(bytes)),
        "a chunk has 1 byte to 256 KiB"
    );
}

/// Returns the table of lengths, with ids if they are to be stored.
fn table_of(chunks: &[ChunkLength], ids: Ids) -> Vec<u8> {
    let mut table = Vec::with_capacity(chunks.len() * ENTRY_WITH_ID);
    for (id, bytes) in chunks {
        table.extend_from_slice(&word(*bytes));
        if ids == Ids::Stored {
            table.extend_from_slice(id.as_bytes());
        }
    }
    table
}

pub(super) fn set(context: &mut CCtx<'_>, options: &FrameOptions) {
    let mut parameters = vec![
        CParameter::CompressionLevel(options.level),
        CParameter::ContentSizeFlag(true),
        CParameter::ChecksumFlag(false),
    ];
    parameters.extend(
        options
            .window_log
            .map(|log| CParameter::WindowLog(log.clamp(10, WINDOW_LOG_MAX))),
    );
    if options.long_matches == LongMatches::On {
        parameters.push(CParameter::EnableLongDistanceMatching(true));
    }
    context
        .reset(ResetDirective::SessionAndParameters)
        .expect("nothing is under way");
    for parameter in parameters {
        context
            .set_parameter(parameter)
            .expect("levels and window are within zstd's bounds");
    }
}

/// The beginning of a frame, except for codec, filter and class.
pub(super) struct EncodedTable<'a> {
    pub(super) chunk_count: usize,
    pub(super) plain_bytes: usize,
    pub(super) ids: Ids,
    pub(super) lengths: Vec<u8>,
    pub(super) bases: &'a [ChunkId],
}

impl EncodedTable<'_> {
    /// Assembles a frame. `kind` is codec, filter and class.
    pub(super) fn seal(&self, kind: [u8; 3], stored: &[u8]) -> Vec<u8> {
        let flags = if self.ids == Ids::Stored { FLAG_IDS } else { 0 };
        let base_count = u16::try_from(self.bases.len()).expect("bounded by the limits of a frame");
        let base_bytes = self.bases.len() * ChunkId::BYTES;
        let mut out =
            Vec::with_capacity(HEADER_BYTES + self.lengths.len() + base_bytes + stored.len());
        out.extend_from_slice(&MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&kind);
        out.extend_from_slice(&flags.to_le_bytes());
        out.extend_from_slice(&base_count.to_le_bytes());
        out.extend_from_slice(&word(self.chunk_count));
        out.extend_from_slice(&word(self.plain_bytes));
        out.extend_from_slice(&word(stored.len()));
        out.extend_from_slice(&[0; 32]);
        out.extend_from_slice(&self.lengths);
        for base in self.bases {
            out.extend_from_slice(base.as_bytes());
        }
        out.extend_from_slice(stored);
        let sum = Hasher::new()
            .update(&out[..24])
            .update(&out[HEADER_BYTES..])
            .finish();
        out[24..HEADER_BYTES].copy_from_slice(&sum);
        out
    }
}

fn word(value: usize) -> [u8; 4] {
    u32::try_from(value)
        .expect("bounded by the limits of a frame")
        .to_le_bytes()
}
