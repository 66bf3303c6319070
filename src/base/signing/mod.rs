//! Signatures of short texts: keys, a list of signatures by different algorithms, and whether each one is right.
//!
//! It does not know what the texts say, and trusts nobody. A list holds signatures of several signers, and those of
//! algorithms that this program does not know are kept and not judged.

mod four_lines;
mod key;
mod minisign;
mod sm2;

use wincode::{SchemaRead, SchemaWrite};

pub use self::key::{KeyError, NewKey, PublicKey, SecretKey, is_encrypted, make_key};
use crate::base::envelope::{self, EnvelopeKind};

/// Most signatures in a list.
pub const SIGNATURES_MAX: usize = 16;
/// Most bytes of the text of one signature.
pub const TEXT_MAX: usize = 2048;
/// Most bytes of a public key.
const KEY_MAX: usize = 256;
/// Most bytes of the body of a list.
const LIST_MAX: u64 = 48 * 1024;

/// The algorithm of a key and its signatures, by its number in formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u16)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// Ed25519 over BLAKE2b-512, as minisign signs.
    Minisign = 1,
    /// SM2 with SM3.
    Sm2 = 2,
}

impl SignatureAlgorithm {
    fn of(number: u16) -> Option<Self> {
        match number {
            1 => Some(Self::Minisign),
            2 => Some(Self::Sm2),
            _ => None,
        }
    }

    /// Returns its name, which is the same in every language.
    pub fn name(self) -> &'static str {
        match self {
            Self::Minisign => "minisign",
            Self::Sm2 => "sm2",
        }
    }
}

/// A signature with the public key that it claims to be by. Neither is checked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, SchemaRead, SchemaWrite)]
pub struct Signature {
    /// Number of the algorithm.
    algorithm: u16,
    /// The public key in the form of its algorithm.
    key: Vec<u8>,
    /// The signature in the form of its algorithm, which is a text.
    text: Vec<u8>,
}

/// The judgment on a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureVerdict {
    /// The holder of this key signed the text.
    Right(SignedBy),
    /// Nobody signed the text with that key.
    Wrong,
    /// The algorithm is not known here.
    Unknown,
}

/// The key that a text was signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBy {
    /// The key.
    pub key: PublicKey,
    /// What the signer said beside the text. It is signed too.
    pub comment: String,
}

impl Signature {
    /// Signs a text. The same key, text and comment give the same signature.
    pub fn make(secret: &SecretKey, message: &[u8], comment: &str) -> Self {
        Self {
            algorithm: secret.public_key().algorithm() as u16,
            key: secret.public_key().bytes().to_vec(),
            text: secret.sign(message, comment).into_bytes(),
        }
    }

    /// Makes one of a signature's file and the key that it is said to be by.
    pub fn of_file(key: &PublicKey, file: &[u8]) -> Self {
        Self {
            algorithm: key.algorithm() as u16,
            key: key.bytes().to_vec(),
            text: file.to_vec(),
        }
    }

    /// Returns the content of the signature's file.
    pub fn file(&self) -> &[u8] {
        &self.text
    }

    /// Checks it. Whether anybody trusts the key is another question.
    pub fn judge(&self, message: &[u8]) -> SignatureVerdict {
        let Some(algorithm) = SignatureAlgorithm::of(self.algorithm) else {
            return SignatureVerdict::Unknown;
        };
        let key = PublicKey::from_bytes(algorithm, &self.key);
        let signed = key.and_then(|key| {
            let comment = key.comment_of(message, &self.text)?;
            Some(SignedBy { key, comment })
        });
        signed.map_or(SignatureVerdict::Wrong, SignatureVerdict::Right)
    }
}

/// Encodes a list of signatures in its envelope.
pub fn list_to_file(signatures: &[Signature]) -> Vec<u8> {
    let list: Vec<Signature> = signatures.to_vec();
    envelope::seal(EnvelopeKind::Signatures, &envelope::encode(&list))
}

