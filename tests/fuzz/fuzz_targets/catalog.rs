//! A catalog of any bytes, its envelope right, and everything that is asked of one.
#![no_main]

use carryall::bundle::Catalog;
use carryall::base::envelope::{EnvelopeKind, seal_with};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Catalog::from_bytes(input);
    let (flags, input) = match input.split_first() {
        Some((flags, rest)) => (u32::from(*flags % 8), rest),
        None => (0, input),
    };
    let sealed = seal_with(EnvelopeKind::Catalog, flags, input);
    let Ok(catalog) = Catalog::from_bytes(&sealed) else {
        return;
    };
    let _ = (catalog.payload_bytes(), catalog.plain_bytes());
    let places = catalog.places(&[u64::from(u32::MAX), u64::MAX]);
    assert!(places.iter().all(|place| place.seal.is_some() == catalog.is_sealed()));
    let _ = catalog.frames_within(1, u64::from(u32::MAX));
    let _ = catalog.items_in(&[0, u32::MAX]);
    assert_eq!(Catalog::from_bytes(&catalog.to_bytes()).ok(), Some(catalog));
});
