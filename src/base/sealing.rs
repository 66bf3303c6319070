//! Sealing: encryption in the age format, for people who hold an identity or know a passphrase.
//!
//! Recipients and identities are lines of text, alone or in files. The crate `age` does all of the cryptography.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::SecretString;
use age::stream::{StreamReader, StreamWriter};
use age::{DecryptError, Decryptor, Encryptor, scrypt, x25519};

use crate::base::read_at::ReadAt;

/// First bytes of an age file.
const AGE_MAGIC: &str = "age-encryption.org/";
/// First characters of an armored age file.
const ARMOR: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
/// How the secret key of an X25519 recipient begins.
const SECRET: &str = "AGE-SECRET-KEY-";
/// Most bytes of a file with recipients or identities.
const LINES_MAX_BYTES: u64 = 1 << 20;
/// Plain bytes that are opened at a time. They are 64 of age's own pieces.
const WINDOW_BYTES: usize = 4 << 20;
/// Most work that a passphrase may take, as log2 of scrypt's N. The highest takes 1 GiB of memory and some seconds.
const WORK_MAX: u8 = 20;

/// Says why something cannot be sealed or opened. It never has any of a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// A text is not a recipient.
    #[error("{given:?} is not a recipient")]
    NotARecipient {
        /// The beginning of the text.
        given: String,
    },
    /// An identity was given where a recipient belongs.
    #[error("an identity, which is secret, and not a recipient")]
    SecretForRecipient,
    /// A line of a file is not a recipient.
    #[error("{}: line {line} is not a recipient", path.display())]
    RecipientLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A line of a file is not an identity.
    #[error("{}: line {line} is not an identity", path.display())]
    IdentityLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A recipient stands in a file where an identity belongs.
    #[error("{}: line {line} is a recipient, and not an identity", path.display())]
    RecipientForIdentity {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A file with identities has a passphrase itself.
    #[error("{} is encrypted itself", path.display())]
    Protected {
        /// The file.
        path: PathBuf,
    },
    /// A file has nothing of what belongs in it.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
    /// It is sealed for identities, and none was given.
    #[error("an identity is needed")]
    NoIdentity,
    /// It is sealed with a passphrase, and none was given.
    #[error("a passphrase is needed")]
    NoPassphrase,
    /// It is sealed for other identities.
    #[error("it is sealed for somebody else")]
    OtherIdentity,
    /// The passphrase is wrong.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// What is sealed cannot be read: its header is wrong, or of a later version.
    #[error("the sealed content cannot be understood")]
    Header,
    /// What is sealed could not be read to its end.
    #[error("the sealed content cannot be read")]
    Content(#[source] io::Error),
}

/// Whom something is sealed for.
#[derive(Clone)]
pub enum SealTo {
    /// Those who hold the identity of one of these recipients.
    Recipients(Vec<x25519::Recipient>),
    /// Those who know the passphrase.
    Passphrase(SecretString),
}

impl fmt::Debug for SealTo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.kinds())
    }
}

impl SealTo {
    /// Seals for those who know a passphrase.
    pub fn passphrase(passphrase: &str) -> Self {
        Self::Passphrase(SecretString::from(passphrase.to_owned()))
    }

    /// Seals for recipients: texts such as `age1...`, and files with one on each line.
    ///
    /// # Errors
    /// [`SealError`]. [`SealError::Empty`] when a file has none.
    pub fn recipients(texts: &[String], files: &[PathBuf]) -> Result<Self, SealError> {
        let mut found = Vec::new();
        for text in texts {
            if text.trim().to_ascii_uppercase().starts_with(SECRET) {
                return Err(SealError::SecretForRecipient);
            }
            let given = || text.chars().take(80).collect();
            let recipient = text.trim().parse();
            found.push(recipient.map_err(|_| SealError::NotARecipient { given: given() })?);
        }
        for path in files {
            let text = read_lines(path)?;
            let before = found.len();
            for (line, text) in lines_of(&text) {
                let wrong = |_| SealError::RecipientLine {
                    path: path.clone(),
                    line,
                };
                found.push(text.parse().map_err(wrong)?);
            }
            if found.len() == before {
                return Err(SealError::Empty { path: path.clone() });
            }
        }
        Ok(Self::Recipients(found))
    }

