//! What is kept in a store, and that it is whole.

pub mod check;
pub mod list;
pub mod retention;
pub mod show;
