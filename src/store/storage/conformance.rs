//! The suite that every storage passes, whatever keeps its objects.
//!
//! It says nothing of how fast one is, or of what becomes of it in a power cut.

use std::thread;

use super::{Given, Put, Storage, StorageError, put, read};

/// Threads that race for one name.
const RACERS: usize = 8;

/// Checks the promises of the trait.
///
/// # Panics
/// When `storage`, which must be empty, does not keep a promise.
pub fn conformance(storage: &dyn Storage) {
    objects(storage);
    conditions(storage);
    races(storage);
}

fn objects(storage: &dyn Storage) {
    let ok = "the storage works";
    assert!(storage.list("packs").expect(ok).is_empty());
    assert!(
        storage
            .bytes("packs/ab/x")
            .is_err_and(|error| error.is_missing())
    );
    put(storage, "packs/ab/x", b"hello").expect(ok);
    put(storage, "packs/aa/y", b"").expect(ok);
    put(storage, "other", b"1").expect(ok);
    let names = |folder: &str| -> Vec<(String, u64)> {
        storage
            .list(folder)
            .expect(ok)
            .into_iter()
            .map(|o| (o.name, o.bytes))
            .collect()
    };
    assert_eq!(
        names("packs"),
        [("packs/aa/y".to_owned(), 0), ("packs/ab/x".to_owned(), 5)]
    );

    let mut middle = [0; 3];
    storage.read_at("packs/ab/x", 1, &mut middle).expect(ok);
    assert_eq!(&middle, b"ell");
    for at in [3, 5, 6, 1 << 40] {
        let read = storage.read_at("packs/ab/x", at, &mut middle);
        assert!(read.is_err_and(|error| error.is_missing()), "from {at}");
        let read = storage.read_alone("packs/ab/x", at, &mut middle);
        assert!(read.is_err_and(|error| error.is_missing()), "from {at}");
        let read = storage.read_and_keep("packs/ab/x", at, &mut middle);
        assert!(read.is_err_and(|error| error.is_missing()), "from {at}");
    }
    for _ in 0..2 {
        middle = [0; 3];
        storage.read_alone("packs/ab/x", 1, &mut middle).expect(ok);
        assert_eq!(&middle, b"ell");
        let mut whole = [0; 5];
        storage
            .read_and_keep("packs/ab/x", 0, &mut whole)
            .expect(ok);
        assert_eq!(&whole, b"hello");
        storage.distrust("packs/ab/x");
    }
    assert!(read(storage, "packs/ab/x", 4).is_err_and(|error| error.is_too_long()));
    assert_eq!(read(storage, "packs/aa/y", 0).expect(ok), b"");

    let ranges = [(0, 2), (4, 1), (1, 4), (0, 0)];
    let all = storage.read_all("packs", 5).expect(ok).into_iter();
    let all: Vec<(String, Vec<u8>)> = all.map(|o| (o.name, o.bytes.expect(ok))).collect();
    let expected = [("packs/aa/y", &b""[..]), ("packs/ab/x", b"hello")];
    assert_eq!(
        all,
        expected.map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
    );
    let after = |name: &str| storage.list_after("packs", name).expect(ok);
    assert_eq!(after("packs/").len(), 2);
    assert_eq!(after("packs/aa/y")[0].name, "packs/ab/x");
    assert!(after("packs/ab/x").is_empty());
    let many = ["packs/ab/x", "packs/none", "packs/aa/y"].map(str::to_owned);
    let many = storage.read_many(&many, 4);
    assert!(many[0].as_ref().is_err_and(StorageError::is_too_long));
    assert!(many[1].as_ref().is_err_and(StorageError::is_missing));
    assert!(many[2].as_ref().is_ok_and(Vec::is_empty));
    let bounded = storage.read_all("packs", 4).expect(ok);
    assert!(bounded[0].bytes.is_ok() && bounded[1].bytes.is_err());
    let parts = storage.read_ranges("packs/ab/x", &ranges).expect(ok);
    assert_eq!(parts, [&b"he"[..], b"o", b"ello", b""]);
    let beyond = storage.read_ranges("packs/ab/x", &[(0, 2), (4, 2)]);
    assert!(beyond.is_err_and(|error| error.is_missing()));

    let mut dropped = storage.create_in("packs").expect(ok);
    dropped.append(b"half").expect(ok);
    drop(dropped);
    let mut replacing = storage.create_in("packs").expect(ok);
    replacing.append(b"good").expect(ok);
    assert_eq!(
        read(storage, "packs/ab/x", 9).expect(ok),
        b"hello",
        "unpublished is unseen"
    );
    replacing.append(b"bye").expect(ok);
    replacing.publish("packs/ab/x").expect(ok);
    assert_eq!(read(storage, "packs/ab/x", 9).expect(ok), b"goodbye");

    long(storage);

    // Whatever a root may be called.
    let odd = "odd/shop%3a1.0+~#$&'()[]{}!=,;@^`.release";
    put(storage, odd, b"odd").expect(ok);
    assert_eq!(names("odd"), [(odd.to_owned(), 3)]);
    assert_eq!(read(storage, odd, 3).expect(ok), b"odd");
    storage.remove(odd).expect(ok);
    assert!(names("odd").is_empty());

    storage.remove("packs/ab/x").expect(ok);
    storage.remove("packs/ab/x").expect(ok);
    storage.sweep().expect(ok);
    assert_eq!(names("packs"), [("packs/aa/y".to_owned(), 0)]);
    assert_eq!(
        names("other").len() + names("absent").len(),
        0,
        "a folder is not a name"
    );
}

