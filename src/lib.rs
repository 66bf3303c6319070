//! Carries software releases across an air gap on discs and USB disks.
pub mod block;
pub mod envelope;
pub mod finding;
pub mod geometry;
pub mod id;
pub mod media;
pub mod monitor;
pub mod parity;
pub mod recovery;
pub mod size;
pub mod volumes;
