//! The one place that gives every error its stable code and its typed arguments.
//!
//! An error that only passes on another one has that one's code. Decisions are made by types, never by texts. The codes
//! are a promise to scripts, so an existing code keeps its meaning.

mod content;
mod oci;
#[cfg(any(feature = "registry", feature = "serve"))]
mod registry;
mod seal;
mod store;
mod system;
mod trust;
mod volumes;

use std::error::Error as Cause;
use std::io;

use crate::base::backend::BackendError;
use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::envelope::EnvelopeError;
use crate::base::monitor::Interrupted;
use crate::base::output::OutputError;
use crate::base::sealing::SealError;
use crate::base::signing::KeyError;
use crate::base::size::ByteSize;
use crate::bundle::BundleError;
use crate::bundle::receipt::ReceiptError;
use crate::content::frame::FrameError;
use crate::content::pack::PackError;
use crate::content::recipe::RecipeError;
use crate::deflate::DeflateError;
use crate::files::LayoutError;
use crate::files::versions::VersionsError;
use crate::oci::image::export::ExportError;
use crate::oci::image::{ChoiceError, ReferenceError};
#[cfg(any(feature = "registry", feature = "serve"))]
use crate::oci::registry::RegistryError;
use crate::oci::signatures::ImageKeyError;
use crate::ops::add::AddError;
use crate::ops::checkout::CheckoutError;
use crate::ops::program::ProgramError;
use crate::ops::publish::load::LoadError;
use crate::ops::trust::TrustError;
use crate::ops::{Error, ErrorKind, is_fault};
use crate::store::storage::StorageError;
use crate::store::{FrameDamage, StoreError};
use crate::volumes::VolumeError;
use crate::volumes::bare_head::BareHeadDamaged;
use crate::volumes::geometry::GeometryError;
use crate::volumes::media::MediaError;

/// The code of [`interrupted`].
const INTERRUPTED: &str = "interrupted";

impl Error {
    /// Returns the error as data: a stable code, typed arguments and the causes.
    pub fn diagnose(&self) -> Diagnostic {
        let whole = of(self);
        if whole.is_caused_by(INTERRUPTED) {
            // The place where the work was stopped does not matter.
            return interrupted();
        }
        whole
    }

    /// Returns the stable code, such as `store.locked`, by which a program tells errors apart.
    pub fn code(&self) -> &'static str {
        self.diagnose().code()
    }

    /// Returns the kind of failure, however deep the cause is.
    pub fn kind(&self) -> ErrorKind {
        match self.code() {
            INTERRUPTED => ErrorKind::Interrupted,
            _ => ErrorKind::Failed,
        }
    }
}

