//! What is pushed.
/// x
pub trait BlobSource {}
/// x
pub struct Sent;
