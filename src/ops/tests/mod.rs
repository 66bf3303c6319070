//! Tests of `add` and `checkout` together. Every input is restored exactly, and nothing is written elsewhere.
#![allow(clippy::unwrap_used)]

mod hostile;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use self::hostile::commit;
use self::tree::{look, make_tree, set_time};
use super::add::{AddError, AddOptions, AddReport, Change, add};
use super::checkout::{CheckoutError, CheckoutOptions, CheckoutReport, ItemState, checkout};
use super::memory::MemoryStore;
use super::{Error, Releases, ReleasesMut};
use crate::base::id::ChunkId;
use crate::base::monitor::{Recording, Silent};
use crate::content::content_kind::ContentKind;
use crate::content::recipe::stream::StreamWriter;
use crate::content::recipe::{ChunkRef, ChunkSink, Content};
use crate::content::release::{
    EntryKind, Item, ItemKind, Meta, ReleaseName, ReleaseRoot, TreeEntry,
};
use crate::files::privileges::Privileges;

fn name(text: &str) -> ReleaseName {
    text.parse().unwrap()
}

fn add_all(store: &MemoryStore, release: &str, paths: &[&Path]) -> AddReport {
    let paths: Vec<PathBuf> = paths.iter().map(|path| path.to_path_buf()).collect();
    add(
        store,
        &name(release),
        &paths,
        &AddOptions::default(),
        &Silent,
    )
    .unwrap()
}

fn check_out(store: &MemoryStore, release: &str, dest: &Path) -> CheckoutReport {
    checkout(
        store,
        &name(release),
        dest,
        &CheckoutOptions {
            privileges: Privileges::Restored,
            ..CheckoutOptions::default()
        },
        &Silent,
    )
    .unwrap()
}

fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed;
    let mut out = Vec::with_capacity(len + 8);
    while out.len() < len {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        out.extend_from_slice(&(state ^ (state >> 29)).to_le_bytes());
    }
    out.truncate(len);
    out
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn folders_and_files_come_back_with_all_that_belongs_to_them() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    make_tree(&tree);
    let socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).unwrap();
    set_time(&tree, 1_333_333_333, 3);
    let file = dir.path().join("setup.bin");
    fs::write(&file, noise(2, 300_000)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o751)).unwrap();
    set_time(&file, 5, 6);
    let link = dir.path().join("linked");
    symlink(&file, &link).unwrap();

    let store = MemoryStore::default();
    let report = add_all(&store, "shop:1.0", &[&tree, &file, &link]);
    assert_eq!(report.items.len(), 3);
    assert_eq!(
        report.findings.len(),
        1,
        "the socket: {:?}",
        report.findings
    );
    let dest = dir.path().join("dest");
    let given = check_out(&store, "shop:1.0", &dest);
    assert!(given.is_whole(), "{given:?}");
    assert_eq!(given.bytes, report.bytes);
    drop(socket);
    fs::remove_file(tree.join("socket")).unwrap();
    set_time(&tree, 1_333_333_333, 3);
    assert_eq!(look(&dest.join("tree")), look(&tree));
    assert_eq!(look(&dest.join("setup.bin")), look(&file));
    assert_eq!(look(&dest.join("linked")), look(&file));
    assert_eq!(fs::read_dir(&dest).unwrap().count(), 3);
}

#[test]
fn the_same_input_makes_the_same_release() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    make_tree(&tree);
    let ids: Vec<_> = (0..2)
        .map(|_| add_all(&MemoryStore::default(), "shop:1.0", &[&tree]).id)
        .collect();
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_release_is_extended_and_known_blobs_are_not_opened_again() {
    let dir = TempDir::new().unwrap();
    let [one, two] = ["one.bin", "two.bin"].map(|name| dir.path().join(name));
    fs::write(&one, noise(3, 400_000)).unwrap();
    fs::write(&two, noise(4, 500_000)).unwrap();
    let store = MemoryStore::default();
    add_all(&store, "shop:1.0", &[&one]);
    let report = add_all(&store, "shop:1.0", &[&two]);
    let changes: Vec<Change> = report.items.iter().map(|item| item.change).collect();
    assert_eq!(changes, [Change::Kept, Change::Added]);
    fs::write(&one, noise(5, 450_000)).unwrap();
    let report = add_all(&store, "shop:1.0", &[&one, &two]);
    let changes: Vec<Change> = report.items.iter().map(|item| item.change).collect();
    assert_eq!(changes, [Change::Replaced; 2]);
    assert_eq!((report.bytes, report.known_bytes), (950_000, 500_000));
    let report = add_all(&store, "shop:2.0@arm64", &[&one, &two]);
    assert_eq!(report.known_bytes, 950_000);
    let dest = dir.path().join("dest");
    assert!(check_out(&store, "shop:2.0@arm64", &dest).is_whole());
    assert_eq!(fs::read(dest.join("one.bin")).unwrap(), noise(5, 450_000));
}

