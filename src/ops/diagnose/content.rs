//! Diagnoses errors of the content of releases, of files and folders, of bundles and of receipts.

use std::io;
use std::path::Path;

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::output::OutputError;
use crate::base::size::ByteSize;
use crate::bundle::BundleError;
use crate::bundle::receipt::ReceiptError;
use crate::content::recipe::{RecipeError, StreamError};
use crate::content::release::Refusal;
use crate::deflate::DeflateError;
use crate::files::LayoutError;
use crate::files::versions::VersionsError;
use crate::recode::RecodeError;

use super::{at_path, boxed, store, system};

pub(crate) fn of_recipe(error: &RecipeError) -> Diagnostic {
    match error {
        RecipeError::Chunk { id, source } => {
            let chunk = id.short().to_string();
            diagnostic!("recipe.chunk_unread", chunk).because(boxed(source.as_ref()))
        }
        RecipeError::Missing(id) => {
            diagnostic!("recipe.chunk_missing", chunk = id.short().to_string())
        }
        RecipeError::Corrupt(what) => diagnostic!("recipe.damaged", what = *what),
        RecipeError::Limit(what) => match what.settings() {
            Some(settings) => diagnostic!("recipe.cost_limit", what = *what, settings),
            None => diagnostic!("recipe.limit", what = *what),
        },
        RecipeError::Newer(what) => diagnostic!("recipe.newer_format", what),
        RecipeError::Mismatch(blob) => {
            diagnostic!("recipe.mismatch", blob = blob.short().to_string())
        }
        RecipeError::Remake { blob, source } => {
            let blob = blob.short().to_string();
            let because = match source {
                StreamError::Deflate(error) => of_deflate(error),
                StreamError::Recode(error) => of_recode(error),
            };
            diagnostic!("recipe.stream_not_remade", blob).because(because)
        }
        RecipeError::Ready { blob, source } => {
            let blob = blob.short().to_string();
            diagnostic!("recipe.ready_copy_unread", blob).because(boxed(source.as_ref()))
        }
        RecipeError::Store(source) => {
            diagnostic!("recipe.not_stored").because(boxed(source.as_ref()))
        }
        RecipeError::Write(source) => diagnostic!("recipe.not_written").because(system::of(source)),
        RecipeError::Interrupted(_) => super::interrupted(),
    }
}

pub(crate) fn of_deflate(error: &DeflateError) -> Diagnostic {
    match error {
        DeflateError::Io(source) => diagnostic!("deflate.io").because(system::of(source)),
        DeflateError::Corrupt(what) => diagnostic!("deflate.damaged", what = *what),
        DeflateError::Truncated => diagnostic!("deflate.ends_early"),
        DeflateError::PlainLimit(limit) => {
            diagnostic!("deflate.plain_limit", limit_bytes = ByteSize(*limit))
        }
        DeflateError::RatioLimit(times) => diagnostic!("deflate.ratio_limit", times = *times),
        DeflateError::RecipeLimit(per_mille) => {
            diagnostic!("deflate.recipe_limit", per_mille = *per_mille)
        }
        DeflateError::Stopped => super::interrupted(),
        DeflateError::Newer(version) => diagnostic!("deflate.newer_format", version = *version),
        DeflateError::Length => diagnostic!("deflate.other_length"),
    }
}

pub(crate) fn of_recode(error: &RecodeError) -> Diagnostic {
    match error {
        RecodeError::Io(source) => diagnostic!("recode.io").because(system::of(source)),
        RecodeError::Corrupt(what) => diagnostic!("recode.damaged", what = *what),
        RecodeError::Truncated => diagnostic!("recode.ends_early"),
        RecodeError::Unknown => diagnostic!("recode.unknown_writer"),
        RecodeError::Limit => diagnostic!("recode.limit"),
        RecodeError::RecipeLimit(per_mille) => {
            diagnostic!("recode.recipe_limit", per_mille = *per_mille)
        }
        RecodeError::Stopped => super::interrupted(),
        RecodeError::Newer(number) => diagnostic!("recode.newer_format", number = *number),
        RecodeError::Length => diagnostic!("recode.other_length"),
    }
}

