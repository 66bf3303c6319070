//! `load`: passes images of a release through a pipe to the program that runs them.
//!
//! Nothing is written to disk here. When a blob differs from its digest, the program is killed before it has the end of
//! the archive, so that it takes nothing.

mod error;
mod program;

use std::io::{self, BufWriter, Read, Write};
use std::process::{Child, Stdio};

use serde::Serialize;

pub use self::error::LoadError;
pub use self::program::{Loader, Tried};

use super::signed::check_images;
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::content::recipe::RecipeError;
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::oci::image::export::{ExportError, ExportPlan, ImageForm};
use crate::oci::image::{Choice, Digest, Image, Images, check_names};
use crate::oci::signatures::TrustedImageKey;
use crate::ops::Error;
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::store::Store;

/// Size of the write buffer of the pipe.
const PIPE_BYTES: usize = 1 << 20;
/// Most names that a program is asked about.
const ASKED_MAX: usize = 256;
/// Most bytes of the program's output that are kept.
const SAID_BYTES_MAX: u64 = 64 << 10;

/// Options of `load`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoadOptions {
    /// Which images.
    pub choice: Choice,
    /// The program. `None` stands for the first one that works.
    pub with: Option<Loader>,
    /// Whether the program is asked afterwards which digests it has.
    pub then: Then,
    /// containerd's namespace, for `nerdctl` and `ctr`.
    pub namespace: Option<String>,
    /// The keys that must have signed every image. `None` asks for no signature.
    pub signed_by: Option<Vec<TrustedImageKey>>,
}

/// What happens after loading.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Then {
    /// Nothing.
    #[default]
    Nothing,
    /// The program is asked which digests it has.
    Ask,
}

/// A name that was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadedName {
    /// The name.
    pub name: String,
    /// Digest of the original manifest, or of the one that was made for the image.
    pub manifest: Digest,
    /// Digest of the config.
    pub config: Digest,
    /// The digest that the program reports for the name, when it was asked and answers. Docker and podman report the
    /// digest of the config. containerd reports that of the manifest or index.
    pub digest: Option<String>,
}

/// The result of `load`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The release.
    pub release: ReleaseName,
    /// The program.
    pub with: Loader,
    /// Names of the images, or digests of those without a name.
    pub images: Vec<String>,
    /// The loaded names, with digests.
    pub names: Vec<LoadedName>,
    /// Programs that were tried first and do not work.
    pub tried: Vec<Tried>,
    /// Bytes that were written to the pipe.
    pub bytes: u64,
    /// The program's output.
    pub said: String,
    /// Images of the release that are not whole, and names that could not be used.
    pub findings: Vec<Finding>,
}

/// Loads images of a release.
///
/// # Errors
/// [`Error`] with a [`LoadError`] when the program took nothing, [`Error::Unsigned`], or an error of the store.
pub fn load(
    store: &Store,
    root: &ReleaseRoot,
    options: &LoadOptions,
    monitor: &dyn Monitor,
) -> Result<LoadReport, Error> {
    let images = Images::find(store, root, monitor)?;
    let mut chosen = images.choose(&options.choice).map_err(LoadError::from)?;
    if options.choice.images.is_empty() {
        // Artifacts were not requested by name, and they do not run.
        chosen.retain(|image| image.runs());
    }
    if let Some(keys) = &options.signed_by {
        check_images(store, &images, &chosen, keys, monitor)?;
    }
    let (loader, tried) = match options.with {
        Some(loader) => (loader, Vec::new()),
        None => match Loader::working(monitor)? {
            (Some(loader), tried) => (loader, tried),
            (None, tried) if tried.is_empty() => return Err(LoadError::NoProgram.into()),
            (None, tried) => return Err(LoadError::NoneWorks { tried }.into()),
        },
    };
    let mut findings = Vec::new();
    let mut tell = |finding: Finding| {
        monitor.finding(&finding);
        findings.push(finding);
    };
    for each in &tried {
        let (why, other) = (&each.why, loader.program());
        let what = diagnostic!("load.program_not_working", why, other);
        tell(Finding::note(each.program, what));
    }
    if loader.form() == ImageForm::DockerArchive {
        check_names(&chosen).map_err(LoadError::from)?;
    }
    let plan = loop {
        match ExportPlan::plan(store, &images, &chosen, loader.form()) {
            Ok(plan) => break plan,
            Err(error) => {
                for lost in lose(&mut chosen, error)? {
                    tell(lost);
                }
            }
        }
    };
    if options.choice.images.is_empty() {
        images.warnings().iter().cloned().for_each(&mut tell);
    }
    for name in &plan.unnamed {
        let what = diagnostic!("image.name_not_for_docker");
        tell(Finding::note(&name[..], what));
    }
    let namespace = options.namespace.as_deref();
    let mut names = names_of(&chosen);
    let said = match pipe(store, &plan, loader, namespace, monitor) {
        Ok(said) => said,
        // A program that was killed before the end of the archive has taken nothing.
        Err(error) if !matches!(error, Error::Load(LoadError::Failed { .. })) => {
            return Err(error);
        }
        Err(error) => {
            ask(&mut names, loader, namespace, monitor)?;
            let there = names.iter().filter_map(|name| {
                let digest = name.digest.as_ref()?;
                Some(format!("{} ({digest})", name.name))
            });
            let there: Vec<String> = there.collect();
            let what = if there.is_empty() {
                diagnostic!("load.nothing_left_behind")
            } else {
                diagnostic!("load.left_behind", names = &there)
            };
            monitor.finding(&Finding::note(loader.program(), what));
            return Err(error);
        }
    };
    let entry = HistoryEntry::now(HistoryEvent::Load).release(root);
    history::note(store, &entry.to(loader.program()), monitor);
    if options.then == Then::Ask {
        ask(&mut names, loader, namespace, monitor)?;
    }
    Ok(LoadReport {
        release: root.name.clone(),
        with: loader,
        images: chosen.iter().map(|image| Image::name(image)).collect(),
        names,
        tried,
        bytes: plan.tar_bytes(),
        said,
        findings,
    })
}

