#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;

use super::{FILE_BYTES_MAX, MAGIC, close, open};
use crate::recode::RecodeError;

const FILES: [&[u8]; 5] = [
    include_bytes!("../../../tests/data/bitcode/files/c.bc"),
    include_bytes!("../../../tests/data/bitcode/files/c-changed.bc"),
    include_bytes!("../../../tests/data/bitcode/files/c-debug.bc"),
    include_bytes!("../../../tests/data/bitcode/files/c-index.bc"),
    include_bytes!("../../../tests/data/bitcode/files/rust.bc"),
];

#[test]
fn files_come_back() {
    for file in FILES {
        let opened = open(file).unwrap();
        assert!(close(&opened, FILE_BYTES_MAX).unwrap() == file);
        assert!(close(&opened, file.len() as u64).unwrap() == file);
        let short = file.len() as u64 - 1;
        assert!(matches!(close(&opened, short), Err(RecodeError::Length)));
    }
}

/// The same function is the same bytes, whatever numbers its module gives to types and values.
#[test]
fn an_inserted_function_leaves_the_others_as_they_are() {
    // Of a thousand runs of 16 bytes, how many stand in the old file.
    let known = |old: &[u8], new: &[u8]| {
        let known: HashSet<&[u8]> = old.windows(16).collect();
        let found = new.windows(16).filter(|run| known.contains(run)).count();
        found * 1000 / new.len()
    };
    let (old, new) = (FILES[0], FILES[1]);
    let as_bits = known(old, new);
    let opened = known(&open(old).unwrap(), &open(new).unwrap());
    assert!(as_bits < 600 && opened > 650, "{as_bits} {opened}");
}

#[test]
fn what_is_no_bitcode_is_refused() {
    for other in [&b""[..], b"BC", b"BC\xc0\xdf1234", b"\xde\xc0\x17\x0b0000"] {
        assert!(open(other).is_err());
    }
    // A block of a length that is not its own, and one that nests without end.
    let mut wrong = FILES[0].to_vec();
    wrong[8] ^= 1;
    assert!(open(&wrong).is_err());
    let nested = [MAGIC.to_vec(), [0x21, 0x0c, 0, 0, 0xff, 0, 0, 0].repeat(40)].concat();
    assert!(open(&nested).is_err());
    for file in FILES {
        for cut in (0..file.len()).step_by(7) {
            assert!(open(&file[..cut]).is_err() || cut % 4 == 0, "{cut}");
        }
    }
}

#[test]
fn damaged_files_are_refused_or_come_back() {
    for file in FILES {
        for at in (0..file.len()).step_by(13) {
            let mut other = file.to_vec();
            other[at] ^= 1 << (at % 8);
            if let Ok(opened) = open(&other) {
                assert!(close(&opened, FILE_BYTES_MAX).unwrap() == other);
            }
        }
    }
}

#[test]
fn a_file_that_is_too_long_is_not_read() {
    let long = [MAGIC.to_vec(), vec![0; 16 << 20]].concat();
    assert!(matches!(open(&long), Err(RecodeError::Limit)));
}

/// Opened bytes that say more than they have are refused before anything is allocated for it.
#[test]
fn counts_that_lie_are_refused() {
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    let names = [&huge[..], b"abc"].concat();
    let originals = [&[0][..], &huge, b"abc"].concat();
    // A record of as many numbers in a block of kind 8.
    let numbers = [&[0, 0, 1, 8, 3, 3, 1][..], &huge, b"abc"].concat();
    for lie in [names, originals, numbers] {
        assert!(close(&lie, FILE_BYTES_MAX).is_err());
    }
}

proptest! {
    #[test]
    fn any_opened_bytes_close_within_their_limit_or_are_refused(
        which in 0..FILES.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut opened = open(FILES[which]).unwrap();
        for (at, byte) in changes {
            let at = at.index(opened.len());
            opened[at] = byte;
        }
        opened.truncate(cut.index(opened.len() * 2));
        opened.extend(tail);
        if let Ok(file) = close(&opened, 1 << 16) {
            prop_assert!(file.len() <= 1 << 16);
            if let Ok(again) = open(&file) {
                prop_assert!(close(&again, 1 << 16).unwrap() == file);
            }
        }
    }

    #[test]
    fn any_bytes_open_and_come_back_or_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let file = [&MAGIC[..], &bytes].concat();
        if let Ok(opened) = open(&file) {
            prop_assert!(close(&opened, FILE_BYTES_MAX).unwrap() == file);
        }
    }
}
