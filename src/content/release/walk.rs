//! Visits every chunk that a release needs: the chunks that `prune` keeps, `pack` carries and `check` reads.
//!
//! It only reports chunks. The caller decides what to do with them.

use super::{Item, ItemKind, ReleaseRoot, open_entries};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{ChunkSource, Content, RecipeError};
use crate::content::release::EntryKind;

/// Visits the chunks of a release: its lists and tables, then item by item. Leaves out blobs that `walker` met before.
///
/// # Errors
/// The errors of the source and of the visitor.
pub fn release<S: ChunkSource>(
    walker: &mut Walker<'_, S>,
    root: &ReleaseRoot,
    visitor: &mut dyn Visitor,
) -> Result<(), RecipeError> {
    walker.stream(&root.manifest, visitor)?;
    walker.stream(&root.blobs, visitor)?;
    for each in root.read_items(walker.source())? {
        item(walker, &each, visitor)?;
    }
    Ok(())
}

/// Visits the chunks of one item.
///
/// # Errors
/// The errors of the source and of the visitor.
pub fn item<S: ChunkSource>(
    walker: &mut Walker<'_, S>,
    item: &Item,
    visitor: &mut dyn Visitor,
) -> Result<(), RecipeError> {
    if let ItemKind::Folder { entries, .. } = &item.kind {
        walker.stream(entries, visitor)?;
    }
    files(walker.source(), item, &mut |_, content| {
        walker.content(content, visitor)
    })
}

/// Receives the path of a file in its folder, `None` for an item that is a file itself, and the file's content.
pub type ContentVisitor<'v> = &'v mut dyn FnMut(Option<&[u8]>, &Content) -> Result<(), RecipeError>;

/// Visits the contents of an item's files, in their order.
///
/// # Errors
/// The errors of the source and of `visit`.
pub fn files<S: ChunkSource>(
    source: &S,
    item: &Item,
    visit: ContentVisitor<'_>,
) -> Result<(), RecipeError> {
    match &item.kind {
        ItemKind::File { content } => visit(None, content),
        ItemKind::Folder { entries, .. } => {
            let mut records = open_entries(source, entries)?;
            while let Some(entry) = records.next_record()? {
                if let EntryKind::File { content } = &entry.kind {
                    visit(Some(&entry.path), content)?;
                }
            }
            Ok(())
        }
    }
}
