//! Takes out what is attached to the images of a release: signatures, SBOMs, provenance and other statements, each in a
//! file of its own with the bytes that it came with.
//!
//! Files lie in a folder for each image or index, which is named by its digest. `attachments.json` lists them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use serde::Serialize;

use super::blobs::{BlobPlace, write_all};
use super::images::{check_room, try_place};
use super::part_folder::PartFolder;
use super::{CheckoutError, check_apart, note_departure, remove};
use crate::base::diagnostic::{Arg, diagnostic};
use crate::base::finding::{Finding, Severity};
use crate::base::monitor::Monitor;
use crate::base::own::is_hex;
use crate::base::size::total;
use crate::base::term::Action;
use crate::content::release::ReleaseName;
use crate::files::LayoutError;
use crate::oci::attachments::{Attachment, attachments};
use crate::oci::image::export::{ImageForm, OutFile, What};
use crate::oci::image::{Choice, Digest, Images};
use crate::ops::history::{HistoryEntry, HistoryEvent};
use crate::ops::{Error, Releases};

/// The list of the files.
const LIST: &str = "attachments.json";

/// A file that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct OutAttachment {
    /// Its path in the destination.
    pub file: String,
    /// Names of the image that it is attached to.
    pub references: Vec<String>,
    /// What it is.
    #[serde(flatten)]
    pub attachment: Attachment,
}

/// The result of taking attachments out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AttachmentReport {
    /// The release.
    pub release: ReleaseName,
    /// The files, by path.
    pub attachments: Vec<OutAttachment>,
    /// Bytes that were written.
    pub bytes: u64,
    /// What is lost.
    pub findings: Vec<Finding>,
}

impl AttachmentReport {
    /// Returns whether everything that is attached was written.
    pub fn is_whole(&self) -> bool {
        let is_loss = |finding: &Finding| finding.severity == Severity::Loss;
        !self.findings.iter().any(is_loss)
    }
}

/// Writes what is attached to the chosen images, and to the indexes that list them, into the folder `dest`. It must be
/// absent (its parent present) or empty.
///
/// # Errors
/// [`CheckoutError::NothingAttached`], and as [`super::images::checkout_images`].
pub fn checkout_attachments<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    choice: &Choice,
    monitor: &dyn Monitor,
) -> Result<AttachmentReport, Error> {
    let report = take_out(store, name, dest, choice, monitor)?;
    let left = HistoryEntry::now(HistoryEvent::Checkout).whole(report.is_whole());
    note_departure(store, name, left.to(&dest.to_string_lossy()), monitor);
    Ok(report)
}

fn take_out<R: Releases>(
    store: &R,
    name: &ReleaseName,
    dest: &Path,
    choice: &Choice,
    monitor: &dyn Monitor,
) -> Result<AttachmentReport, CheckoutError> {
    let root = store.root(name)?;
    let root = root.ok_or_else(|| CheckoutError::NoSuchRelease(name.clone()))?;
    if let Some(place) = store.place() {
        check_apart(dest, place)?;
    }
    PartFolder::clear(dest, &is_own)?;
    try_place(dest, ImageForm::OciLayout)?;
    let images = Images::find(store, &root, monitor).map_err(CheckoutError::Manifest)?;
    let mut found = chosen(&images, choice)?;
    if found.is_empty() {
        return Err(CheckoutError::NothingAttached);
    }
    let names = names_of(&images);
    let files = files_of(&images, &found);
    let room = total(files.values().map(OutFile::bytes));
    let part = PartFolder::begin(dest)?;
    let write = || -> Result<(BTreeSet<&String>, Vec<Finding>), CheckoutError> {
        check_room(dest, room)?;
        monitor.start("check out", room);
        let orders: Vec<_> = files
            .iter()
            .map(|(path, file)| (file, BlobPlace::New(part.path.join(path))))
            .collect();
        let (mut lost, mut findings) = (BTreeSet::new(), Vec::new());
        for (at, failed) in write_all(store, &orders, monitor) {
            let file = orders.get(at).map(|(file, _)| *file);
            let path = files
                .iter()
                .find(|(_, own)| file.is_some_and(|file| std::ptr::eq(file, *own)));
            let (Some((path, _)), true) = (path, failed.blob().is_some()) else {
                return Err(failed.into_error());
            };
            remove(&part.path.join(path));
            let why = Arg::caught(failed.into_error());
            findings.push(Finding::loss(
                &path[..],
                diagnostic!("image.cannot_be_read", why),
            ));
            lost.insert(path);
        }
        monitor.finish();
        Ok((lost, findings))
    };
    let (lost, findings) = write()?;
    found.retain(|attachment| !lost.contains(&path_of(attachment)));
    let mut out: Vec<OutAttachment> = found
        .into_iter()
        .map(|attachment| OutAttachment {
            file: path_of(&attachment),
            references: names.get(&attachment.subject).cloned().unwrap_or_default(),
            attachment,
        })
        .collect();
    out.sort_by(|one, other| one.file.cmp(&other.file));
    let report = AttachmentReport {
        release: name.clone(),
        bytes: total(out.iter().map(|each| each.attachment.bytes)),
        attachments: out,
        findings,
    };
    publish(part, &report)?;
    report
        .findings
        .iter()
        .for_each(|finding| monitor.finding(finding));
    Ok(report)
}

