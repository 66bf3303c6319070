//! What a vendor's store remembers of a site: its last receipt, and what was packed for it last.
//!
//! A small file a site; losing one costs a larger bundle.

use std::fmt;
use std::str::FromStr;

use wincode::{SchemaRead, SchemaWrite};

use super::{FramesWaiting, Held, RECEIPT_BYTES_MAX, RELEASES_MAX, Receipt, ReceiptError, Settled};
use crate::envelope;

/// Most bytes of the body of a site's file.
pub const SITE_BYTES_MAX: u64 = 2 * RECEIPT_BYTES_MAX;
/// Most bytes of a site's name.
const NAME_MAX: usize = 64;

/// Name of a site: letters, digits and `._-`, the first a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteName(String);

/// Says why a text is not the name of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a name of a site: {0:?}; it has letters, digits and . _ -, begins with a letter or digit, and has at most 64 bytes"
)]
pub struct SiteNameError(String);

impl FromStr for SiteName {
    type Err = SiteNameError;

    fn from_str(text: &str) -> Result<Self, SiteNameError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        let good = text.len() <= NAME_MAX
            && text.bytes().all(plain)
            && text.starts_with(|first: char| first.is_ascii_alphanumeric());
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(SiteNameError(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is remembered of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Its last receipt.
    pub receipt: Option<Receipt>,
    /// Releases of the last bundle that was packed for it.
    pub packed: Vec<Held>,
}

/// The body of its file.
#[derive(SchemaRead, SchemaWrite)]
struct Body {
    receipt: Option<Settled>,
    packed: Vec<Held>,
}

/// The body when sets waited at the site.
#[derive(SchemaRead, SchemaWrite)]
struct WaitingBody {
    body: Body,
    waiting: Vec<FramesWaiting>,
}

impl Site {
    /// Encodes the body of its file.
    pub fn encode(&self) -> Vec<u8> {
        let body = Body {
            receipt: self.receipt.as_ref().map(Settled::from),
            packed: self.packed.clone(),
        };
        match &self.receipt {
            Some(receipt) if !receipt.waiting.is_empty() => envelope::encode(&WaitingBody {
                body,
                waiting: receipt.waiting.clone(),
            }),
            _ => envelope::encode(&body),
        }
    }

    /// Decodes the body of its file.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn decode(body: &[u8]) -> Result<Self, ReceiptError> {
        // Either takes all of the bytes, so no body is both.
        let (body, waiting) = match envelope::decode::<Body>(body) {
            Ok(body) => (body, Vec::new()),
            Err(_) => {
                let both: WaitingBody = envelope::decode(body)?;
                (both.body, both.waiting)
            }
        };
        if body.packed.len() > RELEASES_MAX {
            return Err(ReceiptError::Corrupt("too much in it"));
        }
        let receipt = body.receipt.map(|settled| settled.with(waiting).checked());
        Ok(Self {
            receipt: receipt.transpose()?,
            packed: body.packed,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;
    use crate::id::{SetId, StoreId};

    #[test]
    fn a_site_round_trips_and_its_name_is_safe() {
        let held = Held {
            name: "shop:1.0".into(),
            id: vec![1; 16],
        };
        let site = Site {
            receipt: Some(Receipt::new(
                StoreId([1; 16]),
                vec![held.clone()],
                Vec::new(),
            )),
            packed: vec![held],
        };
        assert_eq!(Site::decode(&site.encode()).unwrap(), site);
        let mut waits = site.clone();
        let waiting = FramesWaiting::new(&SetId([2; 16]), [1, 2, 9]).unwrap();
        waits.receipt = Some(site.receipt.unwrap().with_waiting(vec![waiting]));
        assert_eq!(Site::decode(&waits.encode()).unwrap(), waits);
        assert_eq!(
            "plant-7.b".parse::<SiteName>().unwrap().to_string(),
            "plant-7.b"
        );
        for bad in ["", ".x", "a/b", "厂", &"x".repeat(65)] {
            assert!(bad.parse::<SiteName>().is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_bodies_never_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Site::decode(&body);
        }
    }
}
