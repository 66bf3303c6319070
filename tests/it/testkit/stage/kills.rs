//! Commands that are killed in the midst of their work.

use std::time::Duration;

use super::{Stage, kill};

/// Words of a command.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Starts the command, kills it after a while, and says whether it was still running.
pub fn kill_after(stage: &Stage, words: &[String], delay: Duration) -> bool {
    let child = stage.start(words);
    std::thread::sleep(delay);
    kill(child)
}

/// The test kills in earnest: enough of the instants lie before the end.
pub fn enough_hit(hits: u32, kills: u32) {
    assert!(
        hits * 3 >= kills,
        "only {hits} of {kills} kills hit a running command"
    );
}
