//! `add` and `checkout` over a store on disk.

use crate::testkit::bytes::noise;

use std::fs;
use std::path::Path;

use carryall::base::monitor::{Recording, Silent};
use carryall::content::recipe::walk::Walker;
use carryall::content::recipe::{ChunkSource, RecipeError};
use carryall::content::release::{ReleaseName, walk};
use carryall::ops::Releases;
use carryall::ops::add::{AddOptions, AddReport, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::store::{OpenMode, Store};

/// A tar of 40 files from 1 byte to some MB, in a folder beside a plain file.
fn make_input(root: &Path, seed: u64) {
    fs::create_dir(root).unwrap();
    let mut builder = tar::Builder::new(fs::File::create(root.join("layer.tar")).unwrap());
    for number in 0..40_u64 {
        let len = 3_usize.pow(u32::try_from(number % 14).unwrap());
        let body = noise(if number < 30 { number } else { number * seed }, len);
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        builder
            .append_data(&mut header, format!("usr/lib/{number}"), &body[..])
            .unwrap();
    }
    builder.into_inner().unwrap();
    fs::write(root.join("manifest.json"), format!("{{{seed}}}")).unwrap();
}

fn add_to(store: &Store, release: &ReleaseName, path: &Path) -> AddReport {
    add(
        store,
        release,
        &[path.to_owned()],
        &AddOptions::default(),
        &Silent,
    )
    .unwrap()
}

#[test]
fn releases_outlive_the_process_and_share_what_is_the_same() {
    let dir = tempfile::TempDir::new().unwrap();
    let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
    make_input(&one, 1000);
    make_input(&two, 2000);
    let [first, second]: [ReleaseName; 2] =
        ["shop:1.0", "shop:1.1@arm64"].map(|name| name.parse().unwrap());
    let at = dir.path().join("store");
    let store = Store::create(&at).unwrap();
    let new = add_to(&store, &first, &one).new_bytes;
    let more = add_to(&store, &second, &two).new_bytes;
    assert!(more < new, "{more} of {new}");
    let again = add_to(&store, &second, &two);
    assert_eq!((again.new_bytes, again.known_bytes > 0), (0, true));
    drop(store);

    let store = Store::open(&at, OpenMode::Read).unwrap();
    assert_eq!(store.roots().unwrap().len(), 2);
    for (release, input) in [(&first, &one), (&second, &two)] {
        let root = Releases::root(&store, release).unwrap().unwrap();
        let mut chunks = 0;
        walk::release(&mut Walker::new(&store), &root, &mut |id: &_| {
            chunks += 1;
            if ChunkSource::contains(&store, id) {
                Ok(())
            } else {
                Err(RecipeError::Missing(*id))
            }
        })
        .unwrap();
        assert!(chunks > 40, "{chunks}");
        let dest = dir.path().join(release.version());
        let options = CheckoutOptions::default();
        let report = checkout(&store, release, &dest, &options, &Silent).unwrap();
        assert!(report.is_whole(), "{report:?}");
        let item = dest.join(input.file_name().unwrap());
        for file in ["layer.tar", "manifest.json"] {
            assert!(fs::read(item.join(file)).unwrap() == fs::read(input.join(file)).unwrap());
        }
    }
}

#[test]
fn an_interrupted_add_leaves_the_store_as_it_was() {
    let dir = tempfile::TempDir::new().unwrap();
    let input = dir.path().join("one");
    make_input(&input, 1000);
    let store = Store::create(&dir.path().join("store")).unwrap();
    let monitor = Recording::default();
    monitor
        .stop
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let release: ReleaseName = "shop:1.0".parse().unwrap();
    let end = add(
        &store,
        &release,
        std::slice::from_ref(&input),
        &AddOptions::default(),
        &monitor,
    )
    .unwrap_err();
    assert_eq!(end.to_string(), "interrupted");
    assert!(store.roots().unwrap().is_empty());
    assert_eq!(add_to(&store, &release, &input).items.len(), 1);
}
