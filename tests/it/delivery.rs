//! What the person who makes and checks the media is told: hints by what was given, preconditions before the work, the
//! plan alone, one disc at hand, the map and the page on each volume.

use crate::testkit::stage;

use std::fs;
use std::path::Path;

use stage::{Run, Stage, noise, visible};

const MEDIA: &str = "6MB";

/// A stage with a small release in its store.
fn stage() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(2, 3_000_000)).unwrap();
    let add = ["add", "shop:1.0", "given/setup.bin"];
    stage.run(&add).ends_with(0);
    stage
}

/// `pack shop:1.0` with more words.
fn pack(stage: &Stage, more: &[&str]) -> Run {
    stage.run(&[&["pack", "shop:1.0"], more].concat())
}

fn in_chinese(stage: &Stage, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    command.env("LC_ALL", "zh_CN.UTF-8");
    command.output().unwrap().into()
}

fn has_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn what_is_no_volume_gets_a_hint_of_its_own() {
    let stage = stage();
    let long = |start: &[u8]| {
        let mut bytes = start.to_vec();
        bytes.resize(300_000, 7);
        bytes
    };
    let mut tar = vec![0; 300_000];
    tar[257..262].copy_from_slice(b"ustar");
    fs::create_dir(stage.path("empty")).unwrap();
    fs::create_dir(stage.path("pages")).unwrap();
    fs::write(stage.path("pages/START-HERE.html"), "x").unwrap();
    let given: [(&str, Vec<u8>, &str); 7] = [
        ("v.zip", long(b"PK\x03\x04"), "unpack it first"),
        ("v.iso.gz", long(b"\x1f\x8b"), "holds no volume"),
        ("v.tar", tar, "carryall add"),
        ("v.iso.002", long(b"x"), "bring all pieces into one folder"),
        ("page.iso", long(b"<!DOCTYPE html>"), "fetch the file again"),
        ("zeros.iso", vec![0; 400_000], "copy or burn it again"),
        ("other.iso", long(b"x"), "right disc"),
    ];
    for (name, bytes, hint) in &given {
        fs::write(stage.path(name), bytes).unwrap();
        for command in ["verify", "inspect", "receive"] {
            stage.run(&[command, name]).fails_with(1, &[name, hint]);
        }
    }
    for (name, hint) in [
        ("empty", "is it mounted"),
        ("pages", "carry01.000"),
        ("store", "--store DIR"),
        ("none", "no such file"),
    ] {
        let run = stage.run(&["verify", name]).fails_with(1, &[hint]);
        assert!(!run.stderr.contains("right disc"), "{run:#?}");
    }
    for name in given
        .iter()
        .map(|(name, ..)| *name)
        .chain(["empty", "none"])
    {
        let run = in_chinese(&stage, &["verify", name]).ends_with(1);
        let lines: Vec<&str> = run.stderr.lines().collect();
        assert!(
            lines.iter().any(|line| line.starts_with("错误")),
            "{run:#?}"
        );
        assert!(lines.iter().all(|line| has_chinese(line)), "{run:#?}");
        assert!(lines.last().unwrap().starts_with("提示"), "{run:#?}");
    }
}

#[test]
fn media_and_receipts_that_are_none_are_told_with_what_is_meant() {
    let stage = stage();
    for (media, meant) in [
        ("4.7", "4.7GB"),
        ("25", "25GB"),
        ("4,7GB", "4.7GB"),
        ("４，７ＧＢ", "4.7GB"),
        ("dvdd", "dvd"),
        ("floppy", "cd, dvd"),
    ] {
        let run = pack(&stage, &["--media", media, "--to", "d"]);
        run.fails_with(2, &[media, meant]);
        let words = ["pack", "shop:1.0", "--media", media, "--to", "d"];
        let run = in_chinese(&stage, &words).ends_with(2);
        assert!(run.stderr.lines().all(has_chinese), "{run:#?}");
    }
    for media in ["DVD-R", "cd-rw", "dvd5", "４.７GB", "Blu-ray"] {
        pack(&stage, &["--media", media, "--plan"]).ends_with(0);
    }
    for receipt in ["plant7.receipt", "plant7", "/nowhere/receipt"] {
        let more = ["--media", MEDIA, "--to", "d", "--for", receipt];
        let run = pack(&stage, &more).fails_with(1, &[receipt, "no such file"]);
        assert!(!run.stderr.contains("line 1"), "{run:#?}");
    }
    let run = pack(&stage, &["--media", MEDIA, "--to", "d", "--for", "given"]);
    run.fails_with(1, &["given", "folder"]);
    pack(&stage, &["--media", "3.5MB", "--to", "d"]).fails_with(1, &["too small", "larger"]);
    assert!(!stage.path("d").exists());
}

