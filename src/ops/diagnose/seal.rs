//! Diagnoses errors of sealing and opening.

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::id::SetId;
use crate::base::sealing::SealError;

use super::{at_path, system};

/// Diagnoses why something cannot be sealed, or a file of recipients or identities cannot be used.
pub(super) fn of(error: &SealError) -> Diagnostic {
    diagnose(error, "none")
}

fn diagnose(error: &SealError, set: &str) -> Diagnostic {
    match error {
        SealError::NotARecipient { given } => diagnostic!("seal.not_a_recipient", given),
        SealError::SecretForRecipient => diagnostic!("seal.secret_for_recipient"),
        SealError::RecipientLine { path, line } => {
            diagnostic!("seal.recipient_line", path, line = *line)
        }
        SealError::IdentityLine { path, line } => {
            diagnostic!("seal.identity_line", path, line = *line)
        }
        SealError::RecipientForIdentity { path, line } => {
            diagnostic!("seal.recipient_for_identity", path, line = *line)
        }
        SealError::Protected { path } => diagnostic!("seal.protected", path),
        SealError::Empty { path } => diagnostic!("seal.empty", path),
        SealError::Io { path, source } => at_path(path, source),
        SealError::NoIdentity => diagnostic!("seal.no_identity", set),
        SealError::NoPassphrase => diagnostic!("seal.no_passphrase", set),
        SealError::OtherIdentity => diagnostic!("seal.other_identity", set),
        SealError::WrongPassphrase => diagnostic!("seal.wrong_passphrase", set),
        SealError::Header => diagnostic!("seal.header", set),
        SealError::Content(source) => diagnostic!("seal.content", set).because(system::of(source)),
    }
}

/// Diagnoses why a sealed set stays closed.
pub(super) fn of_set(set: &SetId, error: &SealError) -> Diagnostic {
    diagnose(error, &set.short().to_string())
}
