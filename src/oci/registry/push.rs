//! Pushes images to a registry: blobs first, several at a time, each once. Manifests follow, children before parents.
//!
//! What the registry has already is not sent. Memory: 1 MiB for each blob in transfer, besides what its source needs.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde::Serialize;

use super::client::{Client, Sent};
use super::plan::{PlannedManifest, PlannedRepository};
use super::{BlobSource, RegistryError};
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::oci::image::{Descriptor, Digest, OCI_INDEX, is_index};
use crate::oci::registry::referrer::ReferrerDocument;

/// Blobs that are sent at a time.
const BLOBS_AT_A_TIME: usize = 4;

/// How a name came to be in the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NameState {
    /// It was pushed.
    Pushed,
    /// It was there, with this digest.
    There,
    /// The registry refuses an index with missing images. This name is that of its only image.
    Only,
    /// The registry refuses an index with missing images. They are there by their digests, without this name.
    Refused,
}

/// A name in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PushedName {
    /// `REPOSITORY:TAG`, or `REPOSITORY@DIGEST`.
    pub name: String,
    /// The digest that the registry has under the name. `None` when it refused the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// Its state.
    pub state: NameState,
}

/// The result of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PushReport {
    /// The registry.
    pub registry: String,
    /// All names, in order.
    pub names: Vec<PushedName>,
    /// Blobs that were sent, and their bytes.
    pub pushed_blobs: u64,
    /// Bytes of these.
    pub pushed_bytes: u64,
    /// Blobs that the registry took from another of its repositories.
    pub mounted_blobs: u64,
    /// Blobs that were there already.
    pub there_blobs: u64,
    /// Bytes of blobs that were there already or were taken from another repository.
    pub there_bytes: u64,
}

/// Pushes the planned content.
///
/// # Errors
/// [`RegistryError`]. What is in the registry then is whole, and a second run continues from there.
pub fn push(
    client: &Client,
    plan: &[PlannedRepository],
    source: &dyn BlobSource,
    monitor: &dyn Monitor,
) -> Result<PushReport, RegistryError> {
    let mut report = PushReport {
        registry: client.host().to_owned(),
        ..PushReport::default()
    };
    push_blobs(client, plan, source, &mut report, monitor)?;
    for repository in plan {
        for manifest in &repository.manifests {
            put(client, repository, manifest, &mut report, monitor)?;
        }
    }
    Ok(report)
}

/// A blob and all repositories that need it.
struct PushJob<'p> {
    blob: &'p Descriptor,
    repositories: Vec<&'p str>,
}

