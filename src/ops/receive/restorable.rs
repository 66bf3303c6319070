//! Checks that releases from media can be restored, before they are committed. It applies the checks of `checkout`.

use crate::base::diagnostic::Arg;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::content::release::Refusal;
use crate::content::release::validation::{EntryCheck, check_items};
use crate::content::release::{Item, ItemKind, ReleaseRoot, open_entries};
use crate::ops::Error;

/// Checks names, entries and sizes of releases whose lists are in `source`.
///
/// # Errors
/// [`Error::Refused`] for a release that could not be restored.
pub(crate) fn check<S: ChunkSource>(source: &S, roots: &[ReleaseRoot]) -> Result<(), Error> {
    for root in roots {
        let items = root.read_items(source)?;
        check_items(root, &items).map_err(|fault| Error::Refused {
            release: root.name.to_string(),
            what: fault.what,
            why: Box::new(fault.why.into()),
        })?;
        for item in &items {
            if let ItemKind::Folder {
                entries,
                entry_count,
                bytes,
            } = &item.kind
            {
                let mut check = EntryCheck::default();
                let mut records = open_entries(source, entries)?;
                while let Some(entry) = records.next_record()? {
                    check
                        .entry(&entry)
                        .map_err(|why| fault_in(root, item, Some(&entry.path), why))?;
                }
                check
                    .finish(*entry_count, *bytes)
                    .map_err(|why| fault_in(root, item, None, why))?;
            }
        }
    }
    Ok(())
}

/// Makes the refusal of a release with an item that cannot be restored.
pub(crate) fn refused(root: &ReleaseRoot, item: Option<&Item>, error: RecipeError) -> Error {
    Error::Refused {
        release: root.name.to_string(),
        what: item.map_or_else(String::new, |item| lossy(&item.name)),
        why: Box::new(Arg::caught(error)),
    }
}

fn fault_in(root: &ReleaseRoot, item: &Item, path: Option<&[u8]>, why: Refusal) -> Error {
    let what = match path {
        Some(path) => format!("{}/{}", lossy(&item.name), lossy(path)),
        None => lossy(&item.name),
    };
    Error::Refused {
        release: root.name.to_string(),
        what,
        why: Box::new(why.into()),
    }
}

fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(&name[..name.len().min(400)]).into_owned()
}