/// Reads a list from an envelope, behind which anything may follow. Returns `None` for what is none, or beyond the
/// limits.
pub fn list_from_file(file: &[u8]) -> Option<Vec<Signature>> {
    let body = envelope::open(EnvelopeKind::Signatures, file, LIST_MAX).ok()?;
    let list: Vec<Signature> = envelope::decode(body).ok()?;
    let fits = list.len() <= SIGNATURES_MAX
        && list
            .iter()
            .all(|each| each.text.len() <= TEXT_MAX && each.key.len() <= KEY_MAX);
    fits.then_some(list)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ALGORITHMS: [SignatureAlgorithm; 2] =
        [SignatureAlgorithm::Minisign, SignatureAlgorithm::Sm2];

    fn key_of(algorithm: SignatureAlgorithm) -> SecretKey {
        SecretKey::read(&make_key(algorithm, None).unwrap().secret, None).unwrap()
    }

    fn key() -> SecretKey {
        key_of(SignatureAlgorithm::Minisign)
    }

    #[test]
    fn a_signature_is_right_for_its_text_and_its_key_alone() {
        for algorithm in ALGORITHMS {
            right_for_its_text_and_key(key_of(algorithm), key_of(algorithm));
        }
    }

    fn right_for_its_text_and_key(key: SecretKey, other: SecretKey) {
        let signature = Signature::make(&key, b"text", "a comment");
        let SignatureVerdict::Right(by) = signature.judge(b"text") else {
            panic!("right");
        };
        assert_eq!((&by.key, &by.comment[..]), (key.public_key(), "a comment"));
        assert_eq!(signature.judge(b"Text"), SignatureVerdict::Wrong);
        let claimed = Signature::of_file(other.public_key(), signature.file());
        assert_eq!(claimed.judge(b"text"), SignatureVerdict::Wrong);
        assert_eq!(signature, Signature::make(&key, b"text", "a comment"));
    }

    #[test]
    fn every_flipped_bit_of_a_signature_is_seen() {
        for algorithm in ALGORITHMS {
            flipped_bits_are_seen(Signature::make(&key_of(algorithm), b"text", "a comment"));
        }
    }

    fn flipped_bits_are_seen(signature: Signature) {
        let first = signature.text.iter().position(|byte| *byte == b'\n');
        // The first line is the comment that nobody signed.
        for at in first.unwrap() + 1..signature.text.len() - 1 {
            for bit in [1, 0x20] {
                let mut bad = signature.clone();
                bad.text[at] ^= bit;
                assert_eq!(bad.judge(b"text"), SignatureVerdict::Wrong, "{at}");
            }
        }
        for at in 0..signature.key.len() {
            let mut bad = signature.clone();
            bad.key[at] ^= 1;
            assert_eq!(bad.judge(b"text"), SignatureVerdict::Wrong, "{at}");
        }
    }

    #[test]
    fn what_is_cut_or_foreign_is_wrong_and_never_a_panic() {
        for algorithm in ALGORITHMS {
            cuts_are_seen(Signature::make(&key_of(algorithm), b"text", "a comment"));
        }
    }

    fn cuts_are_seen(signature: Signature) {
        for len in 0..signature.text.len() - 1 {
            let mut bad = signature.clone();
            bad.text.truncate(len);
            assert_eq!(bad.judge(b"text"), SignatureVerdict::Wrong, "{len}");
        }
        for len in 0..signature.key.len() {
            let mut bad = signature.clone();
            bad.key.truncate(len);
            assert_eq!(bad.judge(b"text"), SignatureVerdict::Wrong, "{len}");
        }
        let mut later = signature;
        later.algorithm = 900;
        assert_eq!(later.judge(b"text"), SignatureVerdict::Unknown);
    }

    #[test]
    fn a_list_is_read_back_and_what_is_beyond_the_limits_is_none() {
        let one = Signature::make(&key(), b"text", "");
        let list = vec![one.clone(), Signature::make(&key(), b"text", "")];
        let mut file = list_to_file(&list);
        file.extend_from_slice(&[0; 100]);
        assert_eq!(list_from_file(&file), Some(list));
        assert_eq!(list_from_file(&list_to_file(&vec![one.clone(); 17])), None);
        let mut long = one;
        long.text = vec![b'a'; TEXT_MAX + 1];
        assert_eq!(list_from_file(&list_to_file(&[long])), None);
        assert_eq!(list_from_file(&[]), None);
        for at in 0..file.len() - 100 {
            file[at] ^= 1;
            assert_eq!(list_from_file(&file), None, "{at}");
            file[at] ^= 1;
        }
    }
}
