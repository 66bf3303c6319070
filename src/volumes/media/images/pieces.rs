//! Finds files that are pieces of one: neighbors by name, as `split`, mail gateways and archivers number them.
//!
//! Names alone decide who is a neighbor. A piece that begins a volume, an image or a raw image of its own is none. It opens
//! no more than the beginnings of files with such names.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::volumes::block::{BLOCK_BYTES, BlockHeader};
use crate::volumes::media::images::raw_sectors::SectorLayout;
use crate::volumes::media::images::{FileReader, has_iso_magic, read_full};
use crate::volumes::media::volume_files::is_volume_file_name;

/// Most pieces in a row that may be missing.
const MISSING_MAX: u64 = 64;
/// Longest suffix of letters that `split` is asked for.
const LETTERS_MAX: usize = 5;
/// Most digits of a piece's number.
const DIGITS_MAX: usize = 9;

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPiece {
    /// Its file. `None` when it is missing.
    pub path: Option<PathBuf>,
    /// Its length. A missing one counts with the length of those before it.
    pub bytes: u64,
}

/// A file that may be a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::volumes::media) struct PieceFile {
    pub(in crate::volumes::media) path: PathBuf,
    pub(in crate::volumes::media) bytes: u64,
}

/// How sure a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum NameStyle {
    /// `.001`, `part1`: nothing else is named so.
    Numbered,
    /// Digits at the end, as `split -d` writes them. The lengths must be those of pieces, too.
    Digits,
}

/// What pieces of one stream have in common: folder, name before and behind the number, style.
type PieceFamily = (PathBuf, String, String, NameStyle);

/// Returns the streams among these files, each as indexes in order, and `None` for a piece that is missing.
pub(in crate::volumes::media) fn streams(files: &[PieceFile]) -> Vec<Vec<Option<usize>>> {
    let mut found = Vec::new();
    let mut used = HashSet::new();
    let names: Vec<Option<(&Path, &str)>> = files.iter().map(split_path).collect();
    let mut families: BTreeMap<PieceFamily, Vec<(&str, usize)>> = BTreeMap::new();
    for (index, name) in names.iter().enumerate() {
        if let Some((folder, name)) = name
            && let Some((before, digits, behind, style)) = numbered(name)
        {
            let family = (
                folder.to_path_buf(),
                before.to_owned(),
                behind.to_owned(),
                style,
            );
            families.entry(family).or_default().push((digits, index));
        }
    }
    let mut families: Vec<_> = families.into_iter().collect();
    families.sort_by_key(|((_, _, _, style), _)| *style);
    for ((_, _, _, style), members) in families {
        let by_length = style == NameStyle::Digits;
        for run in runs(&in_order(&members), files) {
            keep(run, by_length, files, &mut used, &mut found);
        }
    }
    let by_name: BTreeMap<(&Path, &str), usize> = names
        .iter()
        .enumerate()
        .filter_map(|(index, name)| Some(((*name)?, index)))
        .collect();
    for first in ["aa", "ab", "ac"] {
        for (index, name) in names.iter().enumerate() {
            let Some((folder, name)) = *name else {
                continue;
            };
            if used.contains(&index) || !name.ends_with(first) {
                continue;
            }
            let all = (2..=LETTERS_MAX).filter_map(|letters| {
                let members = lettered(folder, name, letters, &by_name)?;
                runs(&members, files)
                    .into_iter()
                    .find(|run| run[0] == Some(index))
            });
            if let Some(run) = all.max_by_key(Vec::len) {
                keep(run, true, files, &mut used, &mut found);
            }
        }
    }
    found
}

/// Keeps a run if it is one stream.
fn keep(
    run: Vec<Option<usize>>,
    by_length: bool,
    files: &[PieceFile],
    used: &mut HashSet<usize>,
    found: &mut Vec<Vec<Option<usize>>>,
) {
    let members = || run.iter().copied().flatten();
    let is_free = members().all(|index| !used.contains(&index));
    if members().count() > 1 && is_free && (!by_length || have_lengths_of_pieces(&run, files)) {
        used.extend(members());
        found.push(run);
    }
}

