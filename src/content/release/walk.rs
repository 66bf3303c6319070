//! Visits every chunk that a release needs: what `prune` keeps, `pack` carries and `check` looks at.
//!
//! It tells; what to do about it is the caller's.

use super::{Item, ItemKind, ReleaseRoot, open_entries};
use crate::content::recipe::walk::{Visitor, Walker};
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::EntryKind;

/// Visits the chunks of a release: its lists and tables, then item by item. Blobs that `walker` met before are left out.
///
/// # Errors
/// What the source and the visitor give.
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
/// What the source and the visitor give.
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
