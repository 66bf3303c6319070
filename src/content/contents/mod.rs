//! Lists the files of a release and the chunks of each, through all archives and streams that its recipes opened.
//!
//! Names come from the headers in side streams and from folder entries. No file is read or rebuilt. Every chunk that
//! the release needs belongs to something that is listed. Recipes, headers, lists and tables are therefore listed as
//! well.
//!
//! Memory: about 150 bytes for each blob, 60 for each list of some thousand chunks, and 200 KiB for each level of
//! archives. The chunks of one file of each level of blobs take 36 bytes each, 36 MiB at most. Only recipes, lists and
//! headers are read.

pub mod groups;
pub mod members;
mod names;

use self::names::{Names, Side};
use crate::content::recipe::rebuild::read_op;
use crate::content::recipe::stream::Holds;
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{
    BLOB_DEPTH_MAX, Blob, ChunkRef, ChunkSource, Content, RecipeError, RecipeOp, StreamRef,
};
use crate::content::release::{Item, ItemKind, ReleaseRoot, walk};

/// A file of more chunks is listed in parts of this many.
pub(crate) const PART_CHUNKS: usize = 1 << 20;
/// Most bytes of headers that are read for names. A few lists that contain one another may stand for any number of
/// bytes. Headers of a real release stay far below.
const READ_BYTES_MAX: u64 = 64 << 30;

/// What a listed part of a release is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// A file: an item, an entry of a folder, a member of an archive.
    File,
    /// Headers, padding and small members of an archive, and recipes of streams in it. The path is the archive's.
    Headers,
    /// The steps that rebuild a file or an archive, or the recipe of a stream. The path is the file's.
    Recipe,
    /// Lists of chunks of the file listed just before.
    Lists,
    /// The list of a folder's entries. The path is the folder's.
    Entries,
    /// The release's list of items and its table of blobs, and their lists of chunks.
    Manifest,
}

/// A file, or part of a very long one.
#[derive(Debug, Clone, Copy)]
pub struct FoundFile<'a> {
    /// What it is.
    pub kind: FileKind,
    /// The containers, from the outside: the item, then members that are archives. Empty when it is an item itself.
    pub within: &'a [Vec<u8>],
    /// Path in the innermost folder or archive, or the item's name when it is an item. Empty when it is not known.
    pub path: &'a [u8],
    /// Bytes of the file before the first of these chunks. It is 0, except for further parts.
    pub offset: u64,
    /// Bytes of these chunks.
    pub bytes: u64,
    /// Its chunks, in order. Streams (all kinds but [`FileKind::File`]) leave out chunks of lists that were listed
    /// before. Files leave out bytes that stand among the headers (a few of zstd frames).
    pub chunks: &'a [ChunkRef],
}

/// Receives everything that is listed.
pub(crate) type FileVisitor<'v> = &'v mut dyn FnMut(&FoundFile<'_>) -> Result<(), RecipeError>;

/// Walks releases and items. A blob that is met again (a layer that two images share) is listed only once.
pub struct Contents<'a, S: ChunkSource> {
    walker: Walker<'a, S>,
    within: Vec<Vec<u8>>,
    read_bytes_left: u64,
}

impl<'a, S: ChunkSource> Contents<'a, S> {
    /// Creates a walker that has met nothing yet.
    pub fn new(source: &'a S) -> Self {
        Self {
            walker: Walker::new(source),
            within: Vec::new(),
            read_bytes_left: READ_BYTES_MAX,
        }
    }

    /// Lists everything that a release needs: its tables, then item by item.
    ///
    /// # Errors
    /// The errors of the source and of `visit`. [`RecipeError::Newer`] and [`RecipeError::Corrupt`] as `release::walk`
    /// gives them.
    pub fn release(
        &mut self,
        root: &ReleaseRoot,
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        self.tables(root, visit)?;
        for item in root.read_items(self.walker.source())? {
            self.item(&item, visit)?;
        }
        Ok(())
    }

    /// Lists the chunks of the list of items and of the table of blobs.
    ///
    /// # Errors
    /// As [`Contents::release`].
    pub fn tables(
        &mut self,
        root: &ReleaseRoot,
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        self.within.clear();
        self.stream(FileKind::Manifest, b"manifest", &root.manifest, visit)?;
        self.stream(FileKind::Manifest, b"blobs", &root.blobs, visit)
    }

    /// Lists everything that one item needs.
    ///
    /// # Errors
    /// As [`Contents::release`].
    pub fn item(&mut self, item: &Item, visit: FileVisitor<'_>) -> Result<(), RecipeError> {
        self.within.clear();
        if let ItemKind::Folder { entries, .. } = &item.kind {
            self.stream(FileKind::Entries, &item.name, entries, visit)?;
            self.within.push(item.name.clone());
        }
        walk::files(self.walker.source(), item, &mut |path, content| {
            self.content(content, path.unwrap_or(&item.name), visit, BLOB_DEPTH_MAX)
        })
    }

