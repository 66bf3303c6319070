//! Whose volume sets a site takes: the public keys that it trusts, and what a set's signatures are worth here. Keys for
//! images stand beside them, and take no set in.
//!
//! The keys stand in the store's folder, in a file that people can read. A file that cannot be understood trusts nobody
//! and lets nothing in.

mod error;
mod images;
mod keys;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use self::error::TrustError;
use self::images::ImageKeyEntry;
pub use self::images::{ImageKeyFacts, add_image_key, image_key};
pub use self::keys::{KeyReport, make_key, public_key, secret_key};
use crate::base::signing::{PublicKey, SignedBy};
use crate::ops::Error;
use crate::store::{Store, TRUST_FILE, trust_file_in};
use crate::volumes::SetSignatures;

/// Most characters of a key's name.
const NAME_CHARS_MAX: usize = 100;
/// The format of the file.
const FORMAT: i64 = 1;

/// What tells one key from another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeyFacts {
    /// Its algorithm.
    pub algorithm: &'static str,
    /// Its id, as minisign shows it.
    pub key_id: String,
    /// What people compare by telephone.
    pub fingerprint: String,
    /// The line that it is passed on by.
    pub key: String,
}

impl KeyFacts {
    /// Describes a key.
    pub fn of(key: &PublicKey) -> Self {
        Self {
            algorithm: key.algorithm().name(),
            key_id: key.id(),
            fingerprint: key.fingerprint(),
            key: key.line(),
        }
    }
}

/// Somebody who signed a set.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Signer {
    /// The key.
    #[serde(flatten)]
    pub key: KeyFacts,
    /// What was signed with it beside the set.
    pub comment: String,
    /// The name that the site gave the key. `None` when it does not trust it.
    pub trusted_as: Option<String>,
}

/// Who signed a set.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct SetSigners {
    /// Those whose signatures are right.
    pub signers: Vec<Signer>,
    /// Signatures that are wrong.
    pub wrong_signatures: usize,
    /// Signatures by algorithms that this program does not know.
    pub unknown_signatures: usize,
}

impl SetSigners {
    /// Describes what superblocks say. Nobody is trusted yet.
    pub(crate) fn of(signatures: &SetSignatures) -> Self {
        let signer = |by: &SignedBy| Signer {
            key: KeyFacts::of(&by.key),
            comment: by.comment.clone(),
            trusted_as: None,
        };
        Self {
            signers: signatures.signed_by.iter().map(signer).collect(),
            wrong_signatures: signatures.wrong,
            unknown_signatures: signatures.unknown,
        }
    }

    /// Describes keys that are about to sign. Nobody is trusted yet.
    pub(crate) fn by_keys(keys: impl Iterator<Item = KeyFacts>) -> Self {
        let signer = |key| Signer {
            key,
            comment: String::new(),
            trusted_as: None,
        };
        Self {
            signers: keys.map(signer).collect(),
            ..Self::default()
        }
    }

    /// Returns whether the superblocks say nothing of signatures.
    pub fn is_none(&self) -> bool {
        self.signers.is_empty() && self.wrong_signatures == 0 && self.unknown_signatures == 0
    }

    /// Adds the names that a site gave the keys.
    pub fn name(&mut self, trusted: &TrustedKeys) {
        for signer in &mut self.signers {
            let known = trusted.keys.iter().find(|each| each.key == signer.key.key);
            signer.trusted_as = known.map(|each| each.name.clone());
        }
    }
}

/// A key that a site trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TrustedKey {
    /// The name that the site gave it.
    pub name: String,
    /// The line of the key.
    key: String,
}

/// The keys that a site trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustedKeys {
    format: i64,
    /// Whether nothing else comes in, whatever is asked for.
    #[serde(default)]
    required: bool,
    #[serde(default)]
    keys: Vec<TrustedKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    image_keys: Vec<ImageKeyEntry>,
}

/// What is trusted at a site.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TrustReport {
    /// Whether sets without a trusted signature are refused even when they are asked for.
    pub required: bool,
    /// The keys whose sets are taken, by name.
    pub keys: Vec<TrustedFacts>,
    /// The keys that are trusted for images, by name.
    pub image_keys: Vec<ImageKeyFacts>,
}

/// A key that is trusted no longer.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum GoneKey {
    /// One whose sets were taken.
    OfSets(TrustedFacts),
    /// One for images.
    OfImages(ImageKeyFacts),
}

/// A trusted key.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct TrustedFacts {
    /// The name that the site gave it.
    pub name: String,
    /// The key.
    #[serde(flatten)]
    pub key: KeyFacts,
}

impl TrustedKeys {
    /// Reads the keys that a store trusts.
    ///
    /// # Errors
    /// [`TrustError::Damaged`], or a storage error.
    pub fn of(store: &Store) -> Result<Self, Error> {
        Self::parse(store.dir(), store.trust_file()?)
    }

