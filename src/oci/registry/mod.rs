//! Registries: a client that pulls and pushes, and a read-only server, over the API of the OCI distribution specification.
//!
//! It does not know stores. Bytes are passed by traits, and by files of a folder that it is given. Everything that a
//! registry sends is bounded, and is checked by its digest before it is used.

mod error;
pub mod plan;
pub mod range;
#[cfg(any(feature = "registry", feature = "serve"))]
mod referrer;
mod source;
mod tls;

// The client.
#[cfg(feature = "registry")]
pub mod challenge;
#[cfg(feature = "registry")]
pub mod client;
#[cfg(feature = "registry")]
pub mod credentials;
#[cfg(feature = "registry")]
pub mod link;
#[cfg(feature = "registry")]
mod part;
#[cfg(feature = "registry")]
pub mod pull;
#[cfg(feature = "registry")]
pub mod push;

#[cfg(feature = "serve")]
pub mod server;

pub use self::error::RegistryError;
pub use self::source::BlobSource;
