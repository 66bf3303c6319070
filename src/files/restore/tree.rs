//! Resolves the folder of the next entry through folders that were made here, each opened inside its parent. Links are
//! never followed.
//!
//! The folders nearest to the current one stay open, and above them one in every [`STRIDE`]. Neither a deep tree nor
//! the way back up is therefore walked from the top for each entry.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::{hostile, open_folder};
use crate::base::term::Action;
use crate::content::release::Refusal;
use crate::files::LayoutError;

/// Levels kept open above the current one, and the distance between the open levels above those.
const STRIDE: usize = 64;

/// The folder that is being filled, with the paths to the last entry and to the last look-up.
pub(super) struct RestoreTree {
    pub(super) root: OwnedFd,
    pub(super) path: PathBuf,
    entries: FolderPath,
    others: FolderPath,
}

/// A path of folders, some of them open.
#[derive(Default)]
struct FolderPath {
    /// Folders by level, some of them open.
    levels: Vec<(Vec<u8>, Option<OwnedFd>)>,
}

impl RestoreTree {
    pub(super) fn new(root: OwnedFd, path: PathBuf) -> Self {
        Self {
            root,
            path,
            entries: FolderPath::default(),
            others: FolderPath::default(),
        }
    }

    /// Opens the folder at `components`, where the next entry goes.
    pub(super) fn enter(
        &mut self,
        components: &[&[u8]],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        let mut way = std::mem::take(&mut self.entries);
        let found = self.follow(&mut way, components, entry);
        self.entries = way;
        found
    }

    /// Opens the folder at `components` for a look-up, which leaves the path of the entries as it is.
    pub(super) fn find(
        &mut self,
        components: &[&[u8]],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        let mut way = std::mem::take(&mut self.others);
        let found = self.follow(&mut way, components, entry);
        self.others = way;
        found
    }

    fn follow(
        &self,
        way: &mut FolderPath,
        components: &[&[u8]],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        way.keep_common(components);
        let closed = way.first_closed();
        for (level, name) in components.iter().enumerate().skip(closed) {
            let folder = self.step(way.above(level, &self.root), name, entry)?;
            way.open(level, name, folder);
        }
        way.above(components.len(), &self.root)
            .try_clone_to_owned()
            .map_err(LayoutError::io(Action::Open, &self.path))
    }

    fn step(
        &self,
        from: BorrowedFd<'_>,
        name: &[u8],
        entry: &[u8],
    ) -> Result<OwnedFd, LayoutError> {
        use rustix::io::Errno;
        open_folder(from, name).map_err(|error| match error {
            Errno::LOOP | Errno::NOTDIR => hostile(entry, Refusal::NotThroughFolders),
            Errno::NOENT => hostile(entry, Refusal::FolderAfterwards),
            other => LayoutError::io(
                Action::Open,
                self.path.join(std::ffi::OsStr::from_bytes(entry)),
            )(other.into()),
        })
    }
}

impl FolderPath {
    /// Goes back up to where the path to `components` branches off.
    fn keep_common(&mut self, components: &[&[u8]]) {
        let same = self.levels.iter().zip(components);
        let common = same.take_while(|((name, _), component)| name == *component);
        let common = common.count();
        self.levels.truncate(common);
    }

    /// Returns the level below the lowest open folder.
    fn first_closed(&self) -> usize {
        let open = self.levels.iter().rposition(|(_, open)| open.is_some());
        open.map_or(0, |level| level + 1)
    }

    /// Returns the folder above a level, which is open.
    fn above<'a>(&'a self, level: usize, root: &'a OwnedFd) -> BorrowedFd<'a> {
        let open = level
            .checked_sub(1)
            .and_then(|above| self.levels.get(above));
        open.and_then(|(_, open)| open.as_ref())
            .map_or(root.as_fd(), AsFd::as_fd)
    }

    /// Adds an open folder, and closes one that is now far above.
    fn open(&mut self, level: usize, name: &[u8], folder: OwnedFd) {
        match self.levels.get_mut(level) {
            Some((_, open)) => *open = Some(folder),
            None => self.levels.push((name.to_vec(), Some(folder))),
        }
        if let Some(far) = level.checked_sub(STRIDE)
            && far % STRIDE != 0
        {
            self.levels[far].1 = None;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Makes a chain of folders and comes back up. Returns how many stay open at most, and how many were opened.
    fn chain(depth: usize) -> (usize, usize) {
        let file = || OwnedFd::from(std::fs::File::open("/dev/null").unwrap());
        let (mut way, mut most, mut opened) = (FolderPath::default(), 0, 0);
        let names: Vec<Vec<u8>> = (0..depth).map(|n| n.to_string().into_bytes()).collect();
        let names: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        for len in (0..=depth).chain((0..depth).rev()) {
            way.keep_common(&names[..len]);
            let closed = way.first_closed();
            for (level, name) in names[..len].iter().enumerate().skip(closed) {
                way.open(level, name, file());
                opened += 1;
            }
            assert!(len == 0 || way.levels[len - 1].1.is_some());
            most = most.max(way.levels.iter().filter(|level| level.1.is_some()).count());
        }
        (most, opened)
    }

    #[test]
    fn a_deep_chain_is_gone_down_and_up_with_few_folders_open_and_each_opened_about_twice() {
        for depth in [1, 64, 65, 700] {
            let (most, opened) = chain(depth);
            assert!(most <= 2 * STRIDE + depth / STRIDE + 1, "{depth}: {most}");
            assert!(opened <= 3 * depth, "{depth}: {opened}");
        }
    }
}
