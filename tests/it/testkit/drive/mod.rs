//! A machine with a real optical drive, emulated: its discs are changed and made unreadable, and its power is cut, from
//! outside.
//!
//! `tests/drive/build` makes what it boots. `$CARRYALL_TEST_DRIVE` names the folder, and `tests/run` sets it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use super::programs::{has, run, skip};
use super::shared::shared_dir;

mod console;
mod disc;
mod machine;
mod tray;

pub use disc::Disc;
pub use machine::Machine;

/// Bytes of the disk of a machine. The file that stands for it has holes.
const DISK_BYTES: u64 = 1 << 30;

/// A folder on the disk of a machine in which upper and lower case are one.
pub const FOLDING: &str = "folding";
/// Flags of its inode: extents and casefold.
const FOLDED_DIRECTORY: &str = "0x40080000";

/// What outlives a power cut of the machine: its disk, and a folder of this one that it sees as `/host`.
pub struct Site {
    dir: TempDir,
}

impl Site {
    /// A machine that was never on. `None`, with a note, where none can be emulated; on CI that fails.
    pub fn new() -> Option<Self> {
        parts()?;
        let dir = TempDir::new().unwrap();
        fs::create_dir(dir.path().join("host")).unwrap();
        let disk = dir.path().join("disk");
        File::create(&disk).unwrap().set_len(DISK_BYTES).unwrap();
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-O", "casefold"])
            .arg(&disk));
        let folds = format!("sif /{FOLDING} flags {FOLDED_DIRECTORY}");
        for request in [format!("mkdir {FOLDING}"), folds] {
            run(Command::new("debugfs")
                .args(["-w", "-R", &request])
                .arg(&disk));
        }
        Some(Self { dir })
    }

    /// The folder that the machine sees as `/host`.
    pub fn host(&self) -> PathBuf {
        self.dir.path().join("host")
    }
}

/// What every machine is made of.
struct Parts {
    emulator: PathBuf,
    kernel: PathBuf,
    /// The small Linux with the program in it.
    initrd: PathBuf,
    _dir: TempDir,
}

fn parts() -> Option<&'static Parts> {
    static PARTS: OnceLock<Option<Parts>> = OnceLock::new();
    let find = || {
        let Some(built) = std::env::var_os("CARRYALL_TEST_DRIVE").map(PathBuf::from) else {
            skip(
                "no emulated drive: tests/drive/build makes it, and $CARRYALL_TEST_DRIVE names it",
            );
            return None;
        };
        has(&["mkfs.ext4", "debugfs", "strip"]).then(|| Parts::of(&built))
    };
    PARTS.get_or_init(find).as_ref()
}

impl Parts {
    fn of(built: &Path) -> Self {
        let dir = shared_dir();
        let program = dir.path().join("program");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drive/program");
        let words = [built, Path::new(env!("CARGO_BIN_EXE_carryall")), &program];
        run(Command::new(script).args(words));
        // The kernel unpacks one archive after the other.
        let mut both = fs::read(built.join("initrd")).unwrap();
        both.extend(fs::read(program).unwrap());
        let initrd = dir.path().join("initrd");
        fs::write(&initrd, both).unwrap();
        Self {
            emulator: built.join("emulator"),
            kernel: built.join("kernel"),
            initrd,
            _dir: dir,
        }
    }
}
