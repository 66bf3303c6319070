//! What a person or a script sees while an operation runs: a bar on a terminal, JSON lines, or nothing.
//!
//! Reports and errors are printed elsewhere, after the operation.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use carryall::base::finding::Finding;
use carryall::base::monitor::Monitor;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::{interrupt, messages, terminal};

/// A task shorter than this shows nothing.
const QUIET: Duration = Duration::from_millis(250);
/// A JSON line at most this often.
const JSON_EVERY: Duration = Duration::from_millis(500);

/// Findings shown to a person one by one; the rest are counted.
const FINDINGS_SHOWN: u64 = 20;

/// How to show progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar with rate and time left.
    Bar,
    /// One JSON object a line on stderr.
    Json,
    /// Nothing.
    None,
}

/// Picks the style: JSON when asked for, a bar only on a terminal.
pub fn style(json: bool, quiet: bool) -> ProgressMode {
    if json {
        ProgressMode::Json
    } else if quiet || !terminal::is_seen() {
        ProgressMode::None
    } else {
        ProgressMode::Bar
    }
}

/// How much detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verbosity {
    /// What fits a screen.
    Short,
    /// Everything.
    Full,
}

struct ProgressTask {
    name: String,
    total_bytes: u64,
    began: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
}

/// The monitor of the command line.
pub struct Screen {
    style: ProgressMode,
    /// Findings shown one by one.
    findings_shown: u64,
    done: AtomicU64,
    findings: AtomicU64,
    task: Mutex<Option<ProgressTask>>,
}

impl Screen {
    /// A screen of the given style; `verbose` shows every finding.
    pub fn new(style: ProgressMode, verbose: Verbosity) -> Self {
        Self {
            style,
            findings_shown: match verbose {
                Verbosity::Short => FINDINGS_SHOWN,
                Verbosity::Full => u64::MAX,
            },
            done: AtomicU64::new(0),
            findings: AtomicU64::new(0),
            task: Mutex::new(None),
        }
    }

    /// Says how many findings were not shown. Called once, when the operation has ended.
    pub fn close(&self) {
        self.finish();
        let hidden = self
            .findings
            .load(Ordering::Relaxed)
            .saturating_sub(self.findings_shown);
        if hidden > 0 && self.style != ProgressMode::Json {
            terminal::say(&(messages::more_findings(hidden) + "\n"));
        }
    }

    fn show(&self, task: &mut ProgressTask, done: u64) {
        match self.style {
            ProgressMode::None => {}
            ProgressMode::Json => {
                if task.said.elapsed() >= JSON_EVERY {
                    task.said = Instant::now();
                    print_json(&task.name, done, task.total_bytes, "running");
                }
            }
            ProgressMode::Bar => {
                if task.bar.is_none() && task.began.elapsed() >= QUIET {
                    task.bar = Some(new_bar(&task.name, task.total_bytes, task.began));
                }
                if let Some(bar) = &task.bar {
                    bar.set_position(done);
                }
            }
        }
    }
}

fn print_json(task: &str, done: u64, total: u64, state: &str) {
    terminal::say_json(&serde_json::json!({
        "event": "progress", "task": task, "state": state, "done_bytes": done, "total_bytes": total,
    }));
}

fn new_bar(name: &str, total_bytes: u64, began: Instant) -> ProgressBar {
    let template = if total_bytes > 0 {
        "{msg:20!} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}"
    } else {
        "{msg:20!} {spinner} {bytes} {bytes_per_sec} {elapsed}"
    };
    let style = ProgressStyle::with_template(template)
        .expect("the template is ours")
        .progress_chars("=> ");
    let bar = if total_bytes > 0 {
        ProgressBar::with_draw_target(Some(total_bytes), ProgressDrawTarget::stderr())
    } else {
        ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
    };
    bar.with_style(style)
        .with_message(terminal::shown(&messages::task(name)).into_owned())
        .with_elapsed(began.elapsed())
}

impl Monitor for Screen {
    fn start(&self, task: &str, total_bytes: u64) {
        self.finish();
        tracing::debug!(task, total_bytes, "starts");
        self.done.store(0, Ordering::Relaxed);
        let now = Instant::now();
        if let Ok(mut current) = self.task.lock() {
            *current = Some(ProgressTask {
                name: task.to_owned(),
                total_bytes,
                began: now,
                said: now,
                bar: None,
            });
        }
    }

    fn advance(&self, bytes: u64) {
        let done = self.done.fetch_add(bytes, Ordering::Relaxed) + bytes;
        // Whoever holds the lock is showing a newer number already.
        if let Ok(mut current) = self.task.try_lock()
            && let Some(task) = current.as_mut()
        {
            self.show(task, done);
        }
    }

    fn finish(&self) {
        let Ok(mut current) = self.task.lock() else {
            return;
        };
        if let Some(task) = current.take() {
            if let Some(bar) = task.bar {
                bar.finish_and_clear();
            }
            let (done_bytes, took) = (self.done.load(Ordering::Relaxed), task.began.elapsed());
            tracing::debug!(task = task.name, done_bytes, ?took, "is done");
            if self.style == ProgressMode::Json && task.began.elapsed() >= QUIET {
                let done = self.done.load(Ordering::Relaxed);
                print_json(&task.name, done, task.total_bytes, "done");
            }
        }
    }

    fn finding(&self, finding: &Finding) {
        tracing::warn!(
            severity = ?finding.severity,
            subject = %terminal::shown(&finding.subject.to_string()),
            kind = finding.code(),
            "{}",
            terminal::shown(&finding.message())
        );
        let before = self.findings.fetch_add(1, Ordering::Relaxed);
        if before >= self.findings_shown && self.style != ProgressMode::Json {
            return;
        }
        let print = || match self.style {
            ProgressMode::Json => {
                terminal::say_json(&serde_json::json!({"event": "finding", "finding": finding}));
            }
            ProgressMode::Bar | ProgressMode::None => {
                terminal::say(&(messages::finding(finding) + "\n"))
            }
        };
        match self.task.lock() {
            Ok(current) => match current.as_ref().and_then(|task| task.bar.as_ref()) {
                Some(bar) => bar.suspend(print),
                None => print(),
            },
            Err(_) => print(),
        }
    }

    fn stop_asked(&self) -> bool {
        interrupt::is_asked()
    }
}
