//! Operations that hand images of releases on: push to a registry, load into docker or containerd, and serve for pulls.

pub mod load;
#[cfg(feature = "registry")]
pub mod push;
#[cfg(any(feature = "registry", feature = "serve"))]
pub mod repositories;
#[cfg(feature = "serve")]
pub mod serve;
mod signed;
