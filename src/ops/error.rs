//! The error of all operations. It wraps those of the layers below, and has the kinds that callers act on.

use std::path::{Path, PathBuf};

use crate::base::backend::{BackendError, BoxError};
use crate::base::diagnostic::{Arg, Diagnostic};
use crate::base::id::{BlobId, ReleaseId, SetId, StoreId};
use crate::base::monitor::Interrupted;
use crate::base::output::OutputError;
use crate::base::sealing::SealError;
use crate::base::size::ByteSize;
use crate::bundle::BundleError;
use crate::bundle::receipt::ReceiptError;
use crate::content::recipe::RecipeError;
use crate::files::versions::VersionsError;
use crate::oci::image::ChoiceError;
#[cfg(any(feature = "registry", feature = "serve"))]
use crate::oci::registry::RegistryError;
use crate::oci::signatures::UnsignedImage;
use crate::ops::add::error::AddError;
use crate::ops::checkout::error::CheckoutError;
use crate::ops::program::error::ProgramError;
use crate::ops::publish::load::LoadError;
use crate::ops::trust::TrustError;
use crate::store::StoreError;
use crate::volumes::VolumeError;
use crate::volumes::media::MediaError;
use crate::volumes::media::look::{LookReport, look};

/// The reason why an operation failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A release could not be made.
    #[error(transparent)]
    Add(AddError),
    /// A release could not be restored.
    #[error(transparent)]
    Checkout(CheckoutError),
    /// Images could not be loaded.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A file cannot be carried as a program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// A key cannot be used, or a set is not by anybody whom the site trusts.
    #[error(transparent)]
    Trust(TrustError),
    /// Something cannot be sealed, or a file with identities cannot be used.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A sealed set cannot be opened.
    #[error("set {} is sealed: {source}", set.short())]
    Sealed {
        /// The set.
        set: SetId,
        /// Why it stays closed.
        source: SealError,
    },
    /// A bundle could not be cut or read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A medium could not be read or written.
    #[error(transparent)]
    Media(#[from] MediaError),
    /// A folder cannot be written to.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A volume set could not be planned, written or read.
    #[error(transparent)]
    Volume(#[from] VolumeError),
    /// The store could not be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A release's lists could not be read.
    #[error(transparent)]
    Recipe(#[from] RecipeError),
    /// The operator asked to stop.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// Versions of a tree could not be made or switched.
    #[error(transparent)]
    Versions(#[from] VersionsError),
    /// A release has lost or damaged parts, but the operation needs a whole one.
    #[error("{release} cannot be given back whole")]
    NotWhole {
        /// The release.
        release: String,
    },
    /// There is no such release.
    #[error("no release {name} in the store")]
    NoSuchRelease {
        /// The name that was given.
        name: String,
        /// The releases that exist.
        has: Vec<String>,
    },
    /// A registry could not be reached or served.
    #[cfg(any(feature = "registry", feature = "serve"))]
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The address does not name a registry.
    #[cfg(feature = "registry")]
    #[error("{given:?} is not a registry")]
    NoRegistry {
        /// The address that was given.
        given: String,
    },
    /// A mapped host is not the host of any image.
    #[cfg(feature = "registry")]
    #[error("no image came from {host}; some came from {}", has.join(", "))]
    NoSuchHost {
        /// The host that was given.
        host: String,
        /// The hosts that exist.
        has: Vec<String>,
    },
    /// The requested images are not available.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Images are not signed by keys that the site trusts for them.
    #[error("not signed by a key of this site: {}", images.iter().map(|image| &image.name[..]).collect::<Vec<_>>().join(", "))]
    Unsigned {
        /// The images.
        images: Vec<UnsignedImage>,
    },
    /// The releases have nothing that a registry could hold.
    #[cfg(any(feature = "registry", feature = "serve"))]
    #[error("no image with a name in {}", releases.join(", "))]
    NoImages {
        /// The releases that were searched.
        releases: Vec<String>,
    },
    /// No volume was found at the given paths.
    #[error("no carryall volume in {}", paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoVolumes {
        /// The paths that were searched.
        paths: Vec<PathBuf>,
        /// What was found instead, path by path.
        looks: Vec<LookReport>,
    },
    /// There is no receipt file of this name, and the name is not a receipt itself.
    #[error("{given}: there is no such file, and it is not the text of a receipt")]
    NoReceipt {
        /// The argument that was given.
        given: String,
    },
    /// A receipt is too long for QR codes.
    #[error("the receipt is too long for QR codes")]
    NoCodes,
    /// The store is inside a path that is read, or the other way round.
    #[error("{} and the store {} overlap: one is inside the other", path.display(), store.display())]
    Entangled {
        /// The path that is read.
        path: PathBuf,
        /// The store's folder.
        store: PathBuf,
    },
    /// Many more spare volumes were requested than there is data.
    #[error("{spare_volumes} spare volumes for {data_volumes} with data")]
    ManySpares {
        /// Spare volumes that were requested.
        spare_volumes: u16,
        /// Data volumes, estimated before anything is compressed.
        data_volumes: u16,
        /// The largest number that is not questioned.
        most: u16,
    },
    /// None of the releases on the volumes is for the requested platforms.
    #[error("no release for {} on these volumes", platforms.join(", "))]
    NotForPlatform {
        /// The platforms that were requested.
        platforms: Vec<String>,
        /// The releases on the volumes.
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
        /// What is wrong.
        why: Box<Diagnostic>,
    },
    /// The store that a release is copied into has another one of the same name.
    #[error("{name} is another release there: {theirs}, and not {ours}")]
    OtherThere {
        /// Its name.
        name: String,
        /// The release that was to be copied.
        ours: ReleaseId,
        /// The release that is there.
        theirs: ReleaseId,
    },
    /// The folder with the roots of all releases is missing, although there are packs.
    #[error("the folder with the roots of all releases is gone: {}", path.display())]
    RootsGone {
        /// The path where it should be.
        path: PathBuf,
    },
    /// The set has no such volume.
    #[error("the set has volumes 1 to {volumes}, and no volume {volume_no}")]
    NoSuchVolume {
        /// The volume number that was given.
        volume_no: u16,
        /// How many volumes the set has.
        volumes: usize,
    },
    /// A bundle was received whole but does not hold everything that its releases need.
    #[error("release {release} needs {chunks} chunks that neither the volumes nor the store hold")]
    BundleIncomplete {
        /// The release.
        release: String,
        /// How many chunks are missing.
        chunks: usize,
    },
    /// A rebuilt deflate stream differs from the original.
    #[error("a stream does not come back as it was: blob {}", blob.short())]
    StreamChanged {
        /// The blob that is, or holds, the stream.
        blob: BlobId,
        /// The error of rebuilding it.
        source: RecipeError,
    },
    /// The releases in the store cannot be listed.
    #[error("the store cannot be read")]
    Releases(#[source] BoxError),
    /// The argument is not a valid receipt.
    #[error("{given}")]
    Receipt {
        /// The file, or the beginning of the text.
        given: String,
        /// What is wrong with it.
        source: ReceiptError,
    },
    /// There is less free space than the operation needs.
    #[error("{} has {} free, and {} are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// Bytes that the operation needs.
        needed_bytes: u64,
        /// Bytes that are free.
        free_bytes: u64,
    },
    /// The store's disk ran full during the operation.
    #[error("{}: the disk is full; about {} more are needed in all, and what came so far is kept", path.display(), ByteSize(*needed_bytes))]
    DiskFull {
        /// The store.
        path: PathBuf,
        /// Bytes that the operation still needs, as far as is known.
        needed_bytes: u64,
        /// What failed.
        source: Box<Error>,
    },
    /// No set of this name is being received.
    #[error("no set {name} is being received")]
    NoSuchSet {
        /// The name that was given.
        name: String,
        /// The sets that exist.
        has: Vec<String>,
    },
    /// This many sets are staged, and no other one is started.
    #[error("too many volume sets wait for volumes; no other is begun")]
    TooManySets,
    /// Blocks have a right hash but do not hold what was packed, and there is no replacement for them.
    #[error("volume {} has blocks that do not hold what was packed, though their hashes are right", volumes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    WrongBlocks {
        /// The volumes.
        volumes: Vec<u16>,
        /// The mismatch.
        source: Box<Error>,
    },
    /// A release is in the store with other content, and the set would replace it.
    #[error("{release} is {} here, and set {} has it as {}", here.short(), set.short(), comes.short())]
    WouldReplace {
        /// The set.
        set: SetId,
        /// The release.
        release: String,
        /// Its id here.
        here: ReleaseId,
        /// Its id in the set.
        comes: ReleaseId,
    },
    /// A newer set brought another version of the release.
    #[error("set {} of {date} is older than set {} of {newer_date}, which brought {release}", set.short(), newer.short())]
    OlderSet {
        /// The set.
        set: SetId,
        /// Its day.
        date: String,
        /// The newer set.
        newer: SetId,
        /// Its day.
        newer_date: String,
        /// The release that it brought.
        release: String,
    },
    /// The set was made for another site.
    #[error("set {} was made for {site} (store {store})", set.short())]
    OtherSite {
        /// The set.
        set: SetId,
        /// The site's name.
        site: String,
        /// First hex digits of its store's id.
        store: String,
        /// The store here.
        here: StoreId,
    },
    /// A release on the volumes could not be restored, so it is refused.
    #[error("{release} is refused: {what}: {why}")]
    Refused {
        /// The release.
        release: String,
        /// The item, or a part of it.
        what: String,
        /// What is wrong with it.
        why: Box<Arg>,
    },
    /// A call to the file system failed.
    #[error("{}", path.display())]
    Io {
        /// File or folder concerned.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
}

impl From<AddError> for Error {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Interrupted(stop) => stop.into(),
            other => Self::Add(other),
        }
    }
}

