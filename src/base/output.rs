//! Output files of commands. They never replace a file that the program did not write, and never a file that it reads.
//!
//! The place is tried before the work begins, so that an unwritable place fails at once and not after the work. The
//! file is written to a hidden file in the same folder and then renamed. A killed run leaves only that hidden file,
//! which the next run removes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use rustix::io::Errno;

use crate::base::fs::parent_of;
use crate::base::overlap::{Overlap, RealPlace};

/// Bytes of a file's beginning that suffice to recognize it.
const HEAD_BYTES: u64 = 4096;
/// Prefix of an unfinished file's name. The process id, a number and [`SUFFIX`] follow.
const PREFIX: &str = ".carryall-out-";
const SUFFIX: &str = ".part";

/// Says why nothing is written to a place.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// Something is there that this command did not write.
    #[error("{} is there already, and was not written by this command", .0.display())]
    Exists(PathBuf),
    /// The place is an input, or lies in one.
    #[error("{} is, or lies in, {}, which is read", place.display(), input.display())]
    Input {
        /// The place that was named.
        place: PathBuf,
        /// The input.
        input: PathBuf,
    },
    /// A part of the path is a file, so that nothing can be below it.
    #[error("{} cannot be written, because {} is not a folder", place.display(), file.display())]
    BelowFile {
        /// The place that was named.
        place: PathBuf,
        /// The part of the path that is a file.
        file: PathBuf,
    },
    /// The system refuses.
    #[error("{}", place.display())]
    Io {
        /// The place.
        place: PathBuf,
        /// What the system reported.
        source: io::Error,
    },
}

impl OutputError {
    /// Returns the same error with the place under another name.
    fn called(self, place: &Path) -> Self {
        let place = place.to_owned();
        match self {
            Self::Exists(_) => Self::Exists(place),
            Self::Input { input, .. } => Self::Input { place, input },
            Self::BelowFile { file, .. } => Self::BelowFile { place, file },
            Self::Io { source, .. } => Self::Io { place, source },
        }
    }

    /// Adds the place to an I/O error, for `map_err`. Finds the file that stands in the way.
    pub fn io(place: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| {
            let place = place.to_owned();
            let is_file = |path: &&Path| fs::metadata(path).is_ok_and(|stat| !stat.is_dir());
            let file = place.ancestors().find(is_file).map(Path::to_owned);
            match file {
                Some(file) if source.kind() == io::ErrorKind::NotADirectory => {
                    Self::BelowFile { place, file }
                }
                _ => Self::Io { place, source },
            }
        }
    }
}

/// A file that is written beside its place until it is finished.
#[derive(Debug)]
pub struct OutputFile {
    place: PathBuf,
    unfinished: PathBuf,
    file: File,
    is_own: fn(&[u8]) -> bool,
}

impl OutputFile {
    /// Checks that a file can be written to `place`, which must be none of `inputs` and in none of them. A file that
    /// exists there stays until [`Self::finish`]. `is_own` must recognize it by its beginning.
    ///
    /// # Errors
    /// [`OutputError`].
    pub fn begin(
        place: &Path,
        is_own: fn(&[u8]) -> bool,
        inputs: &[PathBuf],
    ) -> Result<Self, OutputError> {
        let begun = real(place).and_then(|real| Self::begin_at(real, is_own, inputs));
        // The error names the link that the person named, and not its target.
        begun.map_err(|error| error.called(place))
    }

    fn begin_at(
        place: PathBuf,
        is_own: fn(&[u8]) -> bool,
        inputs: &[PathBuf],
    ) -> Result<Self, OutputError> {
        check_apart(&place, inputs)?;
        check_own(&place, is_own)?;
        let folder = parent_of(&place);
        sweep(folder);
        let (unfinished, file) = make_unfinished(folder).map_err(OutputError::io(&place))?;
        Ok(Self {
            place,
            unfinished,
            file,
            is_own,
        })
    }

    /// Returns the path that the file will have.
    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Returns the writer of the file's beginning. What [`Self::finish`] is given comes behind it.
    pub(crate) fn writer(&mut self) -> &mut File {
        &mut self.file
    }

