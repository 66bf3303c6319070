//! Repositories as they are to be: what `push` sends and what `serve` answers with.

use crate::oci::image::Descriptor;

/// A manifest or an index, and its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedManifest {
    /// Its media type, digest and length.
    pub descriptor: Descriptor,
    /// Its bytes, as they came in.
    pub bytes: Vec<u8>,
    /// Its tags; without one it goes in by its digest.
    pub tags: Vec<String>,
    /// Host and tag for whoever asks with the host of an image's name, where something is served; empty: no host is written.
    pub host_tags: Vec<(String, String)>,
    /// For an index of which images are missing: those that are there. Registries may refuse such an index; then an only
    /// child takes its tags.
    pub partial: Option<Vec<Descriptor>>,
}

/// What goes into one repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlannedRepository {
    /// Its path in the registry.
    pub name: String,
    /// Configs and layers.
    pub blobs: Vec<Descriptor>,
    /// Children before parents, referrers last.
    pub manifests: Vec<PlannedManifest>,
}
