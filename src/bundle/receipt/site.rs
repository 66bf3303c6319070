//! The vendor's record of a site: its last receipt, and the last bundle that was packed for it.
//!
//! Each site has one small file. Losing it only makes a bundle larger.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};
use wincode::{SchemaRead, SchemaWrite};

use super::{FramesWaiting, HeldRelease, RELEASES_MAX, Receipt, ReceiptError, Settled};
use crate::base::envelope;
use crate::base::term::Flaw;
use crate::content::release::script;

/// Most bytes of a site's name.
const NAME_MAX: usize = 64;
/// Most bytes of its file stem, so that a suffix and a temporary name still fit into 255.
const FILE_STEM_MAX: usize = 216;

/// Name of a site: letters and digits of any script and `._-`, the first one a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SiteName(String);

/// Says why a text is not the name of a site.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a name of a site: {0:?}; it has letters and digits of any script and . _ -, begins with a letter or digit, and has at most 64 bytes"
)]
pub struct SiteNameError(String);

impl FromStr for SiteName {
    type Err = SiteNameError;

    fn from_str(text: &str) -> Result<Self, SiteNameError> {
        let name = script::composed(text);
        let good = name.len() <= NAME_MAX
            && name.starts_with(script::begins)
            && name.chars().all(|c| script::belongs(c, "._-"))
            && script::to_ascii(&name).len() <= FILE_STEM_MAX;
        if good {
            Ok(Self(name))
        } else {
            Err(SiteNameError(text.chars().take(80).collect()))
        }
    }
}

impl SiteName {
    /// Returns the name as a file stem in ASCII.
    pub fn file_stem(&self) -> String {
        script::to_ascii(&self.0)
    }

    /// Decodes a name from its file stem. Returns `None` when no site has such a stem.
    pub fn from_file_stem(stem: &str) -> Option<Self> {
        let name: Self = script::from_ascii(stem).parse().ok()?;
        (name.file_stem() == stem).then_some(name)
    }
}

impl Serialize for SiteName {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Display for SiteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The record of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// Its last receipt.
    pub receipt: Option<Receipt>,
    /// Releases of the last bundle that was packed for it.
    pub packed: Vec<HeldRelease>,
}

/// The body of its file.
#[derive(SchemaRead, SchemaWrite)]
struct ReceiptBody {
    receipt: Option<Settled>,
    packed: Vec<HeldRelease>,
}

/// The body when the site had staged sets.
#[derive(SchemaRead, SchemaWrite)]
struct WaitingBody {
    body: ReceiptBody,
    waiting: Vec<FramesWaiting>,
}

impl Site {
    /// Encodes the body of its file.
    pub fn encode(&self) -> Vec<u8> {
        let body = ReceiptBody {
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
        // Each decoder requires all of the bytes, so no body is valid as both.
        let (body, waiting) = match envelope::decode::<ReceiptBody>(body) {
            Ok(body) => (body, Vec::new()),
            Err(_) => {
                let both: WaitingBody = envelope::decode(body)?;
                (both.body, both.waiting)
            }
        };
        if body.packed.len() > RELEASES_MAX {
            return Err(ReceiptError::Corrupt(Flaw::TooMuch));
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
    use crate::base::id::{SetId, StoreId};

    #[test]
    fn a_site_round_trips_and_its_name_is_safe() {
        let held = HeldRelease {
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
        let beijing: SiteName = "北京１厂".parse().unwrap();
        assert_eq!(beijing.to_string(), "北京1厂");
        assert_eq!(beijing.file_stem(), "%u5317%u4eac1%u5382");
        assert_eq!(
            SiteName::from_file_stem("%u5317%u4eac1%u5382"),
            Some(beijing)
        );
        assert_eq!(SiteName::from_file_stem("北京1厂"), None);
        assert_eq!(
            "plant-7.b".parse::<SiteName>().unwrap().to_string(),
            "plant-7.b"
        );
        for bad in ["", ".x", "a/b", "厂 区", &"x".repeat(65)] {
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