#[test]
fn a_version_before_the_first_is_not_called_newer() {
    let stage = stage();
    let settings = stage.path("store/carryall.toml");
    let text = fs::read_to_string(&settings).unwrap();
    fs::write(&settings, text.replace("format = 1", "format = 0")).unwrap();
    let run = stage.run(&["list"]).fails_with(1, &["format 0"]);
    assert!(!run.stderr.contains("newer"), "{run:#?}");
    fs::write(&settings, text.replace("format = 1", "format = 2")).unwrap();
    stage.run(&["list"]).fails_with(1, &["newer"]);
}

#[test]
fn what_would_keep_the_set_from_being_written_is_told_before_it_is_compressed() {
    let stage = stage();
    let told_before_the_plan = |run: Run, code: i32, words: &[&str]| {
        let run = run.fails_with(code, words);
        assert!(!run.stderr.contains("plan:"), "{run:#?}");
    };
    let many = ["--media", MEDIA, "--spare", "400", "--to", "d"];
    told_before_the_plan(pack(&stage, &many), 1, &["400 spare", "--many-spares"]);
    let mut no_xorriso =
        stage.command(&["pack", "shop:1.0", "--media", "cd", "--iso", "--to", "d"]);
    let run: Run = no_xorriso
        .env("PATH", "/nonexistent")
        .output()
        .unwrap()
        .into();
    told_before_the_plan(run, 1, &["xorriso is not installed", "--iso"]);
    let onto_file = ["--media", MEDIA, "--to", "given/setup.bin/d"];
    told_before_the_plan(pack(&stage, &onto_file), 1, &["given/setup.bin/d"]);
    assert!(!stage.path("d").exists());

    let discs = ["--media", MEDIA, "--spare", "1", "--to", "discs"];
    pack(&stage, &discs).ends_with(0);
    told_before_the_plan(pack(&stage, &discs), 1, &["exists already", "--to"]);
    // Another set in the same folder is nobody's business.
    pack(&stage, &["--media", MEDIA, "--spare", "2", "--to", "discs"]).ends_with(0);
    // Many spares are written when they are meant.
    let meant = ["--media", MEDIA, "--spare", "9", "--many-spares", "--plan"];
    assert!(pack(&stage, &meant).ends_with(0).stdout.contains("9 spare"));
}

#[test]
fn the_plan_alone_is_the_plan_that_is_carried_out_and_writes_nothing() {
    let stage = stage();
    let before = visible(&stage.path("."));
    let run = pack(&stage, &["--media", MEDIA, "--spare", "1", "--plan"]).ends_with(0);
    assert!(run.stdout.contains("any 1 volume may be lost"), "{run:#?}");
    assert_eq!(visible(&stage.path(".")), before);
    let json = pack(
        &stage,
        &["--media", MEDIA, "--spare", "1", "--plan", "--json"],
    )
    .ends_with(0)
    .json();
    let words = ["--media", MEDIA, "--spare", "1", "--to", "discs", "--json"];
    let written = pack(&stage, &words).ends_with(0).json();
    for what in [
        "data_volumes",
        "volume_bytes",
        "payload_bytes",
        "any_volumes",
        "needed_bytes",
    ] {
        assert_eq!(json[what], written["plan"][what], "{what}");
    }
    let missing = ["--media", MEDIA, "--plan", "--to", "not/there"];
    pack(&stage, &missing).ends_with(0);
    assert!(!stage.path("not").exists());
    let sets = fs::read_dir(stage.path("store/sets")).map_or(0, Iterator::count);
    assert_eq!(sets, 1, "the set that was written alone is remembered");
}

#[test]
fn one_disc_that_was_burned_well_is_whole_whatever_the_set_lacks() {
    let stage = stage();
    pack(&stage, &["--media", MEDIA, "--spare", "1", "--to", "discs"]).ends_with(0);
    let volumes = visible(&stage.path("discs"));
    let first = volumes[0].to_str().unwrap();
    stage.run(&["verify", first]).ends_with(4);
    let run = stage.run(&["verify", "--at-hand", first]).ends_with(0);
    assert!(
        run.stdout.contains("at hand and whole: volume 1"),
        "{run:#?}"
    );
    let json = stage
        .run(&["verify", "--at-hand", "--json", first])
        .ends_with(0)
        .json();
    assert_eq!(json["at_hand_whole"], true);
    let run = in_chinese(&stage, &["verify", "--at-hand", first]).ends_with(0);
    assert!(run.stdout.contains("手头的第 1 卷完好"), "{run:#?}");

    // A path beside it that holds nothing is not passed over.
    let run = stage
        .run(&["verify", "--at-hand", first, "given"])
        .ends_with(3);
    assert!(
        run.stdout.contains("no carryall volume in given"),
        "{run:#?}"
    );
    stage
        .run(&["verify", "--at-hand", first, first])
        .ends_with(0);
    stage
        .run(&["verify", "--at-hand", "discs", first])
        .ends_with(0);

    let carrier = visible(&volumes[0])
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "000"))
        .unwrap();
    let mut bytes = fs::read(&carrier).unwrap();
    bytes[70_000] ^= 1;
    fs::write(&carrier, bytes).unwrap();
    let run = stage.run(&["verify", "--at-hand", first]).ends_with(3);
    assert!(run.stdout.contains("NOT whole: volume 1"), "{run:#?}");
    let json = stage
        .run(&["verify", "--at-hand", "--json", first])
        .ends_with(3)
        .json();
    assert_eq!(json["at_hand_whole"], false);
}

