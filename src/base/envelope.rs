//! The envelope of every small file: magic, kind, version, flags, length and hash around a body.
//!
//! This is also the only module that uses the metadata codec (bincode's wire format, written by `wincode`). It reads no
//! files.

use wincode::{SchemaRead, SchemaWrite};

use crate::base::id;
use crate::base::term::Flaw;

/// First eight bytes of every enveloped file. They are not text, and line-end conversion damages them, as with PNG.
pub const MAGIC: [u8; 8] = *b"\x8aCRYALL\n";

/// Bytes before the body.
pub const HEADER_BYTES: usize = 56;

/// What an enveloped file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum EnvelopeKind {
    /// Root of a release.
    Release = 1,
    /// Index segment of a store.
    Index = 2,
    /// Catalog of a bundle.
    Catalog = 3,
    /// Descriptor of a volume set, in its superblocks.
    SetDescriptor = 4,
    /// The blocks of a volume that were received.
    BlockMap = 5,
    /// Frames of a pack that were found damaged.
    Quarantine = 6,
    /// The content of a site's store.
    Receipt = 7,
    /// What a vendor's store knows of a site.
    Site = 8,
    /// What a vendor's store knows of a volume set that it packed.
    PackedSet = 9,
    /// What a site's store knows of the volume sets that it received.
    ReceivedSets = 10,
    /// Signatures of a volume set, in its superblocks.
    Signatures = 11,
    /// Which sets brought the newest releases to a site's store.
    NewestSets = 12,
    /// Packs that are to be removed from a store in a bucket.
    Marks = 13,
    /// Who prunes a store in a bucket.
    Lease = 14,
}

/// Says what is wrong with an enveloped file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// It does not begin with the magic, or it is of another kind.
    #[error("not a carryall file of the kind that belongs here")]
    NotThis,
    /// It is shorter than it says, longer than it may be, or its hash is wrong.
    #[error("damaged: {0}")]
    Corrupt(Flaw),
    /// It was written by a newer program.
    #[error("format version {found} is newer than this program reads ({known})")]
    Unsupported {
        /// Version of the file.
        found: u16,
        /// Newest version this program knows.
        known: u16,
    },
    /// It needs features that this program does not know.
    #[error("needs features that this program does not have (flags {0:#x})")]
    UnknownFlags(u32),
}

/// Wraps `body` for a file of `kind`, with format version 1 and no flags.
pub fn seal(kind: EnvelopeKind, body: &[u8]) -> Vec<u8> {
    seal_with(kind, 0, body)
}

/// Wraps `body` for a file of `kind`, with format version 1. Only readers that know all of `flags` may read it.
pub fn seal_with(kind: EnvelopeKind, flags: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_BYTES + body.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&(kind as u16).to_le_bytes());
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&flags.to_le_bytes());
    out.extend_from_slice(&(body.len() as u64).to_le_bytes());
    let mut hasher = id::Hasher::new();
    // The hash covers the header too, so damage to a kind, version or flag shows.
    hasher.update(&out).update(body);
    out.extend_from_slice(&hasher.finish());
    out.extend_from_slice(body);
    out
}

/// Checks an enveloped file and returns its body. Ignores bytes behind the body, because blocks are padded.
///
/// # Errors
/// [`EnvelopeError`] when it is another kind, newer, damaged or longer than `limit_bytes`.
pub fn open(kind: EnvelopeKind, file: &[u8], limit_bytes: u64) -> Result<&[u8], EnvelopeError> {
    Ok(open_with(kind, 0, file, limit_bytes)?.1)
}

/// Opens a file of a kind that has flags, as [`open`] does. Returns the flags, all of them in `known`, and the body.
///
/// # Errors
/// As [`open`], and [`EnvelopeError::UnknownFlags`] for any flag that is not in `known`.
pub fn open_with(
    kind: EnvelopeKind,
    known: u32,
    file: &[u8],
    limit_bytes: u64,
) -> Result<(u32, &[u8]), EnvelopeError> {
    let header = file.get(..HEADER_BYTES).ok_or(EnvelopeError::NotThis)?;
    let u16_at = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    if header[..8] != MAGIC || u16_at(8) != kind as u16 {
        return Err(EnvelopeError::NotThis);
    }
    let mut len = [0; 8];
    len.copy_from_slice(&header[16..24]);
    let body_bytes = u64::from_le_bytes(len);
    // The limit comes before the hash, so that a forged length costs no time.
    if body_bytes > limit_bytes {
        return Err(EnvelopeError::Corrupt(Flaw::Long));
    }
    let body = usize::try_from(body_bytes)
        .ok()
        .and_then(|len| file[HEADER_BYTES..].get(..len))
        .ok_or(EnvelopeError::Corrupt(Flaw::Short))?;
    let mut hasher = id::Hasher::new();
    hasher.update(&header[..24]).update(body);
    if hasher.finish()[..] != header[24..56] {
        return Err(EnvelopeError::Corrupt(Flaw::Hash));
    }
    // Version and flags are trusted only now: the hash covers them, so damage does not look like a newer format.
    let version = u16_at(10);
    if version == 0 {
        return Err(EnvelopeError::Corrupt(Flaw::Version));
    }
    if version != 1 {
        return Err(EnvelopeError::Unsupported {
            found: version,
            known: 1,
        });
    }
    let flags = u32::from(u16_at(12)) | u32::from(u16_at(14)) << 16;
    // A flag changes what the body means, so a reader that does not know it must not guess.
    if flags & !known != 0 {
        return Err(EnvelopeError::UnknownFlags(flags & !known));
    }
    Ok((flags, body))
}

/// Encodes a metadata value: fixed-width little-endian integers, u64 lengths, u32 enum tags.
pub fn encode<T>(value: &T) -> Vec<u8>
where
    T: SchemaWrite<wincode::config::DefaultConfig, Src = T>,
{
    wincode::serialize(value).expect("plain data of bounded size always encodes")
}

/// Decodes a metadata value that takes all of `bytes`. No sequence in it may take more than 4 MiB in memory, which is
/// the codec's bound against hostile counts. Data that can grow longer is a stream of records and not one value.
///
/// # Errors
/// [`EnvelopeError::Corrupt`] for anything that is not exactly such a value.
pub fn decode<'de, T>(bytes: &'de [u8]) -> Result<T, EnvelopeError>
where
    T: SchemaRead<'de, wincode::config::DefaultConfig, Dst = T>,
{
    wincode::deserialize_exact(bytes).map_err(|_| EnvelopeError::Corrupt(Flaw::NotDecodable))
}
