//! A receipt in any form, and what is remembered of a site.
#![no_main]

use carryall::envelope::{Kind, seal};
use carryall::receipt::Receipt;
use carryall::receipt::site::Site;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = Site::decode(input);
    for receipt in [
        Receipt::read(input),
        Receipt::read(&seal(Kind::Receipt, input)),
    ] {
        let Ok(receipt) = receipt else { continue };
        assert_eq!(Receipt::read(&receipt.to_bytes()).as_ref(), Ok(&receipt));
        if let Some(lines) = receipt.to_text() {
            let typed = Receipt::read(lines.join("\n").as_bytes());
            assert!(typed.is_ok_and(|typed| typed.is_of(&receipt)));
        }
    }
});
