//! Headers of archives, as far as their members must be found and named.
//!
//! Pure parsers of bytes: what is read into recipes is the affair of `layouts`, what lies in a release that of `contents`.

pub mod tar;
pub mod zip;
