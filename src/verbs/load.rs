//! `load`: hands images of a release to the program that runs them, through a pipe.
//!
//! Nothing is written to disk here. When a blob does not come out as its digest says, the program is ended before it has the end
//! of the archive, so that it takes nothing.

use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde::Serialize;

use crate::finding::{Finding, Severity};
use crate::image::outgoing::{Form, Outgoing, OutgoingError};
use crate::image::{Choice, ChoiceError, Image, Images, check_names, sayings};
use crate::monitor::Monitor;
use crate::recipe::RecipeError;
use crate::release::ReleaseRoot;
use crate::store::Store;
use crate::verbs::Error;

/// Bytes of the pipe that are gathered.
const PIPE_BYTES: usize = 1 << 20;
/// Bytes of what the program says that are kept.
const SAID_BYTES_MAX: u64 = 64 << 10;

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

impl Loader {
    /// All, in the order in which they are looked for.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Nerdctl, Self::Ctr];

    /// The name of the program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Nerdctl => "nerdctl",
            Self::Ctr => "ctr",
        }
    }

    /// What it is given: containerd keeps the digests that images came with.
    pub fn form(self) -> Form {
        match self {
            Self::Docker | Self::Podman | Self::Nerdctl => Form::DockerArchive,
            Self::Ctr => Form::OciLayout,
        }
    }

    fn command(self, namespace: Option<&str>) -> Command {
        let mut command = Command::new(self.program());
        if let (Self::Nerdctl | Self::Ctr, Some(namespace)) = (self, namespace) {
            command.args(["--namespace", namespace]);
        }
        match self {
            Self::Docker | Self::Podman | Self::Nerdctl => command.arg("load"),
            Self::Ctr => command.args(["images", "import", "-"]),
        };
        command
    }

    /// The first that is installed.
    fn installed() -> Option<Self> {
        let path = std::env::var_os("PATH")?;
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        let is_there = |loader: &Self| {
            folders
                .iter()
                .any(|dir| dir.join(loader.program()).is_file())
        };
        Self::ALL.into_iter().find(is_there)
    }
}

/// What `load` is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadOptions {
    /// Which images.
    pub choice: Choice,
    /// The program; `None`: the first that is there.
    pub with: Option<Loader>,
    /// containerd's namespace, for `nerdctl` and `ctr`.
    pub namespace: Option<String>,
}

/// What was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoadReport {
    /// The release.
    pub release: String,
    /// The program.
    pub with: Loader,
    /// Names of the images, digests of those without.
    pub images: Vec<String>,
    /// Bytes that went through the pipe.
    pub bytes: u64,
    /// What the program said.
    pub said: String,
    /// Images of the release that are not whole, and names that could not be given.
    pub findings: Vec<Finding>,
}

/// Says why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The images that are asked for cannot be had.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Images cannot be given out.
    #[error(transparent)]
    Outgoing(#[from] OutgoingError),
    /// No program is installed that takes images.
    #[error("none of docker, podman, nerdctl and ctr is installed")]
    NoProgram,
    /// The program cannot be run.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The program failed.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
}

/// Loads images of a release.
///
/// # Errors
/// [`Error`] with a [`LoadError`] when the program took nothing; what the store gives.
pub fn load(
    store: &Store,
    root: &ReleaseRoot,
    options: &LoadOptions,
    monitor: &dyn Monitor,
) -> Result<LoadReport, Error> {
    let images = Images::find(store, root, monitor)?;
    let mut chosen = images.choose(&options.choice).map_err(LoadError::from)?;
    let loader = options
        .with
        .or_else(Loader::installed)
        .ok_or(LoadError::NoProgram)?;
    if options.choice.images.is_empty() {
        // Artifacts are not asked for, and do not run.
        chosen.retain(|image| image.runs());
    }
    if loader.form() == Form::DockerArchive {
        check_names(&chosen).map_err(LoadError::from)?;
    }
    let plan = Outgoing::plan(store, &images, &chosen, loader.form()).map_err(LoadError::from)?;
    let said = pipe(store, &plan, loader, options.namespace.as_deref(), monitor)?;
    let mut findings = Vec::new();
    if options.choice.images.is_empty() {
        findings.extend_from_slice(images.warnings());
    }
    let unnamed = plan.unnamed.iter();
    findings
        .extend(unnamed.map(|name| Finding::said(Severity::Note, name, sayings::UNNAMED.saying())));
    findings.iter().for_each(|finding| monitor.finding(finding));
    Ok(LoadReport {
        release: root.name.to_string(),
        with: loader,
        images: chosen.iter().map(|image| Image::name(image)).collect(),
        bytes: plan.tar_bytes(),
        said,
        findings,
    })
}

