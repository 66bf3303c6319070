//! Other programs in tests: whether they are there, and what they say.

use std::io::Write;
use std::process::Command;

/// Whether all programs are there. On CI a missing one is a failure, elsewhere the test says that it was skipped.
pub fn has(programs: &[&str]) -> bool {
    let there = |program: &&&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    };
    let missing: Vec<&&str> = programs.iter().filter(|program| !there(program)).collect();
    assert!(
        missing.is_empty() || std::env::var_os("CI").is_none(),
        "needed on CI: {missing:?}"
    );
    if !missing.is_empty() {
        let _ = writeln!(std::io::stderr(), "skipped, not installed: {missing:?}");
    }
    missing.is_empty()
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
