//! Minified JavaScript that was built again: the old names are replaced by the new ones, so that next to nothing of it is
//! carried.

use crate::testkit::minified::Minified;
use crate::testkit::packed;

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::bundle::{Catalog, Effort, Recipient};
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::checkout::{CheckoutOptions, checkout};
use carryall::ops::pack::pack;
use carryall::volumes::discover;
use packed::{Site, files_below};
use tempfile::TempDir;

/// Two builds of a bundle of more than one chunk, the second with one function more and other names.
fn builds() -> [Vec<u8>; 2] {
    let build = |moved, added_before| Minified {
        functions: 1200,
        moved,
        added_before,
    };
    [build(0, None).text(), build(5, Some(300)).text()]
}

fn write(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("tree/static/app.min.js");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, bytes).unwrap();
    folder.join("tree")
}

/// Bytes of the payload, and the codecs of its frames.
fn frames(volume: &Path) -> (u64, Vec<u8>) {
    let set = discover(&[volume.to_owned()], &Silent)
        .unwrap()
        .sets
        .remove(0);
    let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
    let payload_bytes = &set.descriptor().unwrap().payload_bytes;
    let codec = |offset| {
        let mut head = [0; 6];
        let mut payload = set.payload_reader(1).unwrap();
        payload.seek_to(offset);
        payload.read_exact(&mut head).unwrap();
        head[5]
    };
    let places = catalog.places(payload_bytes);
    let codecs = places.iter().map(|place| codec(place.offset)).collect();
    (payload_bytes.iter().sum(), codecs)
}

#[test]
fn what_was_minified_again_is_carried_as_what_was_changed() {
    let [old, new] = builds();
    let vendor = Site::default();
    let given = TempDir::new().unwrap();
    for (version, bytes) in [("made:1", &old), ("made:2", &new)] {
        let tree = write(&given.path().join(version), bytes);
        let (name, options) = (version.parse().unwrap(), AddOptions::default());
        add(&vendor.store, &name, &[tree], &options, &Silent).unwrap();
    }
    let root = |name: &str| ops::release(&vendor.store, &name.parse().unwrap()).unwrap();
    let mut receiver = Recipient::default();
    receiver.releases = vec![root("made:1")];
    let pack_to = |release: &str, receivers, effort| {
        let mut options = packed::options_since(8 << 20, receivers);
        options.effort = effort;
        let to = given.path().join(format!("{release}-{effort:?}"));
        let report = pack(
            &vendor.store,
            &[root(release)],
            &to,
            &options,
            &mut |_| {},
            &Silent,
        );
        report.unwrap().volumes.remove(0)
    };
    let full = pack_to("made:1", Vec::new(), Effort::Default);
    // Without new names the same release takes far more.
    let fast = pack_to("made:2", vec![receiver.clone()], Effort::Fast);
    let (fast_bytes, _) = frames(&fast);
    for effort in [Effort::Default, Effort::Max] {
        let delta = pack_to("made:2", vec![receiver.clone()], effort);
        let (bytes, codecs) = frames(&delta);
        assert!(codecs.contains(&8), "{codecs:?}");
        assert!(bytes * 8 < fast_bytes, "{bytes} of {fast_bytes}");
        let site = Site::default();
        site.receive(&[full.clone(), delta]);
        let back = TempDir::new().unwrap();
        let dest = back.path().join("back");
        let (name, options) = ("made:2".parse().unwrap(), CheckoutOptions::default());
        checkout(&site.store, &name, &dest, &options, &Silent).unwrap();
        assert_eq!(
            files_below(&dest),
            files_below(&given.path().join("made:2"))
        );
        site.assert_sound();
    }
}
