//! LLVM bitcode as bytes that compare and compress well, and back.
//!
//! A file of bitcode is a stream of bits: numbers stand across bytes, and most of them count something from the place
//! where they stand. One function more in a program shifts the bits behind it, and gives all types and functions behind
//! it another number. Opened bitcode has the same numbers in the same order, whole bytes each. Numbers of types,
//! functions and variables are labels, which are made from what they stand for, and are the same in every file that
//! uses it. The format is in `docs/format.md`, section Opened bitcode.
//!
//! `grammar` walks through a file, `side` takes its numbers from bits or from opened bytes and gives them to the other
//! side, and `model` knows what each number means, and `coding` how it stands. What is understood wrongly costs bytes and no correctness, because
//! both sides understand it the same way.

mod bits;
mod coding;
mod grammar;
mod labels;
mod model;
mod patterns;
mod side;
#[cfg(test)]
mod tests;

pub(super) use self::bits::MAGIC;
use self::grammar::walk;
use self::labels::BitcodeNames;
use self::model::BitcodeModel;
use self::side::{Closing, Opening};
use super::RecodeError;

/// Longest file that is opened, and longest opened file that is closed again. Both are held in memory.
pub(super) const FILE_BYTES_MAX: u64 = 16 << 20;
pub(super) const OPENED_BYTES_MAX: u64 = 64 << 20;

/// Opens a file. What [`close`] makes of the result is the same file.
///
/// # Errors
/// [`RecodeError::Corrupt`] and [`RecodeError::Truncated`] when it is not valid bitcode, [`RecodeError::Limit`] when it is
/// too long, and [`RecodeError::Unknown`] when a number is not written the shortest way, which LLVM never does.
pub(super) fn open(file: &[u8]) -> Result<Vec<u8>, RecodeError> {
    if file.len() as u64 > FILE_BYTES_MAX {
        return Err(RecodeError::Limit);
    }
    let bits = file.strip_prefix(&MAGIC);
    let bits = bits.ok_or(RecodeError::Corrupt("bitcode header"))?;
    let mut names = BitcodeNames::default();
    let none = BitcodeNames::default();
    walk(
        &mut Opening::survey(bits),
        BitcodeModel::new(&none),
        &none,
        Some(&mut names),
    )?;
    let mut opening = Opening::new(bits, &names);
    walk(&mut opening, BitcodeModel::new(&names), &names, None)?;
    let opened = opening.finish();
    if opened.len() as u64 > OPENED_BYTES_MAX {
        return Err(RecodeError::Limit);
    }
    match close(&opened, file.len() as u64) {
        Ok(closed) if closed == file => Ok(opened),
        _ => Err(RecodeError::Unknown),
    }
}

/// Makes the file again, of at most `bytes_max` bytes.
///
/// # Errors
/// [`RecodeError::Corrupt`] and [`RecodeError::Truncated`] when this is not opened bitcode, and [`RecodeError::Length`]
/// when the file would be longer.
pub(super) fn close(opened: &[u8], bytes_max: u64) -> Result<Vec<u8>, RecodeError> {
    let (names, rest) = BitcodeNames::read(opened)?;
    let mut closing = Closing::new(rest, bytes_max.min(FILE_BYTES_MAX));
    walk(&mut closing, BitcodeModel::new(&names), &names, None)?;
    Ok(closing.finish())
}
