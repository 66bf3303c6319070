//! Files with bad sectors for a command that runs: reads of them fail with a real EIO, as on a scratched disc.
//!
//! A library of a few functions is compiled from `bad_sectors.c` and loaded into the command before libc.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::programs;
use super::shared::shared_dir;
use super::stage::{Run, Stage};

/// Bytes of a sector on discs.
pub const SECTOR: u64 = 2048;

/// How often bad bytes fail.
#[derive(Debug, Clone, Copy)]
pub enum Fails {
    /// Every read that meets them.
    Always,
    /// The first reads of the command that meet them.
    First(u32),
}

/// Bytes of files that cannot be read. It also hears what is read, so it serves with no bad bytes, too.
pub struct BadSectors {
    list: TempDir,
}

impl BadSectors {
    /// Bad bytes of these files, which must exist. `None`, with a note, where there is no compiler; on CI that fails.
    pub fn new(bad: &[(&Path, &[Range<u64>])], fails: Fails) -> Option<Self> {
        library()?;
        let times = match fails {
            Fails::Always => 0,
            Fails::First(times) => times,
        };
        let list = TempDir::new().unwrap();
        let mut text = String::new();
        for (path, ranges) in bad {
            let path = fs::canonicalize(path).unwrap();
            for range in *ranges {
                let (start, end, path) = (range.start, range.end, path.display());
                text += &format!("{start} {end} {times} {path}\n");
            }
        }
        fs::write(list.path().join("list"), text).unwrap();
        Some(Self { list })
    }

    /// Makes the reads of a command fail.
    pub fn hurt<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let library = library().unwrap();
        command
            .env("LD_PRELOAD", library)
            .env("BAD_SECTORS", self.list.path().join("list"))
            .env("READ_LOG", self.list.path().join("reads"))
    }

    /// What the commands read of this file or device, in order.
    pub fn reads(&self, path: &Path) -> Vec<ReadCall> {
        let path = fs::canonicalize(path).unwrap();
        let log = fs::read_to_string(self.list.path().join("reads")).unwrap_or_default();
        let calls = log.lines().map(|line| {
            let mut parts = line.splitn(4, ' ');
            let mut number = || parts.next().unwrap().parse::<i64>().unwrap();
            let (offset, len, read) = (number(), number(), number());
            let call = ReadCall {
                offset: u64::try_from(offset).unwrap(),
                len: u64::try_from(len).unwrap(),
                read: u64::try_from(read).ok(),
            };
            (call, parts.next().unwrap())
        });
        calls
            .filter(|(_, of)| Path::new(of) == path)
            .map(|(call, _)| call)
            .collect()
    }

    /// The files and devices that commands read, in the order of the reads.
    pub fn all_reads(&self) -> Vec<PathBuf> {
        let log = fs::read_to_string(self.list.path().join("reads")).unwrap_or_default();
        let paths = log.lines().map(|line| line.splitn(4, ' ').nth(3).unwrap());
        paths.map(PathBuf::from).collect()
    }

    /// The bytes that commands read of this file or device.
    pub fn read_bytes(&self, path: &Path) -> u64 {
        self.reads(path).iter().filter_map(|call| call.read).sum()
    }
}

/// A read at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadCall {
    /// Where.
    pub offset: u64,
    /// Bytes that were asked for.
    pub len: u64,
    /// Bytes that came. `None` when it failed.
    pub read: Option<u64>,
}

impl Stage {
    /// Runs the command to its end with bad sectors in these files.
    pub fn run_with_bad_sectors(&self, words: &[&str], bad: &BadSectors) -> Run {
        let mut command = self.command(words);
        bad.hurt(&mut command).output().unwrap().into()
    }
}

/// Sectors of a file, as ranges of its bytes.
pub fn sectors(numbers: impl IntoIterator<Item = u64>) -> Vec<Range<u64>> {
    numbers
        .into_iter()
        .map(|no| no * SECTOR..(no + 1) * SECTOR)
        .collect()
}

/// The compiled library, which stays for the whole run of the tests.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(PathBuf, TempDir)>> = OnceLock::new();
    let compile = || {
        if !programs::has(&["cc"]) {
            return None;
        }
        let dir = shared_dir();
        let path = dir.path().join("bad_sectors.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/testkit/bad_sectors.c");
        let mut cc = Command::new("cc");
        cc.args([
            "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o",
        ]);
        programs::run(cc.arg(&path).arg(source).arg("-ldl"));
        Some((path, dir))
    };
    let library = LIBRARY.get_or_init(compile).as_ref();
    library.map(|(path, _)| path.as_path())
}
