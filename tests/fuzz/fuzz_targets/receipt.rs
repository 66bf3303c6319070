//! A receipt in any form, and what is remembered of a site and of a set.
#![no_main]

use carryall::base::envelope::{EnvelopeKind, seal, seal_with};
use carryall::bundle::receipt::Receipt;
use carryall::bundle::receipt::packed::PackedSet;
use carryall::bundle::receipt::site::Site;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Site::decode(input);
    let _ = PackedSet::decode(input);
    for receipt in [
        Receipt::read(input),
        Receipt::read(&seal(EnvelopeKind::Receipt, input)),
        Receipt::read(&seal_with(EnvelopeKind::Receipt, 1, input)),
    ] {
        let Ok(receipt) = receipt else { continue };
        assert_eq!(Receipt::read(&receipt.to_bytes()).as_ref(), Ok(&receipt));
        if let Some(lines) = receipt.to_text() {
            let typed = Receipt::read(lines.join("\n").as_bytes());
            assert!(typed.is_ok_and(|typed| typed.is_of(&receipt)));
        }
    }
});
