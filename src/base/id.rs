//! Ids: each is its own newtype over its bytes and is shown as hex, in JSON too.
//!
//! This module also owns the hash (BLAKE3). No other module names the crate.

use std::fmt;
use std::str::FromStr;

/// Says why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an id of {expected_hex} lower-case hex digits: {text:?}")]
pub struct IdParseError {
    /// Hex digits that an id of this type has.
    pub expected_hex: usize,
    /// The text that was given.
    pub text: String,
}

fn parse_hex(text: &str, out: &mut [u8]) -> Result<(), IdParseError> {
    let bad = || IdParseError {
        expected_hex: out_len_hex(out),
        text: text.chars().take(80).collect(),
    };
    let digits = text.as_bytes();
    if digits.len() != out.len() * 2 {
        return Err(bad());
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(out.len());
    for pair in digits.chunks_exact(2) {
        match (nibble(pair[0]), nibble(pair[1])) {
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => return Err(bad()),
        }
    }
    out.copy_from_slice(&bytes);
    Ok(())
}

fn out_len_hex(out: &[u8]) -> usize {
    out.len() * 2
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash,
            wincode::SchemaRead, wincode::SchemaWrite,
        )]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Length of the id in bytes.
            pub const BYTES: usize = $bytes;

            /// Returns the bytes of the id.
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// Returns the first eight hex digits, which suffice for people to tell two ids apart.
            pub fn short(&self) -> String {
                self.to_string()[..8].to_owned()
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl FromStr for $name {
            type Err = IdParseError;

            fn from_str(text: &str) -> Result<Self, IdParseError> {
                let mut bytes = [0; $bytes];
                parse_hex(text, &mut bytes)?;
                Ok(Self(bytes))
            }
        }
    };
}

id_type!(
    /// A chunk: BLAKE3-256 of its plain bytes.
    ChunkId, 32
);
id_type!(
    /// A blob (an item, a member or any stream that has a recipe): BLAKE3-256 of its bytes.
    BlobId, 32
);
id_type!(
    /// A pack or an index segment: BLAKE3-256 of the whole file.
    PackId, 32
);
id_type!(
    /// A release: BLAKE3-256 of the body of its root file.
    ReleaseId, 32
);
id_type!(
    /// A store, drawn at random when the store is created.
    StoreId, 16
);
id_type!(
    /// A volume set, derived from its geometry and catalog. Packing the same content twice gives the same set.
    SetId, 16
);

/// Hashes bytes piece by piece with BLAKE3.
#[derive(Debug, Clone, Default)]
pub struct Hasher(blake3::Hasher);

impl Hasher {
    /// Starts an empty hash.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// Adds bytes and hashes them on every core. Pays off from about 128 KiB on.
    pub(crate) fn update_parallel(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update_rayon(bytes);
        self
    }

    /// Returns the 256-bit hash of all that was added.
    pub fn finish(&self) -> [u8; 32] {
        *self.0.finalize().as_bytes()
    }

    /// Returns the first 128 bits of the hash.
    pub fn finish_128(&self) -> [u8; 16] {
        let mut out = [0; 16];
        out.copy_from_slice(&self.finish()[..16]);
        out
    }
}

/// Returns the BLAKE3-256 of `bytes`.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

impl ChunkId {
    /// Returns the id of a chunk from its plain bytes.
    pub fn of(plain: &[u8]) -> Self {
        Self(hash(plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_text_in_json() {
        let id = StoreId([0xab; 16]);
        let json = serde_json::to_value(id).ok();
        assert_eq!(json, Some(id.to_string().into()));
    }

    #[test]
    fn id_round_trips_through_text_and_refuses_anything_else() {
        let id = ChunkId::of(b"abc");
        assert_eq!(id.to_string().parse::<ChunkId>(), Ok(id));
        assert_eq!(id.short(), "6437b3ac");
        for bad in [
            "",
            "6437b3ac",
            &id.to_string().to_uppercase(),
            &"g".repeat(64),
        ] {
            assert!(bad.parse::<ChunkId>().is_err(), "{bad}");
        }
    }
}
