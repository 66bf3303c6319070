//! How the packages of package repositories differ between two releases, and what each new one costs.
//!
//! A package is known by its repository, its name and its architecture. Its versions are compared as texts: which one is
//! newer is the business of the program that installs it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::DiffChange;
use crate::bundle::Weighed;
use crate::oci::repos::{PackageRepository, RepositoryKind, RepositoryPackage};

/// A package that is in one of two releases alone, or whose versions there differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DiffPackage {
    /// What reads its repository.
    pub kind: RepositoryKind,
    /// Its repository: the item, and the folder in it.
    pub repository: String,
    /// Its name.
    pub name: String,
    /// The architecture or platform that it is for. Empty when it is not stated.
    pub architecture: String,
    /// How it differs.
    pub change: DiffChange,
    /// Its versions in the older release.
    pub before: Vec<String>,
    /// Its versions in the newer release.
    pub versions: Vec<String>,
    /// Bytes of its files in the newer release that the older one does not have.
    pub bytes: u64,
    /// Plain bytes of their chunks that the older release does not have. A chunk of several packages counts for the first.
    pub new_bytes: u64,
    /// Approximate bytes of these in a bundle.
    pub carried_bytes: u64,
}

/// The repository, the name and the architecture.
type PackageKey<'r> = (RepositoryKind, String, &'r str, &'r str);
type PackageVersions<'r> = BTreeMap<PackageKey<'r>, Vec<&'r RepositoryPackage>>;

fn versions(repositories: &[PackageRepository]) -> PackageVersions<'_> {
    let mut all = PackageVersions::new();
    for repository in repositories {
        for package in &repository.packages {
            let (name, architecture) = (&package.name[..], &package.architecture[..]);
            let key = (repository.kind, repository.place(), name, architecture);
            all.entry(key).or_default().push(package);
        }
    }
    all
}

/// Returns the packages that differ.
pub(super) fn compared_packages(
    before: &[PackageRepository],
    now: &[PackageRepository],
    weighed: &Weighed,
) -> Vec<DiffPackage> {
    let weights = weights(weighed);
    let (old, new) = (versions(before), versions(now));
    let keys: BTreeSet<&PackageKey<'_>> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for key in keys {
        let older = old.get(key).cloned().unwrap_or_default();
        let newer = new.get(key).cloned().unwrap_or_default();
        let (kind, repository, name, architecture) = key;
        let mut told = DiffPackage {
            kind: *kind,
            repository: repository.clone(),
            name: (*name).to_owned(),
            architecture: (*architecture).to_owned(),
            change: match (&older[..], &newer[..]) {
                ([], _) => DiffChange::Added,
                (_, []) => DiffChange::Removed,
                _ => DiffChange::Changed,
            },
            before: named(&older),
            versions: named(&newer),
            bytes: 0,
            new_bytes: 0,
            carried_bytes: 0,
        };
        for package in newer {
            let weight = weights.get(&format!("{repository}/{}", package.path)[..]);
            if let Some((new_bytes, carried_bytes)) = weight {
                told.bytes += package.bytes;
                told.new_bytes += new_bytes;
                told.carried_bytes += carried_bytes;
            }
        }
        // A package that was built again under the same version has new bytes.
        if told.before != told.versions || told.new_bytes > 0 {
            found.push(told);
        }
    }
    found
}

fn named(packages: &[&RepositoryPackage]) -> Vec<String> {
    let versions = packages.iter().map(|package| package.version.clone());
    versions.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Sums up what is new of each file of a folder, with all that is in it.
fn weights(weighed: &Weighed) -> BTreeMap<String, (u64, u64)> {
    let mut sums: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for file in &weighed.files {
        let place = weighed
            .places
            .get(file.within)
            .map_or(&[][..], Vec::as_slice);
        let path = match place {
            [item] => [&item[..], &file.path].join(&b'/'),
            [item, outer, ..] => [&item[..], outer].join(&b'/'),
            [] => continue,
        };
        let sum = sums
            .entry(String::from_utf8_lossy(&path).into_owned())
            .or_default();
        sum.0 += file.new_bytes;
        sum.1 += file.carried_bytes;
    }
    sums
}
