//! Finds and opens the store that a command is about.
//!
//! Only `add`, `receive` and `demo` create one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use carryall::base::diagnostic::diagnostic;
use carryall::ops::Error;
use carryall::ops::overlap::check_no_overlap;
use carryall::store::storage::is_address;
use carryall::store::{OpenMode, Store, StoreError};
use carryall::volumes::media::MediaError;
use carryall::volumes::media::source::is_pipe;

use crate::cli::exit::Failure;
use crate::cli::{Context, messages};

/// `--store`, else `$CARRYALL_STORE`, else the user's data directory.
pub fn store_dir(context: &Context) -> Result<PathBuf, Failure> {
    if let Some(dir) = &context.store {
        return not_home(dir.clone(), "--store");
    }
    let variable = |name| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    if let Some(dir) = variable("CARRYALL_STORE") {
        return not_home(dir, "$CARRYALL_STORE");
    }
    if let Some(dir) = variable("XDG_DATA_HOME") {
        return not_home(dir.join("carryall"), "$XDG_DATA_HOME");
    }
    variable("HOME")
        .map(|dir| dir.join(".local/share/carryall"))
        .ok_or_else(|| diagnostic!("usage.no_store").into())
}

/// A path that begins with `~` and was not expanded would be a folder of that name below the current one.
fn not_home(dir: PathBuf, given_by: &str) -> Result<PathBuf, Failure> {
    let text = dir.to_string_lossy();
    if text.starts_with('~') {
        return Err(unexpanded(&text, given_by));
    }
    Ok(dir)
}

/// Refuses words of the command line that the shell was meant to expand: `--to=~/media`, `'~/media'`.
pub fn refuse_unexpanded(words: impl Iterator<Item = OsString>) -> Result<(), Failure> {
    for word in words.take_while(|word| word != "--") {
        let word = word.to_string_lossy().into_owned();
        let (option, value) = match word.split_once('=') {
            Some((option, value)) if option.starts_with('-') => (option, value),
            _ => ("", &word[..]),
        };
        if value == "~" || value.starts_with("~/") {
            return Err(unexpanded(value, option));
        }
    }
    Ok(())
}

fn unexpanded(path: &str, given_by: &str) -> Failure {
    let home = std::env::var("HOME").unwrap_or_else(|_| "/home/NAME".to_owned());
    let meant = path
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'));
    let is_known = u8::from(meant.is_some());
    let meant = match meant {
        Some(rest) => format!("{home}{rest}"),
        None => "/home/NAME/store".to_owned(),
    };
    if given_by.is_empty() {
        diagnostic!("usage.unexpanded_home", path, meant, is_known).into()
    } else {
        diagnostic!("usage.unexpanded_home_in", path, given_by, meant, is_known).into()
    }
}

/// Opens the store, which must be there. A reader does not mind that another process writes.
pub fn store(context: &Context, access: OpenMode) -> Result<Store, Failure> {
    let dir = store_dir(context)?;
    let store = match access {
        OpenMode::Read => Store::open_to_read(&dir),
        OpenMode::Write => Store::open(&dir, access),
    };
    Ok(store.map_err(Error::from)?)
}

/// Opens the store to be checked: for writing, so that what is learned stays, else for reading alone, where nobody may write
/// or another process does.
pub fn store_to_check(context: &Context, heal_from: &[PathBuf]) -> Result<Store, Failure> {
    let dir = store_dir(context)?;
    let store = match Store::open(&dir, OpenMode::Write) {
        Err(StoreError::Storage(error)) if heal_from.is_empty() && error.is_refusal() => {
            read_alone(context, &dir)
        }
        Err(StoreError::Locked { .. }) if heal_from.is_empty() => read_alone(context, &dir),
        other => other,
    };
    Ok(store.map_err(Error::from)?)
}

fn read_alone(context: &Context, dir: &Path) -> Result<Store, StoreError> {
    let store = Store::open_to_read(dir)?;
    if !context.json {
        messages::say(&messages::checked_reading());
    }
    Ok(store)
}

/// Opens the store to be served: others may write to it meanwhile.
pub fn store_to_serve(context: &Context) -> Result<Store, Failure> {
    Ok(Store::open_shared(&store_dir(context)?).map_err(Error::from)?)
}

/// Opens the store to remove something from it that others may be reading.
pub fn store_alone(context: &Context) -> Result<Store, Failure> {
    let mut store = store(context, OpenMode::Write)?;
    store.be_alone().map_err(Error::from)?;
    Ok(store)
}

/// Opens the store for writing, or creates it, for what is at `paths`, and does what `work` says. A store that nothing came
/// into does not stay: neither a path that was mistyped nor the wrong disc leaves an empty one.
pub fn with_store_or_new(
    context: &Context,
    paths: &[PathBuf],
    work: impl FnOnce(&Store) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    for path in paths.iter().filter(|path| !is_pipe(path)) {
        let there = path.metadata().map_err(MediaError::at(path));
        there.map_err(Error::from)?;
    }
    let dir = store_dir(context)?;
    if !is_address(&dir) {
        check_no_overlap(paths, &dir)?;
    }
    with_or_new(context, &dir, work)
}

/// Opens a store that releases of `from` are copied into, or creates it, and does what `work` says.
pub fn with_target_or_new(
    context: &Context,
    from: &Store,
    to: &Path,
    work: impl FnOnce(&Store) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let to = not_home(to.to_owned(), "--to")?;
    if from.shown_as() == to {
        return Err(diagnostic!("usage.same_store", path = &*to).into());
    }
    if !is_address(&to) && !from.is_shared() {
        check_no_overlap(&[from.dir().to_owned()], &to)?;
    }
    with_or_new(context, &to, work)
}

fn with_or_new(
    context: &Context,
    dir: &Path,
    work: impl FnOnce(&Store) -> Result<u8, Failure>,
) -> Result<u8, Failure> {
    let store = match Store::open(dir, OpenMode::Write) {
        Err(StoreError::NotAStore { .. }) => match Store::create(dir) {
            // Another builder made it in this moment, which no lock prevents in a bucket.
            Err(StoreError::AlreadyAStore { .. }) if is_address(dir) => {
                Store::open(dir, OpenMode::Write)
            }
            made => made,
        },
        other => other,
    };
    let store = store.map_err(Error::from)?;
    if store.is_new()
        && !context.json
        && let Ok(mut preface) = context.preface.lock()
    {
        *preface = messages::store_created(dir);
    }
    let done = work(&store);
    let left = store.abandon_if_empty().map_err(Error::from);
    let code = done?;
    left?;
    Ok(code)
}
