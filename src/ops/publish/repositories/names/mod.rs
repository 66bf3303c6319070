//! Assigns the names of images in a registry, and decides which of several bearers gets a name.
//!
//! A name keeps its meaning. Of several releases, the newest gets the name. Names that differ only in the host are two
//! names, and where they meet, one is left out and reported. Being a child of an index does not give a name.

mod stand;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use self::stand::Bearer;
use super::hosts::Hosts;
use super::{PublishRequest, Rules};
use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::Finding;
use crate::content::release::ReleaseName;
use crate::oci::image::{
    ChoiceError, Descriptor, Digest, Image, ImageIndex, Images, Reference, ReferenceError,
    digest_tag, is_index, is_meant, is_repository,
};
use crate::oci::registry::plan::PlannedRepository;

/// Indexes within indexes that are followed.
pub(super) const DEPTH_MAX: usize = 8;

/// Repository and tag. An empty tag stands for content that is added by its digest.
pub(super) type RepositoryTag = (String, String);

/// What bears a name.
#[derive(Clone, Copy)]
pub(super) enum Thing<'a> {
    Index(&'a ImageIndex),
    Image(&'a Image),
}

impl<'a> Thing<'a> {
    pub(super) fn descriptor(self) -> &'a Descriptor {
        match self {
            Self::Index(index) => &index.descriptor,
            Self::Image(image) => &image.manifest,
        }
    }
}

/// The tag that something gets.
#[derive(Clone, Copy)]
pub(super) enum TagRule<'t> {
    /// No tag. The content is added by its digest.
    None,
    /// This one.
    Of(&'t str),
    /// This tag, only for requests with this host.
    At {
        /// As it is written. Empty when there is none.
        host: &'t str,
        tag: &'t str,
    },
}

/// Assigns the names.
pub(super) struct NameLayout<'a> {
    pub(super) images: &'a Images,
    pub(super) by_digest: HashMap<&'a Digest, &'a Image>,
    pub(super) indexes: HashMap<&'a Digest, &'a ImageIndex>,
    pub(super) wanted: &'a PublishRequest,
    pub(super) rules: &'a Rules,
    /// The releases, in the order in which their images were looked for.
    pub(super) releases: &'a [ReleaseName],
    /// Planned content, by repository and digest. Manifests have their number, and blobs have none.
    pub(super) taken: HashMap<(String, Digest), Option<usize>>,
    /// What each tag stands for, by repository, host and tag.
    pub(super) given: HashMap<(String, Option<String>, String), Digest>,
    pub(super) repositories: BTreeMap<String, PlannedRepository>,
    pub(super) hosts: BTreeSet<String>,
    pub(super) findings: Vec<Finding>,
    /// The requested names, and whether each was found.
    pub(super) asked: BTreeMap<&'a str, bool>,
}

impl<'a> NameLayout<'a> {
    pub(super) fn new(
        images: &'a Images,
        wanted: &'a PublishRequest,
        rules: &'a Rules,
        releases: &'a [ReleaseName],
    ) -> Self {
        let by_digest = images.images().iter();
        let by_digest = by_digest.map(|image| (&image.manifest.digest, image));
        let mut indexes: HashMap<&Digest, &ImageIndex> = HashMap::new();
        for index in images.indexes() {
            let there = indexes.entry(&index.descriptor.digest).or_insert(index);
            if index.is_whole() {
                *there = index;
            }
        }
        let asked = wanted.choice.images.iter();
        Self {
            images,
            by_digest: by_digest.collect(),
            indexes,
            wanted,
            rules,
            releases,
            taken: HashMap::new(),
            given: HashMap::new(),
            repositories: BTreeMap::new(),
            hosts: BTreeSet::new(),
            findings: images.warnings().to_vec(),
            asked: asked.map(|name| (&name[..], false)).collect(),
        }
    }

    pub(super) fn lay_out(&mut self) {
        // Keyed by the name in the registry, where names that differ only in the host meet.
        let mut bearers: BTreeMap<RepositoryTag, Vec<Bearer<'a>>> = BTreeMap::new();
        let images = self.images;
        for named in images.all_named() {
            let Some(thing) = self.thing(&named.digest) else {
                continue;
            };
            if !self.is_asked_for(&named.name, &digests_of(thing)) {
                continue;
            }
            let places = self.places(&named.name);
            if !self.has_wanted(thing) {
                continue;
            }
            let bearer = Bearer {
                name: &named.name,
                release: named.release,
                thing,
            };
            for place in places {
                bearers.entry(place).or_default().push(bearer);
            }
        }
        for ((repository, tag), bearers) in &bearers {
            self.name(repository, tag, bearers);
        }
        self.plan_by_digest();
        self.plan_named_referrers();
        self.tell_nameless();
        self.tell_orphans();
    }

