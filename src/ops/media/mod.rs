//! Operations on media without a store: what volumes hold, and how they are rebuilt.

pub mod burn;
pub mod inspect;
pub mod labels;
pub mod repair;
pub mod verify;
