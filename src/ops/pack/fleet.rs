//! `pack --for-all`: whether one bundle for all remembered sites or one for each is less to carry.
//!
//! It estimates and packs nothing. One set for all leaves out what all of them have, and each site gets a copy of it. A set
//! for each leaves out what that site has.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::fleet_scale::FleetScale;
use super::recipients;
use crate::base::monitor::Monitor;
use crate::base::size::total;
use crate::bundle::receipt::site::SiteName;
use crate::bundle::{Effort, Recipient};
use crate::content::release::ReleaseRoot;
use crate::ops::Error;
use crate::store::Store;

/// What goes to one site.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FleetSite {
    /// Its name.
    pub name: SiteName,
    /// Plain bytes that it does not have. 0 when it has all, and gets nothing.
    pub new_bytes: u64,
    /// Approximate bytes of a bundle for it alone.
    pub carried_bytes: u64,
    /// Approximate number of data volumes of these.
    pub volumes: u64,
    /// Whom a bundle is cut for.
    #[serde(skip)]
    pub recipient: Recipient,
}

/// What all sites together get.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FleetWeight {
    /// Different sets that are packed.
    pub sets: u64,
    /// Approximate bytes that are carried, all copies counted.
    pub carried_bytes: u64,
    /// Approximate number of data volumes, all copies counted.
    pub volumes: u64,
}

/// How releases go to all remembered sites.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct FleetPlan {
    /// The sites, by name.
    pub sites: Vec<FleetSite>,
    /// One set, and a copy of it for each site that lacks something.
    pub together: FleetWeight,
    /// A set for each of these sites.
    pub apart: FleetWeight,
    /// Whether one set is packed for all, because that takes no more volumes, and hardly more bytes.
    pub is_together: bool,
}

impl FleetPlan {
    /// Makes the folder of a site's own set in the folder `to`, which is made, too.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn folder_of(to: &Path, site: &SiteName) -> Result<PathBuf, Error> {
        std::fs::create_dir_all(to).map_err(Error::io(to))?;
        Ok(to.join(site.file_stem()))
    }

    /// Returns the sites that lack something.
    pub fn lacking(&self) -> impl Iterator<Item = &FleetSite> {
        self.sites.iter().filter(|site| site.new_bytes > 0)
    }
}

/// Estimates what releases weigh for all remembered sites. `volume_bytes` is what a medium holds, or `None` when it is as
/// large as needed.
///
/// # Errors
/// [`Error`] when a list cannot be read, the store is missing a chunk, or a stop was asked for.
pub fn fleet(
    store: &Store,
    releases: &[ReleaseRoot],
    volume_bytes: Option<u64>,
    effort: Effort,
    monitor: &dyn Monitor,
) -> Result<FleetPlan, Error> {
    let mut scale = FleetScale::new(store, releases, effort);
    let volumes = |bytes: u64| {
        bytes
            .div_ceil(volume_bytes.unwrap_or(u64::MAX).max(1))
            .max(1)
    };
    let mut sites = Vec::new();
    for name in recipients::names(store)? {
        let known = recipients::by_site(store, &name)?;
        let recipient = known
            .map(|known| known.receiver)
            .unwrap_or_else(|| Recipient {
                label: name.to_string(),
                ..Recipient::default()
            });
        let (new_bytes, carried_bytes) = scale.weigh(std::slice::from_ref(&recipient), monitor)?;
        sites.push(FleetSite {
            name,
            new_bytes,
            carried_bytes,
            volumes: if new_bytes == 0 {
                0
            } else {
                volumes(carried_bytes)
            },
            recipient,
        });
    }
    let lacking: Vec<&FleetSite> = sites.iter().filter(|site| site.new_bytes > 0).collect();
    let copies = lacking.len() as u64;
    let apart = FleetWeight {
        sets: copies,
        carried_bytes: total(lacking.iter().map(|site| site.carried_bytes)),
        volumes: total(lacking.iter().map(|site| site.volumes)),
    };
    let mut together = FleetWeight::default();
    if copies > 0 {
        let all: Vec<Recipient> = lacking.iter().map(|site| site.recipient.clone()).collect();
        let (_, carried_bytes) = scale.weigh(&all, monitor)?;
        together = FleetWeight {
            sets: 1,
            carried_bytes: carried_bytes.saturating_mul(copies),
            volumes: volumes(carried_bytes).saturating_mul(copies),
        };
    }
    Ok(FleetPlan {
        // A set that is made and checked once is less work than several, and never carries less.
        is_together: together.volumes <= apart.volumes
            && together.carried_bytes <= apart.carried_bytes / 4 * 5,
        sites,
        together,
        apart,
    })
}
