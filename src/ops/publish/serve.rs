//! `serve`: serves the images of releases for pulls, like any registry. It is read-only, and reads directly from the
//! store.
//!
//! New releases are served too, and removed ones no longer. Memory: what is stated for the server, and the images of
//! the releases, twice while they change.

use std::collections::BTreeSet;
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::repositories::{self, Blobs, Plan, PublishRequest, Rules, Seconds};
use crate::base::backend::BackendError;
use crate::base::finding::Finding;
use crate::base::id::ReleaseId;
use crate::base::monitor::{Monitor, Quiet};
use crate::content::release::ReleaseName;
use crate::oci::image::{Choice, Digest, Images};
use crate::oci::registry::BlobSource;
use crate::oci::registry::server::{
    self, CurrentRepositories, Repositories, ServeEvent, ServeOptions,
};
use crate::ops::{Error, Releases};

/// Interval between two checks for changed releases.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Interval between two checks for a stop.
const STOP_EVERY: Duration = Duration::from_millis(100);

/// The content that is served.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Served {
    /// `REPOSITORY:TAG`, in order.
    pub names: Vec<String>,
    /// The hosts that images came from, which are dropped from names.
    pub hosts: BTreeSet<String>,
    /// Problems of the images, and what is left out.
    pub findings: Vec<Finding>,
}

/// Serves the images of these releases until a stop is asked for. Without any it serves all releases in the store.
/// `event` reports what is served, when it listens, when that changes, and every request.
///
/// # Errors
/// [`Error`]. Being asked to stop is not an error.
pub fn serve<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    options: &ServeOptions,
    event: &(dyn Fn(&Served, &ServeEvent) + Sync),
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    serve_chosen(store, names, &Choice::default(), options, event, monitor)
}

/// Does the same for the chosen images alone.
///
/// # Errors
/// As [`serve`].
pub fn serve_chosen<R: Releases>(
    store: &R,
    names: &[ReleaseName],
    choice: &Choice,
    options: &ServeOptions,
    event: &(dyn Fn(&Served, &ServeEvent) + Sync),
    monitor: &dyn Monitor,
) -> Result<(), Error> {
    let look = SourceLook {
        store,
        names,
        wanted: PublishRequest {
            choice: choice.clone(),
            prefix: None,
        },
    };
    let chosen = look.chosen()?;
    monitor.start("look", 0);
    let plan = look.plan(&chosen, monitor)?;
    monitor.finish();
    let (served, images, repositories) = parts(plan);
    let repositories: Arc<CurrentRepositories> = repositories.into();
    let served = RwLock::new(served);
    let source = Current {
        store,
        images: RwLock::new(Arc::new(images)),
    };
    let tell = |what: &ServeEvent| {
        event(&served.read().unwrap_or_else(PoisonError::into_inner), what);
    };
    let options = with_folder(options, store.place());
    let has_ended = AtomicBool::new(false);
    let quiet = Quiet(monitor);
    let outcome = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut before = chosen;
            while !has_ended.load(Ordering::Relaxed) && pause(&has_ended, &quiet) {
                let Some((now, plan)) = look.again(&before, &quiet) else {
                    continue;
                };
                let (is_served, images, now_shelf) = parts(plan);
                // The blobs are replaced before the names, so that every served name finds its blobs.
                source.replace(images);
                repositories.replace(now_shelf);
                *served.write().unwrap_or_else(PoisonError::into_inner) = is_served;
                before = now;
                tell(&ServeEvent::Changed);
            }
        });
        let outcome = server::serve(Arc::clone(&repositories), &source, &options, &tell, &quiet);
        has_ended.store(true, Ordering::Relaxed);
        outcome
    });
    Ok(outcome?)
}

/// The releases to be served, in their current state.
type Chosen = Vec<(ReleaseName, ReleaseId)>;

/// The request, and the store that it is about.
struct SourceLook<'a, R> {
    store: &'a R,
    names: &'a [ReleaseName],
    wanted: PublishRequest,
}

impl<R: Releases> SourceLook<'_, R> {
    fn chosen(&self) -> Result<Chosen, Error> {
        let roots = self.store.roots()?.into_iter();
        Ok(roots
            .filter(|root| self.names.is_empty() || self.names.contains(&root.name))
            .map(|root| (root.name.clone(), root.id()))
            .collect())
    }

    fn plan(&self, chosen: &Chosen, monitor: &dyn Monitor) -> Result<Plan, Error> {
        let all: Vec<ReleaseName> = chosen.iter().map(|(name, _)| name.clone()).collect();
        let names = if self.names.is_empty() {
            &all[..]
        } else {
            self.names
        };
        let rules = Rules {
            seconds: Seconds::ByDigest,
            ..Rules::default()
        };
        repositories::plan_by(self.store, names, &self.wanted, &rules, monitor)
    }

    /// Returns the content to serve when it changed. Content that cannot be read, or without images, changes nothing
    /// and is checked again the next time.
    fn again(&self, before: &Chosen, monitor: &dyn Monitor) -> Option<(Chosen, Plan)> {
        let now = self.chosen().ok().filter(|now| now != before)?;
        // After the roots, so that the chunks that they need are found.
        self.store.refresh().ok()?;
        let plan = self.plan(&now, monitor).ok()?;
        Some((now, plan))
    }
}

/// Waits a while. Returns whether to check again.
fn pause(has_ended: &AtomicBool, monitor: &dyn Monitor) -> bool {
    let begin = Instant::now();
    while begin.elapsed() < LOOK_EVERY {
        if has_ended.load(Ordering::Relaxed) || monitor.stop_asked() {
            return false;
        }
        std::thread::sleep(STOP_EVERY);
    }
    true
}

fn parts(plan: Plan) -> (Served, Images, Repositories) {
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
    (served, plan.images, Repositories::new(plan.repositories))
}

/// Sets the folder of cached blobs: inside the store, unless another folder is named.
fn with_folder(options: &ServeOptions, place: Option<&Path>) -> ServeOptions {
    let mut options = options.clone();
    if let Some(place) = place {
        options
            .keep_in
            .get_or_insert_with(|| place.join(crate::ops::UNFINISHED));
    }
    // Where no file can be made, as in a store on a disc, every blob is rebuilt each time.
    let can_keep = |folder: &std::path::PathBuf| std::fs::create_dir_all(folder).is_ok();
    options.keep_in = options.keep_in.filter(can_keep);
    options
}

/// The blobs of the images that are served now.
struct Current<'a, R> {
    store: &'a R,
    images: RwLock<Arc<Images>>,
}

impl<R: Releases> Current<'_, R> {
    fn replace(&self, images: Images) {
        *self.images.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(images);
    }

    fn with<T>(&self, ask: impl FnOnce(&Blobs<'_, R>) -> T) -> T {
        let images = Arc::clone(&self.images.read().unwrap_or_else(PoisonError::into_inner));
        ask(&Blobs {
            store: self.store,
            images: &images,
        })
    }
}

impl<R: Releases> BlobSource for Current<'_, R> {
    fn bytes(&self, digest: &Digest) -> Option<u64> {
        self.with(|blobs| blobs.bytes(digest))
    }

    fn is_made(&self, digest: &Digest) -> bool {
        self.with(|blobs| blobs.is_made(digest))
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        self.with(|blobs| blobs.write(digest, range, out, monitor))
    }
}
