//! Writes the images of a release as other programs load them: one docker archive, or an OCI layout.
//!
//! Blobs are rebuilt directly at their final position, and their digests are compared. An image with a bad blob is left
//! out and reported, and the others stay. Names appear when everything is done.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::blobs::{BlobPlace, WriteFailed, write_all};
use super::early_sync::EarlySync;
use super::part_folder::{PartFolder, name_file};
use super::{CheckoutError, at_destination, check_apart, note_departure, remove};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Severity};
use crate::base::fs::{free_space_bytes, parent_of, sync};
use crate::base::monitor::Monitor;
use crate::base::output::{self, OutputError};
use crate::base::term::Action;
use crate::content::recipe::ChunkSource;
use crate::content::release::ReleaseName;
use crate::files::LayoutError;
use crate::oci::image::export::{ExportPlan, ImageForm, OutFile};
use crate::oci::image::{Choice, Digest, Image, Images, Platform, check_names};
use crate::oci::pulls::is_own;
use crate::ops::history::{HistoryEntry, HistoryEvent};
use crate::ops::{Error, Releases};

/// Options of [`checkout_images`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ImageOptions {
    /// Which images.
    pub choice: Choice,
    /// The format of the output.
    pub form: ImageForm,
}

impl ImageOptions {
    /// All images, in this format.
    pub fn new(form: ImageForm) -> Self {
        Self {
            choice: Choice::default(),
            form,
        }
    }
}

/// An image in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutImage {
    /// Its names.
    pub references: Vec<String>,
    /// Digest of its manifest.
    pub digest: Digest,
    /// Digest of its config, which docker calls the image's id.
    pub id: Digest,
    /// The platform that it runs on.
    pub platform: Option<Platform>,
    /// Whether all of it is present.
    pub is_whole: bool,
}

impl OutImage {
    /// Describes an image.
    pub fn of(image: &Image, is_whole: bool) -> Self {
        Self {
            references: image.references.clone(),
            digest: image.manifest.digest.clone(),
            id: image.config.digest.clone(),
            platform: image.platform.clone(),
            is_whole,
        }
    }
}

/// The result of writing images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImageReport {
    /// The release.
    pub release: ReleaseName,
    /// The images asked for.
    pub images: Vec<OutImage>,
    /// Bytes that were written.
    pub bytes: u64,
    /// What is lost, and names that the form cannot express.
    pub findings: Vec<Finding>,
}

impl ImageReport {
    /// Returns whether every requested image is whole and no request was refused.
    pub fn is_whole(&self) -> bool {
        let is_loss = |finding: &Finding| finding.severity == Severity::Loss;
        self.images.iter().all(|image| image.is_whole) && !self.findings.iter().any(is_loss)
    }
}

/// Writes images of a release to `dest`. A docker archive is a file that must be absent. An OCI layout is a folder that
/// must be absent (its parent present) or empty.
///
/// # Errors
/// [`Error::Checkout`] when a requested image does not exist, nothing can be written, or the destination takes no more.
/// An interruption. An image that is not whole is not an error but is in the report.
pub fn checkout_images<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    options: &ImageOptions,
    monitor: &dyn Monitor,
) -> Result<ImageReport, Error> {
    let report = write_images(store, name, dest, options, monitor)?;
    let left = HistoryEntry::now(HistoryEvent::Checkout).whole(report.is_whole());
    note_departure(store, name, left.to(&dest.to_string_lossy()), monitor);
    Ok(report)
}

fn write_images<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    options: &ImageOptions,
    monitor: &dyn Monitor,
) -> Result<ImageReport, CheckoutError> {
    let root = store.root(name)?;
    let root = root.ok_or_else(|| CheckoutError::NoSuchRelease(name.clone()))?;
    if let Some(place) = store.place() {
        check_apart(dest, place)?;
    }
    if options.form == ImageForm::OciLayout {
        PartFolder::clear(dest, &|path| is_own(&format!("items/0/{path}")))?;
    }
    try_place(dest, options.form)?;
    let images = Images::find(store, &root, monitor).map_err(CheckoutError::Manifest)?;
    let mut chosen = images.choose(&options.choice)?;
    if options.form == ImageForm::DockerArchive {
        if options.choice.images.is_empty() {
            // Artifacts were not requested by name, and a docker archive cannot hold them.
            chosen.retain(|image| image.runs());
        }
        check_names(&chosen)?;
    }
    let findings = match &options.choice {
        // Warnings about images that were not requested do not matter.
        choice if choice.images.is_empty() => images.warnings().to_vec(),
        _ => Vec::new(),
    };
    findings.iter().for_each(|finding| monitor.finding(finding));
    let mut job = ImageJob {
        store,
        images: &images,
        form: options.form,
        asked: chosen.clone(),
        kept: chosen,
        findings,
        monitor,
    };
    let bytes = match options.form {
        ImageForm::DockerArchive => job.archive(dest)?,
        ImageForm::OciLayout => job.layout(dest)?,
    };
    Ok(job.report(name, bytes))
}

