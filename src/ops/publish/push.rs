//! `push`: sends the images of a release to a registry, with their original digests.
//!
//! Nothing is unpacked to disk. Blobs are read from the store on demand. Memory: the manifests of the release's images,
//! and what `registry::push` states.

use serde::Serialize;

use super::repositories::{self, Blobs, Plan, PublishRequest, Rules};
use super::signed::{LeavingManifest, check_manifests};
use crate::base::finding::{Finding, Severity};
use crate::base::monitor::Monitor;
use crate::content::release::ReleaseName;
use crate::oci::image::{Choice, digest_tag, is_host, is_repository};
use crate::oci::registry::client::{Client, ClientOptions};
use crate::oci::registry::plan::PlannedManifest;
use crate::oci::registry::push::{self as registry_push, PushReport};
use crate::oci::signatures::TrustedImageKey;
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::ops::{Error, Releases};

/// Options of `push`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PushOptions {
    /// Which images.
    pub choice: Choice,
    /// How the client talks to the registry.
    pub client: ClientOptions,
    /// The keys that must have signed everything. `None` asks for no signature.
    pub signed_by: Option<Vec<TrustedImageKey>>,
}

/// The result of `push`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ReleasePushReport {
    /// The release.
    pub release: ReleaseName,
    /// What was pushed.
    #[serde(flatten)]
    pub pushed: PushReport,
    /// Problems of the images, and what was left out.
    pub findings: Vec<Finding>,
}

impl ReleasePushReport {
    /// Returns whether everything requested is in the registry under its name.
    pub fn is_whole(&self) -> bool {
        let refused =
            |name: &registry_push::PushedName| name.state == registry_push::NameState::Refused;
        !self.pushed.names.iter().any(refused)
            && !self
                .findings
                .iter()
                .any(|finding| finding.severity == Severity::Loss)
    }
}

/// Pushes the images of a release to `HOST[:PORT][/PREFIX]`.
///
/// # Errors
/// [`Error`]. What is in the registry then is whole, and a second run continues from there.
pub fn push<R: Releases>(
    store: &R,
    name: &ReleaseName,
    to: &str,
    options: &PushOptions,
    monitor: &dyn Monitor,
) -> Result<ReleasePushReport, Error> {
    push_by(store, name, to, options, &Rules::default(), monitor)
}

/// Does the same with other rules for names.
///
/// # Errors
/// As [`push`]. [`Error::NoSuchHost`] when a mapped host is not the host of any image. [`Error::Unsigned`] before anything
/// is sent.
pub fn push_by<R: Releases>(
    store: &R,
    name: &ReleaseName,
    to: &str,
    options: &PushOptions,
    rules: &Rules,
    monitor: &dyn Monitor,
) -> Result<ReleasePushReport, Error> {
    let (host, prefix) = destination(to)?;
    let wanted = PublishRequest {
        choice: options.choice.clone(),
        prefix: prefix.map(str::to_owned),
    };
    let names = std::slice::from_ref(name);
    let plan = repositories::plan_by(store, names, &wanted, rules, monitor)?;
    let mut mapped = rules.hosts.maps.keys();
    if let Some(host) = mapped.find(|host| !plan.has_host(host)) {
        return Err(Error::NoSuchHost {
            host: host.clone(),
            has: plan.hosts.into_iter().collect(),
        });
    }
    if let Some(keys) = &options.signed_by {
        let leaving = leaving(&plan);
        check_manifests(store, &plan.images, leaving, keys, monitor)?;
    }
    let client = Client::new(host, &options.client)?;
    let blobs = Blobs {
        store,
        images: &plan.images,
    };
    let pushed = registry_push::push(&client, &plan.repositories, &blobs, monitor)?;
    let report = ReleasePushReport {
        release: name.clone(),
        pushed,
        findings: plan.findings,
    };
    if let Ok(Some(root)) = store.root(name) {
        let entry = HistoryEntry::now(HistoryEvent::Push).release(&root);
        history::note(store, &entry.to(to).whole(report.is_whole()), monitor);
    }
    Ok(report)
}

/// Returns all manifests of a plan with the names that people ask for them by.
fn leaving(plan: &Plan) -> impl Iterator<Item = LeavingManifest<'_>> {
    let repositories = plan.repositories.iter();
    repositories.flat_map(|repository| {
        repository.manifests.iter().map(|manifest| {
            let tag = asked_tag(manifest);
            LeavingManifest {
                digest: &manifest.descriptor.digest,
                name: tag.map(|tag| format!("{}:{tag}", repository.name)),
            }
        })
    })
}

/// Returns a tag of a manifest that does not only stand for the digest of its subject.
fn asked_tag(manifest: &PlannedManifest) -> Option<&str> {
    let hosts = manifest.host_tags.iter().map(|(_, tag)| &tag[..]);
    let mut tags = manifest.tags.iter().map(|tag| &tag[..]).chain(hosts);
    tags.find(|tag| digest_tag(tag).is_none())
}

/// Splits the destination into host and prefix. Refuses a scheme with an error that says so.
fn destination(to: &str) -> Result<(&str, Option<&str>), Error> {
    let to_whole = to
        .strip_prefix("docker://")
        .unwrap_or(to)
        .trim_end_matches('/');
    let (host, prefix) = match to_whole.split_once('/') {
        Some((host, prefix)) => (host, Some(prefix)),
        None => (to_whole, None),
    };
    if !is_host(host) || !prefix.is_none_or(is_repository) {
        return Err(Error::NoRegistry {
            given: to.to_owned(),
        });
    }
    Ok((host, prefix))
}
