//! `forget`: gives up sets that are being received. Removes what is staged of them, and leaves releases as they are.

use serde::Serialize;

use crate::base::id::SetId;
use crate::ops::Error;
use crate::store::Store;
use crate::volumes::Staging;
use crate::volumes::staging::{discard_all, open_all};

/// Fewest digits of an id that name a set.
const DIGITS_MIN: usize = 4;

/// The result of `forget`.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ForgetReport {
    /// The sets that were given up.
    pub forgotten: Vec<ForgottenSet>,
}

/// A set that was given up.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ForgottenSet {
    /// Its id.
    pub set_id: SetId,
    /// Its title. Empty when no superblock had come.
    pub title: String,
    /// Bytes that were staged of it.
    pub freed_bytes: u64,
}

/// Gives up the named sets. A name is the beginning of an id, or a number as `status` shows it.
///
/// # Errors
/// [`Error::NoSuchSet`], before anything is given up. An error when the staging folder cannot be changed.
pub fn forget(store: &Store, names: &[String]) -> Result<ForgetReport, Error> {
    let sets = open_all(&store.incoming_dir())?;
    let mut chosen = Vec::new();
    for name in names {
        let at = find(&sets, name).ok_or_else(|| Error::NoSuchSet {
            name: name.clone(),
            has: sets.iter().map(|set| set.set_id().short()).collect(),
        })?;
        chosen.push(at);
    }
    let chosen = sets
        .into_iter()
        .enumerate()
        .filter(|(at, _)| chosen.contains(at));
    give_up(store, chosen.map(|(_, set)| set))
}

/// Gives up all staged sets.
///
/// # Errors
/// An error when the staging folder cannot be changed.
pub fn forget_all(store: &Store) -> Result<ForgetReport, Error> {
    give_up(store, open_all(&store.incoming_dir())?.into_iter())
}

fn give_up(store: &Store, sets: impl Iterator<Item = Staging>) -> Result<ForgetReport, Error> {
    let _alone = store.lock_staging()?;
    let mut forgotten = Vec::new();
    for set in sets {
        let title = set
            .descriptor()
            .map_or_else(|_| String::new(), |it| it.title);
        let told = ForgottenSet {
            set_id: set.set_id(),
            title,
            freed_bytes: set.staged_bytes(),
        };
        discard_all(&store.incoming_dir(), set.set_id())?;
        forgotten.push(told);
    }
    Ok(ForgetReport { forgotten })
}

/// Finds the set of this name: a number from 1 on, or the unique beginning of an id.
fn find(sets: &[Staging], name: &str) -> Option<usize> {
    let name = name.trim().to_ascii_lowercase();
    if name.len() < DIGITS_MIN
        && let Ok(number) = name.parse::<usize>()
    {
        return number.checked_sub(1).filter(|at| *at < sets.len());
    }
    let mut fitting = sets
        .iter()
        .enumerate()
        .filter(|(_, set)| name.len() >= DIGITS_MIN && set.set_id().to_string().starts_with(&name));
    let (at, _) = fitting.next()?;
    fitting.next().is_none().then_some(at)
}
