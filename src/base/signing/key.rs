//! Keys as minisign keeps them: a public key is a line of 56 characters, a secret one is encrypted with a password.
//!
//! It works on texts and touches no file.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_compact::{KeyPair as SeedPair, Seed};
use minisign::{KeyPair, SecretKeyBox};

use crate::base::id;
use crate::base::signing::SignatureAlgorithm;

/// First bytes of a key: the algorithm.
const ALGORITHM: &[u8; 2] = b"Ed";
/// Bytes of the number behind the algorithm.
const NUMBER_BYTES: usize = 8;
const POINT_BYTES: usize = 32;
/// Where a decoded secret key says how it is encrypted, and where number, key and checksum begin.
const KDF_AT: usize = 2;
const SECRET_AT: usize = 54;
const SECRET_BYTES: usize = 158;
/// Longest text that is looked at for a key.
const KEY_TEXT_MAX: usize = 4096;

/// Says why a text is not a usable key. It never has any of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is not a public key.
    #[error("not a public key")]
    NotPublic,
    /// It is a secret key where a public one belongs.
    #[error("a secret key, and not a public one")]
    Secret,
    /// It is not a secret key.
    #[error("not a secret key")]
    NotSecret,
    /// It is encrypted, and no password was given.
    #[error("the key has a password")]
    NeedsPassword,
    /// The password is not the one that it was encrypted with, or the file is damaged.
    #[error("the password is wrong")]
    WrongPassword,
    /// It cannot be made, because the system has no randomness or too little memory.
    #[error("the key cannot be made")]
    NotMade,
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    algorithm: SignatureAlgorithm,
    bytes: Vec<u8>,
}

impl PublicKey {
    /// Reads one from the content of its file, or from its line alone.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(text: &str) -> Result<Self, KeyError> {
        if text.len() > KEY_TEXT_MAX {
            return Err(KeyError::NotPublic);
        }
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = lines.find(|line| !line.starts_with("untrusted comment:"));
        let bytes = STANDARD.decode(line.unwrap_or_default());
        let bytes = bytes.map_err(|_| KeyError::NotPublic)?;
        if bytes.len() == SECRET_BYTES && bytes.starts_with(ALGORITHM) {
            return Err(KeyError::Secret);
        }
        Self::from_bytes(SignatureAlgorithm::Minisign, &bytes).ok_or(KeyError::NotPublic)
    }

    /// Makes one of its bytes. Returns `None` when they are none.
    pub(super) fn from_bytes(algorithm: SignatureAlgorithm, bytes: &[u8]) -> Option<Self> {
        let length = ALGORITHM.len() + NUMBER_BYTES + POINT_BYTES;
        (bytes.len() == length && bytes.starts_with(ALGORITHM)).then(|| Self {
            algorithm,
            bytes: bytes.to_vec(),
        })
    }

    /// Returns its algorithm.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number that signatures name it by. Anybody can make a key with any number.
    pub(super) fn number(&self) -> &[u8] {
        &self.bytes[ALGORITHM.len()..ALGORITHM.len() + NUMBER_BYTES]
    }

    pub(super) fn point(&self) -> Option<&[u8; POINT_BYTES]> {
        self.bytes
            .get(ALGORITHM.len() + NUMBER_BYTES..)?
            .try_into()
            .ok()
    }

    /// Returns its id as minisign shows it. It tells keys apart and proves nothing.
    pub fn id(&self) -> String {
        let number = self.number().iter().rev();
        number.map(|byte| format!("{byte:02X}")).collect()
    }

    /// Returns the line that it is passed on by.
    pub fn line(&self) -> String {
        STANDARD.encode(&self.bytes)
    }

    /// Returns what people compare by telephone: 128 bits of the key's BLAKE3, as eight groups of four hex digits.
    pub fn fingerprint(&self) -> String {
        let hash = id::hash(&self.bytes);
        let groups = hash[..16].chunks(2);
        let groups: Vec<String> = groups
            .map(|pair| pair.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        groups.join("-")
    }

    /// Returns the content of its file.
    pub fn file(&self) -> String {
        let (id, line) = (self.id(), self.line());
        format!("untrusted comment: carryall public key {id}\n{line}\n")
    }
}

/// A secret key, decrypted.
#[derive(Clone)]
pub struct SecretKey {
    public: PublicKey,
    seed_and_point: [u8; 64],
}

impl fmt::Debug for SecretKey {
    /// Writes the id of its public key, and nothing secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "SecretKey({})", self.public.id())
    }
}

