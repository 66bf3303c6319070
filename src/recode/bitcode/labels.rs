//! Labels: what stands for a type, a function or a variable in all files that use it.

use std::collections::HashMap;

use super::super::RecodeError;

/// Mixes a number into a hash.
pub(super) fn mix(hash: u64, number: u64) -> u64 {
    (hash ^ number)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .rotate_left(29)
}

/// Returns the label of a hash. 0 stands for what has none.
pub(super) fn label(hash: u64) -> u16 {
    let [_, _, low, high, ..] = (hash >> 4).to_le_bytes();
    u16::from_le_bytes([low, high]).max(1)
}

/// Returns the label of a name.
pub(super) fn label_of_name(name: &[u8]) -> u16 {
    label(name.iter().fold(55, |hash, byte| mix(hash, (*byte).into())))
}

/// Returns the lowest eight bits.
pub(super) fn low_byte(number: u64) -> u8 {
    number.to_le_bytes()[0]
}

/// Appends a number in groups of seven bits, the lowest first.
pub(super) fn put_number(out: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        out.push(low_byte(rest) | 0x80);
        rest >>= 7;
    }
    out.push(low_byte(rest));
}

/// Takes bytes from opened bitcode.
pub(super) struct OpenedBytes<'a>(pub(super) &'a [u8]);

impl<'a> OpenedBytes<'a> {
    pub(super) fn byte(&mut self) -> Result<u8, RecodeError> {
        let (first, rest) = self.0.split_first().ok_or(RecodeError::Truncated)?;
        self.0 = rest;
        Ok(*first)
    }

    pub(super) fn bytes(&mut self, len: u64) -> Result<&'a [u8], RecodeError> {
        let len = usize::try_from(len).map_err(|_| RecodeError::Truncated)?;
        let (taken, rest) = self.0.split_at_checked(len).ok_or(RecodeError::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn eight(&mut self) -> Result<u64, RecodeError> {
        let bytes = self.bytes(8)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn number(&mut self) -> Result<u64, RecodeError> {
        let mut number = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(RecodeError::Corrupt("number of opened bitcode"))
    }
}

/// What numbers stand for, in the order of the numbers.
#[derive(Default)]
pub(super) struct Labels {
    /// The label of each, and its place among those with the same one.
    each: Vec<(u16, u32)>,
    same: HashMap<u16, Vec<u32>>,
}

impl Labels {
    pub(super) fn len(&self) -> u64 {
        self.each.len() as u64
    }

    /// Returns the label of a number, or 0 when it has none.
    pub(super) fn get(&self, number: u64) -> u16 {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        self.each.get(number).map_or(0, |(label, _)| *label)
    }

    pub(super) fn push(&mut self, label: u16) {
        let same = self.same.entry(label).or_default();
        // Files have at most 16 MiB, so both fit.
        let fits = |count| u32::try_from(count).unwrap_or(u32::MAX);
        let number = fits(self.each.len());
        self.each.push((label, fits(same.len())));
        same.push(number);
    }

    /// Appends the label of a number, and its place among those with the same one when there are several.
    pub(super) fn put(&self, out: &mut Vec<u8>, number: u64) {
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        match self.each.get(index) {
            None => {
                out.extend([0, 0]);
                put_number(out, number);
            }
            Some((label, place)) => {
                out.extend(label.to_be_bytes());
                if self.same[label].len() > 1 {
                    put_number(out, (*place).into());
                }
            }
        }
    }

    /// Takes what [`Self::put`] appends.
    pub(super) fn take(&self, opened: &mut OpenedBytes<'_>) -> Result<u64, RecodeError> {
        let label = u16::from_be_bytes([opened.byte()?, opened.byte()?]);
        if label == 0 {
            return opened.number();
        }
        let same = self.same.get(&label).map_or(&[][..], Vec::as_slice);
        let place = match same {
            [_] => 0,
            _ => usize::try_from(opened.number()?).unwrap_or(usize::MAX),
        };
        let number = same.get(place).map(|number| u64::from(*number));
        number.ok_or(RecodeError::Corrupt("label of opened bitcode"))
    }
}

/// What labels are made from, but comes behind their first use in a file.
#[derive(Default)]
pub(super) struct BitcodeNames {
    /// The names of functions and variables, one behind the other: the first table of strings.
    pub(super) strings: Vec<u8>,
    /// The original names of an index: number of the entry, hash of the name.
    pub(super) originals: Vec<(u64, u64)>,
}

impl BitcodeNames {
    /// Appends them to opened bitcode.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        put_number(out, self.strings.len() as u64);
        out.extend_from_slice(&self.strings);
        put_number(out, self.originals.len() as u64);
        let mut before = 0_u64;
        for (entry, hash) in &self.originals {
            put_number(out, entry.wrapping_sub(before));
            out.extend(hash.to_be_bytes());
            before = *entry;
        }
    }

    /// Takes them from the front of opened bitcode. Returns the rest.
    pub(super) fn read(opened: &[u8]) -> Result<(Self, &[u8]), RecodeError> {
        let mut opened = OpenedBytes(opened);
        let len = opened.number()?;
        let strings = opened.bytes(len)?.to_vec();
        let count = opened.number()?;
        // One takes nine bytes at least.
        if count > opened.0.len() as u64 / 9 {
            return Err(RecodeError::Truncated);
        }
        let mut originals = Vec::new();
        let mut before = 0_u64;
        for _ in 0..count {
            before = before.wrapping_add(opened.number()?);
            originals.push((before, opened.eight()?));
        }
        Ok((Self { strings, originals }, opened.0))
    }
}
