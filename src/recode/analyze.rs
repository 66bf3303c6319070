//! Opens one stream: the parser of its format drives the opener of pieces.

use std::io::{Read, Write};

use super::input::Input;
use super::opener::Opener;
use super::{Analysis, AnalyzeOptions, Format, RecodeError, lzma_alone, xz};

pub(super) fn analyze(
    source: &mut dyn Read,
    plain: &mut dyn Write,
    recipe: &mut dyn Write,
    options: &AnalyzeOptions<'_>,
) -> Result<Analysis, RecodeError> {
    let mut input = Input::new(source);
    let mut opener = Opener::new(plain, recipe, options)?;
    let stream_bytes = match options.format {
        Format::Xz => xz::open(&mut input, &mut opener)?,
        Format::Lzma => lzma_alone::open(&mut input, &mut opener)?,
    };
    opener.finish(stream_bytes)
}
