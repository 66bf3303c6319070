//! What is attached to an image (signatures, attestations, SBOMs), and how tools record what it is attached to.
//!
//! There are four ways. A manifest has its own `subject`. cosign and regclient write a tag that stands for a digest.
//! The payload of a signature names a digest. `cosign save` and hauler note a kind in the index of a layout.

use serde::Deserialize;

use super::Digest;
use super::document::{Document, RawDescriptor};

/// Annotation with the kind of an entry, as `cosign save` and hauler write it.
const KIND: &str = "kind";
/// Media type of what cosign signs.
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
/// Annotation of an entry that is an attestation, as BuildKit writes it.
const DOCKER_REFERENCE_TYPE: &str = "vnd.docker.reference.type";
/// The operating system and architecture that BuildKit gives attestations.
const UNKNOWN: &str = "unknown";

/// A tag that stands for a digest: `sha256-HEX.sig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DigestTag {
    /// The digest.
    pub digest: Digest,
    /// The tag.
    pub tag: String,
    /// Whether a suffix follows the digest.
    pub has_suffix: bool,
}

/// Returns the digest tag that a name is or ends in.
pub(crate) fn digest_tag(name: &str) -> Option<DigestTag> {
    let tag = name.rsplit([':', '/']).next()?;
    let (stem, suffix) = match tag.split_once('.') {
        Some((stem, suffix)) => (stem, Some(suffix)),
        None => (tag, None),
    };
    let (algorithm, hex) = stem.split_once('-')?;
    let digest: Digest = format!("{algorithm}:{hex}").parse().ok()?;
    Some(DigestTag {
        digest,
        tag: tag.to_owned(),
        has_suffix: suffix.is_some_and(|suffix| !suffix.is_empty()),
    })
}

/// Returns the end of cosign's tag for the way in which `kind` says an entry is attached.
pub(super) fn suffix_of_kind(raw: &RawDescriptor) -> Option<&'static str> {
    let (maker, kind) = raw.annotation(KIND)?.split_once('/')?;
    if !matches!(
        maker,
        "dev.cosignproject.cosign" | "dev.sigstore.cosign" | "dev.hauler"
    ) {
        return None;
    }
    match kind.split('/').next()? {
        "sigs" => Some("sig"),
        "atts" => Some("att"),
        "sboms" => Some("sbom"),
        _ => None,
    }
}

/// Returns whether `kind` says that an entry refers to another one by its own `subject`.
pub(super) fn is_referrer_kind(raw: &RawDescriptor) -> bool {
    let kind = raw.annotation(KIND).and_then(|kind| kind.split_once('/'));
    kind.is_some_and(|(_, kind)| kind.split('/').next() == Some("referrers"))
}

/// Returns whether an index marks an entry as a build attestation.
pub(super) fn is_attestation(raw: &RawDescriptor) -> bool {
    let of_unknown = raw
        .platform()
        .is_some_and(|platform| platform.os == UNKNOWN && platform.architecture == UNKNOWN);
    of_unknown || raw.annotation(DOCKER_REFERENCE_TYPE).is_some()
}

/// Returns the layer of a signature that says what is signed.
pub(super) fn payload(document: &Document) -> Option<&RawDescriptor> {
    let is_payload = |layer: &&RawDescriptor| layer.media_type.as_deref() == Some(SIMPLE_SIGNING);
    document.layers.iter().flatten().find(is_payload)
}

/// Returns what the payload of a signature says is signed.
pub(super) fn signed(payload: &[u8]) -> Option<Digest> {
    #[derive(Deserialize)]
    struct SignedPayload {
        critical: Critical,
    }
    #[derive(Deserialize)]
    struct Critical {
        image: SignatureDocument,
    }
    #[derive(Deserialize)]
    struct SignatureDocument {
        #[serde(rename = "docker-manifest-digest")]
        digest: String,
    }
    let payload: SignedPayload = serde_json::from_slice(payload).ok()?;
    payload.critical.image.digest.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_forms_of_a_digest_are_tags_of_one() {
        let digest = Digest::of(b"x");
        let hex = digest.hex();
        for (name, has_suffix) in [
            (format!("r.example:5000/shop/web:sha256-{hex}.sig"), true),
            (format!("sha256-{hex}.att"), true),
            (format!("web:sha256-{hex}.0123456789abcdef.sbom"), true),
            (format!("web:sha256-{hex}"), false),
        ] {
            let found = digest_tag(&name).unwrap();
            assert_eq!((&found.digest, found.has_suffix), (&digest, has_suffix));
            assert!(name.ends_with(&found.tag) && found.tag.starts_with("sha256-"));
        }
        for name in [
            "web:1.0",
            "sha256-12.sig",
            "web",
            "",
            &format!("web:{hex}.sig"),
        ] {
            assert_eq!(digest_tag(name), None, "{name}");
        }
    }

    #[test]
    fn a_payload_says_what_is_signed_or_nothing() {
        let digest = Digest::of(b"x");
        let text = format!(
            r#"{{"critical":{{"identity":{{}},"image":{{"docker-manifest-digest":"{digest}"}},"type":"x"}},"optional":null}}"#
        );
        assert_eq!(signed(text.as_bytes()), Some(digest));
        for bad in [
            "{}",
            "[]",
            "",
            r#"{"critical":{"image":{"docker-manifest-digest":"x"}}}"#,
        ] {
            assert_eq!(signed(bad.as_bytes()), None);
        }
    }
}
