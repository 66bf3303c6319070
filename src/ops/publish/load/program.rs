//! The programs that take images: which of them works, how each takes an archive, and which digests it has.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::base::monitor::{Interrupted, Monitor};
use crate::oci::image::export::{ImageForm, whole_name};

/// Time for a program to answer a question.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// Interval between two checks for the answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Bytes of an answer that are read.
const ANSWER_BYTES_MAX: u64 = 64 << 10;

/// A program that takes images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Loader {
    /// `docker load`
    Docker,
    /// `podman load`
    Podman,
    /// `nerdctl load`
    Nerdctl,
    /// `ctr images import -`
    Ctr,
}

/// A program that was tried and does not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Tried {
    /// The program.
    pub program: &'static str,
    /// The error, in the program's own words.
    pub why: String,
}

impl Loader {
    /// All programs, in the order in which they are tried.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Nerdctl, Self::Ctr];

    /// Returns the name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
            Self::Ctr => "ctr",
        }
    }

    /// Returns the format of its input. containerd keeps the original digests of images.
    pub fn form(self) -> ImageForm {
        match self {
            Self::Docker | Self::Podman | Self::Nerdctl => ImageForm::DockerArchive,
            Self::Ctr => ImageForm::OciLayout,
        }
    }

    fn command(self, namespace: Option<&str>, words: &[&str]) -> Command {
        let mut command = Command::new(self.program());
        if let (Self::Nerdctl | Self::Ctr, Some(namespace)) = (self, namespace) {
            command.args(["--namespace", namespace]);
        }
        command.args(words);
        command
    }

    /// Returns the command that reads an archive from its standard input.
    pub(super) fn takes(self, namespace: Option<&str>) -> Command {
        match self {
            Self::Docker | Self::Podman | Self::Nerdctl => self.command(namespace, &["load"]),
            Self::Ctr => self.command(namespace, &["images", "import", "-"]),
        }
    }

    /// Returns the first program that works, and those before it that are installed but do not.
    ///
    /// # Errors
    /// [`Interrupted`] when a stop was asked for.
    pub(super) fn working(
        monitor: &dyn Monitor,
    ) -> Result<(Option<Self>, Vec<Tried>), Interrupted> {
        let mut tried = Vec::new();
        for loader in Self::ALL.into_iter().filter(|loader| loader.is_installed()) {
            let words: &[&str] = match loader {
                Self::Docker => &["version", "--format", "{{.Server.Version}}"],
                Self::Podman | Self::Nerdctl => &["info"],
                Self::Ctr => &["version"],
            };
            match ask(&mut loader.command(None, words), monitor)? {
                Ok(_) => return Ok((Some(loader), tried)),
                Err(why) => tried.push(Tried {
                    program: loader.program(),
                    why,
                }),
            }
        }
        Ok((None, tried))
    }

    /// Returns what the program calls a name in an archive. containerd adds a host to every name.
    pub(super) fn name_of(self, name: &str) -> String {
        match self {
            Self::Docker | Self::Podman | Self::Nerdctl => name.to_owned(),
            Self::Ctr => whole_name(name).unwrap_or_else(|| name.to_owned()),
        }
    }

    fn is_installed(self) -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(self.program()).is_file())
    }

    /// Returns the digest that the program has for a name. Docker and podman report that of the config. containerd
    /// reports that of the manifest or index.
    ///
    /// # Errors
    /// [`Interrupted`] when a stop was asked for.
    pub(super) fn digest_of(
        self,
        name: &str,
        namespace: Option<&str>,
        monitor: &dyn Monitor,
    ) -> Result<Option<String>, Interrupted> {
        let filter = format!("name=={name}");
        let words: &[&str] = match self {
            Self::Docker | Self::Podman | Self::Nerdctl => {
                &["image", "inspect", "--format", "{{.Id}}", name]
            }
            Self::Ctr => &["images", "list", &filter],
        };
        let said = ask(&mut self.command(namespace, words), monitor)?;
        Ok(said.ok().and_then(|said| {
            let mut words = said.split_whitespace();
            words.find_map(|word| {
                let hex = word.strip_prefix("sha256:").unwrap_or(word);
                let is_hex = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_hex.then(|| format!("sha256:{hex}"))
            })
        }))
    }
}

/// Asks a program, and returns its answer or the reason why there is none.
fn ask(
    command: &mut Command,
    monitor: &dyn Monitor,
) -> Result<Result<String, String>, Interrupted> {
    let started = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match started {
        Ok(child) => child,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let (stdout, stderr) = (hear(child.stdout.take()), hear(child.stderr.take()));
    let begin = Instant::now();
    loop {
        if monitor.stop_asked() {
            end(&mut child);
            return Err(Interrupted);
        }
        match child.try_wait() {
            Ok(Some(status)) => {
                // A child process of the program may hold its outputs open.
                let said =
                    |from: Receiver<String>| from.recv_timeout(ANSWER_TIME).unwrap_or_default();
                if status.success() {
                    return Ok(Ok(said(stdout)));
                }
                let why = said(stderr);
                let why = why.lines().map(str::trim).find(|line| !line.is_empty());
                return Ok(Err(why.map_or_else(|| status.to_string(), str::to_owned)));
            }
            Ok(None) if begin.elapsed() < ANSWER_TIME => std::thread::sleep(LOOK_EVERY),
            Ok(None) => {
                end(&mut child);
                return Ok(Err(format!("no answer in {} s", ANSWER_TIME.as_secs())));
            }
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
}

/// Kills a program, which may have ended already.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Reads a program's output on a thread of its own, which ends with the program.
fn hear(from: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (out, heard) = channel();
    if let Some(mut from) = from {
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            // Output that cannot be read counts as empty.
            let _ = (&mut from).take(ANSWER_BYTES_MAX).read_to_end(&mut kept);
            let _ = out.send(String::from_utf8_lossy(&kept).trim().to_owned());
            let _ = std::io::copy(&mut from, &mut std::io::sink());
        });
    }
    heard
}
