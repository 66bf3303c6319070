//! The writers that have models. Their numbers are part of the format.

use super::model::chain::{Chain, Go, Zlib, ZlibWide};
use super::model::klauspost::{self, Era};
use super::model::libdeflate;
use super::model::quick_go::QuickGo;
use super::model::{Model, Text};
use super::token::Token;

/// A writer at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer(u8);

/// A model that any thread may own.
pub(crate) type AnyModel = Box<dyn Model + Send>;

/// First number of klauspost's levels, sixteen for the eras of each. [`LIBDEFLATE`] is the first of libdeflate's,
/// sixteen for each era.
const KLAUSPOST: u8 = 32;
const LIBDEFLATE: u8 = 192;
/// Eras by their numbers, and the first version of each.
const ERAS: [(Era, &str); 11] = [
    (Era::First, "up to 1.12.1"),
    (Era::From1_12_2, "1.12.2"),
    (Era::From1_14_2, "1.14.2"),
    (Era::From1_14_3, "1.14.3"),
    (Era::From1_15_0, "1.15.0"),
    (Era::From1_15_10, "1.15.10"),
    (Era::From1_15_11, "1.15.11"),
    (Era::From1_15_15, "1.15.15"),
    (Era::From1_18_0, "1.18.0"),
    (Era::From1_18_2, "1.18.2"),
    (Era::Go1_27, "Go 1.27"),
];
/// Number of the unknown writer.
const UNKNOWN: u8 = 255;

/// The model of a writer that searches for no matches.
struct Literals;

impl Model for Literals {
    fn begin(&mut self, _: Text<'_>, _: usize, _: usize) {}

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        Token::literal(text.bytes[at])
    }

    fn follow(&mut self, _: Text<'_>, _: usize, _: Token) {}
}

const LIBDEFLATE_ERAS: [libdeflate::LibdeflateEra; 3] = [
    libdeflate::LibdeflateEra::Middle,
    libdeflate::LibdeflateEra::Late,
    libdeflate::LibdeflateEra::Early,
];

impl Writer {
    /// The writer without a model. Its tokens are coded from their context.
    pub(crate) const UNKNOWN: Self = Self(UNKNOWN);
    /// The writer that makes no matches.
    pub(crate) const LITERALS: Self = Self(0);

    pub(crate) fn number(self) -> u8 {
        self.0
    }

    pub(crate) const fn zlib(level: u8) -> Self {
        Self(level)
    }

    pub(crate) const fn go(level: u8) -> Self {
        Self(10 + level)
    }

    pub(crate) const fn klauspost(level: u8, era: Era) -> Self {
        Self(KLAUSPOST + 16 * (level - 1) + era as u8)
    }

    /// Returns the level and era of one of klauspost's numbers.
    fn klauspost_of(number: u8) -> Option<(u8, Era, &'static str)> {
        let (level, era) = ((number - KLAUSPOST) / 16 + 1, (number - KLAUSPOST) % 16);
        let (era, version) = *ERAS.get(usize::from(era))?;
        let known = klauspost::eras(level).contains(&era);
        known.then_some((level, era, version))
    }

    pub(crate) const fn libdeflate(level: u8) -> Self {
        Self(LIBDEFLATE + level)
    }

    /// Returns the writer of a number, if there is one.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        let known = match number {
            0..=9 | 11..=19 | 21..=29 | UNKNOWN => true,
            KLAUSPOST..=175 => Self::klauspost_of(number).is_some(),
            // Levels 8 and 9 of the first era choose by cost and have no model.
            LIBDEFLATE..=223 => matches!(number % 16, 1..=9),
            224..=239 => matches!(number % 16, 1..=7),
            _ => false,
        };
        known.then_some(Self(number))
    }

    /// Returns whether its model supports a flush in the middle of a stream.
    pub(crate) fn goes_on(self) -> bool {
        self.0 < KLAUSPOST
    }

    /// Returns whether its model, told to begin, is as a new one: those with one hash chain.
    pub(crate) fn begins_anew(self) -> bool {
        matches!(self.0, 1..=9 | 12..=29)
    }

    /// Returns its model, or none for the unknown writer.
    pub(crate) fn model(self) -> Option<AnyModel> {
        Some(match self.0 {
            0 => Box::new(Literals),
            level @ 1..=9 => Box::new(Chain::<Zlib>::zlib(level)),
            11 => Box::new(QuickGo::new()),
            number @ 12..=19 => Box::new(Chain::<Go>::go(number - 10)),
            number @ 21..=29 => Box::new(Chain::<ZlibWide>::zlib_wide(number - 20)),
            number @ KLAUSPOST..=175 => {
                let (level, era, _) = Self::klauspost_of(number)?;
                klauspost::model(level, era)
            }
            number @ LIBDEFLATE..=239 => {
                let (era, level) = ((number - LIBDEFLATE) / 16, (number - LIBDEFLATE) % 16);
                libdeflate::model(level, LIBDEFLATE_ERAS[usize::from(era)])
            }
            _ => return None,
        })
    }

    /// Returns its name, for people.
    pub(crate) fn name(self) -> String {
        match self.0 {
            0 => "literals".to_owned(),
            level @ 1..=9 => format!("zlib {level}"),
            number @ 11..=19 => format!("Go {}", number - 10),
            number @ 21..=29 => format!("zlib {} (memory level 9)", number - 20),
            number @ KLAUSPOST..=175 => match Self::klauspost_of(number) {
                Some((level, _, version)) => format!("klauspost {level} ({version})"),
                None => "klauspost".to_owned(),
            },
            number @ LIBDEFLATE..=239 => {
                let era = ["", " (1.19)", " (1.6)"][usize::from((number - LIBDEFLATE) / 16)];
                format!("libdeflate {}{era}", number % 16)
            }
            _ => "unknown".to_owned(),
        }
    }
}

/// The common writers, most common first. The first [`FEW`] are tried with short streams.
const COMMON: [Writer; 15] = [
    Writer::zlib(6),
    Writer::klauspost(5, Era::From1_15_10),
    Writer::go(6),
    Writer::zlib(9),
    Writer::klauspost(6, Era::From1_15_10),
    Writer::libdeflate(6),
    Writer::zlib(1),
    Writer::go(9),
    Writer::zlib(8),
    Writer::zlib(7),
    Writer::zlib(5),
    Writer::zlib(4),
    Writer::zlib(3),
    Writer::zlib(2),
    Writer::go(1),
];

/// Number of writers that are tried with short streams.
pub(crate) const FEW: usize = COMMON.len();

/// Returns all writers.
pub(crate) fn all() -> impl Iterator<Item = Writer> {
    let rest = (1..UNKNOWN).filter_map(Writer::from_number);
    COMMON
        .into_iter()
        .chain(rest.filter(|writer| !COMMON.contains(writer)))
}
