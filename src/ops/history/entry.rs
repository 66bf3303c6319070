//! What a line of the history says: which releases came or went, when, from whom and where to.
//!
//! It knows neither the lines before it nor the file.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::base::id::SetId;
use crate::base::utc;
use crate::content::release::ReleaseRoot;
use crate::ops::trust::SetSigners;

/// Most releases that a line names. The others are counted.
const RELEASES_MAX: usize = 64;
/// Most places that a line names.
const PLACES_MAX: usize = 16;
/// Most signers that a line names.
const SIGNERS_MAX: usize = 16;
/// Most characters of a text in a line.
const TEXT_CHARS_MAX: usize = 300;

/// What happened to the releases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HistoryEvent {
    /// They came by `receive`.
    Receive,
    /// They came by `visit`.
    Visit,
    /// They were made or extended by `add`, of files or of standard input.
    Add,
    /// They were made or extended by `add`, of images from a registry.
    Pull,
    /// They were copied from another store.
    Copy,
    /// They were packed onto volumes.
    Pack,
    /// They were given back into a folder or file.
    Checkout,
    /// They were installed beside other versions.
    Install,
    /// Their images were pushed into a registry.
    Push,
    /// Their images were handed to a program that runs them.
    Load,
    /// They were removed from the store.
    Remove,
    /// A later version of the program wrote something else.
    #[serde(other)]
    Other,
}

impl HistoryEvent {
    /// Returns whether something came in, or else went out. `None` when neither is so, or it is not known.
    pub fn is_arrival(self) -> Option<bool> {
        match self {
            Self::Receive | Self::Visit | Self::Add | Self::Pull | Self::Copy => Some(true),
            Self::Pack | Self::Checkout | Self::Install | Self::Push | Self::Load => Some(false),
            Self::Remove | Self::Other => None,
        }
    }
}

/// A release in a line of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryRelease {
    /// Its name.
    pub name: String,
    /// Its id, which stands for its content.
    pub id: String,
    /// Whether it replaced other content under its name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub replaced: bool,
}

/// Somebody who signed what came or went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistorySigner {
    /// Id of the key.
    pub key_id: String,
    /// The line of the key.
    pub key: String,
    /// The name that the site gave the key. `None` when it did not trust it then.
    #[serde(default)]
    pub trusted_as: Option<String>,
}

/// What a line of the history says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HistoryEntry {
    /// When it was done, in UTC.
    pub at: String,
    /// What happened.
    pub event: HistoryEvent,
    /// The releases.
    #[serde(default)]
    pub releases: Vec<HistoryRelease>,
    /// Number of further releases that are not named.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_releases: u64,
    /// Id of the volume set that they came by or went onto.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// Who signed the set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signed_by: Vec<HistorySigner>,
    /// The site that the set was made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// Where they came from: media, files, images in registries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// Where they went: a folder, a registry, a program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether all that was asked for was done.
    #[serde(default = "yes")]
    pub is_whole: bool,
    /// Name of the machine.
    pub host: String,
    /// Number of the user.
    pub uid: u32,
    /// Program and version.
    pub program: String,
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

fn yes() -> bool {
    true
}

/// Bounds a text, so that no line grows without end.
fn bounded(text: &str) -> String {
    text.chars().take(TEXT_CHARS_MAX).collect()
}

impl HistoryEntry {
    /// Describes what has just happened on this machine.
    pub fn now(event: HistoryEvent) -> Self {
        Self {
            at: utc::now(),
            event,
            releases: Vec::new(),
            more_releases: 0,
            set: None,
            signed_by: Vec::new(),
            site: None,
            from: Vec::new(),
            to: None,
            is_whole: true,
            host: bounded(&crate::base::fs::host_name()),
            uid: rustix::process::geteuid().as_raw(),
            program: concat!("carryall ", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }

    /// Adds a release.
    pub fn release(mut self, root: &ReleaseRoot) -> Self {
        self.name_release(root, false);
        self
    }

    /// Adds a release that may have replaced another one.
    pub(crate) fn name_release(&mut self, root: &ReleaseRoot, replaced: bool) {
        if self.releases.len() == RELEASES_MAX {
            self.more_releases += 1;
            return;
        }
        self.releases.push(HistoryRelease {
            name: root.name.to_string(),
            id: root.id().to_string(),
            replaced,
        });
    }

    /// Names the set.
    pub(crate) fn set(mut self, set: SetId) -> Self {
        self.set = Some(set.to_string());
        self
    }

    /// Names the site that the set was made for.
    pub(crate) fn site(mut self, site: Option<&str>) -> Self {
        self.site = site.map(bounded);
        self
    }

    /// Names those who signed the set.
    pub(crate) fn signers(mut self, signers: &SetSigners) -> Self {
        let signer = |each: &crate::ops::trust::Signer| HistorySigner {
            key_id: each.key.key_id.clone(),
            key: each.key.key.clone(),
            trusted_as: each.trusted_as.clone(),
        };
        self.signed_by
            .extend(signers.signers.iter().take(SIGNERS_MAX).map(signer));
        self
    }

    /// Says where it came from.
    pub(crate) fn from<'p>(mut self, places: impl IntoIterator<Item = &'p Path>) -> Self {
        let places = places.into_iter().take(PLACES_MAX);
        self.from
            .extend(places.map(|place| bounded(&place.to_string_lossy())));
        self
    }

    /// Says where it went.
    pub(crate) fn to(mut self, place: &str) -> Self {
        self.to = Some(bounded(place));
        self
    }

    /// Says whether all that was asked for was done.
    pub(crate) fn whole(mut self, is_whole: bool) -> Self {
        self.is_whole = is_whole;
        self
    }
}