#[test]
fn what_cannot_be_rebuilt_is_stored_as_it_came() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("image.tar");
    let mut builder = tar::Builder::new(fs::File::create(&file).unwrap());
    for number in 0..4 {
        let mut header = tar::Header::new_ustar();
        header.set_size(50_000);
        builder
            .append_data(&mut header, format!("{number}"), &noise(number, 50_000)[..])
            .unwrap();
    }
    builder.into_inner().unwrap();
    let scratch = MemoryStore::default();
    add_all(&scratch, "a:1", &[&file]);
    let items = scratch
        .root(&name("a:1"))
        .unwrap()
        .unwrap()
        .read_items(&scratch)
        .unwrap();
    let ItemKind::File {
        content: Content::Blob(blob),
    } = &items[0].kind
    else {
        panic!("{items:?}");
    };
    let store = MemoryStore {
        broken: [blob.recipe.side.id].into(),
        ..MemoryStore::default()
    };
    let report = add_all(&store, "a:1", &[&file]);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    let dest = dir.path().join("dest");
    assert!(check_out(&store, "a:1", &dest).is_whole());
    assert!(fs::read(dest.join("image.tar")).unwrap() == fs::read(&file).unwrap());
    // The next release does not reuse the recipe that failed.
    add_all(&store, "a:2", &[&file]);
    assert!(check_out(&store, "a:2", &dir.path().join("dest2")).is_whole());
}

#[test]
fn a_stream_that_does_not_come_back_is_kept_and_the_others_are_opened() {
    use crate::files::unpacker::KeptReason;
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("image.tar");
    let mut builder = tar::Builder::new(fs::File::create(&file).unwrap());
    let streams = [1_u8, 2].map(|seed| {
        let plain = noise(seed.into(), 40_000).repeat(3);
        // Each file gets another level, because recipes of similar streams are the same chunk.
        let level = flate2::Compression::new(5 * u32::from(seed) - 1);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
        std::io::Write::write_all(&mut encoder, &plain).unwrap();
        encoder.finish().unwrap()
    });
    for (number, stream) in streams.iter().enumerate() {
        let mut header = tar::Header::new_ustar();
        header.set_size(stream.len() as u64);
        builder
            .append_data(&mut header, format!("{number}.gz"), &stream[..])
            .unwrap();
    }
    builder.into_inner().unwrap();
    let scratch = MemoryStore::default();
    let report = add_all(&scratch, "a:1", &[&file]);
    assert_eq!(report.streams.opened.streams, 2, "{report:?}");
    let mut known = crate::content::release::BlobTable::default();
    let root = scratch.root(&name("a:1")).unwrap().unwrap();
    known.read(&scratch, &root.blobs, 100).unwrap();
    let id = crate::base::id::BlobId(crate::base::id::hash(&streams[0]));
    let first = known.get(streams[0].len() as u64, id).unwrap();
    let store = MemoryStore {
        broken: [first.recipe.side.id].into(),
        ..MemoryStore::default()
    };
    let report = add_all(&store, "a:1", &[&file]);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.streams.kept[&KeptReason::Changed].streams, 1);
    let dest = dir.path().join("dest");
    assert!(check_out(&store, "a:1", &dest).is_whole());
    assert_eq!(
        fs::read(dest.join("image.tar")).unwrap(),
        fs::read(&file).unwrap()
    );
    let mut known = crate::content::release::BlobTable::default();
    let root = store.root(&name("a:1")).unwrap().unwrap();
    known.read(&store, &root.blobs, 100).unwrap();
    let recipe = known.get(streams[0].len() as u64, id).unwrap().recipe;
    let first = crate::content::recipe::rebuild::first_op(&store, &recipe).unwrap();
    assert!(matches!(
        first,
        Some(crate::content::recipe::RecipeOp::Kept { reason: 6 })
    ));
    let second = crate::base::id::BlobId(crate::base::id::hash(&streams[1]));
    let recipe = known.get(streams[1].len() as u64, second).unwrap().recipe;
    let first = crate::content::recipe::rebuild::first_op(&store, &recipe).unwrap();
    assert!(matches!(
        first,
        Some(crate::content::recipe::RecipeOp::Stream { .. })
    ));
}

