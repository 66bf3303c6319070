//! A bare bundle of any numbers whose head has the right hash: it is read, shown as a volume, and scanned.
#![no_main]

use std::ops::ControlFlow;

use carryall::base::id::hash;
use carryall::base::monitor::Silent;
use carryall::volumes::bare_head::BareHead;
use carryall::volumes::media::source::find_sources;
use carryall::volumes::media::{Sighting, scan};
use carryall_fuzz::temp_file;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = BareHead::parse(input);
    if input.len() < 104 {
        return;
    }
    let mut file = input.to_vec();
    // Of block 0 of volume 1 of one, without spares and parity, or no head is read.
    file[..8].copy_from_slice(b"\x8aCYO\x01\x10\x01\x01");
    file[24..36].copy_from_slice(&[1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file[40..44].fill(0);
    let word = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]);
    let end = 104_usize
        .saturating_add(word(48) as usize)
        .saturating_add(word(52) as usize);
    let Some(said) = file.get(104..end) else {
        return;
    };
    let sum = hash(&[&file[..72], said].concat());
    file[72..104].copy_from_slice(&sum);
    let path = temp_file("medium", &file);
    let sources = find_sources(&[path], &Silent).expect("the file is there");
    let visit = |_: &Sighting<'_>| ControlFlow::Continue(());
    scan(&sources, &visit, &Silent).expect("nobody stops it");
});
