//! `receipt`: what this store holds, for the vendor.

use std::io::{IsTerminal, stdin};
use std::path::Path;

use carryall::base::diagnostic::diagnostic;
use carryall::base::output::OutputFile;
use carryall::base::qr::QrCode;
use carryall::ops::Error;
use carryall::ops::receive::receipt::{self, ReceiptReport};
use carryall::store::OpenMode;

use crate::cli::args::ReceiptArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, open, terminal};

/// The file's name that stands for standard output.
const STDOUT: &str = "-";
/// Rows of the terminal that are left for the line below a code.
const ROWS_BELOW: usize = 2;

pub fn run(context: &Context, args: &ReceiptArgs) -> Result<u8, Failure> {
    let out = args.out.as_deref();
    let store = open::store(context, OpenMode::Read)?;
    let to_stdout = out == Some(Path::new(STDOUT));
    if to_stdout && args.qr {
        let argument = "--qr".to_owned();
        return Err(diagnostic!("usage.conflict", argument, other = "-o -").into());
    }
    let inputs = [open::store_dir(context)?];
    let file = match out {
        // Nothing that is there is written over: a receipt says what was at its time.
        Some(path) if !to_stdout => {
            Some(OutputFile::begin(path, |_| false, &inputs).map_err(Error::from)?)
        }
        _ => None,
    };
    let mut report = receipt::receipt(&store, &context.screen)?;
    if let Some(place) = &args.png {
        receipt::write_pictures(&mut report, place, &inputs)?;
    }
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
    if args.qr && !context.json {
        show_codes(context, &report)?;
        return Ok(exit_code(report.completion()));
    }
    let is_written = out.is_some() || args.png.is_some();
    context.print(&report, |report| text(report, is_written))?;
    Ok(exit_code(report.completion()))
}

/// The lines alone, so that they can be piped; nothing when a file was written.
fn text(report: &ReceiptReport, is_written: bool) -> String {
    match &report.text {
        Some(lines) if !is_written => lines.join("\n") + "\n",
        _ => String::new(),
    }
}

/// Shows the codes one after the other, each as large as the terminal allows.
fn show_codes(context: &Context, report: &ReceiptReport) -> Result<(), Failure> {
    let rows = terminal::rows().saturating_sub(ROWS_BELOW);
    let side = QrCode::side_modules_on_terminal(terminal::columns(), rows);
    let codes = report.receipt.to_codes(side).ok_or(Error::NoCodes)?;
    let is_watched = stdin().is_terminal() && terminal::is_out_seen();
    for (number, code) in (1..).zip(&codes) {
        terminal::print_code(code)?;
        if codes.len() == 1 {
            break;
        }
        let waits = is_watched && number < codes.len();
        messages::say(&messages::code_of(number, codes.len(), waits));
        if waits && terminal::read_line(&context.screen).is_none() {
            break;
        }
    }
    Ok(())
}
