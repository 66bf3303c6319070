//! Public keys that images are signed with: ECDSA over P-256 and P-384, Ed25519 and RSA, as PEM files have them.
//!
//! This is the only module that calls `ring`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};

use super::der::{BITS, Der, INTEGER, OBJECT, SEQUENCE};
use crate::oci::image::Digest;

/// Longest text that is looked at for a key.
const KEY_TEXT_MAX: usize = 8 * 1024;
const PEM_BEGIN: &str = "-----BEGIN ";
const PEM_END: &str = "-----END ";
/// Fewest and most bits of an RSA key.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// 1.2.840.10045.2.1
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// 1.2.840.10045.3.1.7
const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// 1.3.132.0.34
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
/// 1.3.101.112
const ED: &[u8] = &[0x2b, 0x65, 0x70];
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// The kind of a key that signs images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ImageKeyKind {
    P256,
    P384,
    Ed25519,
    Rsa,
}

/// Says why a text is not a usable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageKeyError {
    /// It is not a public key in PEM.
    #[error("not a public key in PEM")]
    NotPublic,
    /// It is a secret key where a public one belongs.
    #[error("a secret key, and not a public one")]
    Secret,
    /// It is a certificate.
    #[error("a certificate, and not a public key")]
    Certificate,
    /// It is a key of another algorithm or length.
    #[error("a key of a kind that is not supported")]
    Unsupported,
}

/// A public key that images are signed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKey {
    kind: ImageKeyKind,
    /// The key with its algorithm, as DER has it.
    der: Vec<u8>,
    /// The key alone.
    point: Vec<u8>,
}

impl ImageKey {
    /// Reads one from a PEM file, or from the base64 in it without line breaks.
    ///
    /// # Errors
    /// [`ImageKeyError`].
    pub fn read(text: &str) -> Result<Self, ImageKeyError> {
        if text.len() > KEY_TEXT_MAX {
            return Err(ImageKeyError::NotPublic);
        }
        let der = match text.split_once(PEM_BEGIN) {
            Some((_, rest)) => {
                let (label, rest) = rest.split_once("-----").ok_or(ImageKeyError::NotPublic)?;
                match label {
                    "PUBLIC KEY" => {}
                    "CERTIFICATE" => return Err(ImageKeyError::Certificate),
                    label if label.ends_with("PRIVATE KEY") => return Err(ImageKeyError::Secret),
                    _ => return Err(ImageKeyError::NotPublic),
                }
                let (body, _) = rest.split_once(PEM_END).ok_or(ImageKeyError::NotPublic)?;
                let body: String = body.split_ascii_whitespace().collect();
                STANDARD.decode(body)
            }
            None => STANDARD.decode(text.trim()),
        };
        Self::from_der(&der.map_err(|_| ImageKeyError::NotPublic)?)
    }

    /// Reads one from its DER.
    ///
    /// # Errors
    /// [`ImageKeyError`].
    pub fn from_der(der: &[u8]) -> Result<Self, ImageKeyError> {
        let (algorithm, point) = parts(der).ok_or(ImageKeyError::NotPublic)?;
        let kind = kind_of(algorithm, point).ok_or(ImageKeyError::Unsupported)?;
        Ok(Self {
            kind,
            der: der.to_vec(),
            point: point.to_vec(),
        })
    }

    /// Returns the name of its algorithm, which is the same in every language.
    pub fn algorithm(&self) -> &'static str {
        match self.kind {
            ImageKeyKind::P256 => "ECDSA P-256",
            ImageKeyKind::P384 => "ECDSA P-384",
            ImageKeyKind::Ed25519 => "Ed25519",
            ImageKeyKind::Rsa => "RSA",
        }
    }

    /// Returns the line that it is kept as: the base64 of its DER.
    pub fn line(&self) -> String {
        STANDARD.encode(&self.der)
    }

    /// Returns the SHA-256 of its DER in hex digits, by which people compare keys.
    pub fn sha256(&self) -> String {
        Digest::of(&self.der).hex().to_owned()
    }

    /// Returns whether the hint in a signature names it: the base64 of the SHA-256 of its DER, as cosign writes it.
    pub(super) fn is_hinted(&self, hint: &str) -> bool {
        let Ok(hint) = STANDARD.decode(hint) else {
            return false;
        };
        let hex: String = hint.iter().map(|byte| format!("{byte:02x}")).collect();
        hex == self.sha256()
    }

    /// Returns whether its owner signed these bytes.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let ways: &[&dyn VerificationAlgorithm] = match self.kind {
            ImageKeyKind::P256 => &[&ECDSA_P256_SHA256_ASN1],
            // Older cosign signs with SHA-256 whatever the key is.
            ImageKeyKind::P384 => &[&ECDSA_P384_SHA384_ASN1, &ECDSA_P384_SHA256_ASN1],
            ImageKeyKind::Ed25519 => &[&ED25519],
            ImageKeyKind::Rsa => &[
                &RSA_PKCS1_2048_8192_SHA256,
                &RSA_PSS_2048_8192_SHA256,
                &RSA_PKCS1_2048_8192_SHA384,
                &RSA_PSS_2048_8192_SHA384,
                &RSA_PKCS1_2048_8192_SHA512,
                &RSA_PSS_2048_8192_SHA512,
            ],
        };
        ways.iter().any(|way| {
            let key = UnparsedPublicKey::new(*way, &self.point);
            key.verify(message, signature).is_ok()
        })
    }
}

/// Takes a `SubjectPublicKeyInfo` apart: its algorithm, and the bytes of the key.
fn parts(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut info = Der(Der(der).take_last(SEQUENCE)?);
    let algorithm = info.take(SEQUENCE)?;
    let (unused, point) = info.take_last(BITS)?.split_first()?;
    (*unused == 0).then_some((algorithm, point))
}

fn kind_of(algorithm: &[u8], point: &[u8]) -> Option<ImageKeyKind> {
    let mut parts = Der(algorithm);
    match parts.take(OBJECT)? {
        EC => match (parts.take_last(OBJECT)?, point.len(), point.first()?) {
            (P256, 65, 4) => Some(ImageKeyKind::P256),
            (P384, 97, 4) => Some(ImageKeyKind::P384),
            _ => None,
        },
        ED => (point.len() == 32).then_some(ImageKeyKind::Ed25519),
        RSA => {
            let modulus = Der(Der(point).take_last(SEQUENCE)?).take(INTEGER)?;
            let first = modulus.iter().position(|byte| *byte != 0)?;
            let bits = (modulus.len() - first) * 8;
            RSA_BITS.contains(&bits).then_some(ImageKeyKind::Rsa)
        }
        _ => None,
    }
}