    /// Gives one name to the requested content. Fails when that is several things.
    pub(super) fn lay_out_as(&mut self, name: &'a Reference) -> Result<(), ChoiceError> {
        let images = self.images;
        let mut meant: Vec<Thing<'a>> = Vec::new();
        for named in images.all_named() {
            if let Some(thing) = self.thing(&named.digest)
                && self.is_asked_for(&named.name, &digests_of(thing))
            {
                meant.push(thing);
            }
        }
        let indexes = images.indexes().iter().map(Thing::Index);
        for thing in indexes.chain(images.images().iter().map(Thing::Image)) {
            if self.is_asked_for("", &digests_of(thing)) {
                meant.push(thing);
            }
        }
        let bearers = meant.into_iter().filter(|thing| self.has_wanted(*thing));
        let bearers: Vec<Bearer<'a>> = bearers
            .map(|thing| Bearer {
                name: "",
                release: 0,
                thing,
            })
            .collect();
        let Some((_, stand)) = self.stand(&bearers) else {
            return Ok(());
        };
        let covered = self.digests_in(&stand);
        let is_other = |bearer: &&Bearer<'a>| !self.is_covered(bearer.thing, &covered);
        if bearers.iter().any(|bearer| is_other(&bearer)) {
            let digests = bearers.iter().map(|bearer| bearer.thing.descriptor());
            let digests: BTreeSet<String> = digests.map(|of| of.digest.to_string()).collect();
            return Err(ChoiceError::Several {
                name: name.to_string(),
                images: digests.into_iter().collect(),
                by_platform: false,
            });
        }
        let prefix = self.wanted.prefix.as_deref();
        let repository = name.repository_under(prefix);
        let tag = name.tag_or_latest().unwrap_or_default();
        self.plan_stand(&repository, TagRule::Of(tag), &stand);
        Ok(())
    }

