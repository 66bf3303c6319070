//! Images of releases handed on: to a registry, to docker or containerd, and served to whoever pulls.

pub mod load;
pub mod push;
pub mod repositories;
pub mod serve;
