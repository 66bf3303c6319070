//! Sealed sets: checked, repaired and staged by everybody, opened by the holder alone, and the plain program age on both
//! sides of them.

use crate::testkit::packed::files_below;
use crate::testkit::{golden, programs, stage};

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use age::secrecy::ExposeSecret;
use age::x25519;
use carryall::base::monitor::Silent;
use carryall::base::sealing::{Identities, SealTo};
use carryall::bundle::Catalog;
use carryall::volumes::{Blocks, discover};
use stage::kills::{Kills, words};
use stage::{Run, Stage, noise, volumes};

/// Names and words that stand nowhere outside of a sealed set.
const SECRETS: [&str; 5] = ["warehouse", "forklift", "crane-9", "hoist.bin", "plant7"];

/// A vendor with `warehouse:1`, `warehouse:2`, a key, and recipients in `site.age` and `other.age`.
fn vendor() -> (Stage, [String; 2]) {
    let stage = Stage::new();
    for (folder, more) in [("one", 0), ("two", 3000)] {
        let dir = stage.path(folder).join("forklift");
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("hoist.bin"), noise(3, 3_000_000)).unwrap();
        fs::write(dir.join("crane-9.txt"), "crane-9 lifts\n".repeat(more)).unwrap();
    }
    for (release, folder) in [("warehouse:1", "one"), ("warehouse:2", "two")] {
        let item = format!("{folder}/forklift");
        stage.run(&["add", release, &item]).ends_with(0);
    }
    let key = ["key", "new", "vendor.key", "--no-password"];
    stage.run(&key).ends_with(0);
    let recipients = ["site.age", "other.age"].map(|name| {
        let key = x25519::Identity::generate();
        let lines = format!("# {name}\n{}\n", key.to_string().expose_secret());
        fs::write(stage.path(name), lines).unwrap();
        key.to_public().to_string()
    });
    (stage, recipients)
}

#[track_caller]
fn pack(stage: &Stage, release: &str, to: &str, more: &[&str]) {
    let words = [
        "pack", release, "--to", to, "--media", "5MB", "--spare", "1",
    ];
    let words = [&words[..], &["--without-program"], more].concat();
    stage.run(&words).ends_with(0);
}

fn at_site(stage: &Stage, site: &str, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    let run = command.env("CARRYALL_STORE", stage.path(site)).output();
    run.unwrap().into()
}

#[track_caller]
fn comes_back(stage: &Stage, site: &str, release: &str, given: &str) {
    let back = format!("{site}-{}", release.replace(':', "-"));
    at_site(stage, site, &["checkout", release, &back]).ends_with(0);
    let (back, given) = (stage.path(&back), stage.path(given));
    assert!(
        files_below(&back) == files_below(&given),
        "{site} {release}"
    );
    at_site(stage, site, &["check", "--data"]).ends_with(0);
}

#[track_caller]
fn nothing_is_in(stage: &Stage, site: &str) {
    let listed = at_site(stage, site, &["--json", "list"]).ends_with(0);
    assert_eq!(listed.json()["releases"].as_array().unwrap().len(), 0);
    let packs = walkdir::WalkDir::new(stage.path(site).join("packs")).into_iter();
    let files = packs.flatten().filter(|entry| entry.file_type().is_file());
    assert_eq!(files.count(), 0, "nothing is written outside of staging");
    // What waits does so sealed.
    for (path, bytes) in files_below(&stage.path(site)) {
        assert_tells_nothing(&path, &bytes);
    }
}

#[track_caller]
fn assert_tells_nothing(path: &Path, bytes: &[u8]) {
    let name = path.to_string_lossy().into_owned();
    for secret in SECRETS {
        let is_there = |bytes: &[u8]| {
            let mut windows = bytes.windows(secret.len());
            windows.any(|window| window == secret.as_bytes())
        };
        assert!(!name.contains(secret), "{name}");
        assert!(!is_there(bytes), "{secret} in {name}");
    }
}

