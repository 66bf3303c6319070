//! `status`: what a store holds, and what its staged sets still need.
//!
//! It reads no medium and changes nothing.

use std::path::PathBuf;

use serde::Serialize;

use super::advance::progress_of;
use super::commit::all_here;
use super::rules::SiteRules;
use super::staged_set::Staged;
use super::{ReceiveOptions, SetProgress};
use crate::base::id::StoreId;
use crate::base::path_text;
use crate::ops::Error;
use crate::ops::space::free_bytes;
use crate::store::Store;
use crate::volumes::staging::open_all;

/// The content of a store, and the sets that wait for volumes.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct StatusReport {
    /// The store's folder.
    #[serde(serialize_with = "path_text::one")]
    pub store: PathBuf,
    /// Its id.
    pub store_id: StoreId,
    /// Releases in it.
    pub releases: u64,
    /// Free space beside it.
    pub free_bytes: u64,
    /// Sets that are being received.
    pub incoming: Vec<SetProgress>,
}

/// Reports what a store holds and what staged sets still need.
///
/// # Errors
/// [`Error`] when the store or its staging folder cannot be read.
pub fn status(store: &Store) -> Result<StatusReport, Error> {
    status_with(store, &ReceiveOptions::default())
}

/// Does the same with the options that say what is taken.
///
/// # Errors
/// As [`status`].
pub fn status_with(store: &Store, options: &ReceiveOptions) -> Result<StatusReport, Error> {
    let rules = SiteRules::of(store, options)?;
    let progress = |staging| {
        let staged = Staged::look(staging);
        let refused = match &staged {
            // A hostile catalog may have no roots at all, and says nothing here.
            Staged::Described(set)
                if set.catalog().is_sealed()
                    || matches!(all_here(store, set.catalog()), Ok(false)) =>
            {
                rules.refusal(store, set)
            }
            _ => None,
        };
        let progress = progress_of(store, &staged, &rules)?;
        Ok(SetProgress {
            refused,
            ..progress
        })
    };
    let (roots, _) = crate::ops::releases(store)?;
    Ok(StatusReport {
        store: store.shown_as().to_owned(),
        store_id: store.id(),
        releases: roots.len() as u64,
        free_bytes: free_bytes(store.dir())?,
        incoming: open_all(&store.incoming_dir())?
            .into_iter()
            .map(progress)
            .collect::<Result<_, Error>>()?,
    })
}
