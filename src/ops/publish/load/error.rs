//! What can keep images from being loaded.

use std::io;
use std::process::ExitStatus;

use super::Tried;
use crate::oci::image::ChoiceError;
use crate::oci::image::export::ExportError;

/// Says why nothing was loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The images that are asked for cannot be had.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Images cannot be given out.
    #[error(transparent)]
    Outgoing(#[from] ExportError),
    /// No program is installed that takes images.
    #[error("none of docker, podman, nerdctl and ctr is installed")]
    NoProgram,
    /// Those that are installed do not work.
    #[error("none works: {}", tried_text(.tried))]
    NoneWorks {
        /// What was tried.
        tried: Vec<Tried>,
    },
    /// The program cannot be run.
    #[error("cannot run {program}")]
    Run {
        /// The program.
        program: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The program failed.
    #[error("{program} failed ({status}): {said}")]
    Failed {
        /// The program.
        program: &'static str,
        /// How it ended.
        status: ExitStatus,
        /// What it said.
        said: String,
    },
}

/// `docker: why; podman: why`.
fn tried_text(tried: &[Tried]) -> String {
    let each = tried
        .iter()
        .map(|tried| format!("{}: {}", tried.program, tried.why));
    each.collect::<Vec<_>>().join("; ")
}
