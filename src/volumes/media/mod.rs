//! Media: what a volume lies on, from the folder or image that it is written to down to the blocks found on a damaged
//! disc.
//!
//! It knows blocks and their headers. `volumes` knows what they protect and carry.

pub mod burner;
pub(crate) mod companion;
mod direct;
pub mod drive;
mod error;
pub mod images;
mod iso;
mod iso_files;
pub mod kind;
pub mod labels;
pub mod look;
pub mod map;
pub mod markup;
pub mod medium_facts;
pub mod page;
mod rescue_map;
pub mod scan;
pub mod source;
mod surviving;
mod text_mode;
pub mod volume_files;
mod window;

pub use companion::{CompanionFile, ProgramNote};
pub use error::{MediaError, NotBack};
pub(crate) use iso::check_program;
pub use kind::{Capacity, Carrier, CompanionRoom, MediaKind};
pub(crate) use rescue_map::is_rescue_map;
pub use scan::{HeaderOrigin, ScanReport, Sighting, scan};
pub use source::{AccessPattern, MediaSource};
pub use text_mode::TextMode;
pub use volume_files::{PageNotes, ReadBack, VolumeFacts, VolumeWriter};
