//! What became of the streams of an item: how many were opened, by whom they were written, and which were kept and why.

use std::collections::BTreeMap;

use crate::content::recipe::ZSTD_KEPT;

/// Why a stream or archive is kept as it came. The number stands in recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u16)]
pub enum KeptReason {
    /// It is not a valid stream, although it begins like one.
    Corrupt = 1,
    /// It ends early.
    Truncated = 2,
    /// Its recipe would be too large, because its writer is not known.
    Recipe = 3,
    /// It unpacks to more than the limit, or to too much for its length.
    Limit = 4,
    /// It took too long.
    Time = 5,
    /// It was different when it was rebuilt.
    Changed = 6,
    /// There was no room for its plain bytes.
    Space = 7,
    /// It is too small to gain anything.
    Small = 8,
    /// It is nested too deep.
    Deep = 9,
    /// The effort limit of its item was used up, because too many streams before it came to nothing.
    Effort = 10,
    /// Its zstd frames are not of a writer that is known, or it was added before these were opened. Tars in them are looked
    /// into.
    Zstd = ZSTD_KEPT,
    /// It is a stream of bzip2, and was added before these were opened.
    Bzip2 = 12,
    /// Its frames of lz4 are not of a writer that is known, or it was added before these were opened.
    Lz4 = 13,
    /// Archives of 7-Zip are not opened.
    SevenZip = 14,
    /// Archives of RAR are not opened.
    Rar = 15,
    /// It is an encrypted member of a zip file.
    Encrypted = 16,
    /// It is a member of a zip file that is packed in another way than by deflate.
    ZipMethod = 17,
}

/// First bytes of what is not opened.
const CLOSED_MAGICS: [(&[u8], KeptReason); 2] = [
    (b"7z\xbc\xaf\x27\x1c", KeptReason::SevenZip),
    (b"Rar!\x1a\x07", KeptReason::Rar),
];

impl KeptReason {
    const ALL: [Self; 17] = [
        Self::Corrupt,
        Self::Truncated,
        Self::Recipe,
        Self::Limit,
        Self::Time,
        Self::Changed,
        Self::Space,
        Self::Small,
        Self::Deep,
        Self::Effort,
        Self::Zstd,
        Self::Bzip2,
        Self::Lz4,
        Self::SevenZip,
        Self::Rar,
        Self::Encrypted,
        Self::ZipMethod,
    ];

    /// Returns why a content with these first bytes is not opened, when it is packed in a way that never is.
    pub(super) fn of_closed(head: &[u8]) -> Option<Self> {
        let mut magics = CLOSED_MAGICS.iter();
        let found = magics.find(|(magic, _)| head.starts_with(magic));
        found.map(|(_, reason)| *reason)
    }

    /// Returns its number in recipes.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// Returns the reason with this number, or `None` for one of a newer version.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|kept| kept.number() == number)
    }

    /// Returns whether other options, or more free space, may change it.
    pub fn may_change(self) -> bool {
        matches!(
            self,
            Self::Recipe | Self::Limit | Self::Time | Self::Space | Self::Deep | Self::Effort
        )
    }
}

/// A number of streams and their total length.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Tally {
    /// Streams.
    pub streams: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Tally {
    pub(super) fn count(&mut self, bytes: u64) {
        self.streams += 1;
        self.bytes += bytes;
    }
}

/// The results of all streams that were met.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct StreamReport {
    /// Streams that were opened.
    pub opened: Tally,
    /// Plain bytes of the opened streams.
    pub plain_bytes: u64,
    /// Bytes of their recipes.
    pub recipe_bytes: u64,
    /// Streams and archives that were kept as they came, by reason.
    pub kept: BTreeMap<KeptReason, Tally>,
    /// Writers of the opened streams.
    pub writers: BTreeMap<String, Tally>,
}

impl StreamReport {
    /// Adds the results of another report.
    pub fn add(&mut self, other: Self) {
        let sum = |one: &mut Tally, other: Tally| {
            one.streams += other.streams;
            one.bytes += other.bytes;
        };
        sum(&mut self.opened, other.opened);
        self.plain_bytes += other.plain_bytes;
        self.recipe_bytes += other.recipe_bytes;
        for (reason, tally) in other.kept {
            sum(self.kept.entry(reason).or_default(), tally);
        }
        for (writer, tally) in other.writers {
            sum(self.writers.entry(writer).or_default(), tally);
        }
    }
}
