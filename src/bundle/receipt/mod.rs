//! Receipts: what a site's store holds, in tens of bytes, so that the vendor sends only what is missing.
//!
//! A receipt is advice. A wrong one makes a bundle that is larger than needed, or one that `receive` refuses with a
//! reason, but never a wrong release. The ids are therefore short, and nothing is signed. This module only handles the
//! bytes. The operations make receipts.

mod codes;
pub mod packed;
pub mod site;
mod text;
mod waiting;

pub use codes::CODES_MAX;
pub use waiting::{FrameRange, FramesWaiting, WaitingJson};

use serde::{Deserialize, Serialize};
use wincode::{SchemaRead, SchemaWrite};

use crate::base::envelope::{self, EnvelopeError, EnvelopeKind, HEADER_BYTES};
use crate::base::id::{ReleaseId, StoreId};
use crate::base::qr::QrCode;
use crate::base::term::Flaw;
use crate::content::release::{ReleaseName, ReleaseRoot};

/// Most bytes of a receipt in any form.
pub(crate) const RECEIPT_BYTES_MAX: u64 = 1 << 20;
/// Most releases in a receipt.
pub(crate) const RELEASES_MAX: usize = 4096;
/// Most missing chunks in a receipt.
pub(crate) const LACKS_MAX: usize = 4096;
/// Most staged sets in a receipt.
pub(crate) const WAITING_MAX: usize = 64;
/// Flag of a file: the receipt lists staged sets. An older program would ignore them and make a bundle that is larger
/// than needed, so it refuses the file instead.
const FLAG_WAITING: u32 = 1;
/// Bytes of an id in a file. Two releases that share them gain nobody anything, because the bundle would be refused.
pub(crate) const ID_BYTES: usize = 16;
/// Bytes of an id in a text. No two of a vendor's releases share them except by design.
const SHORT_ID_BYTES: usize = 8;

/// What a site's store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// First bytes of the store's id, 8 to 16.
    pub store: Vec<u8>,
    /// Its releases, by name.
    pub releases: Vec<HeldRelease>,
    /// First bytes of the ids of chunks that these releases need and that are lost or damaged, in ascending order.
    pub lacks: Vec<[u8; 8]>,
    /// Sets that wait for missing volumes or for prerequisites, and which frames of each are present whole.
    pub waiting: Vec<FramesWaiting>,
}

/// The body of a file without staged sets, and the first part of any other.
#[derive(SchemaRead, SchemaWrite)]
struct Settled {
    store: Vec<u8>,
    releases: Vec<HeldRelease>,
    lacks: Vec<[u8; 8]>,
}

/// The body of a file with staged sets.
#[derive(SchemaRead, SchemaWrite)]
struct Unsettled {
    settled: Settled,
    waiting: Vec<FramesWaiting>,
}

impl From<&Receipt> for Settled {
    fn from(receipt: &Receipt) -> Self {
        Self {
            store: receipt.store.clone(),
            releases: receipt.releases.clone(),
            lacks: receipt.lacks.clone(),
        }
    }
}

impl Settled {
    fn with(self, waiting: Vec<FramesWaiting>) -> Receipt {
        Receipt {
            store: self.store,
            releases: self.releases,
            lacks: self.lacks,
            waiting,
        }
    }
}

/// A release in a receipt.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct HeldRelease {
    /// Its name. Empty when the receipt came as a text.
    pub name: String,
    /// First bytes of its id, 8 to 32.
    pub id: Vec<u8>,
}

/// The reason why something is not a receipt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It is neither a file, nor JSON, nor the text of a receipt.
    #[error("not a receipt")]
    NotAReceipt,
    /// It has a character that no receipt has.
    #[error("line {line} of the receipt: {symbol:?} does not belong there")]
    Symbol {
        /// The line, from 1.
        line: usize,
        /// The character.
        symbol: char,
    },
    /// A line differs from what was printed.
    #[error("line {line} of the receipt has a mistake")]
    Line {
        /// The line, from 1.
        line: usize,
    },
    /// Every line is as printed, but together they are not a receipt.
    #[error("a line of the receipt is missing, doubled or of another receipt")]
    Lines,
    /// It was written by a newer program.
    #[error("receipt of version {0}: newer than this program reads")]
    Newer(u8),
    /// The file is damaged or newer.
    #[error("receipt")]
    Envelope(#[from] EnvelopeError),
    /// It decodes but makes no sense.
    #[error("not a receipt: {0}")]
    Corrupt(Flaw),
}

impl HeldRelease {
    /// Describes a release of this store.
    pub fn of(root: &ReleaseRoot) -> Self {
        Self {
            name: root.name.to_string(),
            id: root.id().as_bytes()[..ID_BYTES].to_vec(),
        }
    }

    /// Returns whether this is that release, as far as its id is given here.
    pub fn is(&self, id: &ReleaseId) -> bool {
        self.id.len() >= SHORT_ID_BYTES && id.as_bytes().starts_with(&self.id)
    }

    /// Returns its name, or its id when it has none, for people.
    pub fn label(&self) -> String {
        if self.name.is_empty() {
            hex(&self.id)
        } else {
            self.name.clone()
        }
    }
}

