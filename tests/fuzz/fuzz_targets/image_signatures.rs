//! Keys and signatures of images, of any bytes: they are read or refused, and nothing is verified that nobody signed.
#![no_main]

use carryall::oci::signatures::{
    ImageKey, ImagePattern, InTotoStatement, SigstoreBundle, SimplePayload,
};
use libfuzzer_sys::fuzz_target;

/// Between a key and the rest of the input.
const END: u8 = 0xff;

fuzz_target!(|input: &[u8]| {
    let _ = SigstoreBundle::read(input);
    let _ = InTotoStatement::read(input);
    let _ = SimplePayload::read(input);
    let mut parts = input.splitn(3, |byte| *byte == END);
    let first = parts.next().unwrap_or_default();
    if let Ok(text) = std::str::from_utf8(first) {
        if let Ok(pattern) = text.parse::<ImagePattern>() {
            assert_eq!(pattern.to_string().parse(), Ok(pattern.clone()));
            let _ = pattern.fits("registry.example/shop/web:1.0");
        }
        let _ = ImageKey::read(text);
    }
    if let Ok(key) = ImageKey::from_der(first) {
        assert_eq!(ImageKey::read(&key.line()).as_ref(), Ok(&key));
        let (message, signature) = (parts.next(), parts.next());
        let _ = key.verifies(message.unwrap_or_default(), signature.unwrap_or_default());
    }
});
