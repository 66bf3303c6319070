//! Removes from a folder the files that this program made there, and nothing else. Exact names decide which files those
//! are.
//!
//! Links are never followed and never removed, because the program makes none.

use std::fs;
use std::io;
use std::path::Path;

/// Returns whether `text` is a hash of `digits` digits as this program writes it: lower-case hex.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Removes the files in `folder` that `is_own` accepts, then the accepted folders that are empty. Removes `folder`
/// itself when nothing is left in it.
///
/// `is_own` receives the path below `folder`, with `/` between its parts. A folder that it refuses is not opened. A
/// `folder` that does not exist, or is not a folder, is not an error.
///
/// # Errors
/// What the file system reports when an accepted file or folder cannot be removed.
pub(crate) fn remove_own(folder: &Path, is_own: &dyn Fn(&str) -> bool) -> io::Result<()> {
    match folder.symlink_metadata() {
        Ok(stat) if stat.is_dir() => {}
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => return Ok(()),
    }
    if clear(folder, "", is_own)? {
        fs::remove_dir(folder)?;
    }
    Ok(())
}

/// Clears a folder and returns whether it is empty now.
fn clear(folder: &Path, below: &str, is_own: &dyn Fn(&str) -> bool) -> io::Result<bool> {
    let mut is_empty = true;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let own = name
            .to_str()
            .map(|name| format!("{below}{name}"))
            .filter(|name| is_own(name));
        let kind = entry.file_type()?;
        let gone = match own {
            Some(own) if kind.is_dir() => {
                let gone = clear(&entry.path(), &format!("{own}/"), is_own)?;
                if gone {
                    fs::remove_dir(entry.path())?;
                }
                gone
            }
            Some(_) if kind.is_file() => {
                fs::remove_file(entry.path())?;
                true
            }
            _ => false,
        };
        is_empty &= gone;
    }
    Ok(is_empty)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_its_own_stays_and_links_are_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("folder");
        let other = dir.path().join("other");
        for made in [folder.join("a/b"), folder.join("mine"), other.join("a")] {
            fs::create_dir_all(made).unwrap();
        }
        for file in ["a/1", "a/b/1", "a/b/thesis", "1", "mine/1"] {
            fs::write(folder.join(file), file).unwrap();
        }
        fs::write(other.join("1"), "1").unwrap();
        std::os::unix::fs::symlink(&other, folder.join("a/c")).unwrap();
        let is_own = |path: &str| {
            let mut parts = path.split('/');
            parts.all(|part| matches!(part, "a" | "b" | "c" | "1"))
        };
        remove_own(&folder, &is_own).unwrap();
        for stays in ["a/b/thesis", "mine/1", "a/c/1"] {
            assert!(folder.join(stays).exists(), "{stays}");
        }
        for goes in ["a/1", "a/b/1", "1"] {
            assert!(!folder.join(goes).exists(), "{goes}");
        }
        // A link in place of the folder is left alone, too.
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&other, &link).unwrap();
        remove_own(&link, &|_| true).unwrap();
        assert!(link.symlink_metadata().is_ok() && other.join("1").exists());
        remove_own(&other, &|_| true).unwrap();
        assert!(!other.exists());
        remove_own(&other, &|_| true).unwrap();
    }
}
