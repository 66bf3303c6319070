//! The foundation of all other rooms: ids, sizes, limits, messages, monitors, envelopes and file system calls.

pub mod backend;
pub mod diagnostic;
pub mod envelope;
pub mod file_lock;
pub mod finding;
pub mod fs;
pub mod id;
pub mod limits;
pub mod monitor;
pub mod output;
pub mod overlap;
pub mod own;
pub(crate) mod path_text;
pub mod qr;
pub mod read_at;
pub mod recycled;
pub(crate) mod roomy;
pub mod sealing;
pub mod signing;
pub mod size;
pub(crate) mod spooled_temp;
pub mod term;
pub mod utc;
