//! The error of a part that is reached through a trait: a store, a registry's source of blobs, a cache.
//!
//! Such a part may fail for reasons of its own. Whether it was stopped is known by type, so no cause hides an interruption.

use std::io;
use std::num::TryFromIntError;

use crate::base::monitor::Interrupted;

/// A cause of any type. It stands in errors whose own type says that it is no interruption.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The reason why a part behind a trait failed.
///
/// The error types of the layers convert into it one by one. A conversion from every type would box their
/// interruptions, too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// It failed.
    #[error(transparent)]
    Failed(BoxError),
}

impl BackendError {
    /// Passes on an interruption as one, and makes an error of another type of any other cause.
    pub fn or<E: From<Interrupted>>(self, other: impl FnOnce(BoxError) -> E) -> E {
        match self {
            Self::Interrupted(stop) => stop.into(),
            Self::Failed(cause) => other(cause),
        }
    }
}

impl From<io::Error> for BackendError {
    fn from(error: io::Error) -> Self {
        match Interrupted::of_io(&error) {
            Some(stop) => stop.into(),
            None => Self::Failed(error.into()),
        }
    }
}

impl From<TryFromIntError> for BackendError {
    fn from(error: TryFromIntError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<&str> for BackendError {
    fn from(why: &str) -> Self {
        Self::Failed(why.into())
    }
}

impl From<String> for BackendError {
    fn from(why: String) -> Self {
        Self::Failed(why.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_stays_one_through_readers_and_writers() {
        let through = BackendError::from(io::Error::from(Interrupted));
        assert!(matches!(through, BackendError::Interrupted(_)));
        // The system calls a call that a signal broke off by the same word.
        let call = BackendError::from(io::Error::from(io::ErrorKind::Interrupted));
        assert!(matches!(call, BackendError::Failed(_)));
        let text = BackendError::from("interrupted");
        assert!(matches!(text, BackendError::Failed(_)));
    }
}
