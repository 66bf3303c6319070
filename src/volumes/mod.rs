//! Volume sets: an opaque payload laid out on data and spare volumes, read back from whatever is left of them.
//!
//! It knows blocks, stripes and media, and nothing of what the payload and the catalog mean.

pub mod absorb;
pub mod block;
pub mod blocks;
pub mod chart;
mod described;
pub mod descriptor;
mod encode;
mod error;
pub mod geometry;
pub mod heal;
pub mod incoming;
mod layout;
pub mod likelihood;
pub mod media;
pub mod mend;
mod others;
pub mod parity;
pub mod plan;
pub mod reader;
pub mod rebuild;
pub mod recovery;
mod spool;
pub mod write;

pub use absorb::{AbsorbReport, Absorbed, SETS_MAX, SetRead, VolumeRead, absorb, absorb_noting};
pub use blocks::{Blocks, PayloadReader};
pub use chart::chart;
pub use descriptor::SetDescriptor;
pub use error::VolumeError;
pub use heal::HealReport;
pub use incoming::Incoming;
pub use likelihood::{Guarantee, guarantee};
pub use mend::{Mended, WrongBlocks};
pub use plan::{SetPlan, SetRequest, plan};
pub use reader::{Discovery, SetReader, discover, facts_of};
pub use rebuild::{RebuildReport, rebuild};
pub use write::{OpenPiece, SetContent, SetReport, VolumeForm, write};
