//! Container images: their documents, and the registries that they are pulled from and pushed to.

pub mod image;
pub mod pulls;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod registry;
