//! The store on a bad day: damaged frames, packs and index files, full disks and power cuts at every step.

use crate::testkit::stores::small_frames;

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use carryall::base::id::{ChunkId, hash};
use carryall::base::monitor::Silent;
use carryall::content::content_kind::ContentKind;
use carryall::content::pack;
use carryall::store::storage::Storage;
use carryall::store::storage::memory::FaultyStorage;
use carryall::store::{
    CheckDepth, ChunkSet, OpenMode, PruneOptions, Store, StoreError, WriteOptions,
};

fn content(number: u32) -> Vec<u8> {
    let len = 20_000 + usize::try_from(number).unwrap() * 100;
    let mut out = Vec::new();
    let mut last = hash(&number.to_le_bytes());
    while out.len() < len {
        out.extend_from_slice(&last);
        last = hash(&last);
    }
    out
}

fn small() -> WriteOptions {
    small_frames(512 << 10)
}

fn create(storage: &FaultyStorage) -> Result<Store, StoreError> {
    Store::create_on(Arc::new(storage.clone()), Path::new("test"), None)
}

fn open(storage: &FaultyStorage, access: OpenMode) -> Store {
    Store::open_on(Arc::new(storage.clone()), Path::new("test"), access, None).unwrap()
}

fn put(store: &Store, numbers: std::ops::Range<u32>) -> Result<Vec<ChunkId>, StoreError> {
    let mut writer = store.writer(&small(), &Silent)?;
    let ids = numbers
        .map(|number| writer.put(&content(number), ContentKind::Other))
        .collect();
    writer.finish()?;
    ids
}

fn packs(storage: &FaultyStorage) -> Vec<String> {
    storage
        .list("packs")
        .unwrap()
        .into_iter()
        .map(|object| object.name)
        .collect()
}

fn live(ids: &[ChunkId]) -> ChunkSet {
    ids.iter().copied().collect()
}

/// A store with one pack of four frames, the second of them damaged.
fn with_damaged_frame() -> (FaultyStorage, Vec<ChunkId>) {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..40).unwrap();
    storage.damage(&packs(&storage)[0], |bytes| {
        let frames = pack::scan(bytes);
        assert!(frames.len() >= 3);
        bytes[usize::try_from(frames[1].offset + frames[1].len).unwrap() - 9] ^= 4;
    });
    (storage, ids)
}

#[test]
fn a_damaged_frame_is_quarantined_and_healed_by_putting_again() {
    let (storage, ids) = with_damaged_frame();
    let store = open(&storage, OpenMode::Write);
    let damaged: Vec<ChunkId> = ids
        .iter()
        .copied()
        .filter(|id| store.read(id).is_err())
        .collect();
    assert!(!damaged.is_empty() && damaged.len() < ids.len());
    assert!(
        damaged.iter().all(|id| !store.contains(id)),
        "never deduplicated against"
    );
    drop(store);

    let store = open(&storage, OpenMode::Write);
    assert!(damaged.iter().all(|id| !store.contains(id)), "remembered");
    assert!(matches!(
        store.read(&damaged[0]),
        Err(StoreError::QuarantinedChunk { .. })
    ));
    let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
    assert_eq!(
        (report.lost_chunks.len(), report.findings.len()),
        (damaged.len(), 2)
    );

    put(&store, 0..40).unwrap();
    assert!(
        ids.iter()
            .zip(0..)
            .all(|(id, number)| *store.read(id).unwrap() == content(number))
    );
    let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
    assert!(report.lost_chunks.is_empty());
    drop(store);

    let mut store = open(&storage, OpenMode::Write);
    store
        .prune(live(&ids), &PruneOptions::default(), &Silent)
        .unwrap();
    let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    assert!(
        storage.bytes("quarantine").is_err(),
        "nothing is left in quarantine"
    );
}

