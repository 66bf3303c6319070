//! Registries: a client that pulls and pushes, and a read-only server, over the API of the OCI distribution specification.
//!
//! It knows nothing of stores: bytes come and go by traits, and by files of a folder that it is given. Everything that a
//! registry sends is bounded, and checked by its digest before it is used.

pub mod challenge;
pub mod client;
pub mod credentials;
mod error;
pub mod link;
mod part;
pub mod pull;
pub mod push;
pub mod range;
pub mod server;
mod source;
mod tls;

pub use self::error::RegistryError;
pub use self::source::BlobSource;
