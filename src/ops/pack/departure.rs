//! What the history says of a set that was packed: which releases, for whom, and who signed it.

use std::path::Path;

use super::{PackNotes, PackOptions};
use crate::base::id::SetId;
use crate::content::release::ReleaseRoot;
use crate::ops::history::{HistoryEntry, HistoryEvent};
use crate::ops::trust::{KeyFacts, SetSigners};

/// Describes a set that was written.
pub(super) fn departure(
    releases: &[ReleaseRoot],
    to: &Path,
    options: &PackOptions,
    notes: &PackNotes,
    set: SetId,
) -> HistoryEntry {
    let keys = options.signers.iter();
    let keys = keys.map(|key| KeyFacts::of(key.public_key()));
    let site = notes.site.as_ref().map(|(name, _)| name.as_str());
    let entry = HistoryEntry::now(HistoryEvent::Pack)
        .set(set)
        .signers(&SetSigners::by_keys(keys))
        .site(site.or(notes.recipient.as_deref()))
        .to(&to.to_string_lossy());
    releases.iter().fold(entry, HistoryEntry::release)
}
