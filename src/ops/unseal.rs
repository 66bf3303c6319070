//! Opens sealed sets: their payload is read as one age file, and what it holds as a set of one volume. Nothing of it is
//! written anywhere.
//!
//! Memory: 40 MiB.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::id::SetId;
use crate::base::read_at::{ReadAt, read_some};
use crate::base::sealing::{Identities, SealError};
use crate::bundle::{Catalog, SealedPlaces};
use crate::ops::Error;
use crate::volumes::media::images::bare_volume;
use crate::volumes::{PayloadReader, SetReader, Staging, VolumeError};

/// Bytes of sealed content that are read at a time.
const WINDOW_BYTES: u64 = 16 << 20;
/// How the only sealing that this program writes for a passphrase is called in a set's facts.
const PASSPHRASE_KIND: &str = "scrypt";

/// A set whose payload is sealed.
pub(crate) trait SealedSource: Send + Sync {
    /// Returns a reader of the payload of a data volume.
    fn payload(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError>;
}

impl SealedSource for SetReader {
    fn payload(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError> {
        self.payload_reader(volume_no)
    }
}

impl SealedSource for Staging {
    fn payload(&self, volume_no: u16) -> Result<PayloadReader<'_>, VolumeError> {
        self.payload_reader(volume_no)
    }
}

/// What went wrong while sealed content was read. The layers above only know that something could not be read.
#[derive(Debug, Default)]
pub(crate) struct SealedTrouble {
    /// A block of the payload.
    payload: Mutex<Option<io::Error>>,
    /// A piece that cannot be opened.
    content: Mutex<Option<io::Error>>,
}

impl SealedTrouble {
    /// Returns the error of a block of the payload.
    pub(crate) fn of_payload(&self) -> Option<io::Error> {
        taken(&self.payload)
    }

    /// Returns the error of opening.
    pub(crate) fn of_content(&self) -> Option<io::Error> {
        taken(&self.content)
    }
}

fn taken(slot: &Mutex<Option<io::Error>>) -> Option<io::Error> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Keeps an error, and returns one of its kind.
fn kept(slot: &Mutex<Option<io::Error>>, error: io::Error) -> io::Error {
    let other = io::Error::new(error.kind(), "sealed content");
    let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
    slot.get_or_insert(error);
    other
}

/// The sealed content of a set, as one age file.
struct SealedContent {
    source: Arc<dyn SealedSource>,
    places: SealedPlaces,
    trouble: Arc<SealedTrouble>,
    window: Mutex<(u64, Vec<u8>)>,
}

impl SealedContent {
    /// Reads the window that begins at `start`.
    fn load(&self, start: u64, out: &mut Vec<u8>) -> io::Result<()> {
        let end = start.saturating_add(WINDOW_BYTES).min(self.places.bytes());
        let mut reader: Option<(u16, PayloadReader<'_>)> = None;
        let mut at = start;
        while at < end {
            let found = self.places.find(at);
            let (volume_no, offset, left) = found.ok_or(io::ErrorKind::UnexpectedEof)?;
            let payload = match &mut reader {
                Some((open, payload)) if *open == volume_no => payload,
                slot => {
                    let payload = self.source.payload(volume_no).map_err(io::Error::other)?;
                    &mut slot.insert((volume_no, payload)).1
                }
            };
            payload.seek_to(offset);
            let len = left.min(end - at);
            let got = io::copy(&mut payload.take(len), out)?;
            if got < len {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += len;
        }
        Ok(())
    }
}

impl ReadAt for SealedContent {
    fn size_bytes(&self) -> u64 {
        self.places.bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, bytes) = &mut *window;
        if !(*start..*start + bytes.len() as u64).contains(&offset) {
            // After an error nothing of it counts.
            bytes.clear();
            *start = offset / WINDOW_BYTES * WINDOW_BYTES;
            let mut read = std::mem::take(bytes);
            let loaded = self.load(*start, &mut read);
            loaded.map_err(|error| kept(&self.trouble.payload, error))?;
            *bytes = read;
        }
        let within = usize::try_from(offset - *start).unwrap_or(usize::MAX);
        let rest = bytes.get(within..).unwrap_or_default();
        let len = rest.len().min(out.len());
        out[..len].copy_from_slice(&rest[..len]);
        Ok(len)
    }
}

/// Opened content that keeps its errors.
struct WatchedSource {
    source: Arc<dyn ReadAt>,
    trouble: Arc<SealedTrouble>,
}

impl ReadAt for WatchedSource {
    fn size_bytes(&self) -> u64 {
        self.source.size_bytes()
    }

    fn read_at(&self, offset: u64, out: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read_at(offset, out);
        read.map_err(|error| kept(&self.trouble.content, error))
    }
}

/// Opens the sealed payload of a set and shows the set in it. `dir` is where it would be staged.
///
/// # Errors
/// [`Error::Sealed`] when it cannot be opened. `trouble` says more when its blocks were the reason.
pub(crate) fn open(
    set: SetId,
    source: Arc<dyn SealedSource>,
    catalog: &Catalog,
    payload_bytes: &[u64],
    identities: &Identities,
    trouble: &Arc<SealedTrouble>,
    dir: PathBuf,
) -> Result<Staging, Error> {
    let sealed = |source| Error::Sealed { set, source };
    let content = SealedContent {
        source,
        places: SealedPlaces::new(catalog.places(payload_bytes)),
        trouble: Arc::clone(trouble),
        window: Mutex::new((0, Vec::new())),
    };
    let opened = identities.open(Arc::new(content)).map_err(sealed)?;
    let watched = WatchedSource {
        source: Arc::new(opened),
        trouble: Arc::clone(trouble),
    };
    let watched: Arc<dyn ReadAt> = Arc::new(watched);
    // What cannot be read is told as that, and not as something that is no bundle.
    read_some(&*watched, 0, &mut [0; 64]).map_err(|error| sealed(SealError::Content(error)))?;
    let volume = bare_volume(watched).ok_or_else(|| sealed(SealError::Header))?;
    let inner = Staging::of_shown(dir, volume)?;
    inner.ok_or_else(|| sealed(SealError::Header))
}

/// Returns what is missing to open a set with this fact: an identity or a passphrase.
pub(crate) fn lacking(fact: Option<&str>) -> SealError {
    match fact {
        Some(fact) if fact.starts_with(PASSPHRASE_KIND) => SealError::NoPassphrase,
        _ => SealError::NoIdentity,
    }
}
