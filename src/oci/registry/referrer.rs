//! The subject of a manifest, and its entry in a list of referrers.
//!
//! Follows the OCI distribution specification: "Listing Referrers" and "Pushing Manifests with Subject".

use serde::Deserialize;

use crate::oci::image::{Descriptor, Digest};

/// The fields of a manifest about its subject and itself.
#[derive(Deserialize)]
pub(super) struct ReferrerDocument {
    subject: Option<ReferrerSubject>,
    config: Option<ConfigDocument>,
    #[serde(rename = "artifactType")]
    artifact_type: Option<String>,
    annotations: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct ReferrerSubject {
    digest: String,
}

#[derive(Deserialize)]
struct ConfigDocument {
    #[serde(rename = "mediaType")]
    media_type: Option<String>,
}

impl ReferrerDocument {
    /// Reads a manifest. Returns `None` when it is not one.
    pub(super) fn read(manifest: &[u8]) -> Option<Self> {
        serde_json::from_slice(manifest).ok()
    }

    /// Returns the digest of its subject, or `None` when there is none that can be named.
    pub(super) fn subject(&self) -> Option<Digest> {
        self.subject.as_ref()?.digest.parse().ok()
    }

    /// Returns its entry in a list of referrers.
    pub(super) fn entry(self, descriptor: &Descriptor) -> serde_json::Value {
        let mut entry = serde_json::json!({
            "mediaType": descriptor.media_type, "digest": descriptor.digest.as_str(), "size": descriptor.bytes,
        });
        let kind = self
            .artifact_type
            .or(self.config.and_then(|config| config.media_type));
        if let Some(kind) = kind {
            entry["artifactType"] = kind.into();
        }
        if let Some(notes) = self.annotations {
            entry["annotations"] = notes;
        }
        entry
    }
}
