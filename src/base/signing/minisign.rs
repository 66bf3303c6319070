//! Signatures in the form of minisign: Ed25519 over BLAKE2b-512, four lines of text.
//!
//! The plain program checks them. Its older form, without BLAKE2b, is not read. Signing takes no randomness.

use blake2::{Blake2b512, Digest};
use ed25519_compact::{PublicKey as PointKey, SecretKey as SeedKey, Signature as RawSignature};

use super::four_lines::FourLines;

/// The algorithm in a signature's first bytes.
const PREHASHED: &[u8; 2] = b"ED";

/// Signs a text. `comment` is one line, and is signed too.
pub(super) fn sign(pair: &[u8; 64], number: &[u8], message: &[u8], comment: &str) -> String {
    let key = SeedKey::new(*pair);
    let signature = key.sign(Blake2b512::digest(message), None);
    let mut signed = signature.to_vec();
    signed.extend_from_slice(comment.as_bytes());
    let lines = FourLines {
        line: [PREHASHED, number, &signature[..]].concat(),
        comment,
        whole: key.sign(&signed, None).to_vec(),
    };
    lines.write("signature from carryall")
}

/// Returns the comment of a signature that is right for this key and text. Returns `None` for any other.
pub(super) fn comment_of(
    point: &[u8],
    number: &[u8],
    message: &[u8],
    text: &str,
) -> Option<String> {
    let point = PointKey::from_slice(point).ok()?;
    let is_right = |message: &[u8], signature: &[u8]| {
        RawSignature::from_slice(signature)
            .is_ok_and(|signature| point.verify(message, &signature).is_ok())
    };
    let message = Blake2b512::digest(message);
    FourLines::read(text)?.comment_if(PREHASHED, number, &message, is_right)
}
