//! What only looks leaves no trace: `inspect` and `verify` open no socket and nothing for writing, and no command opens what it
//! reads for writing. Seen from outside, by strace.

use crate::testkit::{programs, stage};

use std::fs;
use std::process::Command;

use stage::{Stage, contents, noise};

/// Runs a command below strace. Returns its system calls that name files or sockets.
fn calls_of(stage: &Stage, words: &[&str]) -> Vec<String> {
    let trace = stage.path("trace");
    let plain = stage.command(words);
    let mut command = Command::new("strace");
    command
        .args(["-f", "-e", "trace=%file,%network", "-o"])
        .arg(&trace)
        .arg(plain.get_program())
        .args(plain.get_args())
        .current_dir(stage.path(""));
    for (name, value) in plain.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let run: stage::Run = command.output().unwrap().into();
    run.ends_with(0);
    let text = fs::read_to_string(trace).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Whether a line of strace, a process id and a call, is a call that changes something.
fn writes(line: &str) -> bool {
    const CHANGES: [&str; 11] = [
        "unlink", "rename", "mkdir", "rmdir", "truncate", "chmod", "chown", "utime", "symlink",
        "link", "mknod",
    ];
    let call = line
        .split_once(' ')
        .map_or(line, |(_, call)| call)
        .trim_start();
    let opens = ["O_WRONLY", "O_RDWR", "O_CREAT"];
    let name = call.split('(').next().unwrap_or_default();
    let changes = CHANGES.iter().any(|start| name.starts_with(start))
        || [
            "fchmod",
            "fchown",
            "futimesat",
            "lchown",
            "setxattr",
            "lsetxattr",
        ]
        .iter()
        .any(|start| name.starts_with(start));
    (changes || opens.iter().any(|flag| call.contains(flag))) && !call.contains("\"/dev/")
}

/// Whether calls can be traced here at all.
fn can_trace() -> bool {
    programs::has(&["strace"])
        && Command::new("strace")
            .args(["-f", "-o", "/dev/null", "true"])
            .status()
            .is_ok_and(|status| status.success())
}

#[test]
fn inspect_and_verify_write_nothing_and_open_no_socket() {
    if !can_trace() {
        return;
    }
    let stage = Stage::with_release();
    stage.packed();
    for words in [["inspect", "discs"], ["verify", "discs"]] {
        let calls = calls_of(&stage, &words);
        assert!(
            calls.iter().any(|call| call.contains("openat")),
            "{calls:?}"
        );
        let told: Vec<_> = calls
            .iter()
            .filter(|call| writes(call) || call.contains("socket("))
            .collect();
        assert!(told.is_empty(), "{words:?}: {told:#?}");
    }
}

#[test]
fn no_command_opens_what_it_reads_for_writing() {
    if !can_trace() {
        return;
    }
    let stage = Stage::new();
    fs::create_dir(stage.path("given")).unwrap();
    fs::write(stage.path("given/setup.bin"), noise(1, 300_000)).unwrap();
    let (given, discs) = (stage.path("given"), stage.path("discs"));
    let add = calls_of(&stage, &["add", "shop:1", "given/setup.bin"]);
    stage
        .run(&["pack", "shop:1", "--to", "discs", "--media", "6MB"])
        .ends_with(0);
    let before = (contents(&given), contents(&discs));
    let receive = calls_of(&stage, &["receive", "discs", "--store", "site"]);
    let verify = calls_of(&stage, &["verify", "discs"]);
    let checkout = calls_of(&stage, &["checkout", "shop:1", "out"]);
    for (calls, read) in [
        (&add, "given"),
        (&receive, "discs"),
        (&verify, "discs"),
        (&checkout, "given"),
    ] {
        let path = stage.path(read);
        let inside = |call: &&String| {
            call.contains(&format!("\"{read}")) || call.contains(path.to_str().unwrap())
        };
        let told: Vec<_> = calls
            .iter()
            .filter(inside)
            .filter(|call| writes(call))
            .collect();
        assert!(told.is_empty(), "{read}: {told:#?}");
    }
    assert!((contents(&given), contents(&discs)) == before);
}
