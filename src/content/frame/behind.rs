//! Compresses a frame's plain bytes behind old ones: by zstd, as a script or by LZMA, with or without labels.

use zstd::zstd_safe::CCtx;

use super::differences;
use super::encode::{DeltaMode, FrameEncoder, FrameOptions, OldBytes, set};
use super::lzma::{self, LzmaSearch};
use super::references;
use super::renames;
use super::{CODEC_DIFFERENCES, CODEC_LZMA_PREFIX, CODEC_PREFIX};
use crate::base::roomy::{roomy, roomy_copy};
use crate::content::content_kind::ContentKind;
use crate::content::filter::Filter;

/// When labels or new names leave less than one part in so many of the plain bytes, nothing else is tried. Of seven
/// recompiled libraries none was smaller without labels, and of seventeen minified scripts none without new names. The
/// goal of the rest is only that no frame is larger.
const MODEL_GOOD_PART: usize = 3;

impl FrameEncoder {
    /// Compresses `plain` against old bytes into `packed` with the best method for the effort. Returns the codec and the
    /// filter.
    pub(super) fn compress_behind(
        &mut self,
        class: ContentKind,
        old: OldBytes<'_>,
        options: &FrameOptions,
    ) -> (u8, Filter) {
        let base = old.base;
        // When a script is shorter than this part of the plain bytes, no other method is tried.
        let (search, good_part) = match options.against {
            DeltaMode::Prefix => {
                self.zstd_behind(base, options);
                return (CODEC_PREFIX, Filter::None);
            }
            DeltaMode::Differences => (LzmaSearch::Chains, 8),
            DeltaMode::Smallest => (LzmaSearch::Trees, 24),
        };
        let modeled = if class == ContentKind::Js {
            renames::pack(&self.plain, base, search, good_part)
        } else {
            old.layouts
                .and_then(|layouts| references::pack(&self.plain, base, layouts, search, good_part))
        };
        if let Some((codec, packed)) = modeled {
            if packed.len() < self.plain.len() / MODEL_GOOD_PART {
                self.packed = packed;
                return (codec, Filter::None);
            }
            let (other, filter) = self.compress_as_is(base, search, good_part, options.filter);
            if self.packed.len() < packed.len() {
                return (other, filter);
            }
            self.packed = packed;
            return (codec, Filter::None);
        }
        self.compress_as_is(base, search, good_part, options.filter)
    }

    /// Compresses `plain` against `base` as both are. LZMA is not tried when a script is shorter than one
    /// part in `good_part`.
    fn compress_as_is(
        &mut self,
        base: &[u8],
        search: LzmaSearch,
        good_part: usize,
        filter: Filter,
    ) -> (u8, Filter) {
        let script = differences::pack(&self.plain, base, 1, search);
        if let Some(script) = &script
            && script.len() < self.plain.len() / good_part
        {
            self.packed.clone_from(script);
            return (CODEC_DIFFERENCES, Filter::None);
        }
        let packed = std::mem::take(&mut self.packed);
        self.packed = lzma::pack_behind(&self.plain, roomy_copy(base), search, packed);
        match script {
            Some(script) if script.len() <= self.packed.len() => {
                self.packed = script;
                (CODEC_DIFFERENCES, Filter::None)
            }
            _ => (
                CODEC_LZMA_PREFIX,
                self.filter_if_smaller(base, search, filter),
            ),
        }
    }

    /// Tries LZMA behind `base` with both filtered, and keeps what is in `packed` when that is smaller. Returns the
    /// filter of what is there.
    fn filter_if_smaller(&mut self, base: &[u8], search: LzmaSearch, filter: Filter) -> Filter {
        if filter == Filter::None {
            return filter;
        }
        let mut base = roomy_copy(base);
        filter.apply(&mut base);
        filter.apply(&mut self.plain);
        let out = roomy(self.packed.len());
        let filtered = lzma::pack_behind(&self.plain, base, search, out);
        filter.undo(&mut self.plain);
        if filtered.len() < self.packed.len() {
            self.packed = filtered;
            filter
        } else {
            Filter::None
        }
    }

    /// Compresses the plain bytes with `base` as a prefix, all of it within the window.
    fn zstd_behind(&mut self, base: &[u8], options: &FrameOptions) {
        let window_bytes = base.len() + self.plain.len();
        let options = FrameOptions {
            window_log: Some(window_bytes.next_power_of_two().trailing_zeros()),
            ..*options
        };
        // The reused context must not refer to a prefix that lives shorter than itself, so this one is fresh.
        let mut context = CCtx::create();
        set(&mut context, &options);
        context.ref_prefix(base).expect("nothing is under way");
        self.make_room();
        context
            .compress2(&mut self.packed, &self.plain)
            .expect("the output has room for the worst case");
    }
}
