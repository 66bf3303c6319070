//! What is said of files in releases: every chunk of a release under some name, what differs by folder and file, what a bundle weighs.

use crate::testkit::archives::{gzip, tar_at};
use crate::testkit::bytes::text;
use crate::testkit::packed;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use carryall::base::id::ChunkId;
use carryall::base::monitor::{Monitor, Silent};
use carryall::bundle::{Effort, Recipient};
use carryall::content::contents::{Contents, FileKind, FoundFile};
use carryall::content::recipe::RecipeError;
use carryall::content::recipe::walk::Walker;
use carryall::content::release::{ReleaseRoot, walk};
use carryall::ops::add::{AddOptions, add};
use carryall::ops::pack::contributors::ContributorKind;
use carryall::ops::pack::diff::{DiffChange, diff};
use carryall::ops::pack::estimate::estimate;
use carryall::ops::{self, ErrorKind};
use carryall::store::Store;
use packed::noise;
use tempfile::TempDir;

/// An image of two layers: a base that stays, and an application.
fn image(version: u64) -> Vec<u8> {
    let base = tar_at(&[("usr/lib/libbase.so", noise(1, 300_000))], 7);
    let mut app = vec![("srv/app.bin".to_owned(), noise(2 + version, 400_000))];
    for package in 0..60 {
        let name = format!("opt/app/node_modules/p{package}/index.js");
        app.push((name, text(100 * version + package, 3000)));
    }
    app.push(("etc/same.conf".to_owned(), text(9, 2000)));
    let app: Vec<(&str, Vec<u8>)> = app.iter().map(|(n, b)| (&n[..], b.clone())).collect();
    let layers = [
        ("blobs/sha256/base", gzip(&base)),
        ("blobs/sha256/app", gzip(&tar_at(&app, version))),
    ];
    let manifest = r#"[{"Config":"c.json","RepoTags":["shop/web:1"],"Layers":["blobs/sha256/base","blobs/sha256/app"]}]"#;
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":["sha256:{:064}","sha256:{:064}"]}}}}"#,
        1, 2
    );
    let [base, app] = layers;
    let config = ("c.json", config.into());
    tar_at(&[base, app, config, ("manifest.json", manifest.into())], 1)
}

fn given(folder: &Path, version: u64) {
    fs::create_dir_all(folder.join("docs/deep")).unwrap();
    fs::write(folder.join("image.tar"), image(version)).unwrap();
    fs::write(folder.join("docs/deep/long.bin"), noise(33, 500_000)).unwrap();
    fs::write(folder.join("docs/note.txt"), format!("version {version}")).unwrap();
    fs::write(folder.join("docs/empty"), "").unwrap();
}

struct Vendor {
    _folder: TempDir,
    store: Store,
    roots: Vec<ReleaseRoot>,
}

fn vendor() -> Vendor {
    let folder = TempDir::new().unwrap();
    let store = Store::create(&folder.path().join("store")).unwrap();
    let mut roots = Vec::new();
    for version in [1, 2] {
        let given_at = folder.path().join(format!("given{version}"));
        given(&given_at, version);
        let name = format!("shop:{version}.0").parse().unwrap();
        let paths = [given_at.join("image.tar"), given_at.join("docs")];
        let mut options = AddOptions::default();
        // However busy the machine is.
        options.open.seconds_per_gb = None;
        add(&store, &name, &paths, &options, &Silent).unwrap();
        roots.push(ops::release(&store, &name).unwrap());
    }
    Vendor {
        _folder: folder,
        store,
        roots,
    }
}

#[test]
fn every_chunk_of_a_release_belongs_to_something_that_has_a_name() {
    let vendor = vendor();
    for root in &vendor.roots {
        let mut told: BTreeMap<ChunkId, u32> = BTreeMap::new();
        let mut paths = BTreeSet::new();
        let mut kinds = BTreeSet::new();
        Contents::new(&vendor.store)
            .release(root, &mut |found: &FoundFile<'_>| {
                assert!(!found.path.is_empty());
                told.extend(found.chunks.iter().map(|chunk| (chunk.id, chunk.bytes)));
                kinds.insert(found.kind);
                if found.kind == FileKind::File {
                    paths.insert((found.within.len(), found.path.to_vec()));
                }
                Ok(())
            })
            .unwrap();
        let mut needed = BTreeSet::new();
        let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
            needed.insert(*id);
            Ok(())
        };
        walk::release(&mut Walker::new(&vendor.store), root, &mut note).unwrap();
        assert!(told.keys().eq(needed.iter()));
        for (id, bytes) in told {
            assert_eq!(vendor.store.read(&id).unwrap().len(), bytes as usize);
        }
        for (depth, path) in [
            (1, "deep/long.bin".to_owned()),
            (1, "note.txt".to_owned()),
            (1, "manifest.json".to_owned()),
            (2, "srv/app.bin".to_owned()),
            (2, "opt/app/node_modules/p7/index.js".to_owned()),
        ] {
            assert!(
                paths.contains(&(depth, path.clone().into_bytes())),
                "{path}"
            );
        }
        assert_eq!(paths.len(), 2 + 2 + 63);
        assert!(kinds.contains(&FileKind::Headers) && kinds.contains(&FileKind::Entries));
        assert!(kinds.contains(&FileKind::Recipe) && kinds.contains(&FileKind::Manifest));
    }
}

