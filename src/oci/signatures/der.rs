//! Reads the few forms of DER that public keys are made of. Lengths are definite and as short as they can be.

/// A sequence.
pub(super) const SEQUENCE: u8 = 0x30;
/// An object identifier.
pub(super) const OBJECT: u8 = 0x06;
/// A string of bits.
pub(super) const BITS: u8 = 0x03;
/// A whole number.
pub(super) const INTEGER: u8 = 0x02;

/// What is left to be read of some DER.
#[derive(Debug, Clone, Copy)]
pub(super) struct Der<'a>(pub(super) &'a [u8]);

impl<'a> Der<'a> {
    /// Takes the next value. Returns `None` when it is not of this kind, or reaches beyond the end.
    pub(super) fn take(&mut self, kind: u8) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_first_chunk::<2>()?;
        if head[0] != kind {
            return None;
        }
        let (length, rest) = match head[1] {
            short @ 0..=0x7f => (usize::from(short), rest),
            0x81 => {
                let (length, rest) = rest.split_first_chunk::<1>()?;
                (usize::from(length[0]), rest)
            }
            0x82 => {
                let (length, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*length)), rest)
            }
            _ => return None,
        };
        let is_shortest = match head[1] {
            0x81 => length > 0x7f,
            0x82 => length > 0xff,
            _ => true,
        };
        if !is_shortest || length > rest.len() {
            return None;
        }
        let (value, rest) = rest.split_at(length);
        self.0 = rest;
        Some(value)
    }

    /// Takes the next value, which is the last one.
    pub(super) fn take_last(mut self, kind: u8) -> Option<&'a [u8]> {
        let value = self.take(kind)?;
        self.0.is_empty().then_some(value)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_the_shortest_form_of_a_length_is_read() {
        let mut two = Der(&[INTEGER, 1, 5, INTEGER, 0]);
        assert_eq!(two.take(SEQUENCE), None);
        assert_eq!(two.take(INTEGER), Some(&[5][..]));
        assert_eq!(two.take_last(INTEGER), Some(&[][..]));
        let long = [&[BITS, 0x81, 0x80][..], &[0; 0x80]].concat();
        assert_eq!(Der(&long).take_last(BITS).unwrap().len(), 0x80);
        for bad in [
            &[][..],
            &[INTEGER],
            &[INTEGER, 2, 1],
            &[INTEGER, 0x81, 1, 1],
            &[INTEGER, 0x82, 0, 1, 1],
            &[INTEGER, 0x80, 0, 0],
            &[INTEGER, 0x84, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(Der(bad).take(INTEGER), None, "{bad:?}");
        }
        assert_eq!(Der(&[INTEGER, 0, 0]).take_last(INTEGER), None);
    }
}