/// Whether all have the same length, and the last at most this.
fn have_lengths_of_pieces(run: &[Option<usize>], files: &[PieceFile]) -> bool {
    let lengths: Vec<u64> = run
        .iter()
        .flatten()
        .map(|index| files[*index].bytes)
        .collect();
    let Some((last, all)) = lengths.split_last() else {
        return false;
    };
    all.iter().all(|bytes| *bytes == lengths[0]) && *last <= lengths[0]
}

/// Splits members at long gaps, and where a file begins something of its own.
fn runs(members: &BTreeMap<u64, usize>, files: &[PieceFile]) -> Vec<Vec<Option<usize>>> {
    let mut runs: Vec<Vec<Option<usize>>> = Vec::new();
    let mut before: Option<u64> = None;
    for (number, index) in members {
        let missing = before.map_or(0, |before| number - before - 1);
        before = Some(*number);
        match runs.last_mut() {
            // As many may be missing as there are, so that two names make no long stream.
            Some(run)
                if missing <= MISSING_MAX.min(run.len() as u64)
                    && !begins_something(&files[*index].path) =>
            {
                run.extend((0..missing).map(|_| None));
                run.push(Some(*index));
            }
            _ => runs.push(vec![Some(*index)]),
        }
    }
    runs
}

/// Returns whether a file begins a volume file, an image of a disc, or a raw image.
fn begins_something(path: &Path) -> bool {
    let Ok(reader) = FileReader::open(path) else {
        return false;
    };
    let mut begin = vec![0; BLOCK_BYTES];
    let have = read_full(&reader, 0, &mut begin);
    let begin = &begin[..have];
    // A piece may be cut where a block or a sector begins, so only the first ones count.
    let block = BlockHeader::peek(begin);
    let has_sync = || SectorLayout::begins(begin) && SectorLayout::of(&reader).is_some();
    block.is_some_and(|header| header.block_no == 0) || has_iso_magic(begin) || has_sync()
}

fn split_path(file: &PieceFile) -> Option<(&Path, &str)> {
    let name = file.path.file_name()?.to_str()?;
    let is_volume_file = is_volume_file_name(&name.to_ascii_lowercase());
    (!is_volume_file).then_some((file.path.parent().unwrap_or(Path::new("")), name))
}

/// Sorts the members of a family by their numbers. With two digits and four, `split` has counted on behind `89`.
fn in_order(members: &[(&str, usize)]) -> BTreeMap<u64, usize> {
    let has = |digits: usize| members.iter().any(|(number, _)| number.len() == digits);
    let is_widened = has(2) && has(4) && !has(3);
    let number = |digits: &str| {
        if is_widened {
            widened(digits.bytes().map(|byte| u64::from(byte - b'0')), 10)
        } else {
            number_of(digits)
        }
    };
    let members = members.iter();
    members
        .filter_map(|(digits, index)| Some((number(digits)?, *index)))
        .collect()
}

/// Returns the name before the number, the number, the name behind it, and how sure this is.
fn numbered(name: &str) -> Option<(&str, &str, &str, NameStyle)> {
    // `part001.bin`, `disc.part1.rar`: behind the number nothing or an extension.
    if let Some(at) = name.to_ascii_lowercase().rfind("part") {
        let rest = &name[at + 4..];
        let word = rest.len() - rest.trim_start_matches(['-', '_', '.', ' ']).len();
        let digits = digits_at(&rest[word..]);
        let (number, behind) = rest[word..].split_at(digits);
        if word <= 1 && digits > 0 && (behind.is_empty() || behind.starts_with('.')) {
            return Some((&name[..at + 4 + word], number, behind, NameStyle::Numbered));
        }
    }
    let digits = name.len() - name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    if digits < 2 {
        return None;
    }
    let (before, number) = name.split_at(name.len() - digits);
    let style = if before.ends_with('.') {
        NameStyle::Numbered
    } else {
        NameStyle::Digits
    };
    Some((before, number, "", style))
}

