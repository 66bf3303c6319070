//! A store in a bucket of a real object store.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::stage::{Run, Stage};
use super::trees::look;
use super::weed::{Bucket, bucket};

/// A stage whose store is in a bucket.
pub struct Cloud {
    /// Where commands run.
    pub stage: Stage,
    /// Its bucket.
    pub bucket: Bucket,
    /// The prefix of the store in it.
    pub prefix: &'static str,
}

impl Cloud {
    /// `None` without a server.
    pub fn new() -> Option<Self> {
        Some(Self {
            bucket: bucket()?,
            stage: Stage::new(),
            prefix: "team/releases",
        })
    }

    /// A command on the store.
    pub fn command(&self, words: &[&str]) -> Command {
        self.command_at(words, self.prefix, "cache")
    }

    /// A command on the store at a prefix, with a local folder of its own.
    pub fn command_at(&self, words: &[&str], prefix: &str, cache: &str) -> Command {
        let mut command = self.stage.command(words);
        command
            .env("CARRYALL_STORE", self.bucket.address(prefix))
            .envs(self.bucket.environment(&self.stage.path(cache)));
        command
    }

    /// Runs a command on the store.
    pub fn run(&self, words: &[&str]) -> Run {
        self.command(words).output().unwrap().into()
    }

    /// Checks that a release comes back, on a machine with this local folder.
    #[track_caller]
    pub fn comes_back(&self, release: &str, given: &str, cache: &str) {
        let back = format!("back-{}", release.replace([':', '/'], "-"));
        self.stage.remove(&back);
        let run: Run = self
            .command_at(&["checkout", release, &back], self.prefix, cache)
            .output()
            .unwrap()
            .into();
        run.ends_with(0);
        assert!(
            look(&self.stage.path(&back)) == look(&self.stage.path(given)),
            "{release}"
        );
    }

    /// Adds everything in a folder.
    pub fn add(&self, release: &str, given: &str) -> Command {
        let items: Vec<String> = fs::read_dir(self.stage.path(given))
            .unwrap()
            .map(|entry| format!("{given}/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect();
        let mut words = vec!["add", release];
        words.extend(items.iter().map(String::as_str));
        self.command(&words)
    }
}

/// Runs a command that must end well.
#[track_caller]
pub fn ok(command: &mut Command) -> Run {
    Run::from(command.output().unwrap()).ends_with(0)
}

/// The bytes of all files in a folder.
pub fn bytes_below(path: &Path) -> u64 {
    if path.is_file() {
        return path.metadata().unwrap().len();
    }
    let entries = fs::read_dir(path).unwrap();
    entries
        .map(|entry| bytes_below(&entry.unwrap().path()))
        .sum()
}
