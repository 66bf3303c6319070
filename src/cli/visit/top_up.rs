//! The receipt of what is lacking, in the forms that can leave a room without a network: lines, a file, and QR codes.

use std::path::{Path, PathBuf};

use carryall::base::id::ChunkId;
use carryall::base::monitor::Monitor;
use carryall::base::output::OutputFile;
use carryall::base::qr::QrCode;
use carryall::ops::Error;
use carryall::ops::receive::receipt::{self, ReceiptReport};
use carryall::store::Store;
use serde::Serialize;

use crate::cli::terminal;

/// Lines that are shown. Nobody reads out more.
const LINES_MAX: usize = 24;
/// Rows of the terminal that are left for the prompt below a code.
const ROWS_BELOW: usize = 6;

/// A receipt that the vendor answers with a top-up.
#[derive(Debug, Serialize)]
pub struct TopUp {
    /// Its file. Empty until it is written.
    pub file: PathBuf,
    /// Pictures of its QR codes, in the order in which they are read.
    pub pictures: Vec<PathBuf>,
    /// Lines to be read out. None when they are too many.
    lines: Vec<String>,
    #[serde(skip)]
    report: ReceiptReport,
    #[serde(skip)]
    bytes: Vec<u8>,
}

impl TopUp {
    /// Makes it of what the store holds now.
    pub fn of(store: &Store, monitor: &dyn Monitor) -> Result<Self, Error> {
        let report = receipt::receipt(store, monitor)?;
        let lines = report.text.clone().unwrap_or_default();
        Ok(Self {
            file: PathBuf::new(),
            pictures: Vec::new(),
            lines: if lines.len() <= LINES_MAX {
                lines
            } else {
                Vec::new()
            },
            bytes: report.receipt.to_bytes(),
            report,
        })
    }

    /// Whether both are the same receipt.
    pub fn is(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    /// Writes its file and the pictures of its codes into a folder. The same receipt has the same names, so that a second
    /// visit writes no second file.
    pub fn written(mut self, folder: &Path, store_dir: &Path) -> Result<Self, Error> {
        let inputs = [store_dir.to_owned()];
        let name = format!("carryall-receipt-{}", ChunkId::of(&self.bytes).short());
        let file = folder.join(format!("{name}.receipt"));
        let is_there = std::fs::read(&file).is_ok_and(|there| there == self.bytes);
        if !is_there {
            let picture = folder.join(format!("{name}.png"));
            match receipt::write_pictures(&mut self.report, &picture, &inputs) {
                // Too long for codes: the file alone carries it.
                Ok(()) | Err(Error::NoCodes) => {}
                Err(error) => return Err(error),
            }
            self.pictures.clone_from(&self.report.pictures);
            let out = OutputFile::begin(&file, |_| false, &inputs)?;
            out.finish(&self.bytes)?;
        }
        self.file = file;
        Ok(self)
    }

    /// The lines to be read out, one below the other.
    pub fn lines(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// The code, when it fits on the terminal as a whole.
    pub fn code(&self) -> Option<QrCode> {
        if !terminal::is_out_seen() {
            return None;
        }
        let rows = terminal::rows().saturating_sub(ROWS_BELOW);
        let side = QrCode::side_modules_on_terminal(terminal::columns(), rows);
        let mut codes = self.report.receipt.to_codes(side)?;
        (codes.len() == 1).then(|| codes.remove(0))
    }
}
