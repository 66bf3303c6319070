//! A pack's header, table and trailer of any bytes, with the table's hash put right, and a search for frames.
#![no_main]

use carryall::base::id::Hasher;
use carryall::content::pack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let _ = pack::check_header(input);
    for span in pack::scan(input) {
        assert!(u64::from(span.offset) + u64::from(span.len) <= input.len() as u64);
    }
    let (Some((pack_bytes, tail)), mut hasher) = (input.split_first_chunk::<8>(), Hasher::new())
    else {
        return;
    };
    let pack_bytes = u64::from_le_bytes(*pack_bytes);
    let _ = pack::parse_tail(tail, pack_bytes);
    let Some((body, _)) = tail.split_last_chunk::<32>() else {
        return;
    };
    // Table, then magic, count, length of the pack, and the hash over all of it.
    let mut sealed = body.to_vec();
    let entries = (body.len() / 8) as u32;
    sealed.truncate(body.len() / 8 * 8);
    sealed.extend_from_slice(b"\x8aCYT");
    sealed.extend_from_slice(&entries.to_le_bytes());
    sealed.extend_from_slice(&pack_bytes.to_le_bytes());
    let sum = hasher.update(&sealed).finish_128();
    sealed.extend_from_slice(&sum);
    let _ = pack::parse_tail(&sealed, pack_bytes);
});