impl Receipt {
    /// Makes a receipt of these releases and lost chunks. Both are sorted, so that the same store gives the same
    /// receipt.
    pub fn new(store: StoreId, mut releases: Vec<HeldRelease>, mut lacks: Vec<[u8; 8]>) -> Self {
        releases.sort_by(|one, other| one.name.cmp(&other.name));
        lacks.sort_unstable();
        lacks.dedup();
        Self {
            store: store.as_bytes().to_vec(),
            releases,
            lacks,
            waiting: Vec::new(),
        }
    }

    /// Adds staged sets, ordered by their ids. Leaves out those beyond `WAITING_MAX`.
    pub fn with_waiting(self, mut waiting: Vec<FramesWaiting>) -> Self {
        waiting.sort_by(|one, other| one.set.cmp(&other.set));
        waiting.truncate(WAITING_MAX);
        Self { waiting, ..self }
    }

    /// Returns whether it may be of the same store as the other one.
    pub fn is_of(&self, other: &Self) -> bool {
        let len = self.store.len().min(other.store.len());
        self.store[..len] == other.store[..len]
    }

    /// Returns the known part of the store's id as hex.
    pub fn store_hex(&self) -> String {
        hex(&self.store)
    }

    /// Encodes it as a file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let settled = Settled::from(self);
        if self.waiting.is_empty() {
            return envelope::seal(EnvelopeKind::Receipt, &envelope::encode(&settled));
        }
        let body = envelope::encode(&Unsettled {
            settled,
            waiting: self.waiting.clone(),
        });
        envelope::seal_with(EnvelopeKind::Receipt, FLAG_WAITING, &body)
    }

    /// Reads a receipt in any of its forms: a file, the JSON that `receipt --json` prints, or the text.
    ///
    /// # Errors
    /// [`ReceiptError`], which names the line of a text that has the mistake.
    pub fn read(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() as u64 > RECEIPT_BYTES_MAX + HEADER_BYTES as u64 {
            return Err(ReceiptError::NotAReceipt);
        }
        if bytes.starts_with(&envelope::MAGIC) {
            let (flags, body) = envelope::open_with(
                EnvelopeKind::Receipt,
                FLAG_WAITING,
                bytes,
                RECEIPT_BYTES_MAX,
            )?;
            let receipt = if flags & FLAG_WAITING == 0 {
                envelope::decode::<Settled>(body)?.with(Vec::new())
            } else {
                let unsettled: Unsettled = envelope::decode(body)?;
                unsettled.settled.with(unsettled.waiting)
            };
            return receipt.checked();
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ReceiptError::NotAReceipt)?;
        if text.trim_start().starts_with('{') {
            return Self::from_json(text);
        }
        text::read(text)?.checked()
    }

    /// Returns the lines of the text, to be typed or read out. Returns `None` when they would be more than 1000.
    pub fn to_text(&self) -> Option<Vec<String>> {
        text::write(self)
    }

    /// Returns the text as QR codes of at most so many modules a side, to be photographed one after the other. The
    /// texts of all of them, in this order, are the receipt. Returns `None` when they would be more than [`CODES_MAX`].
    pub fn to_codes(&self, side_modules_max: usize) -> Option<Vec<QrCode>> {
        codes::of(&self.to_text()?, side_modules_max)
    }

    fn from_json(text: &str) -> Result<Self, ReceiptError> {
        let read: ReceiptJson =
            serde_json::from_str(text).map_err(|_| ReceiptError::Corrupt(Flaw::ReceiptJson))?;
        let id = |text: &str| from_hex(text).ok_or(ReceiptError::Corrupt(Flaw::ReceiptId));
        let lack = |text: &String| {
            let bytes = id(text)?;
            <[u8; 8]>::try_from(bytes).map_err(|_| ReceiptError::Corrupt(Flaw::ReceiptChunk))
        };
        let releases = read.releases.iter().map(|held| {
            Ok(HeldRelease {
                name: held.name.clone(),
                id: id(&held.id)?,
            })
        });
        Self {
            store: id(&read.store)?,
            releases: releases.collect::<Result<_, ReceiptError>>()?,
            lacks: read.lacks.iter().map(lack).collect::<Result<_, _>>()?,
            waiting: read
                .waiting
                .iter()
                .map(|each| {
                    FramesWaiting::from_json(each).ok_or(ReceiptError::Corrupt(Flaw::ReceiptSet))
                })
                .collect::<Result<_, _>>()?,
        }
        .checked()
    }

    /// Returns the form for reports.
    pub fn to_json(&self) -> ReceiptJson {
        ReceiptJson {
            store: hex(&self.store),
            releases: self
                .releases
                .iter()
                .map(|held| HeldJson {
                    name: held.name.clone(),
                    id: hex(&held.id),
                })
                .collect(),
            lacks: self.lacks.iter().map(|lack| hex(lack)).collect(),
            waiting: self.waiting.iter().map(FramesWaiting::to_json).collect(),
        }
    }

    fn checked(self) -> Result<Self, ReceiptError> {
        let corrupt = |what| Err(ReceiptError::Corrupt(what));
        if !(SHORT_ID_BYTES..=StoreId::BYTES).contains(&self.store.len()) {
            return corrupt(Flaw::StoreId);
        }
        if self.releases.len() > RELEASES_MAX
            || self.lacks.len() > LACKS_MAX
            || self.waiting.len() > WAITING_MAX
        {
            return corrupt(Flaw::TooMuch);
        }
        for held in &self.releases {
            if !(SHORT_ID_BYTES..=ReleaseId::BYTES).contains(&held.id.len()) {
                return corrupt(Flaw::ReleaseId);
            }
            if !held.name.is_empty() && held.name.parse::<ReleaseName>().is_err() {
                return corrupt(Flaw::ReleaseName);
            }
        }
        if !self.waiting.iter().all(FramesWaiting::is_sound) {
            return corrupt(Flaw::WaitingSet);
        }
        Ok(self)
    }
}

