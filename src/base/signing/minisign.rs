//! Signatures in the form of minisign: Ed25519 over BLAKE2b-512, four lines of text.
//!
//! The plain program checks them. Its older form, without BLAKE2b, is not read. Signing takes no randomness.

use blake2::{Blake2b512, Digest};
use ed25519_compact::{PublicKey as PointKey, SecretKey as SeedKey, Signature as RawSignature};

use super::four_lines::FourLines;

/// The algorithm in a signature's first bytes.
const PREHASHED: &[u8; 2] = b"ED";
const SIGNATURE_BYTES: usize = 64;

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
    let FourLines {
        line,
        comment,
        whole,
    } = FourLines::read(text)?;
    let signature = line.strip_prefix(PREHASHED)?.strip_prefix(number)?;
    let signature: [u8; SIGNATURE_BYTES] = signature.try_into().ok()?;
    let whole: [u8; SIGNATURE_BYTES] = whole.try_into().ok()?;
    let point = PointKey::from_slice(point).ok()?;
    let is_right = |message: &[u8], signature: [u8; SIGNATURE_BYTES]| {
        point.verify(message, &RawSignature::new(signature)).is_ok()
    };
    let mut signed = signature.to_vec();
    signed.extend_from_slice(comment.as_bytes());
    let is_signed = is_right(&Blake2b512::digest(message), signature) && is_right(&signed, whole);
    is_signed.then(|| comment.to_owned())
}
