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
    whole(rest);
});

/// All bytes as code for either architecture, with a map of two runs.
fn whole(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(127)];
    let Ok(length) = u8::try_from(bytes.len()) else {
        return;
    };
    if length == 0 {
        return;
    }
    for kind in [0, 6] {
        // One segment at address 50, in either half. Then what was at 1 and at 51 for 50 bytes each is now the other way.
        let segment = [1, 0, length, kind, 100];
        let runs = [2, 1, 0, 50, 50, 100, 199, 1, 0];
        let encoded = [&segment[..], &segment, &runs].concat();
        let Some(mut tables) = ReferenceTables::decode(&encoded, bytes.len(), bytes.len()) else {
            panic!("these tables are right");
        };
        let mut labeled = bytes.to_vec();
        tables.label_new(&mut labeled);
        tables.undo_new(&mut labeled);
        assert_eq!(labeled, bytes);
    }
}