    /// Reads the keys that the store in a folder trusts, without opening it. Without a store nobody is trusted.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn in_folder(dir: &Path) -> Result<Self, Error> {
        Self::parse(dir, trust_file_in(dir)?)
    }

    fn parse(dir: &Path, bytes: Option<Vec<u8>>) -> Result<Self, Error> {
        let Some(bytes) = bytes else {
            return Ok(Self::default());
        };
        let damaged = |message: String| {
            Error::from(TrustError::Damaged {
                path: dir.join(TRUST_FILE),
                message,
            })
        };
        let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
        let read: Self =
            toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))?;
        if read.format != FORMAT {
            return Err(damaged(format!("format {}", read.format)));
        }
        if let Some(bad) = read
            .keys
            .iter()
            .find(|each| PublicKey::read(&each.key).is_err())
        {
            return Err(damaged(format!("not a public key: {}", bad.key)));
        }
        if let Some(bad) = read.image_keys.iter().find_map(|each| each.read().err()) {
            return Err(damaged(bad));
        }
        Ok(read)
    }

    fn write(mut self, store: &Store) -> Result<(), Error> {
        self.format = FORMAT;
        self.keys.sort_by(|one, other| one.name.cmp(&other.name));
        self.image_keys
            .sort_by(|one, other| one.name.cmp(&other.name));
        let body = toml::to_string(&self).expect("names, keys and a number");
        let text = format!(
            "# Keys whose volume sets this store takes, and keys for images. `carryall trust` writes this file.\n{body}"
        );
        Ok(store.put_trust_file(text.as_bytes())?)
    }

    fn has_name(&self, name: &str) -> bool {
        let sets = self.keys.iter().map(|each| &each.name);
        let mut names = sets.chain(self.image_keys.iter().map(|each| &each.name));
        names.any(|each| each == name)
    }

    /// Returns how many keys are trusted for sets.
    pub fn count(&self) -> usize {
        self.keys.len()
    }

    /// Returns whether any key is trusted, or nothing is taken in without one.
    pub fn is_asked_for(&self) -> bool {
        self.required || !self.keys.is_empty()
    }

    /// Returns whether sets without a trusted signature are refused even when they are asked for.
    pub fn is_required(&self) -> bool {
        self.required
    }

    /// Returns whether one of the keys signed the set.
    pub(crate) fn trusts(&self, signatures: &SetSignatures) -> bool {
        let mut signed_by = signatures.signed_by.iter();
        signed_by.any(|by| {
            let line = by.key.line();
            self.keys.iter().any(|each| each.key == line)
        })
    }
}

/// Reports what a store trusts.
///
/// # Errors
/// As [`TrustedKeys::of`].
pub fn list(store: &Store) -> Result<TrustReport, Error> {
    let trusted = TrustedKeys::of(store)?;
    let facts = |each: &TrustedKey| {
        let key = PublicKey::read(&each.key).ok()?;
        Some(TrustedFacts {
            name: each.name.clone(),
            key: KeyFacts::of(&key),
        })
    };
    Ok(TrustReport {
        required: trusted.required,
        keys: trusted.keys.iter().filter_map(facts).collect(),
        image_keys: trusted.for_images().iter().map(ImageKeyFacts::of).collect(),
    })
}

/// Trusts a key from now on, under this name. A key that is trusted already gets the new name.
///
/// # Errors
/// [`TrustError::NameTaken`], [`TrustError::BadName`], or an error of the store.
pub fn add(store: &Store, key: &PublicKey, name: &str) -> Result<TrustedFacts, Error> {
    let mut trusted = TrustedKeys::of(store)?;
    let name = checked_name(name)?;
    let line = key.line();
    trusted.keys.retain(|each| each.key != line);
    if trusted.has_name(&name) {
        return Err(TrustError::NameTaken { name }.into());
    }
    trusted.keys.push(TrustedKey {
        name: name.clone(),
        key: line,
    });
    trusted.write(store)?;
    let key = KeyFacts::of(key);
    Ok(TrustedFacts { name, key })
}

/// Returns a name for a key without spaces around it.
fn checked_name(name: &str) -> Result<String, TrustError> {
    let name = name.trim().to_owned();
    let is_long = name.chars().count() > NAME_CHARS_MAX;
    if name.is_empty() || is_long || name.chars().any(char::is_control) {
        return Err(TrustError::BadName);
    }
    Ok(name)
}

/// Trusts a key no longer. It is named by its name, its id or its line. A key for images has its SHA-256 for an id.
///
/// # Errors
/// [`TrustError::NoSuchKey`], or an error of the store.
pub fn remove(store: &Store, given: &str) -> Result<GoneKey, Error> {
    let mut trusted = TrustedKeys::of(store)?;
    let known = list(store)?;
    let names = known.keys.iter().map(|each| &each.name);
    let names = names.chain(known.image_keys.iter().map(|each| &each.name));
    let has = names.cloned().collect();
    let is_meant = |name: &str, key: &str, id: &str| {
        name == given || key == given || id.eq_ignore_ascii_case(given)
    };
    let sets = known.keys.into_iter();
    let sets = sets.filter(|each| is_meant(&each.name, &each.key.key, &each.key.key_id));
    let images = known.image_keys.into_iter();
    let images = images.filter(|each| is_meant(&each.name, &each.key, &each.sha256));
    // An id is not unique, because anybody can make a key with any id. Only one that names a single key is enough.
    let mut meant = sets
        .map(GoneKey::OfSets)
        .chain(images.map(GoneKey::OfImages));
    let (Some(first), None) = (meant.next(), meant.next()) else {
        let given = given.chars().take(NAME_CHARS_MAX).collect();
        return Err(TrustError::NoSuchKey { given, has }.into());
    };
    match &first {
        GoneKey::OfSets(gone) => trusted.keys.retain(|each| each.key != gone.key.key),
        GoneKey::OfImages(gone) => trusted.image_keys.retain(|each| each.name != gone.name),
    }
    trusted.write(store)?;
    Ok(first)
}

/// Sets whether sets without a trusted signature are refused even when they are asked for.
///
/// # Errors
/// An error of the store.
pub fn require(store: &Store, is_required: bool) -> Result<TrustReport, Error> {
    let mut trusted = TrustedKeys::of(store)?;
    trusted.required = is_required;
    trusted.write(store)?;
    list(store)
}

impl From<TrustError> for Error {
    fn from(error: TrustError) -> Self {
        Self::Trust(error)
    }
}
