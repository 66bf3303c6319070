//! Finds and opens the store that a command is about.
//!
//! Only `add`, `receive` and `demo` create one.

use std::path::PathBuf;

use carryall::media::MediaError;
use carryall::store::{Access, Store, StoreError};
use carryall::verbs::Error;

use crate::cli::failure::Failure;
use crate::cli::{Context, words};

/// `--store`, else `$CARRYALL_STORE`, else the user's data directory.
pub fn store_dir(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(dir) = &context.store {
        return Ok(dir.clone());
    }
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    variable("CARRYALL_STORE")
        .or_else(|| variable("XDG_DATA_HOME").map(|dir| dir.join("carryall")))
        .or_else(|| variable("HOME").map(|dir| dir.join(".local/share/carryall")))
        .ok_or_else(|| Failure::usage(words::no_store_named(), words::hint_store()))
}

/// Opens the store, which must be there.
pub fn store(context: &Context, access: Access) -> Result<Store, Failure> {
    Ok(Store::open(&store_dir(context)?, access).map_err(Error::from)?)
}

/// Opens the store to be served: others may write to it meanwhile.
pub fn store_to_serve(context: &Context) -> Result<Store, Failure> {
    Ok(Store::open_beside_writers(&store_dir(context)?).map_err(Error::from)?)
}

/// Opens the store to remove something from it that others may be reading.
pub fn store_alone(context: &Context) -> Result<Store, Failure> {
    let mut store = store(context, Access::Write)?;
    store.be_alone().map_err(Error::from)?;
    Ok(store)
}

/// Opens the store for writing, or creates it, for what is at `paths`. A path that was mistyped is told first: it is no
/// reason to leave an empty store.
pub fn store_or_new(context: &Context, paths: &[PathBuf]) -> Result<Store, Failure> {
    if let Some(path) = paths.iter().find(|path| path.symlink_metadata().is_err()) {
        return Err(Error::from(MediaError::Missing { path: path.clone() }).into());
    }
    let dir = store_dir(context)?;
    match Store::open(&dir, Access::Write) {
        Err(StoreError::NotAStore { .. }) => {
            let store = Store::create(&dir).map_err(Error::from)?;
            if !context.json {
                words::say(&words::store_created(&dir));
            }
            Ok(store)
        }
        other => Ok(other.map_err(Error::from)?),
    }
}
