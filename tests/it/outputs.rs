//! Files that commands write never take the place of what is not theirs, never lie in what is read, and are tried before the work.

use crate::testkit::{made, shown, stage};

use std::fs;
use std::os::unix::fs::symlink;

use shown::web;
use stage::{Stage, contents, look, noise, visible};

fn packed() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(2, 3_000_000)).unwrap();
    stage
        .run(&["add", "shop:1", "given/setup.bin"])
        .ends_with(0);
    stage
        .run(&["pack", "shop:1", "--to", "discs", "--media", "6MB"])
        .ends_with(0);
    stage
}

#[test]
fn a_map_takes_the_place_of_an_earlier_map_alone() {
    let stage = packed();
    let volume = visible(&stage.path("discs"))[0].clone();
    let file = visible(&volume)
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "000"))
        .unwrap();
    fs::copy(&file, stage.path("image")).unwrap();
    fs::hard_link(&file, stage.path("twin")).unwrap();
    symlink(&file, stage.path("link")).unwrap();
    symlink("discs", stage.path("mounted")).unwrap();
    fs::write(stage.path("thesis.html"), "<!DOCTYPE html>\n<html>years").unwrap();
    fs::write(stage.path("notes"), "").unwrap();
    fs::create_dir(stage.path("folder")).unwrap();
    let page = file.with_file_name("START-HERE.html");
    let before = look(&stage.path(""));
    let as_text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    for place in [
        "image",
        "twin",
        "link",
        "thesis.html",
        "notes",
        "folder",
        "discs",
        "discs/map.html",
        "mounted/map.html",
        "absent/map.html",
        "/proc/map.html",
        "/dev/full",
        &as_text(&file),
        &as_text(&page),
    ] {
        for words in [
            &["verify", "discs", "--map", place][..],
            &["verify", "image", "discs", "--map", place],
        ] {
            stage.run(words).fails_with(1, &[place]);
            stage.run(&[words, &["--json"]].concat()).ends_with(1);
        }
    }
    assert_eq!(look(&stage.path("")), before);

    for _ in 0..2 {
        stage
            .run(&["verify", "discs", "--map", "map.html"])
            .ends_with(0);
    }
    let map = fs::read_to_string(stage.path("map.html")).unwrap();
    assert!(map.contains("Damage map"));
    let hidden = fs::read_dir(stage.path("")).unwrap().flatten();
    let hidden = hidden.filter(|entry| entry.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
}

#[test]
fn a_receipt_goes_to_a_new_file_or_to_standard_output() {
    let stage = packed();
    fs::write(stage.path("thesis"), "years").unwrap();
    for place in ["thesis", "given", "absent/x", "/proc/x"] {
        stage.run(&["receipt", "-o", place]).fails_with(1, &[place]);
    }
    assert_eq!(fs::read(stage.path("thesis")).unwrap(), b"years");
    stage.run(&["receipt", "-o", "x.receipt"]).ends_with(0);
    let out = stage.command(&["receipt", "-o", "-"]).output().unwrap();
    assert!(out.status.success());
    assert_eq!(out.stdout, fs::read(stage.path("x.receipt")).unwrap());
}

#[test]
fn what_is_written_lies_outside_of_what_is_read_and_where_it_can_be_written() {
    let stage = packed();
    let volume = visible(&stage.path("discs"))[0].clone();
    fs::write(stage.path("thesis"), "years").unwrap();
    fs::remove_file(visible(&volume).pop().unwrap()).unwrap();
    let before = look(&stage.path("discs"));
    let store = contents(&stage.path("store"));
    for to in ["discs", "discs/new", "thesis", "thesis/new", "/proc/new"] {
        stage
            .run(&["repair", "discs", "--to", to])
            .fails_with(1, &[to]);
    }
    for to in [
        "store",
        "store/packs/new",
        "thesis",
        "thesis/new",
        "/proc/new",
    ] {
        stage
            .run(&["pack", "shop:1", "--to", to, "--media", "6MB"])
            .fails_with(1, &[to]);
        stage
            .run(&["install", "shop:1", "--into", to])
            .fails_with(1, &[]);
        stage.run(&["checkout", "shop:1", to]).fails_with(1, &[]);
    }
    assert_eq!(look(&stage.path("discs")), before);
    assert_eq!(contents(&stage.path("store")), store);
    assert_eq!(fs::read(stage.path("thesis")).unwrap(), b"years");

    stage.give("x.tar", &made::docker_classic(&[web()]));
    stage.run(&["add", "web:1", "given/x.tar"]).ends_with(0);
    for form in ["oci", "docker-archive"] {
        for to in [
            "given",
            "thesis",
            "thesis/new",
            "absent/new",
            "/proc/new",
            "store/new",
        ] {
            stage
                .run(&["checkout", "web:1", to, "--as", form])
                .fails_with(1, &[to]);
        }
    }
    assert_eq!(fs::read(stage.path("thesis")).unwrap(), b"years");
}

#[test]
fn a_place_below_a_file_is_refused_and_the_file_is_named() {
    let stage = packed();
    fs::write(stage.path("file"), "mine").unwrap();
    let log = stage.path("file/log");
    let output: [&[&str]; 12] = [
        &["pack", "shop:1", "--to", "file/x", "--media", "usb"],
        &["pack", "shop:1", "--to", "file/x/y", "--media", "usb"],
        &["pack", "shop:1", "--to", "file", "--media", "usb"],
        &["repair", "discs", "--to", "file/x"],
        &["checkout", "shop:1", "file/x"],
        &["checkout", "shop:1", "file"],
        &["checkout", "shop:1", "file/x.tar", "--as", "docker-archive"],
        &["checkout", "shop:1", "file/x", "--as", "oci"],
        &["install", "shop:1", "--into", "file/x"],
        &["receipt", "-o", "file/x"],
        &["verify", "discs", "--map", "file/x.html"],
        &["list", "--log", log.to_str().unwrap()],
    ];
    let before = look(&stage.path(""));
    let store: &[&str] = &["--store", "file/x", "add", "shop:1", "given"];
    let all = output.map(|words| ("output.below_file", words));
    let itself = |words: &[&str]| words.contains(&"file");
    for (kind, words) in all.into_iter().chain([("store.below_file", store)]) {
        let run = stage
            .run(words)
            .fails_with(1, &["file", "move that file away"]);
        assert!(!run.stderr.contains("os error"), "{run:#?}");
        let run = stage.run(&[words, &["--json"]].concat()).ends_with(1);
        let error: serde_json::Value = serde_json::from_str(run.stderr.trim()).unwrap();
        let kind = if itself(words) {
            "output.not_a_folder"
        } else {
            kind
        };
        assert_eq!(error["kind"], kind, "{words:?}");
        let mut command = stage.command(words);
        let run = command.env("LC_ALL", "zh_CN.UTF-8").output().unwrap();
        let said = String::from_utf8(run.stderr).unwrap();
        assert!(
            said.contains("不是目录") && said.contains("移走该文件"),
            "{said}"
        );
    }
    assert_eq!(look(&stage.path("")), before);
}