/// Overwrites a stretch in the middle of every volume.
fn scratch(folder: &Path) {
    for volume in volumes(folder) {
        let file = fs::read_dir(&volume).unwrap().flatten();
        let file = file.map(|entry| entry.path());
        let file = file
            .into_iter()
            .find(|path| path.extension().is_some_and(|kind| kind == "000"))
            .unwrap();
        let len = fs::metadata(&file).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(file).unwrap();
        file.write_all_at(&noise(9, 30_000), len / 2).unwrap();
    }
}

#[test]
fn anybody_repairs_a_sealed_set_and_its_holder_alone_opens_it() {
    let (stage, [site, other]) = vendor();
    let sealed = [
        "--seal-to",
        &site,
        "--sign",
        "vendor.key",
        "--site",
        "plant7",
    ];
    pack(&stage, "warehouse:1", "discs", &sealed);
    assert!(volumes(&stage.path("discs")).len() >= 3);
    for (path, bytes) in files_below(&stage.path("discs")) {
        assert_tells_nothing(&path, &bytes);
    }
    let said = stage.run(&["inspect", "discs"]).ends_with(0).stdout;
    assert!(said.contains("sealed for one recipient"), "{said}");
    assert_tells_nothing(Path::new("inspect"), said.as_bytes());

    // One who has nothing to open it with finds damage and repairs it.
    scratch(&stage.path("discs"));
    let lost = volumes(&stage.path("discs")).remove(1);
    fs::remove_dir_all(lost).unwrap();
    let verify = stage.run(&["verify", "discs"]);
    assert_eq!(verify.code, Some(3), "{verify:#?}");
    stage
        .run(&["repair", "discs", "--to", "mended"])
        .ends_with(0);
    stage.run(&["verify", "mended"]);
    for (path, bytes) in files_below(&stage.path("mended")) {
        assert_tells_nothing(&path, &bytes);
    }

    // One who has nothing stages and heals it, and is told what is needed.
    let trust = ["trust", "add", "vendor.pub"];
    at_site(&stage, "site", &trust).ends_with(0);
    let told = ["sealed", "receive --identity FILE"];
    at_site(&stage, "site", &["receive", "discs"]).fails_with(1, &told);
    nothing_is_in(&stage, "site");
    let status = at_site(&stage, "site", &["status"]).ends_with(4).stdout;
    assert!(status.contains("complete and sealed"), "{status}");
    let receipt = at_site(&stage, "site", &["receipt", "--json"]).ends_with(0);
    assert!(!receipt.stdout.contains("of_frames"), "{receipt:#?}");
    // One with another identity is refused.
    let wrong = ["receive", "--identity", "other.age"];
    at_site(&stage, "site", &wrong).fails_with(1, &["sealed for somebody else"]);
    at_site(
        &stage,
        "site",
        &["receive", "--passphrase-file", "vendor.pub"],
    )
    .fails_with(1, &["an identity of its recipients"]);
    nothing_is_in(&stage, "site");

    // The holder opens what waits, without any medium.
    at_site(&stage, "site", &["receive", "--identity", "site.age"]).ends_with(0);
    comes_back(&stage, "site", "warehouse:1", "one");
    let status = at_site(&stage, "site", &["status"]).ends_with(0).stdout;
    assert!(!status.contains("sealed"), "{status}");
    // Its other volumes are known from now on.
    let again = at_site(&stage, "site", &["receive", "discs"]).ends_with(0);
    assert!(again.stdout.contains("warehouse:1"), "{again:#?}");

    // What was repaired opens at once, and looking into it needs the identity.
    let both = ["receive", "mended", "discs", "--identity", "site.age"];
    at_site(&stage, "second", &both).ends_with(0);
    comes_back(&stage, "second", "warehouse:1", "one");
    pack(
        &stage,
        "warehouse:1",
        "fresh",
        &["--seal-to", &site, "--seal-to", &other],
    );
    for identity in ["site.age", "other.age"] {
        let look = ["inspect", "fresh", "--identity", identity];
        let said = stage.run(&look).ends_with(0).stdout;
        assert!(said.contains("sealed for 2 recipients"), "{said}");
        assert!(
            said.contains("warehouse:1") && said.contains("forklift"),
            "{said}"
        );
    }
    fs::write(
        stage.path("third.age"),
        x25519::Identity::generate().to_string().expose_secret(),
    )
    .unwrap();
    let look = ["inspect", "fresh", "--identity", "third.age"];
    stage
        .run(&look)
        .fails_with(1, &["sealed for somebody else"]);
}

