//! What went wrong with a request, in the words of the seam.
//!
//! The crate tells most errors apart by the status of the answer. The rest stands in the text of the answer.

use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use super::{Given, StorageError};
use crate::base::term::Action;

/// A request that failed for a reason that a person can do something about.
#[derive(Debug, thiserror::Error)]
pub enum ObjectFault {
    /// There is no such bucket.
    #[error("there is no such bucket")]
    NoBucket,
    /// The credentials are wrong, or there are none.
    #[error("the server refuses these credentials")]
    Credentials,
    /// The environment names a profile that no file has.
    #[error("there is no profile {profile}")]
    NoProfile {
        /// Its name.
        profile: String,
    },
    /// The credentials of a profile must be asked of somebody.
    #[error("profile {profile} has {setting}, which is not supported")]
    ProfileUnsupported {
        /// Its name.
        profile: String,
        /// The setting that says whom.
        setting: &'static str,
    },
    /// A file of profiles cannot be read.
    #[error("cannot read {}: {why}", path.display())]
    ProfileFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// No answer came, or none that is known.
    #[error("{0}")]
    Other(String),
}

/// Makes an error of storage of a failed request.
pub(super) fn of(action: Action, path: String, error: object_store::Error) -> StorageError {
    use object_store::Error as E;
    let text = texts(&error);
    let (kind, fault) = match &error {
        _ if ["NoSuchBucket", "bucket does not exist", "ContainerNotFound"]
            .iter()
            .any(|sign| text.contains(sign)) =>
        {
            (io::ErrorKind::Other, ObjectFault::NoBucket)
        }
        E::NotFound { .. } => (io::ErrorKind::NotFound, ObjectFault::Other(last(&error))),
        E::PermissionDenied { .. } | E::Unauthenticated { .. } => {
            (io::ErrorKind::PermissionDenied, ObjectFault::Credentials)
        }
        _ if is_refusal(&text) => (io::ErrorKind::PermissionDenied, ObjectFault::Credentials),
        _ => (io::ErrorKind::Other, ObjectFault::Other(last(&error))),
    };
    StorageError {
        action,
        path: path.into(),
        source: io::Error::new(kind, fault),
    }
}

/// Makes an error of storage of what a person can do something about.
pub(super) fn named(action: Action, path: String, fault: ObjectFault) -> StorageError {
    StorageError {
        action,
        path: path.into(),
        source: io::Error::other(fault),
    }
}

/// Returns whether a condition did not hold.
pub(super) fn is_lost(error: &object_store::Error, given: &Given) -> bool {
    use object_store::Error as E;
    match (error, given) {
        (E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. }, _) => true,
        // Some servers answer so when the object that was to be replaced is gone.
        (E::NotFound { .. }, Given::Unchanged(_)) => !texts(error).contains("NoSuchBucket"),
        _ => false,
    }
}

/// Returns whether the same request may succeed a moment later: a line that dropped, or a server that is busy.
pub(super) fn may_pass(error: &object_store::Error) -> bool {
    // The crate was patient with a server that cannot be reached.
    let is_final = || {
        let text = texts(error);
        text.contains("retries, max_retries") || is_refusal(&text)
    };
    matches!(error, object_store::Error::Generic { .. }) && !is_final()
}

/// Returns whether the server refused a request to list, or one of several for an object. The crate tells the statuses of
/// these by their text alone.
fn is_refusal(text: &str) -> bool {
    ["401 Unauthorized", "403 Forbidden"]
        .iter()
        .any(|status| text.contains(&format!("status code: {status}")))
}

/// Returns whether a range begins at the end of its object or behind it.
pub(super) fn is_beyond(error: &object_store::Error) -> bool {
    let text = texts(error);
    text.contains("416") && text.contains("Range") || text.contains("Wanted range")
}

/// The error with all of its causes.
fn texts(error: &object_store::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push('\n');
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// The innermost cause, on one line.
fn last(error: &object_store::Error) -> String {
    const MOST: usize = 300;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = error.to_string();
        cause = error.source();
    }
    let line: Vec<&str> = text.split_whitespace().collect();
    line.join(" ").chars().take(MOST).collect()
}
