//! Finds the settings of an encoder on a sample: those with which it writes the same bytes.
//!
//! Of xz, dictionary, filters and properties stand in the stream. How liblzma searches does not, and presets use nine ways
//! to search. So at most nine encoders run, each up to the first byte that differs. Of bzip2, all that matters stands in
//! the stream, and its one encoder shows whether it was libbz2. Of lz4, only the level is not told.

use std::cell::RefCell;
use std::time::Duration;

use lz4::block::{self, CompressionMode};

use super::RecodeError;
use super::coder::Encoder;
use super::lz4_encoder::Lz4Settings;
use super::settings::{EncoderSettings, LzmaSettings, Search};

/// Plain bytes that are encoded between two comparisons.
const STEP_BYTES: usize = 64 << 10;
/// Plain bytes by which the levels of lz4 are ranked, and how many of them are tried.
const LZ4_FRONT_BYTES: usize = 256 << 10;
const LZ4_TRIES: usize = 2;
/// Settings that are remembered.
const REMEMBERED: usize = 4;

/// The searches of liblzma's presets, source: lzma_encoder_presets.c. The number is the lowest level that has it, and
/// `true` stands for `-e`.
const SEARCHES: [(u8, bool, Search); 9] = [
    (6, false, search(2, 0x14, 64, 0)),
    (6, true, search(2, 0x14, 273, 512)),
    (0, false, search(1, 0x03, 128, 4)),
    (1, false, search(1, 0x04, 128, 8)),
    (2, false, search(1, 0x04, 273, 24)),
    (3, false, search(1, 0x04, 273, 48)),
    (4, false, search(2, 0x14, 16, 0)),
    (5, false, search(2, 0x14, 32, 0)),
    (5, true, search(2, 0x14, 192, 0)),
];
/// Dictionaries of the levels, as powers of two.
const DICTIONARIES: [u32; 10] = [18, 20, 21, 22, 22, 23, 23, 24, 25, 26];

const fn search(mode: u8, finder: u8, nice: u16, depth: u16) -> Search {
    Search {
        mode,
        finder,
        nice,
        depth,
    }
}

/// Returns the search of a level.
fn of_level(level: u8, is_extreme: bool) -> Search {
    let first = match (level, is_extreme) {
        (3 | 5, true) => (5, true),
        (_, true) => (6, true),
        (7.., false) => (6, false),
        (level, false) => (level, false),
    };
    let mut all = SEARCHES.iter();
    let found = all.find(|(level, extreme, _)| (*level, *extreme) == first);
    found.map_or(SEARCHES[0].2, |(.., search)| *search)
}

/// Levels with this dictionary: the usual ones first.
fn levels(dictionary_bytes: u32) -> impl Iterator<Item = (u8, bool)> {
    let order = [6, 9, 7, 8, 5, 4, 3, 2, 1, 0];
    let each = order
        .into_iter()
        .flat_map(|level| [(level, false), (level, true)]);
    each.filter(move |(level, _)| 1 << DICTIONARIES[usize::from(*level)] == dictionary_bytes)
}

/// What the streams of one origin showed, the latest first.
#[derive(Debug, Default)]
pub struct Guesses(RefCell<Vec<Search>>);

/// The beginning of a block: packed bytes, and the plain bytes that they give.
pub(super) struct BlockSample<'a> {
    pub(super) packed: &'a [u8],
    pub(super) plain: &'a [u8],
    /// Whether it is the whole block.
    pub(super) is_whole: bool,
}

/// Settings that fit, and what it took to encode the sample with them.
pub(super) struct Guess {
    pub(super) settings: EncoderSettings,
    pub(super) spent: Duration,
}

impl Guesses {
    /// Finds the search with which `format` gives the sample.
    ///
    /// # Errors
    /// [`RecodeError::Unknown`] when there is none.
    pub(super) fn find(
        &self,
        format: &LzmaSettings,
        sample: &BlockSample<'_>,
        clock: &dyn Fn() -> Duration,
    ) -> Result<Guess, RecodeError> {
        let mut searches = self.0.borrow().clone();
        searches.extend(levels(format.dictionary_bytes).map(|(level, e)| of_level(level, e)));
        searches.extend(SEARCHES.iter().map(|(.., search)| *search));
        let mut tried = Vec::new();
        for search in searches {
            if tried.contains(&search) {
                continue;
            }
            tried.push(search);
            let settings = EncoderSettings::Lzma(LzmaSettings {
                search,
                ..format.clone()
            });
            let begun = clock();
            // A sample on which the encoder shows nothing proves nothing.
            if same_bytes(&settings, sample)?.is_some_and(|same| same > 0) {
                let spent = clock().saturating_sub(begun);
                self.learn(search);
                return Ok(Guess { settings, spent });
            }
        }
        Err(RecodeError::Unknown)
    }

