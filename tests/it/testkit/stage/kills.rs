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
    /// Measures how long the command takes, which must succeed.
    #[track_caller]
    pub fn timed(stage: &Stage, command: &[String], seed: u64, rounds: u32) -> Self {
        Self {
            seed,
            rounds,
            whole: stage.time(command),
        }
    }

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
        self.count(stage, command, restore, check).are_enough();
    }

    /// The same for a command that may be too short to be hit.
    pub fn count(
        &self,
        stage: &Stage,
        command: &[String],
        restore: impl Fn(),
        mut check: impl FnMut(u32),
    ) -> Instants {
        let mut instants = Instants::new(self.seed, self.rounds, self.whole);
        for round in 0..self.rounds {
            restore();
            let child = stage.start(command);
            std::thread::sleep(instants.draw());
            instants.struck(kill(child));
            check(round);
        }
        instants
    }
}

/// Instants at which work is stopped, spread over the time that it takes.
///
/// The time was measured once, and perhaps on a busier machine. Work that ends before its instant shows that it takes less:
/// the instants that follow are drawn from the shorter time.
pub struct Instants {
    seeded: Seeded,
    rounds: u32,
    whole: Duration,
    drawn: u32,
    last: Duration,
    hits: u32,
}

impl Instants {
    /// Instants for `rounds` rounds of work that takes `whole`. More may be drawn: they begin at the front again.
    pub fn new(seed: u64, rounds: u32, whole: Duration) -> Self {
        Self {
            seeded: Seeded::new(seed),
            rounds,
            whole,
            drawn: 0,
            last: whole,
            hits: 0,
        }
    }

    /// The next instant, at a random place of its round's share.
    pub fn draw(&mut self) -> Duration {
        let round = f64::from(self.drawn % self.rounds);
        let place = (round + self.seeded.fraction()) / f64::from(self.rounds);
        self.drawn += 1;
        self.last = self.whole.mul_f64(place);
        self.last
    }

    /// Hears whether the work was still running at the instant that was drawn last.
    pub fn struck(&mut self, is_hit: bool) {
        if is_hit {
            self.hits += 1;
        } else {
            self.whole = self.whole.min(self.last).mul_f64(0.9);
        }
    }

    /// How often the work was hit.
    pub fn hits(&self) -> u32 {
        self.hits
    }

    /// The test stops the work in earnest: enough of the instants lay before its end.
    #[track_caller]
    pub fn are_enough(&self) {
        assert!(
            self.hits * 3 >= self.drawn,
            "only {} of {} instants met work that was running",
            self.hits,
            self.drawn
        );
    }
}
