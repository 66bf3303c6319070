//! An index segment whose head and entries are any bytes, its envelope right.
#![no_main]

use carryall::base::envelope::{EnvelopeKind, seal};
use carryall::base::id::ChunkId;
use carryall::content::index::IndexSegment;
use libfuzzer_sys::fuzz_target;

fn walk(file: &[u8]) {
    let Ok(segment) = IndexSegment::open(file) else {
        return;
    };
    assert!(segment.entries().count() <= segment.entry_count());
    for first in [0, 7, 255] {
        let mut id = [0; 32];
        id[0] = first;
        let _ = segment.lookup(&ChunkId(id)).count();
    }
    for entry in segment.entries().take(8) {
        let mut id = [0; 32];
        id[..entry.prefix.len()].copy_from_slice(&entry.prefix);
        let _ = segment.lookup(&ChunkId(id)).count();
    }
}

fuzz_target!(|input: &[u8]| {
    walk(input);
    let (head, entries) = input.split_at(input.len() / 2);
    // A head of the right shape: fanout tables of random bytes never ascend.
    let mut body = vec![0; 1072.max(head.len())];
    body[..head.len()].copy_from_slice(head);
    let mut file = seal(EnvelopeKind::Index, &body);
    file.extend_from_slice(entries);
    walk(&file);
});
