//! Stages a checkout in a folder of the destination, until the items get their names. Everything in the destination
//! itself is whole.
//!
//! A killed checkout leaves only this folder, and the next one removes it. A checkout that was killed while the
//! finished items got their names is continued. Nothing else in a destination is ever touched.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;

use super::{CheckoutError, ItemState};
use crate::base::file_lock::FileLock;
use crate::base::fs::rename_new;
use crate::base::id::{self, PackId};
use crate::base::term::Action;
use crate::content::release::validation::is_plain_name;
use crate::content::release::{Item, ReleaseRoot};
use crate::files::LayoutError;

/// Where the items are made.
const ITEMS: &str = "items";
/// The note that everything is made, and how each item was restored.
const DONE: &str = "done";
/// Ending of the note's name next to the folder, while the folder is removed.
const LAST: &str = ".done";
/// The note before it is whole.
const DONE_PART: &str = "done.part";

/// A checkout that is being made.
pub(super) struct CheckoutStaging {
    dest: PathBuf,
    path: PathBuf,
    /// Where the items are made.
    pub(super) items: PathBuf,
    /// The same folder, open.
    pub(super) folder: OwnedFd,
    order: String,
    /// Whether the destination did not exist before.
    made_dest: bool,
    /// Held for its lock.
    _lock: Option<FileLock>,
}

/// What can be done in a destination.
pub(super) enum DestinationState {
    /// Start a new checkout.
    New(CheckoutStaging),
    /// Continue one that was all made. Has the state of each item.
    Made(CheckoutStaging, Vec<ItemState>),
}

/// Describes the request. Two checkouts of the same items of the same release have the same description.
fn order_of(root: &ReleaseRoot, items: &[Item]) -> String {
    let mut what = root.id().as_bytes().to_vec();
    for item in items {
        what.extend_from_slice(id::hash(&item.name).as_slice());
    }
    PackId(id::hash(&what)).to_string()
}

impl CheckoutStaging {
    /// Makes the folder `name` in `dest`. `dest` must be absent (its parent present), empty, or hold what the same
    /// command left when it was killed.
    pub(super) fn begin(
        dest: &Path,
        name: &str,
        root: &ReleaseRoot,
        items: &[Item],
    ) -> Result<DestinationState, CheckoutError> {
        let made_dest = match fs::create_dir(dest) {
            Ok(()) => true,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                dest.read_dir()
                    .map_err(super::at_destination(Action::Read, dest))?;
                false
            }
            Err(error) => return Err(super::at_destination(Action::Make, dest)(error)),
        };
        let path = dest.join(name);
        let order = order_of(root, items);
        let note = note_beside(&path);
        if !made_dest && path.symlink_metadata().is_err() && made(&note, &order, items).is_some() {
            // The earlier run was killed after every item had its name. Only the note was left to remove.
            fs::create_dir(&path).map_err(LayoutError::io(Action::Make, &path))?;
        }
        let lock = if made_dest { None } else { left(dest, &path)? };
        let states = lock.as_ref().and_then(|_| {
            let states = made(&path.join(DONE), &order, items);
            states.or_else(|| made(&note, &order, items))
        });
        // A note alone proves little: the items must be where it says that they are.
        let is_made = states
            .as_ref()
            .is_some_and(|states| is_whole(dest, &path, items, states));
        // Without a valid note the folder is incomplete, so it is removed and made again.
        if !is_made {
            only_left(dest, &path)?;
            if lock.is_some() {
                fs::remove_dir_all(&path).map_err(LayoutError::io(Action::Remove, &path))?;
            }
            fs::create_dir(&path).map_err(LayoutError::io(Action::Make, &path))?;
        }
        let items = path.join(ITEMS);
        // The folder may already have been removed after everything was made.
        fs::create_dir_all(&items).map_err(LayoutError::io(Action::Make, &items))?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let folder = rustix::fs::open(&items, flags, Mode::empty());
        let folder = folder.map_err(|error| LayoutError::io(Action::Open, &items)(error.into()))?;
        let lock = if is_made {
            lock
        } else {
            lock_folder(dest, &path)?
        };
        let staging = Self {
            dest: dest.to_owned(),
            path,
            items,
            folder,
            order,
            made_dest,
            _lock: lock,
        };
        Ok(match states.filter(|_| is_made) {
            Some(states) => DestinationState::Made(staging, states),
            None => DestinationState::New(staging),
        })
    }

    /// Notes that all items are made, and the state of each. From here on a killed checkout is continued.
    pub(super) fn note(&self, states: &[ItemState]) -> Result<(), CheckoutError> {
        let (part, done) = (self.path.join(DONE_PART), self.path.join(DONE));
        let letters: String = states.iter().map(|state| letter(*state)).collect();
        let write = || {
            let mut file = File::create_new(&part)?;
            file.write_all(format!("{}\n{letters}\n", self.order).as_bytes())?;
            // The note must be whole before it has its name, because the next run trusts it.
            file.sync_all()?;
            fs::rename(&part, &done)
        };
        Ok(write().map_err(LayoutError::io(Action::Write, &part))?)
    }

    /// Moves the restored items to their places in the destination, under plain file names only.
    pub(super) fn give(&self, items: &[Item], states: &[ItemState]) -> Result<(), CheckoutError> {
        for (item, _) in items
            .iter()
            .zip(states)
            .filter(|(item, state)| came_out(item, **state))
        {
            let name = std::ffi::OsStr::from_bytes(&item.name);
            let (from, to) = (self.items.join(name), self.dest.join(name));
            // An item that an earlier run has already moved is no longer in the folder.
            if from.symlink_metadata().is_ok() {
                rename_new(CWD, &*from, &*to).map_err(|error| match error {
                    Errno::EXIST => CheckoutError::NotEmpty(self.dest.clone()),
                    other => LayoutError::io(Action::Rename, &to)(other.into()).into(),
                })?;
            }
        }
        let folder = File::open(&self.dest).map_err(LayoutError::io(Action::Open, &self.dest))?;
        // The new names must be durable before the note that could repeat the moves is removed.
        let synced = folder.sync_all();
        synced.map_err(LayoutError::io(Action::BringToDisk, &self.dest))?;
        // The note is removed last. Until then the same command continues here.
        let (done, last) = (self.path.join(DONE), note_beside(&self.path));
        let remove = || {
            fs::remove_dir_all(&self.items)?;
            if done.symlink_metadata().is_ok() {
                fs::rename(&done, &last)?;
            }
            fs::remove_dir(&self.path)?;
            fs::remove_file(&last)
        };
        Ok(remove().map_err(LayoutError::io(Action::Remove, &self.path))?)
    }

    /// Restores the destination as it was found, unless everything was made. In that case the same command continues
    /// there.
    pub(super) fn discard(&self) {
        // Everything is made. The next run only has to move the items.
        if self.path.join(DONE).symlink_metadata().is_ok() {
            return;
        }
        // The error that led here is the one to report.
        let _ = fs::remove_dir_all(&self.path);
        if self.made_dest {
            let _ = fs::remove_dir(&self.dest);
        }
    }
}