impl SecretKey {
    /// Reads one from the content of its file. With a password this takes about a second.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(file: &str, password: Option<&str>) -> Result<Self, KeyError> {
        let bytes = match (is_encrypted(file)?, password) {
            // minisign leaves the checksum of such a key at zero, so it is not looked at. The pair checks itself below.
            (false, _) => decoded(file)?,
            (true, None) => return Err(KeyError::NeedsPassword),
            (true, Some(password)) => SecretKeyBox::from(file.to_owned())
                .into_secret_key(Some(password.to_owned()))
                .map_err(|_| KeyError::WrongPassword)?
                .to_bytes(),
        };
        let number = bytes.get(SECRET_AT..SECRET_AT + NUMBER_BYTES);
        let pair = bytes.get(SECRET_AT + NUMBER_BYTES..);
        let pair = pair.and_then(|pair| pair.first_chunk::<64>());
        let (Some(number), Some(pair)) = (number, pair) else {
            return Err(KeyError::NotSecret);
        };
        let (seed, point) = pair.split_at(POINT_BYTES);
        let seed = Seed::from_slice(seed).map_err(|_| KeyError::NotSecret)?;
        if point != &SeedPair::from_seed(seed).pk[..] {
            return Err(KeyError::NotSecret);
        }
        let public = [ALGORITHM, number, point].concat();
        Ok(Self {
            public: PublicKey::from_bytes(SignatureAlgorithm::Minisign, &public)
                .ok_or(KeyError::NotSecret)?,
            seed_and_point: *pair,
        })
    }

    /// Returns the public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(super) fn seed_and_point(&self) -> &[u8; 64] {
        &self.seed_and_point
    }
}

/// Returns whether the content of a secret key's file is encrypted.
///
/// # Errors
/// [`KeyError::NotSecret`].
pub fn is_encrypted(file: &str) -> Result<bool, KeyError> {
    match &decoded(file)?[KDF_AT..KDF_AT + 2] {
        [0, 0] => Ok(false),
        b"Sc" => Ok(true),
        _ => Err(KeyError::NotSecret),
    }
}

fn decoded(file: &str) -> Result<Vec<u8>, KeyError> {
    if file.len() > KEY_TEXT_MAX {
        return Err(KeyError::NotSecret);
    }
    let line = file.lines().nth(1).unwrap_or_default();
    let bytes = STANDARD.decode(line).map_err(|_| KeyError::NotSecret)?;
    if bytes.len() != SECRET_BYTES || !bytes.starts_with(ALGORITHM) {
        return Err(KeyError::NotSecret);
    }
    Ok(bytes)
}

/// A new pair of keys, as the contents of their files.
pub struct NewKey {
    /// The public key.
    pub public: PublicKey,
    /// Content of the secret key's file.
    pub secret: String,
}

impl fmt::Debug for NewKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "NewKey({})", self.public.id())
    }
}

/// Makes a pair of keys. With a password the secret one is encrypted, which takes about a second.
///
/// # Errors
/// [`KeyError::NotMade`].
pub fn make_key(password: Option<&str>) -> Result<NewKey, KeyError> {
    let failed = |_| KeyError::NotMade;
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password.to_owned())),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let pair = pair.map_err(failed)?;
    let comment = Some("carryall secret key");
    let secret = pair.sk.to_box(comment).map_err(failed)?.into_string();
    let public = PublicKey::read(&pair.pk.to_base64()).map_err(|_| KeyError::NotMade)?;
    Ok(NewKey { public, secret })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_opens_with_its_password_alone() {
        let made = make_key(Some("correct horse")).unwrap();
        assert_eq!(is_encrypted(&made.secret), Ok(true));
        let error = |password| SecretKey::read(&made.secret, password).unwrap_err();
        assert_eq!(error(None), KeyError::NeedsPassword);
        assert_eq!(error(Some("wrong")), KeyError::WrongPassword);
        let key = SecretKey::read(&made.secret, Some("correct horse")).unwrap();
        assert_eq!(*key.public_key(), made.public);
        assert_eq!(
            format!("{key:?}"),
            format!("SecretKey({})", made.public.id())
        );
    }

    #[test]
    fn a_public_key_is_read_from_its_file_and_from_its_line() {
        let made = make_key(None).unwrap();
        let key = &made.public;
        assert_eq!(PublicKey::read(&key.file()).as_ref(), Ok(key));
        assert_eq!(
            PublicKey::read(&format!(" {}\n", key.line())).as_ref(),
            Ok(key)
        );
        assert_eq!(PublicKey::read(&made.secret), Err(KeyError::Secret));
        assert_eq!(
            SecretKey::read(&key.file(), None).unwrap_err(),
            KeyError::NotSecret
        );
        for bad in [
            "",
            "RWQ",
            "untrusted comment: x",
            &key.line()[4..],
            &"A".repeat(5000),
        ] {
            assert_eq!(PublicKey::read(bad), Err(KeyError::NotPublic), "{bad}");
        }
        assert_eq!((key.id().len(), key.fingerprint().len()), (16, 39));
    }
}