    /// Says for how many recipients of which kind it is, as the header of the sealed content says too: `X25519 2`.
    pub fn kinds(&self) -> String {
        match self {
            Self::Recipients(recipients) => format!("X25519 {}", recipients.len()),
            Self::Passphrase(_) => "scrypt 1".to_owned(),
        }
    }

    /// Seals what is written. [`SealedWriter::finish`] must be called at the end.
    ///
    /// # Errors
    /// What writing the header reports.
    pub fn writer<W: Write>(&self, out: W) -> io::Result<SealedWriter<W>> {
        let encryptor = match self {
            Self::Recipients(recipients) => {
                let recipients = recipients.iter().map(|each| each as &dyn age::Recipient);
                Encryptor::with_recipients(recipients).map_err(io::Error::other)?
            }
            Self::Passphrase(passphrase) => Encryptor::with_user_passphrase(passphrase.clone()),
        };
        Ok(SealedWriter(encryptor.wrap_output(out)?))
    }
}

/// Seals what is written to it.
pub struct SealedWriter<W: Write>(StreamWriter<W>);

impl<W: Write> SealedWriter<W> {
    /// Writes the end, and returns what it was written to.
    ///
    /// # Errors
    /// What writing reports.
    pub fn finish(self) -> io::Result<W> {
        self.0.finish()
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// What sealed content is opened with.
#[derive(Clone, Default)]
pub struct Identities {
    keys: Vec<x25519::Identity>,
    passphrase: Option<SecretString>,
}

impl fmt::Debug for Identities {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let passphrases = usize::from(self.passphrase.is_some());
        write!(
            out,
            "{} identities, {passphrases} passphrases",
            self.keys.len()
        )
    }
}

impl Identities {
    /// Reads identities from files as `age-keygen` writes them.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn read(files: &[PathBuf], passphrase: Option<&str>) -> Result<Self, SealError> {
        let mut keys = Vec::new();
        for path in files {
            let text = read_lines(path)?;
            if text.starts_with(AGE_MAGIC) || text.trim_start().starts_with(ARMOR) {
                return Err(SealError::Protected { path: path.clone() });
            }
            let before = keys.len();
            for (line, text) in lines_of(&text) {
                let path = path.clone();
                keys.push(text.parse().map_err(|_| {
                    if text.parse::<x25519::Recipient>().is_ok() {
                        SealError::RecipientForIdentity { path, line }
                    } else {
                        SealError::IdentityLine { path, line }
                    }
                })?);
            }
            if keys.len() == before {
                return Err(SealError::Empty { path: path.clone() });
            }
        }
        let passphrase = passphrase.map(|text| SecretString::from(text.to_owned()));
        Ok(Self { keys, passphrase })
    }

    /// Returns whether there is anything to open with.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.passphrase.is_none()
    }

    /// Opens sealed content.
    ///
    /// # Errors
    /// [`SealError`].
    pub fn open(&self, sealed: Arc<dyn ReadAt>) -> Result<OpenedSeal, SealError> {
        let source = PlacedReader::new(sealed);
        let decryptor = Decryptor::new(io::BufReader::new(source)).map_err(of_decryption)?;
        let opened = if decryptor.is_scrypt() {
            let passphrase = self.passphrase.clone().ok_or(SealError::NoPassphrase)?;
            let mut identity = scrypt::Identity::new(passphrase);
            identity.set_max_work_factor(WORK_MAX);
            let one: &dyn age::Identity = &identity;
            decryptor
                .decrypt(std::iter::once(one))
                .map_err(|error| match of_decryption(error) {
                    SealError::OtherIdentity => SealError::WrongPassphrase,
                    other => other,
                })?
        } else {
            if self.keys.is_empty() {
                return Err(SealError::NoIdentity);
            }
            let keys = self.keys.iter().map(|key| key as &dyn age::Identity);
            decryptor.decrypt(keys).map_err(of_decryption)?
        };
        OpenedSeal::new(opened).map_err(SealError::Content)
    }
}

