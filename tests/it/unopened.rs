//! Archives that are not looked into are told; short ones within others are looked into.

use std::fs;
use std::path::Path;

use carryall::base::monitor::Silent;
use carryall::oci::image::Digest;
use carryall::ops;
use carryall::ops::add::{AddOptions, add};
use carryall::ops::maintain::show::{ShowReport, show};
use carryall::store::Store;

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// A docker archive with one layer of so many bytes.
fn image(bytes: usize) -> Vec<u8> {
    let noise: Vec<u8> = (0_u32..)
        .flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes())
        .take(bytes)
        .collect();
    let layer = tar(&[("usr/lib/it", &noise)]);
    let diff_id = Digest::of(&layer);
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["{diff_id}"]}}}}"#
    );
    let manifest = r#"[{"Config":"c.json","RepoTags":["shop/web:1.0"],"Layers":["l/layer.tar"]}]"#;
    tar(&[
        ("c.json", config.as_bytes()),
        ("l/layer.tar", &layer),
        ("manifest.json", manifest.as_bytes()),
    ])
}

fn shown(folder: &Path, name: &str, bytes: &[u8]) -> ShowReport {
    let item = folder.join(name);
    fs::write(&item, bytes).unwrap();
    let store = Store::create(&folder.join(format!("store-{name}"))).unwrap();
    let release = "shop:1.0".parse().unwrap();
    add(&store, &release, &[item], &AddOptions::default(), &Silent).unwrap();
    show(&store, &ops::release(&store, &release).unwrap(), &Silent).unwrap()
}

#[test]
fn what_lz4_packs_as_a_whole_is_told_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let packed = [&b"\x04\x22\x4d\x18"[..], &image(400_000)].concat();
    let told = |report: &ShowReport| {
        assert!(report.images.is_empty());
        let finding = &report.findings[..];
        assert_eq!(finding.len(), 1, "{finding:?}");
        assert!(finding[0].message().contains("lz4"), "{finding:?}");
        finding[0].subject.to_string()
    };
    // By what it is, whatever it is called; and within a tar, by its name.
    assert_eq!(
        told(&shown(folder.path(), "release.bin", &packed)),
        "release.bin"
    );
    let package = tar(&[("images.tar.lz4", &packed), ("README", b"words")]);
    assert_eq!(
        told(&shown(folder.path(), "package.tar", &package)),
        "package.tar > images.tar.lz4"
    );
    // One that is only called so is no news.
    let report = shown(folder.path(), "plain.tar.lz4", &image(400_000));
    assert_eq!((report.images.len(), report.findings.len()), (1, 0));
}

#[test]
fn what_zstd_packs_as_a_whole_is_looked_into_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let packed = zstd::encode_all(&image(400_000)[..], 1).unwrap();
    assert!(packed.len() > 100_000);
    let package = tar(&[("images.tar.zst", &packed), ("README", b"words")]);
    for (name, bytes) in [("release.bin", &packed), ("package.tar", &package)] {
        let report = shown(folder.path(), name, bytes);
        assert_eq!(
            (report.images.len(), report.findings.len()),
            (1, 0),
            "{report:?}"
        );
        assert_eq!(report.images[0].references, ["shop/web:1.0"]);
    }
}

#[test]
fn an_archive_of_one_chunk_within_another_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let small = image(20_000);
    assert!(small.len() < 64 << 10);
    let package = tar(&[("in/images.tar", &small), ("more.bin", &[7; 100_000])]);
    let report = shown(folder.path(), "package.tar", &package);
    assert_eq!(report.images.len(), 1, "{report:?}");
    assert_eq!(report.images[0].references, ["shop/web:1.0"]);
    assert_eq!(report.images[0].archives, ["in/images.tar"]);
    assert!(report.findings.is_empty(), "{report:?}");
}
