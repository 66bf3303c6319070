//! Tars in zstd: carried as they came, and looked into all the same.

use std::fs;

use serde_json::Value;

use crate::recode::tool;
use crate::testkit::bytes::noise;
use crate::testkit::made::{self, files_tar};
use crate::testkit::programs::has;
use crate::testkit::shown::{api, web};
use crate::testkit::stage::Stage;
use crate::testkit::trees::contents;

/// A layout of two images with something beside them, so that it is long enough to be noted.
fn layout() -> Vec<u8> {
    let mut files = made::oci(&[web(), api()]);
    files.insert("notes/long".to_owned(), noise(5, 200_000));
    files_tar(&files)
}

fn names(shown: &Value) -> Vec<(String, String)> {
    let images = shown["images"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    images
        .map(|image| (text(&image["references"][0]), text(&image["digest"])))
        .collect()
}

#[test]
fn images_in_a_tar_in_zstd_are_listed_and_handed_out() {
    let stage = Stage::new();
    let tar = layout();
    stage.give("images.tar", &tar);
    stage
        .run(&["add", "plain:1", "given/images.tar"])
        .ends_with(0);
    let plain = stage
        .run(&["show", "plain:1", "--json"])
        .ends_with(0)
        .json();
    stage
        .run(&["checkout", "plain:1", "plain", "--as", "oci"])
        .ends_with(0);
    let mut packed = vec![zstd::encode_all(&tar[..], 1).unwrap()];
    // Two frames behind one another, as pzstd and `cat` make them.
    let (one, other) = tar.split_at(100_000);
    packed.push(
        [one, other]
            .map(|part| zstd::encode_all(part, 3).unwrap())
            .concat(),
    );
    if has(&["zstd"]) {
        packed.push(tool("zstd", "-c -q -19 -T2 --long=27", &tar));
    }
    for (at, packed) in packed.iter().enumerate() {
        let release = format!("zstd:{at}");
        stage.give("images.tar.zst", packed);
        let run = stage
            .run(&["add", &release, "given/images.tar.zst"])
            .ends_with(0);
        assert!(!run.stderr.contains("not looked into"), "{run:#?}");
        let shown = stage.run(&["show", &release, "--json"]).ends_with(0).json();
        assert_eq!(names(&shown), names(&plain));
        assert_eq!(names(&shown).len(), 2);
        assert_eq!(shown["kept"][0]["reason"], "zstd");
        let to = format!("out-{at}");
        stage
            .run(&["checkout", &release, &to, "--as", "oci"])
            .ends_with(0);
        assert!(contents(&stage.path(&to)) == contents(&stage.path("plain")));
        let to = format!("back-{at}");
        stage.run(&["checkout", &release, &to]).ends_with(0);
        let back = fs::read(stage.path(&to).join("images.tar.zst")).unwrap();
        assert!(back == *packed);
    }
    // In a folder, too.
    stage.run(&["add", "folder:1", "given"]).ends_with(0);
    stage.run(&["diff", "zstd:0", "folder:1"]).ends_with(0);
    let shown = stage
        .run(&["show", "folder:1", "--json"])
        .ends_with(0)
        .json();
    assert_eq!(names(&shown).len(), 2);
}

#[test]
fn damaged_frames_and_frames_of_something_else_do_no_harm() {
    let stage = Stage::new();
    let whole = zstd::encode_all(&layout()[..], 1).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 40].fill(0x55);
    // Zeros that take some kilobytes: far more than a tar in a stream of this length may have.
    let zeros = zstd::encode_all(&vec![0; 192 << 20][..], 1).unwrap();
    let head = zstd::encode_all(&layout()[..4096], 1).unwrap();
    let rest = zstd::encode_all(&noise(2, 70_000)[..], 1).unwrap();
    let bomb = [head, zeros, rest].concat();
    for (at, packed) in [
        whole[..whole.len() - 9].to_vec(),
        whole[..70_000].to_vec(),
        flipped,
        bomb,
        zstd::encode_all(&noise(1, 200_000)[..], 1).unwrap(),
    ]
    .iter()
    .enumerate()
    {
        let release = format!("odd:{at}");
        stage.give("images.tar.zst", packed);
        stage
            .run(&["add", &release, "given/images.tar.zst"])
            .ends_with(0);
        stage.run(&["show", &release]).ends_with(0);
        let to = format!("back-{at}");
        stage.run(&["checkout", &release, &to]).ends_with(0);
        let back = fs::read(stage.path(&to).join("images.tar.zst")).unwrap();
        assert!(back == *packed);
    }
}