fn push_blobs(
    client: &Client,
    plan: &[PlannedRepository],
    source: &dyn BlobSource,
    report: &mut PushReport,
    monitor: &dyn Monitor,
) -> Result<(), RegistryError> {
    let mut jobs: BTreeMap<&Digest, PushJob<'_>> = BTreeMap::new();
    for repository in plan {
        for blob in &repository.blobs {
            let job = jobs.entry(&blob.digest).or_insert(PushJob {
                blob,
                repositories: Vec::new(),
            });
            if !job.repositories.contains(&&repository.name[..]) {
                job.repositories.push(&repository.name);
            }
        }
    }
    // The longest come first, so that the end does not wait for one long blob.
    let mut jobs: Vec<PushJob<'_>> = jobs.into_values().collect();
    jobs.sort_by_key(|job| std::cmp::Reverse(job.blob.bytes));
    monitor.start("push", total(jobs.iter().map(|job| job.blob.bytes)));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let outcome = Mutex::new((PushReport::default(), None));
    let work = || {
        while !failed.load(Ordering::Relaxed)
            && let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let done = push_job(client, job, source, monitor);
            let Ok(mut outcome) = outcome.lock() else {
                return;
            };
            match done {
                Ok(sent) => count(&mut outcome.0, job.blob.bytes, &sent),
                Err(error) => {
                    failed.store(true, Ordering::Relaxed);
                    outcome.1.get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..BLOBS_AT_A_TIME.min(jobs.len()) {
            scope.spawn(work);
        }
    });
    monitor.finish();
    let (counted, error) = outcome.into_inner().unwrap_or_default();
    report.pushed_blobs = counted.pushed_blobs;
    report.pushed_bytes = counted.pushed_bytes;
    report.mounted_blobs = counted.mounted_blobs;
    report.there_blobs = counted.there_blobs;
    report.there_bytes = counted.there_bytes;
    error.map_or(Ok(()), Err)
}

fn count(report: &mut PushReport, bytes: u64, sent: &[Sent]) {
    for sent in sent {
        match sent {
            Sent::Pushed => {
                report.pushed_blobs += 1;
                report.pushed_bytes += bytes;
            }
            Sent::Mounted => {
                report.mounted_blobs += 1;
                report.there_bytes += bytes;
            }
            Sent::There => {
                report.there_blobs += 1;
                report.there_bytes += bytes;
            }
        }
    }
}

/// Sends a blob to the first repository, and has the others mount it from there.
fn push_job(
    client: &Client,
    job: &PushJob<'_>,
    source: &dyn BlobSource,
    monitor: &dyn Monitor,
) -> Result<Vec<Sent>, RegistryError> {
    let mut sent = Vec::new();
    let mut from = None;
    for repository in &job.repositories {
        let one = client.push_blob(repository, job.blob, from, source, monitor)?;
        tracing::debug!(
            registry = client.host(),
            repository,
            digest = %job.blob.digest,
            bytes = job.blob.bytes,
            result = ?one,
            "blob was pushed"
        );
        if one != Sent::Pushed && sent.is_empty() {
            monitor.advance(job.blob.bytes);
        }
        sent.push(one);
        from.get_or_insert(*repository);
    }
    Ok(sent)
}

fn put(
    client: &Client,
    repository: &PlannedRepository,
    manifest: &PlannedManifest,
    report: &mut PushReport,
    monitor: &dyn Monitor,
) -> Result<(), RegistryError> {
    let digest = &manifest.descriptor.digest;
    let mut references: Vec<&str> = manifest.tags.iter().map(|tag| &tag[..]).collect();
    if references.is_empty() {
        references.push(digest.as_str());
    }
    for reference in references {
        let (state, has) = put_one(
            client,
            &repository.name,
            reference,
            manifest,
            repository,
            monitor,
        )?;
        let joint = if reference == digest.as_str() {
            '@'
        } else {
            ':'
        };
        report.names.push(PushedName {
            name: format!("{}{joint}{reference}", repository.name),
            digest: has.clone(),
            state,
        });
    }
    Ok(())
}

fn put_one(
    client: &Client,
    name: &str,
    reference: &str,
    manifest: &PlannedManifest,
    repository: &PlannedRepository,
    monitor: &dyn Monitor,
) -> Result<(NameState, Option<Digest>), RegistryError> {
    let descriptor = &manifest.descriptor;
    // The registry may know it by a digest of another algorithm.
    let there = client.manifest_digest(name, reference, monitor)?;
    let there = there.filter(|there| there.likewise_of(&manifest.bytes) == *there);
    if let Some(there) = there {
        // An earlier push that ended early may have left it out of the list of referrers.
        if let Some(subject) = subject_of(manifest)
            && !client
                .referrer_list(name, &subject, monitor)?
                .contains(&descriptor.digest)
        {
            note_subject(client, name, manifest, monitor)?;
        }
        return Ok((NameState::There, Some(there)));
    }
    let outcome = client.put_manifest(name, reference, descriptor, &manifest.bytes, monitor);
    let children = match (outcome, &manifest.partial) {
        (Ok(is_noted), _) => {
            if !is_noted {
                note_subject(client, name, manifest, monitor)?;
            }
            let has = match &descriptor.digest {
                digest if digest.algorithm() == "sha256" => Some(digest.clone()),
                _ => client.manifest_digest(name, reference, monitor)?,
            };
            return Ok((NameState::Pushed, has));
        }
        (
            Err(RegistryError::Refused { status: 400, .. } | RegistryError::Absent { .. }),
            Some(children),
        ) => children,
        (Err(error), _) => return Err(error),
    };
    let only = match &children[..] {
        [only] => repository
            .manifests
            .iter()
            .find(|other| other.descriptor.digest == only.digest),
        _ => None,
    };
    match only {
        Some(only) if reference != descriptor.digest.as_str() => {
            client.put_manifest(name, reference, &only.descriptor, &only.bytes, monitor)?;
            Ok((NameState::Only, Some(only.descriptor.digest.clone())))
        }
        _ => Ok((NameState::Refused, None)),
    }
}

/// Returns the subject that a manifest states.
fn subject_of(manifest: &PlannedManifest) -> Option<Digest> {
    ReferrerDocument::read(&manifest.bytes)?.subject()
}

/// Adds a referrer to the tag `sha256-<hex>` of its subject. It holds the list where a registry has no referrers API.
fn note_subject(
    client: &Client,
    name: &str,
    manifest: &PlannedManifest,
    monitor: &dyn Monitor,
) -> Result<(), RegistryError> {
    let Some(said) = ReferrerDocument::read(&manifest.bytes) else {
        return Ok(());
    };
    let Some(subject) = said.subject() else {
        return Ok(());
    };
    let tag = format!("{}-{}", subject.algorithm(), subject.hex());
    let mut list = match client.manifest(name, &tag, monitor) {
        // An image may already use such a tag, and keeps it.
        Ok(fetched) if !is_index(&fetched.descriptor.media_type) => return Ok(()),
        Ok(fetched) => serde_json::from_slice(&fetched.bytes).unwrap_or_default(),
        Err(error) if error.is_absent() => serde_json::Value::Null,
        Err(error) => return Err(error),
    };
    if !list["manifests"].is_array() {
        list = serde_json::json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []});
    }
    let digest = manifest.descriptor.digest.as_str();
    let Some(entries) = list["manifests"].as_array_mut() else {
        return Ok(());
    };
    if entries.iter().any(|entry| entry["digest"] == digest) {
        return Ok(());
    }
    entries.push(said.entry(&manifest.descriptor));
    let bytes = list.to_string().into_bytes();
    let descriptor = Descriptor {
        media_type: OCI_INDEX.to_owned(),
        digest: Digest::of(&bytes),
        bytes: bytes.len() as u64,
    };
    client.put_manifest(name, &tag, &descriptor, &bytes, monitor)?;
    Ok(())
}
