//! Adds manifests and blobs to their repositories: children before parents, and referrers after their subjects.

use std::collections::HashSet;
use std::collections::hash_map::Entry;

use super::Seconds;
use super::names::{DEPTH_MAX, NameLayout, TagRule, not_for_registries};
use crate::base::diagnostic::diagnostic;
use crate::oci::image::document::{Document, RawDescriptor};
use crate::oci::image::{
    Descriptor, Digest, Image, ImageIndex, IndexChild, OCI_INDEX, Referrer, digest_tag,
};
use crate::oci::registry::plan::{PlannedManifest, PlannedRepository};

impl<'a> NameLayout<'a> {
    fn repository(&mut self, name: &str) -> &mut PlannedRepository {
        let repository = self.repositories.entry(name.to_owned()).or_default();
        if repository.name.is_empty() {
            name.clone_into(&mut repository.name);
        }
        repository
    }

    /// Gives a tag to a digest. Returns false when the tag stands for another digest already, because no name stands
    /// for two things.
    fn give(&mut self, repository: &str, tag: TagRule<'_>, digest: &Digest) -> bool {
        let (host, tag) = match tag {
            TagRule::None | TagRule::Of("") | TagRule::At { tag: "", .. } => return false,
            TagRule::Of(tag) => (None, tag),
            TagRule::At { host, tag } => (Some(host.to_owned()), tag),
        };
        let key = (repository.to_owned(), host, tag.to_owned());
        let there = self.given.entry(key).or_insert_with(|| digest.clone());
        there == digest
    }

    /// Adds a manifest and its referrers. Only adds the tag when the manifest is there already.
    fn put(
        &mut self,
        repository: &str,
        tag: TagRule<'_>,
        descriptor: &Descriptor,
        bytes: &[u8],
        partial: Option<Vec<Descriptor>>,
    ) {
        let is_given = self.give(repository, tag, &descriptor.digest);
        let number = self.repository(repository).manifests.len();
        let key = (repository.to_owned(), descriptor.digest.clone());
        let there = self.taken.get(&key).copied().flatten();
        let number = there.unwrap_or(number);
        if there.is_none() {
            self.taken.insert(key, Some(number));
            self.repository(repository).manifests.push(PlannedManifest {
                descriptor: descriptor.clone(),
                bytes: bytes.to_vec(),
                tags: Vec::new(),
                host_tags: Vec::new(),
                partial,
            });
        }
        if let Some(manifest) = self.repository(repository).manifests.get_mut(number)
            && is_given
        {
            match tag {
                TagRule::None => {}
                TagRule::Of(tag) => add(&mut manifest.tags, tag.to_owned()),
                TagRule::At { host, tag } => {
                    add(&mut manifest.host_tags, (host.to_owned(), tag.to_owned()));
                }
            }
        }
        if there.is_none() {
            self.plan_referrers(repository, &descriptor.digest);
        }
    }

    fn put_blobs(&mut self, repository: &str, blobs: impl Iterator<Item = Descriptor>) {
        let images = self.images;
        for mut blob in blobs {
            // A layer that must not be distributed may be absent.
            let Some(body) = images.blob(&blob.digest) else {
                continue;
            };
            // Manifests may give a wrong length.
            blob.bytes = body.bytes();
            let key = (repository.to_owned(), blob.digest.clone());
            if let Entry::Vacant(place) = self.taken.entry(key) {
                place.insert(None);
                self.repository(repository).blobs.push(blob);
            }
        }
    }

    pub(super) fn plan_image(&mut self, repository: &str, tag: TagRule<'_>, image: &Image) {
        let blobs = std::iter::once(&image.config).chain(&image.layers);
        self.put_blobs(repository, blobs.cloned());
        let manifest = &image.manifest;
        self.put(repository, tag, manifest, &image.manifest_bytes, None);
    }

    /// Adds an index as it came, with its children that are present and requested.
    pub(super) fn plan_index(
        &mut self,
        repository: &str,
        tag: TagRule<'_>,
        index: &'a ImageIndex,
        depth: usize,
    ) {
        let is_choosing = !self.wanted.choice.platforms.is_empty();
        let images = self.leaves(index, depth);
        if images.is_empty() && is_choosing {
            return;
        }
        let mut is_all = true;
        for child in &index.children {
            let is_planned = child.is_there && self.plan_child(repository, child, depth);
            is_all &= is_planned;
        }
        // A request for one platform means that image, and not an index without its other images.
        if let ([image], false, true) = (&images[..], is_all, is_choosing) {
            return self.plan_image(repository, tag, image);
        }
        let partial = images.iter().map(|image| image.manifest.clone());
        let partial = (!is_all).then(|| partial.collect());
        self.put(repository, tag, &index.descriptor, &index.bytes, partial);
    }

    pub(super) fn is_wanted(&self, child: &IndexChild) -> bool {
        let own = self
            .image(&child.descriptor.digest)
            .and_then(|image| image.platform.as_ref());
        self.wanted.choice.takes(child.platform.as_ref().or(own))
    }

    /// Adds a child of an index when it is requested. Returns whether all of it is planned.
    fn plan_child(&mut self, repository: &str, child: &'a IndexChild, depth: usize) -> bool {
        let digest = &child.descriptor.digest;
        if let Some(inner) = self.indexes.get(digest).copied() {
            if depth >= DEPTH_MAX {
                return false;
            }
            let is_all = self.has_all(inner, depth + 1);
            if is_all || self.wanted.choice.platforms.is_empty() {
                self.plan_index(repository, TagRule::None, inner, depth + 1);
            } else {
                for image in self.leaves(inner, depth + 1) {
                    self.plan_image(repository, TagRule::None, image);
                }
            }
            return is_all;
        }
        if !self.is_wanted(child) {
            return false;
        }
        if let Some(image) = self.image(digest) {
            self.plan_image(repository, TagRule::None, image);
            return true;
        }
        let images = self.images;
        let Some(resolved) = images.resolve(digest.as_str()) else {
            return false;
        };
        self.put_blobs(repository, blobs_of(resolved.bytes).into_iter());
        self.put(
            repository,
            TagRule::None,
            resolved.descriptor,
            resolved.bytes,
            None,
        );
        true
    }

