//! The served content: repositories with their tags, manifests and blobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use super::files::ServedFiles;
use crate::oci::image::{Descriptor, Digest};
use crate::oci::registry::plan::PlannedRepository;
use crate::oci::registry::referrer::ReferrerDocument;

/// A manifest or an index that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServedManifest {
    /// Its media type, digest and length.
    pub descriptor: Descriptor,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

#[derive(Debug, Default)]
struct Repository {
    tags: BTreeMap<String, Digest>,
    /// The meaning of tags for requests with the host of an image's name. Names without a host have an empty one.
    host_tags: BTreeMap<String, BTreeMap<String, Digest>>,
    manifests: BTreeMap<Digest, ServedManifest>,
    blobs: BTreeMap<Digest, u64>,
    /// The referrers of a manifest, as the list of referrers shows them.
    referrers: BTreeMap<Digest, Vec<serde_json::Value>>,
}

/// Everything that is served. All of it but the blobs is held in memory.
#[derive(Debug, Default)]
pub struct Repositories {
    repositories: BTreeMap<String, Repository>,
    /// The hosts in names of images.
    hosts: BTreeSet<String>,
    /// Files of package repositories.
    files: ServedFiles,
}

/// The repositories that are served now. They may be replaced at any time.
#[derive(Debug, Default)]
pub struct CurrentRepositories(RwLock<Arc<Repositories>>);

impl CurrentRepositories {
    /// Returns what is served now.
    pub fn now(&self) -> Arc<Repositories> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves these repositories from now on.
    pub fn replace(&self, repositories: Repositories) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(repositories);
    }
}

impl From<Repositories> for Arc<CurrentRepositories> {
    fn from(repositories: Repositories) -> Self {
        Self::new(CurrentRepositories(RwLock::new(Arc::new(repositories))))
    }
}

impl Repositories {
    /// Makes the repositories of a plan.
    pub fn new(plan: Vec<PlannedRepository>) -> Self {
        let mut repositories = Self::default();
        for planned in plan {
            let repository = repositories.repositories.entry(planned.name).or_default();
            let blobs = planned
                .blobs
                .into_iter()
                .map(|blob| (blob.digest, blob.bytes));
            repository.blobs.extend(blobs);
            for manifest in planned.manifests {
                let digest = manifest.descriptor.digest.clone();
                for tag in manifest.tags {
                    repository.tags.insert(tag, digest.clone());
                }
                for (host, tag) in manifest.host_tags {
                    if !host.is_empty() {
                        repositories.hosts.insert(host.clone());
                    }
                    let tags = repository.host_tags.entry(host).or_default();
                    tags.insert(tag, digest.clone());
                }
                let manifest = ServedManifest {
                    descriptor: manifest.descriptor,
                    bytes: manifest.bytes,
                };
                if let Some((subject, entry)) = reference(&manifest) {
                    repository.referrers.entry(subject).or_default().push(entry);
                }
                repository.manifests.insert(digest, manifest);
            }
        }
        repositories
    }

    /// Serves these files as well.
    #[must_use]
    pub fn with_files(self, files: ServedFiles) -> Self {
        Self { files, ..self }
    }

    /// Returns the files that are served.
    pub(super) fn files(&self) -> &ServedFiles {
        &self.files
    }

    /// Finds a repository. A name of one word also matches `library/` and that word, for clients that treat this
    /// registry as Docker Hub.
    fn get(&self, name: &str) -> Option<&Repository> {
        let own = || self.repositories.get(name.strip_prefix("library/")?);
        self.repositories.get(name).or_else(own)
    }

    /// Returns the names of all repositories, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.repositories.keys().map(String::as_str)
    }

    /// Returns the tags of a repository, in order, or `None` when there is no such repository.
    pub fn tags(&self, name: &str) -> Option<impl Iterator<Item = &str>> {
        Some(self.get(name)?.tags.keys().map(String::as_str))
    }

    /// Returns a manifest by tag or digest. `host` is the host in the name that the client pulls. A tag is looked up
    /// among names with that host first, then among names without a host. A host without any image here finds every
    /// name.
    pub fn manifest(
        &self,
        name: &str,
        reference: &str,
        host: Option<&str>,
    ) -> Option<&ServedManifest> {
        let repository = self.get(name)?;
        let parsed = reference.parse::<Digest>().ok();
        let digest = match (&parsed, host) {
            (Some(digest), _) => digest,
            (None, None) => repository.tags.get(reference)?,
            (None, Some(host)) => {
                let host = host.to_ascii_lowercase();
                let at = |host: &str| repository.host_tags.get(host)?.get(reference);
                let any = || repository.tags.get(reference);
                let any = || any().filter(|_| !self.hosts.contains(&host));
                at(&host).or_else(|| at("")).or_else(any)?
            }
        };
        repository.manifests.get(digest)
    }

    /// Returns the length of a blob of a repository.
    pub fn blob(&self, name: &str, digest: &Digest) -> Option<u64> {
        self.get(name)?.blobs.get(digest).copied()
    }

    /// Returns the referrers of a manifest, in order, or nothing when there is no such manifest.
    pub fn referrers(&self, name: &str, subject: &Digest) -> Option<&[serde_json::Value]> {
        let repository = self.get(name)?;
        Some(repository.referrers.get(subject).map_or(&[], Vec::as_slice))
    }

    /// Returns whether there is a repository of this name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Returns the digests of all blobs, each once.
    pub fn blobs(&self) -> BTreeSet<&Digest> {
        self.repositories
            .values()
            .flat_map(|repository| repository.blobs.keys())
            .collect()
    }
}

/// Returns the subject of a manifest, and its entry in the list of referrers.
fn reference(manifest: &ServedManifest) -> Option<(Digest, serde_json::Value)> {
    let document = ReferrerDocument::read(&manifest.bytes)?;
    let subject = document.subject()?;
    Some((subject, document.entry(&manifest.descriptor)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_one_word_is_found_as_the_hub_would_call_it() {
        let named = |name: &str| PlannedRepository {
            name: name.to_owned(),
            ..PlannedRepository::default()
        };
        let repositories = Repositories::new(vec![named("web"), named("shop/db")]);
        assert!(
            repositories.has("web")
                && repositories.has("library/web")
                && repositories.has("shop/db")
        );
        assert!(
            !repositories.has("library/shop")
                && !repositories.has("db")
                && !repositories.has("library/library/web")
        );
    }
}