#[test]
fn a_site_with_a_key_takes_no_sealed_set_that_the_key_did_not_sign() {
    let (stage, [site, _]) = vendor();
    at_site(&stage, "site", &["trust", "add", "vendor.pub"]).ends_with(0);
    pack(&stage, "warehouse:1", "unsigned", &["--seal-to", &site]);
    let open = ["receive", "unsigned", "--identity", "site.age"];
    at_site(&stage, "site", &open).fails_with(1, &["is not signed"]);
    nothing_is_in(&stage, "site");
    let signed = ["--seal-to", &site, "--sign", "vendor.key"];
    pack(&stage, "warehouse:1", "signed", &signed);
    let open = ["receive", "signed", "--identity", "site.age"];
    at_site(&stage, "site", &open).ends_with(0);
    comes_back(&stage, "site", "warehouse:1", "one");
}

#[test]
fn a_sealed_delta_waits_for_its_base_and_comes_in_one_file_too() {
    let (stage, [site, _]) = vendor();
    let delta = ["--seal-to", &site, "--since", "warehouse:1"];
    pack(&stage, "warehouse:2", "delta", &delta);
    let bare = [
        "pack",
        "warehouse:1",
        "--bare",
        "full.bare",
        "--seal-to",
        &site,
    ];
    stage.run(&bare).ends_with(0);
    let bytes = fs::read(stage.path("full.bare")).unwrap();
    assert_tells_nothing(Path::new("full.bare"), &bytes);
    let open = ["receive", "delta", "--identity", "site.age"];
    let run = at_site(&stage, "site", &open).ends_with(4);
    assert!(run.stdout.contains("warehouse:1"), "{run:#?}");
    // The base comes through a pipe, and the delta is opened again.
    let mut command = stage.command(&["receive", "-", "--identity", "site.age"]);
    command.env("CARRYALL_STORE", stage.path("site"));
    let file = fs::File::open(stage.path("full.bare")).unwrap();
    let run: Run = command.stdin(file).output().unwrap().into();
    run.ends_with(0);
    comes_back(&stage, "site", "warehouse:1", "one");
    at_site(&stage, "site", &["receive", "--identity", "site.age"]).ends_with(0);
    comes_back(&stage, "site", "warehouse:2", "two");
}

#[test]
fn a_passphrase_seals_and_opens() {
    let (stage, _) = vendor();
    fs::write(stage.path("right"), "correct horse\nmore\n").unwrap();
    fs::write(stage.path("wrong"), "battery staple\n").unwrap();
    pack(
        &stage,
        "warehouse:1",
        "discs",
        &["--passphrase-file", "right"],
    );
    let said = stage.run(&["inspect", "discs"]).ends_with(0).stdout;
    assert!(said.contains("sealed with a passphrase"), "{said}");
    let told = ["with a passphrase", "receive --passphrase"];
    at_site(&stage, "site", &["receive", "discs"]).fails_with(1, &told);
    at_site(&stage, "site", &["receive", "--identity", "site.age"]).fails_with(1, &told);
    let open = |file| ["receive", "--passphrase-file", file];
    at_site(&stage, "site", &open("wrong")).fails_with(1, &["passphrase is wrong"]);
    nothing_is_in(&stage, "site");
    at_site(&stage, "site", &open("right")).ends_with(0);
    comes_back(&stage, "site", "warehouse:1", "one");
}

