//! Opens the compressed pieces of a stream, and collects the recipe.
//!
//! The parsers of containers say where a piece begins and what stands between pieces.

use std::io::Write;
use std::time::Duration;

use super::bitcode;
use super::chunks::Chunks;
use super::coder::Decoder;
use super::guess::{self, BlockSample, Guess};
use super::input::StreamInput;
use super::recipe::{RecipeOut, pieces_max};
use super::settings::{EncoderSettings, Lzma, LzmaFilter, LzmaSettings, Search};
use super::{RecodeAnalysis, RecodeError, RecodeOptions};

/// Packed bytes of a sample, and the compressed chunks that it has at least.
const SAMPLE_PACKED_BYTES: usize = 96 << 10;
const SAMPLE_CHUNKS: u32 = 2;
/// Most plain bytes of a sample.
const SAMPLE_PLAIN_BYTES: usize = 8 << 20;
/// Plain bytes of a sample of bzip2: libbz2 gives a block of up to 900 kB when the next one has begun.
const BZIP2_SAMPLE_BYTES: usize = 2 << 20;
/// Longest piece without plain bytes that is kept as it is.
const EMPTY_BYTES_MAX: usize = 64;
/// Plain bytes from which on the ratio counts.
const RATIO_FREE_BYTES: u64 = 1 << 20;
/// Recipe bytes that are always allowed.
const RECIPE_FREE_BYTES: u64 = 4096;
/// The usual lc, lp and pb.
const USUAL_PROPERTIES: u8 = 93;

/// What a container says of a piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilterChain {
    pub(super) filters: Vec<LzmaFilter>,
    pub(super) dictionary_bytes: u32,
}

impl FilterChain {
    fn format(&self, lzma: Lzma, properties: u8) -> LzmaSettings {
        LzmaSettings {
            lzma,
            dictionary_bytes: self.dictionary_bytes,
            properties,
            search: Search {
                mode: 2,
                finder: 0x14,
                nice: 64,
                depth: 0,
            },
            filters: self.filters.clone(),
        }
    }
}

/// The settings of the pieces so far.
struct Known {
    /// `None` for other encoders than liblzma.
    chain: Option<FilterChain>,
    settings: EncoderSettings,
    /// Plain bytes of the sample, and what it took to encode them.
    sample_bytes: u64,
    spent: Duration,
}

/// Takes a stream piece by piece.
pub(super) struct Opener<'a> {
    plain: &'a mut dyn Write,
    recipe: RecipeOut<'a>,
    options: &'a RecodeOptions<'a>,
    plain_bytes: u64,
    /// Pieces of frames of zstd.
    pieces: u64,
    known: Option<Known>,
    /// The writer of pieces without settings.
    writer: Option<&'static str>,
}

impl<'a> Opener<'a> {
    pub(super) fn new(
        plain: &'a mut dyn Write,
        recipe: &'a mut dyn Write,
        options: &'a RecodeOptions<'a>,
    ) -> Result<Self, RecodeError> {
        Ok(Self {
            plain,
            recipe: RecipeOut::new(recipe)?,
            options,
            plain_bytes: 0,
            pieces: 0,
            known: None,
            writer: None,
        })
    }

    /// Adds bytes of the stream that are kept as they are.
    pub(super) fn literal(&mut self, bytes: &[u8]) -> Result<(), RecodeError> {
        self.recipe.literal(bytes)
    }

    /// Opens LZMA2 data. Returns how many packed bytes it has.
    pub(super) fn piece(
        &mut self,
        input: &mut StreamInput<'_>,
        chain: &FilterChain,
    ) -> Result<u64, RecodeError> {
        self.open(input, chain, Lzma::Two, USUAL_PROPERTIES)
    }

    /// Opens LZMA data with an end marker.
    pub(super) fn lone_piece(
        &mut self,
        input: &mut StreamInput<'_>,
        chain: &FilterChain,
        properties: u8,
    ) -> Result<u64, RecodeError> {
        self.open(input, chain, Lzma::One, properties)
    }

