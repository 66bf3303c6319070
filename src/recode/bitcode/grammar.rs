//! The grammar of bitstreams: blocks, abbreviations and records.
//!
//! Source: LLVM Bitcode File Format, section Bitstream Format.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::RecodeError;
use super::bits::BitField;
use super::labels::BitcodeNames;
use super::model::BitcodeModel;
use super::patterns::{self, Kind};
use super::side::BitcodeSide;

/// Blocks within blocks.
const DEPTH_MAX: usize = 16;
/// Operands of an abbreviation, and abbreviations for all blocks of one kind. Each use of an abbreviation may take only a
/// byte, and each such block a few, so a short file must not stand for more work than this.
const OPERANDS_MAX: u64 = 64;
const SHARED_MAX: usize = 256;

/// The block that holds abbreviations for others.
const BLOCK_INFO: u64 = 0;
/// The record in it that says for which.
const SET_BLOCK: u64 = 1;
/// What an abbreviation number stands for before the first abbreviation.
const END_BLOCK: u64 = 0;
const ENTER_BLOCK: u64 = 1;
const DEFINE: u64 = 2;
const UNABBREVIATED: u64 = 3;
const ABBREVIATED: u64 = 4;

const COUNT: BitField = BitField::Variable(6);

/// A part of an abbreviation.
#[derive(Debug, Clone, Copy)]
enum AbbreviationOperand {
    Literal(u64),
    Scalar(BitField),
    /// Any number of these, behind their count. The last part.
    Array(BitField),
    /// Bytes, behind their count. The last part.
    Blob,
}

type Abbreviation = Rc<[AbbreviationOperand]>;

/// Takes every number of a file from one side to the other. What comes behind its first use is left in `found`.
///
/// # Errors
/// [`RecodeError::Corrupt`] and [`RecodeError::Truncated`] when this is no bitcode, and errors of the sides.
pub(super) fn walk<S: BitcodeSide>(
    side: &mut S,
    model: BitcodeModel<'_>,
    names: &BitcodeNames,
    found: Option<&mut BitcodeNames>,
) -> Result<(), RecodeError> {
    let mut walk = BitcodeWalk {
        side,
        model,
        names,
        found,
        shared: HashMap::new(),
        has_strings: false,
    };
    while !walk.side.is_at_end() {
        if walk.plain(BitField::Fixed(2))? != ENTER_BLOCK {
            return Err(RecodeError::Corrupt("bitcode outside of blocks"));
        }
        walk.block(0)?;
    }
    Ok(())
}

struct BitcodeWalk<'a, S> {
    side: &'a mut S,
    model: BitcodeModel<'a>,
    names: &'a BitcodeNames,
    found: Option<&'a mut BitcodeNames>,
    /// Abbreviations that blocks have from their beginning.
    shared: HashMap<u64, Rc<Vec<Abbreviation>>>,
    /// Whether the first table of strings was met.
    has_strings: bool,
}

