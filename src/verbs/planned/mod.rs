//! What releases hold, as repositories of a registry: names by the rule of `image::Reference`, indexes where there are
//! several platforms under one name, referrers behind what they refer to.
//!
//! It reads manifests alone; blobs come from the store when they are asked for. What `push` and `serve` share.

mod names;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::Write;
use std::ops::Range;

use self::names::Layout;
use super::{Error, Releases};
use crate::finding::Finding;
use crate::image::{Choice, ChoiceError, Digest, Images};
use crate::monitor::Monitor;
use crate::recipe::{BoxError, ChunkSource, RecipeError};
use crate::registry::BlobSource;
use crate::registry::push::PlannedRepository;
use crate::release::ReleaseName;

/// Shorter blobs are put together again faster than they are kept.
const KEPT_BYTES_MIN: u64 = 1 << 20;

/// What of the releases is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Which images.
    pub choice: Choice,
    /// Put before the path of every repository.
    pub prefix: Option<String>,
}

/// What releases hold, laid out.
#[derive(Debug)]
pub struct Plan {
    /// The images.
    pub images: Images,
    /// The repositories, by name.
    pub repositories: Vec<PlannedRepository>,
    /// The hosts that images came from: they are dropped from names.
    pub hosts: BTreeSet<String>,
    /// What is not as it should be, and what is left out.
    pub findings: Vec<Finding>,
}

/// Lays out what is in these releases.
///
/// # Errors
/// [`Error::Recipe`] when a release's list of items cannot be read; [`Error::Choice`] and [`Error::NoImages`].
pub fn plan<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    wanted: &Wanted,
    monitor: &dyn Monitor,
) -> Result<Plan, Error> {
    let mut images = Images::default();
    for name in names {
        let root = store.root(name).map_err(Error::Releases)?;
        let root = root.ok_or_else(|| Error::NoSuchRelease {
            name: name.to_string(),
            has: Vec::new(),
        })?;
        images.add(store, &root, monitor)?;
    }
    let by_digest = images
        .images()
        .iter()
        .map(|image| (&image.manifest.digest, image));
    let mut layout = Layout {
        images: &images,
        by_digest: by_digest.collect(),
        wanted,
        taken: HashMap::new(),
        repositories: BTreeMap::new(),
        hosts: BTreeSet::new(),
        findings: images.warnings().to_vec(),
        asked: wanted
            .choice
            .images
            .iter()
            .map(|name| (&name[..], false))
            .collect(),
    };
    layout.lay_out();
    let missing = layout.asked.iter().find(|(_, is_found)| !**is_found);
    if let Some((missing, _)) = missing {
        return Err(Error::Choice(ChoiceError::NoSuchImage {
            wanted: (*missing).to_owned(),
            has: images
                .references()
                .map(|(name, _)| name.to_owned())
                .collect(),
        }));
    }
    let (hosts, findings) = (layout.hosts, layout.findings);
    let repositories: Vec<PlannedRepository> = layout.repositories.into_values().collect();
    let named = images.named(&wanted.choice);
    if !named.is_empty() {
        wanted
            .choice
            .check_platforms(&named)
            .map_err(Error::Choice)?;
    }
    if repositories.is_empty() {
        return Err(Error::NoImages {
            releases: names.iter().map(ToString::to_string).collect(),
        });
    }
    for finding in &findings {
        monitor.finding(finding);
    }
    Ok(Plan {
        images,
        repositories,
        hosts,
        findings,
    })
}

/// Blobs of images, out of a store.
pub struct Blobs<'a, S> {
    /// The store.
    pub store: &'a S,
    /// What was found in it.
    pub images: &'a Images,
}

impl<S: ChunkSource> BlobSource for Blobs<'_, S> {
    fn bytes(&self, digest: &Digest) -> Option<u64> {
        self.images.blob(digest).map(|body| body.bytes())
    }

    fn is_made(&self, digest: &Digest) -> bool {
        let Some(body) = self.images.blob(digest) else {
            return false;
        };
        body.bytes() >= KEPT_BYTES_MIN && !body.is_ready(self.store)
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BoxError> {
        let body = self.images.blob(digest).ok_or("it is not there")?;
        let outcome = body.write(self.store, range, &mut { out }, monitor);
        outcome.map_err(|error| match error {
            RecipeError::Interrupted(stop) => Box::new(stop).into(),
            other => other.into(),
        })
    }
}
