//! Opens and makes stores in a bucket of an object store, where other machines write at the same time.
//!
//! No lock keeps them apart. Packs and index segments are named by their content, so that nobody replaces what another put.
//! A root is put on the condition that it is what it was, which is the only commit point.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{OpenMode, Store, StoreError, Unlisted, settings};
use crate::base::term::Action;
use crate::store::storage::cached::{CacheBounds, CachedStorage};
use crate::store::storage::object::{ObjectAddress, ObjectStorage};
use crate::store::storage::{Given, ObjectVersion, Put, Storage, StorageError};

/// Folder for what waits to be uploaded, and for spools of the operations.
const UNFINISHED: &str = "tmp";

fn address(place: &Path) -> Result<ObjectAddress, StoreError> {
    ObjectAddress::parse(place).ok_or_else(|| StoreError::BadAddress {
        place: place.to_owned(),
    })
}

/// The folder of this machine and user for all stores in buckets: `$CARRYALL_CACHE`, else the user's folder for state.
fn base() -> PathBuf {
    let variable = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    variable("CARRYALL_CACHE").unwrap_or_else(|| {
        let state = variable("XDG_STATE_HOME");
        let home = || variable("HOME").map(|home| home.join(".local/state"));
        let state = state.or_else(home).unwrap_or_else(std::env::temp_dir);
        state.join("carryall")
    })
}

fn storage(address: &ObjectAddress) -> Result<ObjectStorage, StoreError> {
    Ok(ObjectStorage::open(address, std::env::temp_dir())?)
}

pub(super) fn open(place: &Path, access: OpenMode) -> Result<Store, StoreError> {
    let far = storage(&address(place)?)?;
    let settings = settings::read(&far, place)?;
    let folder = base().join(settings.id.to_string());
    let spools = folder.join(UNFINISHED);
    std::fs::create_dir_all(&spools).map_err(StorageError::on(Action::Create, &spools))?;
    let bounds = CacheBounds {
        index_bytes: settings.cache.index_bytes,
        pack_bytes: settings.cache.pack_bytes,
    };
    let cached = CachedStorage::new(far.spooling_in(spools), &folder, bounds);
    let how = (access, Unlisted::Left);
    Store::open_with(Arc::new(cached), (&folder, place), how, None, settings)
}

pub(super) fn create(place: &Path) -> Result<Store, StoreError> {
    let far = storage(&address(place)?)?;
    must_be_free(&far, place)?;
    let settings = settings::new();
    // Of several who make the store at once, one does.
    match far.put_if(settings::NAME, settings.as_bytes(), &Given::Absent)? {
        Put::Done(_) => must_heed_conditions(&far, settings::NAME, settings.as_bytes(), place)?,
        Put::Lost => {
            return Err(StoreError::AlreadyAStore {
                path: place.to_owned(),
            });
        }
    }
    open(place, OpenMode::Write)
}

pub(super) fn may_create(place: &Path) -> Result<(), StoreError> {
    must_be_free(&storage(&address(place)?)?, place)
}

/// Returns an object of the store in a bucket that is not opened, or `None` when there is none.
pub(super) fn object(place: &Path, name: &str, limit: u64) -> Result<Option<Vec<u8>>, StoreError> {
    match storage(&address(place)?)?.whole(name, limit) {
        Err(error) if error.is_missing() => Ok(None),
        read => Ok(Some(read?)),
    }
}

/// Refuses a prefix below which somebody keeps something already.
fn must_be_free(far: &ObjectStorage, place: &Path) -> Result<(), StoreError> {
    let Some(entry) = far.any()? else {
        return Ok(());
    };
    // The settings are looked for last: another builder may have put them since, and objects below them.
    match far.whole(settings::NAME, settings::BYTES_MAX) {
        Err(error) if error.is_missing() => Err(StoreError::PrefixTaken {
            place: place.to_owned(),
            entry,
        }),
        Err(error) => Err(error.into()),
        Ok(_) => Err(StoreError::AlreadyAStore {
            path: place.to_owned(),
        }),
    }
}

/// Checks that the server heeds conditions, on an object that was just put. One that does not would let two builders
/// replace each other's releases.
fn must_heed_conditions(
    storage: &dyn Storage,
    name: &str,
    bytes: &[u8],
    place: &Path,
) -> Result<(), StoreError> {
    for given in [Given::Absent, Given::Unchanged(ObjectVersion::of_none())] {
        // When no answer comes, the object stays: another builder may use the store already.
        if storage.put_if(name, bytes, &given)? != Put::Lost {
            // Nothing depends on the object yet.
            storage.remove(name)?;
            return Err(StoreError::NoConditions {
                place: place.to_owned(),
            });
        }
    }
    Ok(())
}
