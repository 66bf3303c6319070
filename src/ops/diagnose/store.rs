//! Diagnoses errors of a store and of the files in it.

use std::io;
use std::path::Path;

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::envelope::EnvelopeError;
use crate::content::frame::FrameError;
use crate::content::pack::PackError;
use crate::content::release::ReleaseName;
#[cfg(feature = "object-store")]
use crate::store::storage::object::ObjectFault;
use crate::store::storage::{StorageError, is_address};
use crate::store::{FrameDamage, StoreError};

pub fn of(error: &StoreError) -> Diagnostic {
    match error {
        StoreError::NotAStore { path } => {
            diagnostic!("store.not_a_store", path, held_in = held_in(path))
        }
        StoreError::AlreadyAStore { path } => diagnostic!("store.already_a_store", path),
        StoreError::NotEmpty { path, entry } => {
            let entry = entry.file_name().unwrap_or_default().to_string_lossy();
            diagnostic!("store.not_empty", path, entry = &*entry)
        }
        StoreError::BelowFile { path } => diagnostic!("store.below_file", path),
        StoreError::Linked { path } => diagnostic!("store.linked", path),
        StoreError::Locked { path } => diagnostic!("store.locked", path),
        StoreError::Served { path } => diagnostic!("store.served", path),
        StoreError::ReadOnly { path } => diagnostic!("store.read_only", path),
        StoreError::WriterBusy { path } => diagnostic!("store.writer_busy", path),
        StoreError::Unsupported { path, found, known } => diagnostic!(
            "store.newer_format",
            path,
            found = found.to_string(),
            known = known.to_string()
        ),
        StoreError::BadSettings { path, message } => {
            let held_in = held_in(path);
            diagnostic!("store.bad_settings", path, what = message, held_in)
        }
        StoreError::BadLimits { path, message } => {
            diagnostic!("store.bad_limits", path, what = message)
        }
        StoreError::BadRoot { stem, source } => {
            let name = ReleaseName::from_file_stem(stem);
            let release = name.map_or_else(|_| stem.clone(), |name| name.to_string());
            diagnostic!("store.root_damaged", release).because(of_envelope(source))
        }
        StoreError::NoSuchRoot { stem } => diagnostic!("store.no_such_root", root = stem),
        StoreError::BadRootName { stem } => diagnostic!("store.bad_root_name", root = stem),
        StoreError::BadIndex { name, source } => {
            diagnostic!("store.index_damaged", index = name).because(of_envelope(source))
        }
        StoreError::BadAddress { .. }
        | StoreError::PrefixTaken { .. }
        | StoreError::NoConditions { .. }
        | StoreError::NotInBucket { .. }
        | StoreError::RootTaken { .. }
        | StoreError::Maintained { .. }
        | StoreError::Superseded
        | StoreError::PrunedMeanwhile { .. } => of_shared(error),
        StoreError::WriterFailed => diagnostic!("store.writer_failed"),
        StoreError::Interrupted(_) => super::interrupted(),
        StoreError::Storage(error) => of_storage(error),
        other => of_chunk(other),
    }
}

/// Says for the hint what a store is in, because what helps in a folder is refused in a bucket.
fn held_in(path: &Path) -> &'static str {
    if is_address(path) { "bucket" } else { "folder" }
}

/// Diagnoses what only happens where other machines write to a store.
fn of_shared(error: &StoreError) -> Diagnostic {
    match error {
        StoreError::BadAddress { place } => diagnostic!("store.bad_address", place),
        StoreError::PrefixTaken { place, entry } => {
            diagnostic!("store.prefix_taken", place, entry)
        }
        StoreError::NoConditions { place } => diagnostic!("store.no_conditions", place),
        StoreError::NotInBucket { place } => diagnostic!("store.not_in_bucket", place),
        StoreError::RootTaken { stem, ours, theirs } => {
            let name = ReleaseName::from_file_stem(stem);
            let release = name.map_or_else(|_| stem.clone(), |name| name.to_string());
            let ours = ours.to_string();
            match theirs.map(|theirs| theirs.to_string()) {
                Some(theirs) => diagnostic!("store.root_taken", release, ours, theirs),
                None => diagnostic!("store.root_removed", release, ours),
            }
        }
        StoreError::Maintained { place, seconds } => {
            let minutes = seconds.div_ceil(60);
            diagnostic!("store.maintained", place, minutes)
        }
        StoreError::Superseded => diagnostic!("store.superseded"),
        StoreError::PrunedMeanwhile { stem, chunks } => {
            let name = ReleaseName::from_file_stem(stem);
            let release = name.map_or_else(|_| stem.clone(), |name| name.to_string());
            diagnostic!("store.pruned_meanwhile", release, chunks = *chunks)
        }
        other => diagnostic!("other", text = other.to_string()),
    }
}

