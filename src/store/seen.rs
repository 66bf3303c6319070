//! Collects what was noticed about a store. Damage and failed reads are kept apart.
//!
//! A failed read may pass, for example when a disk was unplugged or a permission is missing. Only bytes that were read
//! and are wrong are damage.

use crate::base::finding::Finding;
use crate::base::saying::Template;
use crate::store::storage::StorageError;

/// The finding for what could not be read, with the system's error.
pub const CANNOT_BE_READ: Template = Template::new("cannot be read now: {0}");

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
    Damage(String),
}

impl OpenNotes {
    /// Notes that something could not be read.
    pub(super) fn fault(&mut self, subject: impl Into<String>, error: &StorageError) {
        self.faults.push(fault(subject, error));
    }
}

/// Makes a finding about what could not be read.
pub(super) fn fault(subject: impl Into<String>, error: &StorageError) -> Finding {
    Finding::said(
        crate::base::finding::Severity::Note,
        subject,
        CANNOT_BE_READ.with(&error.source),
    )
}

impl From<StorageError> for Trouble {
    fn from(error: StorageError) -> Self {
        match error.source.kind() {
            std::io::ErrorKind::UnexpectedEof => Self::Damage("it is cut short".to_owned()),
            std::io::ErrorKind::FileTooLarge => Self::Damage(error.source.to_string()),
            _ => Self::Fault(error),
        }
    }
}
