//! Machine code whose references are labels: in place of a distance or an address stands the address that the target
//! had in the old file.
//!
//! Where a program was only linked anew, everything has moved and nothing else has changed. Old and new bytes with labels
//! are then alike. *Segments* say where code and tables lie and which addresses they have, and a map gives the new
//! address for an old one. Both are in the frame. The fields are found again in the changed bytes, because no byte that
//! is changed decides where the next field lies.
//!
//! Code for x86-64 (`x86`) and for arm64 (`arm64`) is known. The writer needs ELF files (`sections`), the reader nothing
//! but segments and map.

mod address_map;
mod arm64;
mod fields;
mod find;
mod sections;
mod segment;
mod tables;
mod unwind;
pub mod x86;

pub use find::{FoundReferences, find};
pub use sections::{Layout, Layouts, Sections};
pub use tables::ReferenceTables;

/// Addresses are below this. In fields of four bytes the two bits above tell kinds of labels apart.
const ADDRESS_END: u32 = 1 << 30;
/// Jumps to nearer places keep their distances, forwards and backwards. They nearly always stay within a function, which
/// moves as a whole.
const NEAR: u32 = 1 << 15;
