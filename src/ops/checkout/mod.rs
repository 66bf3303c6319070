//! `checkout`: restores the items of a release byte for byte, checked by hash.
//!
//! Items are made in a folder in the destination and get their names when all are done. An item that cannot be restored
//! whole does not stop the others. When a checkout ends early, the destination is left as it was found. When it is
//! killed, the same checkout continues there. It reads only releases, never volumes. Images in the format of other
//! programs are the work of [`images`].

pub mod attached;
mod blobs;
mod early_sync;
pub(super) mod error;
pub mod images;
pub mod install;
mod part_folder;
mod staging;

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde::Serialize;

use self::early_sync::EarlySync;
pub use self::error::CheckoutError;
use self::staging::{CheckoutStaging, DestinationState, last_name};
use super::history::{self, HistoryEntry, HistoryEvent};
use super::{Error, Releases};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::fs::rename_new;
use crate::base::monitor::Monitor;
use crate::base::output::OutputError;
use crate::base::overlap::{Overlap, RealPlace};
use crate::base::size::total;
use crate::base::term::Action;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::{Item, ItemKind, ReleaseName, validation};
use crate::files::meta::MetaWriter;
use crate::files::privileges::Privileges;
use crate::files::{LayoutError, restore};

/// Estimated cost of a file or folder entry in a file system besides its bytes.
const ENTRY_COST_BYTES: u64 = 4096;

/// Options of `checkout`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckoutOptions {
    /// Names of the requested items. Empty stands for all.
    pub items: Vec<String>,
    /// What becomes of owners, setuid and setgid bits, security attributes and devices.
    pub privileges: Privileges,
}

/// How an item was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemState {
    /// Every byte is present.
    Whole,
    /// A folder in which some files are missing. The findings name them.
    Damaged,
    /// Nothing of it could be restored.
    Lost,
}

/// An item in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckedOutItem {
    /// Its name, as far as it is text.
    pub name: String,
    /// Its bytes.
    pub bytes: u64,
    /// How it was restored.
    pub state: ItemState,
}

/// The result of `checkout`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CheckoutReport {
    /// The release.
    pub release: ReleaseName,
    /// The requested items, by name.
    pub items: Vec<CheckedOutItem>,
    /// Bytes of the items that are whole.
    pub bytes: u64,
    /// What is lost, and which metadata was not restored.
    pub findings: Vec<Finding>,
}

impl CheckoutReport {
    fn of(name: &ReleaseName, items: Vec<CheckedOutItem>) -> Self {
        let whole = items.iter().filter(|item| item.state == ItemState::Whole);
        Self {
            release: name.clone(),
            bytes: total(whole.map(|item| item.bytes)),
            items,
            findings: Vec::new(),
        }
    }

    /// Returns whether every requested item is whole.
    pub fn is_whole(&self) -> bool {
        self.items.iter().all(|item| item.state == ItemState::Whole)
    }
}

/// Writes the items of a release into `dest`. `dest` must be absent (its parent present), an empty folder, or hold what
/// the same checkout left when it was killed.
///
/// # Errors
/// [`Error::Checkout`] when nothing can be restored, or the destination takes no more. An interruption. Damage is not an
/// error: the report says which items are not whole.
pub fn checkout<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    options: &CheckoutOptions,
    monitor: &dyn Monitor,
) -> Result<CheckoutReport, Error> {
    let report = restore_items(store, name, dest, options, monitor)?;
    let left = HistoryEntry::now(HistoryEvent::Checkout).whole(report.is_whole());
    note_departure(store, name, left.to(&dest.to_string_lossy()), monitor);
    Ok(report)
}

/// Adds a line to the history for a release that was given out.
fn note_departure<R: Releases>(
    store: &R,
    name: &ReleaseName,
    entry: HistoryEntry,
    monitor: &dyn Monitor,
) {
    // The release may have been removed meanwhile, and was given out all the same.
    if let Ok(Some(root)) = store.root(name) {
        history::note(store, &entry.release(&root), monitor);
    }
}