impl<S: BitcodeSide> BitcodeWalk<'_, S> {
    fn plain(&mut self, field: BitField) -> Result<u64, RecodeError> {
        self.side.number(field, Kind::Plain, &self.model)
    }

    fn block(&mut self, depth: usize) -> Result<(), RecodeError> {
        if depth >= DEPTH_MAX {
            return Err(RecodeError::Corrupt("depth of bitcode"));
        }
        let block = self.plain(BitField::Variable(8))?;
        let width = self.plain(BitField::Variable(4))?;
        let width = match u32::try_from(width) {
            Ok(width @ 2..=32) => BitField::Fixed(width),
            _ => return Err(RecodeError::Corrupt("width of abbreviations of bitcode")),
        };
        let opened = self.side.open_block()?;
        self.model.enter(block);
        let shared = self.shared.get(&block).cloned().unwrap_or_default();
        let mut own: Vec<Abbreviation> = Vec::new();
        let mut set_block = None;
        loop {
            match self.plain(width)? {
                END_BLOCK => break,
                ENTER_BLOCK => self.block(depth + 1)?,
                DEFINE => {
                    let abbreviation = self.abbreviation()?;
                    if block == BLOCK_INFO {
                        self.share(set_block, abbreviation)?;
                    } else {
                        own.push(abbreviation);
                    }
                }
                UNABBREVIATED => {
                    let code = self.plain(COUNT)?;
                    let count = self.plain(COUNT)?;
                    self.model
                        .begin(block, code, usize::try_from(count).unwrap_or(usize::MAX));
                    for at in 0..count {
                        let number = self.number(COUNT)?;
                        if block == BLOCK_INFO && code == SET_BLOCK && at == 0 {
                            set_block = Some(number);
                        }
                    }
                    self.model.end(self.found.as_deref_mut());
                }
                number => {
                    let at = usize::try_from(number - ABBREVIATED).unwrap_or(usize::MAX);
                    let of_own = || own.get(at.checked_sub(shared.len())?);
                    let abbreviation = shared.get(at).or_else(of_own).cloned();
                    let abbreviation =
                        abbreviation.ok_or(RecodeError::Corrupt("abbreviation of bitcode"))?;
                    self.abbreviated(block, &abbreviation)?;
                }
            }
        }
        self.side.align()?;
        self.model.leave(block);
        self.side.close_block(opened)
    }

    fn share(&mut self, block: Option<u64>, abbreviation: Abbreviation) -> Result<(), RecodeError> {
        let block = block.ok_or(RecodeError::Corrupt("block of an abbreviation of bitcode"))?;
        let shared = Rc::make_mut(self.shared.entry(block).or_default());
        if shared.len() >= SHARED_MAX {
            return Err(RecodeError::Corrupt("number of abbreviations of bitcode"));
        }
        shared.push(abbreviation);
        Ok(())
    }

    fn abbreviation(&mut self) -> Result<Abbreviation, RecodeError> {
        const WRONG: RecodeError = RecodeError::Corrupt("operand of an abbreviation of bitcode");
        let count = self.plain(BitField::Variable(5))?;
        if count > OPERANDS_MAX {
            return Err(WRONG);
        }
        let mut operands = Vec::new();
        let mut is_element = false;
        for at in 0..count {
            let operand = if self.plain(BitField::Fixed(1))? == 1 {
                AbbreviationOperand::Literal(self.plain(BitField::Variable(8))?)
            } else {
                match self.plain(BitField::Fixed(3))? {
                    kind @ (1 | 2) => {
                        let width = self.plain(BitField::Variable(5))?;
                        AbbreviationOperand::Scalar(match (kind, u32::try_from(width)) {
                            (_, Ok(0)) => BitField::Fixed(0),
                            (1, Ok(width @ ..=64)) => BitField::Fixed(width),
                            (2, Ok(width @ 2..=32)) => BitField::Variable(width),
                            _ => return Err(WRONG),
                        })
                    }
                    // The kind of its elements follows.
                    3 if at > 0 && at + 2 == count => {
                        is_element = true;
                        continue;
                    }
                    4 => AbbreviationOperand::Scalar(BitField::Letter),
                    5 if at > 0 && at + 1 == count && !is_element => AbbreviationOperand::Blob,
                    _ => return Err(WRONG),
                }
            };
            operands.push(match operand {
                AbbreviationOperand::Scalar(field) if is_element && field != BitField::Fixed(0) => {
                    AbbreviationOperand::Array(field)
                }
                _ if is_element => return Err(WRONG),
                other => other,
            });
        }
        Ok(operands.into())
    }

    fn abbreviated(
        &mut self,
        block: u64,
        operands: &[AbbreviationOperand],
    ) -> Result<(), RecodeError> {
        let (first, rest) = operands
            .split_first()
            .ok_or(RecodeError::Corrupt("abbreviation of bitcode"))?;
        let code = match first {
            AbbreviationOperand::Literal(code) => *code,
            AbbreviationOperand::Scalar(field) => self.plain(*field)?,
            AbbreviationOperand::Array(_) | AbbreviationOperand::Blob => {
                return Err(RecodeError::Corrupt("code of a record of bitcode"));
            }
        };
        let has_count = matches!(rest.last(), Some(AbbreviationOperand::Array(_)));
        let count = if has_count { 0 } else { rest.len() };
        self.model.begin(block, code, count);
        for operand in rest {
            match operand {
                AbbreviationOperand::Literal(number) => {
                    let kind = self.model.next_kind();
                    self.model.took(kind, *number);
                }
                AbbreviationOperand::Scalar(field) => {
                    self.number(*field)?;
                }
                AbbreviationOperand::Array(field) => {
                    for _ in 0..self.plain(COUNT)? {
                        self.number(*field)?;
                    }
                }
                AbbreviationOperand::Blob => self.blob(block)?,
            }
        }
        self.model.end(self.found.as_deref_mut());
        Ok(())
    }

    fn number(&mut self, field: BitField) -> Result<u64, RecodeError> {
        let kind = self.model.next_kind();
        let number = self.side.number(field, kind, &self.model)?;
        self.model.took(kind, number);
        Ok(number)
    }

    fn blob(&mut self, block: u64) -> Result<(), RecodeError> {
        let len = self.plain(COUNT)?;
        self.side.align()?;
        let is_strings = block == patterns::STRINGS && !self.has_strings;
        let known = is_strings.then_some(&self.names.strings[..]);
        let bytes = self.side.bytes(len, known)?;
        if is_strings {
            self.has_strings = true;
            if let Some(found) = self.found.as_deref_mut() {
                found.strings = bytes;
            }
        }
        Ok(())
    }
}
