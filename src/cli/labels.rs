//! `labels`: a page with the labels of volumes, for the printer.

use carryall::ops::media::labels;

use crate::cli::args::LabelsArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages};

pub fn run(context: &Context, args: &LabelsArgs) -> Result<u8, Failure> {
    let number = args.number.as_deref();
    let report = labels::labels(&args.paths, args.to.as_deref(), number, &context.screen)?;
    context.print(&report, messages::labels_written)?;
    Ok(0)
}