fn of_decryption(error: DecryptError) -> SealError {
    match error {
        DecryptError::NoMatchingKeys
        | DecryptError::DecryptionFailed
        | DecryptError::KeyDecryptionFailed => SealError::OtherIdentity,
        DecryptError::Io(source) if source.get_ref().is_some() => SealError::Content(source),
        _ => SealError::Header,
    }
}

fn read_lines(path: &Path) -> Result<String, SealError> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LINES_MAX_BYTES).read_to_end(&mut bytes))
        .map_err(|source| SealError::Io {
            path: path.to_owned(),
            source,
        })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the lines that say something, with their numbers.
fn lines_of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// Opened content, read at any place.
pub struct OpenedSeal {
    bytes: u64,
    window: Mutex<OpenedWindow>,
}

/// The part of opened content that was read last.
struct OpenedWindow {
    reader: StreamReader<io::BufReader<PlacedReader>>,
    start: u64,
    bytes: Vec<u8>,
}

impl OpenedSeal {
    fn new(mut reader: StreamReader<io::BufReader<PlacedReader>>) -> io::Result<Self> {
        // The last piece is opened for that, so content that was cut is found at once.
        let bytes = reader.seek(SeekFrom::End(0))?;
        reader.rewind()?;
        Ok(Self {
            bytes,
            window: Mutex::new(OpenedWindow {
                reader,
                start: 0,
                bytes: Vec::new(),
            }),
        })
    }
}

impl ReadAt for OpenedSeal {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        if offset >= self.bytes || out.is_empty() {
            return Ok(0);
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let end = window.start + window.bytes.len() as u64;
        if !(window.start..end).contains(&offset) {
            window.load(offset / WINDOW_BYTES as u64 * WINDOW_BYTES as u64)?;
        }
        let within = usize::try_from(offset - window.start).unwrap_or(usize::MAX);
        let rest = window.bytes.get(within..).unwrap_or_default();
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

impl OpenedWindow {
    fn load(&mut self, start: u64) -> io::Result<()> {
        // After an error nothing of it counts.
        self.bytes.clear();
        self.start = start;
        self.reader.seek(SeekFrom::Start(start))?;
        let mut bytes = std::mem::take(&mut self.bytes);
        self.reader
            .by_ref()
            .take(WINDOW_BYTES as u64)
            .read_to_end(&mut bytes)?;
        self.bytes = bytes;
        Ok(())
    }
}

/// Reads a source from front to back, from any place on.
struct PlacedReader {
    source: Arc<dyn ReadAt>,
    at: u64,
}

impl PlacedReader {
    fn new(source: Arc<dyn ReadAt>) -> Self {
        Self { source, at: 0 }
    }
}

impl Read for PlacedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read_at(self.at, out)?;
        self.at += len as u64;
        Ok(len)
    }
}

