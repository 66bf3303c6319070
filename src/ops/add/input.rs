//! The paths that are added. Checks their names, that they are apart from the store, and that there is room for them.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::AddError;
use crate::base::backend::BackendError;
use crate::base::fs::free_space_bytes;
use crate::base::monitor::Monitor;
use crate::base::overlap::{Overlap, RealPlace};
use crate::base::term::Action;
use crate::content::release::Refusal;
use crate::files::folder::Unreadable;
use crate::files::unpacker::{Depth, OpenOptions, spool_bytes};
use crate::files::{LayoutError, folder};
use crate::ops::Releases;

/// The least room that adding asks for, as a part of the items' bytes in an empty store (images take a quarter to a
/// third) ...
const FIRST_SHARE: u64 = 4;
/// ... and in one that knows most of the items from earlier releases.
const LATER_SHARE: u64 = 32;

/// A path to add.
pub(super) struct Input {
    pub(super) name: Vec<u8>,
    pub(super) given: PathBuf,
    /// The path without links.
    pub(super) real: PathBuf,
    pub(super) stat: std::fs::Metadata,
    /// Whether it is inside the store while it is read, and does not grow with it.
    pub(super) is_staged: bool,
}

impl Input {
    /// Returns whether it was pulled from a registry, and did not come on standard input.
    pub(super) fn is_pulled(&self) -> bool {
        self.is_staged && self.given != Path::new("-")
    }

    pub(super) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// Returns the bytes of the file, or of all files in the folder.
    pub(super) fn bytes(&self) -> u64 {
        if !self.stat.is_dir() {
            return self.stat.len();
        }
        let inside = walkdir::WalkDir::new(&self.real).into_iter().flatten();
        let files = inside.filter(|entry| entry.file_type().is_file());
        files
            .filter_map(|entry| entry.metadata().ok())
            .map(|stat| stat.len())
            .sum()
    }

    /// Iterates over the file, or all files in the folder, in the order in which they are read.
    pub(super) fn files(&self) -> impl Iterator<Item = PathBuf> + Send + use<> {
        folder::files(&self.real)
    }
}

/// A file or folder that is given.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InputPath {
    /// Name of the item. `None` stands for the name of the file or folder.
    pub name: Option<String>,
    /// Where it is.
    pub path: PathBuf,
}

impl From<PathBuf> for InputPath {
    fn from(path: PathBuf) -> Self {
        Self { name: None, path }
    }
}

/// Refuses a name that checkout would refuse.
pub(super) fn check_name(name: &str, shown: &Path) -> Result<(), AddError> {
    if crate::files::restore::is_plain_name(name.as_bytes()) {
        return Ok(());
    }
    Err(AddError::Unfit {
        path: shown.to_owned(),
        why: Refusal::GivenName,
    })
}

pub(super) fn inputs(all: &[InputPath]) -> Result<Vec<Input>, AddError> {
    if all.is_empty() {
        return Err(AddError::Nothing);
    }
    let mut inputs: Vec<Input> = Vec::new();
    for InputPath { name, path: given } in all {
        let real = given
            .canonicalize()
            .map_err(LayoutError::io(Action::Find, given))?;
        let stat = real
            .symlink_metadata()
            .map_err(LayoutError::io(Action::LookAt, given))?;
        let unfit = |why| AddError::Unfit {
            path: given.clone(),
            why,
        };
        if !stat.is_file() && !stat.is_dir() {
            return Err(unfit(Refusal::NotFileNorFolder));
        }
        let name = match name {
            Some(name) => {
                check_name(name, given)?;
                name.clone().into_bytes()
            }
            None => {
                // A path such as `.` has no name of its own, so the folder's real name is used.
                let name = given.file_name().or_else(|| real.file_name());
                let name = name.ok_or_else(|| unfit(Refusal::NoName))?;
                name.as_bytes().to_vec()
            }
        };
        if let Some(other) = inputs.iter().find(|other| other.name == name) {
            return Err(AddError::SameName {
                name: other.shown(),
                first: other.given.clone(),
                second: given.clone(),
            });
        }
        inputs.push(Input {
            name,
            given: given.clone(),
            real,
            stat,
            is_staged: false,
        });
    }
    Ok(inputs)
}

/// Reports everything unreadable at once, before the work begins.
pub(super) fn check_readable(inputs: &[Input], monitor: &dyn Monitor) -> Result<(), AddError> {
    let paths = inputs.iter().map(|input| input.real.as_path());
    let Unreadable { first, count } = Unreadable::find(paths, monitor)?;
    if count == 0 {
        return Ok(());
    }
    Err(AddError::Unreadable { first, count })
}

/// Refuses a folder around the store, which would grow without end as it is read.
pub(super) fn check_apart(inputs: &[Input], place: &Path) -> Result<(), AddError> {
    let real = RealPlace::of(place).map_err(LayoutError::io(Action::Find, place))?;
    let entangled = |input: &&Input| {
        !input.is_staged && !matches!(real.overlap(&input.real), None | Some(Overlap::OnDevice))
    };
    match inputs.iter().find(entangled) {
        None => Ok(()),
        Some(input) => Err(AddError::Entangled {
            path: input.given.clone(),
            store: place.to_owned(),
        }),
    }
}

/// Refuses items that almost certainly do not fit. What they take in the store is known only afterwards, because it
/// depends on what compresses and on what is known. A disk that fills up during the work costs only time.
pub(super) fn check_space<R: Releases>(
    store: &R,
    inputs: &[Input],
    place: &Path,
    open: &OpenOptions,
) -> Result<(), AddError> {
    let is_empty = store.roots()?.is_empty();
    let share = if is_empty { FIRST_SHARE } else { LATER_SHARE };
    let taken_bytes = inputs.iter().map(Input::bytes).sum::<u64>() / share;
    let mut needed_bytes = taken_bytes.min(store.local_bytes_max());
    if open.depth == Depth::Open {
        needed_bytes += spool_bytes(inputs.iter().flat_map(Input::files));
    }
    let free_bytes = free_space_bytes(place).map_err(BackendError::from)?;
    if free_bytes >= needed_bytes {
        return Ok(());
    }
    Err(AddError::NoSpace {
        path: place.to_owned(),
        free_bytes,
        needed_bytes,
    })
}