/// Diagnoses any error by its type. An unknown type has its own text as an argument.
pub fn diagnose(error: &(dyn Cause + 'static)) -> Diagnostic {
    macro_rules! known {
        ($($kind:ty => $of:expr),* $(,)?) => {
            $(if let Some(error) = error.downcast_ref::<$kind>() {
                return $of(error);
            })*
        };
    }
    known! {
        io::Error => system::of,
        Error => of,
        AddError => add,
        CheckoutError => checkout,
        StoreError => store::of,
        StorageError => store::of_storage,
        FrameDamage => store::of_frame_damage,
        FrameError => store::of_frame,
        PackError => store::of_pack,
        EnvelopeError => store::of_envelope,
        RecipeError => content::of_recipe,
        DeflateError => content::of_deflate,
        LayoutError => content::of_files,
        OutputError => content::of_output,
        VersionsError => content::of_versions,
        BundleError => content::of_bundle,
        ReceiptError => content::of_receipt,
        VolumeError => volumes::of,
        GeometryError => volumes::of_geometry,
        MediaError => volumes::of_media,
        BareHeadDamaged => |_| diagnostic!("media.bare_begin"),
        ChoiceError => oci::of_choice,
        LoadError => oci::of_load,
        ProgramError => of_program,
        TrustError => trust::of,
        KeyError => trust::of_key,
        ImageKeyError => trust::of_image_key,
        SealError => seal::of,
        ExportError => oci::of_export,
        ReferenceError => oci::of_reference,
        BackendError => backend,
        Interrupted => |_| interrupted(),
    }
    #[cfg(any(feature = "registry", feature = "serve"))]
    if let Some(error) = error.downcast_ref::<RegistryError>() {
        return registry::of(error);
    }
    #[cfg(feature = "object-store")]
    if let Some(error) = error.downcast_ref::<crate::store::storage::object::ObjectFault>() {
        return store::of_object(error);
    }
    let text = error.to_string();
    let one = diagnostic!("other", text);
    match error.source() {
        Some(source) => one.because(diagnose(source)),
        None => one,
    }
}

/// The operator asked to stop.
fn interrupted() -> Diagnostic {
    diagnostic!("interrupted")
}

fn backend(error: &BackendError) -> Diagnostic {
    match error {
        BackendError::Interrupted(_) => interrupted(),
        BackendError::Failed(cause) => boxed(cause.as_ref()),
    }
}

fn boxed(error: &(dyn Cause + Send + Sync + 'static)) -> Diagnostic {
    diagnose(error)
}

/// Diagnoses what kept a store's releases from being read or written. What the store refuses says all by itself.
fn unread(error: &(dyn Cause + Send + Sync + 'static)) -> Diagnostic {
    let cause = boxed(error);
    match error.downcast_ref() {
        Some(
            StoreError::RootTaken { .. }
            | StoreError::PrunedMeanwhile { .. }
            | StoreError::Maintained { .. }
            | StoreError::Superseded
            | StoreError::NoConditions { .. },
        ) => cause,
        _ => diagnostic!("store.releases_unread").because(cause),
    }
}

fn of(error: &Error) -> Diagnostic {
    match error {
        Error::Add(error) => add(error),
        Error::Checkout(error) => checkout(error),
        Error::Load(error) => oci::of_load(error),
        Error::Program(error) => of_program(error),
        Error::Trust(error) => trust::of(error),
        Error::Seal(error) => seal::of(error),
        Error::Sealed { set, source } => seal::of_set(set, source),
        Error::Bundle(error) => content::of_bundle(error),
        Error::Media(error) => volumes::of_media(error),
        Error::Output(error) => content::of_output(error),
        Error::Volume(error) => volumes::of(error),
        Error::Store(error) => store::of(error),
        Error::Recipe(error) => content::of_recipe(error),
        Error::Interrupted(_) => interrupted(),
        Error::Versions(error) => content::of_versions(error),
        #[cfg(any(feature = "registry", feature = "serve"))]
        Error::Registry(error) => registry::of(error),
        Error::Choice(error) => oci::of_choice(error),
        Error::Unsigned { images } => oci::of_unsigned(images),
        Error::NotWhole { release } => diagnostic!("release.not_whole", release),
        Error::NoSuchRelease { name, has } => {
            diagnostic!("release.not_found", release = name, has, count = has.len())
        }
        Error::UnreadableReleases { names } => {
            diagnostic!("release.unreadable", releases = names, count = names.len())
        }
        Error::UnreadRoot { name, why } => {
            diagnostic!("release.root_unread", release = name).because((**why).clone())
        }
        Error::OtherThere { name, ours, theirs } => {
            let (ours, theirs) = (ours.to_string(), theirs.to_string());
            diagnostic!("release.other_there", release = name, ours, theirs)
        }
        Error::RootsGone { path } => diagnostic!("store.roots_gone", path),
        Error::Releases(source) => unread(source.as_ref()),
        Error::NotForPlatform { platforms, has } => {
            diagnostic!("release.not_for_platform", platforms, has)
        }
        Error::Refused { release, what, why } => {
            diagnostic!("release.refused", release, what, why = &**why)
        }
        Error::BundleIncomplete { release, chunks } => {
            diagnostic!("bundle.incomplete", release, chunks = *chunks)
        }
        Error::StreamChanged { blob, source } => {
            let blob = blob.short().to_string();
            diagnostic!("add.stream_changed", blob).because(content::of_recipe(source))
        }
        #[cfg(feature = "registry")]
        Error::NoRegistry { given } => diagnostic!("registry.bad_address", given),
        #[cfg(feature = "registry")]
        Error::NoSuchHost { host, has } => diagnostic!("registry.no_such_host", host, has),
        #[cfg(any(feature = "registry", feature = "serve"))]
        Error::NoImages { releases } => diagnostic!("image.none_named", releases),
        Error::NoCodes => diagnostic!("receipt.no_codes", most = crate::bundle::receipt::CODES_MAX),
        Error::NoReceipt { given } => diagnostic!("receipt.not_found", given),
        Error::Receipt { given, source } => {
            diagnostic!("receipt.unusable", given).because(content::of_receipt(source))
        }
        Error::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        } => no_space(path, *needed_bytes, *free_bytes),
        Error::DiskFull {
            path,
            needed_bytes,
            source,
        } => {
            let needed_bytes = ByteSize(*needed_bytes);
            diagnostic!("space.disk_full", path, needed_bytes).because(of(source))
        }
        Error::Entangled { path, store } => diagnostic!("store.entangled", path, store),
        Error::Io { path, source } => at_path(path, source),
        other => of_set(other),
    }
}

/// Diagnoses errors of volume sets.
fn of_set(error: &Error) -> Diagnostic {
    match error {
        Error::NoVolumes { paths, looks } => {
            let details = looks.iter().filter_map(volumes::of_look).collect();
            diagnostic!("volume.none_found", paths).with_details(details)
        }
        Error::NoSuchVolume { volume_no, volumes } => {
            let (volume_no, volumes) = (*volume_no, *volumes);
            diagnostic!("volume.no_such_number", volume_no, volumes)
        }
        Error::ManySpares {
            spare_volumes,
            data_volumes,
            most,
        } => diagnostic!(
            "pack.many_spares",
            spare_volumes = *spare_volumes,
            data_volumes = *data_volumes,
            most = *most
        ),
        Error::NoSuchSet { name, has } => {
            diagnostic!("receive.no_such_set", set = name, has, count = has.len())
        }
        Error::TooManySets => diagnostic!("receive.too_many_sets"),
        Error::WrongBlocks { volumes, source } => {
            diagnostic!("receive.wrong_blocks", volumes).because(of(source))
        }
        Error::WouldReplace {
            set,
            release,
            here,
            comes,
        } => diagnostic!(
            "receive.would_replace",
            set = set.short(),
            release,
            here = here.short(),
            comes = comes.short()
        ),
        Error::OlderSet {
            set,
            date,
            newer,
            newer_date,
            release,
        } => diagnostic!(
            "receive.older",
            set = set.short(),
            date,
            newer = newer.short(),
            newer_date,
            release
        ),
        Error::OtherSite {
            set,
            site,
            store,
            here,
        } => {
            let here: String = here.to_string().chars().take(store.len()).collect();
            diagnostic!(
                "receive.other_site",
                set = set.short(),
                site,
                made_for = store,
                here
            )
        }
        other => diagnostic!("other", text = other.to_string()),
    }
}

/// Diagnoses errors of programs that are to be carried on volumes.
fn of_program(error: &ProgramError) -> Diagnostic {
    match error {
        ProgramError::NotAProgram { path } => diagnostic!("pack.not_a_program", path),
        ProgramError::UnknownMachine { path, machine } => {
            diagnostic!("pack.unknown_machine", path, machine = *machine)
        }
        ProgramError::NotStatic { path } => diagnostic!("pack.program_not_static", path),
        ProgramError::TooLarge { path, limit_bytes } => {
            let limit_bytes = ByteSize(*limit_bytes);
            diagnostic!("pack.program_too_large", path, limit_bytes)
        }
        ProgramError::SameMachine { first, second } => {
            diagnostic!("pack.two_programs", first, second)
        }
    }
}

/// Adds the message of a registry or a program.
fn said(one: Diagnostic, message: &str) -> Diagnostic {
    match message {
        "" => one,
        text => one.because(diagnostic!("other", text)),
    }
}

fn no_space(path: &std::path::Path, needed_bytes: u64, free_bytes: u64) -> Diagnostic {
    let (needed_bytes, free_bytes) = (ByteSize(needed_bytes), ByteSize(free_bytes));
    diagnostic!("space.too_little", path, needed_bytes, free_bytes)
}

/// Diagnoses a failed call to the file system.
fn at_path(path: &std::path::Path, source: &io::Error) -> Diagnostic {
    diagnostic!("system.io", path).because(system::of(source))
}

fn add(error: &AddError) -> Diagnostic {
    match error {
        AddError::Nothing => diagnostic!("add.nothing"),
        AddError::SameName {
            name,
            first,
            second,
        } => diagnostic!("add.same_name", name, first, second),
        AddError::Unfit { path, why } => content::unfit(path, *why),
        AddError::Unreadable { first, count } => {
            let details = first.iter().map(|(path, why)| at_path(path, why)).collect();
            let more = count.saturating_sub(first.len().try_into().unwrap_or(u64::MAX));
            diagnostic!("add.unreadable", count = *count, more).with_details(details)
        }
        AddError::Entangled { path, store } => diagnostic!("add.entangled", path, store),
        AddError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => {
            let (needed_bytes, free_bytes) = (ByteSize(*needed_bytes), ByteSize(*free_bytes));
            diagnostic!("space.too_little_to_add", path, needed_bytes, free_bytes)
        }
        #[cfg(feature = "registry")]
        AddError::Registry(error) => registry::of(error),
        #[cfg(feature = "registry")]
        AddError::Nowhere => diagnostic!("add.nowhere"),
        AddError::Layout(LayoutError::Recipe(RecipeError::Limit(what))) => {
            diagnostic!("add.too_repetitive", what = *what)
        }
        AddError::Layout(error) => content::of_files(error),
        AddError::Store { name, source } => {
            diagnostic!("add.not_stored", name).because(content::of_recipe(source))
        }
        AddError::Old { release, source } if is_fault(source) => {
            diagnostic!("add.release_unread", release).because(content::of_recipe(source))
        }
        AddError::Old { release, source } => {
            diagnostic!("add.release_damaged", release).because(content::of_recipe(source))
        }
        AddError::Releases(source) => unread(source.as_ref()),
        AddError::Interrupted(_) => interrupted(),
    }
}

fn checkout(error: &CheckoutError) -> Diagnostic {
    match error {
        CheckoutError::NoSuchRelease(name) => {
            diagnostic!("checkout.no_such_release", release = name.to_string())
        }
        CheckoutError::NoSuchItem { item, has } => diagnostic!("checkout.no_such_item", item, has),
        CheckoutError::NothingAttached => diagnostic!("image.nothing_attached"),
        CheckoutError::NotEmpty(path) => diagnostic!("checkout.not_empty", path),
        CheckoutError::InStore { dest, store } => {
            diagnostic!("checkout.in_store", path = dest, store)
        }
        CheckoutError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => {
            let (needed_bytes, free_bytes) = (ByteSize(*needed_bytes), ByteSize(*free_bytes));
            diagnostic!("checkout.no_space", path, needed_bytes, free_bytes)
        }
        CheckoutError::Manifest(error) if is_fault(error) => {
            diagnostic!("checkout.items_unread").because(content::of_recipe(error))
        }
        CheckoutError::Manifest(error) => {
            diagnostic!("checkout.items_damaged").because(content::of_recipe(error))
        }
        CheckoutError::Output(error) => content::of_output(error),
        CheckoutError::Layout(error) => content::of_files(error),
        CheckoutError::Choice(error) => oci::of_choice(error),
        CheckoutError::Outgoing(error) => oci::of_export(error),
        CheckoutError::Exists(path) => diagnostic!("checkout.exists", path),
        CheckoutError::Releases(source) => unread(source.as_ref()),
        CheckoutError::Interrupted(_) => interrupted(),
    }
}
