//! Estimates the work of the site: the streams of a release that it makes again, to prove what came and to give it out.

use std::time::Duration;

use serde::Serialize;

use crate::base::id::ChunkId;
use crate::bundle::Recipient;
use crate::content::recipe::walk::{FoundStream, Visitor, Walker};
use crate::content::recipe::{DEFLATE_CODEC, RECODE_CODEC, RecipeError};
use crate::content::release::{ReleaseRoot, walk};
use crate::recode;
use crate::store::Store;

/// Nanoseconds in which one core makes a plain byte of a deflate stream again. Source: the writers of docs/benchmarks.md.
const DEFLATE_PACE: u64 = 17;

/// The streams that a site makes again when it receives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RemakeWork {
    /// Opened streams, but those of a recipient's releases when there is one recipient.
    pub streams: u64,
    /// Their bytes.
    pub stream_bytes: u64,
    /// Approximate seconds that one core takes to make them again.
    pub core_seconds: u64,
}

/// Collects the streams of releases.
struct RemakeSum<'a> {
    store: &'a Store,
    work: RemakeWork,
    time: Duration,
}

impl Visitor for RemakeSum<'_> {
    fn chunk(&mut self, _: &ChunkId) -> Result<(), RecipeError> {
        Ok(())
    }

    fn stream(&mut self, stream: &FoundStream) -> Result<(), RecipeError> {
        let plain_bytes = stream.plain.bytes();
        let time = match stream.codec {
            DEFLATE_CODEC => Duration::from_nanos(plain_bytes.saturating_mul(DEFLATE_PACE)),
            RECODE_CODEC => {
                let head = stream.remake_head(self.store, recode::PACE_HEAD_BYTES)?;
                // What cannot be made again is found by those who make it.
                recode::encode_time(&head, plain_bytes).unwrap_or_default()
            }
            _ => Duration::ZERO,
        };
        self.work.streams += 1;
        self.work.stream_bytes += stream.bytes;
        self.time = self.time.saturating_add(time);
        Ok(())
    }
}

/// Sums up the streams of `releases`, but those that the only recipient has, who proved them before.
///
/// # Errors
/// The errors of the store, and of a release that is not whole.
pub(super) fn work_of(
    store: &Store,
    releases: &[ReleaseRoot],
    recipients: &[Recipient],
) -> Result<RemakeWork, RecipeError> {
    let mut walker = Walker::new(store);
    // What is met here is not visited again below. With several recipients, it counts for one who has none of it.
    if let [recipient] = recipients {
        for root in &recipient.releases {
            walk::release(&mut walker, root, &mut |_: &ChunkId| Ok(()))?;
        }
    }
    let mut sum = RemakeSum {
        store,
        work: RemakeWork::default(),
        time: Duration::ZERO,
    };
    for root in releases {
        walk::release(&mut walker, root, &mut sum)?;
    }
    sum.work.core_seconds = sum.time.as_secs();
    Ok(sum.work)
}