fn restore_items<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    options: &CheckoutOptions,
    monitor: &dyn Monitor,
) -> Result<CheckoutReport, CheckoutError> {
    let root = store.root(name)?;
    let root = root.ok_or_else(|| CheckoutError::NoSuchRelease(name.clone()))?;
    let items = root.read_items(store).map_err(CheckoutError::Manifest)?;
    let items = choose(items, options)?;
    if let Some(place) = store.place() {
        check_apart(dest, place)?;
    }
    let outcome = match CheckoutStaging::begin(dest, &free_name(&items), &root, &items)? {
        DestinationState::New(staging) => {
            let outcome = give_all(store, name, &staging, dest, (&items, options), monitor);
            let outcome = outcome.and_then(|(report, states)| {
                staging.give(&items, &states)?;
                Ok(report)
            });
            if outcome.is_err() {
                staging.discard();
            }
            outcome?
        }
        DestinationState::Made(staging, states) => {
            staging.give(&items, &states)?;
            let items = items
                .iter()
                .zip(states)
                .map(|(item, state)| CheckedOutItem {
                    name: shown(item),
                    bytes: item.bytes(),
                    state,
                });
            CheckoutReport::of(name, items.collect())
        }
    };
    Ok(outcome)
}

fn give_all<R: Releases>(
    store: &R,
    name: &ReleaseName,
    staging: &CheckoutStaging,
    dest: &Path,
    (items, options): (&[Item], &CheckoutOptions),
    monitor: &dyn Monitor,
) -> Result<(CheckoutReport, Vec<ItemState>), CheckoutError> {
    let folder = &staging.folder;
    let bytes = check_space(folder, dest, items)?;
    monitor.start("check out", bytes);
    let mut report = CheckoutReport {
        release: name.clone(),
        items: Vec::new(),
        bytes: 0,
        findings: Vec::new(),
    };
    let temporary = free_name(items);
    let early = EarlySync::start(folder, bytes, monitor);
    for item in items {
        let target = Target {
            folder: folder.as_fd(),
            path: &staging.items,
            dest,
            temporary: &temporary,
            shown: shown(item),
            privileges: options.privileges,
        };
        let state = match target.give_back(store, item, &early) {
            Ok(restored) => {
                report.findings.extend(restored.findings);
                if restored.lost == 0 {
                    ItemState::Whole
                } else {
                    ItemState::Damaged
                }
            }
            Err(error) => {
                target.clean_up();
                let finding = loss_or_end(&target.shown, error)?;
                monitor.finding(&finding);
                report.findings.push(finding);
                ItemState::Lost
            }
        };
        tracing::info!(item = target.shown, ?state, "item was checked out");
        if state == ItemState::Whole {
            report.bytes = report.bytes.saturating_add(item.bytes());
        }
        report.items.push(CheckedOutItem {
            name: target.shown,
            bytes: item.bytes(),
            state,
        });
    }
    drop(early);
    monitor.finish();
    // One sync covers everything. What is reported as whole is on the disk and survives a power cut.
    monitor.start("sync", 0);
    rustix::fs::syncfs(folder)
        .map_err(|error| LayoutError::io(Action::BringToDisk, dest)(error.into()))?;
    monitor.finish();
    let states: Vec<ItemState> = report.items.iter().map(|item| item.state).collect();
    // The note follows the sync, so it never claims more than is on the disk.
    staging.note(&states)?;
    Ok((report, states))
}

/// Removes a file, or a folder with everything in it. Links are not followed. The next checkout reports what stays.
fn remove(path: &Path) {
    let _ = std::fs::remove_dir_all(path).or_else(|_| std::fs::remove_file(path));
}

/// Refuses a destination inside the store, where its files would be taken for the store's own.
fn check_apart(dest: &Path, place: &Path) -> Result<(), CheckoutError> {
    let real = RealPlace::of(dest).map_err(LayoutError::io(Action::Find, dest))?;
    if matches!(real.overlap(place), Some(Overlap::Same | Overlap::Inside)) {
        return Err(CheckoutError::InStore {
            dest: dest.to_owned(),
            store: place.to_owned(),
        });
    }
    Ok(())
}

/// Returns a name for unfinished files that no item has.
fn free_name(items: &[Item]) -> String {
    let mut name = ".carryall.part".to_owned();
    let is_taken = |name: &str| items.iter().any(|item| item.name == name.as_bytes());
    // The note's name must be free as well, because it stands next to the items for a moment.
    while is_taken(&name) || is_taken(&last_name(&name)) {
        name.push('_');
    }
    name
}

fn shown(item: &Item) -> String {
    String::from_utf8_lossy(&item.name).into_owned()
}

