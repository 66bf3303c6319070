//! The writers that there are models of. Their numbers are format.

use super::model::Model;
use super::model::chain::{Chain, Go, Zlib};
use super::model::klauspost;
use super::model::libdeflate;

/// A writer at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer(u8);

/// A model that any thread may own.
pub(crate) type AnyModel = Box<dyn Model + Send>;

/// First number of klauspost's levels, nine an era; of libdeflate's, sixteen an era.
const KLAUSPOST: u8 = 24;
const LIBDEFLATE: u8 = 64;
/// The writer that is like no other.
const UNKNOWN: u8 = 112;

const ERAS: [klauspost::Era; 4] = [
    klauspost::Era::From1_15_10,
    klauspost::Era::From1_15_0,
    klauspost::Era::From1_12_2,
    klauspost::Era::First,
];

const LIBDEFLATE_ERAS: [libdeflate::Era; 3] = [
    libdeflate::Era::Middle,
    libdeflate::Era::Late,
    libdeflate::Era::Early,
];

impl Writer {
    /// No model: what comes is coded by what came before.
    pub(crate) const UNKNOWN: Self = Self(UNKNOWN);

    pub(crate) fn number(self) -> u8 {
        self.0
    }

    pub(crate) const fn zlib(level: u8) -> Self {
        Self(level)
    }

    pub(crate) const fn go(level: u8) -> Self {
        Self(10 + level)
    }

    pub(crate) const fn klauspost(level: u8, era: u8) -> Self {
        Self(KLAUSPOST + 9 * era + level - 1)
    }

    pub(crate) const fn libdeflate(level: u8) -> Self {
        Self(LIBDEFLATE + level)
    }

    /// The writer of a number, if there is one.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        let known = match number {
            1..=9 | 12..=19 | UNKNOWN => true,
            KLAUSPOST..=59 => true,
            LIBDEFLATE..=111 => matches!(number % 16, 1..=9),
            _ => false,
        };
        known.then_some(Self(number))
    }

    /// Its model; none for the unknown one.
    pub(crate) fn model(self) -> Option<AnyModel> {
        Some(match self.0 {
            level @ 1..=9 => Box::new(Chain::<Zlib>::zlib(level)),
            number @ 12..=19 => Box::new(Chain::<Go>::go(number - 10)),
            number @ KLAUSPOST..=59 => {
                let (era, level) = ((number - KLAUSPOST) / 9, (number - KLAUSPOST) % 9 + 1);
                klauspost::model(level, ERAS[usize::from(era)])
            }
            number @ LIBDEFLATE..=111 => {
                let (era, level) = ((number - LIBDEFLATE) / 16, (number - LIBDEFLATE) % 16);
                libdeflate::model(level, LIBDEFLATE_ERAS[usize::from(era)])
            }
            _ => return None,
        })
    }

    /// Its name, for people.
    pub(crate) fn name(self) -> String {
        match self.0 {
            level @ 1..=9 => format!("zlib {level}"),
            number @ 11..=19 => format!("Go {}", number - 10),
            number @ KLAUSPOST..=59 => {
                let era = ["", " (1.15.0)", " (1.12.2)", " (1.12.1)"]
                    [usize::from((number - KLAUSPOST) / 9)];
                format!("klauspost {}{era}", (number - KLAUSPOST) % 9 + 1)
            }
            number @ LIBDEFLATE..=111 => {
                let era = ["", " (1.19)", " (1.6)"][usize::from((number - LIBDEFLATE) / 16)];
                format!("libdeflate {}{era}", number % 16)
            }
            _ => "unknown".to_owned(),
        }
    }
}

/// The common ones, most common first.
pub(crate) const COMMON: [Writer; 8] = [
    Writer::zlib(6),
    Writer::klauspost(5, 0),
    Writer::go(6),
    Writer::zlib(9),
    Writer::klauspost(6, 0),
    Writer::libdeflate(6),
    Writer::zlib(1),
    Writer::go(9),
];

/// All.
pub(crate) fn all() -> impl Iterator<Item = Writer> {
    let rest = (0..UNKNOWN).filter_map(Writer::from_number);
    COMMON
        .into_iter()
        .chain(rest.filter(|writer| !COMMON.contains(writer)))
}
