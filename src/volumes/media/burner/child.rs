//! The burning program as a child: it is waited for, its progress is read, and it is ended in order.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Burned;
use crate::base::monitor::Monitor;

const POLL: Duration = Duration::from_millis(50);
/// How long the child may take to leave the drive in order.
const ENDS_WITHIN: Duration = Duration::from_millis(800);
const LINES_MAX: usize = 6;
const LINE_MAX_CHARS: usize = 200;
const MIB: u64 = 1 << 20;

/// Runs the command to its end. Its signals are ours to send: Ctrl-C on the terminal does not reach it.
pub(super) fn run(mut command: Command, monitor: &dyn Monitor) -> io::Result<Burned> {
    let spawned = command
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned?;
    let (written_mib, said) = (AtomicU64::new(0), Mutex::new(String::new()));
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let mut progress = Progress {
        written_mib: &written_mib,
        reported_mib: 0,
        monitor,
    };
    let status = std::thread::scope(|scope| {
        scope.spawn(|| stdout.map(|stdout| listen(stdout, &written_mib, &said)));
        scope.spawn(|| stderr.map(|stderr| listen(stderr, &written_mib, &said)));
        wait(&mut child, &mut progress)
    })?;
    // What the child said last may have been read after it ended.
    progress.report();
    let said = said.into_inner().unwrap_or_default();
    Ok(if status.success() {
        Burned::Done
    } else {
        Burned::Failed(last_lines(&said))
    })
}

/// How far the child is, and how much of that the monitor knows.
struct Progress<'a> {
    written_mib: &'a AtomicU64,
    reported_mib: u64,
    monitor: &'a dyn Monitor,
}

impl Progress<'_> {
    fn report(&mut self) {
        let written = self.written_mib.load(Ordering::Relaxed);
        let more = written.saturating_sub(self.reported_mib);
        self.monitor.advance(more * MIB);
        self.reported_mib += more;
    }
}

fn wait(child: &mut Child, progress: &mut Progress<'_>) -> io::Result<ExitStatus> {
    loop {
        let status = child.try_wait()?;
        progress.report();
        if let Some(status) = status {
            return Ok(status);
        }
        if let Err(interrupted) = progress.monitor.check_stop() {
            end(child);
            return Err(interrupted.into());
        }
        std::thread::sleep(POLL);
    }
}

/// Asks the child to end, so that it leaves the drive usable, and ends it when it does not.
fn end(child: &mut Child) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM);
    }
    let begun = Instant::now();
    while begun.elapsed() < ENDS_WITHIN {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(POLL);
    }
    // Killing fails when the child has just ended, which is no error.
    let _ = child.kill();
    let _ = child.wait();
}

/// Keeps the last of what the child says, and notes how far it is.
fn listen(out: impl Read, written_mib: &AtomicU64, said: &Mutex<String>) {
    for part in BufReader::new(out).split(b'\n').map_while(Result::ok) {
        for line in String::from_utf8_lossy(&part).split('\r') {
            if let Some(mib) = mib_written(line) {
                written_mib.fetch_max(mib, Ordering::Relaxed);
                continue;
            }
            let Ok(mut said) = said.lock() else { return };
            said.push_str(line);
            said.push('\n');
        }
    }
}

/// Reads `Track 01:   12 of   38 MB written (fifo 99%)`.
fn mib_written(line: &str) -> Option<u64> {
    let before = line
        .split(" MB written")
        .next()
        .filter(|before| *before != line)?;
    let (done, _) = before.rsplit_once(" of ")?;
    done.rsplit([' ', ':']).next()?.parse().ok()
}

/// Returns the last lines that tell something, joined.
pub(super) fn last_lines(said: &str) -> String {
    let tells = |line: &&str| !line.is_empty() && !line.contains("libburnia project");
    let lines: Vec<String> = said
        .lines()
        .map(str::trim)
        .filter(tells)
        .map(|line| line.chars().take(LINE_MAX_CHARS).collect())
        .collect();
    lines[lines.len().saturating_sub(LINES_MAX)..].join("; ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::monitor::{Recording, Silent};

    #[test]
    fn a_child_tells_how_far_it_is_and_why_it_failed() {
        let script = |text: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", text]);
            command
        };
        let monitor = Recording::default();
        let said = "printf 'Track 01:   12 of   38 MB written (fifo  99%%)\\r' >&2; exit 0";
        assert_eq!(run(script(said), &monitor).unwrap(), Burned::Done);
        assert_eq!(monitor.bytes.load(Ordering::Relaxed), 12 * MIB);
        let said = "echo greeting of the libburnia project.; echo one; echo two >&2; exit 5";
        let Burned::Failed(words) = run(script(said), &Silent).unwrap() else {
            panic!("it exits with 5")
        };
        assert!(words.contains("one") && words.contains("two") && !words.contains("libburnia"));
        assert!(run(Command::new("/nonexistent/xorriso"), &Silent).is_err());
    }

    #[test]
    fn a_stop_ends_the_child_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let monitor = Recording::default();
        monitor.stop.store(true, Ordering::Relaxed);
        let mut command = Command::new("sh");
        let script = "trap 'touch tidy; exit 1' TERM; while :; do sleep 0.05; done";
        command.args(["-c", script]).current_dir(dir.path());
        // The shell must have set its trap before it is asked to end.
        let begun = Instant::now();
        assert!(run(command, &monitor).is_err());
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}