#[test]
fn a_diff_says_where_most_of_what_is_new_lies() {
    let vendor = vendor();
    let [old, new] = &vendor.roots[..] else {
        unreachable!("there are two");
    };
    let report = diff(&vendor.store, old, new, &Silent).unwrap();
    let changes: Vec<_> = report
        .items
        .iter()
        .map(|item| (&item.name[..], item.change))
        .collect();
    assert_eq!(
        changes,
        [
            ("docs", DiffChange::Changed),
            ("image.tar", DiffChange::Changed)
        ]
    );
    assert!(report.new_bytes > 580_000 && report.new_bytes < 700_000);
    assert!(report.carried_bytes > 400_000 && report.carried_bytes < report.new_bytes);
    let items: u64 = report.items.iter().map(|item| item.new_bytes).sum();
    assert!(items <= report.new_bytes && report.new_bytes - items < 50_000);
    let [app, packages, ..] = &report.contributors[..] else {
        panic!("{:#?}", report.contributors);
    };
    assert_eq!(
        (app.kind, &app.path[..]),
        (ContributorKind::File, "srv/app.bin")
    );
    assert_eq!(
        (app.files, app.changed_files, app.new_bytes),
        (1, 1, 400_000)
    );
    assert_eq!(packages.kind, ContributorKind::Folder);
    assert_eq!(packages.path, "opt/app/node_modules");
    assert_eq!((packages.files, packages.new_bytes), (60, 180_000));
    assert_eq!(packages.archives, ["blobs/sha256/app"]);
    let layer = packages.layer.as_ref().unwrap();
    assert_eq!(
        (&layer.image[..], layer.layer, layer.layers),
        ("shop/web:1", 2, 2)
    );
    assert!(packages.carried_bytes < 90_000, "{packages:?}");

    let same = diff(&vendor.store, old, old, &Silent).unwrap();
    assert_eq!(
        (same.new_bytes, same.carried_bytes, same.contributors.len()),
        (0, 0, 0)
    );
}

#[test]
fn an_estimate_adds_up_however_it_is_told() {
    let vendor = vendor();
    let [old, new] = &vendor.roots[..] else {
        unreachable!("there are two");
    };
    let both = [old.clone(), new.clone()];
    let full = estimate(&vendor.store, &both, &[], Effort::Default, &Silent).unwrap();
    assert_eq!(full.items.len(), 4);
    let by_class: u64 = full.classes.iter().map(|each| each.carried_bytes).sum();
    assert_eq!(by_class, full.carried_bytes);
    let by_item: u64 = full.items.iter().map(|item| item.new_bytes).sum();
    assert!(full.new_bytes - by_item < 50_000, "{full:#?}");
    assert_eq!(full.images[0].image, "shop/web:1");
    // The noise alone cannot be packed.
    let noise_bytes = 300_000 + 2 * 400_000 + 500_000;
    assert!(full.carried_bytes > noise_bytes && full.carried_bytes < noise_bytes + 300_000);

    let newer = std::slice::from_ref(new);
    let mut site = Recipient::default();
    site.label = "site".to_owned();
    site.releases = vec![old.clone()];
    let delta = estimate(&vendor.store, newer, &[site], Effort::Default, &Silent).unwrap();
    let report = diff(&vendor.store, old, new, &Silent).unwrap();
    assert_eq!(
        (delta.new_chunks, delta.new_bytes, delta.carried_bytes),
        (report.new_chunks, report.new_bytes, report.carried_bytes)
    );
    assert_eq!(
        (delta.receivers.len(), delta.contributors),
        (1, report.contributors)
    );
}

#[test]
fn a_stop_is_heard() {
    struct Stop;
    impl Monitor for Stop {
        fn stop_asked(&self) -> bool {
            true
        }
    }
    let vendor = vendor();
    let stopped = diff(&vendor.store, &vendor.roots[0], &vendor.roots[1], &Stop);
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Interrupted);
}