    fn open(
        &mut self,
        input: &mut StreamInput<'_>,
        chain: &FilterChain,
        lzma: Lzma,
        properties: u8,
    ) -> Result<u64, RecodeError> {
        let is_known = |known: &Known| known.chain.as_ref() == Some(chain);
        let mut wants_sample = !self.known.as_ref().is_some_and(is_known);
        let mut decoder = Decoder::lzma(&chain.format(lzma, properties))?;
        let mut chunks = Chunks::default();
        let (mut packed, mut plain) = (Vec::new(), Vec::new());
        let (begin, plain_begin) = (input.taken(), self.plain_bytes);
        let mut out = Vec::new();
        loop {
            let ahead = input.peek(1)?;
            let (taken, is_end) = decoder.push(ahead, &mut out)?;
            if taken == 0 && out.is_empty() && !is_end {
                return Err(match ahead {
                    [] => RecodeError::Truncated,
                    _ => RecodeError::Corrupt("compressed bytes"),
                });
            }
            if lzma == Lzma::Two {
                chunks.push(&ahead[..taken]);
            }
            if wants_sample || packed.len() < EMPTY_BYTES_MAX {
                packed.extend_from_slice(&ahead[..taken]);
                plain.extend_from_slice(&out);
            }
            input.pass(taken);
            self.give(&out, input.taken())?;
            out.clear();
            let enough = packed.len() >= SAMPLE_PACKED_BYTES
                && (lzma == Lzma::One || chunks.compressed >= SAMPLE_CHUNKS)
                || plain.len() >= SAMPLE_PLAIN_BYTES;
            // A block of chunks that are not compressed tells nothing of the encoder.
            let tells = lzma == Lzma::One || !chunks.is_stored();
            if wants_sample && tells && !plain.is_empty() && (is_end || enough) {
                let properties = match lzma {
                    Lzma::Two => chunks.properties.unwrap_or(properties),
                    Lzma::One => properties,
                };
                let format = chain.format(lzma, properties);
                let sample = BlockSample {
                    packed: &packed,
                    plain: &plain,
                    is_whole: is_end,
                };
                self.learn(chain, &format, &sample)?;
                wants_sample = false;
                (packed, plain) = (vec![0; EMPTY_BYTES_MAX], Vec::new());
            } else if enough && packed.len() > EMPTY_BYTES_MAX {
                // Whatever comes, it is not kept: the whole block must be stored.
                packed.truncate(EMPTY_BYTES_MAX);
                plain = Vec::new();
                wants_sample = false;
            }
            if is_end {
                break;
            }
        }
        let plain_bytes = self.plain_bytes - plain_begin;
        let packed_bytes = input.taken() - begin;
        if plain_bytes == 0 {
            if packed.len() as u64 != packed_bytes {
                return Err(RecodeError::Unknown);
            }
            self.recipe.literal(&packed)?;
        } else if lzma == Lzma::Two && chunks.is_stored() {
            // Stored blocks alone are written by several threads or a small block size.
            self.writer = Some("xz, not compressed");
            self.recipe.stored(plain_bytes)?;
        } else {
            let known = self.known.as_ref().filter(|known| is_known(known));
            let known = known.ok_or(RecodeError::Unknown)?;
            self.recipe.coded(&known.settings, plain_bytes)?;
        }
        self.check_recipe(input.taken())?;
        Ok(packed_bytes)
    }

    /// Opens a bzip2 stream of this level.
    pub(super) fn bzip2_piece(
        &mut self,
        input: &mut StreamInput<'_>,
        level: u8,
    ) -> Result<(), RecodeError> {
        let settings = EncoderSettings::Bzip2(level);
        let is_known = |known: &Known| known.settings == settings;
        let mut wants_sample = !self.known.as_ref().is_some_and(is_known);
        let mut decoder = Decoder::bzip2();
        let (mut packed, mut plain, mut out) = (Vec::new(), Vec::new(), Vec::new());
        let begin = self.plain_bytes;
        loop {
            let ahead = input.peek(1)?;
            let (taken, is_end) = decoder.push(ahead, &mut out)?;
            if taken == 0 && out.is_empty() && !is_end {
                return Err(match ahead {
                    [] => RecodeError::Truncated,
                    _ => RecodeError::Corrupt("compressed bytes"),
                });
            }
            if wants_sample {
                packed.extend_from_slice(&ahead[..taken]);
                plain.extend_from_slice(&out);
            }
            input.pass(taken);
            self.give(&out, input.taken())?;
            out.clear();
            if wants_sample && (is_end || plain.len() >= BZIP2_SAMPLE_BYTES) {
                let sample = BlockSample {
                    packed: &packed,
                    plain: &plain,
                    is_whole: is_end,
                };
                let found = guess::of_bzip2(level, &sample, self.options.clock)?;
                self.learned(found, plain.len() as u64);
                wants_sample = false;
                (packed, plain) = (Vec::new(), Vec::new());
            }
            if is_end {
                break;
            }
        }
        let plain_bytes = self.plain_bytes - begin;
        if plain_bytes == 0 {
            return Err(RecodeError::Corrupt("block"));
        }
        self.recipe.coded(&settings, plain_bytes)?;
        self.check_recipe(input.taken())
    }

