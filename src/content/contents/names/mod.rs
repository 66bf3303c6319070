//! Follows the side stream of an archive's recipe and says to which member the next bytes belong.
//!
//! It only reads headers. A member whose header does not fit has no name, which is never an error.

mod parts;
mod tar;
mod zip;

use self::parts::PartNames;
use self::tar::TarNames;
use self::zip::ZipNames;
use crate::content::archive::{self, tar::TarLink};
use crate::content::recipe::stream::StreamReader;
use crate::content::recipe::{ChunkSource, Recipe, RecipeError, RecipeOp};

/// A side stream, as far as it can be read. Takes at most about 200 KiB.
pub(super) struct Side<'a, S: ChunkSource> {
    /// `None` once the stream contradicts itself.
    stream: Option<StreamReader<'a, S>>,
}

impl<'a, S: ChunkSource> Side<'a, S> {
    pub(super) fn open(source: &'a S, recipe: &Recipe) -> Self {
        Self {
            stream: StreamReader::open(source, &recipe.side).ok(),
        }
    }

    /// Appends bytes to `out`. Appends fewer when the stream ends.
    fn read(&mut self, bytes: usize, out: &mut Vec<u8>) -> Result<(), RecipeError> {
        self.take(|stream| stream.read_into(bytes, out))
    }

    pub(super) fn skip(&mut self, bytes: u64) -> Result<(), RecipeError> {
        self.take(|stream| stream.skip(bytes))
    }

    fn take(
        &mut self,
        take: impl FnOnce(&mut StreamReader<'a, S>) -> Result<(), RecipeError>,
    ) -> Result<(), RecipeError> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        match take(stream) {
            Err(RecipeError::Corrupt(_)) => {
                self.stream = None;
                Ok(())
            }
            other => other,
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.stream.is_none()
    }
}

/// The start of a member, from its header.
pub(super) enum MemberStart {
    /// A file with a body.
    File {
        path: Vec<u8>,
        /// Bytes of the archive before its body.
        at: u64,
        /// Length of the body in the archive. `None` when it ends with its stream.
        bytes: Option<u64>,
        /// Whether the body is a deflate stream of the file.
        is_packed: bool,
    },
    Link {
        path: Vec<u8>,
        link: TarLink,
        target: Vec<u8>,
    },
}

/// The names of an archive's members, in their order.
pub(super) enum Names {
    /// The blob is not an archive.
    None,
    Tar(TarNames),
    Zip(ZipNames),
    Parts(PartNames),
}

impl Names {
    /// Detects the archive from the first bytes of the side stream, which a recipe with this first step has. What
    /// stands before a zip is no side bytes.
    pub(super) fn of<S: ChunkSource>(
        source: &S,
        recipe: &Recipe,
        first: Option<&RecipeOp>,
    ) -> Result<Self, RecipeError> {
        let bytes = match first {
            Some(RecipeOp::Side { bytes }) => *bytes,
            Some(RecipeOp::Chunk(_) | RecipeOp::Blob(_)) => recipe.side.bytes,
            _ => 0,
        };
        if bytes == 0 {
            return Ok(Self::None);
        }
        let most = archive::tar::BLOCK;
        let len = usize::try_from(bytes).map_or(most, |bytes| bytes.min(most));
        let mut head = Vec::new();
        Side::open(source, recipe).read(len, &mut head)?;
        Ok(if archive::tar::begins_tar(&head) {
            Self::Tar(TarNames::default())
        } else if head.starts_with(&archive::zip::LOCAL_MAGIC) {
            Self::Zip(ZipNames::default())
        } else {
            PartNames::of(&head).map_or(Self::None, Self::Parts)
        })
    }

    /// Records members that begin, until they are taken.
    pub(super) fn record(&mut self) {
        match self {
            Self::None => {}
            Self::Tar(names) => names.record(),
            Self::Zip(names) => names.record(),
            Self::Parts(names) => names.record(),
        }
    }

    /// Returns the members that began since the last call.
    pub(super) fn take_begun(&mut self) -> Vec<MemberStart> {
        match self {
            Self::None => Vec::new(),
            Self::Tar(names) => names.take_begun(),
            Self::Zip(names) => names.take_begun(),
            Self::Parts(names) => names.take_begun(),
        }
    }

    /// Follows the next `bytes` bytes of the side stream.
    pub(super) fn side<S: ChunkSource>(
        &mut self,
        side: &mut Side<'_, S>,
        bytes: u64,
        budget: &mut u64,
    ) -> Result<(), RecipeError> {
        match self {
            // A side run longer than the budget is skipped, see READ_BYTES_MAX.
            _ if bytes > *budget || side.is_lost() => side.skip(bytes),
            Self::None => side.skip(bytes),
            Self::Tar(names) => {
                *budget -= bytes;
                names.side(side, bytes)
            }
            Self::Zip(names) => {
                *budget -= bytes;
                names.side(side, bytes)
            }
            Self::Parts(names) => {
                *budget -= bytes;
                names.side(side, bytes)
            }
        }
    }

    /// Skips `bytes` bytes of the archive that are not in the side stream.
    pub(super) fn body(&mut self, bytes: u64) {
        match self {
            Self::None => {}
            Self::Tar(names) => names.body(bytes),
            Self::Zip(names) => names.body(bytes),
            Self::Parts(names) => names.body(bytes),
        }
    }

    /// Returns the number and the name of the member that the next bytes belong to. The name is empty when it is not
    /// known.
    pub(super) fn member(&self) -> (u64, &[u8]) {
        match self {
            Self::None => (0, &[]),
            Self::Tar(names) => names.member(),
            Self::Zip(names) => names.member(),
            Self::Parts(names) => names.member(),
        }
    }
}