#[test]
fn the_map_calls_a_volume_that_was_not_given_not_given() {
    let stage = stage();
    pack(&stage, &["--media", MEDIA, "--spare", "1", "--to", "discs"]).ends_with(0);
    let volumes = visible(&stage.path("discs"));
    let given: Vec<&str> = volumes
        .iter()
        .skip(1)
        .map(|path| path.to_str().unwrap())
        .collect();
    let words = [&["verify", "--map", "map.html"], &given[..]].concat();
    stage.run(&words).ends_with(3);
    let page = fs::read_to_string(stage.path("map.html")).unwrap();
    assert!(
        page.contains("Not given: 1.") && !page.contains("blocks are damaged"),
        "{page}"
    );
    let words = ["verify", "--map", "one.html", given[0]];
    stage.run(&words).ends_with(4);
    let page = fs::read_to_string(stage.path("one.html")).unwrap();
    for said in [
        "Not given: 1",
        "Fetch",
        "请取来",
        "carryall receipt",
        "width=device-width",
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
}

#[test]
fn the_page_on_each_volume_says_what_comes_next_and_whom_to_ask_and_is_the_same_every_time() {
    let stage = stage();
    let contact = "Zhang <z@example.com> & 张三";
    let page = |to: &str, name: &str| {
        let folder = visible(&stage.path(to)).remove(0);
        fs::read_to_string(folder.join(name)).unwrap()
    };
    let run = |to: &str, epoch: &str, more: &[&str]| -> Run {
        let words = [&["pack", "shop:1.0", "--media", MEDIA, "--to", to], more].concat();
        let mut command = stage.command(&words);
        command.env("SOURCE_DATE_EPOCH", epoch);
        command.output().unwrap().into()
    };
    run("a", "951782400", &["--contact", contact]).ends_with(0);
    let text = page("a", "START-HERE.txt");
    let html = page("a", "START-HERE.html");
    for said in [
        "2000-02-29",
        "carryall checkout shop:1.0 DIR",
        "carryall load shop:1.0",
        "3.00 MB",
        "程序在哪里",
    ] {
        assert!(text.contains(said) && html.contains(said), "{said}: {text}");
    }
    assert!(text.contains(contact) && html.contains("Zhang &lt;z@example.com&gt; &amp; 张三"));
    let set = visible(&stage.path("a"))[0]
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()[9..17]
        .to_owned();
    assert!(
        text.contains(&set) && html.contains(&format!("<b>{set}</b>")),
        "{set}: {text}"
    );

    run("b", "951782400", &["--contact", contact]).ends_with(0);
    assert_eq!(page("b", "START-HERE.html"), html);
    let names = |to: &str| -> Vec<_> {
        visible(&stage.path(to))
            .iter()
            .map(|path| path.file_name().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("a"), names("b"));
    // Rebuilt volumes have the same page.
    let first = visible(&stage.path("a")).remove(0);
    let repair = ["repair", "a", "--to", "again", "--volume", "1"];
    stage.run(&repair).ends_with(0);
    let rebuilt = visible(&stage.path("again")).remove(0);
    same(&first, &rebuilt);

    run("c", "", &["--date", "2026-11-28"]).ends_with(0);
    assert!(page("c", "START-HERE.txt").contains("2026-11-28"));
    run("d", "soon", &[]).fails_with(2, &["SOURCE_DATE_EPOCH"]);
    run("d", "", &["--date", "2026-02-30"]).fails_with(2, &["2026-11-28"]);
    let long = "x".repeat(201);
    for bad in [long.as_str(), "", "two\nlines", "\u{1b}[2J"] {
        run("d", "", &["--contact", bad]).fails_with(2, &["--contact"]);
    }
    assert!(!stage.path("d").exists());
}

fn same(one: &Path, other: &Path) {
    for file in visible(one) {
        let name = file.file_name().unwrap();
        assert!(
            fs::read(&file).unwrap() == fs::read(other.join(name)).unwrap(),
            "{name:?}"
        );
    }
}

#[test]
fn a_mounted_medium_is_asked_what_it_has_room_for() {
    let stage = stage();
    let run = pack(&stage, &["--media-at", ".", "--plan", "--json"])
        .ends_with(0)
        .json();
    let free = rustix::fs::statvfs(stage.path(".")).unwrap();
    let medium = run["medium_bytes"].as_u64().unwrap();
    assert!(medium > 0 && medium < free.f_blocks * free.f_frsize);
    pack(&stage, &["--media-at", "nowhere", "--plan"]).fails_with(1, &["nowhere"]);
    let both = ["--media-at", ".", "--media", "cd", "--plan"];
    pack(&stage, &both).ends_with(2);
}
