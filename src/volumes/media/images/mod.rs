//! What people bring in place of a plain image: raw sectors, pieces, packed files and pipes, recognized by content and
//! shown as the bytes that a plain image would have.
//!
//! Each form is a layer over the one below it, and `source` opens them. Nothing here knows blocks. `scan` finds them in
//! what is shown.

mod bare;
mod extents;
mod fat;
mod fields;
mod file_reader;
mod joined;
mod open_stream;
pub(super) mod packed;
pub(super) mod pieces;
pub(crate) mod raw_sectors;
mod streams;
mod zip;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::read_at::{ReadAt, read_some};
use crate::volumes::bare_head::BareHead;
use crate::volumes::block::{BLOCK_BYTES, BlockHeader};

use self::bare::BareVolume;
use self::extents::{Extent, ReorderedSource};
pub(super) use self::file_reader::FileReader;
use self::joined::JoinedPieces;
pub(crate) use self::open_stream::OpenStream;
use self::packed::PackedKind;
pub use self::pieces::MediaPiece;
use self::raw_sectors::{RawSectors, SectorLayout};

/// Offset of an ISO 9660 file system's magic, and the magic.
const ISO_MAGIC_OFFSET: usize = 0x8001;
const ISO_MAGIC: &[u8] = b"CD001";
/// The sector of discs in a drive.
const DISC_SECTOR_BYTES: u64 = 2048;
/// Most layers over one another, such as a raw image in a disk image.
const LAYERS_MAX: usize = 3;

/// How the bytes of a source are made from its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceForm {
    /// The pieces that are one stream, in order. Empty for one file or device.
    pieces: Arc<[MediaPiece]>,
    layers: Vec<FormLayer>,
    way: Way,
    /// Its map of ddrescue, when that lies elsewhere.
    map: Option<PathBuf>,
}

/// The way to the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Way {
    /// They can be read at any place.
    #[default]
    Places,
    /// So can they, but they are packed, and what lies in them is in order by chance.
    Packed(PackedKind),
    /// They come out once, from front to back, of a packed file.
    Unpacked(PackedKind),
    /// They come once, through a pipe.
    Pipe,
}

/// One form over what is below it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum FormLayer {
    RawSectors(SectorLayout),
    /// A file system with so many files in several stretches, which come first.
    InOrder(Arc<[Extent]>, usize),
    /// A bare bundle in a file of so many bytes.
    Bare(Arc<BareHead>, u64),
}

impl SourceForm {
    /// Recognizes the form of a file, a device, or pieces that are one stream. Returns the length of what it shows too.
    ///
    /// # Errors
    /// When it cannot be opened. Bytes that cannot be read are no error.
    pub(super) fn of(path: &Path, pieces: Arc<[MediaPiece]>) -> io::Result<(Self, u64)> {
        let mut form = Self {
            pieces,
            ..Self::default()
        };
        let mut reader = form.base(path)?;
        let mut begin = vec![0; BLOCK_BYTES];
        // What a drive gives are sectors and nothing else, and a bad one at the beginning is asked for often enough.
        while reader.sector_bytes() != DISC_SECTOR_BYTES && form.layers.len() < LAYERS_MAX {
            let have = read_full(&*reader, 0, &mut begin);
            let begin = &begin[..have];
            // A volume file or the image of a disc, as most are.
            if BlockHeader::peek(begin).is_some() || has_iso_magic(begin) {
                break;
            }
            form.way = Way::of(&*reader, begin);
            if form.way != Way::Places {
                break;
            }
            let Some(layer) = FormLayer::of(&*reader, begin) else {
                break;
            };
            reader = layer.over(reader);
            let is_last = !matches!(layer, FormLayer::RawSectors(_));
            form.layers.push(layer);
            if is_last {
                break;
            }
        }
        Ok((form, reader.size_bytes()))
    }

