//! `prune` where others write at the same time: killed at every call, beside adds that began before, and with maintainers
//! that were thought dead.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use carryall::base::id::{ChunkId, hash};
use carryall::base::monitor::Silent;
use carryall::content::content_kind::ContentKind;
use carryall::store::storage::Storage;
use carryall::store::storage::memory::FaultyStorage;
use carryall::store::{
    CheckDepth, ChunkSet, OpenMode, PruneOptions, PruneReport, Store, StoreError,
};

use crate::testkit::stores::small_frames;

const DAY: u64 = 24 * 3600;

fn content(number: u32) -> Vec<u8> {
    let seed = hash(&number.to_le_bytes());
    let mut out = Vec::new();
    for piece in 0..600_u32 {
        out.extend_from_slice(&hash(&[&seed[..], &piece.to_le_bytes()].concat()));
    }
    out
}

fn id(number: u32) -> ChunkId {
    ChunkId::of(&content(number))
}

fn create() -> (FaultyStorage, Store) {
    let storage = FaultyStorage::shared();
    let store = Store::create_on(Arc::new(storage.clone()), Path::new("test"), None).unwrap();
    (storage, store)
}

fn open(storage: &FaultyStorage) -> Result<Store, StoreError> {
    let storage = Arc::new(storage.clone());
    Store::open_on(storage, Path::new("test"), OpenMode::Write, None)
}

/// Makes a release of these chunks, whose root is their numbers.
fn add(store: &Store, name: &str, numbers: &[u32]) -> Result<(), StoreError> {
    put(store, numbers)?;
    commit(store, name, numbers)
}

fn put(store: &Store, numbers: &[u32]) -> Result<(), StoreError> {
    let mut writer = store.writer(&small_frames(64 << 10), &Silent)?;
    for number in numbers {
        writer.put(&content(*number), ContentKind::Other)?;
    }
    writer.finish().map(drop)
}

fn commit(store: &Store, name: &str, numbers: &[u32]) -> Result<(), StoreError> {
    let body: Vec<u8> = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    // As operations do, it reads the root that it replaces.
    let _ = store.read_root(name);
    store.commit_root_of(name, &body, &|| Ok(set(numbers)))
}

fn set(numbers: &[u32]) -> ChunkSet {
    numbers.iter().map(|number| id(*number)).collect()
}

/// The chunks of all releases.
fn live(store: &Store) -> Vec<u32> {
    let roots = store.roots().unwrap().into_iter();
    let bodies = roots.flat_map(|root| root.body.unwrap());
    let bytes: Vec<u8> = bodies.collect();
    let numbers = bytes.as_chunks::<4>().0.iter();
    numbers.map(|number| u32::from_le_bytes(*number)).collect()
}

fn prune(storage: &FaultyStorage) -> Result<PruneReport, StoreError> {
    let mut store = open(storage)?;
    store.be_alone()?;
    let live = live(&store);
    let write = small_frames(64 << 10);
    let options = PruneOptions {
        write,
        ..PruneOptions::default()
    };
    store.prune(set(&live), &options, &Silent)
}

/// Looks whether every release is whole, for a process that begins now.
#[track_caller]
fn is_whole(storage: &FaultyStorage) {
    let store = open(storage).unwrap();
    let live = live(&store);
    for number in &live {
        assert!(*store.read(&id(*number)).unwrap() == content(*number));
    }
    let report = store.check(CheckDepth::Data, set(&live), &Silent).unwrap();
    assert!(
        report.findings.is_empty() && report.faults.is_empty() && report.lost_chunks.is_empty(),
        "{report:?}"
    );
}

fn numbers(range: std::ops::Range<u32>) -> Vec<u32> {
    range.collect()
}

/// A store with a pack that nobody needs, one that is mostly unused, and one that is needed.
fn grown() -> FaultyStorage {
    let (storage, store) = create();
    add(&store, "dead", &numbers(0..12)).unwrap();
    add(&store, "mostly", &numbers(20..32)).unwrap();
    add(&store, "stays", &[40, 41, 42, 20, 21]).unwrap();
    store.remove_root("dead").unwrap();
    store.remove_root("mostly").unwrap();
    storage
}

fn packs(storage: &FaultyStorage) -> usize {
    storage.list("packs").unwrap().len()
}

