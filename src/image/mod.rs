//! Images: what names them, and what they are made of.
//!
//! Bytes only; where images come from and where they go is the affair of `registry` and of the verbs.

mod descriptor;
mod digest;
mod platform;
mod reference;

pub use self::descriptor::{
    DOCKER_LIST, DOCKER_MANIFEST, Descriptor, MANIFEST_BYTES_MAX, OCI_INDEX, OCI_MANIFEST,
    is_index, is_manifest,
};
pub use self::digest::{Digest, DigestError, Sha256};
pub use self::platform::{Platform, PlatformError};
pub use self::reference::{Reference, ReferenceError, is_host, is_repository, is_tag};
