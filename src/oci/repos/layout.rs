//! Where repositories lie: which paths are the marks of one, and what is below a folder.
//!
//! Only paths are looked at.

use std::collections::BTreeSet;

use super::RepositoryKind;

/// Most repositories of one item. The rest is left out.
pub(super) const REPOSITORIES_MAX: usize = 1000;

/// Names of apt's index of packages: the plain one, then packed ones.
pub(super) const CONTROL_INDEXES: [&str; 4] =
    ["Packages", "Packages.xz", "Packages.gz", "Packages.bz2"];

/// The mark of a repository, with its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marker {
    pub(super) kind: RepositoryKind,
    /// The folder that a client is pointed to. Empty for the item itself.
    pub(super) folder: String,
}

impl Marker {
    /// Returns the repository that a file of this path is the mark of.
    pub(super) fn of(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path.split('/').collect();
        let (file, folders) = parts.split_last()?;
        let up = |levels: usize| folders.get(..folders.len().checked_sub(levels)?);
        let (kind, folder) = match *file {
            "Release" | "InRelease" if folders.contains(&"dists") => {
                let at = folders.iter().position(|part| *part == "dists")?;
                (RepositoryKind::Apt, &folders[..at])
            }
            index if CONTROL_INDEXES.contains(&index) && !folders.contains(&"dists") => {
                (RepositoryKind::Apt, folders)
            }
            "repomd.xml" if folders.last() == Some(&"repodata") => (RepositoryKind::Dnf, up(1)?),
            // The client appends its architecture.
            "APKINDEX.tar.gz" => (RepositoryKind::Apk, up(1).unwrap_or_default()),
            "index.html" if folders.last() == Some(&"simple") => (RepositoryKind::PyPi, up(1)?),
            "index.yaml" => (RepositoryKind::Helm, folders),
            package if package.ends_with(".tgz") && folders.last() == Some(&"-") => {
                let levels = match folders.get(folders.len().checked_sub(3)?) {
                    Some(scope) if scope.starts_with('@') => 3,
                    _ => 2,
                };
                (RepositoryKind::Npm, up(levels)?)
            }
            _ => return None,
        };
        Some(Self {
            kind,
            folder: folder.join("/"),
        })
    }
}

/// Leaves out repositories that lie in another one of their kind, and those that are too many.
pub(super) fn outermost(markers: BTreeSet<Marker>) -> Vec<Marker> {
    let mut kept: Vec<Marker> = Vec::new();
    // A folder sorts before what is in it, but others may stand between them.
    for marker in markers {
        let is_within = |other: &Marker| {
            other.kind == marker.kind && below(&other.folder, &marker.folder).is_some()
        };
        if kept.len() < REPOSITORIES_MAX && !kept.iter().any(is_within) {
            kept.push(marker);
        }
    }
    kept
}

/// Returns the rest of a path below a folder.
pub(super) fn below<'p>(folder: &str, path: &'p str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// Returns where a symbolic link leads, when that is in the same item.
pub(super) fn link_target(path: &str, target: &str) -> Option<String> {
    if target.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn repositories_are_known_by_their_indexes() {
        use RepositoryKind::{Apk, Apt, Dnf, Helm, Npm, PyPi};
        for (path, kind, folder) in [
            ("dists/bookworm/InRelease", Apt, ""),
            ("debian/dists/bookworm/updates/main/Release", Apt, "debian"),
            ("flat/Packages.gz", Apt, "flat"),
            ("Packages", Apt, ""),
            ("el9/x86_64/repodata/repomd.xml", Dnf, "el9/x86_64"),
            ("v3.20/main/x86_64/APKINDEX.tar.gz", Apk, "v3.20/main"),
            ("pypi/simple/index.html", PyPi, "pypi"),
            ("npm/left-pad/-/left-pad-1.3.0.tgz", Npm, "npm"),
            ("npm/@types/node/-/node-20.1.0.tgz", Npm, "npm"),
            ("charts/index.yaml", Helm, "charts"),
        ] {
            let marker = Marker::of(path).unwrap();
            assert_eq!((marker.kind, &marker.folder[..]), (kind, folder), "{path}");
        }
        for path in [
            "Release",
            "a/-/b.txt",
            "simple.html",
            "-/x.tgz",
            "repomd.xml",
            "",
        ] {
            assert_eq!(Marker::of(path), None, "{path}");
        }
    }

    #[test]
    fn one_of_a_kind_is_left_and_links_stay_in_the_item() {
        let marker = |folder: &str| Marker {
            kind: RepositoryKind::Apt,
            folder: folder.to_owned(),
        };
        let all = BTreeSet::from(["a", "a-b", "a/b", "c/d"].map(marker));
        assert_eq!(outermost(all), ["a", "a-b", "c/d"].map(marker));
        assert_eq!(
            link_target("dists/stable", "bookworm").unwrap(),
            "dists/bookworm"
        );
        assert_eq!(link_target("a/b", "../c/./d").unwrap(), "c/d");
        for target in ["/etc", "../../x", "..", "."] {
            assert_eq!(link_target("b", target), None, "{target}");
        }
    }
}
