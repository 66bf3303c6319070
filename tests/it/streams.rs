//! Deflate streams on their whole way: opened by `add`, carried, received, checked, and given back bit for bit.

use crate::testkit::archives::{gzip_at, tar_at};
use crate::testkit::bytes::text;
use crate::testkit::packed;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use carryall::base::monitor::Silent;
use carryall::content::release::ReleaseName;
use carryall::files::unpacker::{Depth, KeptReason};
use carryall::ops;
use carryall::ops::add::{AddOptions, AddReport, add};
use carryall::ops::checkout;
use carryall::ops::maintain::{check, show};
use carryall::store::{CheckDepth, Store};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use packed::{Shape, Site, files_below, noise, paths_in};
use tempfile::TempDir;

/// A zip as `jar` writes them: sizes behind each member.
fn jar(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, body) in members {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        let packed = encoder.finish().unwrap();
        out.extend_from_slice(b"PK\x03\x04\x14\0\x08\x08\x08\0time\0\0\0\0\0\0\0\0\0\0\0\0");
        out.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&packed);
        out.extend_from_slice(b"PK\x07\x08crc.");
        out.extend_from_slice(&u32::try_from(packed.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
    }
    out.extend_from_slice(b"PK\x01\x02central directory");
    out
}

fn system_layer(seed: u64, mtime: u64) -> Vec<u8> {
    let members: Vec<(String, Vec<u8>)> = (0..12)
        .map(|n| (format!("usr/lib/{seed}/{n}"), text(seed * 100 + n, 150_000)))
        .collect();
    let named: Vec<(&str, Vec<u8>)> = members.iter().map(|(n, b)| (&n[..], b.clone())).collect();
    tar_at(&named, mtime)
}

/// An image layout: layers 1 to `layers`, those from `changed` on with other times.
fn make_layout(to: &Path, layers: u64, changed: u64) {
    fs::create_dir_all(to.join("blobs/sha256")).unwrap();
    for seed in 1..=layers {
        let plain = system_layer(seed, if seed >= changed { 77 } else { 5 });
        let packed = gzip_at(&plain, if seed % 2 == 0 { 6 } else { 9 });
        let name = carryall::base::id::BlobId(carryall::base::id::hash(&packed)).to_string();
        fs::write(to.join("blobs/sha256").join(name), packed).unwrap();
    }
    fs::write(to.join("index.json"), format!("{{\"changed\": {changed}}}")).unwrap();
}

/// A package around an image archive and a slug, as deliveries have them.
fn make_package(to: &Path, version: u64) {
    let slug = gzip_at(
        &tar_at(
            &[
                ("app/main.py", text(version, 200_000)),
                ("app/same", text(9, 300_000)),
            ],
            version,
        ),
        6,
    );
    let classes: Vec<(String, Vec<u8>)> = (0..60)
        .map(|n| {
            (
                format!("com/shop/{n}.class"),
                text(if n == 7 { version } else { 1000 + n }, 9000),
            )
        })
        .collect();
    let jar = jar(&classes);
    let inner = gzip_at(
        &tar_at(
            &[("slug.tgz", slug.clone()), ("app.jar", jar.clone())],
            version,
        ),
        6,
    );
    let image = tar_at(
        &[
            ("blobs/sha256/base", gzip_at(&system_layer(3, 5), 6)),
            ("blobs/sha256/app", inner),
            ("index.json", format!("{version}").into_bytes()),
        ],
        version,
    );
    fs::create_dir_all(to).unwrap();
    fs::write(
        to.join("shop-ram.tar.gz"),
        gzip_at(&tar_at(&[("image.tar", image)], version), 6),
    )
    .unwrap();
    fs::write(to.join("shop-slug.tgz"), slug).unwrap();
    fs::write(to.join("app.jar"), jar).unwrap();
}

/// Everything that comes back of a release.
fn back(store: &Store, release: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let dest = TempDir::new().unwrap();
    let to = dest.path().join("back");
    let options = checkout::CheckoutOptions::default();
    let name = release.parse().unwrap();
    let report = checkout::checkout(store, &name, &to, &options, &Silent).unwrap();
    assert!(report.is_whole(), "{report:?}");
    files_below(&to)
}

struct Vendor {
    dir: TempDir,
    store: Store,
}

