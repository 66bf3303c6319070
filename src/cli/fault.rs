//! What is said when the program itself is at fault, or the system gives it no more: a panic, in whatever thread, and an abort.
//!
//! A person gets what happened, what to do and what to send home, in one error and one hint like any other failure.

use std::any::Any;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::PanicHookInfo;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use carryall::base::diagnostic::diagnostic;
use signal_hook::consts::SIGABRT;
use signal_hook::low_level::pipe;

use crate::cli::exit::{EXIT_FAILED, Failure};
use crate::cli::interrupt;

/// After a panic the others get this time to leave things tidy. One that waits for the thread that is gone waits for ever.
const GRACE: Duration = Duration::from_secs(5);
/// Of what a panic says, so much is shown.
const TEXT_MAX_CHARS: usize = 400;

static HAPPENED: AtomicBool = AtomicBool::new(false);
static GOES_ON: AtomicBool = AtomicBool::new(false);

/// Whether a panic was told: the command has failed, whatever it returns.
pub fn happened() -> bool {
    HAPPENED.load(Ordering::SeqCst) && !GOES_ON.load(Ordering::Relaxed)
}

/// From now on a panic ends what it happened in and nothing else: of one client's request, not the server.
pub fn go_on() {
    GOES_ON.store(true, Ordering::Relaxed);
}

/// Has panics and aborts told from now on.
pub fn listen(json: bool) {
    std::panic::set_hook(Box::new(move |panic| tell(panic, json)));
    // Without it an abort ends the program as the system does.
    let _ = listen_for_abort(json);
}

fn tell(panic: &PanicHookInfo<'_>, json: bool) {
    let goes_on = GOES_ON.load(Ordering::Relaxed);
    // The panics of those that waited for the first say nothing new.
    if HAPPENED.swap(true, Ordering::SeqCst) && !goes_on {
        return;
    }
    let failure = words_for(panic);
    if goes_on {
        failure.report(json);
        return;
    }
    if interrupt::has_last_words() {
        failure.report(json);
    }
    interrupt::ask();
    let _ = thread::Builder::new().spawn(|| {
        thread::sleep(GRACE);
        std::process::exit(i32::from(EXIT_FAILED));
    });
}

fn words_for(panic: &PanicHookInfo<'_>) -> Failure {
    let text: String = text_of(panic.payload())
        .chars()
        .take(TEXT_MAX_CHARS)
        .collect();
    if is_for_want(&text) {
        return diagnostic!("system.no_threads").into();
    }
    let place = panic.location().map(ToString::to_string);
    let version = env!("CARGO_PKG_VERSION");
    let (place, command) = (place.unwrap_or_else(|| "?".to_owned()), command());
    diagnostic!("program.fault", what = text, version, place, command).into()
}

fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("?")
}

/// Threads that the system does not give end in a panic of those who ask for them.
fn is_for_want(text: &str) -> bool {
    [
        "failed to spawn thread",
        "spawn worker thread",
        "thread pool has not been initialized",
    ]
    .iter()
    .any(|want| text.contains(want))
}

/// The command and its options without what was given to them: names, paths and addresses stay here.
fn command() -> String {
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| word.to_string_lossy().into_owned());
    let mut is_first = true;
    let words = words.map(|word| {
        if word.starts_with('-') && word.len() > 1 {
            return word.split('=').next().unwrap_or_default().to_owned();
        }
        let is_command = is_first && crate::cli::args::is_command(&word);
        is_first &= !is_command;
        if is_command { word } else { "…".to_owned() }
    });
    let words: Vec<String> = std::iter::once("carryall".to_owned())
        .chain(words)
        .collect();
    words.join(" ")
}

/// Allocations that fail and stacks that overflow end in an abort, after a line of their own. Before it comes to that, the
/// thread waits at a pipe that is full, and another one says what to do and ends the program.
fn listen_for_abort(json: bool) -> io::Result<()> {
    let (mut bell, ring) = io::pipe()?;
    let (never_read, full) = io::pipe()?;
    let full_too = full.try_clone()?;
    // Made now: there may be no memory then.
    let text = Failure::from(diagnostic!("program.aborted")).text(json);
    thread::Builder::new()
        .name("abort".into())
        .stack_size(128 << 10)
        .spawn(move || {
            let _open = never_read;
            let mut byte = [0];
            if bell.read_exact(&mut byte).is_ok() {
                // Not through the lock of stderr: it may be held by the one that waits.
                let _ = rustix::io::write(io::stderr().as_fd(), text.as_bytes());
                std::process::exit(i32::from(EXIT_FAILED));
            }
        })?;
    pipe::register(SIGABRT, OwnedFd::from(ring))?;
    pipe::register(SIGABRT, OwnedFd::from(full))?;
    // Registered pipes do not block. This one is to, once it is full.
    while (&full_too).write(&[0; 4096]).is_ok() {}
    let flags = rustix::fs::fcntl_getfl(&full_too)?;
    rustix::fs::fcntl_setfl(&full_too, flags - rustix::fs::OFlags::NONBLOCK)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_panic_is_told_with_its_place_and_what_to_do() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            heard.lock().unwrap().push(words_for(panic).text(false));
        }));
        let sizes: Vec<usize> = Vec::new();
        let ended = thread::spawn(move || sizes[7]).join();
        std::panic::set_hook(before);
        assert!(ended.is_err());
        let told = told.lock().unwrap();
        let one = told
            .iter()
            .find(|one| one.contains("the index is 7"))
            .unwrap();
        assert!(
            one.contains("fault.rs:") && one.contains(env!("CARGO_PKG_VERSION")),
            "{one}"
        );
        assert_eq!(one.lines().count(), 2, "{one}");
    }
}
