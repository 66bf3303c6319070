//! Carries software releases across an air gap on discs and USB disks.
//!
//! A vendor adds releases to a content-addressed [`Store`] and packs them onto volumes that survive lost discs and scratches.
//! The customer's site receives the volumes into a store of its own, in any order, and restores the releases byte for byte.
//! The program `carryall` is a thin layer above this library. What it can do is a function here, with options and a report.
//!
//! # Operations
//!
//! | what | functions |
//! | --- | --- |
//! | releases go into a store | [`add()`], [`add_sources`] (images out of registries, streams) |
//! | releases go onto media | [`plan()`], [`estimate()`], [`pack()`], [`pack_with`], [`diff()`] |
//! | media are looked at and mended | [`verify()`], [`repair()`] |
//! | media go into a store | [`receive()`], [`receive_for`], [`status`], [`forget()`], [`receipt()`] |
//! | releases come out of a store | [`checkout()`], [`checkout_images`], [`install()`], [`roll_back`] |
//! | images go into other programs | [`load()`], [`push()`], [`serve()`] |
//! | a store is looked after | [`list()`], [`show()`], [`check()`], [`keep`], [`apply_retention`], [`remove`], [`prune()`] |
//! | evidence is kept | [`history::read`], [`evidence::EvidenceReport`] |
//!
//! Each function takes its inputs, its options and a [`Monitor`], and returns a report or an [`Error`]. Nothing is printed.
//! Parts of options and reports are in [`options`] and [`report`]. Whom a bundle is for is found by [`recipients`].
//!
//! Options have a `default()` or a `new(..)`, and public fields that a caller assigns. Options, reports and errors are
//! `#[non_exhaustive]`, because later versions add to them.
//!
//! # The vendor's side
//!
//! [`add()`] makes a release of files and folders. Everything new is rebuilt from the store and compared before the release
//! is committed. [`checkout()`] gives it back.
//!
//! ```
//! use carryall::{AddOptions, CheckoutOptions, Silent, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! std::fs::write(folder.join("notes.txt"), "carried")?;
//! let store = Store::create(&folder.join("store"))?;
//! let name = "shop:1.0".parse()?;
//!
//! let added = carryall::add(&store, &name, &[folder.join("notes.txt")], &AddOptions::default(), &Silent)?;
//! assert_eq!((added.items.len(), added.bytes), (1, 7));
//!
//! let out = carryall::checkout(&store, &name, &folder.join("out"), &CheckoutOptions::default(), &Silent)?;
//! assert!(out.is_whole());
//! assert_eq!(std::fs::read_to_string(folder.join("out/notes.txt"))?, "carried");
//! # Ok(())
//! # }
//! ```
//!
//! [`pack()`] lays releases out on volumes of a [`Capacity`]. It shows an exact [`PackPlan`] before it writes the first one.
//!
//! ```
//! use carryall::{AddOptions, PackOptions, Silent, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # std::fs::write(folder.join("notes.txt"), "carried")?;
//! # let store = Store::create(&folder.join("store"))?;
//! # let name = "shop:1.0".parse()?;
//! # carryall::add(&store, &name, &[folder.join("notes.txt")], &AddOptions::default(), &Silent)?;
//! let release = carryall::release(&store, &name)?;
//! let mut options = PackOptions::new("cd".parse()?);
//! options.spare = Some(1);
//!
//! let discs = folder.join("discs");
//! let mut volumes = 0;
//! let packed = carryall::pack(
//!     &store,
//!     &[release],
//!     &discs,
//!     &options,
//!     &mut |plan| volumes = plan.data_volumes + plan.spare_volumes,
//!     &Silent,
//! )?;
//! assert_eq!(packed.volumes.len(), usize::from(volumes));
//! # Ok(())
//! # }
//! ```
//!
//! # The site's side
//!
//! [`receive()`] takes what is on the media that are at hand. It is called once for each disc, or once for all of them. A set
//! whose volumes have not all come is kept, and [`SetProgress`] says which volumes are needed next.
//!
//! ```
//! use carryall::{AddOptions, PackOptions, ProgressState, Silent, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! # std::fs::write(folder.join("notes.txt"), "carried")?;
//! # let vendor = Store::create(&folder.join("vendor"))?;
//! # let name = "shop:1.0".parse()?;
//! # carryall::add(&vendor, &name, &[folder.join("notes.txt")], &AddOptions::default(), &Silent)?;
//! # let mut options = PackOptions::new("cd".parse()?);
//! # options.spare = Some(1);
//! # let releases = [carryall::release(&vendor, &name)?];
//! # let packed = carryall::pack(&vendor, &releases, &folder.join("discs"), &options, &mut |_| (), &Silent)?;
//! // Of two volumes the first is lost.
//! std::fs::remove_dir_all(&packed.volumes[0])?;
//!
//! let site = Store::create(&folder.join("site"))?;
//! let received = carryall::receive(&site, &packed.volumes[1..], &Silent)?;
//! assert_eq!(received.sets[0].state, ProgressState::Complete);
//! assert_eq!(carryall::release(&site, &name)?, carryall::release(&vendor, &name)?);
//! # Ok(())
//! # }
//! ```
//!
//! # Reports and findings
//!
//! Damage is data. A report says what was done and what is left, and it has methods such as
//! [`is_whole`](CheckoutReport::is_whole) for the questions that decide what comes next. What is not as it should be is a
//! [`Finding`] in the report, and a [`Monitor`] hears of it at once. Reports implement `serde::Serialize`, and their JSON is
//! what the program prints with `--json`.
//!
//! Errors and findings have codes and arguments, as a [`Diagnostic`]. Its words are those of the front end, which gives
//! them once with [`use_words`]. Without them a message is the code and its arguments.
//!
//! ```
//! use carryall::{CheckDepth, Silent, Store};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let store = Store::create(&folder.path().join("store"))?;
//! let report = carryall::check(&store, CheckDepth::Data, &[], &Silent)?;
//! assert!(report.is_clean());
//! # Ok(())
//! # }
//! ```
//!
//! # Errors and stops
//!
//! An [`Error`] means that the work could not go on. Whatever fails, the store opens, and the same call can be made again.
//! A monitor that answers [`stop_asked`](Monitor::stop_asked) with `true` ends the work soon, and tidily.
//! [`Error::kind`] then is [`ErrorKind::Interrupted`], however deep the cause lies.
//!
//! ```
//! use carryall::{AddOptions, ErrorKind, Monitor, Store};
//!
//! struct Stop;
//!
//! impl Monitor for Stop {
//!     fn stop_asked(&self) -> bool {
//!         true
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let given = folder.path().join("notes.txt");
//! # std::fs::write(&given, "carried")?;
//! let store = Store::create(&folder.path().join("store"))?;
//! let stopped = carryall::add(&store, &"shop:1.0".parse()?, &[given], &AddOptions::default(), &Stop);
//! assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! All are on unless `default-features = false`.
//!
//! | feature | what it adds | what it compiles |
//! | --- | --- | --- |
//! | `registry` | [`add_sources`], [`push()`] | ureq, rustls |
//! | `serve` | [`serve()`] | hyper, tokio, rustls |
//! | `cli` | the program `carryall`, with the other two | clap, fluent, indicatif |
//!
//! # Formats and promises
//!
//! Formats on media and in stores are promised, and `docs/format.md` describes them byte by byte. This interface is not
//! promised before 1.0: it may change with each minor version.

