//! The marks and the lease of a prune in a bucket.
#![no_main]

use carryall::base::envelope::{EnvelopeKind, seal};
use carryall::store::{LeaseRecord, PackMarks};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    for file in [input.to_vec(), seal(EnvelopeKind::Marks, input)] {
        if let Ok(marks) = PackMarks::decode(&file) {
            assert_eq!(PackMarks::decode(&marks.encode()).as_ref(), Ok(&marks));
        }
    }
    {
        let file = seal(EnvelopeKind::Lease, input);
        if let Ok(lease) = LeaseRecord::decode(&file) {
            assert_eq!(lease.encode(), seal(EnvelopeKind::Lease, input));
        }
    }
});
