//! The way down to where the next entry goes: folders that were made here, opened one in the other, links never followed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{hostile, open_folder};
use crate::layouts::LayoutError;

/// Folders that are kept open on the way to the current one; deeper ones are opened each time.
const OPEN_FOLDERS_MAX: usize = 128;

/// The folder that is filled, and the way down to where the last entry was.
pub(super) struct Tree {
    pub(super) root: OwnedFd,
    pub(super) path: PathBuf,
    pub(super) open: Vec<(Vec<u8>, OwnedFd)>,
}

impl Tree {
    /// Opens the folder at `components` and keeps the way there open for the next entry.
    pub(super) fn enter(
        &mut self,
        components: &[&[u8]],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        let common = self
            .open
            .iter()
            .zip(components)
            .take_while(|((name, _), component)| name == *component)
            .count();
        self.open.truncate(common);
        while self.open.len() < components.len().min(OPEN_FOLDERS_MAX) {
            let name = components[self.open.len()];
            let folder = self.step(self.deepest(), name, entry)?;
            self.open.push((name.to_vec(), folder));
        }
        self.descend(self.deepest(), &components[self.open.len()..], entry)
    }

    /// Opens the folder at `components` from the top.
    pub(super) fn find(&self, components: &[&[u8]], entry: &[u8]) -> Result<OwnedFd, LayoutError> {
        self.descend(self.root.as_fd(), components, entry)
    }

    fn deepest(&self) -> BorrowedFd<'_> {
        self.open
            .last()
            .map_or(self.root.as_fd(), |(_, folder)| folder.as_fd())
    }

    fn descend(
        &self,
        from: BorrowedFd<'_>,
        components: &[&[u8]],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        let mut at = from
            .try_clone_to_owned()
            .map_err(LayoutError::io("open", &self.path))?;
        for component in components {
            at = self.step(at.as_fd(), component, entry)?;
        }
        Ok(at)
    }

    fn step(
        &self,
        from: BorrowedFd<'_>,
        name: &[u8],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        use rustix::io::Errno;
        open_folder(from, name).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => hostile(entry, "it leads through what is not a folder"),
            Errno::NOENT => hostile(entry, "the folder it is in does not come before it"),
            other => LayoutError::io("open", self.path.join(std::ffi::OsStr::from_bytes(entry)))(
                other.into(),
            ),
        })
    }
}
