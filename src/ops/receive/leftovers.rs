//! Tells sets that a medium is there for from what only lies beside them: old content of a rewritten disc, trash, parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{ProgressState, SetProgress};
use crate::base::id::SetId;
use crate::ops::Error;
use crate::store::Store;
use crate::volumes::SetRead;
use crate::volumes::staging::open_all;

/// Returns whether a set is incomplete and only a leftover next to whole ones. Examples are the old content of a
/// rewritten disc, the trash of a stick, and a part of a volume. A whole volume in a place of its own is there on
/// purpose.
fn is_leftover(read: &SetRead, whole: &[&SetRead]) -> bool {
    let is_with = |path: &PathBuf| whole.iter().any(|whole| whole.paths.contains(path));
    let is_part = || {
        let mut volumes = read.volumes.iter();
        volumes.all(|volume| volume.read_bytes < volume.volume_bytes / 2)
    };
    let is_left = |source: &PathBuf| {
        let is_shared = whole.iter().any(|whole| whole.sources.contains(source));
        let given = read.paths.iter().find(|path| source.starts_with(path));
        let below = given.and_then(|path| source.strip_prefix(path).ok());
        is_shared || below.is_some_and(is_trash)
    };
    read.paths.iter().all(is_with) && (read.sources.iter().all(is_left) || is_part())
}

/// Returns whether a path leads through a trash folder or a hidden one.
fn is_trash(path: &Path) -> bool {
    const NAMES: [&str; 5] = [
        "$recycle.bin",
        "recycler",
        "trash",
        "lost+found",
        "found.000",
    ];
    path.components().any(|component| {
        let name = component.as_os_str().to_string_lossy().to_lowercase();
        // Systems hide deleted files in folders such as `.Trash-1000`.
        name.starts_with('.') || NAMES.contains(&name.as_str())
    })
}

/// Adds to each set which of its volumes were read, and to a staged one whether it is only a leftover.
pub(super) fn tell_what_was_read(
    store: &Store,
    sets: &mut [SetProgress],
    read: &[SetRead],
) -> Result<(), Error> {
    let by_id: BTreeMap<SetId, &SetRead> =
        read.iter().map(|read| (read.header.set_id, read)).collect();
    let is_in = |set: &SetProgress| {
        matches!(
            set.state,
            ProgressState::Complete | ProgressState::AlreadyHere
        )
    };
    let whole: Vec<&SetRead> = sets
        .iter()
        .filter(|set| is_in(set))
        .filter_map(|set| by_id.get(&set.set_id).copied())
        .collect();
    let mut waiting = open_all(&store.incoming_dir())?;
    for set in sets {
        let Some(read) = by_id.get(&set.set_id) else {
            continue;
        };
        set.volumes_read.clone_from(&read.volumes);
        if !is_in(set) {
            set.beside = is_leftover(read, &whole);
            let spooled = waiting
                .iter_mut()
                .find(|each| each.set_id() == read.header.set_id);
            if let Some(spooled) = spooled
                && spooled.is_beside() != set.beside
            {
                spooled.set_beside(set.beside)?;
            }
        }
    }
    Ok(())
}
