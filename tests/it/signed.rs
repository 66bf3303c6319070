//! Sets that are signed, and the plain program minisign on both sides of them.

use crate::testkit::{programs, stage};

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use carryall::base::signing::{PublicKey, Signature, SignatureVerdict};
use stage::{Stage, noise, volumes};

/// A stage with a key and a release, signed on one volume and a spare.
fn signed_stage() -> Stage {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 400_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    stage
        .run(&["key", "new", "vendor.key", "--no-password"])
        .ends_with(0);
    pack(&stage, "discs", &["--sign", "vendor.key"]);
    stage
}

#[track_caller]
fn pack(stage: &Stage, to: &str, more: &[&str]) {
    let mut words = vec![
        "pack",
        "shop:1.0",
        "--to",
        to,
        "--media",
        "6MB",
        "--date",
        "2026-11-28",
        "--spare",
        "0",
        "--without-program",
    ];
    words.extend(more);
    stage.run(&words).ends_with(0);
}

fn first(stage: &Stage, folder: &str) -> PathBuf {
    volumes(&stage.path(folder)).remove(0)
}

fn minisign(words: &[&str], folder: &Path) -> std::process::Output {
    let mut command = Command::new("minisign");
    command.args(words).current_dir(folder).output().unwrap()
}

const CHECK: [&str; 6] = ["-V", "-H", "-m", "signed.txt", "-x", "signed01.sig"];

#[test]
fn plain_minisign_checks_what_stands_on_a_volume() {
    if !programs::has(&["minisign"]) {
        return;
    }
    let stage = signed_stage();
    let volume = first(&stage, "discs");
    let public = stage.path("vendor.pub");
    let words = [&CHECK[..], &["-p", public.to_str().unwrap()]].concat();
    let out = minisign(&words, &volume);
    let said = String::from_utf8_lossy(&out.stdout);
    assert!(out.status.success(), "{out:?}");
    assert!(said.contains("2026-11-28: shop:1.0"), "{said}");

    // The statement is the root that our own reader finds.
    let report = stage
        .run(&["inspect", "discs", "--json"])
        .ends_with(0)
        .json();
    let id = report["sets"][0]["set_id"].as_str().unwrap().to_owned();
    let statement = fs::read_to_string(volume.join("signed.txt")).unwrap();
    let lines: Vec<&str> = statement.lines().collect();
    assert_eq!(lines[0], "carryall volume set, statement 1");
    assert_eq!(lines[1], format!("set: {id}"));
    assert!(
        lines[2]
            .strip_prefix("blake3: ")
            .is_some_and(|root| { root.len() == 64 && root.starts_with(&id) })
    );
    assert_eq!(lines[3..], ["title: shop:1.0"]);

    // A changed statement, and the signature of another set.
    fs::write(volume.join("signed.txt"), statement.replace("1.0", "1.1")).unwrap();
    assert!(!minisign(&words, &volume).status.success());
    fs::write(volume.join("signed.txt"), &statement).unwrap();
    pack(
        &stage,
        "others",
        &["--sign", "vendor.key", "--contact", "someone"],
    );
    let other = first(&stage, "others").join("signed01.sig");
    fs::copy(other, volume.join("signed01.sig")).unwrap();
    assert!(!minisign(&words, &volume).status.success());
}

