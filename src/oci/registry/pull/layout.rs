//! Lays out a pulled image as an OCI image layout, with the same bytes, modes and times every time.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::json;

use super::gather::PullPlan;
use super::pooled;
use crate::base::own::remove_own;
use crate::oci::image::{Descriptor, Digest, Reference};
use crate::oci::pulls::is_own;
use crate::oci::registry::RegistryError;

/// Mode of all pulled files. Modes and times are fixed, so that the same image is the same item.
const FILE_MODE: u32 = 0o644;
const FOLDER_MODE: u32 = 0o755;

/// Makes the folder `layout` anew, with links to the blobs of the pool.
pub(super) fn write_layout(
    layout: &Path,
    reference: &Reference,
    root: &Descriptor,
    gathering: &PullPlan<'_>,
    pool: &Path,
) -> Result<(), RegistryError> {
    remove_own(layout, &|path| is_own(&format!("items/0/{path}")))
        .map_err(RegistryError::io(layout))?;
    let blobs = layout.join("blobs");
    let algorithms: BTreeSet<&str> = gathering
        .manifests
        .keys()
        .chain(gathering.blobs.keys())
        .map(Digest::algorithm)
        .collect();
    for algorithm in &algorithms {
        let folder = blobs.join(algorithm);
        std::fs::create_dir_all(&folder).map_err(RegistryError::io(&folder))?;
    }
    let place = |digest: &Digest| blobs.join(digest.algorithm()).join(digest.hex());
    let put = |path: PathBuf, bytes: &[u8]| {
        std::fs::write(&path, bytes).map_err(RegistryError::io(&path))?;
        settle(&path, FILE_MODE)
    };
    for (digest, fetched) in &gathering.manifests {
        put(place(digest), &fetched.bytes)?;
    }
    for digest in gathering.blobs.keys() {
        let to = place(digest);
        let from = pooled(pool, digest);
        std::fs::hard_link(&from, &to)
            .or_else(|_| std::fs::copy(&from, &to).map(|_| ()))
            .map_err(RegistryError::io(&to))?;
        settle(&to, FILE_MODE)?;
    }
    put(
        layout.join("oci-layout"),
        b"{\"imageLayoutVersion\":\"1.0.0\"}",
    )?;
    let index = index_json(reference, root, gathering);
    put(layout.join("index.json"), index.to_string().as_bytes())?;
    for algorithm in &algorithms {
        settle(&blobs.join(algorithm), FOLDER_MODE)?;
    }
    for folder in [&blobs, layout] {
        settle(folder, FOLDER_MODE)?;
    }
    Ok(())
}

/// Returns the layout's index: the root under its names, then its referrers.
fn index_json(
    reference: &Reference,
    root: &Descriptor,
    gathering: &PullPlan<'_>,
) -> serde_json::Value {
    let entry = |descriptor: &Descriptor, tag: Option<&str>, full: Option<String>| {
        let mut notes = serde_json::Map::new();
        if let Some(full) = full {
            notes.insert("io.containerd.image.name".to_owned(), full.into());
        }
        if let Some(tag) = tag {
            notes.insert("org.opencontainers.image.ref.name".to_owned(), tag.into());
        }
        let mut entry = json!({
            "mediaType": descriptor.media_type, "digest": descriptor.digest.as_str(), "size": descriptor.bytes,
        });
        if !notes.is_empty() {
            entry["annotations"] = notes.into();
        }
        entry
    };
    let named = |tag: &str| {
        let bare = Reference {
            tag: None,
            digest: None,
            ..reference.clone()
        };
        format!("{bare}:{tag}")
    };
    let tag = reference.tag_or_latest();
    let full = tag.map_or_else(|| reference.to_string(), named);
    let mut manifests = vec![entry(root, tag, Some(full))];
    for (digest, tag) in &gathering.referrers {
        if let Some(fetched) = gathering.manifests.get(digest) {
            let tag = tag.as_deref();
            manifests.push(entry(&fetched.descriptor, tag, tag.map(named)));
        }
    }
    json!({"schemaVersion": 2, "mediaType": crate::oci::image::OCI_INDEX, "manifests": manifests})
}

/// Gives a file or folder the fixed mode and time.
fn settle(path: &Path, mode: u32) -> Result<(), RegistryError> {
    let set = || {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        std::fs::File::open(path)?.set_modified(SystemTime::UNIX_EPOCH)
    };
    set().map_err(RegistryError::io(path))
}
