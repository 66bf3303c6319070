//! Operations on media without a store: what volumes hold, and how they are rebuilt.

pub mod inspect;
pub mod repair;
pub mod verify;
