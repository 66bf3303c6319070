//! Checks that a release can be restored: valid names, entries at the paths that they claim, possible sizes.
//!
//! Receiving and restoring use the same check. It reads and writes nothing. Memory: 24 bytes an entry.

use std::collections::{HashMap, HashSet};

use super::{EntryKind, Item, Refusal, ReleaseRoot, TreeEntry};
use crate::base::id;
use crate::base::limits::{LINK_BYTES_MAX, NAME_BYTES_MAX, PATH_BYTES_MAX, PATH_DEPTH_MAX};

/// What is wrong, and with which item or entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryFault {
    /// The item, or the path of an entry in it.
    pub what: String,
    /// What is wrong with it.
    pub why: Refusal,
}

/// Returns whether a name can only refer to an entry of the folder that it is used in.
pub(crate) fn is_plain_name(name: &[u8]) -> bool {
    !name.is_empty()
        && name != b"."
        && name != b".."
        && !name.iter().any(|byte| *byte == b'/' || *byte == 0)
}

/// Checks the name of an item.
///
/// # Errors
/// The reason why it is not valid.
pub(crate) fn check_name(name: &[u8]) -> Result<(), Refusal> {
    if !is_plain_name(name) {
        return Err(Refusal::NotAFileName);
    }
    if name.len() > NAME_BYTES_MAX {
        return Err(Refusal::LongName);
    }
    Ok(())
}

/// Checks the items of a release: each name, all names against each other, and the sizes.
///
/// # Errors
/// [`EntryFault`].
pub(crate) fn check_items(root: &ReleaseRoot, items: &[Item]) -> Result<(), EntryFault> {
    let mut names = HashSet::new();
    let mut bytes: u64 = 0;
    for item in items {
        let fault = |why| EntryFault {
            what: shown(&item.name),
            why,
        };
        check_name(&item.name).map_err(fault)?;
        if !names.insert(alike(&item.name)) {
            return Err(fault(Refusal::TwoOfThisName));
        }
        bytes = bytes
            .checked_add(item.bytes())
            .ok_or_else(|| fault(Refusal::ImpossibleSize))?;
    }
    if root.bytes > bytes {
        return Err(EntryFault {
            what: root.name.to_string(),
            why: Refusal::LargerThanItems,
        });
    }
    Ok(())
}

/// Returns a form of the name that is equal for names that the file system takes for the same.
fn alike(name: &[u8]) -> Vec<u8> {
    match std::str::from_utf8(name) {
        Ok(text) if cfg!(target_os = "macos") => text.to_lowercase().into_bytes(),
        _ => name.to_vec(),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum KnownPath {
    Folder,
    Else,
}

/// Checks the entries of a folder, one after the other.
#[derive(Debug, Default)]
pub(crate) struct EntryCheck {
    /// Paths of earlier entries, by hash.
    known: HashMap<[u8; 16], KnownPath>,
    entries: u64,
    bytes: u64,
}

impl EntryCheck {
    /// Checks the next entry.
    ///
    /// # Errors
    /// The reason why it is not valid.
    pub fn entry(&mut self, entry: &TreeEntry) -> Result<(), Refusal> {
        self.entries = self.entries.saturating_add(1);
        self.check_way(&entry.path)?;
        match &entry.kind {
            EntryKind::File { content } => {
                self.bytes = self
                    .bytes
                    .checked_add(content.bytes())
                    .ok_or(Refusal::ImpossibleSize)?;
            }
            EntryKind::Symlink { target }
                if target.is_empty() || target.len() > LINK_BYTES_MAX || target.contains(&0) =>
            {
                return Err(Refusal::LinkTarget);
            }
            EntryKind::HardLink { to } => {
                // The target is checked like a path, so that a link cannot lead out of the item.
                self.check_way(to)?;
                match self.known.get(&key(to)) {
                    Some(KnownPath::Else) => {}
                    Some(KnownPath::Folder) => return Err(Refusal::FolderTwice),
                    None => return Err(Refusal::NoOtherName),
                }
            }
            _ => {}
        }
        let kind = match entry.kind {
            EntryKind::Dir => KnownPath::Folder,
            _ => KnownPath::Else,
        };
        // A second entry at the same path could replace a folder by a link that later entries follow.
        if self.known.insert(key(&entry.path), kind).is_some() {
            return Err(Refusal::ThereAlready);
        }
        Ok(())
    }

    /// Checks that all folders of a path came before it.
    fn check_way(&self, path: &[u8]) -> Result<(), Refusal> {
        match check_path(path)?.map(|parent| self.known.get(&key(parent))) {
            None | Some(Some(KnownPath::Folder)) => Ok(()),
            Some(Some(KnownPath::Else)) => Err(Refusal::NotThroughFolders),
            Some(None) => Err(Refusal::FolderAfterwards),
        }
    }

    /// Checks the folder's claims about all its entries.
    ///
    /// # Errors
    /// The reason why they are not valid.
    pub fn finish(&self, entry_count: u64, bytes: u64) -> Result<(), Refusal> {
        if entry_count > self.entries {
            return Err(Refusal::MoreEntries);
        }
        if bytes > self.bytes {
            return Err(Refusal::LargerThanContent);
        }
        Ok(())
    }
}

/// Checks that a path leads downwards. Returns its folder, if that is not the top.
fn check_path(path: &[u8]) -> Result<Option<&[u8]>, Refusal> {
    let mut components = path.split(|byte| *byte == b'/');
    if !components.all(is_plain_name) {
        return Err(Refusal::NotDownwards);
    }
    if path
        .split(|byte| *byte == b'/')
        .any(|name| name.len() > NAME_BYTES_MAX)
    {
        return Err(Refusal::LongNameInPath);
    }
    if path.len() > PATH_BYTES_MAX {
        return Err(Refusal::LongPath);
    }
    if path.iter().filter(|byte| **byte == b'/').count() > PATH_DEPTH_MAX {
        return Err(Refusal::TooManyFolders);
    }
    let slash = path.iter().rposition(|byte| *byte == b'/');
    Ok(slash.map(|at| &path[..at]))
}

fn key(path: &[u8]) -> [u8; 16] {
    let mut key = [0; 16];
    key.copy_from_slice(&id::hash(path)[..16]);
    key
}

fn shown(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(400)]).into_owned()
}
