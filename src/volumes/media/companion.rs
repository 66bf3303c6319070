//! Companion files: files that stand on every volume of a set beside its volume files, such as the program that reads it.
//!
//! It knows their names and sizes, and not what is in them.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::volumes::media::MediaError;

/// Names of the operator guide in English and in Chinese, which come with a program.
pub(crate) const GUIDE_NAMES: [&str; 2] = ["guide-en.txt", "guide-zh.txt"];
/// Permissions of a program, and of any other file.
const PROGRAM_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// A file that is written on every volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompanionFile {
    /// Its name: at most eight lower-case letters, digits and hyphens, a dot, and at most three.
    pub name: String,
    /// Its content.
    pub bytes: Arc<Vec<u8>>,
    /// What pages say of it when it is a program.
    pub program: Option<ProgramNote>,
}

/// What the pages of a volume say of a program that is on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramNote {
    /// Name of the file.
    pub file: String,
    /// The machine it is for, such as `x86-64`.
    pub machine: String,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

impl ProgramNote {
    /// Returns the value of the fact that a set records of a program.
    pub(crate) fn to_fact(&self) -> String {
        format!("{} {} {}", self.file, self.machine, self.sha256)
    }

    /// Reads it from a set's record, which may come from anywhere.
    pub(crate) fn from_fact(value: &str) -> Option<Self> {
        let mut words = value.split(' ');
        let mut word = || words.next().filter(|word| word.len() <= 64);
        let (file, machine, sha256) = (word()?, word()?, word()?);
        let is_hex = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_hex && words.next().is_none()).then(|| Self {
            file: file.to_owned(),
            machine: machine.to_owned(),
            sha256: sha256.to_owned(),
        })
    }
}

impl CompanionFile {
    /// Writes it into a folder and brings it to the medium.
    pub(super) fn write(&self, folder: &Path) -> Result<(), MediaError> {
        let path = folder.join(&self.name);
        let mode = if self.program.is_some() {
            PROGRAM_MODE
        } else {
            FILE_MODE
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = options.open(&path).map_err(MediaError::io(&path))?;
        file.write_all(&self.bytes).map_err(MediaError::io(&path))?;
        file.sync_all().map_err(MediaError::io(&path))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_a_set_records_of_a_program_is_read_back_and_nothing_else_is() {
        let note = ProgramNote {
            file: "carryall.x64".into(),
            machine: "x86-64".into(),
            sha256: "0f".repeat(32),
        };
        assert_eq!(ProgramNote::from_fact(&note.to_fact()), Some(note.clone()));
        for bad in [
            "",
            "a b c",
            &format!("{} more", note.to_fact()),
            &format!("{} x {}", "a".repeat(65), "0".repeat(64)),
            &format!("a b {}", "g".repeat(64)),
        ] {
            assert_eq!(ProgramNote::from_fact(bad), None, "{bad}");
        }
    }
}