    /// Opens a file or device of this form.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(super) fn open(&self, path: &Path) -> io::Result<Arc<dyn ReadAt>> {
        let base = self.base(path)?;
        Ok(self
            .layers
            .iter()
            .fold(base, |reader, layer| layer.over(reader)))
    }

    /// Sets the map of ddrescue that tells which of its bytes were never read.
    pub(super) fn set_map(&mut self, map: PathBuf) {
        self.map = Some(map);
    }

    fn base(&self, path: &Path) -> io::Result<Arc<dyn ReadAt>> {
        Ok(if self.pieces.is_empty() {
            Arc::new(FileReader::with_map(path, self.map.as_deref())?)
        } else {
            Arc::new(JoinedPieces::new(Arc::clone(&self.pieces)))
        })
    }

    /// The form of what comes through a pipe. What it is shows when it comes.
    pub(super) fn pipe() -> Self {
        Self {
            way: Way::Pipe,
            ..Self::default()
        }
    }

    /// Returns whether its bytes come once, from front to back.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.way, Way::Unpacked(_) | Way::Pipe)
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// When it cannot be opened, or its first bytes are not what they seemed.
    pub(super) fn open_stream(&self, path: &Path) -> io::Result<OpenStream> {
        if self.way == Way::Pipe {
            return OpenStream::of_pipe(path);
        }
        OpenStream::of(self.open(path)?)
    }

    /// Returns what it is packed as when it is not unpacked here.
    pub(super) fn packed(&self) -> Option<PackedKind> {
        match self.way {
            Way::Packed(kind) => Some(kind),
            _ => None,
        }
    }

    /// Returns the head of a bare bundle, and the bytes of its file.
    pub(super) fn bare(&self) -> Option<(&Arc<BareHead>, u64)> {
        match self.layers.last() {
            Some(FormLayer::Bare(head, bytes)) => Some((head, *bytes)),
            _ => None,
        }
    }

    /// The pieces that are one stream. Empty for one file or device.
    pub fn pieces(&self) -> &[MediaPiece] {
        &self.pieces
    }

    /// Says what it is, when it is more than a file.
    pub(super) fn notes(&self) -> impl Iterator<Item = Diagnostic> + '_ {
        let layers = self.layers.iter().filter_map(|layer| match layer {
            FormLayer::RawSectors(layout) => {
                Some(diagnostic!("media.raw_sectors", bytes = layout.stride))
            }
            FormLayer::InOrder(_, files) => Some(diagnostic!("media.in_order", count = *files)),
            FormLayer::Bare(..) => None,
        });
        let unpacked = match self.way {
            Way::Unpacked(kind) => Some(diagnostic!("media.unpacked", kind = kind.name())),
            _ => None,
        };
        layers.chain(unpacked)
    }
}

impl Way {
    fn of(reader: &dyn ReadAt, begin: &[u8]) -> Self {
        match PackedKind::of(begin) {
            // Members lie in it as they are.
            None | Some(PackedKind::Archive("tar")) => Self::Places,
            Some(kind @ PackedKind::Archive("zip")) => match zip::has_deflated(reader) {
                Some(true) => Self::Unpacked(kind),
                Some(false) => Self::Places,
                None => Self::Packed(kind),
            },
            Some(kind) if streams::is_unpacked(kind) => Self::Unpacked(kind),
            Some(kind) => Self::Packed(kind),
        }
    }
}

impl FormLayer {
    fn of(reader: &dyn ReadAt, begin: &[u8]) -> Option<Self> {
        if BareHead::is_claimed_by(begin) {
            let head = BareHead::parse(begin)?;
            return Some(Self::Bare(Arc::new(head), reader.size_bytes()));
        }
        if let Some(layout) = SectorLayout::of_begun(reader, begin) {
            return Some(Self::RawSectors(layout));
        }
        let (extents, files) = fat::order(reader)?;
        Some(Self::InOrder(extents, files))
    }

    fn over(&self, reader: Arc<dyn ReadAt>) -> Arc<dyn ReadAt> {
        match self {
            Self::RawSectors(layout) => Arc::new(RawSectors::new(reader, *layout)),
            Self::InOrder(extents, _) => {
                Arc::new(ReorderedSource::new(reader, Arc::clone(extents)))
            }
            Self::Bare(head, _) => Arc::new(BareVolume::new(reader, Arc::clone(head))),
        }
    }
}

/// Shows a bare bundle as the volume that it stands for. Returns `None` when it is none.
pub(crate) fn bare_volume(file: Arc<dyn ReadAt>) -> Option<Arc<dyn ReadAt>> {
    let mut begin = vec![0; BLOCK_BYTES];
    let have = read_full(&*file, 0, &mut begin);
    let head = BareHead::parse(begin.get(..have)?)?;
    Some(Arc::new(BareVolume::new(file, Arc::new(head))))
}

/// Returns whether the first bytes are those of a disc's image.
fn has_iso_magic(begin: &[u8]) -> bool {
    begin.get(ISO_MAGIC_OFFSET..ISO_MAGIC_OFFSET + ISO_MAGIC.len()) == Some(ISO_MAGIC)
}

/// Fills `out` as far as it can be read, and returns how far that is.
pub(super) fn read_full(source: &dyn ReadAt, offset: u64, out: &mut [u8]) -> usize {
    read_some(source, offset, out).unwrap_or(0)
}
