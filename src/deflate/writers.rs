//! The writers that have models. Their numbers are part of the format.

use std::ops::RangeInclusive;

use super::model::chain::{self, Chain, ChromiumEra, Go, Zlib, ZlibWide};
use super::model::klauspost::{self, Era};
use super::model::libdeflate;
use super::model::miniz::Miniz;
use super::model::quick_go::QuickGo;
use super::model::quick_miniz::QuickMiniz;
use super::model::zlib_ng::{self, ZlibNgEra};
use super::model::{Model, Text, common};
use super::token::{MATCH_MAX, MATCH_MIN, Token};

/// A writer at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Writer(u16);

/// A model that any thread may own.
pub(crate) type AnyModel = Box<dyn Model + Send>;

/// First number of klauspost's levels, sixteen for the eras of each. [`LIBDEFLATE`] is the first of libdeflate's,
/// sixteen for each era.
const KLAUSPOST: u16 = 32;
const LIBDEFLATE: u16 = 192;
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
/// Stand in a recipe before the rest of a number from 512 on, and from 256 on.
const FURTHER: [u8; 2] = [253, 254];
/// Number of the unknown writer.
const UNKNOWN: u16 = 255;
/// First number of the writers of [`ROWS`], sixteen for the levels of each.
const MORE: u16 = 256;
/// Writers whose numbers take two bytes, by their rows.
const ROWS: [WriterRow; 21] = [
    WriterRow::Chromium(ChromiumEra::Multiplied),
    WriterRow::Chromium(ChromiumEra::Crc),
    WriterRow::Miniz,
    WriterRow::ZlibNg(ZlibNgEra::From2_2),
    WriterRow::ZlibNg(ZlibNgEra::From2_1),
    WriterRow::ZlibNg(ZlibNgEra::From2_0),
    WriterRow::Filtered,
    WriterRow::Runs,
    WriterRow::Window(9),
    WriterRow::Window(10),
    WriterRow::Window(11),
    WriterRow::Window(12),
    WriterRow::Window(13),
    WriterRow::Window(14),
    WriterRow::Memory(1),
    WriterRow::Memory(2),
    WriterRow::Memory(3),
    WriterRow::Memory(4),
    WriterRow::Memory(5),
    WriterRow::Memory(6),
    WriterRow::Memory(7),
];

/// Stands for miniz's level 1 when it writes into a buffer for the whole stream.
const MINIZ_AT_ONCE: u8 = 11;

/// A writer without its level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WriterRow {
    Chromium(ChromiumEra),
    Miniz,
    ZlibNg(ZlibNgEra),
    /// zlib with the strategy `Z_FILTERED`.
    Filtered,
    /// zlib with the strategy `Z_RLE`.
    Runs,
    /// zlib with a window of so many bits.
    Window(u8),
    /// zlib with a memory level below 8.
    Memory(u8),
}

impl WriterRow {
    fn levels(self) -> RangeInclusive<u8> {
        match self {
            Self::Chromium(_) | Self::ZlibNg(_) | Self::Window(_) | Self::Memory(_) => 1..=9,
            Self::Filtered => 4..=9,
            Self::Runs => 1..=1,
            Self::Miniz => 1..=MINIZ_AT_ONCE,
        }
    }

    fn model(self, level: u8) -> AnyModel {
        match self {
            Self::Chromium(era) => chain::chromium_model(era, level),
            Self::Miniz if level == 1 => Box::new(QuickMiniz::new(true)),
            Self::Miniz if level == MINIZ_AT_ONCE => Box::new(QuickMiniz::new(false)),
            Self::Miniz => Box::new(Miniz::new(level)),
            Self::ZlibNg(era) => zlib_ng::model(era, level),
            Self::Filtered => chain::filtered_zlib(level),
            Self::Runs => Box::new(Runs),
            Self::Window(bits) => chain::zlib_window(bits, level),
            Self::Memory(memory) => chain::zlib_memory(memory, level),
        }
    }

