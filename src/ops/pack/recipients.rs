//! Resolves the recipients of a bundle in the vendor's own store: receipts, names of releases, and remembered sites.
//!
//! `pack` takes the result. `site list` and `site forget` are here too.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::UNIX_EPOCH;

use serde::Serialize;

use super::fleet_scale::FleetScale;
use crate::base::envelope::HEADER_BYTES;
use crate::base::monitor::Monitor;
use crate::base::utc;
use crate::bundle::receipt::packed::{PACKED_BYTES_MAX, PackedSet};
use crate::bundle::receipt::site::{Site, SiteName};
use crate::bundle::receipt::{FramesWaiting, HeldRelease, RECEIPT_BYTES_MAX, Receipt};
use crate::bundle::{Effort, Recipient, WaitingSet};
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::Error;
use crate::store::Store;

/// A recipient, and the releases it has that this store does not know.
#[derive(Debug, Clone)]
pub struct FoundRecipient {
    /// What it is assumed to have.
    pub receiver: Recipient,
    /// Releases that are ignored. The bundle is correct without them, but larger.
    pub unknown: Vec<String>,
    /// Staged sets without a record here, by the beginnings of their ids. They are ignored in the same way.
    pub unknown_sets: Vec<String>,
}

/// Reads a receipt. `given` is the name of a file or pipe, or the text of a receipt itself.
///
/// # Errors
/// [`Error::NoReceipt`] for what looks like the name of a missing file, [`Error::Receipt`], or [`Error::Io`] when a
/// file cannot be read.
pub fn read_receipt(given: &str) -> Result<Receipt, Error> {
    let path = Path::new(given);
    let bytes = match std::fs::metadata(path) {
        Ok(_) => {
            let mut bytes = Vec::new();
            let file = File::open(path).map_err(Error::io(path))?;
            // One byte more than allowed, so that a longer file is refused.
            file.take(RECEIPT_BYTES_MAX + HEADER_BYTES as u64 + 1)
                .read_to_end(&mut bytes)
                .map_err(Error::io(path))?;
            bytes
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(Error::io(path)(error));
        }
        Err(_) if is_name(given) => {
            return Err(Error::NoReceipt {
                given: given.chars().take(200).collect(),
            });
        }
        Err(_) => given.as_bytes().to_vec(),
    };
    Receipt::read(&bytes).map_err(|source| Error::Receipt {
        given: given
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(80)
            .collect(),
        source,
    })
}

/// Returns whether a text that is not an existing file was meant as the name of one. A receipt's text is longer than
/// any word, and has neither dots nor slashes.
fn is_name(given: &str) -> bool {
    const TEXT_MIN_SIGNS: usize = 16;
    let given = given.trim();
    // The name of a release is a different mistake, and is reported as a text that is not a receipt.
    let is_release = given.contains(':') && !given.contains('/');
    if given.starts_with('{') || is_release || given.lines().count() > 1 {
        return false;
    }
    let signs = given.chars().filter(|c| c.is_alphanumeric()).count();
    signs < TEXT_MIN_SIGNS || given.contains(['/', '.', '\\', '_', '~'])
}

/// Resolves a receipt, as far as this store knows its releases.
///
/// # Errors
/// [`Error`] when the releases cannot be listed.
pub fn by_receipt(store: &Store, label: &str, receipt: &Receipt) -> Result<FoundRecipient, Error> {
    let mut found = by_held(store, label, &receipt.releases)?;
    found.receiver.missing.clone_from(&receipt.lacks);
    for waiting in &receipt.waiting {
        match packed_as(store, waiting)? {
            Some(set) => found.receiver.waiting.push(set),
            None => found.unknown_sets.push(waiting.set_hex()[..8].to_owned()),
        }
    }
    Ok(found)
}

