//! Reads images as other programs store them: folders of skopeo's `dir:`, and the storage of a registry. Each is read
//! as the equivalent OCI layout.
//!
//! A folder of skopeo names its image only by its own name. `skopeo sync` names it `HOST/REPOSITORY:TAG`.

use super::context::{Documents, ImageContext, Scheme};
use super::document::{CONTAINERD_NAME, Document, RawDescriptor};
use super::scan::Marks;
use super::{Digest, Reference};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::{ChunkSource, RecipeError};

/// The beginning of the file `version` in a folder of skopeo.
const DIR_VERSION: &[u8] = b"Directory Transport Version: ";
/// Longest `version` and longest link that are read.
const SMALL_BYTES_MAX: u64 = 256;

impl<S: ChunkSource> ImageContext<'_, S> {
    /// Reads a folder of skopeo. Returns `None` when it is not one.
    pub(super) fn dir(
        &mut self,
        place: &[Vec<u8>],
        folder: &[u8],
        manifest: &[u8],
        version: &FileBody,
    ) -> Result<Option<Documents>, RecipeError> {
        let Some(version) = self.small(version)? else {
            return Ok(None);
        };
        let is_manifest = serde_json::from_slice::<Document>(manifest)
            .is_ok_and(|manifest| manifest.config.is_some() || manifest.manifests.is_some());
        if !version.starts_with(DIR_VERSION) || !is_manifest {
            return Ok(None);
        }
        let digest = Digest::of(manifest);
        let entry = entry(&digest, manifest.len() as u64, dir_name(place, folder));
        Ok(Some(documents(vec![entry], Scheme::Dir(digest))))
    }

    /// Reads the tags of a registry's storage. Returns `None` when it is not one.
    pub(super) fn storage(&mut self, marks: &Marks) -> Result<Option<Documents>, RecipeError> {
        let mut entries = Vec::new();
        for (path, body) in &marks.links {
            let path = String::from_utf8_lossy(path);
            let Some((name, link)) = path
                .strip_prefix("repositories/")
                .and_then(|path| path.split_once("/_manifests/"))
            else {
                continue;
            };
            let Some(text) = self.small(body)? else {
                continue;
            };
            let text = String::from_utf8_lossy(&text);
            let Ok(digest) = text.trim().parse::<Digest>() else {
                continue;
            };
            let tag = link
                .strip_prefix("tags/")
                .and_then(|tag| tag.strip_suffix("/current"));
            // An untagged revision is known by its digest: a referrer, or what a tag stood for earlier.
            let name = match tag {
                Some(tag) => format!("{name}:{tag}"),
                None => format!("{name}@{digest}"),
            };
            entries.push((tag.is_none(), entry(&digest, None, Some(name))));
        }
        // Tags first.
        entries.sort_by_key(|(is_revision, _)| *is_revision);
        let entries: Vec<RawDescriptor> = entries.into_iter().map(|(_, entry)| entry).collect();
        Ok((!entries.is_empty()).then(|| documents(entries, Scheme::Storage)))
    }

    /// Reads a short file. Returns `None` when it is longer.
    fn small(&self, body: &FileBody) -> Result<Option<Vec<u8>>, RecipeError> {
        if body.bytes() > SMALL_BYTES_MAX {
            return Ok(None);
        }
        match body.read(self.source, SMALL_BYTES_MAX, self.monitor) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error @ RecipeError::Interrupted(_)) => Err(error),
            // `check` reports what cannot be read.
            Err(_) => Ok(None),
        }
    }
}

fn documents(manifests: Vec<RawDescriptor>, scheme: Scheme) -> Documents {
    Documents {
        docker: None,
        index: Some(Document {
            manifests: Some(manifests),
            ..Document::default()
        }),
        scheme,
    }
}

fn entry(digest: &Digest, bytes: impl Into<Option<u64>>, name: Option<String>) -> RawDescriptor {
    let named = |name| [(CONTAINERD_NAME.to_owned(), name)].into();
    RawDescriptor {
        digest: digest.to_string(),
        size: bytes.into(),
        annotations: name.map(named),
        ..RawDescriptor::default()
    }
}

/// Returns the image name in the name of skopeo's folder: `registry.example/shop/web:1.0`, `web:1.0`, `web`.
fn dir_name(place: &[Vec<u8>], folder: &[u8]) -> Option<String> {
    let own = String::from_utf8_lossy(folder);
    let own = own.trim_end_matches('/');
    let last = place.last().map(|last| String::from_utf8_lossy(last));
    let path = if own.is_empty() {
        last.as_deref()?
    } else {
        own
    };
    let is_host = |part: &str| part.contains(['.', ':']) || part == "localhost";
    let mut starts: Vec<usize> = vec![0];
    starts.extend(path.match_indices('/').map(|(at, _)| at + 1));
    let last = starts.last().copied().unwrap_or(0);
    let whole = starts.iter().find(|at| {
        let rest = &path[**at..];
        rest.split_once('/').is_some_and(|(host, _)| is_host(host))
    });
    let name = &path[whole.copied().unwrap_or(last)..];
    let name = name.strip_suffix(".tar").unwrap_or(name);
    let lower = name.to_lowercase();
    [name, &lower]
        .into_iter()
        .find(|name| name.parse::<Reference>().is_ok())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_skopeos_is_named_by_where_it_lies() {
        let name = |item: &str, folder: &str| {
            dir_name(&[item.as_bytes().to_vec()], folder.as_bytes()).unwrap_or_default()
        };
        assert_eq!(name("web", ""), "web");
        assert_eq!(name("web:1.0", ""), "web:1.0");
        assert_eq!(name("all", "web:1.0/"), "web:1.0");
        assert_eq!(
            name("all", "a/r.example:5000/shop/web:1.0/"),
            "r.example:5000/shop/web:1.0"
        );
        assert_eq!(name("all", "Web/"), "web");
        assert_eq!(name("all", "we b/"), "");
    }
}
