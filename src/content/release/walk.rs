//! Visits every chunk that a release needs: the chunks that `prune` keeps, `pack` carries and `check` reads.
//!
//! It only reports chunks. The caller decides what to do with them.

use super::{Item, ItemKind, ReleaseRoot, open_entries};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{ChunkSource, RecipeError};
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
    match &item.kind {
        ItemKind::File { content } => walker.content(content, visitor),
        ItemKind::Folder { entries, .. } => {
            walker.stream(entries, visitor)?;
            let mut records = open_entries(walker.source(), entries)?;
            while let Some(entry) = records.next_record()? {
                if let EntryKind::File { content } = &entry.kind {
                    walker.content(content, visitor)?;
                }
            }
            Ok(())
        }
    }
}