// The rooms, from the ground up: a room uses rooms of lower floors alone (tests/it/layers.rs). They are public because the
// program, the tests, the benches and the fuzz targets are crates of their own. No promise is made for paths below them.
#[doc(hidden)]
pub mod base;
#[doc(hidden)]
pub mod deflate;
#[doc(hidden)]
pub mod recode;

#[doc(hidden)]
pub mod content;
#[doc(hidden)]
pub mod volumes;

#[doc(hidden)]
pub mod files;
#[doc(hidden)]
pub mod oci;
#[doc(hidden)]
pub mod store;

#[doc(hidden)]
pub mod bundle;

#[doc(hidden)]
pub mod ops;

// What everything is called by, and how it speaks.
pub use base::diagnostic::{Arg, Diagnostic, use_words};
pub use base::finding::{Finding, Severity, Subject};
pub use base::id::{ReleaseId, StoreId};
pub use base::monitor::{Interrupted, Monitor, Silent};
pub use base::size::ByteSize;
pub use content::release::{ReleaseName, ReleaseRoot};
pub use oci::image::{Choice, Platform};
pub use ops::{Error, ErrorKind, release, release_for, releases, remove};
pub use store::{OpenMode, Store};

// The vendor's side.
pub use bundle::{Effort, Recipient};
#[cfg(feature = "registry")]
pub use ops::add::sources::{Sources, add_sources};
pub use ops::add::{AddOptions, AddReport, add};
pub use ops::pack::diff::{DiffReport, diff};
pub use ops::pack::estimate::{EstimateReport, estimate};
pub use ops::pack::{PackNotes, PackOptions, PackPlan, PackReport, pack, pack_with, plan};
pub use volumes::block::ParityCodec;
pub use volumes::media::{Capacity, Carrier};