#[test]
fn check_finds_damage_itself_and_releases_what_reads_well_again() {
    let (storage, ids) = with_damaged_frame();
    let good = storage.crash_image();
    let store = open(&storage, OpenMode::Write);
    let report = store
        .check(CheckDepth::Structure, live(&ids), &Silent)
        .unwrap();
    assert!(
        report.lost_chunks.is_empty(),
        "structure alone does not see it"
    );
    let lost = store
        .check(CheckDepth::Data, live(&ids), &Silent)
        .unwrap()
        .lost_chunks;
    assert!(!lost.is_empty());
    drop(store);
    storage.damage(&packs(&storage)[0], |bytes| {
        let frames = pack::scan(bytes);
        let gap = frames
            .windows(2)
            .find(|pair| pair[0].offset + pair[0].len != pair[1].offset)
            .unwrap();
        bytes[usize::try_from(gap[1].offset).unwrap() - 9] ^= 4;
    });
    let store = open(&storage, OpenMode::Write);
    assert!(
        store
            .check(CheckDepth::Data, live(&ids), &Silent)
            .unwrap()
            .lost_chunks
            .is_empty()
    );
    drop(good);
}

#[test]
fn prune_never_drops_a_pack_with_needed_damaged_chunks() {
    let (storage, ids) = with_damaged_frame();
    let mut store = open(&storage, OpenMode::Write);
    store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
    let before = packs(&storage);
    store
        .prune(live(&ids), &PruneOptions::default(), &Silent)
        .unwrap();
    assert_eq!(packs(&storage), before);
}

#[test]
fn the_very_pack_that_was_damaged_is_healed_in_place() {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..12).unwrap();
    let name = packs(&storage).remove(0);
    storage.damage(&name, |bytes| bytes.truncate(300));
    let mut store = open(&storage, OpenMode::Write);
    assert!(!store.findings().is_empty());
    assert!(ids.iter().all(|id| !store.contains(id)));
    put(&store, 0..12).unwrap();
    assert_eq!(packs(&storage), [name]);
    assert!(
        ids.iter()
            .zip(0..)
            .all(|(id, number)| *store.read(id).unwrap() == content(number))
    );
    store
        .prune(live(&ids), &PruneOptions::default(), &Silent)
        .unwrap();
    drop(store);
    let store = open(&storage, OpenMode::Write);
    let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
    assert!(
        report.findings.is_empty() && report.lost_chunks.is_empty(),
        "{report:?}"
    );
}

#[test]
fn a_lost_or_damaged_index_is_made_again() {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..40).unwrap();
    let segment = storage.list("index").unwrap().remove(0).name;
    for at in [3, 100, 4000_usize] {
        let image = storage.crash_image();
        image.damage(&segment, |bytes| {
            let at = at.min(bytes.len() - 1);
            bytes[at] ^= 1;
        });
        let store = open(&image, OpenMode::Write);
        assert_eq!(store.findings().len(), 1);
        assert!(ids.iter().all(|id| store.read(id).is_ok()), "flip at {at}");
        drop(store);
        assert!(
            open(&image, OpenMode::Read).findings().is_empty(),
            "it was made again for good"
        );
    }
    let image = storage.crash_image();
    image.remove(&segment).unwrap();
    let reader = open(&image, OpenMode::Read);
    assert!(ids.iter().all(|id| reader.read(id).is_ok()));
}

#[test]
fn frames_of_a_pack_without_table_are_found_by_scanning() {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..40).unwrap();
    storage.damage(&packs(&storage)[0], |bytes| {
        bytes.truncate(bytes.len() - 40)
    });
    let store = open(&storage, OpenMode::Write);
    assert!(
        ids.iter().all(|id| store.read(id).is_ok()),
        "only the table was cut off"
    );
}

#[test]
fn a_missing_pack_is_told_and_its_chunks_are_put_again() {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..12).unwrap();
    storage.remove(&packs(&storage)[0]).unwrap();
    let store = open(&storage, OpenMode::Write);
    assert_eq!(store.findings().len(), 1);
    assert!(matches!(
        store.read(&ids[0]),
        Err(StoreError::NoSuchChunk { .. })
    ));
    put(&store, 0..12).unwrap();
    assert!(ids.iter().all(|id| store.read(id).is_ok()));
}

/// Runs `work` with storage that dies after every possible number of changes, and looks at what a power cut would leave.
fn at_every_step(
    start: &FaultyStorage,
    work: impl Fn(&FaultyStorage) -> Result<(), StoreError>,
    look: impl Fn(&FaultyStorage, bool),
) {
    for steps in 0.. {
        let storage = start.crash_image();
        storage.die_after(steps);
        let done = work(&storage).is_ok();
        look(&storage.crash_image(), done);
        if done {
            assert!(steps > 3, "the work changed something");
            return;
        }
    }
}

