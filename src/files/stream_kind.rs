//! The kinds of streams that are opened wherever they stand: as a file, as a member of an archive, behind a prefix.
//!
//! It knows their magics and who opens them. A new kind is added here, and all places find it.

use super::LayoutError;
use super::effort::ItemEffort;
use super::lookahead::workers;
use super::open_options::OpenOptions;
use super::streams::{self, How, Outcome, Region, StreamFormat};
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::deflate::Wrapper;
use crate::recode;

/// Shorter streams are kept as they came, but those of the kinds below. To make a short one again takes a whole encoder,
/// which costs as much as opening gains.
pub(super) const STREAM_BYTES_MIN: u64 = 4096;
/// The same of gzip files. A release has thousands of manual pages and changelogs of one or two KiB, and each new version
/// of a package packs them anew.
const GZIP_BYTES_MIN: u64 = 256;
/// The same of xz files, of which each of Debian's packages has one or two KiB of metadata. Their recipe is longer, and an
/// encoder takes some milliseconds to begin.
const XZ_BYTES_MIN: u64 = 768;
/// Bytes that tell whether a stream begins.
pub(super) const STREAM_HEAD_BYTES: usize = 18;
/// The first bytes of a gzip member: the magic and the only method there is.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 8];
/// The first bytes of the kinds that may begin in the middle of something else.
const FIRST_BYTES: [u8; 3] = [GZIP_MAGIC[0], 0xfd, b'B'];

/// A kind of stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Gzip,
    /// A format of [`recode`].
    Recoded(recode::Format),
}

impl StreamKind {
    /// Returns the kind of the stream that begins a content. Fewer than [`STREAM_HEAD_BYTES`] bytes may be given.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        if head.starts_with(&GZIP_MAGIC) {
            return Some(Self::Gzip);
        }
        recode::Format::of(head).map(Self::Recoded)
    }

    /// Returns the length from which on a stream of this kind is opened.
    pub(super) fn bytes_min(self) -> u64 {
        match self {
            Self::Gzip => GZIP_BYTES_MIN,
            Self::Recoded(recode::Format::Xz) => XZ_BYTES_MIN,
            Self::Recoded(_) => STREAM_BYTES_MIN,
        }
    }

    /// Returns the kind of the stream that may begin in the middle of something else. This takes more than a magic of
    /// three bytes, which comes up once in 16 MiB of noise.
    fn within(head: &[u8]) -> Option<Self> {
        let kind = Self::of(head)?;
        let is_likely = match kind {
            // Reserved flags are zero. Writers say how hard they tried by 0, 2 or 4, and the system by its number.
            Self::Gzip => {
                let (flags, effort, system) = (head.get(3)?, head.get(8)?, head.get(9)?);
                flags & 0xe0 == 0
                    && matches!(effort, 0 | 2 | 4)
                    && (*system <= 13 || *system == 255)
            }
            // Their magics have six bytes and ten.
            Self::Recoded(recode::Format::Xz | recode::Format::Bzip2) => true,
            // They have no magic, or one of four bytes only.
            Self::Recoded(
                recode::Format::Lzma
                | recode::Format::Zstd
                | recode::Format::Lz4
                | recode::Format::Bitcode,
            ) => false,
        };
        is_likely.then_some(kind)
    }

    /// Returns the first stream that may begin in `window` from `from` on, and its place. A stream needs
    /// [`STREAM_HEAD_BYTES`] bytes.
    pub(super) fn find(window: &[u8], from: usize) -> Option<(usize, Self)> {
        let last = window.len().checked_sub(STREAM_HEAD_BYTES)?;
        let mut at = from;
        while at <= last {
            at += window[at..=last]
                .iter()
                .position(|byte| FIRST_BYTES.contains(byte))?;
            if let Some(kind) = Self::within(&window[at..]) {
                return Some((at, kind));
            }
            at += 1;
        }
        None
    }

    /// Returns the name that the plain file would have.
    pub(super) fn plain_name(self, name: &[u8]) -> Vec<u8> {
        let suffix: &[u8] = match self {
            Self::Gzip => b".gz",
            Self::Recoded(recode::Format::Xz) => b".xz",
            Self::Recoded(recode::Format::Lzma) => b".lzma",
            Self::Recoded(recode::Format::Bzip2) => b".bz2",
            Self::Recoded(recode::Format::Zstd) => b".zst",
            Self::Recoded(recode::Format::Lz4) => b".lz4",
            Self::Recoded(recode::Format::Bitcode) => b"",
        };
        name.strip_suffix(suffix).unwrap_or(name).to_vec()
    }

    /// Opens the stream at the front of a region, as [`streams::open`] does.
    ///
    /// # Errors
    /// As [`streams::open`].
    pub(super) fn open<R: ReadAt + ?Sized>(
        self,
        region: Region<'_, R>,
        effort: Option<&ItemEffort>,
        options: &OpenOptions,
        monitor: &dyn Monitor,
    ) -> Result<(Outcome, u64), LayoutError> {
        let how = How {
            format: match self {
                Self::Gzip => StreamFormat::Deflate(Wrapper::Gzip),
                Self::Recoded(format) => StreamFormat::Recoded(format),
            },
            effort,
            threads: workers(),
        };
        streams::open(region, how, options, monitor)
    }
}