fn digits_at(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn number_of(digits: &str) -> Option<u64> {
    (digits.len() <= DIGITS_MAX).then(|| digits.parse().ok())?
}

/// Returns the number of a suffix as `split` counts. When two signs do not suffice, it goes on behind `yz` with `zaaa`, so
/// that names sort in order: each last sign at the front stands for one more sign behind.
fn widened(signs: impl Iterator<Item = u64> + Clone, base: u64) -> Option<u64> {
    let count = signs.clone().count();
    let lasts = signs.clone().take_while(|sign| *sign == base - 1).count();
    // Another width was asked for with `-a`, and nothing is widened.
    if count != 2 + 2 * lasts || lasts == 0 {
        return value(signs, base);
    }
    let mut before = 0_u64;
    for level in 0..lasts {
        let suffixes = base.checked_pow(u32::try_from(level).ok()? + 1)?;
        before = before.checked_add(suffixes.checked_mul(base - 1)?)?;
    }
    before.checked_add(value(signs.skip(lasts), base)?)
}

fn value(mut signs: impl Iterator<Item = u64>, base: u64) -> Option<u64> {
    signs.try_fold(0_u64, |sum, sign| sum.checked_mul(base)?.checked_add(sign))
}

/// Returns the members of the family in which `name` has a suffix of this many letters.
fn lettered(
    folder: &Path,
    name: &str,
    letters: usize,
    by_name: &BTreeMap<(&Path, &str), usize>,
) -> Option<BTreeMap<u64, usize>> {
    let before = name.len().checked_sub(letters)?;
    let (before, suffix) = (name.get(..before)?, name.get(before..)?);
    let is_suffix = |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_suffix(suffix) || suffix[..letters - 1].bytes().any(|byte| byte != b'a') {
        return None;
    }
    let mut members = BTreeMap::new();
    let from = by_name.range((folder, before)..);
    let with_it =
        from.take_while(|((other, name), _)| *other == folder && name.starts_with(before));
    for ((_, other), index) in with_it {
        let suffix = &other[before.len()..];
        if is_suffix(suffix)
            && (suffix.len() == letters || letters == 2 && suffix.starts_with('z'))
            && let Some(number) = widened(suffix.bytes().map(|byte| u64::from(byte - b'a')), 26)
        {
            members.insert(number, *index);
        }
    }
    Some(members)
}

/// Returns whether a file is the first piece by its name, so that its neighbors are worth a look.
pub(in crate::volumes::media) fn is_first_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return false;
    };
    if is_volume_file_name(&name.to_ascii_lowercase()) {
        return false;
    }
    let all_a = |suffix: &str| {
        (2..=LETTERS_MAX).contains(&suffix.len()) && suffix.bytes().all(|byte| byte == b'a')
    };
    name.rsplit_once('.')
        .is_some_and(|(_, suffix)| all_a(suffix))
        || name.strip_prefix('x').is_some_and(all_a)
        || numbered(name).is_some_and(|(_, digits, _, style)| {
            number_of(digits).is_some_and(|number| number <= 1)
                && (style == NameStyle::Numbered || name == "x00")
        })
}

