//! A stage for tests of the command: a temporary folder with a small release that has one of everything, and the
//! command itself, run as a person runs it.
//!
//! Everything is made of fixed seeds; no clock and no machine shows in it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::archives::tar_of;
pub use super::bytes::{Seeded, noise, text};
use super::shared::shared_dir;
pub use super::trees::{contents, look, visible};

pub mod disk;
pub mod kills;

/// Bytes of noise in a release: more than one volume of `MEDIA` holds, in more than one frame.
const NOISE_BYTES: usize = 18_000_000;
/// A medium that the release needs two or three of.
pub const MEDIA: &str = "16MB";

/// A temporary folder, with a release on it when asked for.
pub struct Stage {
    dir: TempDir,
    /// Where its store is, from the stage on.
    pub store: &'static str,
}

/// What a run of the command gave.
#[derive(Debug, Clone)]
pub struct Run {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What a script reads.
    pub stdout: String,
    /// What a person reads.
    pub stderr: String,
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Run {
    /// Asserts the exit code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Asserts a failure with this exit code that tells what is wrong, with all of `words`, and then what to do.
    #[track_caller]
    pub fn fails_with(self, code: i32, words: &[&str]) -> Self {
        let run = self.ends_with(code);
        let lines: Vec<&str> = run.stderr.trim_end().lines().collect();
        assert!(
            lines.last().is_some_and(|line| line.starts_with("hint: ")),
            "{run:#?}"
        );
        assert!(
            lines.iter().any(|line| line.starts_with("error: ")),
            "{run:#?}"
        );
        for word in words {
            assert!(run.stderr.contains(word), "{word:?} is not in {run:#?}");
        }
        run
    }

    /// Returns the report of a run with `--json`, which must be one document and nothing else.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl Stage {
    /// An empty stage.
    pub fn new() -> Self {
        Self {
            dir: TempDir::new().unwrap(),
            store: "store",
        }
    }

    /// A stage with the items of a release in `given`.
    pub fn with_release() -> Self {
        Self::new().released()
    }

    /// The same for a `static`.
    pub fn shared_with_release() -> Self {
        let stage = Self {
            dir: shared_dir(),
            store: "store",
        };
        stage.released()
    }

    fn released(self) -> Self {
        make_release(&self.path("given"), 1);
        self
    }

    /// A path on the stage.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The command with these words, this stage's store, and English messages.
    pub fn command<W: AsRef<OsStr>>(&self, words: &[W]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_carryall"));
        command
            .args(words)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("LC_ALL", "C")
            .env("CARRYALL_STORE", self.path(self.store))
            .current_dir(self.dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the command to its end.
    pub fn run<W: AsRef<OsStr>>(&self, words: &[W]) -> Run {
        self.command(words).output().unwrap().into()
    }

    /// Runs the command, which must succeed, and returns how long it took.
    #[track_caller]
    pub fn time<W: AsRef<OsStr>>(&self, words: &[W]) -> Duration {
        let began = Instant::now();
        self.run(words).ends_with(0);
        began.elapsed()
    }

    /// Starts the command and leaves it running.
    pub fn start<W: AsRef<OsStr>>(&self, words: &[W]) -> Child {
        self.command(words).spawn().unwrap()
    }

    /// Adds the release that [`make_release`] made in a folder.
    #[track_caller]
    pub fn add_given(&self, release: &str, given: &str) {
        let items = ["image.tar", "files", "setup.bin"].map(|item| format!("{given}/{item}"));
        let [image, files, setup] = &items;
        self.run(&["add", release, image, files, setup])
            .ends_with(0);
    }

    /// Adds the release `shop:1.0` and packs it with one spare into `discs`; returns the volumes in order.
    pub fn packed(&self) -> Vec<PathBuf> {
        self.add_given("shop:1.0", "given");
        self.run(&[
            "pack", "shop:1.0", "--to", "discs", "--media", MEDIA, "--spare", "1",
        ])
        .ends_with(0);
        volumes(&self.path("discs"))
    }

    /// Takes in all volumes of a folder at once.
    #[track_caller]
    pub fn receive_all(&self, name: &str) {
        let mut words = vec![OsString::from("receive")];
        let volumes = volumes(&self.path(name)).into_iter();
        words.extend(volumes.map(PathBuf::into_os_string));
        self.run(&words).ends_with(0);
    }

    /// Asserts that the store opens and everything in it is whole.
    #[track_caller]
    pub fn store_is_well(&self) {
        self.run(&["list"]).ends_with(0);
        self.run(&["check", "--data"]).ends_with(0);
    }

    /// Asserts that a release comes out of the store as it was given.
    #[track_caller]
    pub fn comes_back(&self, release: &str, given: &str) {
        let back = TempDir::new_in(self.dir.path()).unwrap();
        let dest = back.path().join("back");
        self.run(&["checkout".as_ref(), release.as_ref(), dest.as_os_str()])
            .ends_with(0);
        assert!(
            look(&dest) == look(&self.path(given)),
            "{release} came back other than it was given"
        );
    }

    /// The id of a public key, as the comment of its file has it.
    pub fn key_id(&self, public: &str) -> String {
        let text = std::fs::read_to_string(self.path(public)).unwrap();
        let comment = text.lines().next().unwrap();
        comment.rsplit(' ').next().unwrap().to_owned()
    }

    /// Removes a file or folder of the stage, if it is there.
    pub fn remove(&self, name: &str) {
        let path = self.path(name);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else if path.exists() {
            fs::remove_file(path).unwrap();
        }
    }

    /// Copies a folder of the stage with all that is in it, in place of what was there.
    pub fn copy(&self, from: &str, to: &str) {
        self.remove(to);
        let done = Command::new("cp")
            .arg("-a")
            .arg(self.path(from))
            .arg(self.path(to))
            .status()
            .unwrap();
        assert!(done.success());
    }
}

/// The volumes in a folder, by number.
pub fn volumes(dir: &Path) -> Vec<PathBuf> {
    visible(dir)
}

/// Makes the items of a release: a docker archive, a folder with one of everything, and a file. Releases of other
/// seeds have a part in common.
pub fn make_release(root: &Path, seed: u64) {
    fs::create_dir_all(root.join("files/deep/er")).unwrap();
    fs::create_dir(root.join("files/empty")).unwrap();
    let files = root.join("files");
    fs::write(files.join("deep/log.txt"), text(7, 3_000_000)).unwrap();
    fs::write(
        files.join("deep/er/data.bin"),
        noise(seed + 100, NOISE_BYTES / 3),
    )
    .unwrap();
    fs::write(files.join("run.sh"), b"#!/bin/sh\necho run\n").unwrap();
    fs::set_permissions(files.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(files.join("nothing"), b"").unwrap();
    symlink("../run.sh", files.join("deep/link")).unwrap();
    fs::hard_link(files.join("run.sh"), files.join("same.sh")).unwrap();
    fs::write(root.join("image.tar"), docker_archive(seed)).unwrap();
    fs::write(root.join("setup.bin"), noise(9, NOISE_BYTES / 3)).unwrap();
    for path in [
        "image.tar",
        "setup.bin",
        "files/deep/log.txt",
        "files/deep/er/data.bin",
    ] {
        let file = fs::File::options()
            .write(true)
            .open(root.join(path))
            .unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_600_000_000 + seed))
            .unwrap();
    }
}

/// An image as `docker save` writes it: two layers, a config and a manifest.
fn docker_archive(seed: u64) -> Vec<u8> {
    let layers = [
        tar_of(&[
            ("etc/motd", text(1, 2_000_000)),
            ("usr/lib/libshop.so", noise(2, NOISE_BYTES / 6)),
        ]),
        tar_of(&[
            ("srv/shop/app.bin", noise(seed + 200, NOISE_BYTES / 6)),
            ("srv/shop/app.js", text(seed + 300, 1_000_000)),
        ]),
    ];
    let names = ["aaaa/layer.tar", "bbbb/layer.tar"];
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#
            .to_vec();
    let manifest = format!(
        r#"[{{"Config":"config.json","RepoTags":["shop:{seed}"],"Layers":["{}","{}"]}}]"#,
        names[0], names[1]
    );
    let [first, second] = layers;
    tar_of(&[
        (names[0], first),
        (names[1], second),
        ("config.json", config),
        ("manifest.json", manifest.into_bytes()),
    ])
}

/// Kills a process and says whether it was still running.
pub fn kill(mut child: Child) -> bool {
    child.kill().unwrap();
    // Nobody reads its pipes any more, so it cannot hang on them.
    let status = child.wait().unwrap();
    status.signal() == Some(9)
}

/// Sends a signal to a process.
pub fn signal(child: &Child, signal: rustix::process::Signal) {
    let id = rustix::process::Pid::from_child(child);
    // One that has ended and was not waited for can still be signalled.
    rustix::process::kill_process(id, signal).unwrap();
}