impl Vendor {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        let store = Store::create(&dir.path().join("store")).unwrap();
        Self { dir, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn add(&self, release: &str, given: &Path) -> AddReport {
        self.add_with(release, given, &AddOptions::default())
    }

    fn add_with(&self, release: &str, given: &Path, options: &AddOptions) -> AddReport {
        let release: ReleaseName = release.parse().unwrap();
        add(&self.store, &release, &paths_in(given), options, &Silent).unwrap()
    }

    fn back(&self, release: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        back(&self.store, release)
    }

    fn is_sound(&self) {
        let report = check::check(&self.store, CheckDepth::Data, &[], &Silent).unwrap();
        assert!(report.is_clean(), "{report:?}");
    }

    fn show(&self, release: &str) -> show::ShowReport {
        let root = ops::release(&self.store, &release.parse().unwrap()).unwrap();
        show::show(&self.store, &root, &Silent).unwrap()
    }
}

#[test]
fn layers_that_come_again_are_known_and_changed_ones_share_their_files() {
    let vendor = Vendor::new();
    make_layout(&vendor.path("one/layout"), 5, 99);
    make_layout(&vendor.path("two/layout"), 6, 5);
    let first = vendor.add("shop:1.0", &vendor.path("one"));
    assert_eq!(first.streams.opened.streams, 5, "{first:?}");
    assert!(
        first.streams.kept.is_empty() && first.findings.is_empty(),
        "{first:?}"
    );
    let second = vendor.add("shop:1.1", &vendor.path("two"));
    // Of the fifth layer only the headers are new, the sixth is new altogether.
    assert_eq!(second.streams.opened.streams, 2, "{second:?}");
    assert!(second.new_bytes < 12 * 150_000 + 200_000, "{second:?}");
    let again = vendor.add("shop:1.2", &vendor.path("two"));
    assert_eq!(again.streams.opened.streams, 0, "{again:?}");
    vendor.is_sound();
    assert!(vendor.back("shop:1.0") == files_below(&vendor.path("one")));
    assert!(vendor.back("shop:1.1") == files_below(&vendor.path("two")));
    let shown = vendor.show("shop:1.1");
    assert_eq!((shown.opened.streams, shown.kept.len()), (6, 0));
}

#[test]
fn packages_arrive_at_a_site_bit_for_bit() {
    let vendor = Vendor::new();
    make_package(&vendor.path("one"), 1);
    make_package(&vendor.path("two"), 2);
    let first = vendor.add("shop:1.0", &vendor.path("one"));
    assert!(
        first.streams.kept.is_empty() && first.findings.is_empty(),
        "{first:?}"
    );
    let second = vendor.add("shop:1.1", &vendor.path("two"));
    assert!(
        second.new_bytes * 3 < first.new_bytes,
        "{first:?}\n{second:?}"
    );
    vendor.is_sound();
    for (release, given) in [("shop:1.0", "one"), ("shop:1.1", "two")] {
        assert!(
            vendor.back(release) == files_below(&vendor.path(given)),
            "{release}"
        );
    }
    let shape = Shape {
        blocks: 120,
        ..Shape::default()
    };
    let media = TempDir::new().unwrap();
    let packed = shape.pack_from(media, &vendor.store, "shop:1.1".parse().unwrap());
    let site = Site::default();
    let carried = packed.carry();
    let report = site.receive(&carried.paths());
    assert!(
        !report.needs_volumes() && !report.is_damaged(),
        "{report:?}"
    );
    site.assert_sound();
    assert!(back(&site.store, "shop:1.1") == files_below(&vendor.path("two")));
}

#[test]
fn what_is_kept_closed_is_told_and_known_the_next_time() {
    let vendor = Vendor::new();
    let given = vendor.path("given");
    fs::create_dir_all(given.join("folder")).unwrap();
    let mut broken = noise(1, 300_000);
    broken[..10].copy_from_slice(&gzip_at(b"", 6)[..10]);
    fs::write(given.join("folder/broken.gz"), &broken).unwrap();
    let whole = gzip_at(&text(2, 2_000_000), 6);
    fs::write(given.join("folder/cut.gz"), &whole[..whole.len() - 20]).unwrap();
    fs::write(given.join("bomb.gz"), gzip_at(&vec![7; 100 << 20], 9)).unwrap();
    fs::write(given.join("tail.gz"), [&whole[..], b"tail"].concat()).unwrap();
    let report = vendor.add("odd:1", &given);
    let kept: Vec<(KeptReason, u64)> = report
        .streams
        .kept
        .iter()
        .map(|(why, tally)| (*why, tally.streams))
        .collect();
    assert_eq!(
        kept,
        [
            (KeptReason::Corrupt, 1),
            (KeptReason::Truncated, 1),
            (KeptReason::Limit, 1)
        ],
        "{report:?}"
    );
    let shown = vendor.show("odd:1");
    let mut told: Vec<(&str, &str, Option<KeptReason>)> = shown
        .kept
        .iter()
        .map(|each| (&each.item[..], &each.path[..], each.reason))
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("bomb.gz", "", Some(KeptReason::Limit)),
            ("folder", "broken.gz", Some(KeptReason::Corrupt)),
            ("folder", "cut.gz", Some(KeptReason::Truncated)),
        ]
    );
    let again = vendor.add("odd:2", &given);
    assert!(
        again.streams.kept.is_empty() && again.streams.opened.streams == 0,
        "{again:?}"
    );
    vendor.is_sound();
    assert!(vendor.back("odd:2") == files_below(&given));
    assert_eq!(vendor.show("odd:2").kept.len(), 3);
}

#[test]
fn options_keep_streams_closed_and_later_ones_open_them() {
    let vendor = Vendor::new();
    let given = vendor.path("given");
    fs::create_dir_all(&given).unwrap();
    fs::write(given.join("a.gz"), gzip_at(&text(1, 3_000_000), 6)).unwrap();
    let mut keep = AddOptions::default();
    keep.open.depth = Depth::Tars;
    let kept = vendor.add_with("a:1", &given, &keep);
    assert_eq!(
        kept.streams,
        carryall::files::unpacker::StreamReport::default()
    );
    let auto = vendor.add("a:2", &given);
    assert_eq!(auto.streams.opened.streams, 1, "{auto:?}");
    let mut tight = AddOptions::default();
    tight.open.plain_limit_bytes = 1_000_000;
    fs::write(given.join("a.gz"), gzip_at(&text(2, 3_000_000), 6)).unwrap();
    let closed = vendor.add_with("a:3", &given, &tight);
    assert_eq!(
        closed.streams.kept[&KeptReason::Limit].streams,
        1,
        "{closed:?}"
    );
    let mut wide = AddOptions::default();
    wide.open.plain_limit_bytes = 100_000_000;
    let opened = vendor.add_with("a:4", &given, &wide);
    assert_eq!(opened.streams.opened.streams, 1, "{opened:?}");
    vendor.is_sound();
    assert!(vendor.back("a:4") == files_below(&given));
}
