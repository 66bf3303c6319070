//! A small disk of its own, in memory: to be filled without hurting anything else.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::super::programs::skip;
use super::{Run, Stage, signal};

/// A mounted tmpfs; it goes when this is dropped.
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts a disk of so many bytes at `name` on the stage. `None`, with a note, where that is not allowed; on CI that fails.
    pub fn new(stage: &Stage, name: &str, bytes: u64) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skip("only root can mount a small disk");
            return None;
        }
        let path = stage.path(name);
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={bytes}"), "tmpfs"])
            .arg(&path)
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { path });
        }
        skip("mounting a small disk is not allowed here");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it another size.
    pub fn resize(&self, bytes: u64) {
        let status = Command::new("mount")
            .args(["-o", &format!("remount,size={bytes}")])
            .arg(&self.path)
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Fills it to the last byte with a file that is no part of the test.
    pub fn fill(&self) {
        let mut file = fs::File::create(self.path.join("filler")).unwrap();
        let zeros = vec![0; 1 << 20];
        for part in [zeros.len(), 4096, 1] {
            while file.write_all(&zeros[..part]).is_ok() {}
        }
    }

    /// Gives back what `fill` took.
    pub fn unfill(&self) {
        let _ = fs::remove_file(self.path.join("filler"));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

/// Runs the command and fills the disk in the midst of it: as soon as `begun` holds, the command is halted, the disk
/// filled, and the command let go on. `None` when it ended before.
pub fn run_and_fill(
    stage: &Stage,
    words: &[&str],
    disk: &Disk,
    begun: &dyn Fn() -> bool,
) -> Option<Run> {
    let child = stage.start(words);
    let caught = wait_for(&child, begun);
    if caught {
        signal(&child, Signal::STOP);
        disk.fill();
        signal(&child, Signal::CONT);
    }
    let run: Run = child.wait_with_output().unwrap().into();
    caught.then_some(run)
}

fn wait_for(child: &Child, begun: &dyn Fn() -> bool) -> bool {
    let id = child.id();
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if begun() {
            return true;
        }
        if has_ended(id) {
            return false;
        }
        std::thread::sleep(Duration::from_micros(200));
    }
    panic!("the command neither began nor ended");
}

/// Whether a process that nobody waited for yet has ended.
fn has_ended(id: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    matches!(state, None | Some('Z' | 'X'))
}
