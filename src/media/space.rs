//! Free space below a path. It reserves nothing: what is free now may be gone in a minute.

use std::path::Path;

use crate::media::MediaError;

/// Returns the bytes that this user may still write at `path`, or at its nearest parent that exists.
///
/// # Errors
/// [`MediaError::Io`] when the file system does not answer.
pub fn free_space_bytes(path: &Path) -> Result<u64, MediaError> {
    let absolute = std::path::absolute(path).map_err(MediaError::io(path))?;
    let existing = absolute
        .ancestors()
        .find(|parent| parent.exists())
        .unwrap_or(Path::new("/"));
    let stat = rustix::fs::statvfs(existing).map_err(|errno| MediaError::Io {
        path: existing.to_owned(),
        source: errno.into(),
    })?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Returns the bytes that this user may still write in the file system that `dir` is on, and the size of its clusters.
pub(super) fn free_clusters(dir: &Path) -> Result<(u64, u64), MediaError> {
    let stat = rustix::fs::statvfs(dir).map_err(|errno| MediaError::Io {
        path: dir.to_owned(),
        source: errno.into(),
    })?;
    let cluster_bytes = stat.f_frsize.max(stat.f_bsize).max(512);
    Ok((stat.f_bavail.saturating_mul(stat.f_frsize), cluster_bytes))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_yet_to_be_made_has_the_space_of_its_parent() {
        let dir = tempfile::tempdir().unwrap();
        let bytes = free_space_bytes(&dir.path().join("not/yet/made")).unwrap();
        assert!(bytes > 0);
    }
}
