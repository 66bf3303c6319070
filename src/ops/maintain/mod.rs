//! What is kept in a store, and that it is whole.

pub mod check;
pub mod keep;
pub mod list;
pub mod show;
