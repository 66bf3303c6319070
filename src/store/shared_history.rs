//! Keeps the history of a store in a bucket: each line is an object of its own, put on condition that its number is free.
//!
//! Nobody is kept out. Of several who add the same number one does, and the others follow its line. What a line says is
//! opaque here. Each machine notes the last line that it saw in its own folder, where nobody who may write to the bucket
//! reaches the note. After [`JOINED_LINES`] lines they are put once more as one object, so that a long history takes few
//! requests to read. Memory: 64 MiB when the history is read, and 256 MiB more when the objects are not what they should be.

use std::fs;
use std::io;

use super::history::{self, FILE_BYTES_MAX, FILES_MAX, FOLDER, HEAD, HEAD_UNFINISHED};
use super::{HistoryEnd, NextLine, Store, StoreError, StoredHistory, marks};
use crate::base::term::Action;
use crate::store::storage::{Given, Object, Put, Storage, StorageError};

const LINES: &str = "history/lines";
const LINE_SUFFIX: &str = ".json";
const JOINED: &str = "history/joined";
const JOINED_SUFFIX: &str = ".jsonl";
/// Lines of an object that joins some.
const JOINED_LINES: u64 = 256;
/// Most bytes of a line.
const LINE_BYTES_MAX: u64 = 128 << 10;
/// Most bytes of an object that joins lines, with the ends of these.
const JOINED_BYTES_MAX: u64 = JOINED_LINES * (LINE_BYTES_MAX + 1);
/// Bytes after which older lines are not read.
const READ_BYTES_MAX: u64 = FILE_BYTES_MAX * FILES_MAX as u64;
/// Such objects that are read at once.
const READ_AT_ONCE: usize = 8;
/// Lines that may be put by others while one is added.
const TRIES: u32 = 256;

impl Store {
    pub(super) fn add_shared_history(
        &self,
        next: impl Fn(&HistoryEnd) -> NextLine,
    ) -> Result<(), StoreError> {
        let storage = self.storage.as_ref();
        let mut end = self.history_end()?;
        for _ in 0..TRIES {
            let NextLine { no, line, head } = next(&end);
            let name = line_name(no);
            let is_ours = match storage.put_if(&name, &line, &Given::Absent)? {
                Put::Done(_) => true,
                Put::Lost => {
                    let (there, _) = storage.get(&name, LINE_BYTES_MAX)?;
                    // The answer may have been lost after the put.
                    let is_ours = there == line;
                    end = HistoryEnd {
                        lines: there,
                        last_no: Some(no),
                        head: None,
                    };
                    is_ours
                }
            };
            if is_ours {
                self.keep_history_note(&head);
                if no.is_multiple_of(JOINED_LINES)
                    && let Err(error) = join(storage, no)
                {
                    // Whoever adds such a line next joins these, too.
                    tracing::info!(%error, "lines of the history are not joined");
                }
                return Ok(());
            }
        }
        let busy = StorageError::on(Action::Write, LINES.as_ref());
        Err(busy(io::ErrorKind::TimedOut.into()).into())
    }

    /// Finds the last line with one request where this machine knows the one before it.
    fn history_end(&self) -> Result<HistoryEnd, StoreError> {
        let storage = self.storage.as_ref();
        let head = self.history_note()?;
        let noted = head.as_deref().and_then(noted_number);
        let joined = match noted {
            Some(_) => None,
            None => joined(storage)?.last().copied(),
        };
        let known = noted.or(joined.map(|first| first + (JOINED_LINES - 1)));
        let listed = storage.list_after(LINES, &line_name(known.unwrap_or(0)))?;
        let last_no = listed.iter().rev().find_map(|line| number(line, LINES));
        let lines = match (last_no, joined) {
            // What is no line there stays visible as a gap.
            (Some(no), _) => read(storage, &[line_name(no)], LINE_BYTES_MAX)?.concat(),
            (None, Some(first)) => {
                let lines = read(storage, &[joined_name(first)], JOINED_BYTES_MAX)?.concat();
                let lines = lines.strip_suffix(b"\n").unwrap_or(&lines);
                let last = lines.rsplit(|byte| *byte == b'\n').next();
                last.unwrap_or_default().to_vec()
            }
            (None, None) => Vec::new(),
        };
        Ok(HistoryEnd {
            lines,
            last_no: last_no.or(known.filter(|_| joined.is_some())),
            head,
        })
    }

    pub(super) fn shared_history(&self) -> Result<StoredHistory, StoreError> {
        let storage = self.storage.as_ref();
        let mut history = StoredHistory {
            files: Vec::new(),
            head: self.history_note()?,
            is_bounded: false,
            may_lack_note: true,
        };
        let joined = joined(storage)?;
        let last = joined.last();
        let last = last.map_or(0, |first| first.saturating_add(JOINED_LINES - 1));
        let singles: Vec<u64> = storage
            .list_after(LINES, &line_name(last))?
            .iter()
            .filter_map(|line| number(line, LINES))
            .collect();
        // From the newest on, until it is enough.
        let (mut bytes, mut read_singles) = (0, 0);
        for group in singles.rchunks(usize::try_from(JOINED_LINES).unwrap_or(1)) {
            let names: Vec<String> = group.iter().map(|no| line_name(*no)).collect();
            let mut lines = Vec::new();
            for line in read(storage, &names, LINE_BYTES_MAX)? {
                lines.extend_from_slice(&line);
                lines.push(b'\n');
            }
            bytes += lines.len() as u64;
            read_singles += group.len();
            history.files.push((group[0], lines));
            if bytes > READ_BYTES_MAX {
                break;
            }
        }
        let mut unread = joined.as_slice();
        while !unread.is_empty() && bytes <= READ_BYTES_MAX {
            let at = unread.len().saturating_sub(READ_AT_ONCE);
            let (rest, group) = unread.split_at(at);
            let names: Vec<String> = group.iter().map(|first| joined_name(*first)).collect();
            let read = read(storage, &names, JOINED_BYTES_MAX)?;
            for (first, lines) in group.iter().zip(read).rev() {
                bytes += lines.len() as u64;
                history.files.push((*first, lines));
            }
            unread = rest;
        }
        history.files.reverse();
        history.is_bounded = !unread.is_empty() || read_singles < singles.len();
        Ok(history)
    }