    fn thing(&self, digest: &Digest) -> Option<Thing<'a>> {
        let index = self.indexes.get(digest).copied().map(Thing::Index);
        index.or_else(|| self.image(digest).map(Thing::Image))
    }

    pub(super) fn image(&self, digest: &Digest) -> Option<&'a Image> {
        self.by_digest.get(digest).copied()
    }

    /// Returns whether a part of it is for the requested platforms.
    fn has_wanted(&self, thing: Thing<'a>) -> bool {
        match thing {
            Thing::Image(image) => self.wanted.choice.takes(image.platform.as_ref()),
            Thing::Index(index) => {
                self.wanted.choice.platforms.is_empty() || !self.leaves(index, 0).is_empty()
            }
        }
    }

    /// Returns the images below an index that are present and requested, through nested indexes.
    pub(super) fn leaves(&self, index: &ImageIndex, depth: usize) -> Vec<&'a Image> {
        let mut leaves = Vec::new();
        for child in index.children.iter().filter(|child| child.is_there) {
            let digest = &child.descriptor.digest;
            if let Some(image) = self.image(digest) {
                if self.is_wanted(child) {
                    leaves.push(image);
                }
            } else if let Some(inner) = self.indexes.get(digest)
                && depth < DEPTH_MAX
            {
                leaves.extend(self.leaves(inner, depth + 1));
            }
        }
        leaves
    }

    /// Returns the repositories and tags for a name. Reports a name that no registry accepts.
    fn places(&mut self, given: &str) -> Vec<RepositoryTag> {
        if let Some(tag) = digest_tag(given).filter(|tag| tag.tag == given) {
            // A referrer goes next to its subject.
            let images = self.images;
            let subjects = images.all_named().iter();
            let subjects = subjects.filter(|named| named.digest == tag.digest);
            let names: BTreeSet<&str> = subjects.map(|named| &named.name[..]).collect();
            let places = names.into_iter().filter_map(|name| self.place(name).ok());
            let places: BTreeSet<RepositoryTag> = places
                .map(|(repository, _)| (repository, tag.tag.clone()))
                .collect();
            return places.into_iter().collect();
        }
        match self.place(given) {
            Ok(place) => vec![place],
            Err(error) => {
                self.lose(given, not_for_registries(error));
                Vec::new()
            }
        }
    }

    /// Returns the repository and tag for one name.
    pub(super) fn place(&mut self, given: &str) -> Result<RepositoryTag, ReferenceError> {
        let reference: Reference = given.parse()?;
        // A reference with a digest only is added without a tag.
        let tag = reference.tag_or_latest().unwrap_or_default().to_owned();
        let prefix = self.wanted.prefix.as_deref();
        let repository = self.rules.hosts.repository(&reference, prefix);
        if !is_repository(&repository) {
            return Err(ReferenceError::Repository);
        }
        self.hosts.insert(Hosts::host_of(&reference).to_owned());
        Ok((repository, tag))
    }

    /// Returns whether the archive name `given` is requested.
    pub(super) fn is_asked_for(&mut self, given: &str, digests: &[&Digest]) -> bool {
        if self.asked.is_empty() {
            return true;
        }
        let mut is_asked = false;
        for (asked, is_found) in &mut self.asked {
            let fits = is_meant(asked, &[given], digests);
            *is_found |= fits;
            is_asked |= fits;
        }
        is_asked
    }

    pub(super) fn plan_thing(&mut self, repository: &str, tag: TagRule<'_>, thing: Thing<'a>) {
        match thing {
            Thing::Index(index) => self.plan_index(repository, tag, index, 0),
            Thing::Image(image) => self.plan_image(repository, tag, image),
        }
    }

    /// Plans content below an index that is requested by its digest. It is added by that digest.
    fn plan_by_digest(&mut self) {
        let images = self.images;
        for image in images.images() {
            if self.asked.is_empty() || !self.wanted.choice.takes(image.platform.as_ref()) {
                continue;
            }
            let thing = Thing::Image(image);
            for name in &image.references {
                let asked = self.wanted.choice.images.iter();
                let mut asked = asked.filter(|asked| {
                    is_meant(asked, &[&name[..]], &digests_of(thing))
                        && !is_meant(asked, &[&name[..]], &[])
                });
                if asked.next().is_none() || !self.is_asked_for(name, &digests_of(thing)) {
                    continue;
                }
                if let Ok((repository, _)) = self.place(name) {
                    self.plan_image(&repository, TagRule::None, image);
                }
            }
        }
    }

    /// Reports images and indexes without a name, which have no place in a registry.
    fn tell_nameless(&mut self) {
        if !self.wanted.choice.images.is_empty() {
            return;
        }
        let images = self.images;
        let named: HashSet<&Digest> = images.all_named().iter().map(|each| &each.digest).collect();
        let children = images.indexes().iter().flat_map(|index| &index.children);
        let children: HashSet<&Digest> = children.map(|child| &child.descriptor.digest).collect();
        let is_free = |digest: &Digest| !named.contains(digest) && !children.contains(digest);
        let mut told = HashSet::new();
        for image in images.images() {
            let digest = &image.manifest.digest;
            if is_free(digest) && self.has_wanted(Thing::Image(image)) && told.insert(digest) {
                let place = image.place.first();
                let place = place.map(|name| String::from_utf8_lossy(name).into_owned());
                let why = diagnostic!("name.none", image = image.name());
                self.lose(&place.unwrap_or_default(), why);
            }
        }
        for index in images.indexes() {
            let digest = &index.descriptor.digest;
            if is_free(digest) && self.has_wanted(Thing::Index(index)) && told.insert(digest) {
                let image = digest.short().to_string();
                self.lose(digest.as_str(), diagnostic!("name.none", image));
            }
        }
    }

    pub(super) fn lose(&mut self, subject: &str, what: Diagnostic) {
        self.findings.push(Finding::loss(subject, what));
    }

    pub(super) fn note(&mut self, subject: &str, what: Diagnostic) {
        self.findings.push(Finding::note(subject, what));
    }

    /// Returns whether a digest is planned in any repository.
    pub(super) fn is_planned(&self, digest: &Digest) -> bool {
        let mut repositories = self.repositories.values();
        repositories.any(|repository| {
            let mut manifests = repository.manifests.iter();
            manifests.any(|manifest| manifest.descriptor.digest == *digest)
        })
    }

    /// Returns whether a digest is that of an index of the releases.
    pub(super) fn is_index(&self, digest: &Digest) -> bool {
        let found = self.images.resolve(digest.as_str());
        found.is_some_and(|found| is_index(&found.descriptor.media_type))
    }
}

/// Returns the digests by which people may refer to something.
pub(super) fn digests_of(thing: Thing<'_>) -> Vec<&Digest> {
    match thing {
        Thing::Index(index) => vec![&index.descriptor.digest],
        Thing::Image(image) => vec![&image.manifest.digest, &image.config.digest],
    }
}

/// Says that no registry takes a name.
pub(super) fn not_for_registries(error: ReferenceError) -> Diagnostic {
    diagnostic!("name.not_for_registries", why = Arg::caught(error))
}
