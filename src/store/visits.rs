//! Keeps the log of visits: lines that are only ever added, each durable before the next.
//!
//! The lines are opaque here, and nothing depends on them.

use std::fs::{self, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{Store, StoreError};
use crate::base::term::Action;
use crate::store::storage::StorageError;

const FOLDER: &str = "visits";
const FILE: &str = "log.jsonl";

impl Store {
    /// Adds a line to the log of visits, and makes it durable.
    ///
    /// # Errors
    /// A storage error.
    pub(crate) fn add_visit(&self, line: &str) -> Result<(), StoreError> {
        let folder = self.dir().join(FOLDER);
        let path = folder.join(FILE);
        let on = |action| StorageError::on(action, &path);
        fs::create_dir_all(&folder).map_err(StorageError::on(Action::Create, &folder))?;
        let mut options = OpenOptions::new();
        let mut file = options
            .read(true)
            .append(true)
            .create(true)
            .open(&path)
            .map_err(on(Action::Write))?;
        // A power cut may have left a line without its end.
        let is_torn = ends_within_line(&mut file).map_err(on(Action::Read))?;
        let begin = if is_torn { "\n" } else { "" };
        file.write_all(format!("{begin}{line}\n").as_bytes())
            .and_then(|()| file.sync_data())
            .and_then(|()| crate::base::fs::sync(&folder))
            .map_err(on(Action::Write))?;
        Ok(())
    }

    /// Returns the last lines of the log, at most `limit_bytes` of them.
    ///
    /// # Errors
    /// A storage error.
    pub(crate) fn visits(&self, limit_bytes: u64) -> Result<Vec<String>, StoreError> {
        let path = self.dir().join(FOLDER).join(FILE);
        let read = || {
            let mut file = fs::File::open(&path)?;
            let skipped = file.metadata()?.len().saturating_sub(limit_bytes);
            file.seek(SeekFrom::Start(skipped))?;
            let mut bytes = Vec::new();
            file.take(limit_bytes).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        match read() {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes);
                Ok(text.lines().map(str::to_owned).collect())
            }
            Err(error) if io::Error::kind(&error) == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(StorageError::on(Action::Read, &path)(error).into()),
        }
    }
}

fn ends_within_line(file: &mut fs::File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