/// Diagnoses why a server did not do what it was asked.
#[cfg(feature = "object-store")]
pub(crate) fn of_object(error: &ObjectFault) -> Diagnostic {
    match error {
        ObjectFault::NoBucket => diagnostic!("store.no_bucket"),
        ObjectFault::Credentials => diagnostic!("store.credentials"),
        ObjectFault::NoProfile { profile } => diagnostic!("store.no_profile", profile),
        ObjectFault::ProfileUnsupported { profile, setting } => {
            diagnostic!("store.profile_unsupported", profile, setting = *setting)
        }
        ObjectFault::ProfileFile { path, why } => diagnostic!("store.profile_file", path, why),
        ObjectFault::Other(text) => diagnostic!("store.server", text),
    }
}

fn of_chunk(error: &StoreError) -> Diagnostic {
    match error {
        StoreError::NoSuchChunk { id } => {
            diagnostic!("store.no_such_chunk", chunk = id.to_string())
        }
        StoreError::DamagedChunk {
            id, pack, source, ..
        } => {
            let (chunk, pack) = (id.to_string(), pack.to_string());
            diagnostic!("store.chunk_damaged", chunk, pack).because(of_frame_damage(source))
        }
        StoreError::QuarantinedChunk { id } => {
            diagnostic!("store.chunk_quarantined", chunk = id.to_string())
        }
        StoreError::DamagedFrame {
            pack,
            offset,
            source,
        } => {
            let (pack, offset) = (pack.to_string(), *offset);
            diagnostic!("store.frame_damaged", pack, offset).because(of_frame_damage(source))
        }
        StoreError::ChunkLength { bytes } => diagnostic!("store.chunk_length", bytes = *bytes),
        other => diagnostic!("other", text = other.to_string()),
    }
}

/// Diagnoses by the system's error, which decides what the operator can do.
pub(crate) fn of_storage(error: &StorageError) -> Diagnostic {
    let (action, path) = (error.action, &error.path);
    #[cfg(feature = "object-store")]
    if let Some(fault) = error
        .source
        .get_ref()
        .and_then(|inner| inner.downcast_ref())
    {
        return diagnostic!("store.request_failed", action, path).because(of_object(fault));
    }
    let one = match error.source.kind() {
        io::ErrorKind::StorageFull => diagnostic!("store.disk_full", action, path),
        io::ErrorKind::PermissionDenied => diagnostic!("store.no_access", action, path),
        _ => diagnostic!("store.unreadable", action, path),
    };
    one.because(super::system::of(&error.source))
}

pub(crate) fn of_frame_damage(error: &FrameDamage) -> Diagnostic {
    match error {
        FrameDamage::Frame(error) => of_frame(error),
        FrameDamage::Pack => diagnostic!("pack_file.missing_or_short"),
    }
}

pub(crate) fn of_pack(error: &PackError) -> Diagnostic {
    match error {
        PackError::NotAPack => diagnostic!("pack_file.not_a_pack"),
        PackError::Unsupported(version) => {
            diagnostic!("pack_file.newer_format", version = *version)
        }
        PackError::Corrupt(what) => diagnostic!("pack_file.damaged", what = *what),
    }
}

pub(crate) fn of_frame(error: &FrameError) -> Diagnostic {
    match error {
        FrameError::NotAFrame => diagnostic!("frame.not_a_frame"),
        FrameError::Unsupported(version) => diagnostic!("frame.newer_format", version = *version),
        FrameError::Unknown(what) => diagnostic!("frame.unknown_feature", what = *what),
        FrameError::Corrupt(what) => diagnostic!("frame.damaged", what = *what),
        FrameError::Base(chunk) => diagnostic!("frame.base_unread", chunk = chunk.to_string()),
    }
}

pub(crate) fn of_envelope(error: &EnvelopeError) -> Diagnostic {
    match error {
        EnvelopeError::NotThis => diagnostic!("envelope.wrong_kind"),
        EnvelopeError::Corrupt(what) => diagnostic!("envelope.damaged", what = *what),
        EnvelopeError::Unsupported { found, known } => {
            diagnostic!("envelope.newer_format", found = *found, known = *known)
        }
        EnvelopeError::UnknownFlags(flags) => {
            diagnostic!("envelope.unknown_features", flags = format!("{flags:#x}"))
        }
    }
}
