//! Lays out releases as repositories of a registry: names by the rule of `image::Reference`, indexes where one name has
//! several platforms, and referrers after their subjects.
//!
//! It only reads manifests. Blobs are read from the store on demand. `push` and `serve` share it.

mod contents;
mod hosts;
mod names;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::ops::Range;
use std::time::SystemTime;

pub use self::hosts::{Hosts, OtherHosts};
use self::names::NameLayout;
use crate::base::backend::BackendError;
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::bundle::newest_first;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::ReleaseName;
use crate::oci::image::{Choice, ChoiceError, Digest, Images, Reference};
use crate::oci::registry::BlobSource;
use crate::oci::registry::plan::PlannedRepository;
use crate::ops::{Error, Releases};

/// Shorter blobs are rebuilt faster than they are cached.
pub(super) const KEPT_BYTES_MIN: u64 = 1 << 20;

/// The request for content of the releases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublishRequest {
    /// Which images.
    pub choice: Choice,
    /// Prefix of the path of every repository.
    pub prefix: Option<String>,
}

impl Plan {
    /// Returns whether an image came from this host, in upper or lower case.
    #[cfg(feature = "registry")]
    pub(crate) fn has_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

/// How names are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// The rule for the hosts in them.
    pub hosts: Hosts,
    /// The rule for content that does not get its name.
    pub seconds: Seconds,
    /// Name for the one requested image, replacing its own. Has no host.
    pub name: Option<Reference>,
}

/// The rule for content whose name stands for something else.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Seconds {
    /// It is left out.
    #[default]
    LeftOut,
    /// It is added by its digest. A request with its original host also finds it by name.
    ByDigest,
}

/// The layout of releases.
#[derive(Debug)]
pub struct Plan {
    /// The images.
    pub images: Images,
    /// The repositories, by name.
    pub repositories: Vec<PlannedRepository>,
    /// The hosts that images came from, which are dropped from names.
    pub hosts: BTreeSet<String>,
    /// Problems, and what is left out.
    pub findings: Vec<Finding>,
}

/// Lays out the content of these releases, with hosts dropped from names.
///
/// # Errors
/// [`Error::Recipe`] when a release's list of items cannot be read, [`Error::Choice`] or [`Error::NoImages`].
pub fn plan<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    wanted: &PublishRequest,
    monitor: &dyn Monitor,
) -> Result<Plan, Error> {
    plan_by(store, names, wanted, &Rules::default(), monitor)
}

/// Does the same with other rules. With [`Seconds::ByDigest`], a release that cannot be read is reported, and the
/// others are laid out.
///
/// # Errors
/// As [`plan`].
pub(crate) fn plan_by<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    wanted: &PublishRequest,
    rules: &Rules,
    monitor: &dyn Monitor,
) -> Result<Plan, Error> {
    let mut images = Images::default();
    let mut unreadable = Vec::new();
    let names = in_order(store, names);
    for name in &names {
        let root = store.root(name)?;
        let root = root.ok_or_else(|| Error::NoSuchRelease {
            name: name.to_string(),
            has: Vec::new(),
        })?;
        match images.add(store, &root, monitor) {
            Err(error @ RecipeError::Interrupted(_)) => return Err(error.into()),
            Err(error) if rules.seconds == Seconds::LeftOut || names.len() == 1 => {
                return Err(error.into());
            }
            Err(error) => {
                let what = diagnostic!("image.cannot_be_read", why = Arg::caught(error));
                unreadable.push(Finding::loss(name.to_string(), what));
            }
            Ok(()) => {}
        }
    }
    let mut layout = NameLayout::new(&images, wanted, rules, &names);
    layout.findings.extend(unreadable);
    match &rules.name {
        Some(name) => layout.lay_out_as(name).map_err(Error::Choice)?,
        None => layout.lay_out(),
    }
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

/// Orders the releases, the newest first. Versions of one name are in their order. Of several names, the one whose
/// newest version was committed last comes first.
fn in_order<R: Releases>(store: &R, names: &[ReleaseName]) -> Vec<ReleaseName> {
    let mut by_name: BTreeMap<&str, Vec<&ReleaseName>> = BTreeMap::new();
    for name in names {
        by_name.entry(name.name()).or_default().push(name);
    }
    let mut groups: Vec<Vec<&ReleaseName>> = by_name.into_values().collect();
    for group in &mut groups {
        group.sort_by(|one, other| newest_first(one, other));
        group.dedup();
    }
    groups.sort_by_key(|group| {
        let newest = group.first();
        let committed = newest.and_then(|name| store.committed_at(name));
        Reverse(committed.unwrap_or(SystemTime::UNIX_EPOCH))
    });
    groups.into_iter().flatten().cloned().collect()
}

/// Blobs of images, read from a store.
pub(crate) struct Blobs<'a, S> {
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
        body.bytes() >= KEPT_BYTES_MIN && !body.is_cached(self.store)
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        let body = self.images.blob(digest).ok_or("it is not there")?;
        Ok(body.write(self.store, range, &mut { out }, monitor)?)
    }
}