#[test]
fn killed_at_any_step_of_a_write_the_store_opens_and_the_write_succeeds_again() {
    let empty = FaultyStorage::default();
    put(&create(&empty).unwrap(), 0..5).unwrap();
    let work = |storage: &FaultyStorage| {
        let store = open(storage, OpenMode::Write);
        put(&store, 0..40)?;
        store.commit_root("r", b"root")
    };
    at_every_step(&empty, work, |image, done| {
        let store = open(image, OpenMode::Write);
        let report = store
            .check(CheckDepth::Data, ChunkSet::new(), &Silent)
            .unwrap();
        assert!(report.findings.is_empty(), "{:?}", report.findings);
        assert_eq!(
            store.read_root("r").is_ok(),
            done,
            "the root is the commit point"
        );
        let adopted = packs(image).len() > 1;
        let written = store
            .writer(&small(), &Silent)
            .unwrap()
            .put(&content(30), ContentKind::Other)
            .unwrap();
        assert_eq!(
            store.contains(&written),
            adopted,
            "complete packs are not written twice"
        );
        let ids = put(&store, 0..40).unwrap();
        assert!(
            ids.iter()
                .zip(0..)
                .all(|(id, number)| *store.read(id).unwrap() == content(number))
        );
    });
}

#[test]
fn killed_at_any_step_of_a_prune_nothing_that_lives_is_lost() {
    let full = FaultyStorage::default();
    let store = create(&full).unwrap();
    put(&store, 0..40).unwrap();
    put(&store, 40..80).unwrap();
    put(&store, 80..82).unwrap();
    drop(store);
    let wanted = || [3, 39, 41, 81].into_iter();
    let ids: Vec<ChunkId> = wanted()
        .map(|number| ChunkId::of(&content(number)))
        .collect();
    let work = |storage: &FaultyStorage| {
        let mut store = open(storage, OpenMode::Write);
        store
            .prune(live(&ids), &PruneOptions::default(), &Silent)
            .map(drop)
    };
    at_every_step(&full, work, |image, _| {
        let mut store = open(image, OpenMode::Write);
        assert!(store.findings().is_empty(), "{:?}", store.findings());
        for (id, number) in ids.iter().zip(wanted()) {
            assert_eq!(*store.read(id).unwrap(), content(number));
        }
        let report = store
            .prune(live(&ids), &PruneOptions::default(), &Silent)
            .unwrap();
        assert!(report.bytes_after < 200_000, "{report:?}");
        let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
        assert!(
            report.findings.is_empty() && report.lost_chunks.is_empty(),
            "{report:?}"
        );
    });
}

#[test]
fn a_fault_that_passes_is_no_damage() {
    for kind in [
        ErrorKind::PermissionDenied,
        ErrorKind::Other,
        ErrorKind::TimedOut,
        ErrorKind::NotFound,
        ErrorKind::StaleNetworkFileHandle,
    ] {
        let storage = FaultyStorage::default();
        let ids = put(&create(&storage).unwrap(), 0..40).unwrap();
        let mut store = open(&storage, OpenMode::Write);
        storage.fail_reads("packs/", kind);
        for id in &ids {
            assert!(
                matches!(store.read(id), Err(StoreError::Storage(_))),
                "{kind}"
            );
        }
        for depth in [CheckDepth::Structure, CheckDepth::Data] {
            let report = store.check(depth, live(&ids), &Silent).unwrap();
            assert!(report.findings.is_empty() && report.lost_chunks.is_empty());
            assert_eq!(report.faults.len(), 1, "{kind}");
        }
        // A prune that would have to read removes nothing.
        let before = packs(&storage);
        let few = live(&ids[..2]);
        assert!(store.prune(few, &PruneOptions::default(), &Silent).is_err());
        assert_eq!(packs(&storage), before);
        assert!(
            storage.bytes("quarantine").is_err(),
            "nothing is quarantined"
        );
        storage.mend_reads();
        assert!(
            ids.iter()
                .all(|id| store.contains(id) && store.read(id).is_ok())
        );
        let report = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
        assert!(report.findings.is_empty() && report.faults.is_empty());
    }
}

