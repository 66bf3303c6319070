//! Signatures and keys of any bytes, the envelope of the list right.
#![no_main]

use carryall::base::envelope::{EnvelopeKind, seal};
use carryall::base::signing::{PublicKey, SIGNATURES_MAX, SignatureVerdict, list_from_file};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = list_from_file(input);
    let Some(list) = list_from_file(&seal(EnvelopeKind::Signatures, input)) else {
        return;
    };
    assert!(list.len() <= SIGNATURES_MAX);
    for signature in &list {
        // Nobody guesses a signature, and none is right for two texts.
        let is_right = |text: &[u8]| matches!(signature.judge(text), SignatureVerdict::Right(_));
        assert!(!(is_right(b"one text") && is_right(b"another")));
        let text = String::from_utf8_lossy(signature.file());
        if let Ok(key) = PublicKey::read(&text) {
            assert_eq!(PublicKey::read(&key.line()), Ok(key));
        }
    }
});
