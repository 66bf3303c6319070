//! Container images: their documents, their signatures, and the registries that they are pulled from and pushed to.

pub mod attachments;
pub mod image;
pub mod pulls;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod registry;
pub mod signatures;
