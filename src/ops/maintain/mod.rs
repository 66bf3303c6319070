//! Operations that list, check, copy and clean up a store.

pub mod check;
pub mod copy;
pub mod doctor;
mod documents;
pub mod list;
pub mod prune;
pub mod retention;
pub mod show;
