//! Carries software releases across an air gap on discs and USB disks.
pub mod block;
pub mod chunk;
pub mod class;
pub mod envelope;
pub mod finding;
pub mod id;
pub mod layouts;
pub mod monitor;
pub mod recipe;
pub mod release;
pub mod size;
pub mod verbs;
