//! Evidence on paper: what `--report` writes, that it is written however a command ends, and that a browser prints it.

use crate::testkit::programs::{has, run};
use crate::testkit::stage;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use stage::{Run, Stage, noise, volumes};

/// A name that would be markup, a name of many letters and a Chinese one.
const HOSTILE: &str = "<img src=x onerror=alert(1)>&\"'.bin";
const CHINESE: &str = "安装说明书.txt";

/// A vendor with a key and a signed set of two volumes and a spare, and `site`, which trusts the key.
fn stage() -> Stage {
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    let long = format!("{}.bin", "long-name-".repeat(20));
    for (seed, name) in (1..).zip([HOSTILE, CHINESE, &long]) {
        fs::write(stage.path("given").join(name), noise(seed, 3_000_000)).unwrap();
    }
    stage.run(&["add", "shop:1.0", "given"]).ends_with(0);
    for name in ["vendor", "officer"] {
        let file = format!("{name}.key");
        let words = ["key", "new", &file, "--no-password"];
        stage.run(&words).ends_with(0);
    }
    let words =
        "pack shop:1.0 --to discs --media 6MB --spare 1 --without-program --sign vendor.key";
    let words: Vec<&str> = words.split(' ').collect();
    stage.run(&words).ends_with(0);
    let words = ["trust", "add", "vendor.pub", "--name", "Example & Söhne"];
    at_site(&stage, &words).ends_with(0);
    stage
}

fn at_site(stage: &Stage, words: &[&str]) -> Run {
    at_site_in(stage, "C.UTF-8", words)
}

fn at_site_in(stage: &Stage, locale: &str, words: &[&str]) -> Run {
    let mut command = stage.command(words);
    command.env("CARRYALL_STORE", stage.path("site"));
    command.env("LC_ALL", locale);
    command.output().unwrap().into()
}

