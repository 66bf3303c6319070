//! Remembers, for each name of releases, the day of the newest set that brought one of them.
//!
//! It is what tells an old set that is shown again. A few thousand names are remembered. When the record is lost, the
//! next set of each name counts as the newest. Memory: all of it, below 1 MB.

use wincode::{SchemaRead, SchemaWrite};

use crate::base::envelope;
use crate::base::id::SetId;
use crate::content::release::{ReleaseName, ReleaseRoot};
use crate::ops::Error;
use crate::store::Store;

/// Names that are remembered.
const NAMES_MAX: usize = 4096;
/// Most bytes of the record.
const BYTES_MAX: u64 = 4 << 20;

/// The day that a set says it was made on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SetDay {
    pub(crate) set: SetId,
    /// Such as `2026-11-28`, so that the order of texts is that of days.
    pub(crate) date: String,
    /// Whether somebody signed it whom the site trusts.
    pub(crate) is_signed: bool,
}

/// The newest set that brought a release of a name.
#[derive(Debug, Clone, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub(crate) struct NewestSet {
    /// The release that it brought.
    pub(crate) release: String,
    pub(crate) set: SetId,
    pub(crate) date: String,
    is_signed: bool,
}

/// The newest sets, those remembered last at the end.
#[derive(Debug, Default)]
pub(crate) struct NewestSets(Vec<NewestSet>);

impl NewestSets {
    pub(crate) fn read(store: &Store) -> Result<Self, Error> {
        let body = store.newest_sets(BYTES_MAX)?;
        let sets = body.and_then(|body| envelope::decode(&body).ok());
        Ok(Self(sets.unwrap_or_default()))
    }

    /// Returns the set that is newer than this day and brought another version of a release.
    pub(crate) fn newer_than(&self, name: &ReleaseName, day: &SetDay) -> Option<&NewestSet> {
        self.0.iter().find(|known| {
            known.is_of(name)
                && known.set != day.set
                && known.date > day.date
                && (known.is_signed || !day.is_signed)
        })
    }

    /// Remembers a set for the names of its releases. An older one changes nothing.
    pub(crate) fn remember(
        store: &Store,
        roots: &[ReleaseRoot],
        day: &SetDay,
    ) -> Result<(), Error> {
        // Another machine may receive at the same time, where the store is in a bucket.
        Ok(store.change_newest_sets(BYTES_MAX, |body| {
            let sets = body.and_then(|body| envelope::decode(body).ok());
            let changed = Self::with(sets.unwrap_or_default(), roots, day);
            changed.map(|sets| envelope::encode(&sets))
        })?)
    }

    /// Returns what is remembered with a set, or `None` when that changes nothing.
    fn with(
        mut sets: Vec<NewestSet>,
        roots: &[ReleaseRoot],
        day: &SetDay,
    ) -> Option<Vec<NewestSet>> {
        let before = sets.clone();
        for root in roots {
            // Signed and unsigned ones are remembered apart, because a day without a signature proves nothing.
            let is_same =
                |known: &NewestSet| known.is_of(&root.name) && known.is_signed == day.is_signed;
            if sets
                .iter()
                .any(|known| is_same(known) && known.date >= day.date)
            {
                continue;
            }
            sets.retain(|known| !is_same(known));
            sets.push(NewestSet {
                release: root.name.to_string(),
                set: day.set,
                date: day.date.chars().take(10).collect(),
                is_signed: day.is_signed,
            });
        }
        let over = sets.len().saturating_sub(NAMES_MAX);
        sets.drain(..over);
        (sets != before).then_some(sets)
    }
}

impl NewestSet {
    fn is_of(&self, name: &ReleaseName) -> bool {
        let own = self.release.parse::<ReleaseName>();
        own.is_ok_and(|own| own.name() == name.name() && own.arch() == name.arch())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn day(set: u8, date: &str, is_signed: bool) -> SetDay {
        SetDay {
            set: SetId([set; 16]),
            date: date.to_owned(),
            is_signed,
        }
    }

    #[test]
    fn an_older_set_is_told_and_an_unsigned_day_keeps_no_signed_set_out() {
        let newest = |is_signed| {
            NewestSets(vec![NewestSet {
                release: "shop:2.0@arm64".to_owned(),
                set: SetId([1; 16]),
                date: "2026-11-28".to_owned(),
                is_signed,
            }])
        };
        let is_older = |newest: &NewestSets, name: &str, day: &SetDay| {
            newest.newer_than(&name.parse().unwrap(), day).is_some()
        };
        for (by_newest, by_this, told) in [
            (true, true, true),
            (true, false, true),
            (false, false, true),
            (false, true, false),
        ] {
            let newest = newest(by_newest);
            let older = day(2, "2026-11-27", by_this);
            assert_eq!(is_older(&newest, "shop:1.0@arm64", &older), told);
            assert!(
                !is_older(&newest, "shop:1.0", &older),
                "another architecture"
            );
            assert!(!is_older(&newest, "web:1.0@arm64", &older), "another name");
            let same_day = day(2, "2026-11-28", by_this);
            assert!(!is_older(&newest, "shop:1.0@arm64", &same_day));
            let same_set = day(1, "2026-11-27", by_this);
            assert!(!is_older(&newest, "shop:1.0@arm64", &same_set));
        }
    }
}
