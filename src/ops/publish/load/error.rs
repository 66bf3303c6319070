//! Errors of loading images.

use std::io;
use std::process::ExitStatus;

use super::Tried;
use crate::oci::image::ChoiceError;
use crate::oci::image::export::ExportError;

/// The reason why nothing was loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The requested images are not available.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Images cannot be written.
    #[error(transparent)]
    Outgoing(#[from] ExportError),
    /// No program that takes images is installed.
    #[error("none of docker, podman, nerdctl and ctr is installed")]
    NoProgram,
    /// The installed programs do not work.
    #[error("none works: {}", tried_text(.tried))]
    NoneWorks {
        /// The programs that were tried.
        tried: Vec<Tried>,
    },
    /// The program cannot be run.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: &'static str,
        /// The system's error.
        source: io::Error,
    },
    /// The program failed.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// Its exit status.
        status: ExitStatus,
        /// Its output.
        said: String,
    },
}

/// Lists the tried programs, each with the reason why it does not work.
fn tried_text(tried: &[Tried]) -> String {
    let each = tried
        .iter()
        .map(|tried| format!("{}: {}", tried.program, tried.why));
    each.collect::<Vec<_>>().join("; ")
}
