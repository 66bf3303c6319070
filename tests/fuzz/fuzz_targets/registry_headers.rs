//! What a registry says in headers, and names and platforms that come along: understood or ignored.
#![no_main]

use carryall::oci::image::{Digest, Platform, Reference};
use carryall::oci::registry::challenge::Challenge;
use carryall::oci::registry::{link, range};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = Challenge::parse(text);
    if let Some(target) = link::next(text) {
        assert!(text.contains(target));
    }
    for bytes in [0, 1, 1 << 20, u64::MAX] {
        if let range::Asked::Part(part) = range::asked(Some(text), bytes) {
            assert!(part.start < part.end && part.end <= bytes);
        }
    }
    if let Some(given) = range::given(text) {
        assert!(given.start < given.end);
    }
    let _ = range::taken(text);
    if let Ok(digest) = text.parse::<Digest>() {
        assert!(!digest.hex().contains(['/', '.']));
    }
    if let Ok(platform) = text.parse::<Platform>() {
        assert_eq!(platform.to_string().parse(), Ok(platform));
    }
    if let Ok(reference) = text.parse::<Reference>() {
        let under = reference.repository_under(Some("site"));
        assert!(under.starts_with("site/") && !under.contains(".."));
    }
});
