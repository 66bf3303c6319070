//! Planned repositories, which `push` sends and `serve` serves.

use crate::oci::image::Descriptor;

/// A manifest or an index, and its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedManifest {
    /// Its media type, digest and length.
    pub descriptor: Descriptor,
    /// Its original bytes.
    pub bytes: Vec<u8>,
    /// Its tags. Without one it is added by its digest.
    pub tags: Vec<String>,
    /// Host and tag, for requests with the host of an image's name when serving. The host is empty when the name has
    /// none.
    pub host_tags: Vec<(String, String)>,
    /// For an index with missing images, those that are present. Registries may refuse such an index. An only child
    /// then takes its tags.
    pub partial: Option<Vec<Descriptor>>,
}

/// The content of one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedRepository {
    /// Its path in the registry.
    pub name: String,
    /// Configs and layers.
    pub blobs: Vec<Descriptor>,
    /// Children before parents, referrers last.
    pub manifests: Vec<PlannedManifest>,
}
