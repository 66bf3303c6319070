//! What packages bring along, tried with the programs that use it: completions in shells, manual pages in formatters.

use crate::testkit::programs::{has, may_use, run};
use crate::testkit::stage::{Stage, visible};

use std::fs;
use std::process::Command;

/// Writes completions of a shell to a file, in a language.
fn completions(stage: &Stage, shell: &str, locale: &str) -> String {
    let mut command = stage.command(&["completions", shell]);
    let output = command.env("LC_ALL", locale).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    fs::write(stage.path(&format!("_{shell}")), &text).unwrap();
    text
}

#[test]
fn a_real_bash_completes_commands_and_options() {
    let stage = Stage::new();
    completions(&stage, "bash", "C");
    run(Command::new("bash").arg("-n").arg(stage.path("_bash")));
    let completed = |words: &[&str]| {
        let script = "source \"$1\"; shift; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); \
                      COMP_LINE=\"$*\"; COMP_POINT=${#COMP_LINE}; \
                      _carryall carryall \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"; \
                      printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut command = Command::new("bash");
        command.args(["--norc", "-c", script, "bash"]);
        let printed = run(command.arg(stage.path("_bash")).args(words));
        printed.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["carryall", "rec"]), ["receive", "receipt"]);
    assert_eq!(completed(&["carryall", "site", "f"]), ["forget"]);
    let options = completed(&["carryall", "pack", "--w"]);
    assert_eq!(options, ["--with-program", "--without-program"]);
    assert_eq!(completed(&["carryall", "pack", "--effort", "m"]), ["max"]);
}

#[test]
fn zsh_and_fish_read_theirs_in_both_languages() {
    let stage = Stage::new();
    for (locale, said) in [
        ("C", "Take volumes into the store"),
        ("zh_CN.UTF-8", "把卷读入仓库"),
    ] {
        for shell in ["zsh", "fish"] {
            let text = completions(&stage, shell, locale);
            assert!(text.contains(said), "{shell} {locale}");
            if may_use(&[shell]) {
                run(Command::new(shell)
                    .arg("-n")
                    .arg(stage.path(&format!("_{shell}"))));
            }
        }
    }
    stage.run(&["completions", "tcsh"]).ends_with(2);
}

#[test]
fn formatters_take_every_manual_page_without_a_warning() {
    let stage = Stage::new();
    stage.run(&["man", "--to", "man"]).ends_with(0);
    // Written again over what it wrote, and over nothing else.
    stage.run(&["man", "--to", "man"]).ends_with(0);
    let (english, chinese) = (stage.path("man/man1"), stage.path("man/zh_CN/man1"));
    assert_eq!(visible(&english).len(), visible(&chinese).len());
    if has(&["groff"]) {
        for page in [visible(&english), visible(&chinese)].concat() {
            let mut command = Command::new("groff");
            command.args(["-man", "-ww", "-Kutf8", "-Tutf8", "-rLL=78n"]);
            let output = command.arg(&page).output().unwrap();
            let warnings = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success() && warnings.is_empty(),
                "{page:?}: {warnings}"
            );
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(text.contains("carryall"), "{page:?}: {text}");
        }
    }
    let page = fs::read_to_string(chinese.join("carryall-receive.1")).unwrap();
    assert!(
        page.contains(".SH \"名称\"") && page.contains(".SH \"选项\""),
        "{page}"
    );
    fs::write(english.join("carryall.1"), "of somebody else").unwrap();
    stage
        .run(&["man", "--to", "man"])
        .fails_with(1, &["carryall.1"]);
}

#[test]
fn doctor_says_what_is_there_and_what_to_do() {
    let stage = Stage::new();
    let run = stage.run(&["doctor"]).ends_with(0);
    for said in [
        "program: carryall",
        "SHA-256",
        "store: ",
        "(not made yet)",
        "memory: ",
        "messages: en, by LC_ALL=C",
    ] {
        assert!(run.stdout.contains(said), "{said}: {run:#?}");
    }
    assert!(
        run.stdout.ends_with("all that is necessary is there\n"),
        "{run:#?}"
    );
    let report = stage.run(&["--json", "doctor"]).ends_with(0).json();
    let own = fs::read(env!("CARGO_BIN_EXE_carryall")).unwrap();
    let digest = carryall::oci::image::Digest::of(&own);
    assert_eq!(report["program"]["sha256"], digest.hex());

    // A store below a file can never be made.
    fs::write(stage.path("file"), "x").unwrap();
    let run = stage.run(&["--store", "file/store", "doctor"]).ends_with(1);
    assert!(
        run.stdout.contains("MISSING: you may not write"),
        "{run:#?}"
    );
    let mut command = stage.command(&["doctor"]);
    command.env("LC_ALL", "zh_CN").env("PATH", "/nonexistent");
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for said in [
        "没有安装 xorriso",
        "export LC_ALL=C",
        "由 LC_ALL=zh_CN 决定",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!stage.path("store").exists(), "nothing is made");
}
