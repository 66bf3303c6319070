//! What the tests are made with.

pub mod archives;
pub mod bad_sectors;
pub mod bytes;
pub mod cosign;
pub mod daemons;
pub mod drive;
pub mod evil;
pub mod golden;
pub mod harm;
pub mod linked;
pub mod made;
pub mod minified;
pub mod misbehaving;
pub mod own_process;
pub mod packed;
pub mod programs;
pub mod real;
pub mod redact;
pub mod registry_parts;
pub mod shared;
pub mod shown;
pub mod stage;
pub mod stores;
pub mod tree;
pub mod trees;
