//! Volume sets: an opaque payload laid out on data and spare volumes, and read back from whatever is left of them.
//!
//! The room knows blocks, stripes and media. It does not know the meaning of payload and catalog.

pub mod at_hand;
pub mod bare_head;
pub mod block;
pub mod blocks;
mod choices;
pub mod damage_map;
mod described;
pub mod descriptor;
mod early;
mod encode;
mod error;
pub mod geometry;
pub mod guarantee;
pub mod heal;
mod join;
pub mod media;
pub mod mend;
mod others;
pub mod parity;
pub mod plan;
pub mod read_media;
pub mod reader;
pub mod rebuild;
pub mod recovery;
pub mod signatures;
pub mod slices;
mod staged_images;
mod staged_slices;
pub mod staging;
pub mod write;
pub mod write_bare;

pub use blocks::{Blocks, PayloadReader};
pub use damage_map::damage_map;
pub use descriptor::SetDescriptor;
pub use error::VolumeError;
pub use guarantee::{Guarantee, guarantee};
pub use heal::HealReport;
pub use mend::Mended;
pub use plan::{SetPlan, SetRequest, plan};
pub(crate) use read_media::{MediaExtent, MediaRequest, read_media_for};
pub use read_media::{ReadMediaReport, SETS_MAX, SetRead, SetReadReport, VolumeRead, read_media};
pub use reader::{Discovery, SetReader, discover, discover_within};
pub(crate) use reader::{discover_contents, facts_of};
pub use rebuild::{RebuildReport, rebuild, rebuild_with};
pub use signatures::SetSignatures;
pub use staging::{Staging, WrongBlocks};
pub use write::{SetContent, SetExtras, SetReport, VolumeForm, describes, write, write_with};
