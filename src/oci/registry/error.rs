//! What can go wrong between here and a registry.

use std::path::{Path, PathBuf};

use crate::base::monitor::Interrupted;
use crate::base::size::ByteSize;
use crate::content::recipe::BoxError;
use crate::oci::image::Digest;

/// Says why something could not be pulled, pushed or served.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is nobody, or the line broke every time.
    #[error("{host} does not answer: {what}")]
    Unreachable {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// The last failure.
        source: BoxError,
    },
    /// It speaks, but not over a connection that can be trusted.
    #[error("{host} cannot be trusted or does not speak TLS")]
    Tls {
        /// The registry.
        host: String,
        /// What TLS says.
        source: BoxError,
    },
    /// It wants other credentials, or they do not suffice.
    #[error("{host} refuses access: {what}{}", said(message))]
    Denied {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// What the registry says.
        message: String,
    },
    /// It has no such thing.
    #[error("{host} has no {what}")]
    Absent {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// It answers with an error, each time.
    #[error("{host} answers {status}: {what}{}", said(message))]
    Refused {
        /// The registry.
        host: String,
        /// What was asked for.
        what: String,
        /// The HTTP status.
        status: u16,
        /// What the registry says.
        message: String,
    },
    /// The bytes are not those of the digest.
    #[error("{what}: the bytes are not those of its digest: {got} came instead")]
    Mismatch {
        /// What was asked for, with its digest.
        what: String,
        /// The digest of what came.
        got: Digest,
    },
    /// It is longer or shorter than it is said to be.
    #[error("{what}: {got_bytes} bytes came, and {bytes} were announced")]
    Length {
        /// What was asked for.
        what: String,
        /// Bytes announced.
        bytes: u64,
        /// Bytes that came.
        got_bytes: u64,
    },
    /// It is beyond a limit.
    #[error("{what} is too large: {limit} is the limit")]
    TooLarge {
        /// What is too large.
        what: String,
        /// The limit.
        limit: String,
    },
    /// It does not say what it should.
    #[error("{what}: {why}")]
    Corrupt {
        /// What was asked for.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// No image in the index is for a platform that was asked for.
    #[error("{what} has no image for {wanted}; it has {}", has.join(", "))]
    NoPlatform {
        /// The image.
        what: String,
        /// What was asked for.
        wanted: String,
        /// The platforms there are.
        has: Vec<String>,
    },
    /// What is to be sent cannot be read.
    #[error("{what} cannot be read here")]
    Source {
        /// The blob.
        what: String,
        /// Why.
        source: BoxError,
    },
    /// Docker's file with credentials, or the helper that it names, is of no use.
    #[error("credentials: {why}")]
    Credentials {
        /// What is wrong.
        why: String,
    },
    /// There is too little room.
    #[error("{} has {} free, and {} are needed", path.display(), ByteSize(*free_bytes), ByteSize(*needed_bytes))]
    NoSpace {
        /// Where.
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
        /// What the system says.
        source: std::io::Error,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}")]
    Listen {
        /// The address.
        address: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// A stop was asked for.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl RegistryError {
    /// Gives an I/O error its path, for `map_err`.
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    /// What the other side sent makes no sense.
    pub(crate) fn corrupt(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Corrupt {
            what: what.into(),
            why: why.into(),
        }
    }

    /// Whether the other side has no such thing: for what may be missing.
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
