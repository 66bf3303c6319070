//! Files with keys: made without ever replacing one, and read for signing and for trust.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::fs::sync;
use crate::base::path_text;
use crate::base::signing::{self, KeyError, PublicKey, SecretKey, SignatureAlgorithm};
use crate::ops::Error;
use crate::ops::trust::{KeyFacts, TrustError};

/// Extension of public keys.
const PUBLIC: &str = "pub";
/// Permissions of a secret key, and of a public one.
const SECRET_MODE: u32 = 0o600;
const PUBLIC_MODE: u32 = 0o644;
/// Most bytes of a key's file that are read.
const FILE_MAX: u64 = 4096;
/// Most characters of a wrong key that are shown.
const SHOWN_MAX: usize = 60;

/// A new pair of keys.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct KeyReport {
    /// File with the secret key.
    #[serde(serialize_with = "path_text::one")]
    pub secret_key_file: PathBuf,
    /// File with the public key.
    #[serde(serialize_with = "path_text::one")]
    pub public_key_file: PathBuf,
    /// Whether the secret key is encrypted.
    pub has_password: bool,
    /// The public key.
    #[serde(flatten)]
    pub key: KeyFacts,
}

/// Makes a pair of keys: the secret one in `file`, the public one beside it. Nothing that is there is replaced.
///
/// # Errors
/// [`TrustError::KeyExists`], [`TrustError::PublicName`], [`TrustError::NotMade`], or an error of the file system. Then
/// neither file is left.
pub fn make_key(
    file: &Path,
    algorithm: SignatureAlgorithm,
    password: Option<&str>,
) -> Result<KeyReport, Error> {
    if file.extension().is_some_and(|end| end == PUBLIC) {
        let path = file.to_owned();
        return Err(TrustError::PublicName { path }.into());
    }
    let public_file = file.with_extension(PUBLIC);
    for path in [file, &public_file] {
        if path.symlink_metadata().is_ok() {
            let path = path.to_owned();
            return Err(TrustError::KeyExists { path }.into());
        }
    }
    let made = signing::make_key(algorithm, password).map_err(TrustError::NotMade)?;
    create(file, SECRET_MODE, &made.secret)?;
    if let Err(error) = create(&public_file, PUBLIC_MODE, &made.public.file()) {
        // A secret key without its public one would only be in the way of the next try.
        let _ = std::fs::remove_file(file);
        return Err(error);
    }
    Ok(KeyReport {
        secret_key_file: file.to_owned(),
        public_key_file: public_file,
        has_password: password.is_some(),
        key: KeyFacts::of(&made.public),
    })
}

fn create(path: &Path, mode: u32, text: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(|source| match source.kind() {
        io::ErrorKind::AlreadyExists => TrustError::KeyExists {
            path: path.to_owned(),
        }
        .into(),
        _ => Error::io(path)(source),
    })?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let written = file
        .write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .and_then(|()| sync(folder.unwrap_or(Path::new("."))));
    written.map_err(|source| {
        let _ = std::fs::remove_file(path);
        Error::io(path)(source)
    })
}

fn text_of(path: &Path) -> Result<String, Error> {
    let file = File::open(path).map_err(Error::io(path))?;
    let mut bytes = Vec::new();
    file.take(FILE_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(Error::io(path))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Reads a secret key. `password` is asked for one only when the key is encrypted.
///
/// # Errors
/// [`TrustError::KeyFile`], what `password` fails with, or an error of the file system.
pub fn secret_key<E: From<Error>>(
    path: &Path,
    password: impl FnOnce() -> Result<String, E>,
) -> Result<SecretKey, E> {
    let bad = |source: KeyError| {
        Error::from(TrustError::KeyFile {
            path: path.to_owned(),
            source,
        })
    };
    let text = text_of(path)?;
    let password = if signing::is_encrypted(&text).map_err(bad)? {
        Some(password()?)
    } else {
        None
    };
    Ok(SecretKey::read(&text, password.as_deref()).map_err(bad)?)
}

/// Reads a public key. `given` is its line, or the name of a file with it.
///
/// # Errors
/// [`TrustError::NoKey`], [`TrustError::KeyFile`], or an error of the file system.
pub fn public_key(given: &str) -> Result<PublicKey, Error> {
    if let Ok(key) = PublicKey::read(given) {
        return Ok(key);
    }
    PublicKey::read(&given_text(given)?).map_err(|source| {
        let path = Path::new(given).to_owned();
        TrustError::KeyFile { path, source }.into()
    })
}

/// Reads the text of a file that somebody named where a key may stand, too.
pub(super) fn given_text(given: &str) -> Result<String, Error> {
    match text_of(Path::new(given)) {
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            let given = given.chars().take(SHOWN_MAX).collect();
            Err(TrustError::NoKey { given }.into())
        }
        read => read,
    }
}