#[test]
fn what_cannot_be_added_is_named() {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("x")).unwrap();
    let [one, two] = ["same", "x/same"].map(|name| dir.path().join(name));
    fs::write(&one, b"1").unwrap();
    fs::write(&two, b"2").unwrap();
    let store = MemoryStore::default();
    let try_add = |paths: &[PathBuf]| {
        add(&store, &name("a:1"), paths, &AddOptions::default(), &Silent).unwrap_err()
    };
    assert!(matches!(
        try_add(&[one.clone(), two]),
        Error::Add(AddError::SameName { .. })
    ));
    assert!(matches!(try_add(&[]), Error::Add(AddError::Nothing)));
    assert!(matches!(
        try_add(&[PathBuf::from("/dev/null")]),
        Error::Add(AddError::Unfit { .. })
    ));
    let absent = dir.path().join("absent");
    assert!(try_add(&[absent]).to_string().contains("absent"));
    let stopped = Recording::default();
    stopped
        .stop
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let large = dir.path().join("large");
    fs::write(&large, noise(1, 9 << 20)).unwrap();
    let end = add(
        &store,
        &name("a:1"),
        &[large],
        &AddOptions::default(),
        &stopped,
    )
    .unwrap_err();
    assert_eq!(end.to_string(), "interrupted");
    assert!(store.roots().unwrap().is_empty());
}

#[test]
fn a_destination_must_be_absent_or_empty_and_have_room() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"bytes").unwrap();
    let store = MemoryStore::default();
    add_all(&store, "a:1", &[&file]);
    let go = |dest: &Path, items: &[&str]| {
        let items = items.iter().map(ToString::to_string).collect();
        checkout(
            &store,
            &name("a:1"),
            dest,
            &CheckoutOptions {
                items,
                ..CheckoutOptions::default()
            },
            &Silent,
        )
    };
    assert!(matches!(
        go(dir.path(), &[]),
        Err(Error::Checkout(CheckoutError::NotEmpty(_)))
    ));
    assert!(matches!(
        go(&dir.path().join("no/such"), &[]),
        Err(Error::Checkout(CheckoutError::Layout(_)))
    ));
    assert!(matches!(
        go(&file, &[]),
        Err(Error::Checkout(CheckoutError::Output(_)))
    ));
    let dest = dir.path().join("dest");
    assert!(matches!(
        go(&dest, &["other"]),
        Err(Error::Checkout(CheckoutError::NoSuchItem { .. }))
    ));
    assert!(!dest.exists());
    assert!(go(&dest, &["file"]).unwrap().is_whole());
    let other = checkout(
        &store,
        &name("a:2"),
        &dest,
        &CheckoutOptions::default(),
        &Silent,
    );
    assert!(matches!(
        other,
        Err(Error::Checkout(CheckoutError::NoSuchRelease(_)))
    ));
    let giant = Item {
        name: b"giant".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::Folder {
            entries: crate::content::recipe::StreamRef::EMPTY,
            entry_count: 0,
            bytes: u64::MAX,
        },
    };
    commit(&store, "a:3", &[giant]);
    let room = dir.path().join("room");
    let full = checkout(
        &store,
        &name("a:3"),
        &room,
        &CheckoutOptions::default(),
        &Silent,
    );
    assert!(
        matches!(full, Err(Error::Checkout(CheckoutError::NoSpace { .. }))),
        "{full:?}"
    );
}

#[test]
fn damage_costs_what_it_hits_and_nothing_else() {
    let dir = TempDir::new().unwrap();
    let tree = dir.path().join("tree");
    make_tree(&tree);
    let [hit, whole] = ["hit.bin", "whole.bin"].map(|name| dir.path().join(name));
    fs::write(&hit, noise(8, 400_000)).unwrap();
    fs::write(&whole, noise(9, 400_000)).unwrap();
    let store = MemoryStore::default();
    add_all(&store, "shop:1.0", &[&tree, &hit, &whole]);
    let lost = [&noise(8, 400_000)[..], &b"odd name"[..]].map(|bytes| {
        ChunkId::of(&bytes[..crate::content::chunk::Cutter::cut(bytes).min(bytes.len())])
    });
    store
        .chunks
        .with(|map| lost.iter().for_each(|id| assert!(map.remove(id).is_some())));
    let dest = dir.path().join("dest");
    let report = check_out(&store, "shop:1.0", &dest);
    let states: Vec<ItemState> = report.items.iter().map(|item| item.state).collect();
    assert_eq!(
        states,
        [ItemState::Lost, ItemState::Damaged, ItemState::Whole]
    );
    assert_eq!(report.findings.len(), 2, "{:?}", report.findings);
    assert_eq!(fs::read_dir(&dest).unwrap().count(), 2);
    let mut expected = look(&tree);
    expected.retain(|path, _| !path.starts_with(b"not "));
    let strip = |seen: BTreeMap<Vec<u8>, String>| -> Vec<Vec<u8>> { seen.into_keys().collect() };
    assert_eq!(strip(look(&dest.join("tree"))), strip(expected));
}
