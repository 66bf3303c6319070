//! Lists the members of one archive, and where the bytes of each lie in its recipe.
//!
//! It goes one level deep: the caller lists a member that is an archive itself in the same way. No member is read, but
//! zstd frames with a tar in them are unpacked from front to back.

mod small;
mod unpacked;

use super::names::{MemberStart, Names, Side};
use crate::base::monitor::Monitor;
use crate::base::term::Flaw;
use crate::content::archive::tar::{self, TarLink};
use crate::content::recipe::body::FileBody;
use crate::content::recipe::rebuild::{StepAt, first_op, read_op};
use crate::content::recipe::stream::RecordReader;
use crate::content::recipe::{
    Blob, ChunkRef, ChunkSource, Content, OP_BYTES_MAX, RecipeError, RecipeOp,
};

/// Steps of recipes that are followed in all. A few lists that contain one another may stand for any number of steps. A
/// store of 16 TB has about this many.
const STEPS_MAX: u64 = 1 << 28;
/// Bytes of headers that are read in all.
const HEADER_BYTES_MAX: u64 = 64 << 30;
/// Bytes that are unpacked in all to list what is in frames of zstd, which takes some minutes.
const UNPACKED_BYTES_MAX: u64 = 256 << 30;
/// Levels of nested streams that an archive may be packed in.
const PACKED_DEPTH_MAX: usize = 4;

/// The remaining budget for following archives.
#[derive(Debug, Clone)]
pub struct Budget {
    steps: u64,
    header_bytes: u64,
    unpacked_bytes: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            steps: STEPS_MAX,
            header_bytes: HEADER_BYTES_MAX,
            unpacked_bytes: UNPACKED_BYTES_MAX,
        }
    }
}

impl Budget {
    fn spend(&mut self, op: &RecipeOp) -> Result<(), RecipeError> {
        let header_bytes = match op {
            RecipeOp::Side { bytes } => *bytes,
            _ => 0,
        };
        let steps = self.steps.checked_sub(1);
        let headers = self.header_bytes.checked_sub(header_bytes);
        match (steps, headers) {
            (Some(steps), Some(_)) => {
                // The reader of the headers subtracts their bytes itself.
                self.steps = steps;
                Ok(())
            }
            _ => Err(RecipeError::Corrupt(Flaw::ArchiveWithMore)),
        }
    }
}

/// An archive that can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archive {
    /// An archive with a recipe.
    Opened(Blob),
    /// A tar of one chunk, which is too short to have a recipe.
    Small(ChunkRef),
    /// A tar in zstd frames, which are kept as they came.
    Unpacked(Blob),
}

/// An entry of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveMember {
    /// A file that is not empty and can be read independently.
    File {
        /// Its path in the archive's words.
        path: Vec<u8>,
        /// Its bytes.
        body: FileBody,
    },
    /// A link.
    Link {
        /// Its path.
        path: Vec<u8>,
        /// Symbolic or hard.
        link: TarLink,
        /// Its target in the archive's words.
        target: Vec<u8>,
    },
}

/// Returns the archive that a content is, through streams that are kept opened. Returns `None` when it is none. A
/// zip of one chunk counts as none.
///
/// # Errors
/// The errors of the source, [`RecipeError::Newer`] and [`RecipeError::Corrupt`].
pub(crate) fn archive_in<S: ChunkSource>(
    source: &S,
    content: &Content,
    monitor: &dyn Monitor,
) -> Result<Option<Archive>, RecipeError> {
    let mut content = *content;
    for _ in 0..=PACKED_DEPTH_MAX {
        let blob = match content {
            Content::Empty => return Ok(None),
            Content::Chunk(chunk) => {
                let bytes = source.chunk(&chunk.id)?;
                return Ok(tar::begins_tar(&bytes).then_some(Archive::Small(chunk)));
            }
            Content::Blob(blob) => blob,
        };
        match first_op(source, &blob.recipe)? {
            Some(RecipeOp::Stream { plain, .. }) => content = plain,
            first => {
                let names = Names::of(source, &blob.recipe, first.as_ref())?;
                let is_archive = !matches!(names, Names::None);
                if is_archive {
                    return Ok(Some(Archive::Opened(blob)));
                }
                let is_tar = unpacked::is_tar(source, &blob, first.as_ref(), monitor)?;
                return Ok(is_tar.then_some(Archive::Unpacked(blob)));
            }
        }
    }
    Ok(None)
}

/// Lists the members of an archive, in their order.
///
/// # Errors
/// [`RecipeError::Corrupt`] when the recipe contradicts itself or exceeds the budget. The errors of the source and of
/// `visit`.
pub fn members<S: ChunkSource>(
    source: &S,
    archive: &Archive,
    budget: &mut Budget,
    monitor: &dyn Monitor,
    visit: &mut dyn FnMut(ArchiveMember) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    match archive {
        Archive::Opened(blob) => opened_members(source, blob, budget, visit),
        Archive::Small(chunk) => small::members(&source.chunk(&chunk.id)?, *chunk, visit),
        Archive::Unpacked(blob) => unpacked::members(source, blob, budget, monitor, visit),
    }
}

