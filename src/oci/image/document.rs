//! The JSON documents of images, as far as they are read. Unknown fields are ignored, and `null` counts as missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Descriptor, Digest, OCI_MANIFEST, Platform};

/// Media type of a config.
pub(crate) const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Media type of docker's config.
pub const DOCKER_CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// Media type of a layer that is a plain tar.
pub(crate) const OCI_LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
/// Media type of a layer that is compressed with gzip.
pub(crate) const OCI_LAYER_GZIP: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Media type of a layer that is compressed with zstd.
pub(crate) const OCI_LAYER_ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

/// Annotation with the full name of an image, as containerd writes it.
pub(crate) const CONTAINERD_NAME: &str = "io.containerd.image.name";
/// Annotation with the tag, or the name, of an image in a layout.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Nesting of indexes that is followed.
pub(super) const INDEX_DEPTH_MAX: usize = 8;

/// An entry of a docker archive's `manifest.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct DockerEntry {
    /// Path of the config.
    #[serde(rename = "Config")]
    pub config: String,
    /// Names with tags.
    #[serde(rename = "RepoTags")]
    pub tags: Option<Vec<String>>,
    /// Paths of the layers, the lowest first.
    #[serde(rename = "Layers")]
    pub layers: Option<Vec<String>>,
}

/// A descriptor as it stands in documents.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RawDescriptor {
    /// Media type, which old indexes may leave out.
    pub media_type: Option<String>,
    /// Digest, not validated.
    pub digest: String,
    /// Length. `None` when the value is not a length.
    #[serde(default, deserialize_with = "size")]
    pub size: Option<u64>,
    /// The platform that it runs on.
    pub platform: Option<RawPlatform>,
    /// Its annotations.
    pub annotations: Option<BTreeMap<String, String>>,
    /// URLs of another source. Layers that must not be distributed are not in archives.
    pub urls: Option<Vec<String>>,
    /// The type of an artifact.
    pub artifact_type: Option<String>,
}

impl RawDescriptor {
    /// Validates the digest.
    pub fn checked(&self) -> Option<Descriptor> {
        Some(Descriptor {
            media_type: self.media_type.clone().unwrap_or_default(),
            digest: self.digest.parse().ok()?,
            bytes: self.size.unwrap_or(0),
        })
    }

    /// Returns an annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(key).map(String::as_str)
    }

    /// Returns the platform, when it is stated.
    pub fn platform(&self) -> Option<Platform> {
        self.platform.as_ref()?.checked()
    }
}

/// Reads a length. Some builders wrote -1 for an unknown length, and their images are good all the same.
fn size<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_u64())
}

/// A platform as it stands in documents.
#[derive(Debug, Clone, Deserialize)]
pub struct RawPlatform {
    /// Operating system.
    pub os: Option<String>,
    /// Architecture.
    pub architecture: Option<String>,
    /// Variant.
    pub variant: Option<String>,
    /// Version of the operating system.
    #[serde(rename = "os.version")]
    pub os_version: Option<String>,
}

impl RawPlatform {
    /// Returns the platform, or `None` when it is not stated.
    pub fn checked(&self) -> Option<Platform> {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Some(Platform {
            os: said(&self.os)?,
            architecture: said(&self.architecture)?,
            variant: said(&self.variant),
            os_version: said(&self.os_version),
        })
    }
}

/// A manifest or an index. Its media type and its fields tell which it is.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// Its own media type, if stated.
    pub media_type: Option<String>,
    /// A manifest's config.
    pub config: Option<RawDescriptor>,
    /// A manifest's layers.
    pub layers: Option<Vec<RawDescriptor>>,
    /// An index's children.
    pub manifests: Option<Vec<RawDescriptor>>,
    /// The subject of a referrer.
    pub subject: Option<RawDescriptor>,
    /// The type of an artifact.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Document {
    /// Iterates over the blobs that a manifest names: its config, then its layers.
    pub fn blobs(&self) -> impl Iterator<Item = &RawDescriptor> {
        self.config.iter().chain(self.layers.iter().flatten())
    }
}

/// An image's config.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ImageConfig {
    /// The platform that it runs on.
    #[serde(flatten)]
    pub platform: RawPlatform,
    /// Its layers.
    pub rootfs: Option<RootFs>,
}

impl ImageConfig {
    /// Returns the digests of the plain layers, or `None` when one of them is invalid.
    pub fn diff_ids(&self) -> Option<Vec<Digest>> {
        let ids = self
            .rootfs
            .as_ref()
            .and_then(|rootfs| rootfs.diff_ids.as_ref());
        let parsed = ids.into_iter().flatten().map(|id| id.parse());
        parsed.collect::<Result<_, _>>().ok()
    }
}

/// Layers in a config.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RootFs {
    /// Digests of the plain tars, the lowest first.
    pub diff_ids: Option<Vec<String>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: u64,
}

impl<'a> From<&'a Descriptor> for Written<'a> {
    fn from(descriptor: &'a Descriptor) -> Self {
        Self {
            media_type: &descriptor.media_type,
            digest: descriptor.digest.as_str(),
            size: descriptor.bytes,
        }
    }
}

/// Makes the manifest for an image of a classic docker archive, which has none. The same image always gives the same
/// bytes.
pub(crate) fn made_manifest(config: &Descriptor, layers: &[Descriptor]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct ImageManifest<'a> {
        schema_version: u32,
        media_type: &'a str,
        config: Written<'a>,
        layers: Vec<Written<'a>>,
    }
    let manifest = ImageManifest {
        schema_version: 2,
        media_type: OCI_MANIFEST,
        config: config.into(),
        layers: layers.iter().map(Written::from).collect(),
    };
    serde_json::to_vec(&manifest).expect("strings and numbers are always JSON")
}

/// Returns the path of a blob in a layout.
pub(super) fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.hex())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_manifest_that_is_made_is_always_these_bytes() {
        let of = |media_type: &str, bytes: u64| Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::of(&bytes.to_le_bytes()),
            bytes,
        };
        let made = made_manifest(
            &of(OCI_CONFIG, 7),
            &[of(OCI_LAYER, 8), of(OCI_LAYER_GZIP, 9)],
        );
        // Sites know images by this digest, so it must never change.
        let digest = "sha256:c932f1792d6ea1bf809da3ae52f17314b66dc28b0a2263772966c27cfa936365";
        assert_eq!(
            Digest::of(&made).to_string(),
            digest,
            "{}",
            String::from_utf8_lossy(&made)
        );
        let back: Document = serde_json::from_slice(&made).unwrap();
        assert_eq!(back.layers.unwrap().len(), 2);
    }

    #[test]
    fn null_is_nothing_and_unknown_fields_are_passed_over() {
        let text = r#"{"schemaVersion":2,"manifests":null,"config":null,"layers":null,"annotations":null,"new":{"a":[]}}"#;
        let document: Document = serde_json::from_str(text).unwrap();
        assert!(document.manifests.is_none() && document.layers.is_none());
        let none: Option<Vec<DockerEntry>> = serde_json::from_str("null").unwrap();
        assert!(none.is_none());
        let config: ImageConfig =
            serde_json::from_str(r#"{"os":"linux","architecture":""}"#).unwrap();
        assert_eq!(config.platform.checked(), None);
        assert_eq!(config.diff_ids(), Some(Vec::new()));
    }
}
