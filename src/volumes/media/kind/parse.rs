//! Reads media as people write them: names, other spellings of names, and sizes.

use std::str::FromStr;

use super::{Capacity, MediaKind, NAMED};
use crate::base::size::ByteSize;

/// Other spellings of the names, without spaces, hyphens and signs. Each names exactly one medium.
const ALIASES: [(&str, MediaKind); 34] = [
    ("cdr", MediaKind::Cd),
    ("cdrw", MediaKind::Cd),
    ("cdrom", MediaKind::Cd),
    ("cd700", MediaKind::Cd),
    ("cd80", MediaKind::Cd),
    ("dvd5", MediaKind::Dvd),
    ("dvdr", MediaKind::Dvd),
    ("dvdrw", MediaKind::Dvd),
    ("dvdrom", MediaKind::Dvd),
    ("dvdsl", MediaKind::Dvd),
    ("dvd9", MediaKind::DvdDl),
    ("dvddl", MediaKind::DvdDl),
    ("dvdrdl", MediaKind::DvdDl),
    ("bdr", MediaKind::Bd),
    ("bdre", MediaKind::Bd),
    ("bdrom", MediaKind::Bd),
    ("bd25", MediaKind::Bd),
    ("bdsl", MediaKind::Bd),
    ("bdrsl", MediaKind::Bd),
    ("bluray", MediaKind::Bd),
    ("bdrdl", MediaKind::BdDl),
    ("bdredl", MediaKind::BdDl),
    ("bd50", MediaKind::BdDl),
    ("bddl", MediaKind::BdDl),
    ("bluraydl", MediaKind::BdDl),
    ("bd100", MediaKind::Bdxl),
    ("bdxl", MediaKind::Bdxl),
    ("bdrxl", MediaKind::Bdxl),
    ("bdrexl", MediaKind::Bdxl),
    ("blurayxl", MediaKind::Bdxl),
    ("stick", MediaKind::Usb),
    ("usbstick", MediaKind::Usb),
    ("usbdisk", MediaKind::Usb),
    ("flash", MediaKind::Usb),
];

/// Smaller bare numbers are not taken as sizes in bytes.
const BARE_BYTES_MIN: u64 = 1_000_000;

/// Says why a text does not name a medium.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such medium: {text:?}; there are cd, dvd, dvd-dl, bd, bd-dl, bdxl, usb, or an exact size such as 700MB, 8GB or 4GiB{}",
    suggestion.as_ref().map(|name| format!("; did you mean {name}?")).unwrap_or_default()
)]
pub struct MediaParseError {
    /// The given text, cut at 40 characters.
    pub text: String,
    /// The closest valid input, if there is one: a name, or a size that can be read in only one way.
    pub suggestion: Option<String>,
}

impl FromStr for Capacity {
    type Err = MediaParseError;

    /// Parses a kind (`dvd-dl`, `DVD-R`, in any case) or an exact size (`8GB`, `4GiB`, `4700372992`). Full-width digits
    /// and letters are accepted. Ambiguous input is refused with a suggestion.
    fn from_str(text: &str) -> Result<Self, MediaParseError> {
        let narrow: String = text.trim().chars().map(narrow).collect();
        let lower = narrow.trim().to_ascii_lowercase();
        if let Some((_, kind, _)) = NAMED.iter().find(|(name, _, _)| *name == lower) {
            return Ok(Self::of(*kind));
        }
        let plain = plain(&lower);
        if let Some((_, kind)) = ALIASES.iter().find(|(alias, _)| *alias == plain) {
            return Ok(Self::of(*kind));
        }
        let refused = |suggestion| MediaParseError {
            text: text.chars().take(40).collect(),
            suggestion,
        };
        match lower.parse::<ByteSize>() {
            Ok(ByteSize(bytes)) if is_bare(&lower) && bytes < BARE_BYTES_MIN => {
                Err(refused(with_unit(&lower)))
            }
            Ok(ByteSize(bytes)) if bytes > 0 => Ok(Self::exact(bytes)),
            _ => Err(refused(size_meant(&lower).or_else(|| nearest(&plain)))),
        }
    }
}

/// Returns the ASCII character of a full-width character.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        '\u{3002}' => '.',
        '\u{3001}' => ',',
        c => c,
    }
}

fn plain(lower: &str) -> String {
    lower
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect()
}

/// Returns whether the text has only digits, with or without a point.
fn is_bare(lower: &str) -> bool {
    lower.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// Returns a bare number with its most likely unit.
fn with_unit(number: &str) -> Option<String> {
    let value: f64 = number.parse().ok()?;
    if value <= 0.0 {
        return None;
    }
    let unit = if value < 200.0 { "GB" } else { "MB" };
    Some(format!("{number}{unit}"))
}

/// Returns a size that was written with a comma as it is written with a point. Returns `None` when it is not such a
/// size.
fn size_meant(lower: &str) -> Option<String> {
    let pointed = lower.replace(',', ".");
    if !lower.contains(',') || pointed.matches('.').count() != 1 {
        return None;
    }
    let ByteSize(bytes) = pointed.parse().ok()?;
    if bytes == 0 {
        return None;
    }
    if is_bare(&pointed) {
        return with_unit(&pointed);
    }
    Some(pointed.to_ascii_uppercase().replace("IB", "iB"))
}

fn nearest(plain: &str) -> Option<String> {
    if plain.is_empty() {
        return None;
    }
    NAMED
        .iter()
        .map(|(name, _, _)| {
            (
                edits(name.replace('-', "").as_bytes(), plain.as_bytes()),
                *name,
            )
        })
        .filter(|(edits, name)| *edits <= 1 + name.len() / 4)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name.to_owned())
}

/// Returns the Levenshtein distance, for texts of a few bytes.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