fn opened_members<S: ChunkSource>(
    source: &S,
    blob: &Blob,
    budget: &mut Budget,
    visit: &mut dyn FnMut(ArchiveMember) -> Result<(), RecipeError>,
) -> Result<(), RecipeError> {
    let ops_bytes = blob.recipe.ops.bytes;
    let mut ops: RecordReader<'_, S, RecipeOp> =
        RecordReader::open(source, &blob.recipe.ops, OP_BYTES_MAX)?;
    let first = first_op(source, &blob.recipe)?;
    let mut names = Names::of(source, &blob.recipe, first.as_ref())?;
    names.record();
    let mut side = Side::open(source, &blob.recipe);
    let mut from = StepAt::default();
    // The member whose body begins with the next step.
    let mut next: Option<Begins> = None;
    while let Some(op) = read_op(&mut ops)? {
        budget.spend(&op)?;
        if let Some(begins) = next.take()
            && let Some(member) = begins.at_step(blob, &op, from)
        {
            visit(member)?;
        }
        let here = from;
        from.ops = ops_bytes - ops.left();
        let bytes = match op {
            RecipeOp::Side { bytes } => {
                names.side(&mut side, bytes, &mut budget.header_bytes)?;
                from.side = from.side.saturating_add(bytes);
                bytes
            }
            RecipeOp::Stream {
                bytes,
                remake_bytes,
                ..
            } => {
                side.skip(remake_bytes)?;
                names.body(bytes);
                from.side = from.side.saturating_add(remake_bytes);
                bytes
            }
            RecipeOp::Blob(Blob { bytes, .. }) => {
                names.body(bytes);
                bytes
            }
            RecipeOp::Chunk(chunk) => {
                names.body(chunk.bytes.into());
                chunk.bytes.into()
            }
            RecipeOp::Kept { .. } => 0,
        };
        from.offset = from.offset.saturating_add(bytes);
        if side.is_lost() || from.offset > blob.bytes {
            return Err(RecipeError::Corrupt(Flaw::StepsForUse));
        }
        for begun in names.take_begun() {
            match told(begun) {
                Told::Link(member) => visit(member)?,
                Told::File(begins) if begins.at < from.offset => {
                    if let Some(member) = begins.stretch(blob, here) {
                        visit(member)?;
                    }
                }
                Told::File(begins) => next = Some(begins),
            }
        }
    }
    Ok(())
}

/// A file whose header was read.
struct Begins {
    path: Vec<u8>,
    at: u64,
    bytes: Option<u64>,
    is_packed: bool,
}

enum Told {
    File(Begins),
    Link(ArchiveMember),
}

fn told(begun: MemberStart) -> Told {
    match begun {
        MemberStart::File {
            path,
            at,
            bytes,
            is_packed,
        } => Told::File(Begins {
            path,
            at,
            bytes,
            is_packed,
        }),
        MemberStart::Link { path, link, target } => {
            Told::Link(ArchiveMember::Link { path, link, target })
        }
    }
}

impl Begins {
    /// Returns the file when its body begins with this step.
    fn at_step(self, blob: &Blob, op: &RecipeOp, from: StepAt) -> Option<ArchiveMember> {
        if from.offset != self.at {
            return None;
        }
        let rest = blob.bytes - self.at.min(blob.bytes);
        let is_all = |bytes: u64| self.bytes.map(|own| own.min(rest)) == Some(bytes);
        let content = match op {
            RecipeOp::Stream { plain, .. } if self.is_packed => *plain,
            RecipeOp::Blob(inner) if !self.is_packed && is_all(inner.bytes) => {
                Content::Blob(*inner)
            }
            RecipeOp::Chunk(chunk) if !self.is_packed && is_all(chunk.bytes.into()) => {
                Content::Chunk(*chunk)
            }
            _ => return self.stretch(blob, from),
        };
        Some(ArchiveMember::File {
            path: self.path,
            body: FileBody::Content(content),
        })
    }

    /// Returns the file as a run of the archive's bytes. Returns `None` when these bytes are not the file itself.
    fn stretch(self, blob: &Blob, from: StepAt) -> Option<ArchiveMember> {
        let bytes = self.bytes?.min(blob.bytes.checked_sub(self.at)?);
        if self.is_packed || bytes == 0 {
            return None;
        }
        Some(ArchiveMember::File {
            path: self.path,
            body: FileBody::Stretch {
                blob: *blob,
                from,
                offset: self.at,
                bytes,
            },
        })
    }
}