/// Returns the record of a staged set. Returns `None` when there is none, or its releases are no longer in this store.
fn packed_as(store: &Store, waiting: &FramesWaiting) -> Result<Option<WaitingSet>, Error> {
    let sets = store.sets()?;
    let Some(set) = sets.into_iter().find(|set| waiting.is(set)) else {
        return Ok(None);
    };
    let body = store.set(&set, PACKED_BYTES_MAX)?;
    let Some(packed) = body.and_then(|body| PackedSet::decode(&body).ok()) else {
        return Ok(None);
    };
    let (roots, _) = crate::ops::releases(store)?;
    let is_in = |root: &&ReleaseRoot| packed.releases.iter().any(|held| held.is(&root.id()));
    let releases: Vec<ReleaseRoot> = roots.iter().filter(is_in).cloned().collect();
    let frames = (0..).zip(packed.frames);
    Ok((!releases.is_empty()).then(|| WaitingSet {
        set,
        releases,
        frames: frames.filter(|(frame, _)| waiting.has(*frame)).collect(),
    }))
}

/// Makes a recipient that is assumed to have all of these releases.
///
/// # Errors
/// [`Error::NoSuchRelease`].
pub fn by_names(store: &Store, names: &[ReleaseName]) -> Result<FoundRecipient, Error> {
    let label: Vec<String> = names.iter().map(ToString::to_string).collect();
    let roots = names.iter().map(|name| crate::ops::release(store, name));
    Ok(FoundRecipient {
        receiver: Recipient {
            label: label.join(","),
            releases: roots.collect::<Result<_, _>>()?,
            ..Recipient::default()
        },
        unknown: Vec::new(),
        unknown_sets: Vec::new(),
    })
}

/// Returns the recipient for a remembered site, or `None` when nothing is remembered. Its last receipt counts, and
/// without one the last bundle that was packed for it.
///
/// # Errors
/// [`Error`] when it cannot be read, or the releases cannot be listed.
pub fn by_site(store: &Store, name: &SiteName) -> Result<Option<FoundRecipient>, Error> {
    let label = name.to_string();
    let site = remembered(store, name)?;
    match (site.receipt, site.packed) {
        (Some(receipt), _) => by_receipt(store, &label, &receipt).map(Some),
        (None, packed) if packed.is_empty() => Ok(None),
        (None, packed) => by_held(store, &label, &packed).map(Some),
    }
}

/// Records what was given for a site, and what was packed for it.
///
/// # Errors
/// [`Error`] when it cannot be written.
pub fn remember(
    store: &Store,
    name: &SiteName,
    receipt: Option<&Receipt>,
    packed: &[ReleaseRoot],
) -> Result<(), Error> {
    let mut site = remembered(store, name)?;
    if let Some(receipt) = receipt {
        site.receipt = Some(receipt.clone());
    }
    site.packed = packed.iter().map(HeldRelease::of).collect();
    Ok(store.put_site(&name.file_stem(), &site.encode())?)
}

/// Returns whether the site's last receipt was of another store. In that case the site was moved or set up again, or
/// the receipt is another site's.
///
/// # Errors
/// [`Error`] when the record cannot be read.
pub fn is_of_another_store(
    store: &Store,
    name: &SiteName,
    receipt: &Receipt,
) -> Result<bool, Error> {
    let before = remembered(store, name)?.receipt;
    Ok(before.is_some_and(|before| !before.is_of(receipt)))
}

/// Returns the hex digits of the store of a site's last receipt, or `None` without one.
///
/// # Errors
/// [`Error`] when the record cannot be read.
pub fn store_of(store: &Store, name: &SiteName) -> Result<Option<String>, Error> {
    Ok(remembered(store, name)?
        .receipt
        .as_ref()
        .map(Receipt::store_hex))
}

fn remembered(store: &Store, name: &SiteName) -> Result<Site, Error> {
    let body = store.site(&name.file_stem())?;
    // An unreadable record counts as forgotten, which only makes the bundle larger.
    Ok(body
        .and_then(|body| Site::decode(&body).ok())
        .unwrap_or_default())
}

