//! Estimates how long it takes to make a stream again, from the first bytes of its recipe.

use std::time::Duration;

use super::RecodeError;
use super::klauspost::WriterLevel;
use super::recipe::{RecipePiece, take_piece, take_version};
use super::settings::{EncoderSettings, LzmaSettings};

/// Bytes of a recipe among which its first settings stand, unless a long piece is kept before them.
pub const PACE_HEAD_BYTES: usize = 4096;

/// Nanoseconds in which a byte of opened bitcode becomes part of a file again.
const BITCODE_PACE: u64 = 17;

/// Returns about the processor time that it takes to encode plain bytes as the recipe says that begins with `head`. A
/// recipe that names no encoder there takes none.
///
/// # Errors
/// As [`reconstruct()`](super::reconstruct()) for a recipe that it does not understand. It may end behind `head`.
pub fn encode_time(head: &[u8], plain_bytes: u64) -> Result<Duration, RecodeError> {
    let mut recipe = head;
    take_version(&mut recipe)?;
    let pace = loop {
        match take_piece(&mut recipe) {
            Ok(Some(RecipePiece::Settings(settings))) => break pace_of(&settings),
            Ok(Some(RecipePiece::Bitcode(_))) => break BITCODE_PACE,
            Ok(Some(_)) => {}
            Ok(None) | Err(RecodeError::Truncated) => return Ok(Duration::ZERO),
            Err(error) => return Err(error),
        }
    };
    Ok(Duration::from_nanos(plain_bytes.saturating_mul(pace)))
}

/// Returns the nanoseconds that an encoder takes for a plain byte. Source: `xz -0 -3 -6 -9e`, `bzip2 -9` and `lz4 -1 -9
/// -12` of 40 MB of Debian's programs, and docs/benchmarks.md for klauspost.
fn pace_of(settings: &EncoderSettings) -> u64 {
    match settings {
        EncoderSettings::Lzma(LzmaSettings { search, .. }) => match (search.mode, search.nice) {
            (1, _) => 200,
            (_, ..=128) => 650,
            _ => 900,
        },
        EncoderSettings::Bzip2(_) => 130,
        EncoderSettings::Klauspost(settings) => match settings.level {
            WriterLevel::Fastest => 9,
            WriterLevel::Default => 19,
            WriterLevel::Better => 69,
        },
        EncoderSettings::Lz4(settings) => match settings.level {
            1 | 2 => 3,
            3..=9 => 45,
            _ => 110,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::recipe::RecipeOut;
    use super::*;

    fn recipe(settings: &EncoderSettings) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut out = RecipeOut::new(&mut bytes).unwrap();
        out.literal(b"header").unwrap();
        out.coded(settings, 9).unwrap();
        out.finish().unwrap();
        bytes
    }

    #[test]
    fn the_first_settings_decide_and_a_recipe_without_any_costs_nothing() {
        let whole = recipe(&EncoderSettings::Bzip2(9));
        let time = encode_time(&whole, 100_000_000).unwrap();
        assert_eq!(time, Duration::from_secs(13));
        for cut in 1..whole.len() {
            let time = encode_time(&whole[..cut], 100_000_000).unwrap();
            assert!(time.is_zero() || time == Duration::from_secs(13), "{cut}");
        }
        assert!(encode_time(&[], 1).is_err());
        assert!(encode_time(&[9], 1).is_err());
    }
}
