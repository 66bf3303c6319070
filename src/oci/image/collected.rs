//! Collects what is found, each thing once under its digest, with the names that archives give it.

use super::context::{ImageContext, Scene};
use super::layout::Naming;
use super::{Descriptor, Digest, Image, ImageIndex, Images, Named, Referrer};
use crate::base::diagnostic::diagnostic;
use crate::content::recipe::ChunkSource;
use crate::content::recipe::body::FileBody;

/// Most images of all releases together.
const IMAGES_MAX: usize = 1 << 16;

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Keeps a blob. The first one of a digest stays.
    pub(super) fn keep_blob(&mut self, digest: &Digest, body: FileBody) {
        self.found.blobs.entry(digest.clone()).or_insert(body);
    }

    /// Keeps a manifest or index by its digest.
    pub(super) fn keep_manifest(&mut self, descriptor: &Descriptor, bytes: &[u8]) {
        let kept = self.found.manifests.entry(descriptor.digest.clone());
        kept.or_insert_with(|| (descriptor.clone(), bytes.to_vec()));
    }

    /// Keeps an image, or adds its names to the same image. `paths` are the paths of its layers.
    pub(super) fn keep_image(
        &mut self,
        scene: &Scene<'_>,
        image: Image,
        naming: Naming,
        paths: &[Option<Vec<u8>>],
    ) {
        let digest = image.manifest.digest.clone();
        let references = image.references.clone();
        let number = match self.found.numbers.get(&digest) {
            Some(number) => {
                let there = &mut self.found.images[*number].references;
                let new = image.references.into_iter();
                let new: Vec<String> = new.filter(|name| !there.contains(name)).collect();
                there.extend(new);
                *number
            }
            None if self.found.images.len() >= IMAGES_MAX => {
                let what = diagnostic!("image.one_too_many");
                return self.note(scene.subject(&image.name()), what);
            }
            None => {
                self.keep_manifest(&image.manifest, &image.manifest_bytes);
                self.found.images.push(image);
                let number = self.found.images.len() - 1;
                self.found.numbers.insert(digest.clone(), number);
                number
            }
        };
        let place = (scene.place.to_vec(), scene.folder_path(), number);
        self.found.places.push(place);
        for (layer, path) in paths.iter().enumerate() {
            if let Some(path) = path {
                let place = [scene.place, std::slice::from_ref(path)].concat();
                self.found.layers.entry(place).or_insert((number, layer));
            }
        }
        if naming == Naming::Own {
            self.bear(&references, &digest);
        }
        self.name(scene, &references, &digest);
    }

    /// Records the bearer of names.
    fn bear(&mut self, names: &[String], digest: &Digest) {
        // Several releases may have many of the same names.
        let release = self.found.releases.saturating_sub(1);
        self.found.named.extend(names.iter().map(|name| Named {
            name: name.clone(),
            digest: digest.clone(),
            release,
        }));
    }

    /// Keeps an index. The names may be those of the index around it.
    pub(super) fn keep_index(&mut self, scene: &Scene<'_>, index: ImageIndex, naming: Naming) {
        self.keep_manifest(&index.descriptor, &index.bytes);
        if naming == Naming::Own {
            self.bear(&index.references, &index.descriptor.digest);
        }
        if index.is_whole() {
            self.name(scene, &index.references, &index.descriptor.digest);
        }
        self.found.indexes.push(index);
    }

    /// Gives names to a manifest. A name that stands for something else keeps its meaning. A different meaning in
    /// another release is not reported, because tags move.
    fn name(&mut self, scene: &Scene<'_>, names: &[String], digest: &Digest) {
        for name in names {
            let first = self.found.references.entry(name.clone());
            first.or_insert_with(|| digest.clone());
            let there = self.names.entry(name.clone());
            let there = there.or_insert_with(|| digest.clone()).clone();
            if there != *digest && !self.found.is_another_form(&there, digest) {
                let why = diagnostic!("image.name_of_two", first = &there, second = digest);
                self.note(scene.subject(name), why);
            }
        }
    }
}

impl Images {
    /// Keeps a referrer, or adds its names to the same one.
    pub(super) fn keep_referrer(&mut self, referrer: Referrer) {
        let is_same = |each: &&mut Referrer| {
            each.descriptor.digest == referrer.descriptor.digest
                && each.subject == referrer.subject
                && (each.tag == referrer.tag || each.tag.is_none() || referrer.tag.is_none())
        };
        let Some(there) = self.referrers.iter_mut().find(is_same) else {
            return self.referrers.push(referrer);
        };
        there.tag = there.tag.take().or(referrer.tag);
        for name in referrer.references {
            if !there.references.contains(&name) {
                there.references.push(name);
            }
        }
    }

    /// Returns whether two manifests are of one image. They have the same config, or one is an index that lists the
    /// other, or they are for different platforms.
    fn is_another_form(&self, one: &Digest, other: &Digest) -> bool {
        let image = |digest: &Digest| Some(&self.images[*self.numbers.get(digest)?]);
        let lists = |index: &Digest, child: &Digest| {
            let index = self
                .indexes
                .iter()
                .find(|each| each.descriptor.digest == *index);
            let mut children = index.into_iter().flat_map(|index| &index.children);
            children.any(|each| each.descriptor.digest == *child)
        };
        match (image(one), image(other)) {
            (Some(one), Some(other)) => {
                one.config.digest == other.config.digest || one.platform != other.platform
            }
            _ => lists(one, other) || lists(other, one),
        }
    }
}
