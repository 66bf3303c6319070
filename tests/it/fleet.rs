//! Packing for all remembered sites: one set for all of them or one for each, as the figures say.

use std::fs;

use crate::testkit::bytes::noise;
use crate::testkit::stage::{Stage, volumes};
use crate::testkit::trees::look;

/// A release that is mostly the same for all seeds.
fn make(stage: &Stage, name: &str, seed: u64) {
    fs::create_dir_all(stage.path(name)).unwrap();
    fs::write(stage.path(name).join("common.bin"), noise(1, 3_000_000)).unwrap();
    fs::write(stage.path(name).join("own.bin"), noise(seed, 200_000)).unwrap();
}

/// A site that has received these sets, and is remembered by its receipt.
fn site(stage: &mut Stage, name: &str, sets: &[&str]) {
    let (store, receipt) = (format!("site-{name}"), format!("{name}.json"));
    for set in sets {
        stage.run(&["--store", &store, "receive", set]).ends_with(0);
    }
    stage
        .run(&["--store", &store, "receipt", "-o", &receipt])
        .ends_with(0);
    let (bundle, words) = (format!("for-{name}"), ["--media", "64MB"]);
    let pack = [
        "pack", "shop:1.0", "--for", &receipt, "--site", name, "--to", &bundle,
    ];
    stage.run(&[&pack[..], &words[..]].concat()).ends_with(0);
    stage.remove(&bundle);
}

fn json(stage: &Stage, words: &[&str]) -> serde_json::Value {
    let said = stage
        .run(&[&["--json"], words].concat())
        .ends_with(0)
        .stdout;
    serde_json::from_str(&said).unwrap()
}

#[test]
fn one_set_for_sites_that_are_alike_and_one_for_each_when_they_are_not() {
    let mut stage = Stage::new();
    make(&stage, "one", 101);
    make(&stage, "two", 102);
    for (release, given) in [("shop:1.0", "one"), ("shop:1.1", "two")] {
        stage
            .run(&[
                "add",
                release,
                &format!("{given}/common.bin"),
                &format!("{given}/own.bin"),
            ])
            .ends_with(0);
    }
    for (release, set) in [("shop:1.0", "first"), ("shop:1.1", "second")] {
        stage
            .run(&["pack", release, "--to", set, "--media", "64MB"])
            .ends_with(0);
    }
    site(&mut stage, "north", &["first"]);
    site(&mut stage, "west", &["first"]);
    site(&mut stage, "east", &["first", "second"]);
    let listed = json(&stage, &["site", "list", "--next", "shop:1.1"]);
    let listed = listed["sites"].as_array().unwrap();
    let next: Vec<u64> = listed
        .iter()
        .map(|site| site["next"]["carried_bytes"].as_u64().unwrap())
        .collect();
    assert_eq!((listed.len(), next[0]), (3, 0), "{listed:#?}");
    assert!(
        (200_000..300_000).contains(&next[1]) && next[1] == next[2],
        "{next:?}"
    );
    let said = stage
        .run(&["site", "list", "--next", "shop:1.1"])
        .ends_with(0)
        .stdout;
    assert!(
        said.contains("it has all of shop:1.1") && said.contains("noted last on 20"),
        "{said}"
    );

    // The two that lack something are alike.
    let all = [
        "pack",
        "shop:1.1",
        "--for-all",
        "--media",
        "64MB",
        "--to",
        "all",
    ];
    let report = json(&stage, &all);
    assert_eq!(report["is_together"], true, "{report:#}");
    assert_eq!(
        report["packed"][0]["for"],
        serde_json::json!(["north", "west"])
    );
    let media = volumes(&stage.path("all"));
    for name in ["north", "west"] {
        let store = format!("site-{name}");
        let mut words = vec!["--store", &store, "receive"];
        words.extend(media.iter().map(|path| path.to_str().unwrap()));
        stage.run(&words).ends_with(0);
        stage
            .run(&[
                "--store",
                &store,
                "checkout",
                "shop:1.1",
                &format!("back-{name}"),
            ])
            .ends_with(0);
        assert!(look(&stage.path(&format!("back-{name}"))) == look(&stage.path("two")));
    }

    // One that has nothing would make the set for all as large as a full one.
    stage
        .run(&["--store", "site-south", "receive", "nothing"])
        .ends_with(1);
    stage
        .run(&[
            "pack", "shop:1.0", "--site", "south", "--to", "south", "--media", "64MB",
        ])
        .ends_with(0);
    make(&stage, "three", 103);
    stage.run(&["add", "other:1", "three/own.bin"]).ends_with(0);
    stage
        .run(&[
            "pack", "other:1", "--site", "south", "--to", "south-2", "--media", "64MB",
        ])
        .ends_with(0);
    let said = stage
        .run(&[
            "pack",
            "shop:1.1",
            "--for-all",
            "--media",
            "64MB",
            "--to",
            "each",
        ])
        .ends_with(0);
    let said = said.stdout + &said.stderr;
    assert!(
        said.contains("a set for each is less to carry") && said.contains("for south:"),
        "{said}"
    );
    let sets: Vec<String> = fs::read_dir(stage.path("each"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(sets.contains(&"south".to_owned()), "{sets:?}");
    // Now all of them are thought to have it.
    let report = json(&stage, &["pack", "shop:1.1", "--for-all", "--estimate"]);
    assert!(report["packed"].as_array().unwrap().is_empty());
}
