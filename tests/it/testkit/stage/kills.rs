//! Commands that are killed in the midst of their work.

use std::time::Duration;

use super::super::bytes::Seeded;
use super::{Stage, kill};

/// Words of a command.
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Kills a command at instants that are spread over the time that it was measured to take.
pub struct Kills {
    /// What the instants are drawn from.
    pub seed: u64,
    /// How often it is killed.
    pub rounds: u32,
    /// How long it takes when nobody kills it.
    pub whole: Duration,
}

impl Kills {
    /// Kills the command again and again: `restore` comes before each time, `check` after it. Enough of the instants must lie
    /// before the command's end.
    #[track_caller]
    pub fn of(
        &self,
        stage: &Stage,
        command: &[String],
        restore: impl Fn(),
        check: impl FnMut(u32),
    ) {
        let hits = self.count(stage, command, restore, check);
        enough_hit(hits, self.rounds);
    }

    /// The same for a command that may be too short to be hit. Returns how often it was.
    pub fn count(
        &self,
        stage: &Stage,
        command: &[String],
        restore: impl Fn(),
        mut check: impl FnMut(u32),
    ) -> u32 {
        let mut seeded = Seeded::new(self.seed);
        let mut hits = 0;
        for round in 0..self.rounds {
            restore();
            let child = stage.start(command);
            std::thread::sleep(seeded.instant(round, self.rounds, self.whole));
            hits += u32::from(kill(child));
            check(round);
        }
        hits
    }
}

/// The test kills in earnest: enough of the instants lie before the end.
#[track_caller]
pub fn enough_hit(hits: u32, kills: u32) {
    assert!(
        hits * 3 >= kills,
        "only {hits} of {kills} kills hit a running command"
    );
}
