//! The store on a good day: what is put is read back, found again after reopening, stored once, and locked.

use crate::testkit::bytes::{noise, text};
use crate::testkit::stores::small_frames;

use carryall::base::id::ChunkId;
use carryall::base::monitor::{Recording, Silent};
use carryall::content::content_kind::ContentKind;
use carryall::store::{
    CheckDepth, ChunkSet, OpenMode, PruneOptions, Store, StoreError, WriteOptions,
};

/// Windows and frames small enough that a test has many of them.
fn small() -> WriteOptions {
    small_frames(1 << 20)
}

fn contents() -> Vec<(Vec<u8>, ContentKind)> {
    let mut all: Vec<(Vec<u8>, ContentKind)> = (1..400)
        .map(|n: usize| (text(n as u64, 100 * n), ContentKind::Text))
        .collect();
    all.extend((0..60).map(|n: usize| (noise(n as u64, 5000 + 4000 * n), ContentKind::Packed)));
    all.extend((0..50).map(|n| (noise(1000 + n, 1), ContentKind::Other)));
    all.push((noise(7, 256 * 1024), ContentKind::ElfX86_64));
    all
}

fn put_all(store: &Store) -> Vec<(ChunkId, Vec<u8>)> {
    let mut writer = store.writer(&small(), &Silent).unwrap();
    let put = contents()
        .into_iter()
        .map(|(plain, class)| (writer.put(&plain, class).unwrap(), plain))
        .collect();
    let report = writer.finish().unwrap();
    assert!(report.new_chunks <= report.chunks);
    put
}

#[test]
fn what_is_put_is_read_back_and_stored_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("store")).unwrap();
    let put = put_all(&store);
    let again = {
        let mut writer = store.writer(&small(), &Silent).unwrap();
        put.iter().for_each(|(id, plain)| {
            assert_eq!(writer.put(plain, ContentKind::Other).unwrap(), *id)
        });
        writer.finish().unwrap()
    };
    assert_eq!((again.new_chunks, again.stored_bytes), (0, 0));
    let id = store.id();
    drop(store);

    let store = Store::open(&dir.path().join("store"), OpenMode::Read).unwrap();
    assert_eq!(store.id(), id);
    let ids: Vec<ChunkId> = put.iter().map(|(id, _)| *id).collect();
    store.prefetch(&ids);
    for (id, plain) in &put {
        assert!(store.contains(id));
        assert_eq!(&*store.read(id).unwrap(), plain.as_slice());
    }
    let absent = ChunkId::of(b"absent");
    assert!(!store.contains(&absent));
    assert!(matches!(store.read(&absent), Err(StoreError::NoSuchChunk { id }) if id == absent));

    let needs = store
        .frames_of(&mut ids.iter().chain(&ids).copied())
        .unwrap();
    let mut found = 0;
    for need in &needs {
        let frame = store.load_frame(need).unwrap();
        assert_eq!(frame.class, need.class);
        let in_frame: Vec<ChunkId> = frame.chunks.iter().map(|(id, _)| *id).collect();
        assert_eq!(
            in_frame, need.chunks,
            "all are needed, in the order of the frame"
        );
        found += need.chunks.len();
    }
    let distinct: std::collections::HashSet<&ChunkId> = ids.iter().collect();
    assert_eq!(found, distinct.len());
    let report = store
        .check(CheckDepth::Data, ids.iter().copied().collect(), &Silent)
        .unwrap();
    assert_eq!((report.findings.len(), report.lost_chunks.len()), (0, 0));
}

#[test]
fn the_same_chunks_give_the_same_packs() {
    let names = |dir: &std::path::Path| -> Vec<std::path::PathBuf> {
        let walk = walkdir::WalkDir::new(dir.join("packs"))
            .sort_by_file_name()
            .into_iter();
        walk.map(|entry| entry.unwrap().path().strip_prefix(dir).unwrap().to_owned())
            .collect()
    };
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    dirs.iter()
        .for_each(|dir| drop(put_all(&Store::create(dir.path()).unwrap())));
    assert_eq!(names(dirs[0].path()), names(dirs[1].path()));
}

