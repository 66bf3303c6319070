//! Any bytes as an xz, lzma, bzip2, zstd, lz4 or bitcode stream: what is opened comes back the same.
#![no_main]

use std::time::Duration;

use carryall::recode::{RecodeOptions, Format, Guesses, EncodeOptions, analyze, reconstruct};
use libfuzzer_sys::fuzz_target;

/// Most plain bytes of a stream here; a few bytes of input unpack to millions.
const PLAIN_LIMIT_BYTES: u64 = 1 << 18;

fuzz_target!(|input: &[u8]| {
    for format in [Format::Xz, Format::Lzma, Format::Bzip2, Format::Zstd, Format::Lz4, Format::Bitcode] {
        let options = RecodeOptions {
            format,
            plain_limit_bytes: PLAIN_LIMIT_BYTES,
            ratio_limit: 2000,
            recipe_limit_per_mille: 1_000_000,
            guesses: &Guesses::default(),
            watch: &|_| true,
            clock: &|| Duration::ZERO,
            affords: &|_, _| true,
        };
        let (mut plain, mut recipe) = (Vec::new(), Vec::new());
        let Ok(analysis) = analyze(&mut &input[..], &mut plain, &mut recipe, &options) else {
            continue;
        };
        assert_eq!(analysis.plain_bytes, plain.len() as u64);
        assert_eq!(analysis.recipe_bytes, recipe.len() as u64);
        let options = EncodeOptions {
            stream_bytes: analysis.stream_bytes,
            threads: 1,
        };
        let mut out = Vec::new();
        // A sample that is not the whole block proves nothing of the rest.
        if reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options).is_ok() {
            assert_eq!(out.len() as u64, analysis.stream_bytes);
        }
    }
});
