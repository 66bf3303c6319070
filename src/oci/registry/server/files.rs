//! Files of package repositories that are served: paths as apt, dnf, pip and others ask for them.
//!
//! It knows lengths and hashes, and reads nothing. The bytes come from the source of blobs.

use std::collections::BTreeMap;

use crate::oci::image::Digest;

/// What is served of a path that names a folder.
const FOLDER_INDEXES: [&str; 2] = ["index.html", "index.json"];

/// Files by path: `RELEASE/ITEM/PATH`.
#[derive(Debug, Default)]
pub struct ServedFiles {
    files: BTreeMap<String, (Digest, u64)>,
    /// The release that a name without a version stands for.
    newest: BTreeMap<String, String>,
}

impl ServedFiles {
    /// Serves a file of this length at `path`.
    pub fn add(&mut self, path: String, digest: Digest, bytes: u64) {
        self.files.insert(path, (digest, bytes));
    }

    /// Serves the files of `release` under `name` as well. The first release of a name stays.
    pub fn add_name(&mut self, name: &str, release: &str) {
        let newest = self.newest.entry(name.to_owned());
        newest.or_insert_with(|| release.to_owned());
    }

    /// Returns the path, the hash and the length of the file that a request means. apt asks for `./Packages` in a flat
    /// repository.
    pub(super) fn get(&self, path: &str) -> Option<(&str, &Digest, u64)> {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let path = parts.collect::<Vec<_>>().join("/");
        let own = |path: &str| {
            let (path, (digest, bytes)) = self.files.get_key_value(path)?;
            Some((path.as_str(), digest, *bytes))
        };
        let any = |path: &str| {
            let mut indexes = FOLDER_INDEXES.iter();
            own(path).or_else(|| indexes.find_map(|index| own(&format!("{path}/{index}"))))
        };
        any(&path).or_else(|| {
            let (name, rest) = path.split_once('/')?;
            any(&format!("{}/{rest}", self.newest.get(name)?))
        })
    }
}

/// Returns the media type of a file by its name.
pub(super) fn media_type(path: &str) -> &'static str {
    let file = path.rsplit('/').next().unwrap_or_default();
    match file.rsplit_once('.').map(|(_, end)| end) {
        Some("html") => "text/html; charset=utf-8",
        Some("json") => "application/json",
        Some("xml") => "text/xml",
        Some("yaml") => "text/yaml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn paths_are_found_by_release_by_name_and_as_folders() {
        let mut files = ServedFiles::default();
        for (at, path) in [
            "os:2/repo/InRelease",
            "os:1/repo/InRelease",
            "os:2/pip/simple/x/index.html",
        ]
        .into_iter()
        .enumerate()
        {
            files.add(path.to_owned(), Digest::of(path.as_bytes()), at as u64);
        }
        files.add_name("os", "os:2");
        files.add_name("os", "os:1");
        let bytes = |path: &str| files.get(path).map(|(.., bytes)| bytes);
        assert_eq!(bytes("os:1/repo/InRelease"), Some(1));
        assert_eq!(bytes("os/repo/InRelease"), Some(0));
        assert_eq!(bytes("os/repo/.//InRelease"), Some(0));
        assert_eq!(bytes("os/pip/simple/x/"), Some(2));
        assert_eq!(bytes("os:2/pip/simple/x"), Some(2));
        for path in [
            "",
            "os",
            "os/",
            "os/repo",
            "os/../os:2/repo/InRelease",
            "repo/InRelease",
        ] {
            assert_eq!(bytes(path), None, "{path}");
        }
    }
}
