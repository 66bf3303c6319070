//! Collects what was noticed about a store. Damage and failed reads are kept apart.
//!
//! A failed read may pass, for example when a disk was unplugged or a permission is missing. Only bytes that were read
//! and are wrong are damage.

use crate::base::diagnostic::{Arg, Diagnostic, diagnostic};
use crate::base::finding::{Finding, Subject};
use crate::store::storage::StorageError;

/// What was noticed while a store was opened or checked.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenNotes {
    /// Damage that was found.
    pub(super) findings: Vec<Finding>,
    /// What could not be read.
    pub(super) faults: Vec<Finding>,
}

/// The reason why something in a store cannot be used.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It could not be read.
    Fault(StorageError),
    /// It was read and is wrong.
    Damage(Diagnostic),
}

impl OpenNotes {
    /// Notes that something could not be read.
    pub(super) fn fault(&mut self, subject: impl Into<Subject>, error: StorageError) {
        self.faults.push(fault(subject, error));
    }
}

/// Makes a finding about what could not be read.
pub(super) fn fault(subject: impl Into<Subject>, error: StorageError) -> Finding {
    let why = Arg::caught(error.source);
    Finding::note(subject, diagnostic!("store.cannot_be_read_now", why))
}

impl Trouble {
    /// The damage that an error tells of.
    pub(super) fn damage(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        let why = Arg::caught(error);
        Self::Damage(diagnostic!("store.file_damaged", why))
    }
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        match error.source.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Damage(diagnostic!("store.file_cut_short")),
            std::io::ErrorKind::FileTooLarge => Self::damage(error.source),
            _ => Self::Fault(error),
        }
    }
}
