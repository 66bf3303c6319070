//! Signatures with SM2 and SM3, in four lines of text like those of minisign.
//!
//! The signer's identity is the usual `1234567812345678`. The library is not a certified module. Signing takes no
//! randomness: the nonce is that of RFC 6979.

use sm2::dsa::signature::{Signer as _, Verifier as _};
use sm2::dsa::{Signature as RawSignature, SigningKey, VerifyingKey};
use sm3::{Digest, Sm3};

use super::four_lines::FourLines;

/// The signer's identity that GM/T 0009 names for when no other was agreed on.
const IDENTITY: &str = "1234567812345678";
/// The algorithm in a signature's first bytes.
const ALGORITHM: &[u8; 2] = b"SM";
const SIGNATURE_BYTES: usize = 64;
/// Bytes of a secret key, and of a public one.
pub(super) const SCALAR_BYTES: usize = 32;
pub(super) const POINT_BYTES: usize = 65;

fn signing_key(scalar: &[u8; SCALAR_BYTES]) -> Option<SigningKey> {
    SigningKey::from_slice(IDENTITY, scalar).ok()
}

/// Returns the public point of a secret scalar. Returns `None` when it is none.
pub(super) fn point_of(scalar: &[u8; SCALAR_BYTES]) -> Option<[u8; POINT_BYTES]> {
    let key = signing_key(scalar)?;
    key.verifying_key().to_sec1_bytes()[..].try_into().ok()
}

/// Returns whether bytes are a public point.
pub(super) fn is_point(bytes: &[u8]) -> bool {
    bytes.len() == POINT_BYTES && VerifyingKey::from_sec1_bytes(IDENTITY, bytes).is_ok()
}

/// Returns the number of a public point, which is the beginning of its SM3.
pub(super) fn number_of(point: &[u8; POINT_BYTES]) -> [u8; 8] {
    let hash: [u8; 32] = Sm3::digest(point).into();
    *hash.first_chunk().expect("8 of 32 bytes")
}

/// Signs a text. `comment` is one line, and is signed too. Returns `None` for a scalar that is none.
pub(super) fn sign(
    scalar: &[u8; SCALAR_BYTES],
    number: &[u8],
    message: &[u8],
    comment: &str,
) -> Option<String> {
    let key = signing_key(scalar)?;
    let signature = key.try_sign(message).ok()?.to_bytes();
    let mut signed = signature.to_vec();
    signed.extend_from_slice(comment.as_bytes());
    let lines = FourLines {
        line: [ALGORITHM, number, &signature[..]].concat(),
        comment,
        whole: key.try_sign(&signed).ok()?.to_vec(),
    };
    Some(lines.write("signature from carryall, SM2 with SM3"))
}

/// Returns the comment of a signature that is right for this key and text. Returns `None` for any other.
pub(super) fn comment_of(
    point: &[u8],
    number: &[u8],
    message: &[u8],
    text: &str,
) -> Option<String> {
    let key = VerifyingKey::from_sec1_bytes(IDENTITY, point).ok()?;
    let is_right = |message: &[u8], signature: &[u8]| {
        signature.len() == SIGNATURE_BYTES
            && RawSignature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok())
    };
    FourLines::read(text)?.comment_if(ALGORITHM, number, message, is_right)
}
