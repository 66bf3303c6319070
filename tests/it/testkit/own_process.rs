//! Tests that measure their process run in one of their own.

use std::ffi::OsStr;
use std::process::{Child, Command, Stdio};

const ALONE: &str = "CARRYALL_TEST_ALONE";

/// Runs the body of a test in a process of its own, in which no other test runs. `test` is the test's whole name, module
/// included.
#[track_caller]
pub fn in_own_process(test: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some_and(|alone| alone == test) {
        return body();
    }
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, test)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        // A name that is wrong runs nothing, successfully.
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Starts an ignored test as a process of its own, which finds these variables in its environment. `test` is its whole name,
/// module included.
pub fn start_ignored<V: AsRef<OsStr>>(test: &str, variables: &[(&str, V)]) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--nocapture"])
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What the kernel counts of this process: a field of `/proc/self/status`, in KiB.
pub fn status_kib(field: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// The most memory that this process has had.
pub fn peak_bytes() -> u64 {
    status_kib("VmHWM:") * 1024
}