/// Overwrites a stretch of the first volume, so that its own parity heals a part of it at most.
fn scratch(stage: &Stage, bytes: usize) {
    let volume = volumes(&stage.path("discs")).remove(0);
    let files = walkdir::WalkDir::new(volume).into_iter().flatten();
    let largest = files
        .filter(|entry| entry.file_type().is_file())
        .max_by_key(|entry| entry.metadata().unwrap().len())
        .unwrap();
    let mut content = fs::read(largest.path()).unwrap();
    content[1_000_000..1_000_000 + bytes].fill(0x5a);
    fs::write(largest.path(), content).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// A page without scripts, without anything from outside and without a hostile name as markup.
#[track_caller]
fn assert_is_one_safe_page(page: &str) {
    assert!(page.starts_with("<!DOCTYPE html>"));
    for bad in [
        "<script", "<img", "src=\"", "href=", "url(", "@import", "<link",
    ] {
        assert!(!page.contains(bad), "{bad} is on the page");
    }
}

#[test]
fn a_report_says_who_signed_what_was_bad_and_what_healed_it() {
    let stage = stage();
    scratch(&stage, 300_000);
    let words = ["verify", "discs", "--report", "check.json"];
    let run = at_site(&stage, &words).ends_with(3);
    assert!(run.stderr.contains("check.json"), "{run:#?}");
    let check = json(&stage.path("check.json"));
    assert_eq!(
        (&check["command"], &check["exit_code"]),
        (&"verify".into(), &3.into())
    );
    assert_eq!(check["outcome"], "damage_left");
    let set = &check["sets"][0];
    assert_eq!(set["signed"]["signers"][0]["trusted_as"], "Example & Söhne");
    assert_eq!(set["root"].as_str().unwrap().len(), 64);
    assert!(
        set["root"]
            .as_str()
            .unwrap()
            .starts_with(set["set_id"].as_str().unwrap())
    );
    let volume = &set["volumes"][0];
    let count = |name: &str| volume[name].as_u64().unwrap();
    let bad = count("blocks") - count("whole_blocks");
    assert!(bad > 0 && !volume["bad"].as_array().unwrap().is_empty());
    let healed = count("local_blocks") + count("wide_blocks") + count("copied_blocks");
    assert_eq!(healed + count("missing_blocks"), bad);
    let item = &set["releases"][0]["items"][0];
    assert_eq!(item["name"], "given");

    let words = ["receive", "discs", "--report", "received.json"];
    at_site(&stage, &words).ends_with(0);
    let received = json(&stage.path("received.json"));
    let set = &received["sets"][0];
    assert_eq!(
        (&set["state"], &received["outcome"]),
        (&"received".into(), &"done".into())
    );
    let healed = &set["healed"];
    assert!(
        healed["local"].as_u64().unwrap() + healed["wide"].as_u64().unwrap() > 0,
        "{set:#}"
    );
    assert!(set["releases"][0]["id"].is_string());
    let store = &received["store"];
    assert_eq!(store["history"]["no"], 1, "{received:#}");
    // The program is named by what anybody can compute.
    let mut sum = Command::new("sha256sum");
    let sum = sum.arg(env!("CARGO_BIN_EXE_carryall")).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    assert_eq!(received["program"]["sha256"], &sum[..64]);
}

#[test]
fn a_report_is_never_replaced_and_ends_in_html_or_json() {
    let stage = stage();
    let before = volumes(&stage.path("discs")).len();
    for name in ["report", "report.pdf", "report.html.txt"] {
        at_site(&stage, &["verify", "discs", "--report", name]).fails_with(2, &[name]);
        assert!(!stage.path(name).exists());
    }
    fs::write(stage.path("report.html"), "an older report").unwrap();
    let words = ["verify", "discs", "--report", "report.html"];
    at_site(&stage, &words).fails_with(1, &["report.html"]);
    assert_eq!(
        fs::read(stage.path("report.html")).unwrap(),
        b"an older report"
    );
    let words = ["receive", "discs", "--report", "site/report.json"];
    at_site(&stage, &words).ends_with(1);
    let words = ["verify", "discs", "--report", "discs/report.json"];
    at_site(&stage, &words).ends_with(1);
    assert_eq!(volumes(&stage.path("discs")).len(), before);
}

#[test]
fn a_report_is_written_when_the_command_fails() {
    let stage = stage();
    let words = ["trust", "add", "officer.pub"];
    at_site(&stage, &["trust", "rm", "Example & Söhne"]).ends_with(0);
    at_site(&stage, &words).ends_with(0);
    let words = ["receive", "discs", "--report", "refused.json"];
    at_site(&stage, &words).ends_with(1);
    let refused = json(&stage.path("refused.json"));
    assert_eq!(
        (&refused["outcome"], &refused["exit_code"]),
        (&"failed".into(), &1.into())
    );
    assert!(
        refused["error"]
            .as_str()
            .unwrap()
            .contains("nobody trusts here")
    );
    let set = &refused["sets"][0];
    assert_eq!(set["state"], "refused");
    let signer = &set["signed"]["signers"][0];
    assert_eq!(signer["key_id"], stage.key_id("vendor.pub").as_str());
    assert!(signer["trusted_as"].is_null() && set["releases"][0]["id"].is_null());

    fs::create_dir(stage.path("empty")).unwrap();
    let words = ["verify", "empty", "--report", "empty.html"];
    at_site(&stage, &words).ends_with(1);
    let page = fs::read_to_string(stage.path("empty.html")).unwrap();
    assert_is_one_safe_page(&page);
    assert!(
        page.contains("Failed.") && page.contains("exit code 1"),
        "{page}"
    );
}

#[test]
fn a_report_is_written_when_a_signal_ends_the_command() {
    let stage = stage();
    // Nothing comes through the pipe, so the command waits in a read.
    for (locale, words) in [("C.UTF-8", "Interrupted."), ("zh_CN.UTF-8", "已中断")] {
        let mut command = stage.command(&["verify", "-", "--report", "stopped.html"]);
        command.env("CARRYALL_STORE", stage.path("site"));
        command.env("LC_ALL", locale);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(800));
        stage::signal(&child, rustix::process::Signal::INT);
        assert_eq!(child.wait().unwrap().code(), Some(130));
        let page = fs::read_to_string(stage.path("stopped.html")).unwrap();
        assert!(page.contains(words), "{page}");
        fs::remove_file(stage.path("stopped.html")).unwrap();
    }
}

