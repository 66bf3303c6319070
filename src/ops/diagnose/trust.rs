//! Diagnoses errors of keys and of trust.

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::signing::KeyError;
use crate::oci::signatures::ImageKeyError;
use crate::ops::trust::TrustError;

/// Diagnoses why a key cannot be used, or why a set is not received.
pub(super) fn of(error: &TrustError) -> Diagnostic {
    match error {
        TrustError::KeyFile { path, source } => {
            diagnostic!("key.unusable", path).because(of_key(source))
        }
        TrustError::ImageKeyFile { path, source } => {
            diagnostic!("key.unusable", path).because(of_image_key(source))
        }
        TrustError::BadPattern { given } => diagnostic!("trust.bad_pattern", given),
        TrustError::NoKey { given } => diagnostic!("key.not_found", given),
        TrustError::NotMade(source) => of_key(source),
        TrustError::KeyExists { path } => diagnostic!("key.exists", path),
        TrustError::PublicName { path } => diagnostic!("key.public_name", path),
        TrustError::Damaged { path, message } => {
            diagnostic!("trust.damaged", path, what = message)
        }
        TrustError::NoSuchKey { given, has } => {
            diagnostic!("trust.no_such_key", given, has, count = has.len())
        }
        TrustError::NameTaken { name } => diagnostic!("trust.name_taken", name),
        TrustError::BadName => diagnostic!("trust.bad_name"),
        TrustError::Unsigned { set } => {
            diagnostic!("trust.unsigned", set = set.short().to_string())
        }
        TrustError::WrongSignature { set } => {
            diagnostic!("trust.wrong_signature", set = set.short().to_string())
        }
        TrustError::Stranger { set, keys } => {
            let set = set.short().to_string();
            diagnostic!("trust.stranger", set, keys, count = keys.len())
        }
        TrustError::Required { set } => {
            diagnostic!("trust.required", set = set.short().to_string())
        }
    }
}

/// Diagnoses why a text is no usable key.
pub(super) fn of_key(error: &KeyError) -> Diagnostic {
    match error {
        KeyError::NotPublic => diagnostic!("key.not_public"),
        KeyError::Secret => diagnostic!("key.secret"),
        KeyError::NotSecret => diagnostic!("key.not_secret"),
        KeyError::NeedsPassword => diagnostic!("key.needs_password"),
        KeyError::WrongPassword => diagnostic!("key.wrong_password"),
        KeyError::NotMade => diagnostic!("key.not_made"),
    }
}

/// Diagnoses why a text is no usable key for images.
pub(super) fn of_image_key(error: &ImageKeyError) -> Diagnostic {
    match error {
        ImageKeyError::NotPublic => diagnostic!("key.not_pem"),
        ImageKeyError::Secret => diagnostic!("key.secret"),
        ImageKeyError::Certificate => diagnostic!("key.certificate"),
        ImageKeyError::Unsupported => diagnostic!("key.unsupported"),
    }
}
