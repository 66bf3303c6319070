//! Keys as minisign keeps them: a public key is a line of 56 characters, a secret one is encrypted with a password.
//!
//! It works on texts and touches no file.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use blake2::{Blake2b256, Digest};
use ed25519_compact::{KeyPair as SeedPair, Seed};
use minisign::{KeyPair, SecretKeyBox};

use crate::base::id;
use crate::base::signing::{SignatureAlgorithm, TEXT_MAX, minisign as ed25519, sm2};

/// First bytes of a key: the algorithm.
const ED25519: &[u8; 2] = b"Ed";
const SM2: &[u8; 2] = b"S2";
/// Bytes of the number behind the algorithm.
const NUMBER_BYTES: usize = 8;
const NUMBER_AT: usize = 2;
const POINT_AT: usize = NUMBER_AT + NUMBER_BYTES;
const POINT_BYTES: usize = 32;
/// Where a decoded secret key says how it is encrypted, and where number, key and checksum begin.
const KDF_AT: usize = 2;
const SECRET_AT: usize = 54;
const SECRET_BYTES: usize = 158;
const CHECKSUM_AT: usize = 126;
/// How minisign's library encrypts a new key: memory, operations, and what scrypt makes of them.
const MEMORY_BYTES: u64 = 33_554_432;
const OPERATIONS: u64 = 1_048_576;
const SCRYPT: (u8, u32, u32) = (15, 8, 1);
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
        if bytes.len() == SECRET_BYTES && secret_algorithm(&bytes).is_some() {
            return Err(KeyError::Secret);
        }
        [SignatureAlgorithm::Minisign, SignatureAlgorithm::Sm2]
            .into_iter()
            .find_map(|algorithm| Self::from_bytes(algorithm, &bytes))
            .ok_or(KeyError::NotPublic)
    }

    /// Makes one of its bytes. Returns `None` when they are none.
    pub(super) fn from_bytes(algorithm: SignatureAlgorithm, bytes: &[u8]) -> Option<Self> {
        let key = Self {
            algorithm,
            bytes: bytes.to_vec(),
        };
        let is_one = match algorithm {
            SignatureAlgorithm::Minisign => {
                bytes.len() == POINT_AT + POINT_BYTES && bytes.starts_with(ED25519)
            }
            SignatureAlgorithm::Sm2 => {
                let point = bytes.get(POINT_AT..)?;
                bytes.starts_with(SM2)
                    && sm2::is_point(point)
                    && sm2::number_of(point.try_into().ok()?) == bytes[NUMBER_AT..POINT_AT]
            }
        };
        is_one.then_some(key)
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
        &self.bytes[NUMBER_AT..POINT_AT]
    }

    /// Returns the comment of a signature that is right for this key and text. Returns `None` for any other.
    pub(super) fn comment_of(&self, message: &[u8], text: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(text).ok()?;
        if text.len() > TEXT_MAX {
            return None;
        }
        let (number, point) = (self.number(), &self.bytes[POINT_AT..]);
        match self.algorithm {
            SignatureAlgorithm::Minisign => ed25519::comment_of(point, number, message, text),
            SignatureAlgorithm::Sm2 => sm2::comment_of(point, number, message, text),
        }
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
    /// Of Ed25519 the seed and the point, of SM2 the scalar and zeros.
    pair: [u8; 64],
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
        let algorithm = secret_algorithm(&bytes).ok_or(KeyError::NotSecret)?;
        let public = match algorithm {
            SignatureAlgorithm::Minisign => {
                let (seed, point) = pair.split_at(POINT_BYTES);
                let seed = Seed::from_slice(seed).map_err(|_| KeyError::NotSecret)?;
                if point != &SeedPair::from_seed(seed).pk[..] {
                    return Err(KeyError::NotSecret);
                }
                [ED25519, number, point].concat()
            }
            SignatureAlgorithm::Sm2 => {
                let scalar = pair.first_chunk().ok_or(KeyError::NotSecret)?;
                let point = sm2::point_of(scalar).ok_or(KeyError::NotSecret)?;
                [SM2, number, &point].concat()
            }
        };
        Ok(Self {
            public: PublicKey::from_bytes(algorithm, &public).ok_or(KeyError::NotSecret)?,
            pair: *pair,
        })
    }

    /// Returns the public key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a text. `comment` is one line, and is signed too.
    pub(super) fn sign(&self, message: &[u8], comment: &str) -> String {
        let number = self.public.number();
        match self.public.algorithm {
            SignatureAlgorithm::Minisign => ed25519::sign(&self.pair, number, message, comment),
            SignatureAlgorithm::Sm2 => {
                let (scalar, _) = self.pair.split_first_chunk().expect("32 of 64 bytes");
                let signed = sm2::sign(scalar, number, message, comment);
                signed.expect("the scalar was checked when it was read")
            }
        }
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
    if bytes.len() != SECRET_BYTES || secret_algorithm(&bytes).is_none() {
        return Err(KeyError::NotSecret);
    }
    Ok(bytes)
}

