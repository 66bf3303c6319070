//! Keeps the history: lines that are only ever added, and beside them a note of the last one.
//!
//! What a line says is opaque here. Lines are added by readers of the store too, so they have a lock of their own, which
//! is held for the time of one line. A line is durable before the note is. Growth is bounded: after
//! [`FILES_MAX`] files of [`FILE_BYTES_MAX`], the oldest goes. Memory: the end of the last file, or all of it when the
//! history is read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use super::{Store, StoreError};
use crate::base::file_lock::FileLock;
use crate::base::fs::sync;
use crate::base::term::Action;
use crate::store::storage::StorageError;

pub(super) const FOLDER: &str = "history";
/// The note of the last line.
pub(super) const HEAD: &str = "head";
/// The note while it is written.
pub(super) const HEAD_UNFINISHED: &str = "head.new";
const LOCK: &str = "lock";
const SUFFIX: &str = ".jsonl";
/// Bytes after which the next line begins a new file.
pub(crate) const FILE_BYTES_MAX: u64 = 4 << 20;
/// Most files.
pub(crate) const FILES_MAX: usize = 16;
/// Bytes at the end of the last file that are looked at for the last line.
const TAIL_BYTES: u64 = 256 << 10;
/// Most bytes of a file that are read. The last line may exceed the limit of a file.
const READ_BYTES_MAX: u64 = FILE_BYTES_MAX + TAIL_BYTES;
const HEAD_BYTES_MAX: u64 = 256;
/// How long another process is waited for.
const LOCK_TIME: Duration = Duration::from_secs(10);

/// The end of the history, to which a line is added.
pub(crate) struct HistoryEnd {
    /// The last lines, the first of them perhaps without its beginning.
    pub(crate) lines: Vec<u8>,
    /// The number of the last line, where its place says it. All of `lines` is that line then.
    pub(crate) last_no: Option<u64>,
    /// The note of the last line.
    pub(crate) head: Option<Vec<u8>>,
}

/// A line to be added, and the note of it.
pub(crate) struct NextLine {
    /// Its number.
    pub(crate) no: u64,
    /// Without its end.
    pub(crate) line: Vec<u8>,
    pub(crate) head: Vec<u8>,
}

/// All that is kept.
pub(crate) struct StoredHistory {
    /// The files by their numbers, the oldest first.
    pub(crate) files: Vec<(u64, Vec<u8>)>,
    /// The note of the last line.
    pub(crate) head: Option<Vec<u8>>,
    /// Whether the oldest lines went, or are not read, because there are too many.
    pub(crate) is_bounded: bool,
    /// Whether this machine has added no line and read none, and so may have no note.
    pub(crate) may_lack_note: bool,
}

impl Store {
    /// Adds the line that `next` makes of the end of the history, and makes it durable. `next` is asked again when others
    /// were first.
    ///
    /// # Errors
    /// [`StoreError::Linked`], or a storage error, also when another process holds the lock for long.
    pub(crate) fn add_history(
        &self,
        next: impl Fn(&HistoryEnd) -> NextLine,
    ) -> Result<(), StoreError> {
        if self.is_shared() {
            return self.add_shared_history(next);
        }
        let Some(folder) = self.storage.local_path(FOLDER) else {
            return Ok(());
        };
        if folder
            .symlink_metadata()
            .is_ok_and(|stat| stat.is_symlink())
        {
            return Err(StoreError::Linked { path: folder });
        }
        if !folder.is_dir() {
            fs::create_dir_all(&folder)
                .and_then(|()| sync(self.dir()))
                .map_err(StorageError::on(Action::Create, &folder))?;
        }
        let _lock = lock(&folder.join(LOCK))?;
        let numbers = numbers(&folder)?;
        let mut number = numbers.last().copied().unwrap_or(1);
        let mut path = folder.join(name(number));
        let read = |error| StorageError::on(Action::Read, &path)(error);
        let lines = tail(&path).map_err(read)?;
        let is_torn = lines.last().is_some_and(|last| *last != b'\n');
        let end = HistoryEnd {
            lines,
            last_no: None,
            head: head(&folder)?,
        };
        let next = next(&end);
        let is_full = fs::metadata(&path).is_ok_and(|stat| stat.len() >= FILE_BYTES_MAX);
        if is_full {
            number += 1;
            path = folder.join(name(number));
            let over = (numbers.len() + 1).saturating_sub(FILES_MAX);
            for old in numbers.iter().take(over) {
                let old = folder.join(name(*old));
                fs::remove_file(&old).map_err(StorageError::on(Action::Remove, &old))?;
            }
        }
        // A power cut may have left a line without its end.
        let begin: &[u8] = if is_torn && !is_full { b"\n" } else { b"" };
        append(&path, &[begin, &next.line, b"\n"].concat())
            .and_then(|()| sync(&folder))
            .map_err(StorageError::on(Action::Write, &path))?;
        // A kill in between leaves the note one line behind, which is no fault.
        let place = folder.join(HEAD);
        replace(&folder.join(HEAD_UNFINISHED), &place, &next.head)
            .and_then(|()| sync(&folder))
            .map_err(StorageError::on(Action::Write, &place))?;
        Ok(())
    }

    /// Returns the history.
    ///
    /// # Errors
    /// A storage error.
    pub(crate) fn history(&self) -> Result<StoredHistory, StoreError> {
        if self.is_shared() {
            return self.shared_history();
        }
        let mut history = StoredHistory {
            files: Vec::new(),
            head: None,
            is_bounded: false,
            may_lack_note: false,
        };
        let Some(folder) = self.storage.local_path(FOLDER) else {
            return Ok(history);
        };
        // Nobody adds a line meanwhile. On a medium that nobody writes to there is no lock, and no need for one.
        let _lock = match lock(&folder.join(LOCK)) {
            Ok(lock) => Some(lock),
            Err(error) if error.is_refusal() || error.is_missing() => None,
            Err(error) => return Err(error.into()),
        };
        history.head = head(&folder)?;
        for number in numbers(&folder)? {
            let path = folder.join(name(number));
            let bytes = read(&path, READ_BYTES_MAX);
            let bytes = bytes.map_err(StorageError::on(Action::Read, &path))?;
            history.files.push((number, bytes));
        }
        let first = history.files.first().map_or(1, |(number, _)| *number);
        history.is_bounded = first > 1 && history.files.len() >= FILES_MAX;
        Ok(history)
    }
}

fn name(number: u64) -> String {
    format!("{number:06}{SUFFIX}")
}

/// The numbers of the files, sorted. Other files are left alone.
fn numbers(folder: &Path) -> Result<Vec<u64>, StorageError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(StorageError::on(Action::List, folder))?,
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StorageError::on(Action::List, folder))?;
        let name_here = entry.file_name();
        let number = name_here
            .to_str()
            .and_then(|text| text.strip_suffix(SUFFIX)?.parse().ok());
        numbers.extend(number.filter(|number| *name_here == *name(*number)));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

fn lock(path: &Path) -> Result<FileLock, StorageError> {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(path);
    file.and_then(|file| FileLock::exclusive_within(file, LOCK_TIME))
        .map_err(StorageError::on(Action::Lock, path))
}

fn read(path: &Path, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(limit_bytes)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

pub(super) fn head(folder: &Path) -> Result<Option<Vec<u8>>, StorageError> {
    let path = folder.join(HEAD);
    match read(&path, HEAD_BYTES_MAX) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StorageError::on(Action::Read, &path)(error)),
    }
}

fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        file => file?,
    };
    let skipped = file.metadata()?.len().saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

pub(super) fn replace(unfinished: &Path, place: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(unfinished, place)
}