// Media.
pub use ops::media::inspect::{InspectReport, inspect};
pub use ops::media::repair::{RepairOptions, RepairReport, repair};
pub use ops::media::verify::{JudgedSets, SetState, VerifyReport, verify, verify_within};

// The site's side.
pub use files::privileges::Privileges;
pub use ops::checkout::attached::{AttachmentReport, checkout_attachments};
pub use ops::checkout::images::{ImageOptions, ImageReport, checkout_images};
pub use ops::checkout::install::{
    InstallOptions, InstallReport, RollbackReport, install, roll_back,
};
pub use ops::checkout::{CheckoutOptions, CheckoutReport, ItemState, checkout};
pub use ops::receive::forget::{ForgetReport, forget};
pub use ops::receive::receipt::{ReceiptReport, receipt};
pub use ops::receive::{
    ProgressState, ReceiveOptions, ReceiveReport, SetProgress, StatusReport, receive, receive_for,
    receive_with, status,
};

// Images in other programs.
pub use ops::publish::load::{LoadOptions, LoadReport, load};
#[cfg(feature = "registry")]
pub use ops::publish::push::{PushOptions, ReleasePushReport, push};
#[cfg(feature = "serve")]
pub use {
    oci::registry::server::{ServeEvent, ServeOptions},
    ops::publish::serve::{Served, serve},
};

// A store that is looked after.
pub use ops::maintain::check::{StoreCheckReport, check};
pub use ops::maintain::list::{ListReport, list};
pub use ops::maintain::prune::{PruneRequest, StorePruneReport, prune};
pub use ops::maintain::retention::{KeepReport, LetGoReport, apply_retention, keep};
pub use ops::maintain::show::{ShowReport, show, show_verified};
pub use store::CheckDepth;

#[doc(inline)]
pub use ops::pack::recipients;

#[doc(inline)]
pub use ops::{evidence, history, trust};

/// Parts of options.
pub mod options {
    pub use crate::base::signing::{PublicKey, SecretKey, SignatureAlgorithm};
    pub use crate::bundle::receipt::{Receipt, site::SiteName};
    pub use crate::files::unpacker::{Depth, OpenOptions};
    pub use crate::files::versions::Pattern;
    pub use crate::oci::image::export::ImageForm;
    #[cfg(feature = "serve")]
    pub use crate::oci::registry::server::MakeAhead;
    #[cfg(feature = "registry")]
    pub use crate::oci::registry::{
        client::{ClientOptions, Patience},
        pull::PullOptions,
    };
    pub use crate::oci::signatures::{ImageKey, ImagePattern, TrustedImageKey};
    pub use crate::ops::add::InputPath;
    #[cfg(feature = "registry")]
    pub use crate::ops::add::sources::{ItemStream, RegistryImage};
    pub use crate::ops::checkout::install::Unchanged;
    pub use crate::ops::history::HistoryEvent;
    pub use crate::ops::pack::Spares;
    pub use crate::ops::pack::programs::{PackPrograms, ProgramWish};
    pub use crate::ops::program::Program;
    pub use crate::ops::publish::load::{Loader, Then};
}