/// Returns the name of the note in the destination, while the folder is removed.
pub(super) fn last_name(name: &str) -> String {
    format!("{name}{LAST}")
}

fn note_beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(LAST);
    path.with_file_name(name)
}

/// Returns whether an item was restored, under a plain file name.
fn came_out(item: &Item, state: ItemState) -> bool {
    state != ItemState::Lost && is_plain_name(&item.name)
}

/// Locks the folder that a killed checkout left. Returns `None` when there is none.
fn left(dest: &Path, path: &Path) -> Result<Option<FileLock>, CheckoutError> {
    let not_empty = || CheckoutError::NotEmpty(dest.to_owned());
    match path.symlink_metadata() {
        Err(_) => return Ok(None),
        Ok(stat) if !stat.is_dir() => return Err(not_empty()),
        Ok(_) => {}
    }
    for entry in fs::read_dir(path).map_err(LayoutError::io(Action::Read, path))? {
        let name = entry
            .map_err(LayoutError::io(Action::Read, path))?
            .file_name();
        // A foreign entry means that the folder was not made by a checkout, so it must not be removed.
        if ![ITEMS, DONE, DONE_PART].iter().any(|own| name == *own) {
            return Err(not_empty());
        }
    }
    lock_folder(dest, path)
}

/// Locks an unfinished folder of `dest` against another checkout.
pub(super) fn lock_folder(dest: &Path, path: &Path) -> Result<Option<FileLock>, CheckoutError> {
    let folder = File::open(path).map_err(LayoutError::io(Action::Open, path))?;
    let lock = FileLock::exclusive_where_possible(folder);
    lock.map(Some)
        .ok_or_else(|| CheckoutError::NotEmpty(dest.to_owned()))
}

/// Returns the state of each item when exactly this checkout was all made.
fn made(path: &Path, order: &str, items: &[Item]) -> Option<Vec<ItemState>> {
    let most = (order.len() + items.len() + 2) as u64;
    // A longer file is not a note of this program, and is not read.
    if fs::metadata(path).ok()?.len() > most {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    let mut lines = text.lines();
    let states = lines
        .next()
        .filter(|line| *line == order)
        .and(lines.next())?;
    let states: Vec<ItemState> = states.chars().map(state).collect::<Option<_>>()?;
    (states.len() == items.len()).then_some(states)
}

/// Returns whether every restored item is in one of the two places, and nothing else is in the destination.
fn is_whole(dest: &Path, path: &Path, items: &[Item], states: &[ItemState]) -> bool {
    let is_there = |folder: &Path, item: &Item| {
        let place = folder.join(std::ffi::OsStr::from_bytes(&item.name));
        place.symlink_metadata().is_ok()
    };
    let in_one_place = items.iter().zip(states).all(|(item, state)| {
        let places = [path.join(ITEMS), dest.to_owned()];
        let count = places.iter().filter(|place| is_there(place, item)).count();
        !came_out(item, *state) || count == 1
    });
    let Ok(entries) = fs::read_dir(dest) else {
        return false;
    };
    let is_own = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| {
            let name = entry.file_name();
            [path, &note_beside(path)].contains(&&*entry.path())
                || items.iter().any(|item| item.name == name.as_bytes())
        })
    };
    in_one_place && entries.into_iter().all(is_own)
}

/// Checks that the destination holds only the folder.
fn only_left(dest: &Path, path: &Path) -> Result<(), CheckoutError> {
    for entry in fs::read_dir(dest).map_err(LayoutError::io(Action::Read, dest))? {
        if entry.map_err(LayoutError::io(Action::Read, dest))?.path() != path {
            return Err(CheckoutError::NotEmpty(dest.to_owned()));
        }
    }
    Ok(())
}

fn letter(state: ItemState) -> char {
    match state {
        ItemState::Whole => 'w',
        ItemState::Damaged => 'd',
        ItemState::Lost => 'l',
    }
}

fn state(letter: char) -> Option<ItemState> {
    match letter {
        'w' => Some(ItemState::Whole),
        'd' => Some(ItemState::Damaged),
        'l' => Some(ItemState::Lost),
        _ => None,
    }
}