#[test]
fn packs_are_marked_and_go_when_their_time_is_over() {
    let storage = grown();
    let first = prune(&storage).unwrap();
    assert_eq!((first.packs_removed, first.packs_marked), (0, 2));
    assert_eq!((first.packs_rewritten, packs(&storage)), (1, 4));
    storage.pass(6 * DAY);
    assert_eq!(prune(&storage).unwrap().packs_removed, 0);
    is_whole(&storage);
    storage.pass(DAY);
    let last = prune(&storage).unwrap();
    assert_eq!((last.packs_removed, last.packs_marked), (2, 0));
    assert_eq!(packs(&storage), 2);
    is_whole(&storage);
    // What is stored again has another name, as long as the name is that of something that is being removed.
    let again = open(&storage).unwrap();
    assert!(!again.contains(&id(3)));
    add(&again, "again", &numbers(0..12)).unwrap();
    assert_eq!(packs(&storage), 3);
    storage.pass(DAY);
    assert_eq!(prune(&storage).unwrap().packs_removed, 0);
    is_whole(&storage);
    // The store's own time of grace is what a prune takes that names none.
    let text = storage.whole("carryall.toml", 1000).unwrap();
    let text = String::from_utf8(text).unwrap() + "[prune]\ngrace_hours = 1\n";
    carryall::store::storage::put(&storage, "carryall.toml", text.as_bytes()).unwrap();
    open(&storage).unwrap().remove_root("again").unwrap();
    prune(&storage).unwrap();
    storage.pass(3600);
    assert_eq!(prune(&storage).unwrap().packs_removed, 1);
    is_whole(&storage);
}

/// Kills the work after every possible number of changes, and looks at what is left.
fn at_every_step(
    start: &FaultyStorage,
    work: impl Fn(&FaultyStorage) -> bool,
    look: impl Fn(&FaultyStorage),
) {
    for steps in 0.. {
        let storage = start.crash_image();
        storage.die_after(steps);
        let done = work(&storage);
        look(&storage.crash_image());
        if done {
            assert!(steps > 5, "the work changed something");
            return;
        }
    }
}

/// What is there at each stage of a removal.
fn stages() -> [FaultyStorage; 3] {
    let fresh = grown();
    let marked = fresh.crash_image();
    prune(&marked).unwrap();
    marked.pass(8 * DAY);
    let removed = marked.crash_image();
    prune(&removed).unwrap();
    removed.pass(8 * DAY);
    [fresh, marked, removed]
}

#[test]
fn killed_at_any_call_nothing_is_lost_and_the_next_one_ends_the_work() {
    for start in stages() {
        let work = |storage: &FaultyStorage| prune(storage).is_ok();
        at_every_step(&start, work, |image| {
            is_whole(image);
            // Nobody knows whether the one that was killed is still at work.
            match prune(image) {
                Ok(_) => {}
                Err(StoreError::Maintained { seconds, .. }) => assert!(seconds <= 900),
                Err(other) => panic!("{other:?}"),
            }
            image.pass(901);
            prune(image).unwrap();
            is_whole(image);
            for _ in 0..2 {
                image.pass(8 * DAY);
                prune(image).unwrap();
                is_whole(image);
            }
            let bytes: u64 = image.list("packs").unwrap().iter().map(|o| o.bytes).sum();
            assert!(bytes < 8 * 20_000, "{bytes} bytes are left");
        });
    }
}

/// Does what a builder does, at every instant of a prune. It began before or begins then.
fn beside_a_prune(begun_before: bool) {
    for start in stages() {
        for steps in 0.. {
            let storage = start.crash_image();
            let wanted = [0, 1, 2, 22, 23, 40, 60];
            // It is found that the chunks are there, and so they are not stored again.
            let early = begun_before.then(|| {
                let early = open(&storage).unwrap();
                put(&early, &wanted).unwrap();
                early
            });
            storage.die_after(steps);
            let done = prune(&storage).is_ok();
            // The one who prunes is paused, and the builder is not.
            storage.die_after(u64::MAX / 2);
            let builder = early.unwrap_or_else(|| open(&storage).unwrap());
            let added = add(&builder, "builder", &wanted);
            if let Err(error) = &added {
                let is_told =
                    matches!(error, StoreError::PrunedMeanwhile { chunks, .. } if *chunks > 0);
                assert!(begun_before && is_told, "{error:?}");
                // It is done again, by a process that begins now.
                add(&open(&storage).unwrap(), "builder", &wanted).unwrap();
            }
            is_whole(&storage);
            for days in [1, 8, 8] {
                storage.pass(days * DAY);
                prune(&storage).unwrap();
                is_whole(&storage);
            }
            if done {
                break;
            }
        }
    }
}

#[test]
fn an_add_that_began_before_relies_on_nothing_that_goes() {
    beside_a_prune(true);
}

#[test]
fn an_add_that_begins_meanwhile_relies_on_nothing_that_goes() {
    beside_a_prune(false);
}

#[test]
fn an_add_takes_marks_off_that_were_set_meanwhile() {
    let storage = grown();
    let builder = open(&storage).unwrap();
    put(&builder, &[5, 6]).unwrap();
    prune(&storage).unwrap();
    storage.pass(6 * DAY);
    commit(&builder, "builder", &[5, 6]).unwrap();
    storage.pass(2 * DAY);
    let report = prune(&storage).unwrap();
    // The pack is mostly unused, so that what is needed of it is put elsewhere, and it is marked again. The other one is
    // not counted as older than the last change of the marks that is known.
    assert_eq!((report.packs_removed, report.packs_marked), (0, 2));
    storage.pass(5 * DAY);
    assert_eq!(prune(&storage).unwrap().packs_removed, 1);
    is_whole(&storage);
    // One that came too late is told, before and after its root is put.
    let late = open(&storage).unwrap();
    put(&late, &[7]).unwrap();
    let mut caught = late.commit_root_of("late", b"", &|| Ok(set(&[7, 99])));
    assert!(caught.is_ok(), "nothing was decided since it began");
    storage.pass(8 * DAY);
    prune(&storage).unwrap();
    caught = late.commit_root_of("later", b"", &|| Ok(set(&[7, 99])));
    assert!(
        matches!(&caught, Err(StoreError::PrunedMeanwhile { chunks: 1, .. })),
        "{caught:?}"
    );
    assert!(late.read_root("later").is_err(), "it was not committed");
}