#[test]
fn a_key_and_a_signature_of_plain_minisign_are_as_good_as_ours() {
    if !programs::has(&["minisign"]) {
        return;
    }
    let stage = signed_stage();
    let dir = stage.path("");
    let make = ["-G", "-W", "-p", "mini.pub", "-s", "mini.key"];
    assert!(minisign(&make, &dir).status.success());
    pack(&stage, "minis", &["--sign", "mini.key"]);
    let volume = first(&stage, "minis");
    let public = stage.path("mini.pub");
    let words = [&CHECK[..], &["-p", public.to_str().unwrap()]].concat();
    assert!(minisign(&words, &volume).status.success());

    // It signs our statement, with our key and with its own.
    fs::copy(volume.join("signed.txt"), stage.path("signed.txt")).unwrap();
    let statement = fs::read(stage.path("signed.txt")).unwrap();
    for (key, public) in [("mini.key", "mini.pub"), ("vendor.key", "vendor.pub")] {
        let words = [
            "-S",
            "-W",
            "-s",
            key,
            "-m",
            "signed.txt",
            "-x",
            "theirs.sig",
            "-t",
            "theirs",
        ];
        let out = minisign(&words, &dir);
        assert!(out.status.success(), "{out:?}");
        let key = PublicKey::read(&fs::read_to_string(stage.path(public)).unwrap()).unwrap();
        let theirs = Signature::of_file(&key, &fs::read(stage.path("theirs.sig")).unwrap());
        let SignatureVerdict::Right(by) = theirs.judge(&statement) else {
            panic!("{public}");
        };
        assert_eq!((by.key, &by.comment[..]), (key, "theirs"));
        assert_eq!(theirs.judge(b"another text"), SignatureVerdict::Wrong);
    }
}

#[test]
fn a_signed_set_is_the_same_set_and_the_same_bytes_each_time() {
    let stage = signed_stage();
    pack(&stage, "again", &["--sign", "vendor.key"]);
    pack(&stage, "bare", &[]);
    let read = |folder: &str, name: &str| fs::read(first(&stage, folder).join(name));
    for name in [
        "carry01.000",
        "signed.txt",
        "signed01.sig",
        "START-HERE.html",
    ] {
        assert_eq!(
            read("discs", name).unwrap(),
            read("again", name).unwrap(),
            "{name}"
        );
    }
    // Without a signature it has the same id, and nothing of one.
    assert_eq!(
        first(&stage, "discs").file_name(),
        first(&stage, "bare").file_name()
    );
    assert!(read("bare", "signed.txt").is_err());
    let (with, without) = (read("discs", "carry01.000"), read("bare", "carry01.000"));
    let (with, without) = (with.unwrap(), without.unwrap());
    let block_bytes = 1_usize << with[5];
    let blocks = with.chunks(block_bytes).zip(without.chunks(block_bytes));
    let differ = blocks.filter(|(one, other)| one != other).count();
    assert_eq!(differ, 5, "the superblocks alone have it");
}

#[test]
fn media_say_who_signed_them_and_a_site_says_by_which_name_it_knows_them() {
    let stage = signed_stage();
    stage
        .run(&["key", "new", "second.key", "--no-password"])
        .ends_with(0);
    pack(
        &stage,
        "both",
        &["--sign", "vendor.key", "--sign", "second.key"],
    );
    stage
        .run(&["trust", "add", "vendor.pub", "--name", "Example Ltd"])
        .ends_with(0);
    let facts = stage
        .run(&["key", "show", "vendor.pub", "--json"])
        .ends_with(0)
        .json();
    for command in ["inspect", "verify"] {
        let said = stage.run(&[command, "both"]).ends_with(0).stdout;
        let id = facts["key_id"].as_str().unwrap();
        let line = format!("  signed by Example Ltd (key {id}): carryall set ");
        assert!(said.contains(&line), "{said}");
        assert!(
            said.contains("which nobody trusts here (fingerprint "),
            "{said}"
        );
        let report = stage.run(&[command, "both", "--json"]).json();
        let signed = &report["sets"][0]["signed"];
        assert_eq!(signed["signers"][0]["trusted_as"], "Example Ltd");
        assert_eq!(signed["signers"][0]["fingerprint"], facts["fingerprint"]);
        assert!(signed["signers"][1]["trusted_as"].is_null());
        assert_eq!(signed["wrong_signatures"], 0);
    }
    pack(&stage, "bare", &[]);
    let said = stage.run(&["inspect", "bare"]).ends_with(0).stdout;
    assert!(said.contains("  not signed\n"), "{said}");
}