/// Parts of reports.
pub mod report {
    pub use crate::files::unpacker::{KeptReason, StreamReport, Tally};
    pub use crate::files::versions::{KeptFile, Shared};
    pub use crate::oci::attachments::{Attachment, AttachmentKind};
    #[cfg(feature = "serve")]
    pub use crate::oci::registry::server::Answered;
    #[cfg(feature = "registry")]
    pub use crate::oci::registry::{
        pull::Pulled,
        push::{NameState, PushReport, PushedName},
    };
    pub use crate::oci::signatures::{
        ImageSignature, ImageStanding, ImageVerdict, SignatureFormat, SignatureState, UnsignedImage,
    };
    pub use crate::ops::add::{AddedItem, Change};
    pub use crate::ops::checkout::{CheckedOutItem, attached::OutAttachment, images::OutImage};
    pub use crate::ops::maintain::check::DamagedRelease;
    pub use crate::ops::maintain::list::ListedRelease;
    pub use crate::ops::maintain::show::{
        DocumentFormat, KeptStream, OpenedStreams, ShownDocument, ShownImage, ShownItem, ShownKind,
        ShownPackage,
    };
    pub use crate::ops::media::inspect::SetContents;
    pub use crate::ops::media::repair::RepairedSet;
    pub use crate::ops::media::verify::{ItemOnMedia, ReleaseOnMedia, SetVerdict, VolumeVerdict};
    pub use crate::ops::pack::PlannedReceiver;
    pub use crate::ops::pack::contributors::{Contributor, ContributorKind, Layer};
    pub use crate::ops::pack::diff::{DiffChange, DiffImage, DiffItem};
    pub use crate::ops::pack::estimate::{EstimatedClass, EstimatedImage, EstimatedItem};
    pub use crate::ops::pack::programs::{PlannedProgram, ProgramLeftOut};
    pub use crate::ops::publish::load::{LoadedName, Tried};
    pub use crate::ops::receive::forget::ForgottenSet;
    pub use crate::ops::receive::prerequisites::{
        MissingPrerequisites, MissingRelease, MissingSet, MissingState,
    };
    pub use crate::ops::receive::receipt::WaitingReport;
    pub use crate::ops::receive::selection::LeftOut;
    pub use crate::ops::receive::{CommittedRelease, FailedSet, HealedBy, Room};
    pub use crate::volumes::read_media::VolumeRead;
    pub use crate::volumes::recovery::{SetNeeds, VolumeOutcome};
}

/// The errors of lower layers, which stand in [`Error`].
pub mod error {
    pub use crate::base::backend::BackendError;
    pub use crate::base::output::OutputError;
    pub use crate::base::signing::KeyError;
    pub use crate::bundle::{BundleError, receipt::ReceiptError};
    pub use crate::content::recipe::RecipeError;
    pub use crate::files::{LayoutError, versions::VersionsError};
    pub use crate::oci::image::ChoiceError;
    #[cfg(any(feature = "registry", feature = "serve"))]
    pub use crate::oci::registry::RegistryError;
    pub use crate::oci::signatures::{ImageKeyError, ImagePatternError};
    pub use crate::ops::add::AddError;
    pub use crate::ops::checkout::CheckoutError;
    pub use crate::ops::program::ProgramError;
    pub use crate::ops::publish::load::LoadError;
    pub use crate::ops::trust::TrustError;
    pub use crate::store::StoreError;
    pub use crate::volumes::{VolumeError, media::MediaError};
}
