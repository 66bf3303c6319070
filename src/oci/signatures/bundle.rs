//! Sigstore's bundle: one JSON file with a signature and what is needed to check it.
//!
//! Certificates and entries of transparency logs are not looked into.

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::decoded;
use super::dsse::{DsseEnvelope, EnvelopeDocument};
use crate::oci::image::Digest;

/// How the media type of a bundle begins, in all of its versions.
pub(super) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
/// The name of SHA-256 in a bundle.
const SHA256: &str = "SHA2_256";

/// A bundle, decoded and not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigstoreBundle {
    /// What names the key.
    pub(super) hint: Option<String>,
    /// Whether the key is in a certificate.
    pub(super) has_certificate: bool,
    /// What is signed.
    pub(super) content: BundleContent,
}

/// What a bundle signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BundleContent {
    /// An envelope.
    Envelope(DsseEnvelope),
    /// The bytes of the artifact itself.
    Message {
        /// The digest that the signer noted beside it.
        digest: Option<Digest>,
        /// The signature.
        signature: Vec<u8>,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BundleDocument {
    media_type: String,
    verification_material: VerificationMaterial,
    dsse_envelope: Option<EnvelopeDocument>,
    message_signature: Option<MessageSignature>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VerificationMaterial {
    public_key: Option<PublicKeyHint>,
    certificate: Option<IgnoredAny>,
    x509_certificate_chain: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct PublicKeyHint {
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MessageSignature {
    message_digest: Option<MessageDigest>,
    signature: String,
}

#[derive(Deserialize)]
struct MessageDigest {
    algorithm: String,
    digest: String,
}

impl MessageDigest {
    fn decode(&self) -> Option<Digest> {
        if self.algorithm != SHA256 {
            return None;
        }
        let bytes = decoded(&self.digest)?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("sha256:{hex}").parse().ok()
    }
}

impl SigstoreBundle {
    /// Reads one of its JSON. Returns `None` for what is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let read: BundleDocument = serde_json::from_slice(bytes).ok()?;
        if !read.media_type.starts_with(BUNDLE) {
            return None;
        }
        let content = match (read.dsse_envelope, read.message_signature) {
            (Some(envelope), None) => BundleContent::Envelope(envelope.decode()?),
            (None, Some(message)) => BundleContent::Message {
                digest: message
                    .message_digest
                    .as_ref()
                    .and_then(MessageDigest::decode),
                signature: decoded(&message.signature)?,
            },
            _ => return None,
        };
        let material = read.verification_material;
        Some(Self {
            hint: material.public_key.and_then(|key| key.hint),
            has_certificate: material.certificate.is_some()
                || material.x509_certificate_chain.is_some(),
            content,
        })
    }
}
