//! Carries software releases across an air gap on discs and USB disks.
pub mod block;
pub mod envelope;
pub mod finding;
pub mod id;
pub mod media;
pub mod monitor;
pub mod size;
