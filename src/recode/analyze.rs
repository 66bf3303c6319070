//! Opens one stream: the parser of its format drives the opener of pieces.

use std::io::{Read, Write};

use super::input::StreamInput;
use super::opener::Opener;
use super::{
    Format, RecodeAnalysis, RecodeError, RecodeOptions, bzip2_frame, lz4_frame, lzma_alone, xz,
    zstd_frame,
};

pub(super) fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &RecodeOptions<'_>,
) -> Result<RecodeAnalysis, RecodeError> {
    let mut input = StreamInput::new(source);
    let mut opener = Opener::new(plain, recipe, options)?;
    let stream_bytes = match options.format {
        Format::Xz => xz::open(&mut input, &mut opener)?,
        Format::Bzip2 => bzip2_frame::open(&mut input, &mut opener)?,
        Format::Zstd => zstd_frame::open(&mut input, &mut opener)?,
        Format::Lz4 => lz4_frame::open(&mut input, &mut opener)?,
        Format::Lzma => lzma_alone::open(&mut input, &mut opener)?,
        Format::Bitcode => opener.bitcode(&mut input)?,
    };
    opener.finish(stream_bytes)
}