    /// Notes the last line that this machine saw, so that it can tell later when lines before it are gone.
    pub(crate) fn keep_history_note(&self, note: &[u8]) {
        if !self.is_shared() || !self.dir().is_dir() {
            return;
        }
        let folder = self.dir().join(FOLDER);
        let kept = fs::create_dir_all(&folder).and_then(|()| {
            // Several processes may write it, and each has a whole one.
            let unfinished = format!("{HEAD_UNFINISHED}-{}", std::process::id());
            history::replace(&folder.join(unfinished), &folder.join(HEAD), note)
        });
        if let Err(error) = kept {
            tracing::info!(%error, "the last line of the history is not noted here");
        }
    }

    fn history_note(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(history::head(&self.dir().join(FOLDER))?)
    }

    /// Removes lines that were joined long ago. `now` is what second it is at the server.
    ///
    /// # Errors
    /// A storage error, after which some lines are still there.
    pub(super) fn remove_joined_lines(&self, now: u64, grace: u64) -> Result<(), StoreError> {
        let storage = self.storage.as_ref();
        let joined = joined(storage)?;
        if joined.is_empty() {
            return Ok(());
        }
        let singles: Vec<u64> = storage
            .list(LINES)?
            .iter()
            .filter_map(|line| number(line, LINES))
            .collect();
        for first in joined {
            let lines = first..first.saturating_add(JOINED_LINES);
            let lines = singles.iter().filter(|no| lines.contains(no));
            let lines: Vec<u64> = lines.copied().collect();
            // Somebody who listed the lines before they were joined may still be about to add one.
            let is_old = |name: &str| {
                let since = marks::put_second(storage, name);
                since.map(|since| since.saturating_add(grace) <= now)
            };
            if !lines.is_empty() && is_old(&joined_name(first))? {
                for no in lines {
                    storage.remove(&line_name(no))?;
                }
            }
        }
        Ok(())
    }
}

fn line_name(no: u64) -> String {
    format!("{LINES}/{no:010}{LINE_SUFFIX}")
}

fn joined_name(first: u64) -> String {
    format!("{JOINED}/{first:010}{JOINED_SUFFIX}")
}

/// The number in a name. Other objects are left alone.
fn number(object: &Object, folder: &str) -> Option<u64> {
    let name = object.name.strip_prefix(folder)?.strip_prefix('/')?;
    let digits = name.split('.').next().filter(|digits| digits.len() == 10)?;
    let no = digits.parse().ok()?;
    let is_name = object.name == line_name(no) || object.name == joined_name(no);
    (is_name && no > 0).then_some(no)
}

/// The number at the beginning of a note.
fn noted_number(note: &[u8]) -> Option<u64> {
    let digits = note.split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// The first numbers of joined lines, in ascending order.
fn joined(storage: &dyn Storage) -> Result<Vec<u64>, StorageError> {
    let listed = storage.list(JOINED)?;
    let firsts = listed.iter().filter_map(|object| number(object, JOINED));
    // Only what ends a whole group of lines counts.
    let is_first = |first: &u64| first % JOINED_LINES == 1;
    Ok(firsts.filter(is_first).collect())
}

/// Reads objects. What is gone or too long counts as empty, and the lines around it tell that.
fn read(
    storage: &dyn Storage,
    names: &[String],
    limit_bytes: u64,
) -> Result<Vec<Vec<u8>>, StorageError> {
    let read = storage.read_many(names, limit_bytes).into_iter();
    let or_nothing = |read: Result<Vec<u8>, StorageError>| match read {
        Err(error) if error.is_missing() || error.is_too_long() => Ok(Vec::new()),
        read => read,
    };
    read.map(or_nothing).collect()
}

/// Joins the lines up to a number, as far as nobody has done it. Whoever does it puts the same bytes.
fn join(storage: &dyn Storage, last: u64) -> Result<(), StorageError> {
    let done = joined(storage)?;
    let mut first = done.last().map_or(1, |first| first + JOINED_LINES);
    while first + (JOINED_LINES - 1) <= last {
        let lines = first..first + JOINED_LINES;
        let names: Vec<String> = lines.map(line_name).collect();
        let mut bytes = Vec::new();
        for line in read(storage, &names, LINE_BYTES_MAX)? {
            bytes.extend_from_slice(&line);
            bytes.push(b'\n');
        }
        storage.put_if(&joined_name(first), &bytes, &Given::Absent)?;
        first += JOINED_LINES;
    }
    Ok(())
}
