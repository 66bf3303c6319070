//! Operations that list, check and clean up a store.

pub mod check;
pub mod doctor;
mod documents;
pub mod list;
pub mod prune;
pub mod retention;
pub mod show;
