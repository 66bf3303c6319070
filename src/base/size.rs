//! Byte sizes as people write and read them: MB is 10^6, MiB is 2^20 bytes.
//!
//! The sizes of media are in `media::kind`.

use std::fmt;

/// Says why a text is not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a size: {0:?} (try 700MB, 4GiB or 4700372992)")]
pub struct SizeParseError(String);

/// A number of bytes, printed for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

const UNITS: [(&str, u64); 11] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
];

impl std::str::FromStr for ByteSize {
    type Err = SizeParseError;

    /// Reads `700MB`, `4.7GB`, `4GiB`, `4700372992`. Units may be in any case.
    fn from_str(text: &str) -> Result<Self, SizeParseError> {
        let bad = || SizeParseError(text.chars().take(40).collect());
        let trimmed = text.trim();
        let digits_end = trimmed
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(digits_end);
        let unit = unit.trim();
        let factor = if unit.is_empty() || unit.eq_ignore_ascii_case("b") {
            1
        } else {
            UNITS
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                .ok_or_else(bad)?
                .1
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if whole.is_empty() || fraction.contains('.') || fraction.len() > 9 {
            return Err(bad());
        }
        let whole: u64 = whole.parse().map_err(|_| bad())?;
        let mut bytes = u128::from(whole) * u128::from(factor);
        if !fraction.is_empty() {
            let part: u64 = fraction.parse().map_err(|_| bad())?;
            let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| bad())?);
            bytes += u128::from(part) * u128::from(factor) / scale;
        }
        u64::try_from(bytes).map(ByteSize).map_err(|_| bad())
    }
}

impl fmt::Display for ByteSize {
    /// Prints three significant digits in decimal units: `812 B`, `4.70 GB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut milli = u128::from(self.0) * 1000;
        for unit in ["B", "kB", "MB", "GB", "TB", "PB", "EB"] {
            if milli < 999_500 || unit == "EB" {
                let (whole, rest) = (milli / 1000, milli % 1000);
                return match (unit, whole) {
                    ("B", _) => write!(f, "{whole} B"),
                    (_, 0..10) if rest < 995 => write!(f, "{whole}.{:02} {unit}", (rest + 5) / 10),
                    (_, 0..100) if rest < 950 => write!(f, "{whole}.{} {unit}", (rest + 50) / 100),
                    _ => write!(f, "{} {unit}", (milli + 500) / 1000),
                };
            }
            milli = (milli + 500) / 1000;
        }
        unreachable!("the last unit always prints")
    }
}

/// Returns the sum of sizes. Any of them may be a hostile claim, so the sum saturates.
pub fn total(sizes: impl IntoIterator<Item = u64>) -> u64 {
    sizes.into_iter().fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("100MB", 100_000_000),
            ("4GiB", 4 << 30),
            ("4.7 GB", 4_700_000_000),
            ("1.5kib", 1536),
            ("0", 0),
            ("7b", 7),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in [
            "",
            "MB",
            "1..5GB",
            "-1",
            "4XB",
            "99999999999999999999",
            "1e9",
        ] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_printed_with_three_digits() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.00 kB"),
            (12_345, "12.3 kB"),
            (999_999, "1.00 MB"),
            (4_700_372_992, "4.70 GB"),
            (352_000_000, "352 MB"),
        ] {
            assert_eq!(ByteSize(bytes).to_string(), text);
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_summed_without_a_fault() {
        assert_eq!(total([]), 0);
        assert_eq!(total([1, 2, 3]), 6);
        assert_eq!(total([u64::MAX, 2, u64::MAX]), u64::MAX);
    }
}