/// Gives everything its name, the list last.
fn publish(part: PartFolder<'_>, report: &AttachmentReport) -> Result<(), CheckoutError> {
    let list = part.path.join(LIST);
    let text = serde_json::to_vec_pretty(&report.attachments);
    let text = text.expect("names, digests and numbers are always JSON");
    std::fs::write(&list, text).map_err(LayoutError::io(Action::Write, &list))?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(&part.path).map_err(LayoutError::io(Action::Read, &part.path))? {
        let entry = entry.map_err(LayoutError::io(Action::Read, &part.path))?;
        names.push(entry.file_name());
    }
    names.sort_by_key(|name| name == LIST);
    part.publish(names)
}

/// Returns what is attached to the chosen images, and to indexes that list them.
fn chosen(images: &Images, choice: &Choice) -> Result<Vec<Attachment>, CheckoutError> {
    let all = attachments(images).into_iter().filter(|each| each.is_there);
    if *choice == Choice::default() {
        return Ok(all.collect());
    }
    let chosen = images.choose(choice)?;
    let mut subjects: HashSet<&Digest> = HashSet::new();
    subjects.extend(chosen.iter().map(|image| &image.manifest.digest));
    for index in images.indexes() {
        let mut children = index.children.iter();
        if children.any(|child| subjects.contains(&child.descriptor.digest)) {
            subjects.insert(&index.descriptor.digest);
        }
    }
    Ok(all
        .filter(|each| subjects.contains(&each.subject))
        .collect())
}

/// Returns the names of images and indexes.
fn names_of(images: &Images) -> BTreeMap<Digest, Vec<String>> {
    let mut names: BTreeMap<Digest, Vec<String>> = BTreeMap::new();
    let own = images.images().iter();
    let own = own.map(|image| (&image.manifest.digest, &image.references));
    let indexes = images.indexes().iter();
    let indexes = indexes.map(|index| (&index.descriptor.digest, &index.references));
    for (digest, references) in own.chain(indexes) {
        let known = names.entry(digest.clone()).or_default();
        for name in references {
            if !known.contains(name) {
                known.push(name.clone());
            }
        }
    }
    names
}

/// Returns the files to write by path: the blobs, and the manifests that list them, which have the signatures of
/// payloads.
fn files_of(images: &Images, found: &[Attachment]) -> BTreeMap<String, OutFile> {
    let mut files = BTreeMap::new();
    for attachment in found {
        let Some(body) = images.blob(&attachment.digest) else {
            continue;
        };
        let path = path_of(attachment);
        let what = What::Blob(attachment.digest.clone(), *body);
        files.insert(path.clone(), OutFile { path, what });
        if let Some(manifest) = images.resolve(attachment.manifest.as_str()) {
            let folder = folder_of(&attachment.subject);
            let path = format!("{folder}/manifest-{}.json", attachment.manifest.hex());
            let what = What::Bytes(manifest.bytes.to_vec());
            files.insert(path.clone(), OutFile { path, what });
        }
    }
    files
}

fn folder_of(subject: &Digest) -> String {
    format!("{}-{}", subject.algorithm(), subject.hex())
}

fn path_of(attachment: &Attachment) -> String {
    let (kind, hex) = (attachment.kind.name(), attachment.digest.hex());
    let end = extension(&attachment.media_type);
    format!("{}/{kind}-{hex}.{end}", folder_of(&attachment.subject))
}

/// Returns the usual end of the name of a file with this media type.
fn extension(media_type: &str) -> &'static str {
    let has = |word: &str| media_type.contains(word);
    let is_json = has("json");
    match media_type {
        _ if has("dev.sigstore.bundle") => "sigstore.json",
        _ if has("in-toto") && is_json => "intoto.json",
        _ if has("dsse") && is_json => "dsse.json",
        _ if has("spdx") && is_json => "spdx.json",
        _ if has("cyclonedx") && is_json => "cdx.json",
        _ if has("cyclonedx") && has("xml") => "cdx.xml",
        _ if has("spdx") => "spdx",
        _ if has("xml") => "xml",
        _ if is_json => "json",
        _ => "bin",
    }
}

/// Returns whether this is a path that attachments are written to: folders of images, files in them, and the list.
fn is_own(path: &str) -> bool {
    let is_folder = |name: &str| {
        let hex = name.strip_prefix("sha256-").map(|hex| (hex, 64));
        let hex = hex.or_else(|| name.strip_prefix("sha512-").map(|hex| (hex, 128)));
        hex.is_some_and(|(hex, digits)| is_hex(hex, digits))
    };
    let is_file = |name: &str| {
        let hex = name
            .split_once('-')
            .and_then(|(_, rest)| rest.split('.').next());
        hex.is_some_and(|hex| is_hex(hex, 64) || is_hex(hex, 128))
    };
    match &path.split('/').collect::<Vec<_>>()[..] {
        [name] => is_folder(name) || *name == LIST,
        [folder, file] => is_folder(folder) && is_file(file),
        _ => false,
    }
}