#[test]
fn a_rebuilt_volume_has_its_signatures_again() {
    let stage = signed_stage();
    let volume = first(&stage, "discs");
    let name = volume.file_name().unwrap();
    let repair = ["repair", "discs", "--to", "new", "--volume", "1"];
    stage.run(&repair).ends_with(0);
    let files = [
        "carry01.000",
        "signed.txt",
        "signed01.sig",
        "START-HERE.txt",
        "START-HERE.html",
    ];
    for file in files {
        let (old, new) = (volume.join(file), stage.path("new").join(name).join(file));
        assert_eq!(fs::read(old).unwrap(), fs::read(new).unwrap(), "{file}");
    }
}

#[test]
fn no_key_is_replaced_and_only_its_owner_reads_a_secret_one() {
    let stage = Stage::new();
    fs::write(stage.path("password"), "correct horse\nrest\n").unwrap();
    let new = ["key", "new", "a.key", "--password-file", "password"];
    let made = stage.run(&new).ends_with(0);
    let mode = |name: &str| fs::metadata(stage.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("a.key"), mode("a.pub")), (0o600, 0o644));
    assert!(made.stdout.contains("fingerprint"), "{made:#?}");
    let before = [fs::read(stage.path("a.key")), fs::read(stage.path("a.pub"))].map(Result::unwrap);
    for there in ["a.key", "a.pub"] {
        stage.run(&new).fails_with(1, &["a.", "is there already"]);
        fs::rename(stage.path(there), stage.path("aside")).unwrap();
        if there == "a.pub" {
            stage.run(&new).fails_with(1, &["a.key is there already"]);
        }
        fs::rename(stage.path("aside"), stage.path(there)).unwrap();
    }
    let after = [fs::read(stage.path("a.key")), fs::read(stage.path("a.pub"))].map(Result::unwrap);
    assert_eq!(before, after);
    stage
        .run(&["key", "new", "b.pub", "--no-password"])
        .fails_with(1, &["public"]);
    // Nobody is there to be asked.
    let mut command = stage.command(&["key", "new", "c.key"]);
    rustix_setsid(&mut command);
    let run: stage::Run = command.output().unwrap().into();
    run.fails_with(1, &["no terminal", "--password-file"]);
    assert!(!stage.path("c.key").exists() && !stage.path("c.pub").exists());
}

/// Without a terminal, even when the tests have one.
fn rustix_setsid(command: &mut Command) {
    let program = command.get_program().to_owned();
    let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let dir = command.get_current_dir().unwrap().to_owned();
    *command = Command::new("setsid");
    command
        .arg("-w")
        .arg(program)
        .args(words)
        .current_dir(dir)
        .env("LC_ALL", "C");
}

#[test]
fn a_password_opens_its_key_and_another_one_does_not() {
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 100_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    fs::write(stage.path("right"), "correct horse\n").unwrap();
    fs::write(stage.path("wrong"), "battery staple\n").unwrap();
    stage
        .run(&["key", "new", "a.key", "--password-file", "right"])
        .ends_with(0);
    let words = |to: &'static str| {
        vec![
            "pack", "shop:1.0", "--to", to, "--media", "6MB", "--sign", "a.key",
        ]
    };
    let with = |to, password| [words(to), vec!["--password-file", password]].concat();
    stage
        .run(&with("no", "wrong"))
        .fails_with(1, &["a.key", "password is wrong"]);
    assert!(
        !stage.path("no").exists(),
        "nothing is packed before the key is open"
    );
    stage.run(&with("yes", "right")).ends_with(0);
    let mut by_variable = stage.command(&words("var"));
    let run: stage::Run = by_variable
        .env("CARRYALL_KEY_PASSWORD", "correct horse")
        .output()
        .unwrap()
        .into();
    run.ends_with(0);
    stage
        .run(&[
            "pack", "shop:1.0", "--to", "no", "--media", "6MB", "--sign", "a.pub",
        ])
        .fails_with(1, &["a.pub", "not a secret key"]);
    stage
        .run(&["trust", "add", "a.key"])
        .fails_with(1, &["a.key", "secret key"]);
}

