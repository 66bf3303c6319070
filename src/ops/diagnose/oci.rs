//! Diagnoses errors of images, and of the programs that load them.

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::oci::image::export::ExportError;
use crate::oci::image::{ChoiceError, ReferenceError};
use crate::oci::signatures::{ImageStanding, UnsignedImage};
use crate::ops::publish::load::LoadError;

use super::{content, said, system};

/// Most unsigned images that are named.
const UNSIGNED_SHOWN: usize = 16;

pub(crate) fn of_choice(error: &ChoiceError) -> Diagnostic {
    match error {
        ChoiceError::NoImages => diagnostic!("image.none"),
        ChoiceError::NoSuchImage { wanted, has } => {
            diagnostic!("image.not_found", image = wanted, has)
        }
        ChoiceError::NoSuchPlatform { platform, has } => {
            let platform = platform.to_string();
            diagnostic!("image.no_such_platform", platform, has)
        }
        ChoiceError::Several {
            name,
            images,
            by_platform,
        } => {
            let count = images.len();
            if *by_platform {
                diagnostic!("image.several_platforms", name, images, count)
            } else {
                diagnostic!("image.several", name, images, count)
            }
        }
    }
}

pub(crate) fn of_load(error: &LoadError) -> Diagnostic {
    match error {
        LoadError::Choice(error) => of_choice(error),
        LoadError::Outgoing(error) => of_export(error),
        LoadError::NoProgram => diagnostic!("load.no_program"),
        LoadError::NoneWorks { tried } => {
            let one = |program: &str, why: &str| {
                diagnostic!("load.does_not_work", program).because(diagnostic!("other", text = why))
            };
            let details = tried.iter().map(|tried| one(tried.program, &tried.why));
            diagnostic!("load.none_works").with_details(details.collect())
        }
        LoadError::Run { program, source } => {
            diagnostic!("load.not_run", program = *program).because(system::of(source))
        }
        LoadError::Failed {
            program,
            status,
            said: message,
        } => {
            let status = status.to_string();
            said(
                diagnostic!("load.failed", program = *program, status),
                message,
            )
        }
    }
}

pub(crate) fn of_export(error: &ExportError) -> Diagnostic {
    match error {
        ExportError::NotRunnable { image } => diagnostic!("image.not_runnable", image),
        ExportError::Missing { image, digest } => {
            diagnostic!("image.blob_missing", image, digest = digest.to_string())
        }
        ExportError::Mismatch { digest, found } => {
            let (digest, found) = (digest.to_string(), found.to_string());
            diagnostic!("image.blob_mismatch", digest, found)
        }
        ExportError::Blob { digest, source } => {
            let digest = digest.to_string();
            diagnostic!("image.blob_unread", digest).because(content::of_recipe(source))
        }
        ExportError::Write(source) => {
            diagnostic!("image.archive_not_written").because(system::of(source))
        }
        ExportError::Recipe(error) => content::of_recipe(error),
    }
}

pub(crate) fn of_reference(error: &ReferenceError) -> Diagnostic {
    match error {
        ReferenceError::Host => diagnostic!("reference.host"),
        ReferenceError::Repository => diagnostic!("reference.repository"),
        ReferenceError::Tag => diagnostic!("reference.tag"),
        ReferenceError::Digest => diagnostic!("reference.digest"),
    }
}

pub(crate) fn of_unsigned(images: &[UnsignedImage]) -> Diagnostic {
    let one = |image: &UnsignedImage| {
        let why = match image.standing {
            ImageStanding::OtherName => diagnostic!("signature.other_name"),
            ImageStanding::Wrong => diagnostic!("signature.wrong"),
            ImageStanding::Stranger => diagnostic!("signature.stranger"),
            ImageStanding::NotChecked => diagnostic!("signature.not_checked"),
            ImageStanding::NoManifest => diagnostic!("signature.no_manifest"),
            ImageStanding::NotSigned if image.is_index => {
                diagnostic!("signature.index_not_signed")
            }
            ImageStanding::NotSigned | ImageStanding::Verified => {
                diagnostic!("signature.not_signed")
            }
        };
        diagnostic!("signature.of", image = &image.name).because(why)
    };
    let details = images.iter().take(UNSIGNED_SHOWN).map(one);
    diagnostic!("signature.required", count = images.len()).with_details(details.collect())
}
