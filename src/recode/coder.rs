//! The encoders and decoders themselves: liblzma, libbz2 and liblz4, at the versions that Cargo.toml pins, and the model of
//! klauspost's.
//!
//! A golden test holds the encoders to the bytes that real tools write. Nothing here parses a container.

use bzip2::{Compress, Compression, Decompress};
use liblzma::stream::{Action, Filters, LzmaOptions, MatchFinder, Mode, Status, Stream};

use super::RecodeError;
use super::klauspost::KlauspostEncoder;
use super::lz4_encoder::Lz4Encoder;
use super::settings::{EncoderSettings, Lzma, LzmaFilter, LzmaSettings};

/// Room that is made for output at a time.
const OUT_BYTES: usize = 64 << 10;

/// libbz2's own choice of when it sorts in another way. Its bytes do not depend on it.
const WORK_FACTOR: u32 = 30;

/// Encodes one piece.
pub(crate) enum Encoder {
    Lzma(Box<Stream>),
    Bzip2(Box<Compress>),
    Klauspost(Box<KlauspostEncoder>),
    Lz4(Box<Lz4Encoder>),
}

impl Encoder {
    /// Takes the memory that the settings state.
    pub(crate) fn new(settings: &EncoderSettings) -> Result<Self, RecodeError> {
        match settings {
            EncoderSettings::Lzma(lzma) => {
                let stream = Stream::new_raw_encoder(&filters(lzma, &options(lzma))?);
                let stream = stream.map_err(|_| RecodeError::Corrupt("settings"))?;
                Ok(Self::Lzma(Box::new(stream)))
            }
            EncoderSettings::Bzip2(level) => {
                let level = Compression::new((*level).into());
                Ok(Self::Bzip2(Box::new(Compress::new(level, WORK_FACTOR))))
            }
            EncoderSettings::Klauspost(settings) => {
                Ok(Self::Klauspost(Box::new(KlauspostEncoder::new(*settings))))
            }
            EncoderSettings::Lz4(settings) => Ok(Self::Lz4(Box::new(Lz4Encoder::new(*settings)?))),
        }
    }

    /// Takes plain bytes, and appends to `out` what is ready of the stream.
    pub(crate) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), RecodeError> {
        let refused = || RecodeError::Corrupt("plain bytes");
        while !plain.is_empty() {
            out.reserve(OUT_BYTES);
            let len = match self {
                Self::Lzma(stream) => {
                    let before = stream.total_in();
                    let coded = stream.process_vec(plain, out, Action::Run);
                    coded.map_err(|_| refused())?;
                    taken(stream.total_in(), before)
                }
                Self::Bzip2(stream) => {
                    let before = stream.total_in();
                    let coded = stream.compress_vec(plain, out, bzip2::Action::Run);
                    coded.map_err(|_| refused())?;
                    taken(stream.total_in(), before)
                }
                Self::Klauspost(encoder) => {
                    encoder.push(plain, out);
                    plain.len()
                }
                Self::Lz4(encoder) => {
                    encoder.push(plain, out)?;
                    plain.len()
                }
            };
            plain = &plain[len..];
        }
        Ok(())
    }

    /// Ends what is begun of the piece, so that what follows stands by itself.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) -> Result<(), RecodeError> {
        match self {
            Self::Klauspost(encoder) => {
                encoder.flush(out);
                Ok(())
            }
            // Their streams have no such place.
            Self::Lzma(_) | Self::Bzip2(_) | Self::Lz4(_) => {
                Err(RecodeError::Corrupt("order of pieces"))
            }
        }
    }

    /// Ends the piece.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Result<(), RecodeError> {
        match self {
            Self::Lzma(mut stream) => until_the_end(out, |out| {
                let coded = stream.process_vec(&[], out, Action::Finish).ok()?;
                Some(coded == Status::StreamEnd)
            }),
            Self::Bzip2(mut stream) => until_the_end(out, |out| {
                let coded = stream.compress_vec(&[], out, bzip2::Action::Finish).ok()?;
                Some(coded == bzip2::Status::StreamEnd)
            }),
            Self::Klauspost(mut encoder) => {
                encoder.finish(out);
                Ok(())
            }
            Self::Lz4(encoder) => encoder.finish(out),
        }
    }
}

/// Makes room until `give` says that it gave the last bytes. `None` stands for a failure.
fn until_the_end(
    out: &mut Vec<u8>,
    mut give: impl FnMut(&mut Vec<u8>) -> Option<bool>,
) -> Result<(), RecodeError> {
    loop {
        out.reserve(OUT_BYTES);
        if give(out).ok_or(RecodeError::Corrupt("plain bytes"))? {
            return Ok(());
        }
    }
}

/// Decodes one piece.
pub(crate) enum Decoder {
    Lzma(Box<Stream>),
    Bzip2(Box<Decompress>),
}

impl Decoder {
    /// Creates a decoder of a filter chain. The search of `lzma` does not matter. The caller has checked the
    /// dictionary, which is allocated here.
    pub(crate) fn lzma(lzma: &LzmaSettings) -> Result<Self, RecodeError> {
        let mut options = LzmaOptions::new();
        set_format(&mut options, lzma);
        let stream = Stream::new_raw_decoder(&filters(lzma, &options)?);
        let stream = stream.map_err(|_| RecodeError::Unknown)?;
        Ok(Self::Lzma(Box::new(stream)))
    }

    /// Creates a decoder of a bzip2 stream, which takes 4 MB.
    pub(crate) fn bzip2() -> Self {
        Self::Bzip2(Box::new(Decompress::new(false)))
    }

    /// Takes packed bytes and appends plain bytes, some [`OUT_BYTES`] at most. Returns how many bytes were taken, and
    /// whether the piece ended with them.
    pub(crate) fn push(
        &mut self,
        packed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(usize, bool), RecodeError> {
        let refused = || RecodeError::Corrupt("compressed bytes");
        let mut room = [0; OUT_BYTES];
        let (len, given, is_end) = match self {
            Self::Lzma(stream) => {
                let (before, given) = (stream.total_in(), stream.total_out());
                let coded = stream.process(packed, &mut room, Action::Run);
                let is_end = coded.map_err(|_| refused())? == Status::StreamEnd;
                let len = taken(stream.total_in(), before);
                (len, taken(stream.total_out(), given), is_end)
            }
            Self::Bzip2(stream) => {
                let (before, given) = (stream.total_in(), stream.total_out());
                let coded = stream.decompress(packed, &mut room);
                let is_end = coded.map_err(|_| refused())? == bzip2::Status::StreamEnd;
                let len = taken(stream.total_in(), before);
                (len, taken(stream.total_out(), given), is_end)
            }
        };
        out.extend_from_slice(&room[..given.min(OUT_BYTES)]);
        Ok((len, is_end))
    }
}

fn taken(total: u64, before: u64) -> usize {
    usize::try_from(total - before).unwrap_or(usize::MAX)
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