fn choose(items: Vec<Item>, options: &CheckoutOptions) -> Result<Vec<Item>, CheckoutError> {
    for wanted in &options.items {
        if !items.iter().any(|item| shown(item) == *wanted) {
            return Err(CheckoutError::NoSuchItem {
                item: wanted.clone(),
                has: items.iter().map(shown).collect(),
            });
        }
    }
    let wanted = |item: &Item| options.items.is_empty() || options.items.contains(&shown(item));
    Ok(items.into_iter().filter(wanted).collect())
}

/// Adds the destination to an I/O error, for `map_err`. A destination below a file is an error of its own.
fn at_destination(action: Action, dest: &Path) -> impl FnOnce(std::io::Error) -> CheckoutError {
    move |error| match OutputError::io(dest)(error) {
        OutputError::Io { source, .. } => LayoutError::io(action, dest)(source).into(),
        other => other.into(),
    }
}

/// Returns the bytes of the items when there is room for them.
fn check_space(folder: &OwnedFd, dest: &Path, items: &[Item]) -> Result<u64, CheckoutError> {
    let mut bytes: u64 = 0;
    let mut entries = items.len() as u64;
    for item in items {
        bytes = bytes.saturating_add(item.bytes());
        if let ItemKind::Folder { entry_count, .. } = item.kind {
            entries = entries.saturating_add(entry_count);
        }
    }
    let room = rustix::fs::fstatvfs(folder)
        .map_err(|error| LayoutError::io(Action::AskFreeSpace, dest)(error.into()))?;
    let free_bytes = room.f_bavail.saturating_mul(room.f_frsize);
    let needed_bytes = bytes.saturating_add(entries.saturating_mul(ENTRY_COST_BYTES));
    if needed_bytes > free_bytes {
        return Err(CheckoutError::NoSpace {
            path: dest.to_owned(),
            free_bytes,
            needed_bytes,
        });
    }
    Ok(bytes)
}

/// Turns an error into the loss of this item when the item cannot be rebuilt or is hostile. Errors of the system and
/// interruptions end the checkout.
fn loss_or_end(item: &str, error: LayoutError) -> Result<Finding, CheckoutError> {
    match error {
        LayoutError::Interrupted(stop) | LayoutError::Recipe(RecipeError::Interrupted(stop)) => {
            Err(stop.into())
        }
        LayoutError::Recipe(_) | LayoutError::Hostile { .. } => {
            let why = Arg::caught(error);
            Ok(Finding::loss(item, diagnostic!("checkout.item_lost", why)))
        }
        other => Err(other.into()),
    }
}

/// The target of an item.
struct Target<'a> {
    folder: BorrowedFd<'a>,
    path: &'a Path,
    /// Its final place.
    dest: &'a Path,
    temporary: &'a str,
    shown: String,
    privileges: Privileges,
}

impl Target<'_> {
    fn give_back<S: ChunkSource>(
        &self,
        source: &S,
        item: &Item,
        monitor: &dyn Monitor,
    ) -> Result<restore::Restored, LayoutError> {
        // Releases may come from media, so the name is checked again before it becomes a path.
        validation::check_name(&item.name).map_err(|why| LayoutError::Hostile {
            path: self.shown.clone(),
            why,
        })?;
        let temporary = self.temporary.as_bytes();
        // Messages use the final name.
        let final_path = self.dest.join(std::ffi::OsStr::from_bytes(&item.name));
        let restored = match &item.kind {
            ItemKind::File { content } => {
                let file = restore::file(
                    source,
                    self.folder,
                    temporary,
                    &final_path,
                    content,
                    monitor,
                )?;
                let mut metas = MetaWriter::new(self.privileges);
                metas.put(&file, &final_path, &item.meta);
                let findings = metas.finish(&self.shown);
                findings.iter().for_each(|finding| monitor.finding(finding));
                restore::Restored { lost: 0, findings }
            }
            ItemKind::Folder { entries, .. } => {
                let what = (&item.meta, entries);
                restore::folder(
                    source,
                    self.folder,
                    temporary,
                    &final_path,
                    what,
                    (&self.shown, self.privileges),
                    monitor,
                )?
            }
        };
        rename_new(self.folder, self.temporary, &item.name[..]).map_err(|error| match error {
            // No two items of a release have the same name.
            rustix::io::Errno::EXIST => LayoutError::NamesFold(final_path.clone()),
            other => LayoutError::io(Action::Rename, &final_path)(other.into()),
        })?;
        Ok(restored)
    }

    /// Removes the remains of a failed item.
    fn clean_up(&self) {
        remove(&self.path.join(self.temporary));
    }
}
