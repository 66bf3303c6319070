//! Commands end soon after the first signal, whatever they are doing, at once after the second, and can be run again.
//!
//! The bounds here are generous, since machines are slow: what waits for ever would wait longer.

use crate::testkit::programs::put_program;
use crate::testkit::{made, shown, stage};

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use shown::{api, web};
use stage::kills::{Instants, words};
use stage::{Run, Stage, signal};

const SOON: Duration = Duration::from_secs(20);

/// Waits for the end of a command that was told to stop.
#[track_caller]
fn ends(mut child: Child, what: &str) -> Run {
    let began = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if began.elapsed() > SOON {
            let _ = child.kill();
            let output = child.wait_with_output().unwrap();
            panic!(
                "{what} goes on: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), None, "{what}: {output:?}");
    output.into()
}

#[track_caller]
fn is_interrupted(run: Run, what: &str) {
    let run = run.ends_with(130);
    assert!(
        run.stderr.contains("error: interrupted\nhint: "),
        "{what}: {run:#?}"
    );
}

/// Waits until the command hears signals: before that it ends as any program does.
fn hears(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    let began = Instant::now();
    loop {
        let text = fs::read_to_string(&status).unwrap();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
        if caught & 0b10 != 0 && caught & 0x4000 != 0 || text.contains("State:\tZ") {
            return;
        }
        assert!(began.elapsed() < SOON, "no signal is heard");
        sleep(Duration::from_millis(1));
    }
}

/// Signals that end a command: the terminal's going away is not among them when the tests themselves are not to hear of it.
fn signals() -> Vec<Signal> {
    let text = fs::read_to_string("/proc/self/status").unwrap();
    let ignored = text.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(ignored.unwrap().trim(), 16).unwrap();
    let all = [Signal::INT, Signal::TERM, Signal::HUP];
    all[..if ignored & 1 == 0 { 3 } else { 2 }].to_vec()
}

/// A command that waits for what never comes.
fn waiting(command: &mut Command) -> (Child, Option<ChildStdin>) {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // Whoever holds it sends nothing, and does not close it.
    let stdin = child.stdin.take();
    hears(&child);
    sleep(Duration::from_millis(300));
    assert!(child.try_wait().unwrap().is_none(), "it does not wait");
    (child, stdin)
}

/// A docker that takes nothing and says nothing.
fn deaf_docker(stage: &Stage) {
    let path = stage.path("bin/docker");
    fs::create_dir(stage.path("bin")).unwrap();
    put_program(&path, "exec sleep 60");
}

#[test]
fn whatever_a_command_waits_for_the_first_signal_ends_it() {
    let stage = Stage::new();
    stage.give("x.tar", &made::docker_classic(&[web(), api()]));
    stage.add("shop:1");
    deaf_docker(&stage);
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let registry = silent.local_addr().unwrap();
    let signals = signals();
    let waits = [
        "add more:1 -".to_owned(),
        format!("add more:1 docker://{registry}/shop/web:1"),
        format!("push shop:1 {registry}"),
        "load shop:1 --with docker".to_owned(),
        "serve --listen 127.0.0.1:0".to_owned(),
    ];
    for (at, text) in waits.iter().enumerate() {
        let mut command = stage.command(&words(text));
        let path = format!("{}:/usr/bin:/bin", stage.path("bin").display());
        let (child, stdin) = waiting(command.env("PATH", path));
        signal(&child, signals[at % signals.len()]);
        let run = ends(child, text);
        drop(stdin);
        if text.starts_with("serve") {
            run.ends_with(0);
        } else {
            is_interrupted(run, text);
        }
    }
    stage.store_is_well();
}

#[test]
fn the_second_signal_ends_a_command_where_it_stands() {
    let stage = Stage::new();
    let (child, stdin) = waiting(&mut stage.command(&["add", "shop:1", "-"]));
    signal(&child, Signal::INT);
    sleep(Duration::from_millis(100));
    signal(&child, Signal::TERM);
    // Not even time for last words.
    let run = ends(child, "add").ends_with(130);
    assert!(!run.stderr.contains("error"), "{run:#?}");
    drop(stdin);
}

#[test]
fn a_command_that_is_not_to_hear_of_the_terminal_goes_on() {
    let stage = Stage::new();
    let mut command = Command::new("sh");
    command
        .args(["-c", "trap '' HUP; exec \"$0\" add shop:1 -"])
        .arg(env!("CARGO_BIN_EXE_carryall"))
        .env("CARRYALL_STORE", stage.path("store"))
        .env("LC_ALL", "C")
        .stderr(Stdio::piped())
        .stdout(Stdio::piped());
    let (mut child, stdin) = waiting(&mut command);
    signal(&child, Signal::HUP);
    sleep(Duration::from_millis(2500));
    assert!(child.try_wait().unwrap().is_none());
    signal(&child, Signal::TERM);
    is_interrupted(ends(child, "add"), "add");
    drop(stdin);
}

#[test]
fn a_command_at_work_is_interrupted_anywhere_and_runs_again() {
    let stage = Stage::with_release();
    stage.packed();
    stage.give("image.tar", &made::docker_classic(&[web(), api()]));
    stage.run(&["add", "web:1", "given/image.tar"]).ends_with(0);
    stage.copy("discs", "hurt");
    fs::remove_dir_all(&stage::volumes(&stage.path("hurt"))[0]).unwrap();
    stage.copy("store", "kept");
    let works = [
        ("add shop:2.0 given", "store"),
        (
            "pack shop:1.0 --to out --media 16MB --spare 1 --effort max",
            "out",
        ),
        ("pack shop:1.0 --to out --media 16MB --spare 1", "out"),
        ("verify discs", ""),
        ("repair hurt --to out", "out"),
        ("receive discs", "store"),
        ("checkout shop:1.0 out", "out"),
        ("checkout web:1 out --as oci", "out"),
        ("check --data", ""),
        ("diff shop:1.0 web:1", ""),
    ];
    let signals = signals();
    let mut signals = signals.iter().cycle();
    for (text, made) in works {
        let afresh = || match made {
            "store" if text.starts_with("receive") => stage.remove("store"),
            "store" => stage.copy("kept", "store"),
            "" => {}
            made => stage.remove(made),
        };
        afresh();
        let whole = stage.time(&words(text));
        let mut instants = Instants::new(11, 4, whole);
        for round in 0..40 {
            if round >= 4 && instants.hits() > 0 {
                break;
            }
            afresh();
            let child = stage.start(&words(text));
            hears(&child);
            sleep(instants.draw());
            signal(&child, *signals.next().unwrap());
            let run = ends(child, text);
            instants.struck(run.code != Some(0));
            if run.code == Some(0) {
                continue;
            }
            let run = run.ends_with(130);
            assert!(run.stderr.contains("hint: "), "{text}: {run:#?}");
            let again = stage.run(&words(text));
            assert_eq!(again.code, Some(0), "{text}, once more: {again:#?}");
        }
        assert!(instants.hits() > 0, "no signal met {text} at work");
        if made == "store" {
            stage.store_is_well();
            stage.copy("kept", "store");
        }
    }
}

/// The files of a layout are written several at a time, and none of them waits for another when one fails.
#[test]
fn a_write_error_ends_a_layout() {
    let stage = Stage::new();
    stage.give("x.tar", &made::docker_classic(&[web(), api()]));
    stage.add("shop:1");
    let program = env!("CARGO_BIN_EXE_carryall");
    for form in ["oci", "docker-archive"] {
        let child = Command::new("sh")
            .args([
                "-c",
                "ulimit -f 100; exec \"$0\" checkout shop:1 out --as \"$1\"",
            ])
            .args([program, form])
            .env("CARRYALL_STORE", stage.path("store"))
            .env("LC_ALL", "C")
            .current_dir(stage.path(""))
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        ends(child, form).fails_with(1, &["File too large", "ulimit -f"]);
        assert!(!stage.path("out").exists());
        stage
            .run(&["checkout", "shop:1", "out", "--as", form])
            .ends_with(0);
        stage.remove("out");
    }
}