#[test]
fn packs_of_a_builder_that_was_killed_go_and_those_of_one_at_work_stay() {
    let (storage, store) = create();
    add(&store, "stays", &numbers(0..4)).unwrap();
    // Its packs are put, and no segment lists them yet.
    let builder = open(&storage).unwrap();
    storage.die_after(3);
    assert!(put(&builder, &numbers(20..30)).is_err());
    storage.die_after(u64::MAX / 2);
    let orphans = packs(&storage) - 1;
    let working = open(&storage).unwrap();
    put(&working, &numbers(50..60)).unwrap();
    prune(&storage).unwrap();
    storage.pass(6 * DAY);
    commit(&working, "working", &numbers(50..60)).unwrap();
    storage.pass(2 * DAY);
    let report = prune(&storage).unwrap();
    assert_eq!(report.packs_removed, orphans as u64);
    is_whole(&storage);
}

#[test]
fn one_maintainer_works_and_one_that_was_thought_dead_decides_nothing_more() {
    let storage = stages()[1].crash_image();
    let mut slow = open(&storage).unwrap();
    slow.be_alone().unwrap();
    let needed = live(&slow);
    let refused = prune(&storage).unwrap_err();
    assert!(
        matches!(refused, StoreError::Maintained { .. }),
        "{refused:?}"
    );
    storage.pass(901);
    let mut other = open(&storage).unwrap();
    other.be_alone().unwrap();
    // A release came since that the slow one does not know.
    let builder = open(&storage).unwrap();
    add(&builder, "new", &[0, 1, 60]).unwrap();
    let options = PruneOptions {
        grace: Some(Duration::ZERO),
        ..PruneOptions::default()
    };
    let superseded = slow.prune(set(&needed), &options, &Silent).unwrap_err();
    assert!(
        matches!(superseded, StoreError::Superseded),
        "{superseded:?}"
    );
    drop(slow);
    is_whole(&storage);
    let needed = live(&other);
    assert_eq!(
        other
            .prune(set(&needed), &options, &Silent)
            .unwrap()
            .packs_removed,
        2
    );
    drop(other);
    is_whole(&storage);
    // Who is done leaves at once.
    prune(&storage).unwrap();
}

#[test]
fn segments_are_joined_and_a_damaged_one_is_made_again() {
    let (storage, store) = create();
    for number in 0..30 {
        add(&store, &format!("release-{number}"), &[number]).unwrap();
    }
    drop(store);
    let segments = || storage.list("index").unwrap();
    assert_eq!(segments().len(), 30);
    let broken = segments()[3].name.clone();
    storage.damage(&broken, |bytes| bytes.truncate(70));
    let reader = Store::open_on(
        Arc::new(storage.clone()),
        Path::new("test"),
        OpenMode::Read,
        None,
    )
    .unwrap();
    prune(&storage).unwrap();
    assert_eq!(segments().len(), 1);
    is_whole(&storage);
    let known = (0..30).filter(|number| reader.contains(&id(*number)));
    assert_eq!(known.count(), 29);
    reader.refresh().unwrap();
    assert!((0..30).all(|number| *reader.read(&id(number)).unwrap() == content(number)));
}

#[test]
fn a_reader_that_began_before_finds_what_was_put_elsewhere() {
    let storage = grown();
    let reader = open(&storage).unwrap();
    for days in [0, 8] {
        storage.pass(days * DAY);
        prune(&storage).unwrap();
    }
    for number in live(&reader) {
        assert!(*reader.read(&id(number)).unwrap() == content(number));
    }
}

/// Two that take in sets at once both remember theirs.
#[test]
fn what_two_remember_of_the_newest_sets_is_not_lost() {
    let (storage, first) = create();
    let second = open(&storage).unwrap();
    let add = |store: &Store, byte: u8| {
        store
            .change_newest_sets(100, |known| {
                let mut all = known.unwrap_or_default().to_vec();
                all.push(byte);
                // The other one is faster, once.
                if byte == 1 && all.len() == 1 {
                    second.change_newest_sets(100, |_| Some(vec![2])).unwrap();
                }
                Some(all)
            })
            .unwrap();
    };
    add(&first, 1);
    assert_eq!(first.newest_sets(100).unwrap(), Some(vec![2, 1]));
    add(&second, 3);
    assert_eq!(second.newest_sets(100).unwrap(), Some(vec![2, 1, 3]));
}
