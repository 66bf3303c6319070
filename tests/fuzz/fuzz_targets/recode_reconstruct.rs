//! A recode recipe of any bytes on plain text of any bytes: a stream of the length that was asked for, or an error.
#![no_main]

use carryall::recode::{EncodeOptions, reconstruct};
use carryall_fuzz::Numbers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut numbers = Numbers(input);
    let stream_bytes = u64::from(numbers.next_u16());
    let (cut, threads) = (usize::from(numbers.next_u16()), numbers.next_u16() % 3 + 1);
    let (recipe, plain) = numbers.0.split_at(cut.min(numbers.0.len()));
    let options = EncodeOptions {
        stream_bytes,
        threads: threads.into(),
    };
    let mut out = Vec::new();
    let result = reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options);
    assert!(out.len() as u64 <= stream_bytes);
    assert!(result.is_err() || out.len() as u64 == stream_bytes);
});