    fn content(
        &mut self,
        content: &Content,
        path: &[u8],
        visit: FileVisitor<'_>,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        match content {
            Content::Empty => Ok(()),
            Content::Chunk(chunk) => {
                let mut parts = Parts::new(FileKind::File);
                parts.push(*chunk, &self.within, path, visit)?;
                parts.flush(&self.within, path, visit)
            }
            Content::Blob(blob) => self.blob(blob, path, visit, depth_left),
        }
    }

    fn blob(
        &mut self,
        blob: &Blob,
        path: &[u8],
        visit: FileVisitor<'_>,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        if !self.walker.enter(blob, depth_left)? {
            return Ok(());
        }
        let source = self.walker.source();
        let mut ops = self.walker.ops(blob)?;
        let first = read_op(&mut ops)?;
        let names = Names::of(source, &blob.recipe, first.as_ref())?;
        self.stream(FileKind::Recipe, path, &blob.recipe.ops, visit)?;
        let is_archive = !matches!(names, Names::None);
        let kind = if is_archive {
            FileKind::Headers
        } else {
            FileKind::Recipe
        };
        self.stream(kind, path, &blob.recipe.side, visit)?;
        if is_archive {
            self.within.push(path.to_vec());
        }
        let mut follower = Follower {
            side: Side::open(source, &blob.recipe),
            names,
            member_no: 0,
            path: if is_archive {
                Vec::new()
            } else {
                path.to_vec()
            },
            parts: Parts::new(FileKind::File),
        };
        let mut next = first;
        while let Some(op) = next {
            self.step(&op, &mut follower, visit, depth_left)?;
            next = read_op(&mut ops)?;
        }
        follower.parts.flush(&self.within, &follower.path, visit)?;
        if is_archive {
            self.within.pop();
        }
        Ok(())
    }

    fn step(
        &mut self,
        op: &RecipeOp,
        follower: &mut Follower<'a, S>,
        visit: FileVisitor<'_>,
        depth_left: usize,
    ) -> Result<(), RecipeError> {
        match op {
            RecipeOp::Side { bytes } => {
                let Follower { side, names, .. } = follower;
                names.side(side, *bytes, &mut self.read_bytes_left)?;
            }
            RecipeOp::Kept { .. } => {}
            RecipeOp::Chunk(chunk) => {
                follower.turn(&self.within, visit)?;
                let Follower { parts, path, .. } = follower;
                parts.push(*chunk, &self.within, path, visit)?;
                follower.names.body(chunk.bytes.into());
            }
            RecipeOp::Blob(blob) => {
                follower.turn(&self.within, visit)?;
                self.blob(blob, &follower.path, visit, depth_left - 1)?;
                follower.names.body(blob.bytes);
            }
            RecipeOp::Stream {
                bytes,
                plain,
                remake_bytes,
                ..
            } => {
                follower.turn(&self.within, visit)?;
                // The stream's recipe stands in the side stream between the headers.
                follower.side.skip(*remake_bytes)?;
                self.content(plain, &follower.path, visit, depth_left - 1)?;
                follower.names.body(*bytes);
            }
        }
        Ok(())
    }

    /// Lists the chunks of a stream, and its lists.
    fn stream(
        &mut self,
        kind: FileKind,
        path: &[u8],
        stream: &StreamRef,
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        let of_lists = match kind {
            FileKind::Manifest => FileKind::Manifest,
            _ => FileKind::Lists,
        };
        let (mut bytes, mut lists) = (Parts::new(kind), Parts::new(of_lists));
        let within = &self.within;
        self.walker.refs(stream, &mut |chunk, holds| {
            let parts = match holds {
                Holds::Bytes => &mut bytes,
                Holds::List => &mut lists,
            };
            parts.push(chunk, within, path, visit)
        })?;
        bytes.flush(within, path, visit)?;
        lists.flush(within, path, visit)
    }
}

/// A blob whose steps are being followed.
struct Follower<'a, S: ChunkSource> {
    side: Side<'a, S>,
    names: Names,
    member_no: u64,
    path: Vec<u8>,
    parts: Parts,
}

impl<S: ChunkSource> Follower<'_, S> {
    /// Ends the previous file when another begins.
    fn turn(&mut self, within: &[Vec<u8>], visit: FileVisitor<'_>) -> Result<(), RecipeError> {
        let (member_no, name) = self.names.member();
        if member_no != self.member_no {
            self.parts.flush(within, &self.path, visit)?;
            self.member_no = member_no;
            self.path.clear();
            self.path.extend_from_slice(name);
        }
        Ok(())
    }
}

/// The chunks of a file, listed in parts when they are many.
struct Parts {
    kind: FileKind,
    chunks: Vec<ChunkRef>,
    bytes: u64,
    offset: u64,
}

impl Parts {
    fn new(kind: FileKind) -> Self {
        Self {
            kind,
            chunks: Vec::new(),
            bytes: 0,
            offset: 0,
        }
    }

    fn push(
        &mut self,
        chunk: ChunkRef,
        within: &[Vec<u8>],
        path: &[u8],
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        // A part is reported only when another chunk follows, so the last part is never empty.
        if self.chunks.len() == PART_CHUNKS {
            self.tell(within, path, visit)?;
        }
        self.chunks.push(chunk);
        self.bytes += u64::from(chunk.bytes);
        Ok(())
    }

    /// Lists the chunks that are left, and begins a new file.
    fn flush(
        &mut self,
        within: &[Vec<u8>],
        path: &[u8],
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        if !self.chunks.is_empty() {
            self.tell(within, path, visit)?;
        }
        self.offset = 0;
        Ok(())
    }

    fn tell(
        &mut self,
        within: &[Vec<u8>],
        path: &[u8],
        visit: FileVisitor<'_>,
    ) -> Result<(), RecipeError> {
        visit(&FoundFile {
            kind: self.kind,
            within,
            path,
            offset: self.offset,
            bytes: self.bytes,
            chunks: &self.chunks,
        })?;
        self.offset = self.offset.saturating_add(self.bytes);
        self.bytes = 0;
        self.chunks.clear();
        Ok(())
    }
}