/// Makes the pieces of a stream.
pub(in crate::volumes::media) fn pieces(
    stream: &[Option<usize>],
    files: &[PieceFile],
) -> Arc<[MediaPiece]> {
    let mut length = 0;
    let piece = |index: &Option<usize>| {
        let file = index.map(|index| &files[index]);
        length = file.map_or(length, |file| file.bytes);
        MediaPiece {
            path: file.map(|file| file.path.clone()),
            bytes: length,
        }
    };
    stream.iter().map(piece).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::volumes::media::images::{ISO_MAGIC, ISO_MAGIC_OFFSET};

    fn of(names: &[(&str, u64)]) -> Vec<Vec<String>> {
        let files: Vec<PieceFile> = names
            .iter()
            .map(|(name, bytes)| PieceFile {
                path: PathBuf::from("/none").join(name),
                bytes: *bytes,
            })
            .collect();
        let name =
            |index: &Option<usize>| index.map_or("-".into(), |index| names[index].0.to_owned());
        let all = streams(&files);
        all.iter()
            .map(|run| run.iter().map(name).collect())
            .collect()
    }

    fn one(names: &[&str]) -> Vec<Vec<String>> {
        let mut names: Vec<(&str, u64)> = names.iter().map(|name| (*name, 100)).collect();
        names.last_mut().unwrap().1 = 9;
        of(&names)
    }

    #[test]
    fn names_of_all_programs_are_put_in_order() {
        for names in [
            &["xaa", "xab", "xac"][..],
            &["disc.iso.aa", "disc.iso.ab"],
            &["xaaa", "xaab", "xaac"],
            &["x00", "x01", "x02"],
            &["disc.iso.001", "disc.iso.002", "disc.iso.003"],
            &["disc.999", "disc.1000"],
            &["disc.88", "disc.89", "disc.9000"],
            &["part1", "part2", "part10"],
            &["disc part-1.bin", "disc part-2.bin"],
            &["v.part01.dat", "v.part02.dat"],
        ] {
            let found = one(names);
            let with_gaps: Vec<_> = found
                .concat()
                .into_iter()
                .filter(|name| name != "-")
                .collect();
            let expected: &[&str] = if names[2..].contains(&"part10") {
                &names[..2]
            } else {
                names
            };
            assert_eq!(with_gaps, expected);
        }
    }

    #[test]
    fn suffixes_are_widened_as_split_does() {
        let letters = |text: &str| widened(text.bytes().map(|byte| u64::from(byte - b'a')), 26);
        assert_eq!(letters("yz").unwrap() + 1, letters("zaaa").unwrap());
        assert_eq!(letters("zyzz").unwrap() + 1, letters("zzaaaa").unwrap());
        let digits = |text: &str| widened(text.bytes().map(|byte| u64::from(byte - b'0')), 10);
        assert_eq!(digits("89").unwrap() + 1, digits("9000").unwrap());
        assert_eq!(digits("9899").unwrap() + 1, digits("990000").unwrap());
        assert_eq!(letters("aaaaaaaaaaaaaaaaaaaaaaa"), Some(0));
        assert_eq!(letters("zzzzzzzzzzzzzzzzzzzzzzz"), None);
    }

    #[test]
    fn a_missing_piece_is_a_gap_and_few_names_bridge_no_long_one() {
        assert_eq!(one(&["xaa", "xab", "xad"]), [["xaa", "xab", "-", "xad"]]);
        assert_eq!(one(&["v.001", "v.003"]), [["v.001", "-", "v.003"]]);
        assert!(one(&["v.001", "v.900"]).is_empty());
        assert_eq!(one(&["xab", "xac"]), [["xab", "xac"]]);
    }

    #[test]
    fn other_files_are_not_joined() {
        for names in [
            &["carry03.000", "carry03.001"][..],
            &["data", "date", "daub"],
            &["a.iso", "b.iso"],
            &["disc1", "disc2"],
            &["a.001", "b.002"],
            &["part", "party"],
        ] {
            assert!(one(names).is_empty(), "{names:?}");
        }
        // Names with digits alone prove little, and these lengths are not those of pieces.
        assert!(of(&[("vol01", 100), ("vol02", 300)]).is_empty());
        assert!(of(&[("v.aa", 100), ("v.ab", 50), ("v.ac", 100)]).is_empty());
        assert_eq!(of(&[("v.001", 100), ("v.002", 300)]).len(), 1);
    }

    #[test]
    fn a_file_that_begins_an_image_or_a_volume_is_no_later_piece() {
        let dir = tempfile::tempdir().unwrap();
        let mut image = vec![0; BLOCK_BYTES];
        image[ISO_MAGIC_OFFSET..ISO_MAGIC_OFFSET + 5].copy_from_slice(ISO_MAGIC);
        let files: Vec<PieceFile> = (1..4)
            .map(|no| {
                let path = dir.path().join(format!("disc.00{no}"));
                std::fs::write(&path, &image).unwrap();
                PieceFile {
                    path,
                    bytes: 65_536,
                }
            })
            .collect();
        assert!(streams(&files).is_empty());
    }

    #[test]
    fn hostile_names_cost_little() {
        let long = "9".repeat(250);
        let names = [
            long.as_str(),
            "part99999999999999999999",
            ".00",
            "part.",
            "é.001",
            "aa",
            "a",
        ];
        assert!(one(&names).is_empty());
    }
}
