//! Signatures in the form of minisign: Ed25519 over BLAKE2b-512, four lines of text.
//!
//! The plain program checks them. Its older form, without BLAKE2b, is not read. Signing takes no randomness.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b512, Digest};
use ed25519_compact::{PublicKey as PointKey, SecretKey as SeedKey, Signature as RawSignature};

/// The algorithm in a signature's first bytes.
const PREHASHED: &[u8; 2] = b"ED";
const UNTRUSTED: &str = "untrusted comment: ";
const TRUSTED: &str = "trusted comment: ";
const SIGNATURE_BYTES: usize = 64;

/// Signs a text. `comment` is one line, and is signed too.
pub(super) fn sign(pair: &[u8; 64], number: &[u8], message: &[u8], comment: &str) -> String {
    let key = SeedKey::new(*pair);
    let signature = key.sign(Blake2b512::digest(message), None);
    let mut signed = signature.to_vec();
    signed.extend_from_slice(comment.as_bytes());
    let whole = key.sign(&signed, None);
    let mut line = PREHASHED.to_vec();
    line.extend_from_slice(number);
    line.extend_from_slice(&signature[..]);
    let (line, whole) = (STANDARD.encode(line), STANDARD.encode(&whole[..]));
    format!("{UNTRUSTED}signature from carryall\n{line}\n{TRUSTED}{comment}\n{whole}\n")
}

/// Returns the comment of a signature that is right for this key and text. Returns `None` for any other.
pub(super) fn comment_of(
    point: &[u8],
    number: &[u8],
    message: &[u8],
    text: &str,
) -> Option<String> {
    let mut lines = text.lines();
    lines.next()?.strip_prefix(UNTRUSTED)?;
    let line = STANDARD.decode(lines.next()?).ok()?;
    let comment = lines.next()?.strip_prefix(TRUSTED)?;
    let whole = STANDARD.decode(lines.next()?).ok()?;
    if lines.next().is_some() {
        return None;
    }
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
