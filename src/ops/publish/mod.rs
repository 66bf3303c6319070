//! Images of releases handed on: to a registry, to docker or containerd, and served to whoever pulls.

pub mod load;
#[cfg(feature = "registry")]
pub mod push;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod repositories;
#[cfg(feature = "serve")]
pub mod serve;
