//! The time for which bad sectors are tried again, as people write it: `90s`, `5m`, `2h`, `0`.

use std::time::Duration;

use crate::cli::usage::BadValue;

pub(super) fn retry_time(text: &str) -> Result<Duration, BadValue> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| BadValue::NotATime)?;
    let unit_seconds = match &text[digits.len()..] {
        "" if number == 0 => 0,
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(BadValue::NotATime),
    };
    let seconds = number.checked_mul(unit_seconds).ok_or(BadValue::NotATime)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units_and_zero_needs_none() {
        let seconds = |text: &str| retry_time(text).ok().map(|time| time.as_secs());
        assert_eq!(seconds("0"), Some(0));
        assert_eq!(seconds("0m"), Some(0));
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds("5m"), Some(300));
        assert_eq!(seconds("2h"), Some(7200));
        for wrong in [
            "",
            "5",
            "m",
            "5 m",
            "-1m",
            "5d",
            "1.5m",
            "18446744073709551615h",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
