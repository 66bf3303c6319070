//! Tars in zstd frames that are kept as they came: listed by unpacking them once, and read from by unpacking them again.
//!
//! Nothing of them is stored unpacked, so each look costs the processor what unpacking the whole costs, some 500 MB a
//! second and core. Memory: 128 MiB for the largest window, and a header.

use std::io::{self, Write};

use super::{ArchiveMember, Budget};
use crate::base::limits::PLAIN_RATIO_MAX;
use crate::base::monitor::{Monitor, Quiet};
use crate::base::term::Flaw;
use crate::content::archive::tar::{BLOCK, PAX_BYTES_MAX, TarHeader, TarKind, begins_tar, padding};
use crate::content::recipe::body::{FileBody, unpack};
use crate::content::recipe::{Blob, ChunkSource, RecipeError, RecipeOp, ZSTD_KEPT};

use super::small::NextMember;

/// Returns whether a blob with this first step is a tar in zstd frames.
///
/// # Errors
/// A stop.
pub(super) fn is_tar<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    first: Option<&RecipeOp>,
    monitor: &dyn Monitor,
) -> Result<bool, RecipeError> {
    if !matches!(first, Some(RecipeOp::Kept { reason: ZSTD_KEPT })) {
        return Ok(false);
    }
    let mut head = FirstBlock(Vec::new());
    match unpack(source, blob, &mut head, monitor) {
        Err(error @ RecipeError::Interrupted(_)) => Err(error),
        // Whatever else failed, the first block is there or not.
        _ => Ok(head.0.len() == BLOCK && begins_tar(&head.0)),
    }
}

/// Takes one block and refuses the rest.
struct FirstBlock(Vec<u8>);

impl Write for FirstBlock {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = BLOCK - self.0.len();
        if room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let len = room.min(bytes.len());
        self.0.extend_from_slice(&bytes[..len]);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Lists the members.
pub(super) fn members<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    budget: &mut Budget,
    monitor: &dyn Monitor,
    visit: &mut dyn FnMut(ArchiveMember) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let most = blob
        .bytes
        .saturating_mul(PLAIN_RATIO_MAX)
        .min(budget.unpacked_bytes);
    let mut lister = Lister {
        blob: *blob,
        visit,
        at: 0,
        most,
        block: Vec::with_capacity(BLOCK),
        body: Vec::new(),
        wants_body: None,
        skip: 0,
        next: NextMember::default(),
        failed: None,
    };
    let unpacked = unpack(source, blob, &mut lister, &Quiet(monitor));
    budget.unpacked_bytes -= lister.at.min(budget.unpacked_bytes);
    match lister.failed.take() {
        Some(error) => Err(error),
        None => unpacked,
    }
}

/// Follows the headers of a tar whose bytes come.
struct Lister<'v> {
    blob: Blob,
    visit: &'v mut dyn FnMut(ArchiveMember) -> Result<(), RecipeError>,
    /// Plain bytes that came.
    at: u64,
    most: u64,
    /// The header that comes.
    block: Vec<u8>,
    /// The body of a header that is about the next member, and how long it gets.
    body: Vec<u8>,
    wants_body: Option<usize>,
    /// Bytes up to the next header.
    skip: u64,
    next: NextMember,
    failed: Option<RecipeError>,
}

impl Lister<'_> {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), RecipeError> {
        while !bytes.is_empty() {
            let len = if let Some(wanted) = self.wants_body {
                let len = bytes.len().min(wanted - self.body.len());
                self.body.extend_from_slice(&bytes[..len]);
                len
            } else if self.skip > 0 {
                let len =
                    usize::try_from(self.skip).map_or(bytes.len(), |skip| skip.min(bytes.len()));
                self.skip -= len as u64;
                len
            } else {
                let len = bytes.len().min(BLOCK - self.block.len());
                self.block.extend_from_slice(&bytes[..len]);
                len
            };
            self.at += len as u64;
            bytes = &bytes[len..];
            if self.at > self.most {
                return Err(RecipeError::Corrupt(Flaw::ArchiveWithMore));
            }
            if self.wants_body == Some(self.body.len()) {
                self.wants_body = None;
                self.next.read(&self.block, &self.body);
                self.body.clear();
                self.block.clear();
            } else if self.wants_body.is_none() && self.block.len() == BLOCK {
                self.header()?;
            }
        }
        Ok(())
    }

    /// Understands a header that is complete.
    fn header(&mut self) -> Result<(), RecipeError> {
        let Some(header) = TarHeader::read(&self.block) else {
            self.next = NextMember::default();
            self.block.clear();
            return Ok(());
        };
        let size = match header.kind {
            TarKind::File => self.next.size().unwrap_or(header.size),
            TarKind::Bodiless => 0,
            _ => header.size,
        };
        self.skip = size.saturating_add(padding(size));
        match header.kind {
            TarKind::Pax | TarKind::Note if size > 0 && size <= PAX_BYTES_MAX => {
                self.wants_body = usize::try_from(size).ok();
                self.skip = padding(size);
                // The header is needed when its body is there.
                return Ok(());
            }
            TarKind::Bodiless => {
                if let Some(link) = self.next.link(&self.block) {
                    (self.visit)(link)?;
                }
                self.next = NextMember::default();
            }
            TarKind::File if size > 0 => {
                let path = self.next.path(&self.block);
                let body = FileBody::Unpacked {
                    blob: self.blob,
                    offset: self.at,
                    bytes: size,
                };
                (self.visit)(ArchiveMember::File { path, body })?;
                self.next = NextMember::default();
            }
            TarKind::File | TarKind::Sparse => self.next = NextMember::default(),
            TarKind::Pax | TarKind::Note => {}
        }
        self.block.clear();
        Ok(())
    }
}

impl Write for Lister<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.take(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = Some(error);
                Err(io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
