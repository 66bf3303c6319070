//! The content of releases, in memory: chunks, frames, packs, recipes, and the archives and streams that are opened
//! into them.

pub mod archive;
pub(crate) mod bindiff;
pub mod chunk;
pub mod content_kind;
pub mod contents;
pub mod elf;
pub mod filter;
pub mod frame;
pub mod index;
pub mod pack;
pub mod recipe;
pub mod references;
pub mod release;
pub mod renames;