/// Runs a command on a terminal of its own. Each text is typed once its prompt is there and the terminal no longer shows what
/// is typed. Returns all that the terminal showed.
fn on_a_terminal(stage: &Stage, words: &str, typed: &[(&str, &str)]) -> String {
    let program = env!("CARGO_BIN_EXE_carryall");
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("tty; exec {program} {words}"), "/dev/null"])
        .env("LC_ALL", "C")
        .env("CARRYALL_STORE", stage.path(stage.store))
        .current_dir(stage.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut keys, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut waiting) = (String::new(), typed.iter().peekable());
    let mut piece = [0; 1024];
    loop {
        let len = screen.read(&mut piece).unwrap();
        if len == 0 {
            break;
        }
        shown.push_str(&String::from_utf8_lossy(&piece[..len]));
        while let Some((_, text)) = waiting.next_if(|(prompt, _)| shown.contains(prompt)) {
            wait_until_hidden(shown.lines().next().unwrap());
            keys.write_all(format!("{text}\n").as_bytes()).unwrap();
        }
    }
    child.wait().unwrap();
    assert!(waiting.peek().is_none(), "{shown}");
    shown
}

/// Waits until a terminal echoes nothing.
fn wait_until_hidden(terminal: &str) {
    for _ in 0..1000 {
        let mut command = Command::new("stty");
        let out = command.args(["-a", "-F", terminal]).output().unwrap();
        let modes = String::from_utf8(out.stdout).unwrap();
        if modes.split_whitespace().any(|mode| mode == "-echo") {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{terminal} shows what is typed");
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_never_shown() {
    if !programs::has(&["script"]) {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 100_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    let again = [
        ("password for the new key", "correct horse"),
        ("the same again", "battery staple"),
    ];
    let shown = on_a_terminal(&stage, "key new a.key", &again);
    assert!(shown.contains("the two passwords differ"), "{shown}");
    let again = again.map(|(prompt, _)| (prompt, "correct horse"));
    let shown = on_a_terminal(&stage, "key new a.key", &again);
    assert!(
        shown.contains("the secret key is in a.key") && !shown.contains("correct horse"),
        "{shown}"
    );
    let pack = "pack shop:1.0 --media 6MB --sign a.key --to";
    let asked = "password of a.key";
    let wrong = on_a_terminal(&stage, &format!("{pack} no"), &[(asked, "battery staple")]);
    assert!(wrong.contains("password is wrong"), "{wrong}");
    assert!(!stage.path("no").exists());
    on_a_terminal(&stage, &format!("{pack} yes"), &[(asked, "correct horse")]);
    let said = stage.run(&["inspect", "yes"]).ends_with(0).stdout;
    assert!(said.contains(&stage.key_id("a.pub")), "{said}");
}

/// What stands before a point of SM2 in the form of public keys that OpenSSL reads.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03, 0x42, 0x00,
];

fn openssl(stage: &Stage, words: &[&str]) -> std::process::Output {
    let mut command = Command::new("openssl");
    command
        .args(words)
        .current_dir(stage.path(""))
        .output()
        .unwrap()
}

/// A number of a signature in DER.
fn der_number(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|byte| *byte != 0).unwrap();
    let mut bytes = bytes[first..].to_vec();
    if bytes[0] >= 0x80 {
        bytes.insert(0, 0);
    }
    [&[2, u8::try_from(bytes.len()).unwrap()], &bytes[..]].concat()
}

/// A signature of 64 bytes, as OpenSSL reads it.
fn to_der(raw: &[u8]) -> Vec<u8> {
    let body = [der_number(&raw[..32]), der_number(&raw[32..])].concat();
    [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat()
}

/// A signature of OpenSSL as 64 bytes.
fn of_der(der: &[u8]) -> Vec<u8> {
    let mut raw = Vec::new();
    let mut at = 2;
    for _ in 0..2 {
        let len = usize::from(der[at + 1]);
        let number = &der[at + 2..at + 2 + len];
        let number = &number[number.len().saturating_sub(32)..];
        raw.extend(vec![0; 32 - number.len()]);
        raw.extend_from_slice(number);
        at += 2 + len;
    }
    raw
}

const SM3: [&str; 6] = [
    "-rawin",
    "-digest",
    "sm3",
    "-pkeyopt",
    "distid:1234567812345678",
    "-in",
];

#[test]
fn openssl_and_carryall_agree_on_sm2() {
    if !programs::has(&["openssl"]) {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 100_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    stage
        .run(&[
            "key",
            "new",
            "sm.key",
            "--no-password",
            "--algorithm",
            "sm2",
        ])
        .ends_with(0);
    pack(&stage, "discs", &["--sign", "sm.key"]);
    stage.run(&["trust", "add", "sm.pub"]).ends_with(0);
    let said = stage.run(&["verify", "discs"]).ends_with(0).stdout;
    assert!(said.contains("signed by sm (key "), "{said}");
    let volume = first(&stage, "discs");
    let statement = fs::read(volume.join("signed.txt")).unwrap();
    fs::write(stage.path("signed.txt"), &statement).unwrap();

    // Ours, by OpenSSL.
    let public = PublicKey::read(&fs::read_to_string(stage.path("sm.pub")).unwrap()).unwrap();
    let key = STANDARD.decode(public.line()).unwrap();
    let spki = [&SPKI[..], &key[10..]].concat();
    fs::write(stage.path("sm.der"), spki).unwrap();
    let text = fs::read_to_string(volume.join("signed01.sig")).unwrap();
    let line = STANDARD.decode(text.lines().nth(1).unwrap()).unwrap();
    fs::write(stage.path("ours.der"), to_der(&line[10..])).unwrap();
    let verify = |file: &str| {
        let words = [
            "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "sm.der",
        ];
        let words = [&words[..], &["-sigfile", "ours.der"], &SM3, &[file]].concat();
        openssl(&stage, &words)
    };
    let out = verify("signed.txt");
    assert!(out.status.success(), "{out:?}");
    fs::write(stage.path("other.txt"), b"another text").unwrap();
    assert!(!verify("other.txt").status.success());

    // OpenSSL's, by us.
    let make = ["genpkey", "-algorithm", "SM2", "-out", "theirs.pem"];
    assert!(openssl(&stage, &make).status.success());
    let public = [
        "pkey",
        "-in",
        "theirs.pem",
        "-pubout",
        "-outform",
        "DER",
        "-out",
        "theirs.der",
    ];
    assert!(openssl(&stage, &public).status.success());
    let point = fs::read(stage.path("theirs.der")).unwrap();
    let point = point[point.len() - 65..].to_vec();
    let hash = openssl_hash(&stage, &point);
    let number = &hash[..8];
    let key = PublicKey::read(&STANDARD.encode([b"S2", number, &point[..]].concat())).unwrap();
    let sign = |bytes: &[u8]| {
        fs::write(stage.path("to-sign"), bytes).unwrap();
        let words = [
            "pkeyutl",
            "-sign",
            "-inkey",
            "theirs.pem",
            "-out",
            "theirs.sig",
        ];
        let out = openssl(&stage, &[&words[..], &SM3, &["to-sign"]].concat());
        assert!(out.status.success(), "{out:?}");
        of_der(&fs::read(stage.path("theirs.sig")).unwrap())
    };
    let signature = sign(&statement);
    let whole = sign(&[&signature[..], b"theirs"].concat());
    let line = STANDARD.encode([b"SM", number, &signature[..]].concat());
    let whole = STANDARD.encode(whole);
    let text = format!("untrusted comment: x\n{line}\ntrusted comment: theirs\n{whole}\n");
    let theirs = Signature::of_file(&key, text.as_bytes());
    let SignatureVerdict::Right(by) = theirs.judge(&statement) else {
        panic!("{text}");
    };
    assert_eq!((by.key, &by.comment[..]), (key, "theirs"));
    assert_eq!(theirs.judge(b"another text"), SignatureVerdict::Wrong);
}

fn openssl_hash(stage: &Stage, bytes: &[u8]) -> Vec<u8> {
    fs::write(stage.path("hashed"), bytes).unwrap();
    let out = openssl(stage, &["dgst", "-sm3", "-binary", "hashed"]);
    assert!(out.status.success(), "{out:?}");
    out.stdout
}