/// A receipt in JSON. Ids are hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptJson {
    /// The store's id.
    pub store: String,
    /// Its releases.
    pub releases: Vec<HeldJson>,
    /// Chunks of them that are lost or damaged, as the first eight bytes of their ids.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Staged sets, and their frames that are present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingJson>,
}

/// A release in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldJson {
    /// Its name, which may be empty.
    #[serde(default)]
    pub name: String,
    /// The first bytes of its id, 8 to 32.
    pub id: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() > 64
        || !digits.len().is_multiple_of(2)
        || !digits.iter().all(u8::is_ascii_hexdigit)
    {
        return None;
    }
    let pairs = digits.chunks_exact(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::base::id::SetId;

    fn receipt() -> Receipt {
        let held = |name: &str, byte| HeldRelease {
            name: name.into(),
            id: vec![byte; ID_BYTES],
        };
        Receipt::new(
            StoreId([0xab; 16]),
            vec![held("shop:1.1", 2), held("shop:1.0", 1)],
            vec![[9; 8], [3; 8], [9; 8]],
        )
    }

    fn waiting() -> Receipt {
        let runs = vec![
            FrameRange { first: 0, count: 3 },
            FrameRange {
                first: 300,
                count: 1,
            },
        ];
        let set = |byte| FramesWaiting {
            set: vec![byte; ID_BYTES],
            frames: runs.clone(),
        };
        receipt().with_waiting(vec![set(8), set(7)])
    }

    #[test]
    fn a_receipt_comes_back_from_each_of_its_forms() {
        comes_back(&receipt());
        comes_back(&waiting());
    }

    fn comes_back(receipt: &Receipt) {
        assert_eq!(&Receipt::read(&receipt.to_bytes()).unwrap(), receipt);
        let json = serde_json::to_vec_pretty(&receipt.to_json()).unwrap();
        assert_eq!(&Receipt::read(&json).unwrap(), receipt);
        let text = receipt.to_text().unwrap().join("\n");
        let typed = Receipt::read(text.as_bytes()).unwrap();
        assert!(typed.is_of(receipt));
        assert_eq!(typed.lacks, receipt.lacks);
        assert_eq!(typed.waiting.len(), receipt.waiting.len());
        for (short, long) in typed.waiting.iter().zip(&receipt.waiting) {
            assert_eq!(short.frames, long.frames);
            let id = SetId(long.set.clone().try_into().unwrap());
            assert!(short.is(&id) && long.is(&id) && !short.is(&SetId([1; 16])));
        }
        for (short, held) in typed.releases.iter().zip(&receipt.releases) {
            let mut id = [0; 32];
            id[..ID_BYTES].copy_from_slice(&held.id);
            assert!(short.is(&ReleaseId(id)) && held.is(&ReleaseId(id)));
            assert!(!short.is(&ReleaseId([5; 32])));
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let mut short = receipt();
        short.releases[0].id.truncate(7);
        assert!(Receipt::read(&short.to_bytes()).is_err());
        let mut named = receipt();
        named.releases[0].name = "../x".into();
        assert!(Receipt::read(&named.to_bytes()).is_err());
        let mut run = waiting();
        run.waiting[0].frames[1].first = 2;
        assert!(Receipt::read(&run.to_bytes()).is_err());
        run.waiting[0].frames[1].first = u32::MAX;
        assert!(Receipt::read(&run.to_bytes()).is_err());
        let mut stray = receipt();
        stray.store.clear();
        assert!(Receipt::read(&stray.to_bytes()).is_err());
        for bad in ["", "{", "{}", "shop:1.0", "hello world", "\u{fffd}"] {
            assert!(Receipt::read(bad.as_bytes()).is_err(), "{bad}");
        }
        let mut flipped = receipt().to_bytes();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(Receipt::read(&flipped).is_err());
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Receipt::read(&bytes);
            let _ = Receipt::read(&envelope::seal(EnvelopeKind::Receipt, &bytes));
            let _ = Receipt::read(&envelope::seal_with(EnvelopeKind::Receipt, FLAG_WAITING, &bytes));
            let _ = Receipt::read(String::from_utf8_lossy(&bytes).as_bytes());
        }
    }
}
