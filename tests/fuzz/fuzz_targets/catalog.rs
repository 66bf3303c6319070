//! A catalog of any bytes, its envelope right, and everything that is asked of one.
#![no_main]

use carryall::bundle::Catalog;
use carryall::base::envelope::{EnvelopeKind, seal};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Catalog::from_bytes(input);
    let Ok(catalog) = Catalog::from_bytes(&seal(EnvelopeKind::Catalog, input)) else {
        return;
    };
    let _ = (catalog.payload_bytes(), catalog.plain_bytes());
    let _ = catalog.frames_within(1, u64::from(u32::MAX));
    let _ = catalog.items_in(&[0, u32::MAX]);
    assert_eq!(Catalog::from_bytes(&catalog.to_bytes()).ok(), Some(catalog));
});
