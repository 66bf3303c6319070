//! Weighs bundles for many recipients, those that have the same once.
//!
//! It keeps what was weighed while it lives, and knows neither sites nor plans. Memory: what it was asked for, without
//! doubles, and what `Have` takes for one bundle.

use crate::base::monitor::Monitor;
use crate::bundle::{Effort, Have, Recipient, weigh};
use crate::content::release::ReleaseRoot;
use crate::ops::Error;
use crate::store::Store;

/// What releases weigh for recipients. Those that have the same are weighed once.
pub(super) struct FleetScale<'s> {
    store: &'s Store,
    releases: &'s [ReleaseRoot],
    effort: Effort,
    known: Vec<(Vec<Recipient>, (u64, u64))>,
}

impl<'s> FleetScale<'s> {
    pub(super) fn new(store: &'s Store, releases: &'s [ReleaseRoot], effort: Effort) -> Self {
        Self {
            store,
            releases,
            effort,
            known: Vec::new(),
        }
    }

    /// Returns the plain bytes that not all of them have, and the approximate bytes of a bundle for all of them.
    ///
    /// # Errors
    /// [`Error`] when a list cannot be read, the store is missing a chunk, or a stop was asked for.
    pub(super) fn weigh(
        &mut self,
        recipients: &[Recipient],
        monitor: &dyn Monitor,
    ) -> Result<(u64, u64), Error> {
        let mut different: Vec<Recipient> = Vec::new();
        for recipient in recipients {
            // What they are called weighs nothing.
            let label = String::new();
            let nameless = Recipient {
                label,
                ..recipient.clone()
            };
            if !different.contains(&nameless) {
                different.push(nameless);
            }
        }
        let known = self.known.iter().find(|(known, _)| *known == different);
        if let Some((_, weight)) = known {
            return Ok(*weight);
        }
        monitor.check_stop()?;
        tracing::debug!(recipients = different.len(), "bundle is weighed");
        let have = Have::of(self.store, &different)?;
        let weight = weigh(self.store, self.releases, &have, self.effort, monitor)?.total();
        self.known.push((different, weight));
        Ok(weight)
    }
}
