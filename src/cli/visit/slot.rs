//! Where discs are put in: an optical drive, or a path at which media appear.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use carryall::volumes::media::drive::{Drive, TrayState, drives};

/// A place for discs, and whether the one in it was dealt with.
pub struct DiscSlot {
    place: Place,
    /// The medium that was last said to be fresh. Another one may stand in its place before it is let out.
    seen: Option<MediumMark>,
    dealt_with: Option<MediumMark>,
}

enum Place {
    Drive(Drive),
    /// A folder where media are mounted, or the path of an image.
    Path(PathBuf),
}

/// What tells one medium from the next at the same place. A drive tells by its tray alone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct MediumMark(Vec<(u64, u64, i64, i64)>);

/// What is in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotContent {
    /// A disc that nothing was done about yet.
    Fresh,
    /// A disc that was dealt with.
    DealtWith,
    /// The drive examines what was put in.
    Busy,
    /// Nothing.
    Nothing,
}

impl DiscSlot {
    fn new(place: Place) -> Self {
        Self {
            place,
            seen: None,
            dealt_with: None,
        }
    }

    /// The slot that is named, or all drives of the machine.
    pub fn find(named: Option<&Path>) -> Vec<Self> {
        match named {
            Some(path) => vec![Self::new(match Drive::at(path) {
                Some(drive) => Place::Drive(drive),
                None => Place::Path(path.to_owned()),
            })],
            None => {
                let drives = drives().into_iter();
                drives.map(|drive| Self::new(Place::Drive(drive))).collect()
            }
        }
    }

    /// What is read from it.
    pub fn path(&self) -> &Path {
        match &self.place {
            Place::Drive(drive) => &drive.path,
            Place::Path(path) => path,
        }
    }

    /// The drive's model, when it is one and says so.
    pub fn model(&self) -> &str {
        match &self.place {
            Place::Drive(drive) => &drive.model,
            Place::Path(_) => "",
        }
    }

    /// Asks what is in it. A disc that went is no longer dealt with.
    pub fn look(&mut self) -> io::Result<SlotContent> {
        let mark = match &self.place {
            Place::Drive(drive) => match drive.tray()? {
                TrayState::Open | TrayState::Empty => None,
                TrayState::Busy => return Ok(SlotContent::Busy),
                TrayState::Disc | TrayState::Unknown => Some(MediumMark(Vec::new())),
            },
            Place::Path(path) => mark_of(path),
        };
        let Some(mark) = mark else {
            self.dealt_with = None;
            return Ok(SlotContent::Nothing);
        };
        if self.dealt_with.as_ref() == Some(&mark) {
            return Ok(SlotContent::DealtWith);
        }
        self.dealt_with = None;
        self.seen = Some(mark);
        Ok(SlotContent::Fresh)
    }

    /// Notes that the disc last seen was dealt with, and opens the tray. Returns whether the tray is open now.
    pub fn let_out(&mut self) -> bool {
        self.dealt_with = self.seen.take();
        let Place::Drive(drive) = &self.place else {
            return false;
        };
        let is_open = drive.eject().is_ok();
        // What is in a tray that was seen open is new, however soon it is closed again.
        if is_open && matches!(drive.tray(), Ok(TrayState::Open | TrayState::Empty)) {
            self.dealt_with = None;
        }
        is_open
    }

    /// Forgets that the disc was dealt with.
    pub fn look_again(&mut self) {
        self.dealt_with = None;
    }
}

/// The mark of what is at a path: of a folder that of its entries, too. Nothing is there when a folder is empty.
fn mark_of(path: &Path) -> Option<MediumMark> {
    let mark = |path: &Path| {
        let stat = fs::metadata(path).ok()?;
        Some((stat.dev(), stat.ino(), stat.mtime(), stat.mtime_nsec()))
    };
    let mut all = vec![mark(path)?];
    if path.is_dir() {
        let entries = fs::read_dir(path).ok()?.filter_map(Result::ok);
        let mut below: Vec<_> = entries.filter_map(|entry| mark(&entry.path())).collect();
        if below.is_empty() {
            return None;
        }
        below.sort_unstable();
        all.extend(below);
    }
    Some(MediumMark(all))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_medium_is_dealt_with_until_another_one_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let mut slots = DiscSlot::find(Some(dir.path()));
        let slot = &mut slots[0];
        assert_eq!(slot.look().unwrap(), SlotContent::Nothing);
        fs::write(dir.path().join("a"), b"a").unwrap();
        assert_eq!(slot.look().unwrap(), SlotContent::Fresh);
        assert!(!slot.let_out());
        assert_eq!(slot.look().unwrap(), SlotContent::DealtWith);
        slot.look_again();
        assert_eq!(slot.look().unwrap(), SlotContent::Fresh);
        slot.let_out();
        fs::rename(dir.path().join("a"), dir.path().join("z")).unwrap();
        fs::write(dir.path().join("b"), b"b").unwrap();
        assert_eq!(slot.look().unwrap(), SlotContent::Fresh);
    }

    #[test]
    fn a_medium_that_came_while_the_last_one_was_read_is_fresh() {
        let dir = tempfile::tempdir().unwrap();
        let mut slots = DiscSlot::find(Some(dir.path()));
        let slot = &mut slots[0];
        fs::write(dir.path().join("a"), b"a").unwrap();
        assert_eq!(slot.look().unwrap(), SlotContent::Fresh);
        fs::rename(dir.path().join("a"), dir.path().join("z")).unwrap();
        fs::write(dir.path().join("b"), b"b").unwrap();
        slot.let_out();
        assert_eq!(slot.look().unwrap(), SlotContent::Fresh);
    }
}
