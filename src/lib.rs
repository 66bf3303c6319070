//! Carries software releases across an air gap on discs and USB disks.
pub mod block;
pub mod chunk;
pub mod class;
pub mod envelope;
pub mod filter;
pub mod finding;
pub mod frame;
pub mod id;
pub mod index;
pub mod monitor;
pub mod pack;
pub mod size;
pub mod storage;
pub mod store;
