//! The two sides of a walk: where numbers come from, and where they go.

use super::super::RecodeError;
use super::bits::{BitField, BitFields, BitFieldsOut, MAGIC};
use super::labels::{BitcodeNames, OpenedBytes};
use super::model::BitcodeModel;
use super::patterns::Kind;

/// The field of the length of a block, in words.
const BLOCK_WORDS: BitField = BitField::Fixed(32);

/// Takes each number of a file from one form and gives it to the other.
pub(super) trait BitcodeSide {
    /// Returns the next number, which is a `field` in the file and a `kind` in opened bitcode.
    fn number(
        &mut self,
        field: BitField,
        kind: Kind,
        model: &BitcodeModel<'_>,
    ) -> Result<u64, RecodeError>;
    /// Whether there is nothing left.
    fn is_at_end(&self) -> bool;
    /// Goes on to the border of a word.
    fn align(&mut self) -> Result<(), RecodeError>;
    /// Begins a block at its length. Returns what [`Self::close_block`] needs.
    fn open_block(&mut self) -> Result<usize, RecodeError>;
    /// Ends the block.
    fn close_block(&mut self, opened: usize) -> Result<(), RecodeError>;
    /// Returns the next bytes, at the border of a word. `known` are those that are not in opened bitcode at this place.
    fn bytes(&mut self, len: u64, known: Option<&[u8]>) -> Result<Vec<u8>, RecodeError>;
}

/// Opens a file, or only reads it.
pub(super) struct Opening<'a> {
    fields: BitFields<'a>,
    out: Option<Vec<u8>>,
}

impl<'a> Opening<'a> {
    pub(super) fn new(file: &'a [u8], names: &BitcodeNames) -> Self {
        let mut out = Vec::new();
        names.write(&mut out);
        Self {
            fields: BitFields::new(file),
            out: Some(out),
        }
    }

    /// Reads a file for the names in it, and writes nothing.
    pub(super) fn survey(file: &'a [u8]) -> Self {
        Self {
            fields: BitFields::new(file),
            out: None,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.out.unwrap_or_default()
    }
}

impl BitcodeSide for Opening<'_> {
    fn number(
        &mut self,
        field: BitField,
        kind: Kind,
        model: &BitcodeModel<'_>,
    ) -> Result<u64, RecodeError> {
        let number = self.fields.take(field)?;
        if let Some(out) = &mut self.out {
            model.put(out, kind, number);
        }
        Ok(number)
    }

    fn is_at_end(&self) -> bool {
        self.fields.is_at_end()
    }

    fn align(&mut self) -> Result<(), RecodeError> {
        self.fields.align()
    }

    fn open_block(&mut self) -> Result<usize, RecodeError> {
        self.fields.align()?;
        let words = self.fields.take(BLOCK_WORDS)?;
        let bytes = usize::try_from(words * 4).unwrap_or(usize::MAX);
        Ok(self.fields.byte().saturating_add(bytes))
    }

    fn close_block(&mut self, opened: usize) -> Result<(), RecodeError> {
        match self.fields.byte() == opened {
            true => Ok(()),
            false => Err(RecodeError::Corrupt("length of a block of bitcode")),
        }
    }

    fn bytes(&mut self, len: u64, known: Option<&[u8]>) -> Result<Vec<u8>, RecodeError> {
        let bytes = self.fields.bytes(len)?;
        if let (Some(out), None) = (&mut self.out, known) {
            out.extend_from_slice(bytes);
        }
        Ok(bytes.to_vec())
    }
}

/// Closes opened bitcode.
pub(super) struct Closing<'a> {
    opened: OpenedBytes<'a>,
    file: BitFieldsOut,
}

impl<'a> Closing<'a> {
    /// Makes a file of at most `bytes_max` bytes, with its magic.
    pub(super) fn new(opened: &'a [u8], bytes_max: u64) -> Self {
        let mut file = BitFieldsOut::new(bytes_max);
        file.bytes.extend(MAGIC);
        Self {
            opened: OpenedBytes(opened),
            file,
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.file.bytes
    }
}

impl BitcodeSide for Closing<'_> {
    fn number(
        &mut self,
        field: BitField,
        kind: Kind,
        model: &BitcodeModel<'_>,
    ) -> Result<u64, RecodeError> {
        let number = model.take(&mut self.opened, kind)?;
        self.file.put(field, number)?;
        Ok(number)
    }

    fn is_at_end(&self) -> bool {
        self.opened.0.is_empty()
    }

    fn align(&mut self) -> Result<(), RecodeError> {
        self.file.align()
    }

    fn open_block(&mut self) -> Result<usize, RecodeError> {
        self.file.align()?;
        self.file.put(BLOCK_WORDS, 0)?;
        Ok(self.file.bytes.len())
    }

    fn close_block(&mut self, opened: usize) -> Result<(), RecodeError> {
        let words = (self.file.bytes.len() - opened) / 4;
        let words = u32::try_from(words).map_err(|_| RecodeError::Length)?;
        self.file.bytes[opened - 4..opened].copy_from_slice(&words.to_le_bytes());
        Ok(())
    }

    fn bytes(&mut self, len: u64, known: Option<&[u8]>) -> Result<Vec<u8>, RecodeError> {
        let bytes = match known {
            Some(known) if known.len() as u64 == len => known,
            Some(_) => return Err(RecodeError::Corrupt("names of bitcode")),
            None => self.opened.bytes(len)?,
        };
        self.file.put_bytes(bytes)?;
        Ok(bytes.to_vec())
    }
}