/// An object that is longer than whatever a storage holds in memory of it.
fn long(storage: &dyn Storage) {
    let ok = "the storage works";
    let piece: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    let mut object = storage.create_in("packs").expect(ok);
    for _ in 0..19 {
        object.append(&piece).expect(ok);
    }
    object.append(b"end").expect(ok);
    object.publish("packs/cc/long").expect(ok);
    let bytes = (19 << 20) + 3;
    assert_eq!(storage.bytes("packs/cc/long").expect(ok), bytes);
    let mut end = [0; 3];
    storage
        .read_at("packs/cc/long", bytes - 3, &mut end)
        .expect(ok);
    assert_eq!(&end, b"end");
    let places: Vec<(u64, usize)> = (0..19).map(|at| ((at << 20) + 7, 100)).collect();
    let parts = storage.read_ranges("packs/cc/long", &places).expect(ok);
    assert!(parts.iter().all(|part| *part == piece[7..107]));
    storage.remove("packs/cc/long").expect(ok);
}

fn conditions(storage: &dyn Storage) {
    let ok = "the storage works";
    let put = |bytes: &[u8], given: &Given| storage.put_if("roots/one", bytes, given).expect(ok);
    let Put::Done(first) = put(b"1", &Given::Absent) else {
        panic!("nothing was there");
    };
    assert_eq!(put(b"2", &Given::Absent), Put::Lost);
    let (bytes, version) = storage.get("roots/one", 9).expect(ok);
    assert_eq!((&bytes[..], &version), (&b"1"[..], &first));
    let Put::Done(second) = put(b"3", &Given::Unchanged(first.clone())) else {
        panic!("nobody changed it");
    };
    assert_ne!(first, second);
    assert_eq!(put(b"4", &Given::Unchanged(first.clone())), Put::Lost);
    assert_eq!(storage.get("roots/one", 9).expect(ok).0, b"3");
    assert!(
        storage
            .get("roots/one", 0)
            .is_err_and(|error| error.is_too_long())
    );
    storage.remove("roots/one").expect(ok);
    assert_eq!(
        put(b"5", &Given::Unchanged(second)),
        Put::Lost,
        "it is gone"
    );
    assert!(
        storage
            .get("roots/one", 9)
            .is_err_and(|error| error.is_missing())
    );
}

/// Of many that make or replace one object at once, one wins, and its bytes are there.
fn races(storage: &dyn Storage) {
    let ok = "the storage works";
    let race = |given: &Given| -> Vec<u8> {
        let won: Vec<bool> = thread::scope(|scope| {
            let racers = (0..RACERS).map(|racer| {
                scope.spawn(move || {
                    let bytes = [u8::try_from(racer).expect("few"); 100];
                    matches!(
                        storage.put_if("roots/race", &bytes, given),
                        Ok(Put::Done(_))
                    )
                })
            });
            let racers: Vec<_> = racers.collect();
            racers
                .into_iter()
                .map(|racer| racer.join().expect(ok))
                .collect()
        });
        let winners: Vec<usize> = (0..RACERS).filter(|at| won[*at]).collect();
        assert_eq!(winners.len(), 1, "{given:?}: {winners:?}");
        vec![u8::try_from(winners[0]).expect("few"); 100]
    };
    let first = race(&Given::Absent);
    let (bytes, version) = storage.get("roots/race", 100).expect(ok);
    assert_eq!(bytes, first);
    // All of them have the same version in hand, and bytes of their own.
    storage
        .put_if("roots/race", &[99; 100], &Given::Unchanged(version))
        .expect(ok);
    let (_, version) = storage.get("roots/race", 100).expect(ok);
    let second = race(&Given::Unchanged(version));
    assert_eq!(storage.get("roots/race", 100).expect(ok).0, second);
    storage.remove("roots/race").expect(ok);
}