    /// Notes the settings of pieces without a filter chain, and what it took to encode a sample of so many plain bytes.
    pub(super) fn learned(&mut self, found: Guess, sample_bytes: u64) {
        self.known = Some(Known {
            chain: None,
            settings: found.settings,
            sample_bytes,
            spent: found.spent,
        });
    }

    /// Returns the clock of the options.
    pub(super) fn clock(&self) -> &'a dyn Fn() -> Duration {
        self.options.clock
    }

    /// Refuses a recipe that is too large for `taken` bytes of the stream.
    pub(super) fn check_recipe(&self, taken: u64) -> Result<(), RecodeError> {
        let share = u128::from(taken) * u128::from(self.options.recipe_limit_per_mille);
        if u128::from(self.recipe.bytes().saturating_sub(RECIPE_FREE_BYTES)) * 1000 > share {
            let per_mille = self.options.recipe_limit_per_mille;
            return Err(RecodeError::RecipeLimit(per_mille));
        }
        Ok(())
    }

    /// Adds plain bytes as `settings` encode them: `parts` with a flush behind each, and the last ones.
    pub(super) fn coded_in_parts(
        &mut self,
        settings: &EncoderSettings,
        parts: &[u64],
        last_bytes: u64,
    ) -> Result<(), RecodeError> {
        self.pieces += parts.len() as u64 + 1;
        if self.pieces > pieces_max(self.plain_bytes) {
            return Err(RecodeError::Unknown);
        }
        self.recipe.coded_in_parts(settings, parts, last_bytes)?;
        self.known.get_or_insert_with(|| Known {
            chain: None,
            settings: settings.clone(),
            // What it takes to encode was spent already.
            sample_bytes: u64::MAX,
            spent: Duration::ZERO,
        });
        Ok(())
    }

    /// Opens a file of bitcode. Returns how many bytes it has.
    pub(super) fn bitcode(&mut self, input: &mut StreamInput<'_>) -> Result<u64, RecodeError> {
        let mut file = Vec::new();
        loop {
            let ahead = input.peek(1)?;
            let len = ahead.len();
            file.extend_from_slice(ahead);
            input.pass(len);
            if len == 0 {
                break;
            }
            if file.len() as u64 > bitcode::FILE_BYTES_MAX {
                return Err(RecodeError::Limit);
            }
        }
        let opened = bitcode::open(&file)?;
        self.give(&opened, file.len() as u64)?;
        self.recipe.bitcode(opened.len() as u64)?;
        self.writer = Some("LLVM");
        Ok(file.len() as u64)
    }

    fn learn(
        &mut self,
        chain: &FilterChain,
        format: &LzmaSettings,
        sample: &BlockSample<'_>,
    ) -> Result<(), RecodeError> {
        let options = self.options;
        let found = options.guesses.find(format, sample, options.clock)?;
        self.known = Some(Known {
            chain: Some(chain.clone()),
            settings: found.settings,
            sample_bytes: sample.plain.len() as u64,
            spent: found.spent,
        });
        Ok(())
    }

    /// Gives plain bytes on, within the limits. `taken` are the bytes of the stream so far.
    pub(super) fn give(&mut self, plain: &[u8], taken: u64) -> Result<(), RecodeError> {
        self.plain_bytes += plain.len() as u64;
        let options = self.options;
        let is_over = self.plain_bytes > options.plain_limit_bytes
            || self.plain_bytes > RATIO_FREE_BYTES
                && self.plain_bytes / options.ratio_limit.max(1) > taken;
        if is_over {
            return Err(RecodeError::Limit);
        }
        if !(options.watch)(self.plain_bytes) || !self.is_affordable() {
            return Err(RecodeError::Stopped);
        }
        self.plain.write_all(plain).map_err(RecodeError::Io)
    }

    /// Returns whether encoding what came so far takes no longer than it may, as the sample showed.
    fn is_affordable(&self) -> bool {
        let Some(known) = &self.known else {
            return true;
        };
        let times = self.plain_bytes / known.sample_bytes.max(1);
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        (self.options.affords)(self.plain_bytes, known.spent.saturating_mul(times))
    }

    /// Ends the recipe of a stream.
    pub(super) fn finish(self, stream_bytes: u64) -> Result<RecodeAnalysis, RecodeError> {
        let writer = match &self.known {
            Some(known) => guess::name(&known.settings),
            None => self.writer.ok_or(RecodeError::Unknown)?.to_owned(),
        };
        Ok(RecodeAnalysis {
            stream_bytes,
            plain_bytes: self.plain_bytes,
            recipe_bytes: self.recipe.finish()?,
            writer,
        })
    }
}