#[test]
fn a_visit_reports_disc_after_disc() {
    let stage = stage();
    fs::create_dir(stage.path("tray")).unwrap();
    let volume = volumes(&stage.path("discs")).remove(0);
    fs::rename(&volume, stage.path("tray/volume")).unwrap();
    let words = ["visit", "--drive", "tray", "--report", "visit.json"];
    let mut command = stage.command(&words);
    command.env("CARRYALL_STORE", stage.path("site"));
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"m\nm\nq\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(4));
    let visit = json(&stage.path("visit.json"));
    assert_eq!(
        (&visit["command"], &visit["outcome"]),
        (&"visit".into(), &"more_needed".into())
    );
    assert_eq!(visit["media"].as_array().unwrap().len(), 1, "{visit:#}");
    assert_eq!(visit["media"][0]["volumes"][0]["volume_no"], 1, "{visit:#}");
    let set = &visit["sets"][0];
    assert_eq!(
        (&set["state"], &set["volumes"][0]["volume_no"]),
        (&"needs_volumes".into(), &1.into())
    );
}

#[test]
fn plain_minisign_checks_a_signed_report() {
    let stage = stage();
    let words = [
        "verify",
        "discs",
        "--report",
        "report.html",
        "--report-key",
        "officer.key",
    ];
    at_site(&stage, &words).ends_with(0);
    let page = fs::read_to_string(stage.path("report.html")).unwrap();
    assert!(page.contains(&stage.key_id("officer.pub")), "{page}");
    let words = ["verify", "discs", "--report", "named.json"];
    let mut command = stage.command(&words);
    command.env("CARRYALL_REPORT_KEY", stage.path("officer.key"));
    Run::from(command.output().unwrap()).ends_with(0);
    if !has(&["minisign"]) {
        return;
    }
    let check = |file: &str, key: &str| {
        let mut minisign = Command::new("minisign");
        minisign
            .args(["-V", "-m", file, "-p", key])
            .current_dir(stage.path(""));
        minisign.output().unwrap().status.success()
    };
    for file in ["report.html", "named.json"] {
        assert!(check(file, "officer.pub"), "{file}");
        assert!(!check(file, "vendor.pub"), "{file}");
    }
    fs::write(
        stage.path("report.html"),
        page.replace("officer", "Officer") + " ",
    )
    .unwrap();
    assert!(!check("report.html", "officer.pub"));
}

#[test]
fn a_browser_prints_the_page_in_both_languages() {
    let stage = stage();
    scratch(&stage, 300_000);
    for (locale, words) in [
        (
            "C.UTF-8",
            [
                "Report on a check of media",
                "trusted by this site",
                "Checked by",
            ],
        ),
        ("zh_CN.UTF-8", ["介质检查报告", "受本站点信任", "核对人"]),
    ] {
        let arguments = ["verify", "discs", "--report", "report.html"];
        at_site_in(&stage, locale, &arguments).ends_with(3);
        let page = fs::read_to_string(stage.path("report.html")).unwrap();
        assert_is_one_safe_page(&page);
        for word in words {
            assert!(page.contains(word), "{word}");
        }
        assert!(page.contains("Example &amp; Söhne"), "{page}");
        if has(&["chromium", "pdftotext"]) {
            let text = printed(&stage);
            let squeezed: String = text.split_whitespace().collect();
            // Without a font for it, a browser prints Chinese as boxes that have no text.
            let is_readable = !locale.starts_with("zh") || has_chinese_font();
            let said = words.iter().filter(|_| is_readable);
            for word in said.copied().chain(["Example & Söhne", "carryall verify"]) {
                let word: String = word.split_whitespace().collect();
                assert!(squeezed.contains(&word), "{word} is not in {text}");
            }
        }
        fs::remove_file(stage.path("report.html")).unwrap();
    }
}

fn has_chinese_font() -> bool {
    let fonts = Command::new("fc-list").arg(":lang=zh").output();
    fonts.is_ok_and(|fonts| !fonts.stdout.is_empty())
}

/// The text of what a browser prints.
fn printed(stage: &Stage) -> String {
    let mut browser = Command::new("chromium");
    let words = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--user-data-dir=profile",
        "--no-pdf-header-footer",
        "--print-to-pdf=report.pdf",
        "report.html",
    ];
    browser.args(words).env("HOME", stage.path(""));
    run(browser.current_dir(stage.path("")));
    let mut reader = Command::new("pdftotext");
    reader.args(["-layout", "report.pdf", "report.txt"]);
    run(reader.current_dir(stage.path("")));
    fs::read_to_string(stage.path("report.txt")).unwrap()
}
