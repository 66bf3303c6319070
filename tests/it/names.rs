//! Names of releases, sites and items in any script, from `add` to `checkout` at the other end, and what stands for no folder.

use crate::testkit::stage;

use std::fs;

use stage::{Stage, noise, text, visible};

const NAMES: [(&str, &str); 5] = [
    ("商城:1.0", "商城:1.0"),
    ("商城／后台：２.０", "商城/后台:2.0"),
    ("e\u{301}cole:1", "\u{e9}cole:1"),
    ("магазин:1.0-бета", "магазин:1.0-бета"),
    ("हिन्दी:1", "हिन्दी:1"),
];

#[test]
fn names_of_any_script_go_the_whole_way() {
    for (typed, name) in NAMES {
        let stage = Stage::new();
        fs::create_dir_all(stage.path("given/说明")).unwrap();
        fs::write(stage.path("given/说明/读我 1。txt"), text(1, 90_000)).unwrap();
        fs::write(stage.path("given/数据.bin"), noise(2, 900_000)).unwrap();
        stage
            .run(&["add", typed, "given/说明", "given/数据.bin"])
            .ends_with(0);
        let run = stage.run(&["list"]).ends_with(0);
        assert!(run.stdout.contains(name), "{run:#?}");
        for form in [&["--iso"][..], &[]] {
            stage.remove("discs");
            let words = [
                "pack", typed, "--to", "discs", "--media", "6MB", "--spare", "1",
            ];
            stage.run(&[&words[..], form].concat()).ends_with(0);
        }
        for volume in visible(&stage.path("discs")) {
            let volume = volume.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(
                volume.is_ascii() && !volume.starts_with(['-', '.']),
                "{volume}"
            );
        }
        stage.remove("store");
        stage.receive_all("discs");
        let root = &visible(&stage.path("store/releases"))[0];
        assert!(root.file_name().unwrap().is_ascii(), "{root:?}");
        stage.store_is_well();
        stage.comes_back(name, "given");
        stage.comes_back(typed, "given");
        stage.run(&["keep", typed]).ends_with(0);
        stage.run(&["keep", "--no-longer", typed]).ends_with(0);
        stage.run(&["rm", typed]).ends_with(0);
    }
}

#[test]
fn what_nobody_can_see_or_what_harms_is_in_no_name() {
    let stage = Stage::new();
    fs::write(stage.path("a"), b"a").unwrap();
    for bad in [
        "商\u{202e}城:1",
        "商\u{200b}城:1",
        "商城:1\u{7}",
        "../商城:1",
        "商城/../x:1",
        "商城:..",
        "-商城:1",
        "商 城:1",
        "商城\\x:1",
        "\u{3164}:1",
        "商城:1@甲",
    ] {
        stage.run(&["add", "--", bad, "a"]).ends_with(2);
    }
    assert!(!stage.path("store").exists());
}

#[test]
fn sites_have_names_in_any_script_and_receipts_come_as_messengers_join_them() {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    for number in 0..4 {
        fs::write(
            stage.path(&format!("given/{number}")),
            noise(number, 200_000),
        )
        .unwrap();
    }
    stage
        .run(&["add", "商城:1.0", "given/0", "given/1"])
        .ends_with(0);
    stage
        .run(&["add", "商城:1.1", "given/0", "given/1", "given/2"])
        .ends_with(0);
    stage
        .run(&["pack", "商城:1.0", "--to", "discs", "--media", "6MB"])
        .ends_with(0);
    let site = ["--store", "site"];
    stage
        .run(&[&["receive", "discs"][..], &site].concat())
        .ends_with(0);
    let receipt = stage
        .run(&[&["receipt"][..], &site].concat())
        .ends_with(0)
        .stdout;
    let lines: Vec<&str> = receipt.lines().collect();
    for (number, joint) in ["，", "、", "；", "\u{3000}", "，\n", "："]
        .into_iter()
        .enumerate()
    {
        let to = format!("out-{number}");
        let joined = lines.join(joint);
        let words = [
            "pack",
            "商城:1.1",
            "--media",
            "6MB",
            "--for",
            &joined,
            "--site",
            "北京１厂",
            "--to",
            &to,
        ];
        let run = stage.run(&words).ends_with(0);
        assert!(run.stderr.contains("depends on: 商城:1.0"), "{run:#?}");
    }
    let run = stage.run(&["site", "list"]).ends_with(0);
    assert!(run.stdout.contains("北京1厂"), "{run:#?}");
    stage.run(&["site", "forget", "北京1厂"]).ends_with(0);
    let run = stage.run(&["site", "list"]).ends_with(0);
    assert!(!run.stdout.contains("北京"), "{run:#?}");
}

#[test]
fn a_tilde_that_no_shell_expanded_is_questioned() {
    let stage = Stage::new();
    fs::write(stage.path("a"), b"a").unwrap();
    let add = ["add", "shop:1", "a"];
    for store in ["~/store", "~", "~operator/store"] {
        let mut command = stage.command(&add);
        command.env("CARRYALL_STORE", store).env("HOME", "/home/li");
        let run = stage::Run::from(command.output().unwrap());
        run.fails_with(2, &[store, "CARRYALL_STORE", "./~"]);
        let option = format!("--store={store}");
        stage
            .run(&[&add[..], &[&option]].concat())
            .fails_with(2, &[store, "--store"]);
    }
    let mut command = stage.command(&add);
    command
        .env("CARRYALL_STORE", "~/store")
        .env("HOME", "/home/li");
    let run = stage::Run::from(command.output().unwrap());
    run.fails_with(2, &["write /home/li/store"]);
    stage.run(&add).ends_with(0);
    for words in [
        &["pack", "shop:1", "--media", "6MB", "--to=~/discs"][..],
        &["pack", "shop:1", "--media", "6MB", "--to", "~/discs"],
        &["checkout", "shop:1", "~/back"],
        &["receipt", "-o", "~/site.receipt"],
    ] {
        stage.run(words).fails_with(2, &["~/", "./~"]);
    }
    assert!(!stage.path("~").exists());
    // What is really called so can be said.
    stage.run(&["checkout", "shop:1", "./~/back"]);
    fs::write(stage.path("~$doc.docx"), b"b").unwrap();
    stage.run(&["add", "shop:2", "~$doc.docx"]).ends_with(0);
}
