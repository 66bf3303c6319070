//! Container images: their documents, and the registries they come from and go to.

pub mod image;
pub mod pulls;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod registry;
