//! How the numbers of a file stand in opened bitcode: what each kind appends, and how it is taken again.

use super::super::RecodeError;
use super::labels::{OpenedBytes, low_byte, put_number};
use super::model::{BitcodeModel, MASK};
use super::patterns::Kind;

/// Last byte that stands for so many values back.
const BACK_MAX: u64 = 0xbf;
/// First byte of the parameters and constants of a function, and how many have one.
const LOCAL: u8 = 0xc0;
const LOCALS_SHORT: u64 = 47;
const LOCAL_LONG: u8 = 0xef;
const LABEL: u8 = 0xf0;
const BACK_LONG: u8 = 0xf1;
const FORWARD: u8 = 0xf2;
const AS_IT_IS: u8 = 0xf3;
/// Numbers of a byte where a label or a long number may stand instead.
const SHORT_MAX: u64 = 0xef;
const LONG: u8 = 0xfe;
const LABELED: u8 = 0xff;
/// Types that are this near are counted back.
const NEAR_MAX: u64 = 8;

impl BitcodeModel<'_> {
    /// Appends a number to opened bitcode.
    pub(super) fn put(&self, out: &mut Vec<u8>, kind: Kind, number: u64) {
        match kind {
            Kind::Plain => put_number(out, number),
            Kind::Type => self.types.put(out, number),
            Kind::Value => self.values.put(out, number),
            Kind::Entry => self.entries.put(out, number),
            Kind::NameAt => put_signed(out, number.wrapping_sub(self.next_name)),
            Kind::NextEntry => put_signed(out, number.wrapping_sub(self.entry)),
            Kind::Hash => out.extend(number.to_be_bytes()),
            Kind::Original => {}
            Kind::Nested => match self.types.len().checked_sub(number) {
                Some(near @ 1..=NEAR_MAX) => out.push(low_byte(near)),
                Some(1..) => {
                    out.push(LABELED);
                    self.types.put(out, number);
                }
                _ => {
                    out.push(LONG);
                    put_number(out, number - self.types.len());
                }
            },
            Kind::Constant => {
                if number < self.values.len() {
                    out.push(LABELED);
                    return self.values.put(out, number);
                }
                let back = folded(self.next_value.wrapping_sub(number));
                if back <= SHORT_MAX {
                    out.push(low_byte(back));
                } else {
                    out.push(LONG);
                    put_number(out, back);
                }
            }
            Kind::Back | Kind::BackOrTyped => self.put_back(out, number),
            Kind::Number if number <= MASK => {
                self.put_back(out, self.next_value.wrapping_sub(number) & MASK);
            }
            Kind::BackSigned if signed(unsigned(number)) == number => {
                self.put_back(out, unsigned(number));
            }
            Kind::Number | Kind::BackSigned => {
                out.push(AS_IT_IS);
                put_number(out, number);
            }
        }
    }

    fn put_back(&self, out: &mut Vec<u8>, back: u64) {
        let values = self.values.len();
        let value = self.next_value.wrapping_sub(back) & MASK;
        if back > MASK {
            out.push(AS_IT_IS);
            put_number(out, back);
        } else if value < values {
            out.push(LABEL);
            self.values.put(out, value);
        } else if value - values < self.locals {
            match value - values {
                short @ ..LOCALS_SHORT => out.push(LOCAL + low_byte(short)),
                long => {
                    out.push(LOCAL_LONG);
                    put_number(out, long - LOCALS_SHORT);
                }
            }
        } else if back <= BACK_MAX {
            out.push(low_byte(back));
        } else if back > MASK / 2 {
            out.push(FORWARD);
            put_number(out, back.wrapping_neg() & MASK);
        } else {
            out.push(BACK_LONG);
            put_number(out, back);
        }
    }

    /// Takes what [`Self::put`] appends.
    pub(super) fn take(
        &self,
        opened: &mut OpenedBytes<'_>,
        kind: Kind,
    ) -> Result<u64, RecodeError> {
        Ok(match kind {
            Kind::Plain => opened.number()?,
            Kind::Type => self.types.take(opened)?,
            Kind::Value => self.values.take(opened)?,
            Kind::Entry => self.entries.take(opened)?,
            Kind::NameAt => self.next_name.wrapping_add(take_signed(opened)?),
            Kind::NextEntry => self.entry.wrapping_add(take_signed(opened)?),
            Kind::Hash => opened.eight()?,
            Kind::Original => {
                let original = self.names.originals.get(self.originals_met);
                original
                    .ok_or(RecodeError::Corrupt("original name of bitcode"))?
                    .1
            }
            Kind::Nested => match opened.byte()? {
                LABELED => self.types.take(opened)?,
                LONG => self.types.len().wrapping_add(opened.number()?),
                near => self.types.len().wrapping_sub(near.into()),
            },
            Kind::Constant => {
                let back = match opened.byte()? {
                    LABELED => return self.values.take(opened),
                    LONG => opened.number()?,
                    short => short.into(),
                };
                self.next_value.wrapping_sub(unfolded(back))
            }
            Kind::Back | Kind::BackOrTyped => self.take_back(opened)?,
            Kind::Number => match as_it_is(opened)? {
                Some(number) => number,
                None => self.next_value.wrapping_sub(self.take_back(opened)?) & MASK,
            },
            Kind::BackSigned => match as_it_is(opened)? {
                Some(number) => number,
                None => signed(self.take_back(opened)?),
            },
        })
    }

    fn take_back(&self, opened: &mut OpenedBytes<'_>) -> Result<u64, RecodeError> {
        let values = self.values.len();
        let value = match opened.byte()? {
            AS_IT_IS | BACK_LONG => return opened.number(),
            FORWARD => return Ok(opened.number()?.wrapping_neg() & MASK),
            LABEL => self.values.take(opened)?,
            LOCAL_LONG => values
                .wrapping_add(opened.number()?)
                .wrapping_add(LOCALS_SHORT),
            byte @ LOCAL..LOCAL_LONG => values + u64::from(byte - LOCAL),
            back => return Ok(back.into()),
        };
        Ok(self.next_value.wrapping_sub(value) & MASK)
    }
}

/// Takes a number that stands as it is, if there is one.
fn as_it_is(opened: &mut OpenedBytes<'_>) -> Result<Option<u64>, RecodeError> {
    match opened.0.strip_prefix(&[AS_IT_IS]) {
        Some(rest) => {
            opened.0 = rest;
            opened.number().map(Some)
        }
        None => Ok(None),
    }
}

/// Turns a number of two's complement into one whose sign is the lowest bit.
fn folded(number: u64) -> u64 {
    number << 1 ^ (number >> 63).wrapping_neg()
}

fn unfolded(folded: u64) -> u64 {
    folded >> 1 ^ (folded & 1).wrapping_neg()
}

fn put_signed(out: &mut Vec<u8>, number: u64) {
    put_number(out, folded(number));
}

fn take_signed(opened: &mut OpenedBytes<'_>) -> Result<u64, RecodeError> {
    opened.number().map(unfolded)
}

/// Turns a count back with its sign in the lowest bit into one modulo 2^32.
fn unsigned(number: u64) -> u64 {
    let back = number >> 1;
    if number & 1 == 1 {
        back.wrapping_neg() & MASK
    } else {
        back & MASK
    }
}

fn signed(back: u64) -> u64 {
    if back > MASK / 2 {
        (back.wrapping_neg() & MASK) << 1 | 1
    } else {
        back << 1
    }
}
