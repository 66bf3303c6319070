//! Writes the files of an archive or layout, each directly at its final position, several at a time.
//!
//! Memory: what rebuilding states for each of up to [`WRITERS_MAX`] files.

use std::fs::File;
use std::io::{self, Write};
use std::num::NonZero;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::CheckoutError;
use crate::base::monitor::Monitor;
use crate::base::term::Action;
use crate::content::recipe::{ChunkSource, RecipeError};
use crate::files::LayoutError;
use crate::oci::image::Digest;
use crate::oci::image::export::{ExportError, OutFile};

/// Files that are written at the same time.
const WRITERS_MAX: usize = 4;

/// The destination of a file's bytes.
pub(super) enum BlobPlace<'a> {
    /// A file of their own, which is made together with its folder.
    New(PathBuf),
    /// An open file, from an offset on.
    Within {
        /// The file.
        file: &'a File,
        /// Its path, for messages.
        path: &'a Path,
        /// Offset of the first byte.
        offset: u64,
    },
}

/// The reason why a file was not written.
pub(super) enum WriteFailed {
    /// Something is wrong with the images.
    Outgoing(ExportError),
    /// Something is wrong with the destination.
    Layout(LayoutError),
}

impl WriteFailed {
    /// Assigns an error at a path to the images or to the destination.
    pub(super) fn of(path: &Path, error: ExportError) -> Self {
        match error {
            ExportError::Write(io)
            | ExportError::Blob {
                source: RecipeError::Write(io),
                ..
            } => Self::Layout(LayoutError::io(Action::Write, path)(io)),
            other => Self::Outgoing(other),
        }
    }

    pub(super) fn into_error(self) -> CheckoutError {
        match self {
            Self::Outgoing(error) => stop_or(error),
            Self::Layout(error) => error.into(),
        }
    }

    /// Returns the blob that could not be rebuilt, or `None` when something else went wrong.
    pub(super) fn blob(&self) -> Option<&Digest> {
        match self {
            Self::Outgoing(ExportError::Blob {
                source: RecipeError::Interrupted(_) | RecipeError::Write(_),
                ..
            })
            | Self::Layout(_) => None,
            Self::Outgoing(
                ExportError::Missing { digest, .. }
                | ExportError::Mismatch { digest, .. }
                | ExportError::Blob { digest, .. },
            ) => Some(digest),
            Self::Outgoing(_) => None,
        }
    }
}

/// Keeps an interruption one, however deep it happened.
fn stop_or(error: ExportError) -> CheckoutError {
    match error {
        ExportError::Recipe(RecipeError::Interrupted(stop))
        | ExportError::Blob {
            source: RecipeError::Interrupted(stop),
            ..
        } => stop.into(),
        other => other.into(),
    }
}

/// Writes the files, the longest first. Returns the index in `orders` of each file that failed, with the error. After a
/// failure that is not a blob's, no further file is started.
pub(super) fn write_all<S: ChunkSource>(
    store: &S,
    orders: &[(&OutFile, BlobPlace<'_>)],
    monitor: &dyn Monitor,
) -> Vec<(usize, WriteFailed)> {
    let mut waiting: Vec<usize> = (0..orders.len()).collect();
    // Sorted ascending, because workers take from the end.
    waiting.sort_by_key(|at| orders[*at].0.bytes());
    let waiting = Mutex::new(waiting);
    let failed = Mutex::new(Vec::new());
    let writers = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..writers.min(WRITERS_MAX).min(orders.len()) {
            scope.spawn(|| {
                loop {
                    // The guard must be dropped before the file is written, because other workers need the lock and a
                    // failure locks again.
                    let next = lock(&waiting).pop();
                    let Some(at) = next else { break };
                    let (file, place) = &orders[at];
                    if let Err(error) = write(store, file, place, monitor) {
                        if error.blob().is_none() {
                            // Such a failure concerns the destination or is a stop, so no other file would succeed.
                            lock(&waiting).clear();
                        }
                        lock(&failed).push((at, error));
                    }
                }
            });
        }
    });
    failed.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<S: ChunkSource>(
    store: &S,
    file: &OutFile,
    place: &BlobPlace<'_>,
    monitor: &dyn Monitor,
) -> Result<(), WriteFailed> {
    let (path, written) = match place {
        BlobPlace::New(path) => {
            let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
            // A new file never follows a link and never replaces anything.
            let made = made.and_then(|()| File::create_new(path));
            let made = made.map_err(LayoutError::io(Action::Make, path));
            let mut made = made.map_err(WriteFailed::Layout)?;
            (path.as_path(), file.write(store, &mut made, monitor))
        }
        BlobPlace::Within {
            file: whole,
            path,
            offset,
        } => {
            let mut part = FilePart {
                file: whole,
                at: *offset,
            };
            (*path, file.write(store, &mut part, monitor))
        }
    };
    written.map_err(|error| WriteFailed::of(path, error))
}

/// A range of a file that other workers also write to.
struct FilePart<'a> {
    file: &'a File,
    at: u64,
}

impl Write for FilePart<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write_at(bytes, self.at)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
