//! A machine that is on, and the person in front of it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::console::Console;
use super::disc::Disc;
use super::tray::Tray;
use super::{Site, parts};

/// How long anything may take. An emulated machine is slow, and so is a busy real one.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Stands in front of what a command says, and in front of its exit code.
const MARKS: [&str; 2] = ["<<<", ">>>"];

/// Machines that are on. Each takes a core.
static ON: (Mutex<usize>, Condvar) = (Mutex::new(0), Condvar::new());

/// The right to switch a machine on.
struct Core;

impl Core {
    /// Waits until a core is free.
    fn take() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let lock = ON.0.lock().unwrap_or_else(PoisonError::into_inner);
        let on = ON.1.wait_while(lock, |on| *on >= cores);
        *on.unwrap_or_else(PoisonError::into_inner) += 1;
        Self
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        *ON.0.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        ON.1.notify_one();
    }
}

/// A machine that is on.
pub struct Machine {
    /// The drive's tray.
    pub tray: Tray,
    console: Console,
    child: Child,
    /// The emulator's socket goes with it.
    _socket: tempfile::TempDir,
    _core: Core,
}

/// What a command on the machine said, and how it ended.
#[derive(Debug)]
pub struct Answer {
    pub code: u8,
    pub text: String,
}

impl Machine {
    /// Switches a machine on, with an empty and closed tray.
    pub fn boot(site: &Site) -> Self {
        let core = Core::take();
        let parts = parts().unwrap();
        let socket_dir = tempfile::TempDir::new().unwrap();
        let socket = socket_dir.path().join("socket");
        let disk = site.dir.path().join("disk");
        let after =
            |front: &str, path: PathBuf, back: &str| format!("{front}{}{back}", path.display());
        let mut child = Command::new(&parts.emulator)
            .args(["-accel", "tcg", "-m", "1024", "-nodefaults", "-cpu", "max"])
            .args(["-display", "none", "-no-reboot", "-serial", "stdio"])
            .args(["-append", "console=ttyS0 loglevel=1 panic=-1", "-kernel"])
            .arg(&parts.kernel)
            .arg("-initrd")
            .arg(&parts.initrd)
            .args([
                "-device",
                "virtio-scsi-pci",
                "-device",
                "scsi-cd,id=drive",
                "-drive",
            ])
            .arg(after("if=virtio,format=raw,cache=unsafe,file=", disk, ""))
            .arg("-virtfs")
            .arg(after(
                "local,mount_tag=host,security_model=none,path=",
                site.host(),
                "",
            ))
            .arg("-qmp")
            .arg(after("unix:", socket.clone(), ",server=on,wait=off"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let console = Console::new(child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut machine = Self {
            tray: Tray::of(&socket),
            console,
            child,
            _socket: socket_dir,
            _core: core,
        };
        machine.wait_for(&["$ "]);
        machine
    }

    /// Cuts the power: what was not synced to the disk is lost.
    pub fn cut_power(self) {
        drop(self);
    }

    /// Puts in a disc.
    pub fn insert(&mut self, disc: &Disc) {
        self.tray.insert(disc);
    }

    /// Types a line, and does not wait for what comes of it.
    pub fn type_line(&mut self, line: &str) {
        self.console.type_keys(&format!("{line}\n"));
    }

    /// Reads on until one of these words was said. Returns which one, and what was said up to its end.
    #[track_caller]
    pub fn wait_for(&mut self, words: &[&str]) -> (usize, String) {
        self.console.wait_for(words, PATIENCE)
    }

    /// Runs a command to its end.
    #[track_caller]
    pub fn run(&mut self, command: &str) -> Answer {
        self.start(command);
        self.ends()
    }

    /// Starts a command. What was said before it is read.
    #[track_caller]
    pub fn start(&mut self, command: &str) {
        let [begin, end] = MARKS;
        self.type_line(&format!("echo '{begin}'; {command}; echo '{end}' $?."));
        self.wait_for(&[begin]);
    }

    /// Waits for the end of a command that was started.
    #[track_caller]
    pub fn ends(&mut self) -> Answer {
        let (_, text) = self.wait_for(&[MARKS[1]]);
        let (_, code) = self.wait_for(&["."]);
        let code = code.trim_matches([' ', '.']).parse().unwrap();
        let text = text.trim_end_matches(MARKS[1]).trim_start().to_owned();
        Answer { code, text }
    }

    /// Runs a command that must end with this code, and returns what it said.
    #[track_caller]
    pub fn run_to(&mut self, code: u8, command: &str) -> String {
        let answer = self.run(command);
        assert_eq!(answer.code, code, "{command}: {}", answer.text);
        answer.text
    }

    /// Everything that was said since the machine was switched on.
    pub fn transcript(&self) -> String {
        self.console.transcript()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
