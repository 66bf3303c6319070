//! `receipt`: what this store holds, for the vendor.

use std::path::Path;

use carryall::base::output::OutputFile;
use carryall::ops::Error;
use carryall::ops::receive::receipt::{self, ReceiptReport};
use carryall::store::OpenMode;

use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open, terminal};

/// The file's name that stands for standard output.
const STDOUT: &str = "-";

pub fn run(context: &Context, out: Option<&Path>) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let to_stdout = out == Some(Path::new(STDOUT));
    let file = match out {
        // Nothing that is there is written over: a receipt says what was at its time.
        Some(path) if !to_stdout => Some(
            OutputFile::begin(path, |_| false, &[open::store_dir(context)?])
                .map_err(Error::from)?,
        ),
        _ => None,
    };
    let report = receipt::receipt(&store, &context.screen)?;
    let bytes = report.receipt.to_bytes();
    if let Some(file) = file {
        file.finish(&bytes).map_err(Error::from)?;
    }
    if to_stdout {
        terminal::print_bytes(&bytes)?;
        return Ok(exit_code(report.completion()));
    }
    if !context.json {
        messages::say(&messages::findings(&report.findings));
        messages::say(&messages::receipt_about(&report, out));
    }
    context.print(&report, |report| text(report, out.is_some()))?;
    Ok(exit_code(report.completion()))
}

/// The lines alone, so that they can be piped; nothing when a file was written.
fn text(report: &ReceiptReport, is_written: bool) -> String {
    match &report.text {
        Some(lines) if !is_written => lines.join("\n") + "\n",
        _ => String::new(),
    }
}