pub(crate) fn of_files(error: &LayoutError) -> Diagnostic {
    match error {
        LayoutError::Io {
            action,
            path,
            source,
        } => diagnostic!("files.io", action = *action, path).because(system::of(source)),
        LayoutError::Changed(path) => diagnostic!("files.changed", path),
        LayoutError::Unfit { path, why } => unfit(path, *why),
        LayoutError::Hostile { path, why } => {
            diagnostic!("files.entry_refused", entry = path, why = *why)
        }
        LayoutError::NamesFold(path) => diagnostic!("files.names_fold", path),
        LayoutError::Recipe(error) => of_recipe(error),
        LayoutError::Interrupted(_) => super::interrupted(),
    }
}

/// Diagnoses a file or folder that no release can hold.
pub(crate) fn unfit(path: &Path, why: Refusal) -> Diagnostic {
    diagnostic!("files.unfit", path, why)
}

/// Diagnoses by the system's error, which decides what the operator can do.
pub(crate) fn of_output(error: &OutputError) -> Diagnostic {
    use io::ErrorKind as Io;
    match error {
        OutputError::Exists(path) => diagnostic!("output.exists", path),
        OutputError::Input { place, input } => {
            diagnostic!("output.is_input", path = place, input)
        }
        OutputError::BelowFile { place, file } if place == file => {
            diagnostic!("output.not_a_folder", path = place)
        }
        OutputError::BelowFile { place, file } => {
            diagnostic!("output.below_file", path = place, file)
        }
        OutputError::Io { place, source } => {
            let path = place;
            let one = match source.kind() {
                Io::NotFound => diagnostic!("output.no_folder", path),
                Io::PermissionDenied | Io::ReadOnlyFilesystem => {
                    diagnostic!("output.no_access", path)
                }
                Io::StorageFull => diagnostic!("output.disk_full", path),
                _ => diagnostic!("output.not_writable", path),
            };
            one.because(system::of(source))
        }
    }
}

pub(crate) fn of_versions(error: &VersionsError) -> Diagnostic {
    match error {
        VersionsError::Io { path, source } => at_path(path, source),
        VersionsError::NotALink(path) => diagnostic!("versions.not_a_link", path),
        VersionsError::Taken { path, holds } => diagnostic!("versions.taken", path, holds),
        VersionsError::NoPrevious(path) => diagnostic!("versions.no_previous", path),
    }
}

pub(crate) fn of_bundle(error: &BundleError) -> Diagnostic {
    match error {
        BundleError::Store(error) => store::of(error),
        BundleError::Recipe(error) => of_recipe(error),
        BundleError::Catalog(error) => {
            diagnostic!("bundle.catalog").because(store::of_envelope(error))
        }
        BundleError::Frame { frame_no, source } => {
            diagnostic!("bundle.frame", frame_no = *frame_no).because(store::of_frame(source))
        }
        BundleError::Payload(source) => diagnostic!("bundle.payload").because(system::of(source)),
        BundleError::Io { path, source } => at_path(path, source),
        BundleError::Interrupted(_) => super::interrupted(),
    }
}

pub(crate) fn of_receipt(error: &ReceiptError) -> Diagnostic {
    match error {
        ReceiptError::NotAReceipt => diagnostic!("receipt.not_a_receipt"),
        ReceiptError::Symbol { line, symbol } => {
            diagnostic!(
                "receipt.bad_symbol",
                line = *line,
                symbol = symbol.to_string()
            )
        }
        ReceiptError::Line { line } => diagnostic!("receipt.bad_line", line = *line),
        ReceiptError::Lines => diagnostic!("receipt.bad_lines"),
        ReceiptError::Newer(version) => diagnostic!("receipt.newer_format", version = *version),
        ReceiptError::Envelope(error) => {
            diagnostic!("receipt.not_a_receipt").because(store::of_envelope(error))
        }
        ReceiptError::Corrupt(what) => diagnostic!("receipt.not_a_receipt")
            .because(diagnostic!("receipt.bad_part", what = *what)),
    }
}
