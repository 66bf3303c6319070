//! The bytes of a recipe: pieces in the order of the stream.
//!
//! The byte table is in `docs/format.md`, section Recode recipes. What the pieces mean is the work of `reconstruct`.

use std::io::{Read, Write};

use super::RecodeError;
use super::settings::{EncoderSettings, take_byte};

/// Version of recipes that this program writes, and the only one that it reads.
pub(crate) const RECIPE_VERSION: u8 = 1;
/// Most bytes of one literal piece. A writer makes several of a longer one.
pub(crate) const LITERAL_BYTES_MAX: u64 = 64 << 10;

/// Plain bytes that every piece stands for at least, in the count of pieces.
const PIECE_BYTES: u64 = 4096;
/// Pieces that are always allowed.
const PIECES_FREE: u64 = 64;

/// Returns how many pieces with plain bytes a recipe may have up to the end of so many plain bytes. An encoder takes time even
/// for a single byte.
pub(crate) fn pieces_max(plain_bytes: u64) -> u64 {
    PIECES_FREE + plain_bytes / PIECE_BYTES
}

const LITERAL: u8 = 0;
const SETTINGS: u8 = 1;
const CODED: u8 = 2;
const STORED: u8 = 3;
const FLUSHED: u8 = 4;
const BITCODE: u8 = 5;

/// A piece of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RecipePiece {
    /// The next bytes of the stream, as they are.
    Literal(Vec<u8>),
    /// The encoder of the pieces behind. Gives no bytes.
    Settings(EncoderSettings),
    /// The next so many plain bytes as the encoder gives them. None only behind a flushed piece, which it ends.
    Coded(u64),
    /// The next so many plain bytes in LZMA2 chunks that are not compressed, at least one.
    Stored(u64),
    /// As `Coded`, up to a flush: the next piece goes on with the same encoder. At least one.
    Flushed(u64),
    /// The file of bitcode that the next so many plain bytes were opened from, at least one.
    Bitcode(u64),
}

/// Writes a recipe. Adjacent literal bytes become one piece.
pub(crate) struct RecipeOut<'a> {
    out: &'a mut dyn Write,
    literal: Vec<u8>,
    settings: Option<EncoderSettings>,
    /// Bytes so far, with those of the literal that is open.
    written: u64,
}

impl<'a> RecipeOut<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Result<Self, RecodeError> {
        let mut new = Self {
            out,
            literal: Vec::new(),
            settings: None,
            written: 0,
        };
        new.put(&[RECIPE_VERSION])?;
        Ok(new)
    }

    /// Returns the bytes of the recipe so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.written + self.literal.len() as u64
    }

    pub(crate) fn literal(&mut self, bytes: &[u8]) -> Result<(), RecodeError> {
        self.literal.extend_from_slice(bytes);
        while self.literal.len() as u64 >= LITERAL_BYTES_MAX {
            let rest = self
                .literal
                .split_off(usize::try_from(LITERAL_BYTES_MAX).unwrap_or_default());
            self.flush()?;
            self.literal = rest;
        }
        Ok(())
    }

    /// Adds plain bytes as `settings` encode them.
    pub(crate) fn coded(
        &mut self,
        settings: &EncoderSettings,
        plain_bytes: u64,
    ) -> Result<(), RecodeError> {
        self.coded_in_parts(settings, &[], plain_bytes)
    }

    /// Adds plain bytes as `settings` encode them: `parts` with a flush behind each, and the last ones.
    pub(crate) fn coded_in_parts(
        &mut self,
        settings: &EncoderSettings,
        parts: &[u64],
        last_bytes: u64,
    ) -> Result<(), RecodeError> {
        self.flush()?;
        if self.settings.as_ref() != Some(settings) {
            let mut bytes = vec![SETTINGS];
            settings.write(&mut bytes);
            self.put(&bytes)?;
            self.settings = Some(settings.clone());
        }
        for part in parts {
            self.sized(FLUSHED, *part)?;
        }
        self.sized(CODED, last_bytes)
    }

    /// Adds plain bytes in LZMA2 chunks that are not compressed.
    pub(crate) fn stored(&mut self, plain_bytes: u64) -> Result<(), RecodeError> {
        self.flush()?;
        self.sized(STORED, plain_bytes)
    }

    /// Adds plain bytes that are opened bitcode.
    pub(crate) fn bitcode(&mut self, plain_bytes: u64) -> Result<(), RecodeError> {
        self.flush()?;
        self.sized(BITCODE, plain_bytes)
    }

    /// Writes what is left and returns the bytes of the recipe.
    pub(crate) fn finish(mut self) -> Result<u64, RecodeError> {
        self.flush()?;
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<(), RecodeError> {
        let literal = std::mem::take(&mut self.literal);
        if literal.is_empty() {
            return Ok(());
        }
        self.sized(LITERAL, literal.len() as u64)?;
        self.put(&literal)
    }

    fn sized(&mut self, kind: u8, bytes: u64) -> Result<(), RecodeError> {
        let mut head = [0; 9];
        head[0] = kind;
        head[1..].copy_from_slice(&bytes.to_le_bytes());
        self.put(&head)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RecodeError> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes).map_err(RecodeError::Io)
    }
}

/// Reads the version of a recipe.
pub(crate) fn take_version(recipe: &mut dyn Read) -> Result<(), RecodeError> {
    match take_byte(recipe)? {
        RECIPE_VERSION => Ok(()),
        other => Err(RecodeError::Newer(other)),
    }
}

/// Reads the next piece, or `None` at the end.
pub(crate) fn take_piece(recipe: &mut dyn Read) -> Result<Option<RecipePiece>, RecodeError> {
    let mut kind = [0];
    loop {
        match recipe.read(&mut kind) {
            Ok(0) => return Ok(None),
            Ok(_) => break,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(RecodeError::Io(error)),
        }
    }
    if kind[0] == SETTINGS {
        return Ok(Some(RecipePiece::Settings(EncoderSettings::read(recipe)?)));
    }
    if !matches!(kind[0], LITERAL | CODED | STORED | FLUSHED | BITCODE) {
        return Err(RecodeError::Newer(kind[0]));
    }
    let mut bytes = [0; 8];
    recipe.read_exact(&mut bytes).map_err(RecodeError::read)?;
    let bytes = u64::from_le_bytes(bytes);
    let is_literal = kind[0] == LITERAL;
    // A piece of no bytes would let a short recipe run forever.
    if bytes == 0 && kind[0] != CODED || is_literal && bytes > LITERAL_BYTES_MAX {
        return Err(RecodeError::Corrupt("length of a piece"));
    }
    Ok(Some(match kind[0] {
        CODED => RecipePiece::Coded(bytes),
        STORED => RecipePiece::Stored(bytes),
        FLUSHED => RecipePiece::Flushed(bytes),
        BITCODE => RecipePiece::Bitcode(bytes),
        _ => {
            let mut literal = vec![0; usize::try_from(bytes).unwrap_or_default()];
            recipe.read_exact(&mut literal).map_err(RecodeError::read)?;
            RecipePiece::Literal(literal)
        }
    }))
}