    fn name(self) -> String {
        let name = match self {
            Self::Window(bits) => return format!("zlib (window of {bits} bits)"),
            Self::Memory(level) => return format!("zlib (memory level {level})"),
            Self::Filtered => "zlib (filtered)",
            Self::Runs => "zlib (runs)",
            Self::Chromium(ChromiumEra::Multiplied) => "Chromium's zlib",
            Self::Chromium(ChromiumEra::Crc) => "Chromium's zlib (Node.js up to 16)",
            Self::Miniz => "miniz",
            Self::ZlibNg(ZlibNgEra::From2_2) => "zlib-ng 2.2",
            Self::ZlibNg(ZlibNgEra::From2_1) => "zlib-ng 2.1",
            Self::ZlibNg(ZlibNgEra::From2_0) => "zlib-ng 2.0",
        };
        name.to_owned()
    }
}

/// The model of a writer that searches for no matches.
struct Literals;

impl Model for Literals {
    fn begin(&mut self, _: Text<'_>, _: usize, _: usize) {}

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        Token::literal(text.bytes[at])
    }

    fn follow(&mut self, _: Text<'_>, _: usize, _: Token) {}
}

/// The model of zlib's `Z_RLE`: matches at distance 1 alone.
struct Runs;

impl Model for Runs {
    fn begin(&mut self, _: Text<'_>, _: usize, _: usize) {}

    fn predict(&mut self, text: Text<'_>, at: usize) -> Token {
        let limit = MATCH_MAX.min(text.end - at);
        if at > text.start && limit >= MATCH_MIN {
            let len = common(text.bytes, at - 1, at, limit);
            if len >= MATCH_MIN {
                return Token::matched(u32::try_from(len).unwrap_or(u32::MAX), 1);
            }
        }
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

    /// Returns its number as bytes of a recipe: the first, and the second when there is one.
    pub(crate) fn bytes(self) -> (u8, Option<u8>) {
        match self.0.to_le_bytes() {
            [low, 0] => (low, None),
            [low, 1] => (FURTHER[1], Some(low)),
            [low, _] => (FURTHER[0], Some(low)),
        }
    }

    /// Returns whether another byte follows the first one of its number.
    pub(crate) fn has_second(first: u8) -> bool {
        FURTHER.contains(&first)
    }

    /// Returns the writer of the bytes of a recipe, if there is one.
    pub(crate) fn from_bytes(first: u8, second: Option<u8>) -> Option<Self> {
        let (first, second) = (u16::from(first), second.map(u16::from));
        // 254 stands for 256, and 253 for 512.
        let number = second.map(|second| (u16::from(u8::MAX) - first) * MORE + second);
        Self::from_number(number.unwrap_or(first))
    }

    pub(crate) const fn zlib(level: u16) -> Self {
        Self(level)
    }

    pub(crate) const fn go(level: u16) -> Self {
        Self(10 + level)
    }

    pub(crate) const fn klauspost(level: u16, era: Era) -> Self {
        Self(KLAUSPOST + 16 * (level - 1) + era as u16)
    }

    /// Returns the writer of a row of [`ROWS`] at a level.
    const fn further(row: u16, level: u16) -> Self {
        Self(MORE + 16 * row + level)
    }

    /// Returns the row and the level of a number from [`MORE`] on.
    fn row_of(number: u16) -> Option<(WriterRow, u8)> {
        let (row, level) = ((number.checked_sub(MORE)?) / 16, low(number % 16));
        let row = *ROWS.get(usize::from(row))?;
        row.levels().contains(&level).then_some((row, level))
    }

    /// Returns the level and era of one of klauspost's numbers.
    fn klauspost_of(number: u16) -> Option<(u8, Era, &'static str)> {
        let (level, era) = ((number - KLAUSPOST) / 16 + 1, (number - KLAUSPOST) % 16);
        let (level, (era, version)) = (low(level), *ERAS.get(usize::from(era))?);
        let known = klauspost::eras(level).contains(&era);
        known.then_some((level, era, version))
    }

    pub(crate) const fn libdeflate(level: u16) -> Self {
        Self(LIBDEFLATE + level)
    }

    /// Returns the writer of a number, if there is one.
    fn from_number(number: u16) -> Option<Self> {
        let known = match number {
            0..=9 | 11..=19 | 21..=29 | UNKNOWN => true,
            KLAUSPOST..=175 => Self::klauspost_of(number).is_some(),
            // Levels 8 and 9 of the first era choose by cost and have no model.
            LIBDEFLATE..=223 => matches!(number % 16, 1..=9),
            224..=239 => matches!(number % 16, 1..=7),
            _ => Self::row_of(number).is_some(),
        };
        known.then_some(Self(number))
    }

    /// Returns whether it may have written a stream whose farthest distance in a sample is `reach`, and whose first block
    /// has `tokens` tokens. That is known of few writers, and saves trying them.
    pub(crate) fn may_have(self, reach: u32, tokens: usize) -> bool {
        match Self::row_of(self.0) {
            // The farthest match is 262 bytes nearer than the window is long.
            Some((WriterRow::Window(bits), _)) => {
                (1 << bits >> 1..=1 << bits).contains(&reach.saturating_add(262))
            }
            Some((WriterRow::Memory(level), _)) => tokens == (64 << level) - 1,
            Some((WriterRow::Runs, _)) => reach == 1,
            _ => true,
        }
    }

    /// Returns whether its model supports a flush in the middle of a stream.
    pub(crate) fn goes_on(self) -> bool {
        self.0 < KLAUSPOST || self.is_chromium()
    }

    fn is_chromium(self) -> bool {
        matches!(Self::row_of(self.0), Some((WriterRow::Chromium(_), _)))
    }

    /// Returns whether its model, told to begin, is as a new one.
    pub(crate) fn begins_anew(self) -> bool {
        matches!(self.0, 1..=9 | 12..=29) || Self::row_of(self.0).is_some()
    }

    /// Returns its model, or none for the unknown writer.
    pub(crate) fn model(self) -> Option<AnyModel> {
        Some(match self.0 {
            0 => Box::new(Literals),
            level @ 1..=9 => Box::new(Chain::<Zlib>::zlib(low(level))),
            11 => Box::new(QuickGo::new()),
            number @ 12..=19 => Box::new(Chain::<Go>::go(low(number - 10))),
            number @ 21..=29 => Box::new(Chain::<ZlibWide>::zlib_wide(low(number - 20))),
            number @ KLAUSPOST..=175 => {
                let (level, era, _) = Self::klauspost_of(number)?;
                klauspost::model(level, era)
            }
            number @ LIBDEFLATE..=239 => {
                let (era, level) = ((number - LIBDEFLATE) / 16, (number - LIBDEFLATE) % 16);
                libdeflate::model(low(level), LIBDEFLATE_ERAS[usize::from(era)])
            }
            number => {
                let (row, level) = Self::row_of(number)?;
                row.model(level)
            }
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
            number => match Self::row_of(number) {
                Some((row, level)) => format!("{} {level}", row.name()),
                None => "unknown".to_owned(),
            },
        }
    }
}

/// Returns a level or a part of a number, which is below 256.
fn low(number: u16) -> u8 {
    number.to_le_bytes()[0]
}

/// The common writers, most common first. The first [`FEW`] are tried with short streams.
const COMMON: [Writer; 21] = [
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
    Writer::further(0, 6),
    Writer::further(0, 9),
    Writer::further(2, 6),
    Writer::further(2, 9),
    Writer::further(3, 6),
    Writer::further(4, 6),
];

/// Number of writers that are tried with short streams.
pub(crate) const FEW: usize = COMMON.len();

/// Returns all writers.
pub(crate) fn all() -> impl Iterator<Item = Writer> {
    let rest = (1..UNKNOWN)
        .chain(MORE..3 * MORE)
        .filter_map(Writer::from_number);
    COMMON
        .into_iter()
        .chain(rest.filter(|writer| !COMMON.contains(writer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_a_model_and_comes_back_from_its_bytes() {
        let mut writers: Vec<Writer> = all().collect();
        for writer in &writers {
            let (first, second) = writer.bytes();
            assert_eq!(Writer::has_second(first), second.is_some());
            assert_eq!(Writer::from_bytes(first, second), Some(*writer));
            assert!(writer.model().is_some() && writer.name() != "unknown");
        }
        let count = writers.len();
        writers.sort_by_key(|writer| writer.0);
        writers.dedup();
        assert_eq!(writers.len(), count, "{COMMON:?}");
        for second in (0..=255).filter(|second| !writers.contains(&Writer(MORE + second))) {
            assert_eq!(Writer::from_bytes(FURTHER[1], Some(low(second))), None);
        }
    }

    /// What a stream is opened to must not depend on the streams before it, not even after tokens that no model expects.
    #[test]
    fn a_model_that_begins_is_as_a_new_one() {
        let mut state = 1_u32;
        let mut next = |most: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % most
        };
        // Few different bytes, and pieces that come again at any distance.
        let mut text_of = |bytes: usize| {
            let mut text: Vec<u8> = Vec::new();
            while text.len() < bytes {
                if text.len() > 600 && next(3) > 0 {
                    let from = next(u32::try_from(text.len() - 300).expect("short")) as usize;
                    text.extend_from_within(from..from + 3 + next(280) as usize);
                } else {
                    text.extend((0..next(40)).map(|_| low(u16::try_from(next(12)).expect("12"))));
                }
            }
            text
        };
        let texts = [40_000, 9000, 5000, 7000].map(&mut text_of);
        let mut state = 1_u32;
        for writer in all().filter(|writer| writer.begins_anew()) {
            let mut used = writer.model().expect("a model");
            for bytes in &texts {
                let text = Text {
                    bytes,
                    base: 1 << 16,
                    start: 0,
                    end: bytes.len(),
                };
                let mut new = writer.model().expect("a model");
                new.begin(text, 0, 0);
                used.begin(text, 0, 0);
                let mut at = 0;
                while at < bytes.len() {
                    let predicted = new.predict(text, at);
                    assert_eq!(
                        used.predict(text, at),
                        predicted,
                        "{} at {at}",
                        writer.name()
                    );
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let token = match state >> 28 {
                        0 => Token::literal(bytes[at]),
                        1 if predicted.len() > 9 => {
                            Token::matched(predicted.len() / 2, predicted.dist())
                        }
                        _ => predicted,
                    };
                    new.follow(text, at, token);
                    used.follow(text, at, token);
                    at += token.advance();
                }
            }
        }
    }

    /// Whatever tokens a hostile recipe makes a model follow, its predictions stay within the text.
    #[test]
    fn any_tokens_can_be_followed() {
        let bytes: Vec<u8> = (0..70_000_u32)
            .map(|place| (place.wrapping_mul(place) >> 11).to_le_bytes()[0] & 7)
            .collect();
        for writer in all() {
            let mut model = writer.model().expect("a model");
            for (begin, end, jump) in [(0, 9000, 1), (1000, 20_990, 258), (30_000, 70_000, 7)] {
                let text = Text {
                    bytes: &bytes,
                    base: 1 << 16,
                    start: begin,
                    end,
                };
                model.begin(text, begin, begin);
                let mut at = begin;
                while at < end {
                    if at % 5000 == 7 {
                        model.block(text, at);
                    }
                    let predicted = model.predict(text, at);
                    assert!(at + predicted.advance() <= end, "{}", writer.name());
                    assert!(predicted.is_literal() || predicted.dist() as usize <= at - begin);
                    let token = if at.is_multiple_of(3) || at + jump > end || jump < 3 {
                        Token::literal(0)
                    } else if at.is_multiple_of(2) {
                        predicted
                    } else {
                        Token::matched(u32::try_from(jump).expect("258 at most"), 1)
                    };
                    model.follow(text, at, token);
                    at += token.advance();
                }
            }
        }
    }
}