#[test]
fn what_cannot_be_read_while_a_store_is_opened_is_there_the_next_time() {
    let storage = FaultyStorage::default();
    let ids = put(&create(&storage).unwrap(), 0..40).unwrap();
    let segments = || storage.list("index").unwrap();
    let before = segments();
    let segment = before[0].name.clone();
    for prefix in [&segment[..], "packs/", "quarantine", ""] {
        storage.fail_reads(prefix, ErrorKind::Other);
        if prefix.is_empty() {
            let opened = Store::open_on(
                Arc::new(storage.clone()),
                Path::new("test"),
                OpenMode::Write,
                None,
            );
            assert!(matches!(opened, Err(StoreError::Storage(_))));
        } else {
            open(&storage, OpenMode::Write);
            open(&storage, OpenMode::Read);
        }
        storage.mend_reads();
        assert!(
            before.iter().all(|segment| segments().contains(segment)),
            "{prefix}"
        );
        let store = open(&storage, OpenMode::Write);
        assert!(store.findings().is_empty() && store.faults().is_empty());
        assert!(ids.iter().all(|id| store.read(id).is_ok()), "{prefix}");
    }
}

#[test]
fn what_a_second_look_finds_whole_leaves_quarantine() {
    let look = |how: &dyn Fn(&Store, &[ChunkId])| {
        let (storage, ids) = with_damaged_frame();
        let store = open(&storage, OpenMode::Write);
        store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
        assert!(storage.bytes("quarantine").is_ok());
        drop(store);
        // The same bytes come back right, as from a disk that was cold.
        let whole = FaultyStorage::default();
        put(&create(&whole).unwrap(), 0..40).unwrap();
        let name = packs(&storage).remove(0);
        let right = carryall::store::storage::read(&whole, &name, 1 << 30).unwrap();
        storage.damage(&name, |bytes| *bytes = right);
        how(&open(&storage, OpenMode::Read), &ids);
        how(&open(&storage, OpenMode::Write), &ids);
        assert!(
            storage.bytes("quarantine").is_err(),
            "nothing is left in it"
        );
        let store = open(&storage, OpenMode::Write);
        assert!(ids.iter().all(|id| store.contains(id)));
    };
    look(&|store, ids| assert!(ids.iter().all(|id| store.read(id).is_ok())));
    for depth in [CheckDepth::Structure, CheckDepth::Data] {
        look(&|store, ids| {
            let report = store.check(depth, live(ids), &Silent).unwrap();
            assert!(report.findings.is_empty() && report.lost_chunks.is_empty());
        });
    }
}

#[test]
fn a_list_of_damaged_frames_that_is_damaged_itself_is_made_again() {
    let long = vec![0; (64 << 20) + 100];
    for bad in [&b""[..], b"x", &long] {
        let (storage, ids) = with_damaged_frame();
        open(&storage, OpenMode::Write)
            .check(CheckDepth::Data, live(&ids), &Silent)
            .unwrap();
        storage.damage("quarantine", |bytes| *bytes = bad.to_vec());
        let store = open(&storage, OpenMode::Write);
        assert_eq!(store.findings().len(), 1);
        let first = store.check(CheckDepth::Data, live(&ids), &Silent).unwrap();
        drop(store);
        let store = open(&storage, OpenMode::Write);
        assert!(store.findings().is_empty());
        let again = store
            .check(CheckDepth::Structure, live(&ids), &Silent)
            .unwrap();
        assert_eq!(again.lost_chunks, first.lost_chunks);
        assert!(
            !again.findings.is_empty(),
            "known damage is told without reading all"
        );
    }
}

#[test]
fn prune_goes_on_past_a_damaged_frame_that_nobody_has_met_yet() {
    let (storage, ids) = with_damaged_frame();
    let copy = storage.crash_image();
    let reader = open(&copy, OpenMode::Read);
    let (whole, damaged): (Vec<ChunkId>, Vec<ChunkId>) =
        ids.iter().partition(|id| reader.read(id).is_ok());
    let before = packs(&storage);
    let some = [whole[0], damaged[0], damaged[1]];
    let mut store = open(&storage, OpenMode::Write);
    store
        .prune(live(&some), &PruneOptions::default(), &Silent)
        .unwrap();
    assert_eq!(packs(&storage), before, "it may read well again one day");
    assert!(store.read(&whole[0]).is_ok() && store.read(&damaged[0]).is_err());
    // Put again, the damaged copy goes.
    put(&store, 0..40).unwrap();
    store
        .prune(live(&ids), &PruneOptions::default(), &Silent)
        .unwrap();
    assert!(ids.iter().all(|id| store.read(id).is_ok()));
}