impl From<CheckoutError> for Error {
    fn from(error: CheckoutError) -> Self {
        match error {
            CheckoutError::Interrupted(stop) => stop.into(),
            other => Self::Checkout(other),
        }
    }
}

impl From<BackendError> for Error {
    fn from(error: BackendError) -> Self {
        error.or(Self::Releases)
    }
}

/// The kind of a failure, which decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The operation failed.
    Failed,
    /// The operator asked to stop.
    Interrupted,
}

impl Error {
    /// Returns whether a set is not taken as it stands, so that another one may be.
    pub fn is_refusal_of_set(&self) -> bool {
        matches!(
            self,
            Self::WouldReplace { .. }
                | Self::OlderSet { .. }
                | Self::OtherSite { .. }
                | Self::Sealed { .. }
                | Self::Trust(
                    TrustError::Unsigned { .. }
                        | TrustError::WrongSignature { .. }
                        | TrustError::Stranger { .. }
                        | TrustError::Required { .. }
                )
        )
    }

    /// Adds the path to an I/O error, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// Makes the error for `paths` without any volume, which says what is there instead.
    pub(crate) fn no_volumes(paths: &[PathBuf]) -> Self {
        Self::NoVolumes {
            paths: paths.to_vec(),
            looks: look(paths),
        }
    }
}
