//! The kinds of streams that are opened wherever they stand: as a file, as a member of an archive, behind a prefix.
//!
//! It knows their magics and who opens them. A new kind is added here, and all places find it.

use super::LayoutError;
use super::open_options::OpenOptions;
use super::streams::{self, How, Outcome, Region};
use crate::base::monitor::Monitor;
use crate::base::read_at::ReadAt;
use crate::deflate::Wrapper;
use crate::files::effort::ItemEffort;
use crate::files::lookahead::workers;

/// Bytes that tell whether a stream begins.
pub(super) const STREAM_HEAD_BYTES: usize = 18;

/// A kind of stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamKind {
    Gzip,
}

impl StreamKind {
    /// Returns the kind of the stream that begins a content.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        head.starts_with(&[0x1f, 0x8b, 8]).then_some(Self::Gzip)
    }

    /// Returns the kind of the stream that may begin in the middle of something else. This takes more than a magic, as
    /// any three bytes come up once in 16 MiB of noise.
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
        match self {
            Self::Gzip => {
                let how = How {
                    wrapper: Wrapper::Gzip,
                    effort,
                    threads: workers(),
                };
                streams::open(region, how, options, monitor)
            }
        }
    }
}

/// The first bytes of the magics of all kinds.
const FIRST_BYTES: [u8; 1] = [0x1f];
