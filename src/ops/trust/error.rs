//! Errors of keys and of trust.

use std::path::PathBuf;

use crate::base::id::SetId;
use crate::base::signing::KeyError;
use crate::oci::signatures::ImageKeyError;

/// Says why a key cannot be used, or why a set is not received.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// A file is not a usable key.
    #[error("{}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: KeyError,
    },
    /// A file is not a usable key for images.
    #[error("{}", path.display())]
    ImageKeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: ImageKeyError,
    },
    /// A text is no pattern of images, or one of too many.
    #[error("{given:?} is no pattern of images")]
    BadPattern {
        /// The beginning of the text.
        given: String,
    },
    /// A text is neither a public key nor the name of a file with one.
    #[error("{given:?} is neither a public key nor a file with one")]
    NoKey {
        /// The beginning of the text.
        given: String,
    },
    /// A key cannot be made.
    #[error("the key cannot be made")]
    NotMade(#[source] KeyError),
    /// A file of the new key exists.
    #[error("{} is there already", path.display())]
    KeyExists {
        /// The file.
        path: PathBuf,
    },
    /// The secret key was given the name of a public one.
    #[error("{} would be the secret key, and names like this one are for public keys", path.display())]
    PublicName {
        /// The file.
        path: PathBuf,
    },
    /// The file with the trusted keys makes no sense, so nobody is trusted and nothing is received.
    #[error("{} cannot be understood: {message}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        message: String,
    },
    /// No trusted key has this id or name.
    #[error("no trusted key {given}")]
    NoSuchKey {
        /// The id or name that was given.
        given: String,
        /// The keys that are trusted.
        has: Vec<String>,
    },
    /// Another key has this name.
    #[error("{name} is another key's name")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// The name cannot be shown on one line.
    #[error("not a name for a key")]
    BadName,
    /// The set is not signed, and the site takes signed sets only.
    #[error("set {} is not signed", set.short())]
    Unsigned {
        /// The set.
        set: SetId,
    },
    /// The set has signatures, and none of them is right.
    #[error("set {} has a signature that is wrong", set.short())]
    WrongSignature {
        /// The set.
        set: SetId,
    },
    /// The set is signed, and not with a key that the site trusts.
    #[error("set {} is signed with a key that nobody trusts here: {}", set.short(), keys.join(", "))]
    Stranger {
        /// The set.
        set: SetId,
        /// Ids of the keys that it is signed with.
        keys: Vec<String>,
    },
    /// Unsigned sets were asked for, and the site is set to refuse them always.
    #[error("set {}: this site takes signed sets only", set.short())]
    Required {
        /// The set.
        set: SetId,
    },
}