fn secret_algorithm(bytes: &[u8]) -> Option<SignatureAlgorithm> {
    match bytes.first_chunk()? {
        ED25519 => Some(SignatureAlgorithm::Minisign),
        SM2 => Some(SignatureAlgorithm::Sm2),
        _ => None,
    }
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
pub fn make_key(algorithm: SignatureAlgorithm, password: Option<&str>) -> Result<NewKey, KeyError> {
    match algorithm {
        SignatureAlgorithm::Minisign => make_ed25519(password),
        SignatureAlgorithm::Sm2 => make_sm2(password),
    }
}

/// Makes a key of SM2, whose secret part is kept in the form of minisign.
fn make_sm2(password: Option<&str>) -> Result<NewKey, KeyError> {
    let mut random = [0; 64];
    getrandom::fill(&mut random).map_err(|_| KeyError::NotMade)?;
    let (scalar, salt) = random.split_first_chunk().ok_or(KeyError::NotMade)?;
    let point = sm2::point_of(scalar).ok_or(KeyError::NotMade)?;
    let number = sm2::number_of(&point);
    let public = [&SM2[..], &number, &point].concat();
    let public =
        PublicKey::from_bytes(SignatureAlgorithm::Sm2, &public).ok_or(KeyError::NotMade)?;
    let hidden = [&number[..], scalar, &[0; 32]].concat();
    let checksum = Blake2b256::digest([SM2, &hidden[..]].concat());
    let is_hidden = password.is_some();
    let mut bytes = SM2.to_vec();
    bytes.extend_from_slice(if is_hidden { b"Sc" } else { &[0; 2] });
    bytes.extend_from_slice(b"B2");
    let limits = [OPERATIONS.to_le_bytes(), MEMORY_BYTES.to_le_bytes()].concat();
    bytes.extend_from_slice(&if is_hidden {
        [salt, &limits].concat()
    } else {
        vec![0; 48]
    });
    bytes.extend_from_slice(&hidden);
    bytes.extend_from_slice(&checksum);
    assert_eq!(
        (bytes.len(), CHECKSUM_AT),
        (SECRET_BYTES, SECRET_AT + hidden.len())
    );
    if let Some(password) = password {
        let (log_n, r, p) = SCRYPT;
        let params = scrypt::Params::new(log_n, r, p, 32).map_err(|_| KeyError::NotMade)?;
        let mut stream = [0; SECRET_BYTES - SECRET_AT];
        scrypt::scrypt(password.as_bytes(), salt, &params, &mut stream)
            .map_err(|_| KeyError::NotMade)?;
        for (byte, with) in bytes[SECRET_AT..].iter_mut().zip(stream) {
            *byte ^= with;
        }
    }
    let line = STANDARD.encode(bytes);
    let secret = format!("untrusted comment: carryall secret key, SM2\n{line}\n");
    Ok(NewKey { public, secret })
}

fn make_ed25519(password: Option<&str>) -> Result<NewKey, KeyError> {
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
        for algorithm in [SignatureAlgorithm::Minisign, SignatureAlgorithm::Sm2] {
            opens_with_its_password(algorithm);
        }
    }

    fn opens_with_its_password(algorithm: SignatureAlgorithm) {
        let made = make_key(algorithm, Some("correct horse")).unwrap();
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
        for (algorithm, line_bytes) in [
            (SignatureAlgorithm::Minisign, 56),
            (SignatureAlgorithm::Sm2, 100),
        ] {
            let made = make_key(algorithm, None).unwrap();
            assert_eq!(made.public.line().len(), line_bytes);
            is_read_from_file_and_line(&made);
        }
    }

    fn is_read_from_file_and_line(made: &NewKey) {
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