    fn learn(&self, search: Search) {
        let mut known = self.0.borrow_mut();
        known.retain(|other| *other != search);
        known.insert(0, search);
        known.truncate(REMEMBERED);
    }
}

/// Finds out whether libbz2 gives the sample, and what it takes. A sample of long runs, of which it has given nothing yet,
/// counts as its own.
///
/// # Errors
/// [`RecodeError::Unknown`] when it gives something else.
pub(super) fn of_bzip2(
    level: u8,
    sample: &BlockSample<'_>,
    clock: &dyn Fn() -> Duration,
) -> Result<Guess, RecodeError> {
    let settings = EncoderSettings::Bzip2(level);
    let begun = clock();
    same_bytes(&settings, sample)?.ok_or(RecodeError::Unknown)?;
    let spent = clock().saturating_sub(begun);
    Ok(Guess { settings, spent })
}

/// Finds the level of lz4 that gives the blocks of a sample, which has one whole block at least unless it is whole.
///
/// # Errors
/// [`RecodeError::Unknown`] when no level does.
pub(super) fn of_lz4(
    formats: impl Iterator<Item = Lz4Settings>,
    sample: &BlockSample<'_>,
    clock: &dyn Fn() -> Duration,
) -> Result<Guess, RecodeError> {
    // A level differs from the others within the first sequences, so a short front ranks them.
    let front = &sample.plain[..sample.plain.len().min(LZ4_FRONT_BYTES)];
    // Its length stands before it.
    let first_block = sample.packed.get(4..).unwrap_or_default();
    let mut ranked: Vec<(usize, Lz4Settings)> = formats
        .map(|format| (common(&lz4_block(front, format.level), first_block), format))
        .collect();
    // The sort keeps the lower level first among equal ones.
    ranked.sort_by_key(|(same, _)| std::cmp::Reverse(*same));
    for (_, format) in ranked.into_iter().take(LZ4_TRIES) {
        let settings = EncoderSettings::Lz4(format);
        let begun = clock();
        if same_bytes(&settings, sample)?.is_some() {
            let spent = clock().saturating_sub(begun);
            return Ok(Guess { settings, spent });
        }
    }
    Err(RecodeError::Unknown)
}

fn lz4_block(plain: &[u8], level: u8) -> Vec<u8> {
    let mode = match level {
        1 => CompressionMode::DEFAULT,
        _ => CompressionMode::HIGHCOMPRESSION(level.into()),
    };
    block::compress(plain, Some(mode), false).unwrap_or_default()
}

fn common(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(a, b)| a == b).count()
}

/// Returns how many packed bytes of the sample an encoder gives so far, or `None` when it gives others.
fn same_bytes(
    settings: &EncoderSettings,
    sample: &BlockSample<'_>,
) -> Result<Option<usize>, RecodeError> {
    let mut encoder = Encoder::new(settings)?;
    let mut out = Vec::new();
    let mut same = 0;
    for step in sample.plain.chunks(STEP_BYTES) {
        encoder.push(step, &mut out)?;
        let len = out.len().min(sample.packed.len());
        if out[same..len] != sample.packed[same..len] {
            return Ok(None);
        }
        same = len;
    }
    if sample.is_whole {
        encoder.finish(&mut out)?;
        return Ok((out == sample.packed).then_some(out.len()));
    }
    Ok(Some(same))
}

/// Returns the name of the settings for people.
pub(super) fn name(settings: &EncoderSettings) -> String {
    let lzma = match settings {
        EncoderSettings::Lzma(lzma) => lzma,
        EncoderSettings::Bzip2(level) => return format!("bzip2 -{level}"),
        EncoderSettings::Klauspost(settings) => return settings.name(),
        EncoderSettings::Lz4(settings) => return format!("lz4 -{}", settings.level),
    };
    let mut fitting = levels(lzma.dictionary_bytes);
    let level = fitting.find(|(level, e)| of_level(*level, *e) == lzma.search);
    let name = match level {
        Some((level, is_extreme)) => format!("xz -{level}{}", if is_extreme { "e" } else { "" }),
        None => "xz --lzma2".to_owned(),
    };
    if lzma.filters.is_empty() {
        name
    } else {
        format!("{name}, filtered")
    }
}
