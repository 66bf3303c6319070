//! `receipt`: what this store holds, for the vendor.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use carryall::store::Access;
use carryall::verbs::receipt::{self, ReceiptReport};

use crate::cli::failure::{EXIT_DAMAGE, Failure};
use crate::cli::{Context, open, words};

pub fn run(context: &Context, out: Option<&Path>) -> Result<u8, Failure> {
    let store = open::store(context, Access::Read)?;
    let report = receipt::receipt(&store, &context.screen)?;
    if let Some(path) = out {
        write(path, &report.receipt.to_bytes())?;
    }
    if !context.json {
        words::say(&words::findings(&report.findings));
        words::say(&words::receipt_about(&report, out));
    }
    context.print(&report, |report| text(report, out.is_some()))?;
    Ok(if report.findings.is_empty() {
        0
    } else {
        EXIT_DAMAGE
    })
}

/// The lines alone, so that they can be piped; nothing when a file was written.
fn text(report: &ReceiptReport, is_written: bool) -> String {
    match &report.text {
        Some(lines) if !is_written => lines.join("\n") + "\n",
        _ => String::new(),
    }
}

/// Nothing that is there is written over.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(|error| {
        let message = format!("{}: {error}", path.display());
        Failure::failed(message, words::hint_receipt_file())
    })
}
