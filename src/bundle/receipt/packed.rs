//! The vendor's record of a volume set that was packed: which chunks are in which frame.
//!
//! With it, a receipt describes a staged set by a few frame numbers. Each record takes 8 bytes a chunk. Losing one only
//! makes a top-up larger.

use wincode::{SchemaRead, SchemaWrite};

use super::{HeldRelease, RELEASES_MAX, ReceiptError};
use crate::base::envelope;
use crate::base::term::Flaw;

/// Most bytes of the body of a record.
pub(crate) const PACKED_BYTES_MAX: u64 = 256 << 20;

/// A set that was packed.
#[derive(Debug, Clone, Default, PartialEq, Eq, SchemaRead, SchemaWrite)]
pub struct PackedSet {
    /// The releases in it.
    pub releases: Vec<HeldRelease>,
    /// For each frame the first bytes of the ids of its chunks, ascending.
    pub frames: Vec<Vec<[u8; 8]>>,
}

impl PackedSet {
    /// Encodes the body of its file.
    pub fn encode(&self) -> Vec<u8> {
        envelope::encode(self)
    }

    /// Decodes the body of its file.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn decode(body: &[u8]) -> Result<Self, ReceiptError> {
        let set: Self = envelope::decode(body)?;
        if set.releases.len() > RELEASES_MAX {
            return Err(ReceiptError::Corrupt(Flaw::TooMuch));
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_round_trips() {
        let set = PackedSet {
            releases: vec![HeldRelease {
                name: "shop:1.0".into(),
                id: vec![1; 16],
            }],
            frames: vec![vec![[1; 8], [2; 8]], Vec::new()],
        };
        assert_eq!(PackedSet::decode(&set.encode()).unwrap(), set);
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = PackedSet::decode(&body);
        }
    }
}