#[test]
fn wrong_recipients_and_identities_are_told_before_anything_is_done() {
    let (stage, [site, _]) = vendor();
    let secret = fs::read_to_string(stage.path("site.age")).unwrap();
    let secret = secret.lines().last().unwrap().to_owned();
    fs::write(stage.path("list"), format!("# site\n{site}\nage1nobody\n")).unwrap();
    fs::write(stage.path("public.age"), format!("{site}\n")).unwrap();
    let pack = |more: &[&str]| {
        let words = ["pack", "warehouse:1", "--to", "x", "--media", "5MB"];
        stage.run(&[&words[..], more].concat())
    };
    pack(&["--seal-to", "age1nobody"]).fails_with(1, &["age1nobody", "age-keygen"]);
    pack(&["--recipients-file", "list"]).fails_with(1, &["list: line 3"]);
    let run = pack(&["--seal-to", &secret]).fails_with(1, &["an identity, which is secret"]);
    assert!(!run.stderr.contains(&secret));
    pack(&["--seal-to", &site, "--passphrase"]).fails_with(2, &["--passphrase"]);
    assert!(!stage.path("x").exists());
    let receive = |file: &str| at_site(&stage, "site", &["receive", "--identity", file]);
    receive("public.age").fails_with(1, &["line 1 is a recipient"]);
    receive("list").fails_with(1, &["line 2 is a recipient"]);
    receive("vendor.pub").fails_with(1, &["line 1 is not an age identity"]);
}

/// The payload of a sealed set that is whole: one age file.
fn age_file(volumes: &Path) -> Vec<u8> {
    let set = discover(&[volumes.to_owned()], &Silent)
        .unwrap()
        .sets
        .remove(0);
    let catalog = Catalog::from_bytes(&set.catalog().unwrap()).unwrap();
    assert!(catalog.is_sealed() && catalog.releases.is_empty());
    let sizes = set.descriptor().unwrap().payload_bytes.clone();
    let mut file = Vec::new();
    for place in catalog.places(&sizes) {
        let mut payload = set.payload_reader(place.volume_no).unwrap();
        payload.seek_to(place.offset + 56 + 4 * u64::from(place.entry.chunks));
        let mut piece = vec![0; place.entry.plain_bytes as usize];
        std::io::Read::read_exact(&mut payload, &mut piece).unwrap();
        file.extend(piece);
    }
    assert_eq!(set.geometry().header().spare_volumes, 1);
    file
}

#[test]
fn plain_age_opens_what_is_sealed_here_and_seals_what_is_opened_here() {
    if !programs::has(&["age", "age-keygen"]) {
        return;
    }
    let (stage, _) = vendor();
    let run = |program: &str, words: &[&str]| {
        let mut command = Command::new(program);
        let run = command.args(words).current_dir(stage.path("")).output();
        let run = run.unwrap();
        assert!(run.status.success(), "{program} {words:?}: {run:?}");
        String::from_utf8(run.stdout).unwrap()
    };
    run("age-keygen", &["-o", "plain.age"]);
    let recipient = run("age-keygen", &["-y", "plain.age"]);
    pack(
        &stage,
        "warehouse:1",
        "discs",
        &["--seal-to", recipient.trim()],
    );
    fs::write(stage.path("payload.age"), age_file(&stage.path("discs"))).unwrap();
    run(
        "age",
        &["-d", "-i", "plain.age", "-o", "opened.bare", "payload.age"],
    );
    at_site(&stage, "site", &["receive", "opened.bare"]).ends_with(0);
    comes_back(&stage, "site", "warehouse:1", "one");
    at_site(
        &stage,
        "other",
        &["receive", "discs", "--identity", "plain.age"],
    )
    .ends_with(0);
    comes_back(&stage, "other", "warehouse:1", "one");

    // The other way round, with lengths around the ends of age's pieces.
    let identities = Identities::read(&[stage.path("plain.age")], None).unwrap();
    for len in [0, 1, 65_535, 65_536, 200_000] {
        let plain = noise(5, len);
        fs::write(stage.path("plain"), &plain).unwrap();
        run("age", &["-r", recipient.trim(), "-o", "theirs", "plain"]);
        let theirs = fs::read(stage.path("theirs")).unwrap();
        let opened = identities.open(Arc::new(theirs)).unwrap();
        let mut back = vec![0; len + 1];
        let read = carryall::base::read_at::read_some(&opened, 0, &mut back).unwrap();
        assert_eq!(back[..read], plain);
    }
    assert!(SealTo::recipients(&[recipient.trim().to_owned()], &[]).is_ok());
}