    /// Returns whether everything that an index lists is present and requested.
    fn has_all(&self, index: &ImageIndex, depth: usize) -> bool {
        index.children.iter().all(|child| {
            let inner = self.indexes.get(&child.descriptor.digest);
            child.is_there
                && match inner {
                    Some(inner) => depth < DEPTH_MAX && self.has_all(inner, depth + 1),
                    None => self.is_wanted(child),
                }
        })
    }

    /// Makes an index over several exports under one name, one for each platform. The same exports always give the same
    /// index.
    pub(super) fn plan_joined(&mut self, repository: &str, tag: TagRule<'_>, images: &[&Image]) {
        let mut entries = Vec::new();
        for image in images {
            self.plan_image(repository, TagRule::None, image);
            let mut entry = serde_json::json!({
                "mediaType": image.manifest.media_type,
                "digest": image.manifest.digest.as_str(),
                "size": image.manifest.bytes,
            });
            if let Some(platform) = &image.platform {
                entry["platform"] =
                    serde_json::json!({"os": platform.os, "architecture": platform.architecture});
                if let Some(variant) = &platform.variant {
                    entry["platform"]["variant"] = variant.clone().into();
                }
                if let Some(version) = &platform.os_version {
                    entry["platform"]["os.version"] = version.clone().into();
                }
            }
            entries.push(entry);
        }
        let index =
            serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        let bytes = index.to_string().into_bytes();
        let descriptor = Descriptor {
            media_type: OCI_INDEX.to_owned(),
            digest: Digest::of(&bytes),
            bytes: bytes.len() as u64,
        };
        self.put(repository, tag, &descriptor, &bytes, None);
    }

    /// Adds the referrers of a manifest to the same repository, after it. A subject is planned once, so the recursion
    /// ends.
    fn plan_referrers(&mut self, repository: &str, subject: &Digest) {
        let images = self.images;
        for referrer in images.referrers(subject) {
            self.plan_referrer(repository, referrer.tag.as_deref(), referrer);
        }
    }

    /// Plans a referrer. When its tag is taken, it is added by digest and this is reported.
    fn plan_referrer(&mut self, repository: &str, tag: Option<&str>, referrer: &Referrer) {
        self.put_blobs(repository, blobs_of(&referrer.bytes).into_iter());
        let own = &referrer.descriptor;
        let tag_is = tag.map_or(TagRule::None, TagRule::Of);
        self.put(repository, tag_is, own, &referrer.bytes, None);
        let Some(tag) = tag else {
            return;
        };
        let host = TagRule::At { host: "", tag };
        self.put(repository, host, own, &referrer.bytes, None);
        let key = (repository.to_owned(), None, tag.to_owned());
        let Some(first) = self.given.get(&key).filter(|given| **given != own.digest) else {
            return;
        };
        let name = format!("{repository}:{tag}");
        let (first, second) = (first.short().to_string(), own.digest.short().to_string());
        let why = diagnostic!("name.second_by_digest", first, second);
        match self.rules.seconds {
            Seconds::ByDigest => self.note(&name, why),
            Seconds::LeftOut => self.lose(&name, why),
        }
    }

    /// Gives referrers their own names in the repositories of their subjects.
    pub(super) fn plan_named_referrers(&mut self) {
        let images = self.images;
        for referrer in images.all_referrers() {
            for name in &referrer.references {
                let own = &referrer.descriptor.digest;
                let is_alone = digest_tag(name).is_some_and(|tagged| tagged.tag == *name);
                let is_of_other = !self.wanted.choice.platforms.is_empty() && !self.is_planned(own);
                if is_alone || is_of_other || !self.is_asked_for(name, &[own]) {
                    continue;
                }
                match self.place(name) {
                    Ok((repository, tag)) => {
                        self.plan_referrer(&repository, Some(&tag), referrer);
                    }
                    Err(error) => self.lose(name, not_for_registries(error)),
                }
            }
        }
    }

    /// Reports referrers that are not added anywhere.
    pub(super) fn tell_orphans(&mut self) {
        if !self.wanted.choice.images.is_empty() {
            return;
        }
        let images = self.images;
        let mut told = HashSet::new();
        for referrer in images.all_referrers() {
            let own = &referrer.descriptor.digest;
            if self.is_planned(own) || !told.insert(own) {
                continue;
            }
            let subject = &referrer.subject;
            let digest = subject.short().to_string();
            if self.wanted.choice.platforms.is_empty() {
                self.lose(own.as_str(), diagnostic!("referrer.of_nothing", digest));
            } else if self.is_index(subject) {
                self.note(own.as_str(), diagnostic!("referrer.of_index", digest));
            }
        }
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, one: T) {
    if !list.contains(&one) {
        list.push(one);
    }
}

/// Returns the blobs that a manifest names.
fn blobs_of(manifest: &[u8]) -> Vec<Descriptor> {
    let manifest = serde_json::from_slice::<Document>(manifest).ok();
    let blobs = manifest.iter().flat_map(Document::blobs);
    blobs.filter_map(RawDescriptor::checked).collect()
}