/// Checks the destination before the search for images, which can take long.
pub(super) fn try_place(dest: &Path, form: ImageForm) -> Result<(), CheckoutError> {
    let folder = match form {
        ImageForm::DockerArchive if dest.symlink_metadata().is_ok() => {
            return Err(CheckoutError::Exists(dest.to_owned()));
        }
        // The folder that the file goes into must exist.
        ImageForm::DockerArchive => parent_of(dest),
        ImageForm::OciLayout if dest.is_dir() => {
            let mut inside = dest
                .read_dir()
                .map_err(at_destination(Action::Read, dest))?;
            if inside.next().is_some() {
                return Err(CheckoutError::NotEmpty(dest.to_owned()));
            }
            dest
        }
        ImageForm::OciLayout => parent_of(dest),
    };
    folder
        .read_dir()
        .map_err(at_destination(Action::WriteTo, dest))?;
    output::try_folder(folder, &[]).map_err(|error| match error {
        OutputError::Io { source, .. } => at_destination(Action::WriteTo, dest)(source),
        _ => CheckoutError::Exists(dest.to_owned()),
    })
}

/// Images that are being written.
struct ImageJob<'a, S: ChunkSource> {
    store: &'a S,
    images: &'a Images,
    form: ImageForm,
    asked: Vec<&'a Image>,
    /// Images that are whole, as far as is known.
    kept: Vec<&'a Image>,
    findings: Vec<Finding>,
    monitor: &'a dyn Monitor,
}

impl<S: ChunkSource> ImageJob<'_, S> {
    /// Plans the files of the images that are whole. An image that is missing a blob is dropped here.
    fn plan(&mut self) -> Result<ExportPlan, CheckoutError> {
        loop {
            let before = self.kept.len();
            match ExportPlan::plan(self.store, self.images, &self.kept, self.form) {
                Ok(plan) => return Ok(plan),
                Err(error) => self.lose(WriteFailed::Outgoing(error))?,
            }
            if self.kept.len() == before {
                // No image was dropped for this one. It stays and is reported.
                let plan = ExportPlan::plan(self.store, self.images, &self.kept, self.form);
                return plan.map_err(|error| WriteFailed::Outgoing(error).into_error());
            }
        }
    }

    fn report(mut self, name: &ReleaseName, bytes: u64) -> ImageReport {
        let kept: HashSet<&Digest> = self
            .kept
            .iter()
            .map(|image| &image.manifest.digest)
            .collect();
        let asked = self.asked.iter();
        let images = asked.map(|image| OutImage::of(image, kept.contains(&image.manifest.digest)));
        let images = images.collect();
        self.findings.dedup();
        ImageReport {
            release: name.clone(),
            images,
            bytes,
            findings: self.findings,
        }
    }

    /// Drops the images that need a blob which could not be rebuilt. Fails when the error has another cause, or when no
    /// image is left.
    fn lose(&mut self, failed: WriteFailed) -> Result<(), CheckoutError> {
        let Some(digest) = failed.blob() else {
            return Err(failed.into_error());
        };
        let needs = |image: &&Image| {
            let parts = image.layers.iter().chain([&image.config, &image.manifest]);
            let mut digests = parts.map(|part| &part.digest).chain(&image.diff_ids);
            digests.any(|each| each == digest)
        };
        let (lost, kept): (Vec<&Image>, Vec<&Image>) =
            self.kept.iter().partition(|image| needs(image));
        if lost.is_empty() && self.kept.len() < self.asked.len() {
            // Each image with this blob was already dropped for another one.
            return Ok(());
        }
        if lost.is_empty() || kept.is_empty() {
            return Err(failed.into_error());
        }
        let WriteFailed::Outgoing(error) = failed else {
            return Err(failed.into_error());
        };
        let what = diagnostic!("image.lost", why = Arg::caught(error));
        for image in lost {
            let finding = Finding::loss(image.name(), what.clone());
            self.monitor.finding(&finding);
            self.findings.push(finding);
        }
        self.kept = kept;
        Ok(())
    }

    /// Writes one docker archive.
    fn archive(&mut self, dest: &Path) -> Result<u64, CheckoutError> {
        if dest.symlink_metadata().is_ok() {
            return Err(CheckoutError::Exists(dest.to_owned()));
        }
        let temporary = beside(dest)?;
        let outcome = self.archive_at(&temporary, dest);
        if outcome.is_err() {
            remove(&temporary);
        }
        outcome
    }

    fn archive_at(&mut self, temporary: &Path, dest: &Path) -> Result<u64, CheckoutError> {
        let mut plan = self.plan()?;
        let parent = parent_of(dest);
        check_room(parent, plan.tar_bytes())?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(temporary);
        let file = file.map_err(LayoutError::io(Action::Make, temporary))?;
        loop {
            self.monitor.start("check out", plan.tar_bytes());
            let early = EarlySync::start(&file, plan.tar_bytes(), self.monitor);
            let failed = write_tar(self.store, &plan, &file, temporary, &early)?;
            self.monitor.finish();
            if failed.is_empty() {
                break;
            }
            failed
                .into_iter()
                .try_for_each(|failed| self.lose(failed))?;
            plan = self.plan()?;
        }
        for name in &plan.unnamed {
            let what = diagnostic!("image.name_not_for_docker");
            let finding = Finding::note(&name[..], what);
            self.monitor.finding(&finding);
            self.findings.push(finding);
        }
        self.monitor.start("sync", 0);
        file.sync_all()
            .map_err(LayoutError::io(Action::BringToDisk, temporary))?;
        drop(file);
        name_file(temporary, dest)?;
        sync(parent).map_err(LayoutError::io(Action::BringToDisk, parent))?;
        self.monitor.finish();
        Ok(plan.tar_bytes())
    }

    /// Writes an OCI layout.
    fn layout(&mut self, dest: &Path) -> Result<u64, CheckoutError> {
        let mut plan = self.plan()?;
        let part = PartFolder::begin(dest)?;
        check_room(dest, plan.bytes())?;
        self.fill_layout(&part, &mut plan)?;
        self.monitor.start("sync", 0);
        // Readers look for the index, so it comes last.
        part.publish(["blobs", "oci-layout", "index.json"])?;
        self.monitor.finish();
        Ok(plan.bytes())
    }

    fn fill_layout(
        &mut self,
        part: &PartFolder<'_>,
        plan: &mut ExportPlan,
    ) -> Result<(), CheckoutError> {
        self.monitor.start("check out", plan.bytes());
        let early = EarlySync::start(&part.folder, plan.bytes(), self.monitor);
        let mut done: HashSet<String> = HashSet::new();
        loop {
            let is_blob = |file: &&OutFile| file.path.starts_with("blobs/");
            let is_new = |file: &&OutFile| !done.contains(&file.path);
            let files = plan.files.iter().filter(is_blob).filter(is_new);
            let orders: Vec<_> = files
                .map(|file| (file, BlobPlace::New(part.path.join(&file.path))))
                .collect();
            let failed = write_all(self.store, &orders, &early);
            done.extend(orders.iter().map(|(file, _)| file.path.clone()));
            if failed.is_empty() {
                break;
            }
            failed
                .into_iter()
                .try_for_each(|(_, failed)| self.lose(failed))?;
            *plan = self.plan()?;
        }
        // These are blobs of images that were dropped after the blobs were written.
        let needed: HashSet<&String> = plan.files.iter().map(|file| &file.path).collect();
        for path in done.iter().filter(|path| !needed.contains(path)) {
            remove(&part.path.join(path));
        }
        let files = plan.files.iter();
        let orders: Vec<_> = files
            .filter(|file| !file.path.starts_with("blobs/"))
            .map(|file| (file, BlobPlace::New(part.path.join(&file.path))))
            .collect();
        if let Some((_, failed)) = write_all(self.store, &orders, self.monitor).pop() {
            return Err(failed.into_error());
        }
        self.monitor.finish();
        Ok(())
    }
}

