//! Digests, by which images name everything: `sha256:` and 64 hex digits, rarely `sha512:` and 128.
//!
//! Files that are served from a store have their BLAKE3 in its place, which no image can name. This is the only module
//! that calls `sha2`.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use sha2::Digest as _;

use crate::base::id::Hasher;

/// Hex digits of a SHA-256.
const SHA256_DIGITS: usize = 64;
/// Hex digits of a SHA-512.
const SHA512_DIGITS: usize = 128;

/// `sha256:` or `sha512:` and lower hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

/// The error for a text that is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a digest (sha256: and 64 hex digits)")]
pub struct DigestError;

impl Digest {
    /// Returns the SHA-256 of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = DigestHasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the BLAKE3 of a content in a store. It is never read from a text.
    #[cfg(feature = "serve")]
    pub(crate) fn of_content(id: &crate::base::id::BlobId) -> Self {
        written("blake3:", &id.0)
    }

    /// Returns the digest of some bytes by the algorithm of this one.
    pub(crate) fn likewise_of(&self, bytes: &[u8]) -> Self {
        let mut hasher = DigestHasher::like(self);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the algorithm: `sha256` or `sha512`, or `blake3` of a content.
    pub fn algorithm(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }

    /// Returns the hex digits.
    pub fn hex(&self) -> &str {
        self.0.split(':').nth(1).unwrap_or_default()
    }

    /// Returns the whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first twelve hex digits, for people.
    pub fn short(&self) -> &str {
        self.hex().get(..12).unwrap_or_default()
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, hex) = text.split_once(':').ok_or(DigestError)?;
        let digits = match algorithm {
            "sha256" => SHA256_DIGITS,
            "sha512" => SHA512_DIGITS,
            _ => return Err(DigestError),
        };
        let is_lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if hex.len() == digits && hex.bytes().all(is_lower_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(DigestError)
        }
    }
}

/// A running hash. SHA-256 unless another algorithm is requested.
#[derive(Debug, Clone)]
pub(crate) enum DigestHasher {
    /// By SHA-256.
    Sha256(sha2::Sha256),
    /// By SHA-512.
    Sha512(sha2::Sha512),
    /// By BLAKE3.
    Blake3(Box<Hasher>),
}

impl Default for DigestHasher {
    fn default() -> Self {
        Self::Sha256(sha2::Sha256::default())
    }
}

impl DigestHasher {
    /// Starts a hash by the algorithm of a digest.
    pub fn like(digest: &Digest) -> Self {
        match digest.algorithm() {
            "sha512" => Self::Sha512(sha2::Sha512::default()),
            "blake3" => Self::Blake3(Box::default()),
            _ => Self::default(),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
            Self::Blake3(hasher) => {
                hasher.update(bytes);
            }
        }
    }

    /// Returns the digest of all bytes.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hasher) => written("sha256:", &hasher.finalize()),
            Self::Sha512(hasher) => written("sha512:", &hasher.finalize()),
            Self::Blake3(hasher) => written("blake3:", &hasher.finish()),
        }
    }
}

impl std::io::Write for DigestHasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn written(algorithm: &str, hash: &[u8]) -> Digest {
    let mut text = String::with_capacity(algorithm.len() + 2 * hash.len());
    text.push_str(algorithm);
    for byte in hash {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    Digest(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_empty_digest_is_the_known_one_and_reads_back() {
        let text = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Digest::of(b"").to_string(), text);
        assert_eq!(text.parse::<Digest>().unwrap(), Digest::of(b""));
        assert_eq!(Digest::of(b"").short(), "e3b0c44298fc");
    }

    #[test]
    fn a_digest_is_compared_by_its_own_algorithm() {
        let text = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        let digest: Digest = text.parse().unwrap();
        assert_eq!(digest.likewise_of(b""), digest);
        assert_ne!(digest.likewise_of(b"x"), digest);
        assert_eq!(Digest::of(b"").likewise_of(b""), Digest::of(b""));
    }

    #[test]
    fn what_is_not_quite_a_digest_is_refused() {
        let good = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        for bad in [
            good.to_owned(),
            format!("sha256:{}", good.to_uppercase()),
            format!("sha256:{good}0"),
            format!("sha256:{}", &good[1..]),
            format!("sha256:../{}", &good[3..]),
            format!("md5:{}", &good[..32]),
            format!("sha512:{good}"),
            String::new(),
        ] {
            assert_eq!(bad.parse::<Digest>(), Err(DigestError), "{bad}");
        }
    }
}
