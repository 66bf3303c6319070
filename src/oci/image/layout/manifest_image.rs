//! Makes images of the manifests of a layout, with their configs and layers.

use super::{ImageLayout, ListedManifest, ManifestBlob, Naming};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::oci::image::context::{ImageContext, ImageFault, LayerPaths, Scene, faulty};
use crate::oci::image::document::{DOCKER_CONFIG, ImageConfig, OCI_CONFIG};
use crate::oci::image::files::Absent;
use crate::oci::image::{Descriptor, DigestHasher, Image, Origin};

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Keeps the images of a layout that is not a docker archive. Reports missing blobs.
    pub(in crate::oci::image) fn layout_images(
        &mut self,
        scene: &Scene<'_>,
        layout: ImageLayout,
    ) -> Result<(), RecipeError> {
        for listed in layout.manifests {
            let name = listed.references.first().cloned();
            let name = name.unwrap_or_else(|| listed.descriptor.digest.to_string());
            let naming = listed.naming;
            let image = self.layout_image(scene, listed);
            if let Some((image, paths)) = self.judge(scene, &name, image)? {
                self.keep_image(scene, image, naming, &paths);
            }
        }
        Ok(())
    }

    /// Makes an image of a manifest whose blobs are all present. Also returns the paths of its layers.
    pub(in crate::oci::image) fn layout_image(
        &mut self,
        scene: &Scene<'_>,
        listed: ListedManifest,
    ) -> Result<(Image, LayerPaths), ImageFault> {
        let blobs = self.blobs_of(scene, &listed)?;
        let Some(((config, _, config_body), layers)) = blobs.split_first() else {
            return Err(ImageFault::bad(
                &listed.descriptor.digest,
                diagnostic!("image.without_config"),
            ));
        };
        let mut diff_ids = Vec::new();
        let mut platform = listed.platform.clone();
        if matches!(&config.media_type[..], OCI_CONFIG | DOCKER_CONFIG)
            && let Some(body) = config_body
        {
            let what = Arg::from(diagnostic!("image.config", config = &config.digest));
            let bytes = self.read_checked(&what, config, body)?;
            let read: ImageConfig = serde_json::from_slice(&bytes).map_err(|error| {
                let why = diagnostic!("image.no_config", why = error.to_string());
                ImageFault::bad(&what, why)
            })?;
            let ids = read.diff_ids();
            diff_ids =
                ids.ok_or_else(|| ImageFault::bad(what, diagnostic!("image.bad_diff_id")))?;
            // The config is what a program runs, so its platform wins over that of the index.
            platform = read.platform.checked().or(platform);
        }
        if !diff_ids.is_empty() && diff_ids.len() != layers.len() {
            let (there, said) = (layers.len(), diff_ids.len());
            let why = diagnostic!("image.other_layers_than_config", there, said);
            return Err(ImageFault::bad(&listed.descriptor.digest, why));
        }
        let name = listed.references.first().cloned().unwrap_or_default();
        for (raw, (descriptor, _, body)) in listed.document.blobs().zip(&blobs) {
            if let Some(body) = body {
                self.tell_size(scene, &name, raw, descriptor);
                self.keep_blob(&descriptor.digest, *body);
            }
        }
        let paths = layers.iter().map(|(_, path, _)| path.clone()).collect();
        // The name of an index does not stand for an artifact in it.
        let is_artifact =
            platform.is_none() || !matches!(&config.media_type[..], OCI_CONFIG | DOCKER_CONFIG);
        let references = match listed.naming {
            Naming::Index if is_artifact => Vec::new(),
            _ => listed.references,
        };
        let image = Image {
            references,
            origin: Origin::OciLayout,
            place: scene.place.to_vec(),
            folder: scene.folder_path(),
            manifest: listed.descriptor,
            manifest_bytes: listed.bytes,
            config: config.clone(),
            platform,
            layers: layers.iter().map(|(layer, ..)| layer.clone()).collect(),
            diff_ids,
        };
        Ok((image, paths))
    }

    /// Returns the config, then the layers of a manifest, each with its path. A layer that must not be distributed may
    /// be absent.
    pub(super) fn blobs_of(
        &self,
        scene: &Scene<'_>,
        listed: &ListedManifest,
    ) -> Result<Vec<ManifestBlob>, ImageFault> {
        let document = &listed.document;
        let raws = document
            .config
            .iter()
            .chain(document.layers.iter().flatten());
        let mut blobs = Vec::new();
        for raw in raws {
            let descriptor = raw.checked().ok_or_else(|| {
                let digest: String = raw.digest.chars().take(80).collect();
                ImageFault::bad(format!("{digest:?}"), diagnostic!("image.no_digest"))
            })?;
            match scene.blob(&descriptor.digest) {
                Ok((path, body)) => {
                    let is = self.sized(descriptor, &body)?;
                    blobs.push((is, Some(path), Some(body)));
                }
                Err(Absent::Missing) if raw.urls.as_ref().is_some_and(|urls| !urls.is_empty()) => {
                    blobs.push((descriptor, None, None));
                }
                Err(absent) => return Err(ImageFault::bad(&descriptor.digest, absent)),
            }
        }
        Ok(blobs)
    }

    /// Returns a blob with its actual length. When the stated length differs, the digest decides.
    fn sized(&self, said: Descriptor, body: &FileBody) -> Result<Descriptor, ImageFault> {
        let bytes = body.bytes();
        if bytes == said.bytes {
            return Ok(said);
        }
        let mut hash = DigestHasher::like(&said.digest);
        body.write(self.source, 0..bytes, &mut hash, self.monitor)
            .map_err(faulty(&said.digest))?;
        if hash.finish() != said.digest {
            let why = diagnostic!("image.other_length", bytes, said = said.bytes);
            return Err(ImageFault::bad(&said.digest, why));
        }
        Ok(Descriptor { bytes, ..said })
    }
}
