//! Errors of programs that are to be carried on volumes.

use std::path::PathBuf;

/// Says why a file cannot be carried as a program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It is no ELF program.
    #[error("{} is not an ELF program", path.display())]
    NotAProgram {
        /// The file.
        path: PathBuf,
    },
    /// It is for a machine without a name here.
    #[error("{} is a program for an unknown machine ({machine})", path.display())]
    UnknownMachine {
        /// The file.
        path: PathBuf,
        /// Number of the machine in its header.
        machine: u64,
    },
    /// It needs a loader or libraries of the system that it runs on.
    #[error("{} is not static", path.display())]
    NotStatic {
        /// The file.
        path: PathBuf,
    },
    /// It is larger than any program.
    #[error("{} is larger than {limit_bytes} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit.
        limit_bytes: u64,
    },
    /// Two programs are for one machine.
    #[error("{} and {} are for the same machine", first.display(), second.display())]
    SameMachine {
        /// The one.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
}
