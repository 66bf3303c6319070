//! `serve`: the images of releases, pulled from here as from any registry. Read-only, straight from the store.

use std::collections::BTreeSet;

use super::planned::{self, Blobs, Wanted};
use super::{Error, Releases};
use crate::finding::Finding;
use crate::monitor::{Monitor, Quiet};
use crate::registry::server::{self, ServeEvent, ServeOptions, Shelf};
use crate::release::ReleaseName;

/// Folder in a store for what is not finished.
const UNFINISHED: &str = "tmp";

/// What is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    /// `REPOSITORY:TAG`, in order.
    pub names: Vec<String>,
    /// The hosts that images came from: they are dropped from names.
    pub hosts: BTreeSet<String>,
    /// What is not as it should be in the images, and what is left out.
    pub findings: Vec<Finding>,
}

/// Serves the images of these releases, of all in the store when there are none, until a stop is asked for. `event` hears
/// what is served, when it listens, and of every request.
///
/// # Errors
/// [`Error`]; being asked to stop is none.
pub fn serve<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    options: &ServeOptions,
    event: &(dyn Fn(&Served, &ServeEvent) + Sync),
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let names = if names.is_empty() {
        let roots = store.roots().map_err(Error::Releases)?;
        roots.into_iter().map(|root| root.name).collect()
    } else {
        names.to_vec()
    };
    monitor.start("look", 0);
    let plan = planned::plan(store, &names, &Wanted::default(), monitor)?;
    monitor.finish();
    let mut served = Served {
        names: Vec::new(),
        hosts: plan.hosts,
        findings: plan.findings,
    };
    for repository in &plan.repositories {
        for manifest in &repository.manifests {
            let tags = manifest.tags.iter();
            served
                .names
                .extend(tags.map(|tag| format!("{}:{tag}", repository.name)));
        }
    }
    served.names.sort_unstable();
    let blobs = Blobs {
        store,
        images: &plan.images,
    };
    let shelf = Shelf::new(plan.repositories);
    let tell = |what: &ServeEvent| event(&served, what);
    let mut options = options.clone();
    if let Some(place) = store.place() {
        options
            .keep_in
            .get_or_insert_with(|| place.join(UNFINISHED));
    }
    // Where no file can be made, as in a store on a disc, everything is made each time.
    let can_keep = |folder: &std::path::PathBuf| std::fs::create_dir_all(folder).is_ok();
    options.keep_in = options.keep_in.filter(can_keep);
    Ok(server::serve(
        shelf,
        &blobs,
        &options,
        &tell,
        &Quiet(monitor),
    )?)
}