/// Fills a file with a tar, several of its files at a time. Returns what failed.
fn write_tar<S: ChunkSource>(
    store: &S,
    plan: &ExportPlan,
    file: &File,
    path: &Path,
    monitor: &dyn Monitor,
) -> Result<Vec<WriteFailed>, LayoutError> {
    let fill = || {
        // Truncating removes earlier content. Bytes that are never written are zeros, like the padding between a file's
        // end and the next header.
        file.set_len(0)?;
        file.set_len(plan.tar_bytes())?;
        plan.tar_places()
            .try_for_each(|place| file.write_all_at(&place.header, place.header_offset))
    };
    fill().map_err(LayoutError::io(Action::Write, path))?;
    let orders: Vec<_> = plan
        .tar_places()
        .map(|place| {
            let within = BlobPlace::Within {
                file,
                path,
                offset: place.offset,
            };
            (place.file, within)
        })
        .collect();
    let failed = write_all(store, &orders, monitor).into_iter();
    Ok(failed.map(|(_, failed)| failed).collect())
}

/// Returns a name next to a file for its unfinished state. Removes what a killed run left there.
fn beside(dest: &Path) -> Result<PathBuf, CheckoutError> {
    let Some(name) = dest.file_name() else {
        return Err(CheckoutError::Exists(dest.to_owned()));
    };
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(".carryall.part");
    let path = dest.with_file_name(hidden);
    if path.is_file() {
        std::fs::remove_file(&path).map_err(LayoutError::io(Action::Remove, &path))?;
    }
    Ok(path)
}

pub(super) fn check_room(folder: &Path, needed_bytes: u64) -> Result<(), CheckoutError> {
    let free_bytes =
        free_space_bytes(folder).map_err(LayoutError::io(Action::AskFreeSpace, folder))?;
    if needed_bytes > free_bytes {
        return Err(CheckoutError::NoSpace {
            path: folder.to_owned(),
            free_bytes,
            needed_bytes,
        });
    }
    Ok(())
}
