//! Container images: their documents, their signatures, and the registries that they are pulled from and pushed to. Beside
//! them the repositories of packages that are not images.

pub mod attachments;
pub mod image;
pub mod pulls;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod registry;
pub mod repos;
pub mod signatures;
