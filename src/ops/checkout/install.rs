//! `install` and `rollback`: versions of a release's items side by side, and a link to the one in use.
//!
//! Everything is ready before the link is switched. After a kill at any instant, the old version is in use and the
//! command can be repeated.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::finding::Finding;
use crate::base::monitor::Monitor;
use crate::base::output;
use crate::base::path_text;
use crate::content::release::ReleaseName;
use crate::files::privileges::Privileges;
use crate::files::versions::{
    KeptFile, Pattern, Shared, VersionRecord, Versions, VersionsError, carry_over, share_unchanged,
    shipped,
};
use crate::ops::checkout::{CheckoutOptions, restore_items};
use crate::ops::history::{self, HistoryEntry, HistoryEvent};
use crate::ops::{Error, Releases};
use crate::store::Store;

/// Options of `install`.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct InstallOptions {
    /// Files that the site edits.
    pub keep: Vec<Pattern>,
    /// How unchanged files are stored.
    pub unchanged: Unchanged,
    /// What becomes of owners, setuid and setgid bits, security attributes and devices.
    pub privileges: Privileges,
}

/// How files are stored that are the same in the previous version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unchanged {
    /// They share their room with the previous version.
    #[default]
    Shared,
    /// They are files of their own.
    Copied,
}

/// The result of `install`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct InstallReport {
    /// The release.
    pub release: ReleaseName,
    /// Its folder.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Whether it existed before, so that only the link was switched.
    pub was_there: bool,
    /// The version that was in use until now.
    pub before: Option<String>,
    /// Bytes of the items.
    pub bytes: u64,
    /// Files that are shared with the previous version.
    pub shared: Shared,
    /// Files that the site edited.
    pub kept: Vec<KeptFile>,
    /// What was withheld, and which metadata was not restored.
    pub findings: Vec<Finding>,
}

/// Writes the items of a release to `into/releases/VERSION`, carries over the files that the site edited, and switches
/// `into/current`.
///
/// # Errors
/// [`Error`] when the release is not whole, the folder takes no more, or a stop was asked for. The version in use is
/// then unchanged.
pub fn install(
    store: &Store,
    name: &ReleaseName,
    into: &Path,
    options: &InstallOptions,
    monitor: &dyn Monitor,
) -> Result<InstallReport, Error> {
    let root = crate::ops::release(store, name)?;
    let (version, id) = (name.version(), root.id().to_string());
    let place: Vec<PathBuf> = store.place().map(Path::to_owned).into_iter().collect();
    output::try_folder(into, &place)?;
    let versions = Versions::open(into)?;
    let before = versions.current()?;
    let mut report = InstallReport {
        release: name.clone(),
        path: versions.path(version),
        was_there: versions.has(version, &name.to_string(), &id)?,
        before: before.clone().filter(|before| before != version),
        bytes: root.bytes,
        shared: Shared::default(),
        kept: Vec::new(),
        findings: Vec::new(),
    };
    if !report.was_there {
        let staging = versions.stage(version)?;
        let all = CheckoutOptions {
            privileges: options.privileges,
            ..CheckoutOptions::default()
        };
        let given = restore_items(store, name, &staging, &all, monitor)?;
        if !given.is_whole() {
            versions.stage(version)?;
            return Err(Error::NotWhole {
                release: name.to_string(),
            });
        }
        report.findings = given.findings;
        let now = shipped(&staging, &options.keep)?;
        if let Some(before) = &before {
            let old = versions.path(before);
            let then = versions.record(before).unwrap_or_default().files;
            report.kept = carry_over(&old, &staging, &options.keep, &then, &now)?;
            if options.unchanged == Unchanged::Shared {
                let spare = |below: &Path| options.keep.iter().any(|each| each.matches(below));
                report.shared = share_unchanged(&old, &staging, spare, monitor)?;
            }
        }
        let record = VersionRecord {
            release: name.to_string(),
            id,
            files: now,
        };
        versions.publish(version, &record)?;
    }
    versions.switch(version)?;
    let entry = HistoryEntry::now(HistoryEvent::Install).release(&root);
    history::note(store, &entry.to(&into.to_string_lossy()), monitor);
    Ok(report)
}

/// The result of `rollback`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RollbackReport {
    /// The version that was in use.
    pub left: String,
    /// The version that is in use now.
    pub current: String,
}

/// Switches back to the version that was in use before. A second call switches forward again.
///
/// # Errors
/// [`Error`] when there is none.
pub fn roll_back(into: &Path) -> Result<RollbackReport, Error> {
    if !into.is_dir() {
        return Err(VersionsError::NoPrevious(into.to_owned()).into());
    }
    let (left, current) = Versions::open(into)?.roll_back()?;
    Ok(RollbackReport { left, current })
}
