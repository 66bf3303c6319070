//! Other programs in tests: whether they are there, and what they say.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use carryall::oci::image::Digest;

/// Whether all programs are there. On CI a missing one is a failure, elsewhere the test says that it was skipped.
pub fn has(programs: &[&str]) -> bool {
    let has = may_use(programs);
    assert!(has || !is_ci(), "needed on CI: {programs:?}");
    has
}

/// Whether all programs are there, of which CI may have none. Without them the test says that it was skipped.
pub fn may_use(programs: &[&str]) -> bool {
    let there = |program: &&&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let missing: Vec<&&str> = programs.iter().filter(|program| !there(program)).collect();
    if !missing.is_empty() {
        let _ = writeln!(std::io::stderr(), "skipped, not installed: {missing:?}");
    }
    missing.is_empty()
}

/// Says why a test is skipped. On CI no test is: it fails.
#[track_caller]
pub fn skip(why: &str) {
    assert!(!is_ci(), "not skipped on CI: {why}");
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// Whether this is the machine that every change must pass on.
fn is_ci() -> bool {
    std::env::var_os("CI").is_some()
}

/// Makes a program of lines for a shell. A child writes it: what this process writes is open in every child that another
/// test has just started, until that runs its program, and what somebody has open for writing cannot be run.
pub fn put_program(path: &Path, lines: &str) {
    let mut child = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = child.stdin.take().unwrap();
    write!(text, "#!/bin/sh\n{lines}\n").unwrap();
    drop(text);
    assert!(child.wait().unwrap().success(), "{}", path.display());
}

pub fn run(command: &mut Command) -> String {
    let out = command.output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(
        out.status.success(),
        "{command:?}: {text}{}",
        String::from_utf8_lossy(&out.stderr)
    );
    text
}

pub fn skopeo() -> Command {
    let mut command = Command::new("skopeo");
    command.arg("--insecure-policy");
    command
}

/// Runs skopeo with these words, and returns what it says.
pub fn ask_skopeo(words: &[&str]) -> String {
    run(skopeo().args(words))
}

/// Digest of the manifest that skopeo gets by a name, asked with these options.
pub fn raw_digest(options: &[&str], image: &str) -> String {
    let words = ["inspect", "--raw", "--tls-verify=false", image];
    let raw = run(skopeo().args(options).args(words));
    Digest::of(raw.as_bytes()).to_string()
}
