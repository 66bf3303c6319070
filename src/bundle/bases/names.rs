//! Says of old chunks how likely new content resembles them, by the names of their files. Reads no file.
//!
//! Names are a guess, for stores that are far away. Memory: 16 bytes for each file with new chunks, and 40 for each old
//! chunk of a file that has a name like one of these.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::base::id::ChunkId;
use crate::base::monitor::Monitor;
use crate::bundle::BundleError;
use crate::content::contents::{Contents, FoundFile};
use crate::content::index::prefix;
use crate::content::recipe::RecipeError;
use crate::content::release::ReleaseRoot;
use crate::store::Store;

/// Letters that a name has at least, numbers taken out, to be compared with other names.
const LETTERS_MIN: usize = 3;
/// Digits and letters from a to f in a row that are taken for a hash when there is a number among them.
const HASH_MIN: usize = 6;

/// How the name of an old chunk's file is like that of a file with new chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum NameMatch {
    /// The same path in its folder or archive.
    SamePath,
    /// Another path, and a name that begins with the same word and differs in numbers at most: another version beside it,
    /// or a moved file.
    Version,
    /// As a version, but for the number in its first word.
    Sibling,
    /// None that is known.
    None,
}

/// The names of the files with new chunks.
#[derive(Default)]
struct NewNames {
    paths: HashSet<u64>,
    versions: HashSet<u64>,
    stems: HashSet<u64>,
}

/// How old chunks are named.
pub(super) struct OldNames(HashMap<[u8; 16], NameMatch>);

impl OldNames {
    /// Walks new releases for the names of files with chunks that are new, and old ones for the chunks of files that are
    /// named like them. `is_asked` says of a chunk whether its name is wanted.
    ///
    /// # Errors
    /// [`BundleError`] when a list cannot be read, or a stop was asked for.
    pub(super) fn of<'r>(
        store: &Store,
        releases: &[ReleaseRoot],
        old: impl Iterator<Item = &'r ReleaseRoot>,
        new: &HashSet<[u8; 16]>,
        is_asked: impl Fn(&ChunkId) -> bool,
        monitor: &dyn Monitor,
    ) -> Result<Self, BundleError> {
        let mut names = NewNames::default();
        let mut contents = Contents::new(store);
        for root in releases {
            contents.release(root, &mut |found| {
                monitor.check_stop()?;
                if found
                    .chunks
                    .iter()
                    .any(|chunk| new.contains(&prefix(&chunk.id)))
                {
                    names.add(found);
                }
                Ok::<(), RecipeError>(())
            })?;
        }
        let mut matches: HashMap<[u8; 16], NameMatch> = HashMap::new();
        let mut contents = Contents::new(store);
        for root in old {
            contents.release(root, &mut |found| {
                monitor.check_stop()?;
                let how = names.matching(found);
                if how == NameMatch::None {
                    return Ok(());
                }
                let asked = found.chunks.iter().filter(|chunk| is_asked(&chunk.id));
                for chunk in asked {
                    let best = matches.entry(prefix(&chunk.id)).or_insert(how);
                    *best = how.min(*best);
                }
                Ok::<(), RecipeError>(())
            })?;
        }
        Ok(Self(matches))
    }

    pub(super) fn of_chunk(&self, id: &ChunkId) -> NameMatch {
        self.0.get(&prefix(id)).copied().unwrap_or(NameMatch::None)
    }
}

impl NewNames {
    fn add(&mut self, found: &FoundFile<'_>) {
        self.paths.insert(hash_of(found, found.path));
        if let Some(stem) = Stem::of(found.path) {
            self.versions.insert(hash_of(found, &stem));
            self.stems.insert(hash_of(found, &stem.letters));
        }
    }

    fn matching(&self, found: &FoundFile<'_>) -> NameMatch {
        if self.paths.contains(&hash_of(found, found.path)) {
            return NameMatch::SamePath;
        }
        let Some(stem) = Stem::of(found.path) else {
            return NameMatch::None;
        };
        if self.versions.contains(&hash_of(found, &stem)) {
            NameMatch::Version
        } else if self.stems.contains(&hash_of(found, &stem.letters)) {
            NameMatch::Sibling
        } else {
            NameMatch::None
        }
    }
}

/// Hashes a name for a large set. A collision costs a read in vain.
fn hash_of(found: &FoundFile<'_>, name: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (found.kind, name).hash(&mut hasher);
    hasher.finish()
}

/// What the last part of a path has in common with other versions of it.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Stem<'a> {
    /// Its first word as it is.
    first: &'a [u8],
    /// All of its letters, without numbers and hashes.
    letters: Vec<u8>,
}

impl<'a> Stem<'a> {
    /// Returns `None` when hardly a letter is left.
    fn of(path: &'a [u8]) -> Option<Self> {
        let name = path.rsplit(|byte| *byte == b'/').next()?;
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
        let is_of_word = |byte: &u8| is_letter(byte) || byte.is_ascii_digit();
        let mut words = name
            .split(|byte| !is_of_word(byte))
            .filter(|word| !word.is_empty());
        let is_hash = |word: &[u8]| {
            word.len() >= HASH_MIN
                && word.iter().all(u8::is_ascii_hexdigit)
                && word.iter().any(u8::is_ascii_digit)
        };
        let words_after = words.clone().filter(|word| !is_hash(word));
        let letters: Vec<u8> = words_after.flatten().copied().filter(is_letter).collect();
        (letters.len() >= LETTERS_MIN).then_some(Self {
            first: words.next()?,
            letters,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_hashes_are_no_part_of_a_name() {
        let stem = |name: &'static str| Stem::of(name.as_bytes());
        let letters = |name| stem(name).map(|stem| stem.letters);
        for (one, other) in [
            ("lib/app-1.2.jar", "lib/old/app-1.10.jar"),
            ("main.3fa9c1d2.js", "main.0b77e2aa.js"),
            ("part00008-2", "part00008"),
        ] {
            assert!(stem(one).is_some());
            assert_eq!(stem(one), stem(other));
        }
        assert_eq!(letters("server2"), letters("server10"));
        assert_ne!(stem("server2"), stem("server10"));
        assert_ne!(letters("app-1.2.jar"), letters("app-1.2.war"));
        assert_eq!(letters("added.js").as_deref(), Some(&b"addedjs"[..]));
        assert_eq!((stem("0001"), stem("a-1"), stem("")), (None, None, None));
    }
}
