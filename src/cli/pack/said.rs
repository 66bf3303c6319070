//! What is said to `pack` in words of its own: the medium, the day and whom to ask.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use carryall::base::diagnostic::diagnostic;
use carryall::base::utc;
use carryall::content::release::ReleaseRoot;
use carryall::ops::Error;
use carryall::ops::pack::programs::ProgramWish;
use carryall::ops::pack::{PackNotes, Spares};
use carryall::store::Store;
use carryall::volumes::media::kind::MediaParseError;
use carryall::volumes::media::page::CONTACT_MAX_CHARS;
use carryall::volumes::media::{Capacity, MediaError};

use crate::cli::args::PackArgs;
use crate::cli::exit::Failure;

/// The last second of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// The medium that is named, or what is free where it is mounted.
pub fn capacity(args: &PackArgs) -> Result<Capacity, Failure> {
    match (&args.media, args.sectors, &args.media_at) {
        (Some(text), ..) => text.parse().map_err(|error| {
            let MediaParseError { text, suggestion } = error;
            match suggestion {
                Some(meant) => diagnostic!("usage.misspelled_medium", given = text, meant).into(),
                None => diagnostic!("usage.no_such_medium", given = text).into(),
            }
        }),
        (None, Some(sectors), _) => Ok(Capacity::from_sectors(sectors)),
        (None, None, Some(dir)) => {
            if !dir.is_dir() {
                let stat = dir.metadata();
                let path = dir.clone();
                return Err(Error::from(match stat {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        MediaError::Io { path, source }
                    }
                    Err(_) => MediaError::Missing { path },
                    Ok(_) => MediaError::NotAMedium { path },
                })
                .into());
            }
            Ok(Capacity::at(dir).map_err(Error::from)?)
        }
        (None, None, None) => Err(diagnostic!("usage.no_media").into()),
    }
}

/// Whether the program comes onto the volumes.
pub fn program_wish(args: &PackArgs) -> ProgramWish {
    if args.without_program {
        ProgramWish::Never
    } else if args.with_program || !args.program.is_empty() {
        ProgramWish::Always
    } else {
        ProgramWish::WhenTheyFit
    }
}

/// What stands on the volumes beside the releases.
pub fn notes(
    store: &Store,
    releases: &[ReleaseRoot],
    args: &PackArgs,
) -> Result<PackNotes, Failure> {
    let contact = args.contact.as_deref().map(str::trim);
    if let Some(contact) = contact {
        let is_long = contact.chars().count() > CONTACT_MAX_CHARS;
        if contact.is_empty() || is_long || contact.chars().any(char::is_control) {
            return Err(diagnostic!("usage.bad_contact", chars_max = CONTACT_MAX_CHARS).into());
        }
    }
    let mut notes = PackNotes::default();
    notes.date = date(store, releases, args)?;
    notes.contact = contact.map(str::to_owned);
    notes.spares = if args.many_spares {
        Spares::AsAsked
    } else {
        Spares::Sane
    };
    Ok(notes)
}

/// No clock is asked: the same store packs the same set on any day.
fn date(
    store: &Store,
    releases: &[ReleaseRoot],
    args: &PackArgs,
) -> Result<Option<String>, Failure> {
    if let Some(text) = &args.date {
        return match day_of(text) {
            Some(day) => Ok(Some(day)),
            None => Err(diagnostic!("usage.bad_date", given = text).into()),
        };
    }
    if let Some(epoch) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|text| !text.is_empty()) {
        let text = epoch.to_string_lossy().into_owned();
        return match text.trim().parse::<u64>().ok().and_then(written) {
            Some(day) => Ok(Some(day)),
            None => Err(diagnostic!("usage.bad_epoch", given = text).into()),
        };
    }
    let times = releases
        .iter()
        .filter_map(|root| store.root_time(&root.name.file_stem()));
    let newest: Option<SystemTime> = times.max();
    let since = newest.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(since
        .map(|since: Duration| since.as_secs())
        .and_then(written))
}

/// `2026-11-28`, when it is a day.
fn day_of(text: &str) -> Option<String> {
    let text = text.trim();
    let mut parts = text.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    let number = |part: &str| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    };
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    let fits = (1..=12).contains(&month) && day >= 1 && day <= days_in(year, month);
    fits.then(|| text.to_owned())
}

/// The day of so many seconds since 1970, in UTC; `None` past the year 9999.
fn written(seconds: u64) -> Option<String> {
    (seconds <= LAST_SECOND).then(|| utc::day(seconds))
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written_as_the_calendar_has_them() {
        for (seconds, day) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_795_824_000, "2026-11-28"),
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(written(seconds).as_deref(), Some(day));
            assert_eq!(day_of(day).as_deref(), Some(day));
        }
        assert_eq!(written(253_402_300_800), None);
        assert_eq!(written(u64::MAX), None);
        for bad in [
            "2026-11-31",
            "2025-02-29",
            "2026-1-1",
            "tomorrow",
            "2026-11-28-1",
            "+026-01-01",
            "",
        ] {
            assert_eq!(day_of(bad), None, "{bad}");
        }
    }
}
