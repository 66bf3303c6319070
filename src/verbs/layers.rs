//! Which layer of which image an archive in an item is: by the manifests in docker archives and OCI layouts.
//!
//! For telling people; whatever does not read as a manifest tells nothing.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::bundle::Weighed;
use crate::recipe::ChunkSource;

/// Indexes in indexes that are followed.
const INDEX_DEPTH_MAX: usize = 3;

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// The image's name, or the beginning of its digest.
    pub image: String,
    /// Number of the layer, from 1.
    pub layer: usize,
    /// How many the image has.
    pub layers: usize,
}

/// The layers of the images of some releases.
#[derive(Debug, Default)]
pub struct Layers(HashMap<Vec<Vec<u8>>, Layer>);

#[derive(Deserialize)]
struct DockerImage {
    #[serde(rename = "RepoTags")]
    tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

type Files<'w> = HashMap<(&'w [Vec<u8>], &'w [u8]), Vec<u8>>;

impl Layers {
    /// Reads the manifests that were met.
    pub fn read<S: ChunkSource>(source: &S, weighed: &Weighed) -> Self {
        let mut files = Files::new();
        for (within, path, chunk) in &weighed.manifests {
            let bytes = source.chunk(&chunk.id);
            if let Some(bytes) = bytes
                .ok()
                .filter(|bytes| bytes.starts_with(b"{") || bytes.starts_with(b"["))
            {
                files.insert((within, path), bytes.to_vec());
            }
        }
        let mut layers = Self::default();
        // A docker archive may be an OCI layout, too; its own tags are what people know.
        for ((within, path), bytes) in &files {
            if *path == b"manifest.json" {
                layers.add_docker(within, bytes);
            }
        }
        for ((within, path), bytes) in &files {
            if *path == b"index.json" {
                layers.add_index(&files, within, bytes, "", INDEX_DEPTH_MAX);
            }
        }
        layers
    }

    /// The layer that lies in the last of these, or around it.
    pub fn of(&self, within: &[Vec<u8>]) -> Option<&Layer> {
        (1..=within.len()).find_map(|len| self.0.get(&within[..len]))
    }

    fn add_docker(&mut self, within: &[Vec<u8>], bytes: &[u8]) {
        let images: Vec<DockerImage> = serde_json::from_slice(bytes).unwrap_or_default();
        for image in images {
            let name = image.tags.and_then(|tags| tags.into_iter().next());
            self.add(
                within,
                &name.unwrap_or_default(),
                image.layers.iter().cloned(),
            );
        }
    }

    fn add_index(
        &mut self,
        files: &Files<'_>,
        within: &[Vec<u8>],
        bytes: &[u8],
        name: &str,
        depth_left: usize,
    ) {
        let Ok(document) = serde_json::from_slice::<Document>(bytes) else {
            return;
        };
        let layers = document.layers.iter().map(|layer| blob_path(&layer.digest));
        self.add(within, name, layers);
        if depth_left == 0 {
            return;
        }
        for manifest in &document.manifests {
            let path = blob_path(&manifest.digest);
            let Some(bytes) = files.get(&(within, path.as_bytes())) else {
                continue;
            };
            let named = [
                "io.containerd.image.name",
                "org.opencontainers.image.ref.name",
            ]
            .iter()
            .find_map(|key| manifest.annotations.get(*key));
            let short: String = manifest.digest.chars().take(19).collect();
            let own = match named {
                Some(named) => named,
                None if name.is_empty() => &short,
                None => name,
            };
            self.add_index(files, within, bytes, own, depth_left - 1);
        }
    }

    fn add(
        &mut self,
        within: &[Vec<u8>],
        image: &str,
        paths: impl ExactSizeIterator<Item = String>,
    ) {
        let layers = paths.len();
        for (number, path) in paths.enumerate() {
            let place = [within, &[path.into_bytes()]].concat();
            self.0.entry(place).or_insert_with(|| Layer {
                image: image.to_owned(),
                layer: number + 1,
                layers,
            });
        }
    }
}

fn blob_path(digest: &str) -> String {
    format!("blobs/{}", digest.replacen(':', "/", 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::class::Class;
    use crate::recipe::memory::Memory;
    use crate::recipe::{ChunkRef, ChunkSink};

    fn weighed(memory: &mut Memory, files: &[(&str, &str)]) -> Weighed {
        let mut weighed = Weighed::default();
        for (path, text) in files {
            let id = memory.put(text.as_bytes(), Class::Data).unwrap();
            let bytes = u32::try_from(text.len()).unwrap();
            let chunk = ChunkRef { bytes, id };
            let within = vec![b"image.tar".to_vec()];
            weighed
                .manifests
                .push((within, path.as_bytes().to_vec(), chunk));
        }
        weighed
    }

    fn of(layers: &Layers, path: &str) -> Option<(String, usize, usize)> {
        let within = [
            b"image.tar".to_vec(),
            path.as_bytes().to_vec(),
            b"in.jar".to_vec(),
        ];
        let layer = layers.of(&within)?;
        Some((layer.image.clone(), layer.layer, layer.layers))
    }

    #[test]
    fn layers_of_docker_archives_and_oci_layouts_are_named() {
        let mut memory = Memory::default();
        let docker = r#"[{"Config":"c","RepoTags":["shop/web:1.0"],"Layers":["blobs/sha256/aa","blobs/sha256/bb"]}]"#;
        let index = r#"{"manifests":[{"digest":"sha256:11","annotations":{"org.opencontainers.image.ref.name":"api"}},{"digest":"sha256:33"}]}"#;
        let nested = r#"{"manifests":[{"digest":"sha256:22"},{"digest":"sha256:11"}]}"#;
        let manifest = r#"{"config":{"digest":"sha256:00"},"layers":[{"digest":"sha256:cc"},{"digest":"sha256:aa"}]}"#;
        let files = [
            ("manifest.json", docker),
            ("index.json", index),
            ("blobs/sha256/11", nested),
            ("blobs/sha256/22", manifest),
            ("blobs/sha256/33", "[nonsense"),
        ];
        let weighed = weighed(&mut memory, &files);
        let layers = Layers::read(&memory, &weighed);
        let web = "shop/web:1.0".to_owned();
        assert_eq!(of(&layers, "blobs/sha256/aa"), Some((web.clone(), 1, 2)));
        assert_eq!(of(&layers, "blobs/sha256/bb"), Some((web, 2, 2)));
        assert_eq!(of(&layers, "blobs/sha256/cc"), Some(("api".into(), 1, 2)));
        assert_eq!(of(&layers, "blobs/sha256/dd"), None);
        assert_eq!(layers.of(&[]), None);
    }
}
