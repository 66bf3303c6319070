//! Reads docker archives of any writer. `manifest.json` lists their images.
//!
//! An archive may also have OCI manifests of the same images (docker from 25 on, containerd), which are then used.
//! Otherwise, or when a manifest leaves layers out, a manifest is made over the config and the layers as they are in
//! the archive. Packed layers stay packed in it, even when the store has opened them. The manifest therefore has the
//! same bytes wherever it is made.

use std::collections::HashSet;

use super::context::{ImageContext, ImageFault, LayerPaths, Scene, ZSTD_MAGIC, faulty};
use super::document::{
    DockerEntry, ImageConfig, OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, made_manifest,
};
use super::layout::{ImageLayout, Naming};
use super::{Descriptor, Digest, DigestHasher, Image, OCI_MANIFEST, Origin};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Keeps the images of a docker archive. `layout` has the manifests that the archive has as an OCI layout.
    pub(super) fn docker(
        &mut self,
        scene: &Scene<'_>,
        entries: &[DockerEntry],
        layout: ImageLayout,
        taken: &mut HashSet<Vec<u8>>,
    ) -> Result<(), RecipeError> {
        let mut used = HashSet::new();
        for entry in entries {
            self.monitor.check_stop()?;
            let tags = entry.tags.clone().unwrap_or_default();
            let name = tags.first().unwrap_or(&entry.config).clone();
            let image = self.docker_image(scene, entry, &layout, taken);
            if let Some((image, paths, naming)) = self.judge(scene, &name, image)? {
                used.insert(image.manifest.digest.clone());
                self.keep_image(scene, image, naming, &paths);
            }
        }
        // The index is only a hint. Further images are taken when they are whole.
        for listed in layout.manifests {
            if used.contains(&listed.descriptor.digest) {
                continue;
            }
            let naming = listed.naming;
            match self.layout_image(scene, listed) {
                Ok((image, paths)) => self.keep_image(scene, image, naming, &paths),
                Err(ImageFault::Stop(stop)) => return Err(stop.into()),
                Err(ImageFault::Bad(_)) => {}
            }
        }
        Ok(())
    }

    fn docker_image(
        &mut self,
        scene: &Scene<'_>,
        entry: &DockerEntry,
        layout: &ImageLayout,
        taken: &mut HashSet<Vec<u8>>,
    ) -> Result<(Image, LayerPaths, Naming), ImageFault> {
        let shown: String = entry.config.chars().take(100).collect();
        let what = Arg::from(diagnostic!("image.config", config = shown));
        let (_, config_body) = scene
            .get(&entry.config)
            .map_err(|why| ImageFault::bad(&what, why))?;
        let (bytes, config_digest) = self.read(&what, &config_body)?;
        if let Some(named) = digest_in(&entry.config)
            && named != config_digest
        {
            let why = diagnostic!("image.does_not_match", found = &config_digest);
            return Err(ImageFault::bad(what, why));
        }
        let config: ImageConfig = serde_json::from_slice(&bytes).map_err(|error| {
            let why = diagnostic!("image.no_config", why = error.to_string());
            ImageFault::bad(&what, why)
        })?;
        let diff_ids = config
            .diff_ids()
            .ok_or_else(|| ImageFault::bad(&what, diagnostic!("image.bad_diff_id")))?;
        let paths = entry.layers.clone().unwrap_or_default();
        if paths.len() != diff_ids.len() {
            let (there, said) = (paths.len(), diff_ids.len());
            let why = diagnostic!("image.other_layers_than_archive", said, there);
            return Err(ImageFault::bad(what, why));
        }
        if let Some(found) = self.with_manifest(scene, entry, &config_digest, layout)? {
            return Ok(found);
        }
        let mut layers = Vec::new();
        let mut places = Vec::new();
        for (path, diff_id) in paths.iter().zip(&diff_ids) {
            let shown: String = path.chars().take(100).collect();
            let what = Arg::from(diagnostic!("image.layer", layer = shown));
            let (place, body) = scene.get(path).map_err(|why| ImageFault::bad(&what, why))?;
            let (layer, body) = self.docker_layer(&what, path, diff_id, &body)?;
            taken.insert(place.clone());
            places.push(Some(place));
            layers.push((layer, body));
        }
        for (layer, body) in &layers {
            self.keep_blob(&layer.digest, *body);
        }
        self.keep_blob(&config_digest, config_body);
        let layers: Vec<Descriptor> = layers.into_iter().map(|(layer, _)| layer).collect();
        let config_is = Descriptor {
            media_type: OCI_CONFIG.to_owned(),
            digest: config_digest,
            bytes: bytes.len() as u64,
        };
        let manifest_bytes = made_manifest(&config_is, &layers);
        let image = Image {
            references: entry.tags.clone().unwrap_or_default(),
            origin: Origin::DockerArchive,
            place: scene.place.to_vec(),
            folder: scene.folder_path(),
            manifest: Descriptor {
                media_type: OCI_MANIFEST.to_owned(),
                digest: Digest::of(&manifest_bytes),
                bytes: manifest_bytes.len() as u64,
            },
            manifest_bytes,
            config: config_is,
            platform: config.platform.checked(),
            layers,
            diff_ids,
        };
        Ok((image, places, Naming::Own))
    }

    /// Returns the image of an entry with the OCI manifest that the archive has for it, when that is whole.
    fn with_manifest(
        &mut self,
        scene: &Scene<'_>,
        entry: &DockerEntry,
        config: &Digest,
        layout: &ImageLayout,
    ) -> Result<Option<(Image, LayerPaths, Naming)>, ImageFault> {
        let layers = entry.layers.as_ref().map_or(0, Vec::len);
        let is_it = |config_is: Option<Descriptor>, count: usize| {
            count == layers && config_is.is_some_and(|is| is.digest == *config)
        };
        let listed = layout.manifests.iter().find(|listed| {
            let count = listed.document.layers.as_ref().map_or(0, Vec::len);
            is_it(listed.config(), count)
        });
        let Some(listed) = listed else {
            return Ok(None);
        };
        match self.layout_image(scene, listed.clone()) {
            Ok((mut image, paths)) => {
                let mut naming = listed.naming;
                if let Some(tags) = entry.tags.clone().filter(|tags| !tags.is_empty()) {
                    image.references = tags;
                    naming = Naming::Own;
                }
                Ok(Some((image, paths, naming)))
            }
            Err(ImageFault::Stop(stop)) => Err(ImageFault::Stop(stop)),
            // `manifest.json` is still valid, and everything it names may be there.
            Err(ImageFault::Bad(_)) => Ok(None),
        }
    }

    /// Returns the descriptor of a docker archive's layer, in the form that the archive has.
    fn docker_layer(
        &mut self,
        what: &Arg,
        path: &str,
        diff_id: &Digest,
        body: &FileBody,
    ) -> Result<(Descriptor, FileBody), ImageFault> {
        let of = |media_type: &str, digest: Digest, body: FileBody| {
            let descriptor = Descriptor {
                media_type: media_type.to_owned(),
                digest,
                bytes: body.bytes(),
            };
            Ok((descriptor, body))
        };
        let mut head = Vec::new();
        let range = 0..body.bytes().min(4);
        body.write(self.source, range, &mut head, self.monitor)
            .map_err(faulty(what))?;
        let media_type = if head.starts_with(&GZIP_MAGIC) {
            OCI_LAYER_GZIP
        } else if head.starts_with(&ZSTD_MAGIC) {
            OCI_LAYER_ZSTD
        } else {
            return of(OCI_LAYER, diff_id.clone(), *body);
        };
        // The digest is that of the packed bytes. The name is trusted like a manifest, because the bytes are compared
        // when they are written out.
        if let Some(digest) = digest_in(path).filter(|named| named != diff_id) {
            return of(media_type, digest, *body);
        }
        let mut hash = DigestHasher::default();
        let range = 0..body.bytes();
        body.write(self.source, range, &mut hash, self.monitor)
            .map_err(faulty(what))?;
        of(media_type, hash.finish(), *body)
    }
}

/// Returns the SHA-256 in a file name: `blobs/sha256/HEX`, `HEX.json`, `HEX.tar.gz` or `sha256:HEX`, but not
/// `HEX/layer.tar`.
fn digest_in(path: &str) -> Option<Digest> {
    let name = path.rsplit('/').next()?;
    let hex = name.split('.').next()?;
    let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
    format!("sha256:{hex}").parse().ok()
}
