//! The keys that a site trusts for images. They take no set in.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{TrustError, TrustedKeys, checked_name, keys};
use crate::oci::signatures::{ImageKey, ImagePattern, TrustedImageKey};
use crate::ops::Error;
use crate::store::Store;

/// Most patterns of one key.
const PATTERNS_MAX: usize = 64;
/// Most characters of a wrong pattern that are shown.
const SHOWN_MAX: usize = 60;

/// A key as the file has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ImageKeyEntry {
    pub(super) name: String,
    key: String,
    #[serde(default, rename = "for", skip_serializing_if = "Vec::is_empty")]
    patterns: Vec<String>,
}

impl ImageKeyEntry {
    /// Reads it. Returns what is wrong when it makes no sense.
    pub(super) fn read(&self) -> Result<TrustedImageKey, String> {
        let key = ImageKey::read(&self.key);
        let patterns = self.patterns.iter().map(|text| {
            let pattern = text.parse::<ImagePattern>();
            pattern.map_err(|_| format!("not a pattern: {text}"))
        });
        Ok(TrustedImageKey {
            name: self.name.clone(),
            key: key.map_err(|_| format!("not a public key: {}", self.key))?,
            patterns: patterns.collect::<Result<_, _>>()?,
        })
    }
}

/// A key that is trusted for images.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ImageKeyFacts {
    /// The name that the site gave it.
    pub name: String,
    /// Its algorithm.
    pub algorithm: &'static str,
    /// SHA-256 of its DER in hex digits, by which people compare it.
    pub sha256: String,
    /// The base64 of its DER.
    pub key: String,
    /// The images that it is trusted for. Empty stands for all.
    pub images: Vec<String>,
}

impl ImageKeyFacts {
    pub(super) fn of(trusted: &TrustedImageKey) -> Self {
        let patterns = trusted.patterns.iter();
        Self {
            name: trusted.name.clone(),
            algorithm: trusted.key.algorithm(),
            sha256: trusted.key.sha256(),
            key: trusted.key.line(),
            images: patterns.map(ToString::to_string).collect(),
        }
    }
}

/// Reads a public key for images. `given` is the name of a PEM file, or the base64 in it.
///
/// # Errors
/// [`TrustError::NoKey`], [`TrustError::ImageKeyFile`], or an error of the file system.
pub fn image_key(given: &str) -> Result<ImageKey, Error> {
    if let Ok(key) = ImageKey::read(given) {
        return Ok(key);
    }
    let path = Path::new(given);
    ImageKey::read(&keys::given_text(given)?).map_err(|source| {
        let path = path.to_owned();
        TrustError::ImageKeyFile { path, source }.into()
    })
}

/// Trusts a key for images from now on, under this name. `patterns` are the images that it is trusted for, and without
/// one it is for all. A key that is trusted already gets the new name and patterns.
///
/// # Errors
/// [`TrustError::NameTaken`], [`TrustError::BadName`], [`TrustError::BadPattern`], or an error of the store.
pub fn add_image_key(
    store: &Store,
    key: &ImageKey,
    name: &str,
    patterns: &[String],
) -> Result<ImageKeyFacts, Error> {
    let mut trusted = TrustedKeys::of(store)?;
    let name = checked_name(name)?;
    let mut read: Vec<ImagePattern> = Vec::new();
    for text in patterns {
        let pattern = text.parse().ok().filter(|_| read.len() < PATTERNS_MAX);
        let given = || text.chars().take(SHOWN_MAX).collect();
        let pattern: ImagePattern =
            pattern.ok_or_else(|| TrustError::BadPattern { given: given() })?;
        if !read.contains(&pattern) {
            read.push(pattern);
        }
    }
    let added = TrustedImageKey {
        name,
        key: key.clone(),
        patterns: read,
    };
    let facts = ImageKeyFacts::of(&added);
    trusted.image_keys.retain(|each| each.key != facts.key);
    if trusted.has_name(&facts.name) {
        return Err(TrustError::NameTaken { name: facts.name }.into());
    }
    trusted.image_keys.push(ImageKeyEntry {
        name: facts.name.clone(),
        key: facts.key.clone(),
        patterns: facts.images.clone(),
    });
    trusted.write(store)?;
    Ok(facts)
}

impl TrustedKeys {
    /// Returns the keys that are trusted for images.
    pub fn for_images(&self) -> Vec<TrustedImageKey> {
        let entries = self.image_keys.iter();
        entries.filter_map(|entry| entry.read().ok()).collect()
    }
}
