//! The encoders and decoders themselves: liblzma, at the version that Cargo.toml pins.
//!
//! A golden test holds the encoders to the bytes that real tools write. Nothing here parses a container.

use liblzma::stream::{Action, Filters, LzmaOptions, MatchFinder, Mode, Status, Stream};

use super::RecodeError;
use super::settings::{EncoderSettings, Lzma, LzmaFilter, LzmaSettings};

/// Room that is made for output at a time.
const OUT_BYTES: usize = 64 << 10;

/// Encodes one piece.
pub(crate) struct Encoder(Stream);

impl Encoder {
    /// Takes the memory that the settings state.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self, RecodeError> {
        let EncoderSettings::Lzma(lzma) = settings;
        let filters = filters(lzma, &options(lzma))?;
        let stream = Stream::new_raw_encoder(&filters);
        Ok(Self(stream.map_err(|_| RecodeError::Corrupt("settings"))?))
    }

    /// Takes plain bytes, and appends to `out` what is ready of the stream.
    pub(crate) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecodeError> {
        while !plain.is_empty() {
            out.reserve(OUT_BYTES);
            let before = self.0.total_in();
            let coded = self.0.process_vec(plain, out, Action::Run);
            coded.map_err(|_| RecodeError::Corrupt("plain bytes"))?;
            plain = &plain[taken(&self.0, before)..];
        }
        Ok(())
    }

    /// Ends the piece.
    pub(crate) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), RecodeError> {
        loop {
            out.reserve(OUT_BYTES);
            let coded = self.0.process_vec(&[], out, Action::Finish);
            let status = coded.map_err(|_| RecodeError::Corrupt("plain bytes"))?;
            if matches!(status, Status::StreamEnd) {
                return Ok(());
            }
        }
    }
}

/// Decodes one piece.
pub(crate) struct Decoder(Stream);

impl Decoder {
    /// Creates a decoder of a filter chain. The search of `lzma` does not matter. The caller has checked the
    /// dictionary, which is allocated here.
    pub(crate) fn new(lzma: &LzmaSettings) -> Result<Self, RecodeError> {
        let mut options = LzmaOptions::new();
        set_format(&mut options, lzma);
        let stream = Stream::new_raw_decoder(&filters(lzma, &options)?);
        Ok(Self(stream.map_err(|_| RecodeError::Unknown)?))
    }

    /// Takes packed bytes and appends plain bytes, some [`OUT_BYTES`] at most. Returns how many bytes were taken, and
    /// whether the piece ended with them.
    pub(crate) fn push(
        &mut self,
        packed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, bool), RecodeError> {
        let mut room = [0; OUT_BYTES];
        let (before, out_before) = (self.0.total_in(), self.0.total_out());
        let coded = self.0.process(packed, &mut room, Action::Run);
        let status = coded.map_err(|_| RecodeError::Corrupt("compressed bytes"))?;
        let given = usize::try_from(self.0.total_out() - out_before).unwrap_or_default();
        out.extend_from_slice(&room[..given.min(OUT_BYTES)]);
        Ok((taken(&self.0, before), matches!(status, Status::StreamEnd)))
    }
}

fn taken(stream: &Stream, before: u64) -> usize {
    usize::try_from(stream.total_in() - before).unwrap_or(usize::MAX)
}

fn set_format(options: &mut LzmaOptions, lzma: &LzmaSettings) {
    let (lc, lp, pb) = lzma.bits();
    options.dict_size(lzma.dictionary_bytes);
    options.literal_context_bits(lc);
    options.literal_position_bits(lp);
    options.position_bits(pb);
}

fn options(lzma: &LzmaSettings) -> LzmaOptions {
    let mut options = LzmaOptions::new();
    set_format(&mut options, lzma);
    options.mode(match lzma.search.mode {
        1 => Mode::Fast,
        _ => Mode::Normal,
    });
    options.match_finder(match lzma.search.finder {
        0x03 => MatchFinder::HashChain3,
        0x04 => MatchFinder::HashChain4,
        0x12 => MatchFinder::BinaryTree2,
        0x13 => MatchFinder::BinaryTree3,
        _ => MatchFinder::BinaryTree4,
    });
    options.nice_len(lzma.search.nice.into());
    options.depth(lzma.search.depth.into());
    options
}

fn filters(lzma: &LzmaSettings, options: &LzmaOptions) -> Result<Filters, RecodeError> {
    let mut filters = Filters::new();
    for filter in &lzma.filters {
        match filter {
            LzmaFilter::Delta(distance) => {
                let set = filters.delta_properties(&[*distance]);
                set.map_err(|_| RecodeError::Corrupt("settings"))?;
            }
            LzmaFilter::X86 => {
                filters.x86();
            }
            LzmaFilter::PowerPc => {
                filters.powerpc();
            }
            LzmaFilter::Ia64 => {
                filters.ia64();
            }
            LzmaFilter::Arm => {
                filters.arm();
            }
            LzmaFilter::ArmThumb => {
                filters.arm_thumb();
            }
            LzmaFilter::Sparc => {
                filters.sparc();
            }
            LzmaFilter::Arm64 => {
                filters.arm64();
            }
            LzmaFilter::RiscV => {
                filters.riscv();
            }
        }
    }
    match lzma.lzma {
        Lzma::Two => filters.lzma2(options),
        Lzma::One => filters.lzma1(options),
    };
    Ok(filters)
}
