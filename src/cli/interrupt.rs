//! How a command is ended from outside: the first signal asks it to stop, and what has not stopped in time is ended.
//!
//! Nothing half-done can hurt: what is written is renamed into place at last, and what was left is swept by the next run. A
//! second signal ends the program where it stands.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;
use signal_hook::iterator::Signals;

use crate::cli::exit::{EXIT_INTERRUPTED, Failure};
use crate::cli::{messages, terminal};

/// What a command has to leave things tidy. It is gone two seconds after the signal.
pub const GRACE: Duration = Duration::from_millis(1500);
/// How long a message may take: whoever reads it may have stopped reading.
const WORDS: Duration = Duration::from_millis(200);

static ASKED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);
static LAST_WORDS: AtomicBool = AtomicBool::new(false);

/// What is done last when a command does not stop in time.
static LAST_ACT: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Does this before the program is ended because the command did not stop in time.
pub fn at_end(act: impl FnOnce() + Send + 'static) {
    let mut last = LAST_ACT.lock().unwrap_or_else(PoisonError::into_inner);
    *last = Some(Box::new(act));
}

/// Whether the command should stop.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Asks the command to stop, as a signal does.
pub fn ask() {
    ASKED.store(true, Ordering::Relaxed);
}

/// Whether the caller is the first to say how the command ended: it is said once.
pub fn has_last_words() -> bool {
    !LAST_WORDS.swap(true, Ordering::SeqCst)
}

/// Hears signals from now on. What cannot be heard ends the program, as it does without this.
pub fn listen(json: bool) {
    for signal in heard() {
        // In this order: the first signal sets the flag, the second finds it set. Both act in the midst of anything.
        let _ = flag::register_conditional_shutdown(
            signal,
            i32::from(EXIT_INTERRUPTED),
            Arc::clone(&ASKED),
        );
        let _ = flag::register(signal, Arc::clone(&ASKED));
    }
    // A file that grows past the limit is then an error, which has words.
    let _ = flag::register(SIGXFSZ, Arc::default());
    if let Ok(mut signals) = Signals::new(heard()) {
        let watch = move || {
            if signals.forever().next().is_some() {
                watch(json);
            }
        };
        // Without it a command still stops where it asks, and the second signal still ends it.
        let _ = thread::Builder::new().name("signals".into()).spawn(watch);
    }
}

/// Ctrl-C, termination, and the terminal going away, unless somebody saw to it that this is no reason (`nohup`).
fn heard() -> impl Iterator<Item = i32> {
    let hangs_up = !is_ignored(SIGHUP);
    [SIGINT, SIGTERM]
        .into_iter()
        .chain(hangs_up.then_some(SIGHUP))
}

fn is_ignored(signal: i32) -> bool {
    static IGNORED: LazyLock<u64> = LazyLock::new(|| {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
            .unwrap_or(0)
    });
    (1..=64).contains(&signal) && *IGNORED >> (signal - 1) & 1 == 1
}

fn watch(json: bool) {
    if terminal::is_seen() && !json {
        let _ = in_time(|| terminal::say(&format!("\n{}\n", messages::stopping())));
    }
    thread::sleep(GRACE);
    let act = LAST_ACT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    if let Some(act) = act {
        act();
    }
    if has_last_words() {
        let _ = in_time(move || {
            Failure::interrupted().report(json);
        });
    }
    std::process::exit(i32::from(EXIT_INTERRUPTED));
}

/// Says something, and waits for it a moment only.
pub fn in_time(say: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let (done, wait) = std::sync::mpsc::channel();
    thread::Builder::new().spawn(move || {
        say();
        let _ = done.send(());
    })?;
    let _ = wait.recv_timeout(WORDS);
    Ok(())
}