/// Drops the images that cannot be written. Fails when the error has another cause, or when no image is left.
fn lose(chosen: &mut Vec<&Image>, error: ExportError) -> Result<Vec<Finding>, LoadError> {
    let needs = |image: &&Image| match &error {
        ExportError::NotRunnable { image: name } => image.name() == *name,
        ExportError::Missing {
            image: name,
            digest,
        } => image.name() == *name && blobs_of(image).any(|blob| blob == digest),
        _ => false,
    };
    let (lost, kept): (Vec<&Image>, Vec<&Image>) = chosen.iter().partition(|image| needs(image));
    if lost.is_empty() || kept.is_empty() {
        return Err(error.into());
    }
    *chosen = kept;
    let what = diagnostic!("image.lost", why = Arg::caught(error));
    let lost = lost.into_iter();
    Ok(lost
        .map(|image| Finding::loss(image.name(), what.clone()))
        .collect())
}

fn blobs_of(image: &Image) -> impl Iterator<Item = &Digest> {
    let parts = image.layers.iter().chain([&image.config, &image.manifest]);
    parts.map(|part| &part.digest).chain(&image.diff_ids)
}

/// Returns the names that images are loaded under.
fn names_of(chosen: &[&Image]) -> Vec<LoadedName> {
    let names = chosen.iter().flat_map(|image| {
        image.references.iter().map(|name| LoadedName {
            name: name.clone(),
            manifest: image.manifest.digest.clone(),
            config: image.config.digest.clone(),
            digest: None,
        })
    });
    names.collect()
}

/// Asks a program which digests it has.
fn ask(
    names: &mut [LoadedName],
    loader: Loader,
    namespace: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    for name in names.iter_mut().take(ASKED_MAX) {
        let asked = loader.name_of(&name.name);
        name.digest = loader.digest_of(&asked, namespace, monitor)?;
    }
    Ok(())
}

/// Runs the program, and returns its output.
fn pipe(
    store: &Store,
    plan: &ExportPlan,
    loader: Loader,
    namespace: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<String, Error> {
    let program = loader.program();
    let not_run = |source| LoadError::Run { program, source };
    let mut command = loader.takes(namespace);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(not_run)?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    monitor.start("load", plan.tar_bytes());
    let (written, said) = std::thread::scope(|scope| {
        // Both outputs are read while the archive is written. Otherwise the program could block on a full pipe.
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
        // The program's own output says why it closed the pipe.
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

/// Writes the archive. On failure kills the program before it believes that the archive is complete.
fn write(
    store: &Store,
    plan: &ExportPlan,
    stdin: impl Write,
    child: &mut Child,
    monitor: &dyn Monitor,
) -> Result<(), ExportError> {
    let mut out = BufWriter::with_capacity(PIPE_BYTES, stdin);
    let written = plan.write_tar(store, &mut out, monitor);
    if written.as_ref().is_err_and(|error| !is_gone(error)) {
        // The program may have ended already.
        let _ = child.kill();
    }
    // Dropping the parts closes the pipe without flushing, so nothing more of a failed archive is written.
    let _ = out.into_parts();
    written
}

/// Returns whether the program closed its end of the pipe.
fn is_gone(error: &ExportError) -> bool {
    match error {
        ExportError::Write(io)
        | ExportError::Blob {
            source: RecipeError::Write(io),
            ..
        } => io.kind() == io::ErrorKind::BrokenPipe,
        _ => false,
    }
}

/// Keeps an interruption one, however deep it happened.
fn stop_or(error: ExportError) -> Error {
    match error {
        ExportError::Recipe(RecipeError::Interrupted(stop))
        | ExportError::Blob {
            source: RecipeError::Interrupted(stop),
            ..
        } => stop.into(),
        other => LoadError::from(other).into(),
    }
}

fn boxed<'a>(from: impl Read + Send + 'a) -> Box<dyn Read + Send + 'a> {
    Box::new(from)
}

/// Reads a program's output to its end, and keeps the beginning.
fn hear(from: Option<Box<dyn Read + Send + '_>>) -> String {
    let Some(mut from) = from else {
        return String::new();
    };
    let mut kept = Vec::new();
    // Output that cannot be read counts as empty.
    let _ = (&mut from).take(SAID_BYTES_MAX).read_to_end(&mut kept);
    let _ = io::copy(&mut from, &mut io::sink());
    String::from_utf8_lossy(&kept).trim().to_owned()
}
