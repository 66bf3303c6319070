//! A bundle: the releases of one delivery and the chunks they need, as a catalog and a payload of solid frames.
//!
//! It knows stores and releases. Laying out the payload on volumes is the work of `volumes`.

mod archs;
mod bases;
mod catalog;
mod cut;
mod error;
mod have;
mod programs;
mod read;
pub mod receipt;
mod sample;
mod sealed;
mod temp_payload;
mod weigh;

pub use catalog::{
    Catalog, CatalogFrame, CatalogItem, CatalogRelease, FramePlace, FrameRun, Prerequisite,
    PrerequisiteRelease, PrerequisiteSet,
};
pub(crate) use cut::solid_bytes;
pub use cut::{BundleNeeds, CutOptions, Effort, cut};
pub use error::BundleError;
pub use have::{Have, Recipient, WaitingSet};
pub(crate) use have::{MissingMark, newest_first};
pub(crate) use read::{
    UnpackedFrame, check_frame, missing_bases, read_exactly, read_frames, read_single,
};
pub(crate) use sealed::{PieceCutter, SealedPlaces};
pub use temp_payload::{CutBundle, TempPayload};
pub use weigh::{ClassWeight, FileWeight, Weighed, weigh};
