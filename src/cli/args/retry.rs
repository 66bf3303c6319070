//! Times as people write them: `90s`, `5m`, `2h`, `0`. Times of grace may have days, too.

use std::time::Duration;

use crate::cli::usage::BadValue;

/// As [`retry_time`], and in days.
pub(super) fn grace_time(text: &str) -> Result<Duration, BadValue> {
    let Some(days) = text.strip_suffix('d') else {
        return retry_time(text);
    };
    let days: u32 = days.parse().map_err(|_| BadValue::NotATime)?;
    Ok(Duration::from_secs(u64::from(days) * 24 * 3600))
}

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
        assert_eq!(
            grace_time("30d").ok().map(|time| time.as_secs()),
            Some(2_592_000)
        );
        assert_eq!(
            grace_time("12h").ok().map(|time| time.as_secs()),
            Some(43_200)
        );
        assert!(grace_time("d").is_err() && grace_time("-1d").is_err());
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
