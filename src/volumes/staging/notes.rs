//! Small files beside the staged blocks: what the caller wanted, what is being read, and what a set was found with.

use std::fs;
use std::io::{self, Read};
use std::time::SystemTime;

use crate::volumes::VolumeError;
use crate::volumes::staged_images::replace_file;

use super::{BESIDE_FILE, NOTE_FILE, NOTE_MAX_BYTES, READING_FILE, SET_FILE, Staging};

impl Staging {
    /// Returns whether the set was found on the same medium as a set that became complete in the same call.
    pub fn is_beside(&self) -> bool {
        self.dir().join(BESIDE_FILE).exists()
    }

    /// Records whether it was.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub(crate) fn set_beside(&self, is_beside: bool) -> Result<(), VolumeError> {
        let path = self.dir().join(BESIDE_FILE);
        if is_beside {
            return replace_file(&path, b"");
        }
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(VolumeError::io(&path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns when its first block was staged.
    pub fn begun(&self) -> Option<SystemTime> {
        let stat = fs::metadata(self.dir().join(SET_FILE)).ok()?;
        stat.modified().ok()
    }

    /// Returns the volumes whose reading has begun and not finished. Their missing blocks are not damage.
    pub(crate) fn half_read(&self) -> Vec<u16> {
        self.reading.iter().copied().collect()
    }

    /// Records that a volume is being read, until [`Self::read_to_end`].
    pub(in crate::volumes) fn begin_reading(&mut self, volume_no: u16) -> Result<(), VolumeError> {
        if self.reading.insert(volume_no) {
            self.note_reading()?;
        }
        Ok(())
    }

    /// Records that these volumes were read as far as possible.
    pub(in crate::volumes) fn read_to_end(
        &mut self,
        volumes: impl IntoIterator<Item = u16>,
    ) -> Result<(), VolumeError> {
        let before = self.reading.len();
        for volume_no in volumes {
            self.reading.remove(&volume_no);
        }
        if self.reading.len() < before {
            self.note_reading()?;
        }
        Ok(())
    }

    pub(super) fn note_reading(&self) -> Result<(), VolumeError> {
        let lines = self.reading.iter().map(|no| format!("{no}\n"));
        let text: String = lines.collect();
        replace_file(&self.dir().join(READING_FILE), text.as_bytes())
    }

    /// Returns the note on the set as it was given. Returns `None` when there is none, or it cannot be read.
    pub fn note(&self) -> Option<Vec<u8>> {
        let file = fs::File::open(self.dir().join(NOTE_FILE)).ok()?;
        let mut note = Vec::new();
        file.take(NOTE_MAX_BYTES + 1).read_to_end(&mut note).ok()?;
        (note.len() as u64 <= NOTE_MAX_BYTES).then_some(note)
    }

    /// Replaces the note on the set. `None` removes it.
    ///
    /// # Errors
    /// [`VolumeError::Io`].
    pub(crate) fn set_note(&self, note: Option<&[u8]>) -> Result<(), VolumeError> {
        let path = self.dir().join(NOTE_FILE);
        match note {
            Some(note) => replace_file(&path, note),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(VolumeError::io(&path)(error))
                }
                _ => Ok(()),
            },
        }
    }
}
