//! Names from archives, folders, media and registries reach a terminal as letters, in lines that are ours.

use crate::testkit::{made, stage};

use std::fs;
use std::path::Path;

use made::Made;
use stage::{Run, Stage, noise};

/// A name that clears the screen, rings, forges two lines, and turns the order of letters.
const NAME: &str =
    "x\u{1b}[2J\u{7}\nhint: all is well\n\u{9b}31m\u{202e}txt\u{200b}\u{2028}\u{7f}.tar";

#[track_caller]
fn is_harmless(what: &str, run: &Run) {
    for text in [&run.stdout, &run.stderr] {
        let bad = text.chars().find(|c| {
            (c.is_control() && *c != '\n')
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(bad, None, "{what}: {run:#?}");
        assert!(
            !text
                .lines()
                .any(|line| line.starts_with("hint: all is well")),
            "{what}: {run:#?}"
        );
    }
}

fn is_hostile(path: &Path) -> bool {
    path.to_string_lossy().contains('\n')
}

#[test]
fn names_do_nothing_to_a_terminal_in_any_command() {
    let stage = Stage::new();
    let given = stage.path("given");
    fs::create_dir_all(given.join(NAME).join(NAME)).unwrap();
    fs::write(
        given
            .join(NAME)
            .join("a")
            .with_file_name(format!("{NAME}2")),
        noise(1, 900_000),
    )
    .unwrap();
    fs::write(given.join(NAME).join(NAME).join(NAME), noise(2, 900_000)).unwrap();
    let file = format!("{NAME}.bin");
    fs::write(given.join(&file), noise(3, 2_000_000)).unwrap();
    let image = Made::new(&format!("shop/{NAME}:1"), "amd64", 11);
    let archive = format!("image {NAME}");
    fs::write(given.join(&archive), made::docker_classic(&[image])).unwrap();
    assert!(
        fs::read_dir(&given)
            .unwrap()
            .flatten()
            .all(|entry| is_hostile(&entry.path()))
    );

    let item = |name: &str| format!("given/{name}");
    let (folder, file_at, archive_at) = (item(NAME), item(&file), item(&archive));
    let add = ["add", "shop:1", &folder, &file_at, &archive_at];
    let mut all: Vec<Vec<&str>> = vec![
        add.to_vec(),
        vec!["add", "shop:1", &folder, &folder],
        vec!["add", "shop:2", "given", "-v"],
        vec!["add", NAME, "given"],
        vec!["add", "shop:3", NAME],
        vec!["list"],
        vec!["show", "shop:1"],
        vec!["show", NAME],
        vec!["diff", "shop:1", "shop:2"],
        vec!["diff", "shop:1", "shop:2", "-v"],
        vec!["pack", "shop:1", "--estimate"],
        vec![
            "pack", "shop:1", "--to", "discs", "--media", "6MB", "--spare", "1",
        ],
        vec![
            "pack", "shop:1", "--for", NAME, "--to", "x", "--media", "6MB",
        ],
        vec!["checkout", "shop:1", "back"],
        vec!["checkout", "shop:1", "back"],
        vec!["checkout", "shop:1", "back2", "--item", "none"],
        vec!["checkout", "shop:1", "oci", "--as", "oci"],
        vec![
            "checkout", "shop:1", "oci2", "--as", "oci", "--image", "none",
        ],
        vec!["checkout", "shop:1", "docker", "--as", "docker-archive"],
        vec!["install", "shop:1", "--into", NAME],
        vec!["push", "shop:1", "127.0.0.1:1"],
        vec!["push", "shop:1", NAME],
        vec!["inspect", "discs"],
        vec!["inspect", NAME],
        vec!["verify", "discs", "--map", "map.html"],
        vec!["verify", "discs", "--map", &file_at],
        vec!["check", "--data"],
        vec!["receipt"],
        vec!["status"],
        vec!["demo", &folder],
        vec![NAME],
        vec!["show", "--x\u{1b}[31m"],
    ];
    let json: Vec<Vec<&str>> = all
        .iter()
        .filter(|words| words.len() < 6)
        .map(|words| [&words[..], &["--json"]].concat())
        .collect();
    all.extend(json);
    for words in &all {
        for locale in ["C", "zh_CN.UTF-8"] {
            let output = stage.command(words).env("LC_ALL", locale).output().unwrap();
            let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
            let run = Run {
                code: output.status.code(),
                stdout: text(output.stdout),
                stderr: text(output.stderr),
            };
            is_harmless(&format!("{words:?} in {locale}"), &run);
        }
    }
    // The first words did what they say, or nothing was tested.
    let report = stage.run(&["show", "shop:1", "--json"]).ends_with(0).json();
    assert_eq!(report["contents"].as_array().unwrap().len(), 3);
    assert!(
        stage
            .run(&["show", "shop:1"])
            .stdout
            .contains("x?[2J??hint: all is well")
    );

    // A site that gets it, a volume that lacks something, and a release that lost something.
    stage.remove("store");
    for volume in stage::volumes(&stage.path("discs")) {
        let words = ["receive".as_ref(), volume.as_os_str()];
        is_harmless("receive", &stage.run(&words));
        is_harmless("status", &stage.run(&["status"]));
    }
    for pack in walkdir::WalkDir::new(stage.path("store")) {
        let pack = pack.unwrap();
        if pack.file_type().is_file() && pack.metadata().unwrap().len() > 100_000 {
            let mut bytes = fs::read(pack.path()).unwrap();
            let half = bytes.len() / 2;
            bytes[half..].fill(0xee);
            fs::write(pack.path(), bytes).unwrap();
        }
    }
    for words in [
        &["check", "--data"][..],
        &["checkout", "shop:1", "hurt"],
        &["checkout", "shop:1", "hurt-oci", "--as", "oci"],
        &["add", "shop:1", &folder],
        &["receipt"],
        &["list"],
        &["show", "shop:1"],
    ] {
        is_harmless(&format!("{words:?}, damaged"), &stage.run(words));
    }
}

#[test]
fn thirty_thousand_names_of_an_image_are_shown() {
    let stage = Stage::new();
    let image = made::docker_classic(&[Made::new("shop/web:1", "amd64", 11)]);
    let names: Vec<String> = (0..30_000).map(|no| format!("shop/web:1.{no}")).collect();
    let names = serde_json::to_string(&names).unwrap();
    let mut members = Vec::new();
    let mut old = tar::Archive::new(&image[..]);
    for entry in old.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut body = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut body).unwrap();
        if name == "manifest.json" {
            let text = String::from_utf8(body).unwrap();
            body = text.replace("[\"shop/web:1\"]", &names).into_bytes();
            assert!(body.len() > 300_000);
        }
        members.push((name, body));
    }
    stage.give("x.tar", &made::tar_of(&members));
    stage.add("shop:1");
    for locale in ["C", "zh_CN.UTF-8"] {
        let mut show = stage.command(&["show", "shop:1"]);
        let run = Run::from(show.env("LC_ALL", locale).output().unwrap()).ends_with(0);
        assert!(
            run.stdout.contains("shop/web:1.0, ") && run.stdout.contains("29,992"),
            "{run:#?}"
        );
        assert!(run.stdout.lines().all(|line| line.len() < 1000));
    }
    let report = stage.run(&["show", "shop:1", "--json"]).ends_with(0).json();
    assert_eq!(
        report["images"][0]["references"].as_array().unwrap().len(),
        30_000
    );
    for words in [
        &["checkout", "shop:1", "oci", "--as", "oci"][..],
        &["checkout", "shop:1", "x", "--as", "docker-archive"],
        &["pack", "shop:1", "--estimate"],
    ] {
        stage.run(words).ends_with(0);
    }
}

/// Whatever goes to a terminal passes the one module that makes it harmless.
#[test]
fn there_is_one_way_to_the_terminal() {
    let mut files = 0;
    for entry in walkdir::WalkDir::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let path = entry.unwrap().into_path();
        if path.extension().is_none_or(|end| end != "rs") || path.ends_with("cli/terminal.rs") {
            continue;
        }
        files += 1;
        let text = fs::read_to_string(&path).unwrap();
        for way in ["stdout().", "stdout()\n", "print!(", "println!("] {
            assert!(!text.contains(way), "{} has {way}", path.display());
        }
        let is_fault = path.ends_with("cli/fault.rs");
        let ways = text.matches("io::stderr()").count();
        assert_eq!(ways, usize::from(is_fault), "{}", path.display());
    }
    assert!(files > 100);
}
