//! Headers of archives, parsed as far as the members must be found and named.
//!
//! These are pure parsers of bytes. `layouts` reads them into recipes, and `contents` lists the files of a release.

pub(crate) mod ar;
pub(crate) mod cpio;
pub(crate) mod git_pack;
pub(crate) mod rpm;
pub mod tar;
pub mod zip;