    /// Writes the file, syncs it and gives it its name.
    ///
    /// # Errors
    /// [`OutputError`] when the disk is full, or when another file took the name meanwhile.
    pub fn finish(mut self, bytes: &[u8]) -> Result<PathBuf, OutputError> {
        let written = self.file.write_all(bytes);
        let written = written.and_then(|()| self.file.sync_all());
        written.map_err(OutputError::io(&self.place))?;
        self.give_name()?;
        // The file itself is durable. Some file systems cannot sync a folder, so a failure is no reason to report an
        // error.
        let _ = File::open(parent_of(&self.place)).and_then(|folder| folder.sync_all());
        Ok(std::mem::take(&mut self.place))
    }

    fn give_name(&self) -> Result<(), OutputError> {
        let (from, to) = (&self.unfinished, &self.place);
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(()),
            // The name is taken, or the file system does not support the flag. Both cases need the check below.
            Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => {}
            Err(error) => return Err(OutputError::io(to)(error.into())),
        }
        check_own(to, self.is_own)?;
        fs::rename(from, to).map_err(OutputError::io(to))
    }
}

impl Drop for OutputFile {
    fn drop(&mut self) {
        // After `finish` the file has another name and this removes nothing. Otherwise the file is unwanted.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Checks that `folder` can be made, or that files can be made in it when it exists, and that it is in none of
/// `inputs`. The trial leaves nothing behind.
///
/// # Errors
/// [`OutputError`].
pub(crate) fn try_folder(folder: &Path, inputs: &[PathBuf]) -> Result<(), OutputError> {
    check_apart(folder, inputs)?;
    let absolute = std::path::absolute(folder).map_err(OutputError::io(folder))?;
    let there = absolute
        .ancestors()
        .find(|above| above.symlink_metadata().is_ok())
        .unwrap_or(folder);
    let (unfinished, _) = make_unfinished(there).map_err(OutputError::io(folder))?;
    fs::remove_file(&unfinished).map_err(OutputError::io(&unfinished))
}

/// Checks that a place is none of `inputs`, in none of them, and not on the file system of a device among them.
///
/// # Errors
/// [`OutputError::Input`].
pub fn check_apart(place: &Path, inputs: &[PathBuf]) -> Result<(), OutputError> {
    let real = RealPlace::of(place).map_err(OutputError::io(place))?;
    // An output may be a folder around what is read: the input itself is not touched.
    let is_touched =
        |input: &&PathBuf| !matches!(real.overlap(input), None | Some(Overlap::Around));
    match inputs.iter().find(is_touched) {
        None => Ok(()),
        Some(input) => Err(OutputError::Input {
            place: place.to_owned(),
            input: input.clone(),
        }),
    }
}

/// Resolves a link to its target, so that the link itself stays.
fn real(place: &Path) -> Result<PathBuf, OutputError> {
    let is_link = place.symlink_metadata().is_ok_and(|stat| stat.is_symlink());
    if !is_link {
        return Ok(place.to_owned());
    }
    place
        .canonicalize()
        .map_err(|_| OutputError::Exists(place.to_owned()))
}

fn check_own(place: &Path, is_own: fn(&[u8]) -> bool) -> Result<(), OutputError> {
    let stat = match place.symlink_metadata() {
        Ok(stat) => stat,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(OutputError::io(place)(error)),
    };
    let exists = || OutputError::Exists(place.to_owned());
    if !stat.is_file() {
        return Err(exists());
    }
    // A file that cannot be read cannot be recognized.
    let file = File::open(place).map_err(|_| exists())?;
    let mut head = Vec::new();
    let read = file.take(HEAD_BYTES).read_to_end(&mut head);
    match read {
        Ok(_) if is_own(&head) => Ok(()),
        _ => Err(exists()),
    }
}

/// Makes an unfinished file. Its lock tells other runs that it is in use.
fn make_unfinished(folder: &Path) -> io::Result<(PathBuf, File)> {
    let mut number = 0_u32;
    loop {
        let name = format!("{PREFIX}{}-{number}{SUFFIX}", std::process::id());
        let path = folder.join(name);
        match OpenOptions::new().write(true).create_new(true).open(&path) {
            Ok(file) => {
                // Without the lock another run may sweep the file. Then the rename fails and nothing is harmed.
                let _ = flock(&file, FlockOperation::NonBlockingLockExclusive);
                return Ok((path, file));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1000 => {
                number += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Removes the unfinished files of killed runs. A file that is still locked belongs to a running process.
fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        let path = entry.path();
        let is_left = File::open(&path)
            .is_ok_and(|file| flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok());
        if is_left {
            let _ = fs::remove_file(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::symlink;

    use super::*;

    fn is_own(head: &[u8]) -> bool {
        head.starts_with(b"own")
    }

    fn begin(place: &Path, inputs: &[&Path]) -> Result<OutputFile, OutputError> {
        let inputs: Vec<PathBuf> = inputs.iter().map(|path| (*path).to_owned()).collect();
        OutputFile::begin(place, is_own, &inputs)
    }

    #[test]
    fn only_an_earlier_one_of_its_own_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        begin(&at("new"), &[]).unwrap().finish(b"own 1").unwrap();
        begin(&at("new"), &[]).unwrap().finish(b"own 2").unwrap();
        assert_eq!(fs::read(at("new")).unwrap(), b"own 2");

        fs::write(at("thesis"), b"years").unwrap();
        fs::write(at("empty"), b"").unwrap();
        fs::create_dir(at("folder")).unwrap();
        symlink("thesis", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        for name in ["thesis", "empty", "folder", "link", "dangling"] {
            let refused = begin(&at(name), &[]);
            assert!(matches!(refused, Err(OutputError::Exists(_))), "{name}");
        }
        assert_eq!(fs::read(at("thesis")).unwrap(), b"years");
        for name in ["/dev/null", "/proc/version", "new/x", "absent/x"] {
            assert!(begin(&at(name), &[]).is_err(), "{name}");
        }
        for place in ["new/x", "new/x/y"].map(at) {
            let refused = [
                begin(&place, &[]).map(|_| ()),
                try_folder(&place, &[]),
                try_folder(&at("new"), &[]),
            ];
            for refused in refused {
                match refused {
                    Err(OutputError::BelowFile { file, .. }) => assert_eq!(file, at("new")),
                    other => panic!("{other:?}"),
                }
            }
        }

        // A link stays a link, and another hard link keeps the old content.
        symlink("new", at("to-new")).unwrap();
        fs::hard_link(at("new"), at("twin")).unwrap();
        begin(&at("to-new"), &[]).unwrap().finish(b"own 3").unwrap();
        assert!(at("to-new").is_symlink());
        assert_eq!(fs::read(at("new")).unwrap(), b"own 3");
        assert_eq!(fs::read(at("twin")).unwrap(), b"own 2");
    }

    #[test]
    fn what_is_read_is_not_written_to() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("medium/deep")).unwrap();
        fs::write(at("medium/own"), b"own").unwrap();
        fs::write(at("volume"), b"own").unwrap();
        symlink(at("medium"), at("mounted")).unwrap();
        fs::hard_link(at("volume"), at("twin")).unwrap();
        let inputs = [at("medium"), at("volume")];
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).collect();
        for name in [
            "volume",
            "twin",
            "medium/new",
            "medium/own",
            "medium/deep/new",
            "mounted/new",
            "medium/../medium/new",
        ] {
            let refused = begin(&at(name), &inputs);
            assert!(matches!(refused, Err(OutputError::Input { .. })), "{name}");
        }
        begin(&at("beside"), &inputs).unwrap();
        assert!(try_folder(&at("medium/out"), &[at("medium")]).is_err());
        assert!(!at("medium/out").exists());
        try_folder(&at("out/deep"), &[at("medium")]).unwrap();
        assert!(!at("out").exists());
        assert!(try_folder(&at("volume/deep"), &[]).is_err());
    }

    #[test]
    fn nothing_is_left_of_what_was_not_finished() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("new");
        let left = dir.path().join(".carryall-out-1-0.part");
        fs::write(&left, b"half").unwrap();
        let running = begin(&place, &[]).unwrap();
        let second = begin(&place, &[]).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        // The second run does not replace a file that another program put there.
        fs::write(&place, b"a third").unwrap();
        assert!(matches!(
            running.finish(b"own"),
            Err(OutputError::Exists(_))
        ));
        drop(second);
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().collect();
        assert_eq!(names.len(), 1);
        assert_eq!(fs::read(&place).unwrap(), b"a third");
    }
}
