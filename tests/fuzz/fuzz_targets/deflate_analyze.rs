//! Any bytes as a gzip, zlib or raw deflate stream, and as members in a row that learn of one another: what is opened comes
//! back the same.
#![no_main]

use carryall::deflate::{AnalyzeOptions, Experience, ReconstructOptions, Wrapper, analyze, reconstruct};
use libfuzzer_sys::fuzz_target;

/// Most plain bytes of a stream here; a few KiB of input unpack to millions.
const PLAIN_LIMIT_BYTES: u64 = 1 << 18;

fn round_trip(packed: &[u8], wrapper: Wrapper, experience: Option<&Experience>) -> usize {
    let options = AnalyzeOptions {
        wrapper,
        plain_limit_bytes: PLAIN_LIMIT_BYTES,
        ratio_limit: 2000,
        recipe_limit_per_mille: 1_000_000,
        experience,
        ..AnalyzeOptions::default()
    };
    let (mut plain, mut recipe) = (Vec::new(), Vec::new());
    let Ok(analysis) = analyze(&mut &packed[..], &mut plain, &mut recipe, &options) else {
        return 0;
    };
    assert_eq!(analysis.plain_bytes, plain.len() as u64);
    assert_eq!(analysis.recipe_bytes, recipe.len() as u64);
    let options = ReconstructOptions {
        stream_bytes: analysis.stream_bytes,
        threads: 1,
    };
    let mut out = Vec::new();
    reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options).expect("re-makes");
    assert!(packed.starts_with(&out));
    assert_eq!(out.len() as u64, analysis.stream_bytes);
    out.len()
}

fuzz_target!(|input: &[u8]| {
    for wrapper in [Wrapper::Raw, Wrapper::Gzip, Wrapper::Zlib] {
        round_trip(input, wrapper, None);
    }
    let experience = Experience::default();
    let mut left = input;
    while !left.is_empty() {
        let taken = round_trip(left, Wrapper::Raw, Some(&experience));
        left = &left[taken.max(1)..];
        if taken == 0 {
            break;
        }
    }
});
