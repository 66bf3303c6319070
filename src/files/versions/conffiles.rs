//! Carries files that a site edits from the old version into the new one.
//!
//! Patterns say which files may be edited. A file was edited when its hash differs from that of the shipped file.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Serialize;
use walkdir::WalkDir;

use super::{VersionsError, has_plain_parents};
use crate::base::id::Hasher;

/// Ending of the shipped file that is placed next to an edited one.
const SHIPPED_ENDING: &str = ".shipped";
/// Most bytes of a pattern.
const PATTERN_MAX: usize = 4096;

/// A pattern of file names. `*` stands for any characters but `/`, and `?` for one. A pattern without `/` is compared
/// with the file's name alone, and one with `/` with the whole path below the version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern(String);

/// The error for a text that is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pattern is 1 to {PATTERN_MAX} bytes and does not begin with /")]
pub struct PatternError;

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let is_good = (1..=PATTERN_MAX).contains(&text.len()) && !text.starts_with('/');
        is_good.then(|| Self(text.to_owned())).ok_or(PatternError)
    }
}

impl Pattern {
    /// Returns whether the pattern names the file at this path below a version.
    pub fn matches(&self, below: &Path) -> bool {
        use std::os::unix::ffi::OsStrExt;
        let text = if self.0.contains('/') {
            below.as_os_str()
        } else {
            below.file_name().unwrap_or_default()
        };
        matches(self.0.as_bytes(), text.as_bytes())
    }
}

/// Matches with one star remembered, whose match grows until the rest fits.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut within) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while within < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, within));
                at += 1;
                continue;
            }
            Some(b'?') if text[within] != b'/' => {}
            Some(byte) if *byte == text[within] && *byte != b'?' => {}
            _ => match star {
                // One star is enough to remember, because a later star can always take over what an earlier one
                // matched.
                Some((star_at, from)) if text[from] != b'/' => {
                    star = Some((star_at, from + 1));
                    (at, within) = (star_at + 1, from + 1);
                    continue;
                }
                _ => return false,
            },
        }
        at += 1;
        within += 1;
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

/// What happened to a file that the site edited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptState {
    /// The new version has it as the site edited it.
    Kept,
    /// The same, and the release brings another content, which is placed next to it.
    Shadows,
    /// It was not carried over. Something else stands in its place, or a link leads elsewhere.
    InTheWay,
}

/// A file that the site edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KeptFile {
    /// Its path below the version.
    pub path: String,
    /// What happened to it.
    pub state: KeptState,
    /// Path of the content that the release brings.
    pub beside: Option<String>,
}

/// Finds regular files below `root` that a pattern names, by path. Links are not followed.
fn named<'a>(
    root: &'a Path,
    patterns: &'a [Pattern],
) -> impl Iterator<Item = Result<PathBuf, VersionsError>> + 'a {
    let walk = WalkDir::new(root).min_depth(1).sort_by_file_name();
    walk.into_iter().filter_map(move |entry| {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let path = error.path().unwrap_or(root).to_owned();
                return Some(Err(VersionsError::Io {
                    path,
                    source: error.into(),
                }));
            }
        };
        let below = entry.path().strip_prefix(root).ok()?.to_owned();
        let is_named = patterns.iter().any(|pattern| pattern.matches(&below));
        (entry.file_type().is_file() && is_named).then_some(Ok(below))
    })
}

/// Returns the hashes of the shipped files that may be edited. Names that are not text are left out, so these files
/// count as edited.
///
/// # Errors
/// [`VersionsError::Io`].
pub fn shipped(
    root: &Path,
    patterns: &[Pattern],
) -> Result<BTreeMap<String, String>, VersionsError> {
    let mut files = BTreeMap::new();
    for below in named(root, patterns) {
        let below = below?;
        if let Some(name) = below.to_str() {
            files.insert(name.to_owned(), hash_of(&root.join(&below))?);
        }
    }
    Ok(files)
}

