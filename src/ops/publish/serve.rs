//! `serve`: serves the images of releases for pulls, like any registry, and their package repositories like a web server.
//! It is read-only, and reads directly from the store.
//!
//! New releases are served too, and removed ones no longer. Memory: what is stated for the server, and the images of
//! the releases, twice while they change.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::repositories::{self, Blobs, KEPT_BYTES_MIN, Plan, PublishRequest, Rules, Seconds};
use crate::base::backend::BackendError;
use crate::base::finding::Finding;
use crate::base::id::ReleaseId;
use crate::base::monitor::{Monitor, Quiet};
use crate::bundle::newest_first;
use crate::content::recipe::RecipeError;
use crate::content::recipe::body::FileBody;
use crate::content::release::ReleaseName;
use crate::oci::image::{Choice, Digest, Images};
use crate::oci::registry::BlobSource;
use crate::oci::registry::server::{
    self, CurrentRepositories, Repositories, ServeEvent, ServeOptions, ServedFiles,
};
use crate::oci::repos::{RepositoryKind, package_repositories};
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
    /// Package repositories, in the order of their paths.
    pub packages: Vec<ServedPackages>,
}

/// A package repository that is served.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct ServedPackages {
    /// Its path at the server, below which its files are. `/packages/`, the release, the item, and the folder in it.
    pub path: String,
    /// What reads it.
    pub kind: RepositoryKind,
    /// How many packages it has.
    pub packages: usize,
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
    let (served, content, repositories) = parts(plan);
    let repositories: Arc<CurrentRepositories> = repositories.into();
    let served = RwLock::new(served);
    let source = Current {
        store,
        content: RwLock::new(Arc::new(content)),
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
                let (is_served, content, now_shelf) = parts(plan);
                // The blobs are replaced before the names, so that every served name finds its blobs.
                source.replace(content);
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

    fn plan(&self, chosen: &Chosen, monitor: &dyn Monitor) -> Result<ServedPlan, Error> {
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
        // Whoever chooses images wants these alone.
        let packages = if self.wanted.choice == Choice::default() {
            ServedFolders::of(self.store, names, monitor)?
        } else {
            ServedFolders::default()
        };
        let images = match repositories::plan_by(self.store, names, &self.wanted, &rules, monitor) {
            Err(Error::NoImages { .. }) if !packages.shown.is_empty() => None,
            other => Some(other?),
        };
        Ok(ServedPlan { images, packages })
    }

    /// Returns the content to serve when it changed. Content that cannot be read, or without images, changes nothing
    /// and is checked again the next time.
    fn again(&self, before: &Chosen, monitor: &dyn Monitor) -> Option<(Chosen, ServedPlan)> {
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

/// What is to be served.
struct ServedPlan {
    /// `None` when there are package repositories alone.
    images: Option<Plan>,
    packages: ServedFolders,
}

/// The package repositories of releases.
#[derive(Default)]
struct ServedFolders {
    shown: Vec<ServedPackages>,
    files: ServedFiles,
    bodies: HashMap<Digest, FileBody>,
}

impl ServedFolders {
    fn of<R: Releases>(
        store: &R,
        names: &[ReleaseName],
        monitor: &dyn Monitor,
    ) -> Result<Self, Error> {
        let mut all = Self::default();
        let mut names: Vec<&ReleaseName> = names.iter().collect();
        names.sort_by(|one, other| newest_first(one, other));
        for name in names {
            let Some(root) = store.root(name)? else {
                continue;
            };
            let found = match package_repositories(store, &root, monitor) {
                Err(error @ RecipeError::Interrupted(_)) => return Err(error.into()),
                // The images of the release tell of it.
                Err(_) => continue,
                Ok(found) => found,
            };
            let release = name.to_string();
            for repository in found {
                let place = format!("{release}/{}", repository.place());
                for (path, content) in repository.files() {
                    let digest = Digest::of_content(&content.id());
                    let bytes = content.bytes();
                    all.files
                        .add(format!("{place}/{path}"), digest.clone(), bytes);
                    all.bodies.insert(digest, FileBody::Content(*content));
                }
                all.files.add_name(&without_version(name), &release);
                all.shown.push(ServedPackages {
                    path: format!("/packages/{place}/"),
                    kind: repository.kind,
                    packages: repository.packages.len(),
                });
            }
        }
        all.shown.sort();
        Ok(all)
    }
}

/// Returns the name under which the newest version is served: `NAME`, or `NAME@ARCH`.
fn without_version(name: &ReleaseName) -> String {
    match name.arch() {
        Some(arch) => format!("{}@{arch}", name.name()),
        None => name.name().to_owned(),
    }
}

/// What the bytes that are served come from.
struct ServedContent {
    images: Images,
    files: HashMap<Digest, FileBody>,
}

fn parts(plan: ServedPlan) -> (Served, ServedContent, Repositories) {
    let ServedFolders {
        shown,
        files,
        bodies,
    } = plan.packages;
    let (mut served, images, repositories) = match plan.images {
        Some(plan) => image_parts(plan),
        None => (
            Served::default(),
            Images::default(),
            Repositories::default(),
        ),
    };
    served.packages = shown;
    let content = ServedContent {
        images,
        files: bodies,
    };
    (served, content, repositories.with_files(files))
}

fn image_parts(plan: Plan) -> (Served, Images, Repositories) {
    let mut served = Served {
        names: Vec::new(),
        hosts: plan.hosts,
        findings: plan.findings,
        packages: Vec::new(),
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

/// The blobs of the images, and the files, that are served now.
struct Current<'a, R> {
    store: &'a R,
    content: RwLock<Arc<ServedContent>>,
}

impl<R: Releases> Current<'_, R> {
    fn replace(&self, content: ServedContent) {
        *self.content.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(content);
    }

    fn with<T>(&self, ask: impl FnOnce(&Blobs<'_, R>) -> T) -> T {
        let content = self.now();
        ask(&Blobs {
            store: self.store,
            images: &content.images,
        })
    }

    fn now(&self) -> Arc<ServedContent> {
        Arc::clone(&self.content.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn file(&self, digest: &Digest) -> Option<FileBody> {
        self.now().files.get(digest).copied()
    }
}

impl<R: Releases> BlobSource for Current<'_, R> {
    fn bytes(&self, digest: &Digest) -> Option<u64> {
        let file = self.file(digest).map(|body| body.bytes());
        file.or_else(|| self.with(|blobs| blobs.bytes(digest)))
    }

    fn is_made(&self, digest: &Digest) -> bool {
        match self.file(digest) {
            Some(body) => body.bytes() >= KEPT_BYTES_MIN && !body.is_cached(self.store),
            None => self.with(|blobs| blobs.is_made(digest)),
        }
    }

    fn write(
        &self,
        digest: &Digest,
        range: Range<u64>,
        out: &mut dyn Write,
        monitor: &dyn Monitor,
    ) -> Result<(), BackendError> {
        if let Some(body) = self.file(digest) {
            return Ok(body.write(self.store, range, &mut { out }, monitor)?);
        }
        self.with(|blobs| blobs.write(digest, range, out, monitor))
    }
}
