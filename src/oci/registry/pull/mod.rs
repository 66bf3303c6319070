//! Pulls an image with everything that belongs to it into a folder. The result is an OCI image layout, with the same
//! bytes every time.
//!
//! Blobs are fetched into a pool next to it, several at a time. They stay there until the caller removes them, so that
//! a second run continues where the first ended. Holds all manifests in memory: at most 4 MiB each, 64 MiB together.
mod gather;
mod layout;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use self::gather::PullPlan;
use self::layout::write_layout;
use super::RegistryError;
use super::client::Client;
use super::part::{self, PartFile};
use crate::base::fs::free_space_bytes;
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::oci::image::{Descriptor, Digest, Platform, Reference, is_index};

/// Blobs that are fetched at a time.
const BLOBS_AT_A_TIME: usize = 4;
/// Room that is left free besides the blobs.
const SPARE_BYTES: u64 = 16 << 20;

/// Options of a pull.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PullOptions {
    /// Requested platforms. Empty stands for all.
    pub platforms: Vec<Platform>,
}

/// The result of a pull.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pulled {
    /// The manifest or index that the reference named.
    pub root: Descriptor,
    /// Images, one a platform.
    pub images: usize,
    /// Signatures, SBOMs and similar.
    pub referrers: usize,
    /// Bytes of all blobs and manifests.
    pub bytes: u64,
    /// Bytes that an earlier run had fetched.
    pub known_bytes: u64,
}

/// Pulls what `reference` names into the new folder `layout`, by way of the folder `pool`.
///
/// # Errors
/// [`RegistryError`]. Blobs that were fetched stay in the pool.
pub fn pull(
    client: &Client,
    reference: &Reference,
    options: &PullOptions,
    pool: &Path,
    layout: &Path,
    monitor: &dyn Monitor,
) -> Result<Pulled, RegistryError> {
    let wanted = match (&reference.digest, reference.tag_or_latest()) {
        (Some(digest), _) => digest.to_string(),
        (None, tag) => tag.unwrap_or("latest").to_owned(),
    };
    let mut gathering = PullPlan {
        client,
        repository: &reference.repository,
        options,
        monitor,
        manifests: BTreeMap::new(),
        manifest_bytes: 0,
        blobs: BTreeMap::new(),
        images: 0,
        referrers: BTreeMap::new(),
    };
    let root = client.manifest(&reference.repository, &wanted, monitor)?;
    let root_descriptor = root.descriptor.clone();
    if !is_index(&root_descriptor.media_type) {
        gathering.check_platform(&root)?;
    }
    gathering.take(root, 0)?;
    gathering.take_referrers()?;
    // Everything up to here only fetched manifests, so a wrong request leaves no file behind.
    std::fs::create_dir_all(pool).map_err(RegistryError::io(pool))?;
    let blobs: Vec<Descriptor> = gathering.blobs.values().cloned().collect();
    let known_bytes = fetch_all(client, &reference.repository, &blobs, pool, monitor)?;
    let blob_bytes: u64 = total(blobs.iter().map(|blob| blob.bytes));
    let pulled = Pulled {
        root: root_descriptor,
        images: gathering.images,
        referrers: gathering.referrers.len(),
        bytes: blob_bytes + gathering.manifest_bytes,
        known_bytes,
    };
    write_layout(layout, reference, &pulled.root, &gathering, pool)?;
    Ok(pulled)
}

fn pooled(pool: &Path, digest: &Digest) -> PathBuf {
    pool.join(digest.hex())
}

/// Fetches all blobs into the pool. Returns the bytes that were there already.
fn fetch_all(
    client: &Client,
    repository: &str,
    blobs: &[Descriptor],
    pool: &Path,
    monitor: &dyn Monitor,
) -> Result<u64, RegistryError> {
    monitor.start("pull", total(blobs.iter().map(|blob| blob.bytes)));
    let mut missing = Vec::new();
    let (mut known_bytes, mut needed_bytes) = (0, SPARE_BYTES);
    for blob in blobs {
        let path = pooled(pool, &blob.digest);
        if part::holds(&path, &blob.digest, monitor)? {
            known_bytes += blob.bytes;
            monitor.advance(blob.bytes);
            continue;
        }
        let begun = std::fs::metadata(path.with_extension("part")).map_or(0, |stat| stat.len());
        known_bytes += begun.min(blob.bytes);
        monitor.advance(begun.min(blob.bytes));
        needed_bytes = needed_bytes.saturating_add(blob.bytes.saturating_sub(begun));
        missing.push(blob);
    }
    let free_bytes = free_space_bytes(pool).map_err(RegistryError::io(pool))?;
    if !missing.is_empty() && free_bytes < needed_bytes {
        return Err(RegistryError::NoSpace {
            path: pool.to_owned(),
            free_bytes,
            needed_bytes,
        });
    }
    // The longest come first, so that the end does not wait for one long blob.
    missing.sort_by_key(|blob| std::cmp::Reverse(blob.bytes));
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let first_error = Mutex::new(None);
    let work = || {
        while !failed.load(Ordering::Relaxed)
            && let Some(blob) = missing.get(next.fetch_add(1, Ordering::Relaxed))
        {
            if let Err(error) = fetch_one(client, repository, blob, pool, monitor) {
                failed.store(true, Ordering::Relaxed);
                if let Ok(mut first) = first_error.lock() {
                    first.get_or_insert(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..BLOBS_AT_A_TIME.min(missing.len()) {
            scope.spawn(work);
        }
    });
    monitor.finish();
    match first_error.into_inner() {
        Ok(Some(error)) => Err(error),
        _ => Ok(known_bytes),
    }
}

fn fetch_one(
    client: &Client,
    repository: &str,
    blob: &Descriptor,
    pool: &Path,
    monitor: &dyn Monitor,
) -> Result<(), RegistryError> {
    let path = pooled(pool, &blob.digest);
    let mut file = PartFile::open(&path.with_extension("part"), &blob.digest, monitor)?;
    // A part that is longer than the blob cannot be its beginning.
    if file.bytes() > blob.bytes {
        file.clear()?;
    }
    let known_bytes = file.bytes();
    client.blob(repository, blob, &mut file, monitor)?;
    file.finish(&path, &format!("blob {repository}@{}", blob.digest))?;
    tracing::debug!(
        registry = client.host(),
        repository,
        digest = %blob.digest,
        bytes = blob.bytes,
        known_bytes,
        "blob was pulled"
    );
    Ok(())
}
