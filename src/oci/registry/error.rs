//! Errors of pulling, pushing and serving.

use std::path::{Path, PathBuf};

use crate::base::backend::BoxError;
use crate::base::monitor::Interrupted;
use crate::base::size::ByteSize;
use crate::oci::image::Digest;

/// The reason why something could not be pulled, pushed or served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// The registry does not answer, or the connection broke every time.
    #[error("{host} does not answer: {what}")]
    Unreachable {
        /// The registry.
        host: String,
        /// The request.
        what: String,
        /// The last failure.
        source: BoxError,
    },
    /// The registry answers, but the connection cannot be trusted.
    #[error("{host} cannot be trusted or does not speak TLS")]
    Tls {
        /// The registry.
        host: String,
        /// The error of TLS.
        source: BoxError,
    },
    /// The registry requires other credentials, or these do not suffice.
    #[error("{host} refuses access: {what}{}", said(message))]
    Denied {
        /// The registry.
        host: String,
        /// The request.
        what: String,
        /// The registry's message.
        message: String,
    },
    /// The registry does not have it.
    #[error("{host} has no {what}")]
    Absent {
        /// The registry.
        host: String,
        /// The request.
        what: String,
    },
    /// The registry answers with an error each time.
    #[error("{host} answers {status}: {what}{}", said(message))]
    Refused {
        /// The registry.
        host: String,
        /// The request.
        what: String,
        /// The HTTP status.
        status: u16,
        /// The registry's message.
        message: String,
    },
    /// The bytes do not match the digest.
    #[error("{what}: the bytes are not those of its digest: {got} came instead")]
    Mismatch {
        /// The request, with the digest.
        what: String,
        /// The digest of the received bytes.
        got: Digest,
    },
    /// It is longer or shorter than announced.
    #[error("{what}: {got_bytes} bytes came, and {bytes} were announced")]
    Length {
        /// The request.
        what: String,
        /// Bytes announced.
        bytes: u64,
        /// Bytes that came.
        got_bytes: u64,
    },
    /// It exceeds a limit.
    #[error("{what} is too large: {limit} is the limit")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: String,
    },
    /// The answer is malformed.
    #[error("{what}: {why}")]
    Corrupt {
        /// The request.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// No image in the index is for a requested platform.
    #[error("{what} has no image for {wanted}; it has {}", has.join(", "))]
    NoPlatform {
        /// The image.
        what: String,
        /// The requested platform.
        wanted: String,
        /// The platforms in the index.
        has: Vec<String>,
    },
    /// The content to be sent cannot be read.
    #[error("{what} cannot be read here")]
    Source {
        /// The blob.
        what: String,
        /// The error.
        source: BoxError,
    },
    /// Docker's file with credentials, or its helper, is unusable.
    #[error("credentials: {why}")]
    Credentials {
        /// What is wrong.
        why: String,
    },
    /// There is too little room.
    #[error("{} has {} free, and {} are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// The folder.
        path: PathBuf,
        /// Bytes that are free there.
        free_bytes: u64,
        /// Bytes that are needed.
        needed_bytes: u64,
    },
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The server cannot listen at the address.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RegistryError {
    /// Adds the path to an I/O error, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// Makes the error for a malformed answer.
    pub(crate) fn corrupt(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupt {
            what: what.into(),
            why: why.into(),
        }
    }

    /// Returns whether the other side does not have it, for what may be missing.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent { .. })
    }
}

fn said(message: &str) -> String {
    if message.is_empty() {
        String::new()
    } else {
        format!(" ({message})")
    }
}
