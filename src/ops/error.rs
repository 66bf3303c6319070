//! The one error of all verbs, folding those of the layers below, and the kinds that callers act on.

use std::path::{Path, PathBuf};

use crate::base::id::BlobId;
use crate::base::monitor::Interrupted;
use crate::base::output::OutputError;
use crate::base::size::ByteSize;
use crate::bundle::BundleError;
use crate::bundle::receipt::ReceiptError;
use crate::content::recipe::{BoxError, RecipeError};
use crate::files::versions::VersionsError;
use crate::oci::image::ChoiceError;
#[cfg(any(feature = "registry", feature = "serve"))]
use crate::oci::registry::RegistryError;
use crate::ops::add::AddError;
use crate::ops::checkout::CheckoutError;
use crate::ops::publish::load::LoadError;
use crate::store::StoreError;
use crate::volumes::VolumeError;
use crate::volumes::media::MediaError;
use crate::volumes::media::look::{LookReport, look};

/// Why a verb could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A release could not be made.
    #[error(transparent)]
    Add(#[from] AddError),
    /// A release could not be given back.
    #[error(transparent)]
    Checkout(#[from] CheckoutError),
    /// Images could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A bundle could not be cut or read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A medium could not be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A place cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A volume set could not be planned, written or read.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The store could not be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release's lists cannot be followed.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The person asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Versions of a tree could not be made or switched.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// A release has lost or damaged parts, and only a whole one will do.
    #[error("{release} cannot be given back whole")]
    NotWhole {
        /// The release.
        release: String,
    },
    /// There is no such release.
    #[error("no release {name} in the store")]
    NoSuchRelease {
        /// What was asked for.
        name: String,
        /// What is there.
        has: Vec<String>,
    },
    /// A registry could not be spoken to, or served.
    #[cfg(any(feature = "registry", feature = "serve"))]
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// What is given is no address of a registry.
    #[cfg(feature = "registry")]
    #[error("{given:?} is not a registry")]
    NoRegistry {
        /// What was given.
        given: String,
    },
    /// A host is mapped from which no image came.
    #[cfg(feature = "registry")]
    #[error("no image came from {host}; some came from {}", has.join(", "))]
    NoSuchHost {
        /// What was given.
        host: String,
        /// What there is.
        has: Vec<String>,
    },
    /// The images that are asked for cannot be had.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// There is nothing that a registry could hold.
    #[cfg(any(feature = "registry", feature = "serve"))]
    #[error("no image with a name in {}", releases.join(", "))]
    NoImages {
        /// The releases that were looked through.
        releases: Vec<String>,
    },
    /// No volume was found where one was to be.
    #[error("no carryall volume in {}", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoVolumes {
        /// Where it was looked for.
        paths: Vec<PathBuf>,
        /// What is there instead, path by path.
        looks: Vec<LookReport>,
    },
    /// Where a receipt was to be, there is no file of this name, and the name is no receipt itself.
    #[error("{given}: there is no such file, and it is not the text of a receipt")]
    NoReceipt {
        /// What was given.
        given: String,
    },
    /// The store lies in what is read, or the other way round.
    #[error("{} and the store {} lie one in the other", path.display(), store.display())]
    Entangled {
        /// What is read.
        path: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
    /// Many more spare volumes are asked for than there is data.
    #[error("{spare_volumes} spare volumes for {data_volumes} with data")]
    ManySpares {
        /// Spares asked for.
        spare_volumes: u16,
        /// Data volumes, about when nothing is compressed yet.
        data_volumes: u16,
        /// So many are not questioned.
        most: u16,
    },
    /// Of the releases on volumes, none is for the platforms that were asked for.
    #[error("no release for {} on these volumes", platforms.join(", "))]
    NotForPlatform {
        /// What was asked for.
        platforms: Vec<String>,
        /// What is there.
        has: Vec<String>,
    },
    /// Roots or lists of releases are damaged.
    #[error("{} cannot be read, and what they need is not known", names.join(", "))]
    UnreadableReleases {
        /// Their names.
        names: Vec<String>,
    },
    /// A release's root could not be read, which may pass.
    #[error("{name} {why}")]
    UnreadRoot {
        /// Its name.
        name: String,
        /// What the system said.
        why: String,
    },
    /// The folder with the roots of all releases is gone, and packs are there.
    #[error("the folder with the roots of all releases is gone: {}", path.display())]
    RootsGone {
        /// Where it was.
        path: PathBuf,
    },
    /// The set has no such volume.
    #[error("the set has volumes 1 to {volumes}, and no volume {volume_no}")]
    NoSuchVolume {
        /// What was asked for.
        volume_no: u16,
        /// How many there are.
        volumes: usize,
    },
    /// A bundle was received whole and does not hold what its releases need.
    #[error("release {release} needs {chunks} chunks that neither the volumes nor the store hold")]
    BundleIncomplete {
        /// The release.
        release: String,
        /// How many chunks.
        chunks: usize,
    },
    /// A deflate stream does not come back as it was.
    #[error("a stream does not come back as it was: blob {}", blob.short())]
    StreamChanged {
        /// The blob that is, or holds, the stream.
        blob: BlobId,
        /// What came instead.
        source: RecipeError,
    },
    /// The releases that are in the store cannot be listed.
    #[error("the store cannot be read")]
    Releases(#[source] BoxError),
    /// What was given as a receipt is none.
    #[error("{given}")]
    Receipt {
        /// The file, or the beginning of the text.
        given: String,
        /// What is wrong with it.
        source: ReceiptError,
    },
    /// There is less free space than the work takes.
    #[error("{} has {} free, and {} are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// Where.
        path: PathBuf,
        /// What the work takes.
        needed_bytes: u64,
        /// What is there.
        free_bytes: u64,
    },
    /// The disk of the store was full in the midst of the work.
    #[error("{}: the disk is full; about {} more are needed in all, and what came so far is kept", path.display(), ByteSize(*needed_bytes))]
    DiskFull {
        /// The store.
        path: PathBuf,
        /// What the work still takes, as far as it is known.
        needed_bytes: u64,
        /// What failed.
        source: Box<Error>,
    },
    /// No set of this name is being received.
    #[error("no set {name} is being received")]
    NoSuchSet {
        /// What was asked for.
        name: String,
        /// What there is.
        has: Vec<String>,
    },
    /// So many sets wait that no other is begun.
    #[error("too many volume sets wait for volumes; no other is begun")]
    TooManySets,
    /// Blocks have a right hash and do not hold what was packed, and nothing at hand stands in for them.
    #[error("volume {} has blocks that do not hold what was packed, though their hashes are right", volumes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    WrongBlocks {
        /// The volumes.
        volumes: Vec<u16>,
        /// What does not match.
        source: Box<Error>,
    },
    /// A release on volumes is not one that could be given back.
    #[error("{release} is refused: {what}: {why}")]
    Refused {
        /// The release.
        release: String,
        /// The item, or what is in it.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// A call to the file system failed.
    #[error("{}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// What kind of failure it is: decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// It did not work.
    Failed,
    /// The person asked to stop.
    Interrupted,
}

impl Error {
    /// Gives an I/O error its path, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// No volume was found at `paths`: says what is there instead.
    pub(crate) fn no_volumes(paths: &[PathBuf]) -> Self {
        Self::NoVolumes {
            paths: paths.to_vec(),
            looks: look(paths),
        }
    }
}