fn by_held(store: &Store, label: &str, held: &[HeldRelease]) -> Result<FoundRecipient, Error> {
    let (roots, _) = crate::ops::releases(store)?;
    let known = |held: &HeldRelease| roots.iter().find(|root| held.is(&root.id()));
    Ok(FoundRecipient {
        receiver: Recipient {
            label: label.to_owned(),
            releases: held.iter().filter_map(known).cloned().collect(),
            ..Recipient::default()
        },
        unknown: held
            .iter()
            .filter(|held| known(held).is_none())
            .map(HeldRelease::label)
            .collect(),
        unknown_sets: Vec::new(),
    })
}

/// Returns the names of the remembered sites, sorted.
///
/// # Errors
/// [`Error`] when they cannot be listed.
pub fn names(store: &Store) -> Result<Vec<SiteName>, Error> {
    let stems = store.sites()?;
    let mut names: Vec<SiteName> = stems
        .iter()
        .filter_map(|stem| SiteName::from_file_stem(stem))
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// What a delta to a site would weigh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct NextDelta {
    /// The releases in it.
    pub releases: Vec<ReleaseName>,
    /// Plain bytes that the site does not have.
    pub new_bytes: u64,
    /// Approximate bytes of these in a bundle.
    pub carried_bytes: u64,
}

/// A site in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ListedSite {
    /// Its name.
    pub name: SiteName,
    /// The store of its last receipt, or `None` without one.
    pub store: Option<String>,
    /// Releases in its last receipt.
    pub has: Vec<String>,
    /// Chunks of them that were lost or damaged there.
    pub lacks: u64,
    /// Releases of the last bundle that was packed for it.
    pub packed: Vec<String>,
    /// When a receipt of it came or a bundle was packed for it last. `None` where that is not known.
    pub noted_at: Option<String>,
    /// What the next delta to it would weigh, if that was asked for.
    pub next: Option<NextDelta>,
}

/// The remembered sites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SitesReport {
    /// The sites, by name.
    pub sites: Vec<ListedSite>,
}

/// Lists the remembered sites, and what a delta of `next` to each would weigh, if there is any.
///
/// # Errors
/// [`Error`] when they cannot be listed, or a release of `next` cannot be weighed.
pub fn sites(
    store: &Store,
    next: &[ReleaseRoot],
    monitor: &dyn Monitor,
) -> Result<SitesReport, Error> {
    let (roots, _) = crate::ops::releases(store)?;
    // A text receipt has no names, but the releases of this store do.
    let label = |held: &HeldRelease| {
        let root = roots.iter().find(|root| held.is(&root.id()));
        root.map_or_else(|| held.label(), |root| root.name.to_string())
    };
    let mut scale = FleetScale::new(store, next, Effort::Default);
    let mut sites = Vec::new();
    for name in names(store)? {
        let site = remembered(store, &name)?;
        let noted_at = store.site_noted_at(&name.file_stem());
        let noted_at = noted_at.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let next = match next {
            [] => None,
            next => {
                let known = by_site(store, &name)?;
                let receiver = known.map(|known| known.receiver).unwrap_or_default();
                let (new_bytes, carried_bytes) = scale.weigh(&[receiver], monitor)?;
                Some(NextDelta {
                    releases: next.iter().map(|root| root.name.clone()).collect(),
                    new_bytes,
                    carried_bytes,
                })
            }
        };
        let receipt = site.receipt.as_ref();
        sites.push(ListedSite {
            name,
            store: receipt.map(Receipt::store_hex),
            has: receipt
                .into_iter()
                .flat_map(|receipt| receipt.releases.iter().map(label))
                .collect(),
            lacks: receipt.map_or(0, |receipt| receipt.lacks.len() as u64),
            packed: site.packed.iter().map(label).collect(),
            noted_at: noted_at.map(|since| utc::instant(since.as_secs())),
            next,
        });
    }
    Ok(SitesReport { sites })
}

/// Forgets a site. Returns whether anything was remembered of it.
///
/// # Errors
/// [`Error`] when it cannot be removed.
pub fn forget(store: &Store, name: &SiteName) -> Result<bool, Error> {
    Ok(store.forget_site(&name.file_stem())?)
}
