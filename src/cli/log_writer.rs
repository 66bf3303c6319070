//! Lines that a thread of its own writes: whoever does not read them, or reads slowly, holds nobody up.
//!
//! Lines that do not fit into the queue any more are left out, and how many is said as soon as there is room again.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cli::{messages, terminal};

/// Lines that wait to be written.
const LINES: usize = 1024;
/// Time for what waits to be written at the end.
const LAST_TIME: Duration = Duration::from_millis(500);
/// How often it is looked whether all is written.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextStream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Hands lines over.
pub struct LogWriter {
    lines: SyncSender<(TextStream, String)>,
    left_out: Arc<Mutex<u64>>,
    writer: JoinHandle<()>,
}

impl LogWriter {
    /// Starts the thread that writes texts, or JSON. It is not waited for but in [`Self::close`].
    pub fn start(json: bool) -> Self {
        let (lines, queue) = sync_channel::<(TextStream, String)>(LINES);
        let left_out = Arc::new(Mutex::new(0));
        let count = Arc::clone(&left_out);
        let writer = std::thread::spawn(move || {
            for (stream, text) in queue {
                write(stream, &text, json);
                let left_out = std::mem::take(&mut *lock(&count));
                if left_out > 0 {
                    messages::say(&messages::lines_left_out(left_out));
                }
            }
        });
        Self {
            lines,
            left_out,
            writer,
        }
    }

    /// Hands a text over; never waits.
    pub fn say(&self, stream: TextStream, text: String) {
        if let Err(TrySendError::Full(_)) = self.lines.try_send((stream, text)) {
            *lock(&self.left_out) += 1;
        }
    }

    /// Gives what waits a moment to be written.
    pub fn close(self) {
        drop(self.lines);
        let begin = Instant::now();
        while !self.writer.is_finished() && begin.elapsed() < LAST_TIME {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

fn lock(count: &Mutex<u64>) -> std::sync::MutexGuard<'_, u64> {
    count.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever reads this may be gone; that ends nothing.
fn write(stream: TextStream, text: &str, json: bool) {
    match stream {
        TextStream::Out if json => drop(terminal::print_json(text)),
        TextStream::Out => drop(terminal::print(text)),
        TextStream::Err => terminal::say_either(text, json),
    }
}
