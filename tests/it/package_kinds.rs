//! Rainbond's packages through the command: every kind is known, shown and given back byte for byte, and what contradicts itself
//! is told.

use crate::testkit::{made, programs, shown, stage};

use std::fs;
use std::process::Command;

use made::{Made, files_tar, write_files};
use programs::{has, run};
use shown::{api, expected, findings, images, web};
use stage::Stage;

#[test]
fn packages_of_every_kind_are_known_and_come_back_byte_for_byte() {
    let stage = Stage::new();
    let plugin = Made::new("goodrain.me/plugins/meter:7", "amd64", 13);
    let both = [web(), api()];
    stage.give(
        "a",
        &made::ram("mall", "1.0", &both, std::slice::from_ref(&plugin)),
    );
    stage.give("b", &made::ram("默认应用", "1.0", &both, &[]));
    stage.give("c", &made::compose("mall", "1.0", &both));
    stage.give("d", &made::slug("mall", "1.0"));
    // Without images, as some exporters write them: too short for its files to be kept apart.
    let bare = made::metadata("bare", "1.0", &[web()], &[]);
    let bare = String::from_utf8(bare)
        .unwrap()
        .replacen('{', r#"{"with_image_data":false,"#, 1);
    let filler = ("describe.txt", stage::noise(6, 6000));
    stage.give(
        "f",
        &made::package("bare-1.0-ram", &[("metadata.json", bare.into()), filler]),
    );
    stage.give("g", &made::helm("cart", "2.1", &both));
    stage.give("h", &made::kubernetes("cart", "2.1", &both));
    stage.add("mall:1.0");
    let report = stage.show("mall:1.0");
    let packages = report["packages"].as_array().unwrap();
    let said: Vec<_> = packages
        .iter()
        .map(|each| {
            let count = |key: &str| each[key].as_array().unwrap().len();
            let kind = each["kind"].as_str().unwrap();
            let (name, version) = (
                each["name"].as_str().unwrap(),
                each["version"].as_str().unwrap(),
            );
            let images = each["images"].as_u64().unwrap();
            (
                kind,
                name,
                version,
                count("components"),
                count("plugins"),
                images,
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("ram", "mall", "1.0", 2, 1, 3),
            ("ram", "默认应用", "1.0", 2, 0, 2),
            ("compose", "mall", "1.0", 2, 0, 2),
            ("slug", "mall", "1.0", 1, 0, 0),
            ("ram", "bare", "1.0", 1, 0, 0),
            ("helm", "cart", "2.1", 0, 0, 2),
            ("yaml", "cart", "2.1", 0, 0, 2),
        ],
        "{report:#}"
    );
    assert_eq!(packages[0]["components"][0]["architecture"], "amd64");
    assert_eq!(packages[2]["components"][0]["image"], web().reference);
    assert_eq!(findings(&report), Vec::<String>::new());
    let text = stage.run(&["show", "mall:1.0"]).ends_with(0).stdout;
    assert!(
        text.contains("application template mall 1.0 in a: 2 components, 1 plugin, 3 images"),
        "{text}"
    );
    assert!(text.contains("goodrain.me/plugins/meter:7"), "{text}");

    stage
        .run(&["pack", "mall:1.0", "--to", "discs", "--media", "16MB"])
        .ends_with(0);
    let mut site = stage;
    site.store = "site";
    site.receive_all("discs");
    site.comes_back("mall:1.0", "given");
    assert_eq!(images(&site.show("mall:1.0")), images(&report));
}

#[test]
fn packages_that_contradict_themselves_are_told() {
    let stage = Stage::new();
    let arm = Made::new("registry.example/shop/api:1.0", "arm64", 12);
    let mixed = [web(), arm.clone()];
    stage.give("mixed", &made::ram("mixed", "1.0", &mixed, &[]));
    stage.give("one", &made::ram("mall", "1.0", &[web()], &[]));
    stage.give("two", &made::ram("mall", "1.0", &[web(), api()], &[]));
    // Another architecture is no contradiction.
    stage.give("arm", &made::ram("mall", "1.0", &[arm], &[]));
    let named = made::package(
        "lacking-1.0-ram",
        &[
            (
                "metadata.json",
                made::metadata("lacking", "1.0", &[web(), api()], &[]),
            ),
            (
                "component-images.tar",
                files_tar(&made::containerd(&[web()])),
            ),
        ],
    );
    stage.give("lacking", &named);
    stage.add("mall:1.0");
    let found = findings(&stage.show("mall:1.0"));
    let is_said = |words: &[&str]| {
        found
            .iter()
            .any(|each| words.iter().all(|word| each.contains(word)))
    };
    assert!(
        is_said(&[
            "mixed > mixed-1.0-ram",
            "mixes platforms",
            "amd64 and arm64"
        ]),
        "{found:#?}"
    );
    assert!(
        is_said(&[
            "two > mall-1.0-ram",
            "two contents under one version",
            "one > mall-1.0-ram"
        ]),
        "{found:#?}"
    );
    assert!(
        is_said(&[
            "lacking > lacking-1.0-ram",
            "shop/api:1.0 of api is not in the package"
        ]),
        "{found:#?}"
    );
    assert!(!is_said(&["arm > "]), "{found:#?}");
}

/// What was exported before 2021 was a zip, of an archive for each image.
#[test]
fn zips_of_old_exporters_are_known_whoever_wrote_them() {
    if !has(&["bsdtar", "zip"]) {
        return;
    }
    let stage = Stage::new();
    let both = [web(), api()];
    write_files(&stage.path("made"), &made::old_files("mall", "0.9", &both));
    fs::create_dir(stage.path("given")).unwrap();
    // Lengths before the bytes and behind them, compressed and stored.
    let writers: [&[&str]; 4] = [
        &["zip", "-qr", "../given/a"],
        &["zip", "-qr0", "../given/b"],
        &["bsdtar", "--format", "zip", "-cf", "../given/c"],
        &[
            "bsdtar",
            "--format",
            "zip",
            "--options",
            "zip:compression=store",
            "-cf",
            "../given/d",
        ],
    ];
    for words in writers {
        let mut command = Command::new(words[0]);
        run(command
            .args(&words[1..])
            .arg("mall-0.9")
            .current_dir(stage.path("made")));
    }
    for given in stage::visible(&stage.path("given")) {
        // A name says nothing, and `zip` makes one of its own.
        fs::rename(&given, given.with_extension("")).unwrap();
    }
    stage.add("mall:0.9");
    let report = stage.show("mall:0.9");
    let packages = report["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 4, "{report:#}");
    for package in packages {
        assert_eq!(package["kind"], "ram");
        assert_eq!(package["version"], "0.9");
        assert_eq!(package["images"], 2, "{report:#}");
        assert_eq!(package["components"].as_array().unwrap().len(), 2);
    }
    assert_eq!(images(&report), expected(&both));
    assert_eq!(findings(&report), Vec::<String>::new());
    stage.comes_back("mall:0.9", "given");
    stage
        .run(&["checkout", "mall:0.9", "out.tar", "--as", "docker-archive"])
        .ends_with(0);
}

/// Compose files are written by people as well.
#[test]
fn what_a_compose_file_says_is_shown_and_what_cannot_be_read_is_told() {
    let stage = Stage::new();
    let files = |yaml: &str| {
        [
            ("docker-compose.yml", yaml.as_bytes().to_vec()),
            ("run.sh", b"#!/bin/sh\n".to_vec()),
            ("component-images.tar", made::docker_classic(&[web()])),
        ]
    };
    let good = "x-base: &base\n    image: \"registry.example/shop/web:1.0\" # pinned\nservices:\n    web:\n        <<: *base\n    db: {image: \"${HUB}/db:1\"}\n";
    stage.give("a", &made::package("shop-1.0-dockercompose", &files(good)));
    let bomb = format!("services: {}\n", "[".repeat(2000));
    stage.give("b", &made::package("bad-1.0-dockercompose", &files(&bomb)));
    stage.add("shop:1.0");
    let report = stage.show("shop:1.0");
    let packages = report["packages"].as_array().unwrap();
    let components = packages[0]["components"].as_array().unwrap();
    assert_eq!(components.len(), 2, "{report:#}");
    assert_eq!(components[0]["image"], web().reference);
    // What a variable stands for is not known here, so nothing is said to be lacking.
    assert_eq!(components[1]["image"], "${HUB}/db:1");
    assert_eq!(packages[1]["kind"], "compose");
    assert_eq!(packages[1]["images"], 1);
    let found = findings(&report);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with("b > bad-1.0-dockercompose: docker-compose.yaml cannot be read"),
        "{found:#?}"
    );
    stage.comes_back("shop:1.0", "given");
}
