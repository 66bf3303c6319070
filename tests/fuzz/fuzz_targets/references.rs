//! Tables of references, and bytes that they are said to be for: what is undone is made again.
#![no_main]

use carryall::content::references::ReferenceTables;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((lengths, rest)) = input.split_first_chunk::<2>() else {
        return;
    };
    let (encoded, bytes) = rest.split_at(usize::from(lengths[0]).min(rest.len()));
    let (old, new) = bytes.split_at(usize::from(lengths[1]).min(bytes.len()));
    let Some(mut tables) = ReferenceTables::decode(encoded, old.len(), new.len()) else {
        return;
    };
    let again = ReferenceTables::decode(&tables.encode(), old.len(), new.len());
    assert_eq!(again.as_ref(), Some(&tables));
    tables.label_old(&mut old.to_vec());
    tables.undo_new(&mut new.to_vec());
    let mut labeled = new.to_vec();
    tables.label_new(&mut labeled);
    tables.undo_new(&mut labeled);
    assert_eq!(labeled, new);
});
