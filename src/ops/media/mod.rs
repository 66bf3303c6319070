//! Media alone, with no store: what volumes hold, and how they are rebuilt.

pub mod repair;
pub mod verify;