impl Seek for PlacedReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
            SeekFrom::End(by) => self.source.size_bytes().checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use age::secrecy::ExposeSecret;

    fn sealed(to: &SealTo, plain: &[u8]) -> Arc<dyn ReadAt> {
        let mut writer = to.writer(Vec::new()).unwrap();
        writer.write_all(plain).unwrap();
        Arc::new(writer.finish().unwrap())
    }

    fn identity() -> (x25519::Identity, SealTo) {
        let key = x25519::Identity::generate();
        let to = SealTo::recipients(&[key.to_public().to_string()], &[]).unwrap();
        (key, to)
    }

    fn holding(key: &x25519::Identity) -> Identities {
        Identities {
            keys: vec![key.clone()],
            passphrase: None,
        }
    }

    #[test]
    fn what_is_sealed_is_opened_at_any_place_by_its_holder_alone() {
        let (key, to) = identity();
        let (other, _) = identity();
        for len in [0, 1, 65_536, 2 * 65_536, 5_000_000, WINDOW_BYTES] {
            let plain: Vec<u8> = (0..len).map(|at| (at * 7 / 5).to_le_bytes()[0]).collect();
            let file = sealed(&to, &plain);
            let opened = holding(&key).open(Arc::clone(&file)).unwrap();
            assert_eq!(opened.size_bytes(), len as u64);
            for at in [len / 2, len.saturating_sub(1), 0, len / 3, len] {
                let mut out = vec![0; 100];
                let read = crate::base::read_at::read_some(&opened, at as u64, &mut out).unwrap();
                assert_eq!(out[..read], plain[at..(at + 100).min(len)], "{len} {at}");
            }
            let refused = holding(&other).open(Arc::clone(&file)).err();
            assert!(matches!(refused, Some(SealError::OtherIdentity)));
            let refused = Identities::default().open(file).err();
            assert!(matches!(refused, Some(SealError::NoIdentity)));
        }
    }

    #[test]
    fn a_passphrase_opens_what_it_sealed() {
        let file = sealed(&SealTo::passphrase("right"), b"text");
        let with = |text| Identities::read(&[], Some(text)).unwrap();
        assert_eq!(
            with("right").open(Arc::clone(&file)).unwrap().size_bytes(),
            4
        );
        let refused = with("wrong").open(Arc::clone(&file)).err();
        assert!(matches!(refused, Some(SealError::WrongPassphrase)));
        let (key, _) = identity();
        let refused = holding(&key).open(file).err();
        assert!(matches!(refused, Some(SealError::NoPassphrase)));
    }

    #[test]
    fn wrong_lines_are_named_and_secrets_are_not_repeated() {
        let dir = tempfile::tempdir().unwrap();
        let (key, _) = identity();
        let (secret, public) = (key.to_string(), key.to_public().to_string());
        let file = |text: &str| {
            let path = dir.path().join("lines");
            std::fs::write(&path, text).unwrap();
            vec![path]
        };
        let read = |text: &str| Identities::read(&file(text), None).err().unwrap();
        let good = format!("# created: today\n\n{}\n", secret.expose_secret());
        assert!(Identities::read(&file(&good), None).is_ok());
        let wrong = read(&(good.clone() + "AGE-SECRET-KEY-1WRONG\n"));
        assert!(matches!(wrong, SealError::IdentityLine { line: 4, .. }));
        assert!(!format!("{wrong:?} {wrong}").contains("WRONG"));
        let wrong = read(&public);
        assert!(matches!(
            wrong,
            SealError::RecipientForIdentity { line: 1, .. }
        ));
        assert!(matches!(read("# nothing\n"), SealError::Empty { .. }));
        let wrong = read("age-encryption.org/v1\n-> scrypt ...");
        assert!(matches!(wrong, SealError::Protected { .. }));

        let to = |texts: &[&str], lines: Option<&str>| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            SealTo::recipients(&texts, &lines.map(file).unwrap_or_default())
        };
        let both = to(&[&public], Some(&format!("# me\n{public}\n"))).unwrap();
        assert_eq!(both.kinds(), "X25519 2");
        let wrong = to(&[secret.expose_secret()], None).err().unwrap();
        assert!(matches!(wrong, SealError::SecretForRecipient));
        let wrong = to(&["age1nobody"], None).err().unwrap();
        assert!(matches!(wrong, SealError::NotARecipient { .. }));
        let wrong = to(&[], Some("\nage1nobody")).err().unwrap();
        assert!(matches!(wrong, SealError::RecipientLine { line: 2, .. }));
    }

    #[test]
    fn a_file_that_was_cut_or_changed_is_not_opened() {
        let (key, to) = identity();
        let mut writer = to.writer(Vec::new()).unwrap();
        writer.write_all(&[7; 200_000]).unwrap();
        let whole = writer.finish().unwrap();
        let open = |bytes: Vec<u8>| holding(&key).open(Arc::new(bytes));
        assert!(open(whole[..whole.len() - 70_000].to_vec()).is_err());
        assert!(open(whole[..100].to_vec()).is_err());
        let mut changed = whole.clone();
        changed[50] ^= 1;
        assert!(open(changed).is_err());
        let mut changed = whole;
        changed[100_000] ^= 1;
        // The piece is found wrong when it is read.
        let opened = open(changed).unwrap();
        assert!(opened.read_at(0, &mut [0; 10]).is_err());
        assert!(opened.read_at(0, &mut [0; 10]).is_err());
    }
}
