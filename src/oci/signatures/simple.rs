//! The payload that cosign signs in its older form, which containers/image calls simple signing.

use serde::Deserialize;

use crate::oci::image::Digest;

/// The type of a payload that cosign signs.
const COSIGN: &str = "cosign container image signature";

/// What a payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimplePayload {
    /// Digest of the manifest that is signed.
    pub digest: Digest,
    /// The name that the signer knew it by.
    pub reference: Option<String>,
}

impl SimplePayload {
    /// Reads one of its JSON. Returns `None` for what is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct PayloadDocument {
            critical: CriticalPart,
        }
        #[derive(Deserialize)]
        struct CriticalPart {
            identity: Option<SignedIdentity>,
            image: SignedImage,
            #[serde(rename = "type")]
            kind: String,
        }
        #[derive(Deserialize)]
        struct SignedIdentity {
            #[serde(rename = "docker-reference")]
            reference: Option<String>,
        }
        #[derive(Deserialize)]
        struct SignedImage {
            #[serde(rename = "docker-manifest-digest")]
            digest: String,
        }
        let read: PayloadDocument = serde_json::from_slice(bytes).ok()?;
        if read.critical.kind != COSIGN {
            return None;
        }
        let reference = read.critical.identity.and_then(|own| own.reference);
        Some(Self {
            digest: read.critical.image.digest.parse().ok()?,
            reference: reference.filter(|name| !name.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_payload_is_what_cosign_writes_and_nothing_else() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"critical":{{"identity":{{"docker-reference":"r.example/shop/web"}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"{COSIGN}"}},"optional":null}}"#
        );
        let read = SimplePayload::read(text.as_bytes()).unwrap();
        assert_eq!(read.digest, digest);
        assert_eq!(read.reference.as_deref(), Some("r.example/shop/web"));
        for (from, to) in [
            (COSIGN, "atomic container signature"),
            ("sha256:", "sha257:"),
            ("\"type\"", "\"kind\""),
            ("\"image\"", "\"type\":\"x\",\"image\""),
        ] {
            let other = text.replace(from, to);
            assert_ne!(other, text);
            assert_eq!(SimplePayload::read(other.as_bytes()), None, "{other}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(SimplePayload::read(deep.as_bytes()), None);
    }
}
