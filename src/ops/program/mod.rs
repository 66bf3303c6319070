//! Programs that are carried on volumes: the running one, and others that are named.
//!
//! It reads whole programs into memory and checks what they are. Whether they fit a medium is decided by `pack`.

pub mod error;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

pub use self::error::ProgramError;
use crate::content::elf::{self, ElfError, Machine};
use crate::oci::image::Digest;
use crate::ops::Error;
use crate::volumes::media::companion::GUIDE_NAMES;
use crate::volumes::media::{CompanionFile, ProgramNote};

/// Most bytes of a program that is carried. Ours has about 15 MB, and 300 MB with what debuggers need.
const PROGRAM_BYTES_MAX: u64 = 1 << 30;
/// Name of a carried program, without the machine.
const NAME: &str = "carryall";

const GUIDE: &str = include_str!("../../../docs/operator-guide.md");
const GUIDE_ZH: &str = include_str!("../../../docs/operator-guide.zh.md");

/// A program in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Program {
    /// The file that it was read from.
    pub path: PathBuf,
    /// The machine it is for.
    pub machine: Machine,
    /// Whether it runs with nothing but itself.
    pub is_static: bool,
    bytes: Arc<Vec<u8>>,
    sha256: OnceLock<String>,
}

impl Program {
    /// Reads a program.
    ///
    /// # Errors
    /// [`Error::Io`], and [`Error::Program`] when it is no program, too large, or for an unknown machine.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::from_file(path, File::open(path).map_err(Error::io(path))?)
    }

    /// Reads the program that is running, even when its file was replaced meanwhile.
    ///
    /// # Errors
    /// As [`Program::read`].
    pub fn running() -> Result<Self, Error> {
        let itself = Path::new("/proc/self/exe");
        // Without /proc, as in a bare chroot, the path that it was started by is the best there is.
        let started = || std::env::args_os().next().map(PathBuf::from);
        let started = || started().filter(|path| path.components().nth(1).is_some());
        let path = std::env::current_exe().ok().or_else(started);
        let path = path.unwrap_or_else(|| itself.to_owned());
        let file = File::open(itself).or_else(|_| File::open(&path));
        Self::from_file(&path, file.map_err(Error::io(&path))?)
    }

    fn from_file(path: &Path, file: File) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        let mut file = file.take(PROGRAM_BYTES_MAX + 1);
        file.read_to_end(&mut bytes).map_err(Error::io(path))?;
        let path = path.to_owned();
        if bytes.len() as u64 > PROGRAM_BYTES_MAX {
            let limit_bytes = PROGRAM_BYTES_MAX;
            return Err(ProgramError::TooLarge { path, limit_bytes }.into());
        }
        let found = match elf::program(&bytes) {
            Ok(found) => found,
            Err(ElfError::NotAProgram) => return Err(ProgramError::NotAProgram { path }.into()),
            Err(ElfError::UnknownMachine(machine)) => {
                return Err(ProgramError::UnknownMachine { path, machine }.into());
            }
        };
        Ok(Self {
            path,
            machine: found.machine,
            is_static: found.is_static,
            bytes: Arc::new(bytes),
            sha256: OnceLock::new(),
        })
    }

    /// Returns its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Returns its SHA-256 in hex, which is computed when it is first asked for.
    pub fn sha256(&self) -> &str {
        self.sha256
            .get_or_init(|| Digest::of(&self.bytes).hex().to_owned())
    }

    /// Returns its name on a volume, such as `carryall.x64`.
    pub fn file_name(&self) -> String {
        format!("{NAME}.{}", self.machine.suffix())
    }

    fn companion(&self) -> CompanionFile {
        let name = self.file_name();
        let note = ProgramNote {
            file: name.clone(),
            machine: self.machine.name().to_owned(),
            sha256: self.sha256().to_owned(),
        };
        CompanionFile {
            name,
            bytes: Arc::clone(&self.bytes),
            program: Some(note),
        }
    }
}

/// Returns the files that carry these programs: the programs, and the operator guide in both languages. Without
/// programs there are none.
pub(crate) fn companions(programs: &[Program]) -> Vec<CompanionFile> {
    if programs.is_empty() {
        return Vec::new();
    }
    let mut files: Vec<CompanionFile> = programs.iter().map(Program::companion).collect();
    for (name, guide) in GUIDE_NAMES.iter().zip([GUIDE, GUIDE_ZH]) {
        files.push(CompanionFile {
            name: (*name).to_owned(),
            bytes: Arc::new(without_links(guide).into_bytes()),
            program: None,
        });
    }
    files
}

/// Returns a page without its links to other pages, which are not on the volume. Their words stay.
fn without_links(page: &str) -> String {
    let mut out = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, behind)) = rest.split_once("](") {
        let link = before.rfind('[').zip(behind.find(')'));
        let Some((open, close)) = link.filter(|(_, close)| !behind[..*close].contains([' ', '\n']))
        else {
            out.push_str(before);
            out.push_str("](");
            rest = behind;
            continue;
        };
        out.push_str(&before[..open]);
        out.push_str(&before[open + 1..]);
        if behind.starts_with("http") {
            out.push_str(&format!(" ({})", &behind[..close]));
        }
        rest = &behind[close + 1..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn links_become_words() {
        for (page, words) in [
            ("see [below](#below), or [a](b.md).", "see below, or a."),
            ("[web](https://a.b/c)!", "web (https://a.b/c)!"),
            (
                "no [link] (here), nor](there",
                "no [link] (here), nor](there",
            ),
            ("x](y) [a](b)", "x](y) a"),
        ] {
            assert_eq!(without_links(page), words);
        }
        for guide in [GUIDE, GUIDE_ZH] {
            assert!(!without_links(guide).contains(".md)"));
        }
    }

    #[test]
    fn the_running_program_is_read_and_named_by_its_machine() {
        let program = Program::running().unwrap();
        assert_eq!(program.sha256().len(), 64);
        let files = companions(std::slice::from_ref(&program));
        let names: Vec<&str> = files.iter().map(|file| &file.name[..]).collect();
        assert_eq!(names[1..], GUIDE_NAMES);
        for name in names {
            let (stem, end) = name.split_once('.').unwrap();
            assert!(stem.len() <= 8 && end.len() == 3, "{name}");
        }
        assert!(companions(&[]).is_empty());
    }
}