#[test]
fn locks_let_readers_share_and_writers_be_alone() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Store::open(dir.path(), OpenMode::Read),
        Err(StoreError::NotAStore { .. })
    ));
    let store = Store::create(dir.path()).unwrap();
    assert!(matches!(
        Store::open(dir.path(), OpenMode::Read),
        Err(StoreError::Locked { .. })
    ));
    drop(store);
    assert!(matches!(
        Store::create(dir.path()),
        Err(StoreError::AlreadyAStore { .. })
    ));
    let readers = [0, 1].map(|_| Store::open(dir.path(), OpenMode::Read).unwrap());
    assert!(matches!(
        Store::open(dir.path(), OpenMode::Write),
        Err(StoreError::Locked { .. })
    ));
    assert!(matches!(
        readers[0].writer(&small(), &Silent),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        readers[0].commit_root("a", b""),
        Err(StoreError::ReadOnly { .. })
    ));
    drop(readers);
    let store = Store::open(dir.path(), OpenMode::Write).unwrap();
    let _first = store.writer(&small(), &Silent).unwrap();
    assert!(matches!(
        store.writer(&small(), &Silent),
        Err(StoreError::WriterBusy { .. })
    ));
}

#[test]
fn roots_are_committed_listed_replaced_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path()).unwrap();
    store.commit_root("shop@1.0", b"one").unwrap();
    store.commit_root("app@2", b"two").unwrap();
    store.commit_root("shop@1.0", b"three").unwrap();
    let stems: Vec<String> = store
        .roots()
        .unwrap()
        .into_iter()
        .map(|root| root.stem)
        .collect();
    assert_eq!(stems, ["app@2", "shop@1.0"]);
    assert_eq!(store.read_root("shop@1.0").unwrap(), b"three");
    std::fs::write(dir.path().join("releases/app@2.release"), b"rotten").unwrap();
    assert!(store.roots().unwrap()[0].body.is_err());
    store.remove_root("shop@1.0").unwrap();
    assert!(matches!(
        store.remove_root("shop@1.0"),
        Err(StoreError::NoSuchRoot { .. })
    ));
    for bad in ["", "../x", "a/b", ".hidden", "a b", "ä", &"x".repeat(300)] {
        assert!(
            matches!(
                store.commit_root(bad, b""),
                Err(StoreError::BadRootName { .. })
            ),
            "{bad}"
        );
    }
}

#[test]
fn many_small_commits_leave_few_segments() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path()).unwrap();
    let mut ids = Vec::new();
    for number in 0..30 {
        let mut writer = store.writer(&small(), &Silent).unwrap();
        ids.push(writer.put(&text(number, 3000), ContentKind::Text).unwrap());
        writer.finish().unwrap();
    }
    assert!(std::fs::read_dir(dir.path().join("index")).unwrap().count() <= 9);
    assert!(ids.iter().all(|id| store.read(id).is_ok()));
}

#[test]
fn prune_keeps_what_lives_and_gives_back_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = Store::create(dir.path()).unwrap();
    let put = put_all(&store);
    let live: Vec<&(ChunkId, Vec<u8>)> = put.iter().step_by(10).collect();
    let set: ChunkSet = live.iter().map(|(id, _)| *id).collect();
    let report = store
        .prune(set.clone(), &PruneOptions::default(), &Silent)
        .unwrap();
    assert_eq!(report.packs_rewritten, 1);
    assert!(report.bytes_after < report.bytes_before / 3, "{report:?}");
    let again = store
        .prune(set.clone(), &PruneOptions::default(), &Silent)
        .unwrap();
    assert_eq!(again.packs_removed, 0);
    drop(store);
    let mut store = Store::open(dir.path(), OpenMode::Write).unwrap();
    live.iter()
        .for_each(|(id, plain)| assert_eq!(&*store.read(id).unwrap(), plain.as_slice()));
    let report = store.check(CheckDepth::Data, set, &Silent).unwrap();
    assert_eq!((report.findings.len(), report.lost_chunks.len()), (0, 0));
    let nothing = store
        .prune(ChunkSet::new(), &PruneOptions::default(), &Silent)
        .unwrap();
    assert_eq!(nothing.bytes_after, 0);
}

#[test]
fn a_stop_is_heard_and_a_dropped_writer_leaves_nothing_visible() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(dir.path()).unwrap();
    let monitor = Recording::default();
    let mut writer = store.writer(&small(), &monitor).unwrap();
    writer.put(&text(1, 50_000), ContentKind::Text).unwrap();
    monitor
        .stop
        .store(true, std::sync::atomic::Ordering::Relaxed);
    assert!(matches!(writer.finish(), Err(StoreError::Interrupted(_))));
    assert!(!store.contains(&ChunkId::of(&text(1, 50_000))));
    let mut writer = store.writer(&small(), &Silent).unwrap();
    for (plain, class) in contents().iter().take(300) {
        writer.put(plain, *class).unwrap();
    }
    drop(writer);
    assert!(
        std::fs::read_dir(dir.path().join("tmp"))
            .unwrap()
            .next()
            .is_none()
    );
    assert!(matches!(
        store
            .writer(&small(), &Silent)
            .unwrap()
            .put(&[], ContentKind::Text),
        Err(StoreError::ChunkLength { .. })
    ));
}
