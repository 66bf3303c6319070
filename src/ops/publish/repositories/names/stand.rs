//! What a name stands for when several things bear it, and which of them are part of that.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{DEPTH_MAX, NameLayout, TagRule, Thing};
use crate::base::diagnostic::diagnostic;
use crate::content::release::ReleaseName;
use crate::oci::image::{Digest, Image, ImageIndex, Origin, Platform, Reference};
use crate::ops::publish::repositories::Seconds;
use crate::ops::publish::repositories::hosts::Hosts;

/// A bearer of a name.
#[derive(Clone, Copy)]
pub(super) struct Bearer<'a> {
    /// The name, as the archive has it.
    pub(super) name: &'a str,
    /// Number of the release, with the newest first.
    pub(super) release: usize,
    pub(super) thing: Thing<'a>,
}

impl Bearer<'_> {
    /// Returns the host as it is written, or an empty text when there is none.
    fn host(&self) -> String {
        let reference: Option<Reference> = self.name.parse().ok();
        reference
            .and_then(|reference| reference.host)
            .unwrap_or_default()
            .to_ascii_lowercase()
    }
}

/// What a name stands for: an index, or images, one for each platform.
pub(super) enum Stand<'a> {
    Index(&'a ImageIndex),
    Images(Vec<&'a Image>),
}

impl<'a> NameLayout<'a> {
    /// Plans the content under a name, and reports what does not get the name.
    pub(super) fn name(&mut self, repository: &str, tag: &str, bearers: &[Bearer<'a>]) {
        let Some((first, stand)) = self.stand(bearers) else {
            return;
        };
        self.plan_stand(repository, TagRule::Of(tag), &stand);
        let is_served = self.rules.seconds == Seconds::ByDigest;
        if is_served {
            let hosts: BTreeSet<String> = bearers.iter().map(Bearer::host).collect();
            for host in &hosts {
                let own = bearers.iter().filter(|bearer| bearer.host() == *host);
                let own: Vec<Bearer<'a>> = own.copied().collect();
                if let Some((_, stand)) = self.stand(&own) {
                    self.plan_stand(repository, TagRule::At { host, tag }, &stand);
                }
            }
        }
        let covered = self.digests_in(&stand);
        let mut told: HashSet<(&str, &Digest)> = HashSet::new();
        for bearer in bearers {
            let digest = &bearer.thing.descriptor().digest;
            if self.is_covered(bearer.thing, &covered) || !told.insert((bearer.name, digest)) {
                continue;
            }
            if is_served {
                self.plan_thing(repository, TagRule::None, bearer.thing);
            }
            self.tell_second(first, bearer);
        }
    }

    /// Returns what the newest release has under a name, an index before images, and the bearer that decided it.
    pub(super) fn stand(&self, bearers: &[Bearer<'a>]) -> Option<(Bearer<'a>, Stand<'a>)> {
        let first = *bearers.iter().min_by_key(|bearer| bearer.release)?;
        let peers = bearers
            .iter()
            .filter(|bearer| self.are_peers(&first, bearer));
        let mut indexes = peers.clone().filter_map(|bearer| match bearer.thing {
            Thing::Index(index) => Some(index),
            Thing::Image(_) => None,
        });
        let whole = indexes.clone().find(|index| index.is_whole());
        if let Some(index) = whole.or_else(|| indexes.next()) {
            return Some((first, Stand::Index(index)));
        }
        let images = peers.filter_map(|bearer| match bearer.thing {
            Thing::Image(image) => Some(image),
            Thing::Index(_) => None,
        });
        let mut by_platform: BTreeMap<Option<&Platform>, &'a Image> = BTreeMap::new();
        let mut is_artifact = None;
        for image in images {
            let platform = image.platform.as_ref();
            // Artifacts, which have no platform, are not joined with images.
            if *is_artifact.get_or_insert(platform.is_none()) != platform.is_none() {
                continue;
            }
            let there = by_platform.entry(platform).or_insert(image);
            let is_same = there.config.digest == image.config.digest;
            // This is one image in two formats. The one that came with a manifest wins.
            if is_same && there.origin == Origin::DockerArchive {
                *there = image;
            }
        }
        Some((first, Stand::Images(by_platform.into_values().collect())))
    }

    /// Returns whether two belong together under one name. They must have the same version and the same name, host
    /// included.
    fn are_peers(&self, one: &Bearer<'a>, other: &Bearer<'a>) -> bool {
        let version = |bearer: &Bearer<'a>| {
            let release = self.releases.get(bearer.release);
            release.map(|release| (release.name(), release.version()))
        };
        let host = |bearer: &Bearer<'a>| match bearer.host() {
            host if host.is_empty() => Hosts::HUB.to_owned(),
            host => host,
        };
        version(one) == version(other) && host(one) == host(other)
    }

    /// Returns the digests of everything under a name: manifests, and configs of images.
    pub(super) fn digests_in(&self, stand: &Stand<'a>) -> HashSet<&'a Digest> {
        let mut digests = HashSet::new();
        let image_digests = |image: &'a Image| [&image.manifest.digest, &image.config.digest];
        match stand {
            Stand::Images(images) => {
                digests.extend(images.iter().flat_map(|image| image_digests(image)));
            }
            Stand::Index(index) => {
                let mut indexes = vec![(*index, 0)];
                while let Some((index, depth)) = indexes.pop() {
                    digests.insert(&index.descriptor.digest);
                    for child in &index.children {
                        let digest = &child.descriptor.digest;
                        digests.insert(digest);
                        // Different artifacts may share one empty config.
                        let image = self.image(digest).filter(|image| image.platform.is_some());
                        digests.extend(image.into_iter().flat_map(image_digests));
                        if let Some(inner) = self.indexes.get(digest)
                            && depth < DEPTH_MAX
                        {
                            indexes.push((inner, depth + 1));
                        }
                    }
                }
            }
        }
        digests
    }

    /// Returns whether something is part of what is under a name, perhaps in another format.
    pub(super) fn is_covered(&self, thing: Thing<'a>, digests: &HashSet<&Digest>) -> bool {
        if digests.contains(&thing.descriptor().digest) {
            return true;
        }
        match thing {
            Thing::Image(image) => {
                image.platform.is_some() && digests.contains(&image.config.digest)
            }
            Thing::Index(index) => {
                let leaves = self.leaves(index, 0);
                let is_in = |image: &&Image| digests.contains(&image.manifest.digest);
                !leaves.is_empty() && !index.is_whole() && leaves.iter().all(is_in)
            }
        }
    }

    pub(super) fn plan_stand(&mut self, repository: &str, tag: TagRule<'_>, stand: &Stand<'a>) {
        match stand {
            Stand::Index(index) => self.plan_index(repository, tag, index, 0),
            Stand::Images(images) => match images[..] {
                [] => {}
                [image] => self.plan_image(repository, tag, image),
                _ => self.plan_joined(repository, tag, images),
            },
        }
    }

    /// Reports a bearer that does not get its name.
    fn tell_second(&mut self, first: Bearer<'a>, other: &Bearer<'a>) {
        let digest = &first.thing.descriptor().digest;
        let is_served = self.rules.seconds == Seconds::ByDigest;
        let of = |bearer: &Bearer<'a>| self.releases.get(bearer.release);
        let is_of_another = of(&first).map(|of| (of.name(), of.version()))
            != of(other).map(|of| (of.name(), of.version()));
        let name = other.name;
        match (first.host() == other.host(), is_of_another, is_served) {
            (false, _, true) => self.note(name, diagnostic!("name.by_host", name = first.name)),
            (false, _, false) => self.lose(name, diagnostic!("name.other_host", name = first.name)),
            (true, true, true) => {
                let text = |release: Option<&ReleaseName>| {
                    release.map(ToString::to_string).unwrap_or_default()
                };
                let (newer, older) = (text(of(&first)), text(of(other)));
                let digest = other.thing.descriptor().digest.short().to_string();
                self.note(name, diagnostic!("name.moved", newer, older, digest));
            }
            _ => {
                let digest = digest.short().to_string();
                self.lose(name, diagnostic!("name.second", digest));
            }
        }
    }
}