/// Runs the program, and returns what it said.
fn pipe(
    store: &Store,
    plan: &Outgoing,
    loader: Loader,
    namespace: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<String, Error> {
    let program = loader.program();
    let not_run = |source| LoadError::Run { program, source };
    let mut command = loader.command(namespace);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(not_run)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    monitor.start("load", plan.tar_bytes());
    let (written, said) = std::thread::scope(|scope| {
        // Both are read while the archive is written, else the program could wait for ever.
        let said = [stdout.map(boxed), stderr.map(boxed)].map(|from| scope.spawn(|| hear(from)));
        let written = match stdin {
            Some(stdin) => write(store, plan, stdin, &mut child, monitor),
            None => Ok(()),
        };
        let said = said.map(|thread| thread.join().unwrap_or_default());
        (written, said)
    });
    let status = child.wait().map_err(not_run)?;
    monitor.finish();
    let said = said.join("\n").trim().to_owned();
    match written {
        // Its own words say why it went away.
        Err(error) if !is_gone(&error) || status.success() => Err(stop_or(error)),
        _ if !status.success() => Err(LoadError::Failed {
            program,
            status,
            said: said.lines().collect::<Vec<_>>().join("; "),
        }
        .into()),
        _ => Ok(said),
    }
}

/// Writes the archive; ends the program when that does not work, before it believes that it has all.
fn write(
    store: &Store,
    plan: &Outgoing,
    stdin: impl Write,
    child: &mut Child,
    monitor: &dyn Monitor,
) -> Result<(), OutgoingError> {
    let mut out = BufWriter::with_capacity(PIPE_BYTES, stdin);
    let written = plan.write_tar(store, &mut out, monitor);
    if written.as_ref().is_err_and(|error| !is_gone(error)) {
        // It may be gone already.
        let _ = child.kill();
    }
    // The pipe closes with it; of a failed archive nothing more is written.
    let _ = out.into_parts();
    written
}

/// Whether the program closed its end of the pipe.
fn is_gone(error: &OutgoingError) -> bool {
    match error {
        OutgoingError::Write(io)
        | OutgoingError::Blob {
            source: RecipeError::Write(io),
            ..
        } => io.kind() == io::ErrorKind::BrokenPipe,
        _ => false,
    }
}

/// A stop is a stop, however deep it happened.
fn stop_or(error: OutgoingError) -> Error {
    match error {
        OutgoingError::Recipe(RecipeError::Interrupted(stop))
        | OutgoingError::Blob {
            source: RecipeError::Interrupted(stop),
            ..
        } => stop.into(),
        other => LoadError::from(other).into(),
    }
}

fn boxed<'a>(from: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
    Box::new(from)
}

/// Reads what a program says to its end, and keeps the beginning.
fn hear(from: Option<Box<dyn Read + Send + '_>>) -> String {
    let Some(mut from) = from else {
        return String::new();
    };
    let mut kept = Vec::new();
    // What cannot be read was not said.
    let _ = (&mut from).take(SAID_BYTES_MAX).read_to_end(&mut kept);
    let _ = io::copy(&mut from, &mut io::sink());
    String::from_utf8_lossy(&kept).trim().to_owned()
}
