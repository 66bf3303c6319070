//! The receipt of what is lacking, in the forms that can leave a room without a network: lines and a file.

use std::path::{Path, PathBuf};

use carryall::base::id::ChunkId;
use carryall::base::monitor::Monitor;
use carryall::base::output::OutputFile;
use carryall::ops::Error;
use carryall::ops::receive::receipt::{self, ReceiptReport};
use carryall::store::Store;
use serde::Serialize;

/// Lines that are shown. Nobody reads out more.
const LINES_MAX: usize = 24;

/// A receipt that the vendor answers with a top-up.
#[derive(Debug, Serialize)]
pub struct TopUp {
    /// Its file. Empty until it is written.
    pub file: PathBuf,
    /// Lines to be read out, when they are few.
    lines: Vec<String>,
    #[serde(skip)]
    bytes: Vec<u8>,
    #[serde(skip)]
    name: String,
}

impl TopUp {
    /// Makes it of what the store holds now.
    pub fn of(store: &Store, monitor: &dyn Monitor) -> Result<Self, Error> {
        let report: ReceiptReport = receipt::receipt(store, monitor)?;
        let bytes = report.receipt.to_bytes();
        // The same receipt gets the same name, so that a second visit writes no second file.
        let hash = ChunkId::of(&bytes).short();
        Ok(Self {
            file: PathBuf::new(),
            lines: report
                .text
                .filter(|lines| lines.len() <= LINES_MAX)
                .unwrap_or_default(),
            name: format!("carryall-receipt-{}-{hash}", store.id().short()),
            bytes,
        })
    }

    /// Whether both are the same receipt.
    pub fn is(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }

    /// Writes its file into a folder.
    pub fn written(mut self, folder: &Path, store_dir: &Path) -> Result<Self, Error> {
        let file = folder.join(format!("{}.receipt", self.name));
        let is_same = std::fs::read(&file).is_ok_and(|there| there == self.bytes);
        if !is_same {
            let inputs = [store_dir.to_owned()];
            let out = OutputFile::begin(&file, |_| false, &inputs)?;
            out.finish(&self.bytes)?;
        }
        self.file = file;
        Ok(self)
    }

    /// What is shown of it.
    pub fn shown(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }
}