fn hash_of(path: &Path) -> Result<String, VersionsError> {
    let mut hasher = Hasher::new();
    let copied =
        fs::File::open(path).and_then(|mut file| io::copy(&mut file, &mut Sink(&mut hasher)));
    copied.map_err(VersionsError::io(path))?;
    Ok(hasher
        .finish()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

struct Sink<'a>(&'a mut Hasher);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Copies the files that the site edited from `old` into `new`. `before` is what `old` was shipped with, and `now` is
/// what `new` contains.
///
/// # Errors
/// [`VersionsError::Io`].
pub(crate) fn carry_over(
    old: &Path,
    new: &Path,
    patterns: &[Pattern],
    before: &BTreeMap<String, String>,
    now: &BTreeMap<String, String>,
) -> Result<Vec<KeptFile>, VersionsError> {
    let mut kept = Vec::new();
    for below in named(old, patterns) {
        let below = below?;
        let name = below.to_string_lossy().into_owned();
        let hash = hash_of(&old.join(&below))?;
        let is_same = |files: &BTreeMap<String, String>| files.get(&name) == Some(&hash);
        // An unedited file follows the new release, also when that no longer has it. A file that equals the new one
        // needs nothing.
        if is_same(before) || is_same(now) || name.ends_with(SHIPPED_ENDING) {
            continue;
        }
        kept.push(carry(old, new, &below, name)?);
    }
    Ok(kept)
}

fn carry(old: &Path, new: &Path, below: &Path, name: String) -> Result<KeptFile, VersionsError> {
    let (from, to) = (old.join(below), new.join(below));
    let kept = |state, beside| KeptFile {
        path: name.clone(),
        state,
        beside,
    };
    make_parents(new, below)?;
    // A link in the new version could lead the site's file to somewhere else.
    if !has_plain_parents(new, below) {
        return Ok(kept(KeptState::InTheWay, None));
    }
    let mut beside = None;
    match to.symlink_metadata() {
        Ok(stat) if stat.is_file() => {
            let shipped = PathBuf::from(format!("{name}{SHIPPED_ENDING}"));
            let moved = new.join(&shipped);
            if moved.symlink_metadata().is_ok() || below.to_str().is_none() {
                return Ok(kept(KeptState::InTheWay, None));
            }
            fs::rename(&to, &moved).map_err(VersionsError::io(&to))?;
            beside = shipped.to_str().map(str::to_owned);
        }
        Ok(_) => return Ok(kept(KeptState::InTheWay, None)),
        Err(_) => {}
    }
    copy(&from, &to).map_err(VersionsError::io(&to))?;
    let state = match beside {
        Some(_) => KeptState::Shadows,
        None => KeptState::Kept,
    };
    Ok(kept(state, beside))
}

/// Makes the missing folders above a file. Anything else in their place stays.
fn make_parents(root: &Path, below: &Path) -> Result<(), VersionsError> {
    let mut folders: Vec<&Path> = below.ancestors().skip(1).collect();
    folders.reverse();
    for folder in folders {
        let path = root.join(folder);
        match path.symlink_metadata() {
            Ok(stat) if stat.is_dir() => {}
            Ok(_) => return Ok(()),
            Err(_) => fs::create_dir(&path).map_err(VersionsError::io(&path))?,
        }
    }
    Ok(())
}

/// Copies bytes, mode and time, and the owner where that is allowed.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    fs::copy(from, to)?;
    let stat = fs::metadata(from)?;
    // Only root may give files away. For other users the owner stays the one who installs.
    let _ = std::os::unix::fs::lchown(to, Some(stat.uid()), Some(stat.gid()));
    fs::set_permissions(to, stat.permissions())?;
    let file = fs::File::open(to)?;
    file.set_modified(stat.modified()?)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_name_files() {
        let named = |pattern: &str, path: &str| {
            pattern.parse::<Pattern>().unwrap().matches(Path::new(path))
        };
        for (pattern, path) in [
            ("*.env", "a/b/c.env"),
            ("*.env", ".env"),
            ("a?.c*", "x/ab.conf"),
            ("a/*/c", "a/bb/c"),
            ("a/*.d/*.conf", "a/x.d/y.conf"),
            ("*a*b*", "xaybz"),
            ("*", "anything"),
        ] {
            assert!(named(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("*.env", "a.env.bak"),
            ("a/*", "a/b/c"),
            ("a/?", "a/bc"),
            ("?", "ab"),
            ("a*b", "acd"),
            ("b/*.env", "a/b/c.env"),
        ] {
            assert!(!named(pattern, path), "{pattern} {path}");
        }
        assert!("/etc/*".parse::<Pattern>().is_err() && "".parse::<Pattern>().is_err());
    }

    #[test]
    fn a_pattern_of_many_stars_is_not_slow() {
        let pattern = "*a".repeat(1000) + "b";
        assert!(!matches(pattern.as_bytes(), "a".repeat(10_000).as_bytes()));
    }
}
