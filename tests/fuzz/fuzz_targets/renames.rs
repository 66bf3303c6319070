//! Lists of renames, and bytes that they are said to be for. What is found for two texts can be applied.
#![no_main]

use carryall::content::renames::{Renames, find};
use libfuzzer_sys::fuzz_target;

const LIMIT_BYTES: usize = 1 << 20;

fuzz_target!(|input: &[u8]| {
    let Some((length, rest)) = input.split_first() else {
        return;
    };
    let (encoded, old) = rest.split_at(usize::from(*length).min(rest.len()));
    // Names are in long lines alone, which take a fuzzer long to find.
    let long = [old, &[b' '; 256]].concat();
    if let Some(renames) = Renames::decode(encoded) {
        let again = Renames::decode(&renames.encode());
        assert_eq!(again.as_ref(), Some(&renames));
        for old in [old, &long] {
            if let Some(renamed) = renames.apply(old, LIMIT_BYTES, Vec::new()) {
                assert!(renamed.len() <= LIMIT_BYTES);
            }
        }
    }
    let (one, other) = long.split_at(long.len() / 2);
    let both = [&one.repeat(2)[..], &[b' '; 256]].concat();
    if let Some(renames) = find(&both, &[other, &long].concat()) {
        assert!(renames.apply(&both, LIMIT_BYTES, Vec::new()).is_some());
    }
});