#[test]
fn sealing_costs_less_than_a_thousandth_of_the_size() {
    let (stage, [site, other]) = vendor();
    fs::create_dir_all(stage.path("large")).unwrap();
    fs::write(stage.path("large/noise"), noise(8, 24_000_000)).unwrap();
    stage.run(&["add", "large:1", "large/noise"]).ends_with(0);
    let pack = |file: &str, more: &[&str]| {
        let words = [&["pack", "large:1", "--bare", file][..], more].concat();
        stage.run(&words).ends_with(0);
        fs::metadata(stage.path(file)).unwrap().len()
    };
    let open = pack("open", &[]);
    let sealed = pack("sealed", &["--seal-to", &site, "--seal-to", &other]);
    assert!(sealed < open + open / 1000, "{open} {sealed}");
}

#[test]
fn a_kill_while_a_sealed_set_is_opened_loses_nothing() {
    let (mut stage, [site, _]) = vendor();
    pack(&stage, "warehouse:2", "discs", &["--seal-to", &site]);
    stage.store = "site";
    let open = words("receive discs --identity site.age");
    let kills = Kills::timed(&stage, &open, 1, 6);
    let check = |_| {
        stage.run(&open).ends_with(0);
        stage.store_is_well();
    };
    kills.of(&stage, &open, || stage.remove("site"), check);
    comes_back(&stage, "site", "warehouse:2", "two");
}

#[test]
fn each_packing_is_another_set() {
    let (stage, [site, _]) = vendor();
    let names = |to: &str| -> Vec<PathBuf> {
        pack(&stage, "warehouse:1", to, &["--seal-to", &site]);
        let volumes = volumes(&stage.path(to)).into_iter();
        volumes
            .map(|path| path.file_name().unwrap().into())
            .collect()
    };
    let (one, two) = (names("one-set"), names("two-sets"));
    assert_ne!(one, two);
    assert!(one[0].to_string_lossy().starts_with("sealed-"), "{one:?}");
    // A folder that has a sealed set already takes another one beside it.
    pack(&stage, "warehouse:1", "one-set", &["--seal-to", &site]);
}

/// What is in the golden files.
fn write_golden(dir: &Path) {
    fs::create_dir_all(dir.join("tree")).unwrap();
    fs::write(dir.join("tree/blob"), noise(1, 9_000)).unwrap();
    fs::write(
        dir.join("tree/readme.txt"),
        "words, words, words\n".repeat(100),
    )
    .unwrap();
}

/// Files there are never edited. The release is `golden:1`.
#[test]
fn golden_bare_bundles_are_received_for_ever() {
    let (stage, [site, _]) = vendor();
    write_golden(&stage.path("golden"));
    let kept = golden::path("bare");
    // Only to make them; golden files are never edited.
    if golden::is_made(&kept.join("full.bare")) {
        fs::create_dir_all(&kept).unwrap();
        stage.run(&["add", "golden:1", "golden/tree"]).ends_with(0);
        let pack = [
            "pack",
            "golden:1",
            "--sign",
            "vendor.key",
            "--date",
            "2026-11-29",
            "--bare",
        ];
        stage
            .run(&[&pack[..], &["full.bare"]].concat())
            .ends_with(0);
        let sealed = ["sealed.bare", "--seal-to", &site];
        stage.run(&[&pack[..], &sealed].concat()).ends_with(0);
        for name in ["full.bare", "sealed.bare", "site.age", "vendor.pub"] {
            fs::copy(stage.path(name), kept.join(name)).unwrap();
        }
    }
    assert_eq!(
        fs::read_dir(&kept).unwrap().count(),
        4,
        "a file that no test reads"
    );
    let at = |name: &str| kept.join(name).to_str().unwrap().to_owned();
    for (file, place) in [("full.bare", "open-site"), ("sealed.bare", "sealed-site")] {
        at_site(&stage, place, &["trust", "add", &at("vendor.pub")]).ends_with(0);
        let receive = ["receive", &at(file), "--identity", &at("site.age")];
        at_site(&stage, place, &receive).ends_with(0);
        comes_back(&stage, place, "golden:1", "golden");
    }
}
