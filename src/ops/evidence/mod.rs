//! Evidence of one `verify`, `receive` or `visit`: what was read when and from what, who signed it, what was bad, what was
//! healed and how, and what came of it.
//!
//! It gathers what the operations report, also when they fail. How it is shown on paper is the front end's business.

mod set;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::set::{
    BadBlocks, EvidenceState, ImageEvidence, ReleaseEvidence, SetEvidence, VolumeEvidence,
};
use crate::base::diagnostic::Diagnostic;
use crate::base::finding::Finding;
use crate::base::id::SetId;
use crate::base::monitor::Monitor;
use crate::base::path_text;
use crate::base::utc;
use crate::ops::history::{self, HistoryMark};
use crate::ops::media::verify::JudgedSets;
use crate::ops::program::Program;
use crate::ops::receive::{ReceiveReport, StatusReport};
use crate::ops::trust::TrustedKeys;
use crate::store::Store;
use crate::volumes::media::medium_facts::MediumFacts;

/// The format of evidence in JSON.
const FORMAT: u32 = 1;
/// Most findings that are kept. The others are counted.
const FINDINGS_MAX: usize = 500;
/// Most media. A visit may go on for long.
const MEDIA_MAX: usize = 1000;

/// The command that evidence is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceCommand {
    /// `verify`.
    Verify,
    /// `receive`.
    Receive,
    /// `visit`.
    Visit,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceOutcome {
    /// All of it is done, and everything is whole.
    Done,
    /// It is done, and damage is left.
    DamageLeft,
    /// More volumes, or a release that a delta depends on, are needed.
    MoreNeeded,
    /// It failed.
    Failed,
    /// A signal ended it.
    Interrupted,
}

/// The program that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProgramEvidence {
    /// Name and version.
    pub version: String,
    /// Its file.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// SHA-256 of its file. `None` when it cannot be read.
    pub sha256: Option<String>,
}

/// The store that sets were taken into, or whose trusted keys name signers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StoreEvidence {
    /// Its folder.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Its id.
    pub id: String,
    /// The last line of its history.
    pub history: Option<HistoryMark>,
}

/// A medium that was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MediumEvidence {
    /// When reading began, in UTC.
    pub read_at: String,
    /// What is known of it.
    #[serde(flatten)]
    pub facts: MediumFacts,
    /// The volumes on it. `None` when several media were read at a time, so that it is not known which is where.
    pub volumes: Option<Vec<MediumVolume>>,
}

/// A volume on a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MediumVolume {
    /// Id of its set.
    pub set_id: SetId,
    /// Its number.
    pub volume_no: u16,
}

/// Evidence of one command.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct EvidenceReport {
    /// The format of this document.
    pub format: u32,
    /// The command.
    pub command: EvidenceCommand,
    /// When it began, in UTC.
    pub began: String,
    /// When it ended, in UTC.
    pub ended: String,
    /// How it ended.
    pub outcome: EvidenceOutcome,
    /// Its exit code.
    pub exit_code: u8,
    /// Why it failed, in English. `None` when it did not.
    pub error: Option<String>,
    /// Media whose volumes are not known yet.
    #[serde(skip)]
    media_read: usize,
    /// The same for a front end that has other words.
    #[serde(skip)]
    pub failure: Option<Diagnostic>,
    /// Name of the machine.
    pub host: String,
    /// Number of the user.
    pub uid: u32,
    /// The program.
    pub program: ProgramEvidence,
    /// The store. `None` when no store is there.
    pub store: Option<StoreEvidence>,
    /// Number of keys that the site trusts.
    pub trusted_keys: usize,
    /// The media, in the order in which reading began.
    pub media: Vec<MediumEvidence>,
    /// Bytes that were read. `None` when that was not counted.
    pub scanned_bytes: Option<u64>,
    /// Bytes that could not be read. `None` when that was not counted.
    pub unread_bytes: Option<u64>,
    /// Paths among those given that hold no volume.
    #[serde(serialize_with = "path_text::all")]
    pub without_volume: Vec<PathBuf>,
    /// The sets.
    pub sets: Vec<SetEvidence>,
    /// What was found, in the order in which it was found.
    pub findings: Vec<Finding>,
    /// Number of further findings.
    pub more_findings: u64,
}

impl EvidenceReport {
    /// Begins evidence of a command that begins now. It counts as interrupted until it has ended.
    pub fn begin(command: EvidenceCommand) -> Self {
        let running = Program::running().ok();
        let started = || std::env::current_exe().unwrap_or_default();
        Self {
            format: FORMAT,
            command,
            began: utc::now(),
            ended: utc::now(),
            outcome: EvidenceOutcome::Interrupted,
            exit_code: 0,
            error: None,
            media_read: 0,
            failure: None,
            host: crate::base::fs::host_name(),
            uid: rustix::process::geteuid().as_raw(),
            program: ProgramEvidence {
                version: concat!("carryall ", env!("CARGO_PKG_VERSION")).to_owned(),
                path: running
                    .as_ref()
                    .map_or_else(started, |program| program.path.clone()),
                sha256: running.map(|program| program.sha256().to_owned()),
            },
            store: None,
            trusted_keys: 0,
            media: Vec::new(),
            scanned_bytes: None,
            unread_bytes: None,
            without_volume: Vec::new(),
            sets: Vec::new(),
            findings: Vec::new(),
            more_findings: 0,
        }
    }

    /// Names the store.
    pub fn note_store(&mut self, store: &Store) {
        let history = history::read(store, None).ok();
        self.store = Some(StoreEvidence {
            path: store.shown_as().to_owned(),
            id: store.id().to_string(),
            history: history.and_then(|history| history.last),
        });
        self.note_trust(&TrustedKeys::of(store).unwrap_or_default());
    }

    /// Counts the keys that the site trusts.
    pub fn note_trust(&mut self, trusted: &TrustedKeys) {
        self.trusted_keys = trusted.count();
    }

    /// Adds a medium that is about to be read.
    pub fn note_medium(&mut self, path: &Path) {
        if self.media.len() < MEDIA_MAX {
            self.media.push(MediumEvidence {
                read_at: utc::now(),
                facts: MediumFacts::of(path),
                volumes: None,
            });
            self.media_read += 1;
        }
    }

    /// Adds something that was found. What is known already is not added again.
    pub fn note_finding(&mut self, finding: &Finding) {
        if self.findings.contains(finding) {
            return;
        }
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(finding.clone());
        } else {
            self.more_findings += 1;
        }
    }

    /// Adds what `verify` judged.
    pub fn note_verified(&mut self, judged: &JudgedSets) {
        let report = &judged.report;
        self.scanned_bytes = Some(report.scanned_bytes);
        self.unread_bytes = Some(report.unread_bytes);
        self.without_volume.clone_from(&report.without_volume);
        let readers = judged.sets.iter().map(|(reader, _)| reader);
        self.sets = report
            .sets
            .iter()
            .zip(readers)
            .map(|(verdict, reader)| SetEvidence::of_verdict(verdict, reader))
            .collect();
        let read = self.sets.iter().flat_map(read_of).collect();
        self.note_volumes(read);
        report
            .findings
            .iter()
            .for_each(|each| self.note_finding(each));
    }

    /// Adds what `receive` took in, to what earlier calls of the same visit did.
    pub fn note_received(&mut self, report: &ReceiveReport) {
        for path in &report.empty_paths {
            if !self.without_volume.contains(path) {
                self.without_volume.push(path.clone());
            }
        }
        let sets: Vec<SetEvidence> = report.sets.iter().map(SetEvidence::of_progress).collect();
        self.note_volumes(sets.iter().flat_map(read_of).collect());
        sets.into_iter().for_each(|set| self.merge(set));
        for failed in &report.failed {
            self.merge(SetEvidence::of_failed(failed));
        }
        report
            .findings
            .iter()
            .for_each(|each| self.note_finding(each));
    }

    /// Adds what is known of sets that wait, when an operation failed before it could say so itself.
    pub fn note_waiting(&mut self, status: &StatusReport) {
        for progress in &status.incoming {
            self.merge(SetEvidence::of_progress(progress));
        }
    }

    /// Adds the images of the releases that are in the store.
    pub fn note_images(&mut self, store: &Store, monitor: &dyn Monitor) {
        for set in &mut self.sets {
            set.note_images(store, monitor);
        }
    }

    /// Says how the command ended.
    pub fn end(&mut self, outcome: EvidenceOutcome, exit_code: u8, failure: Option<Diagnostic>) {
        self.ended = utc::now();
        self.outcome = outcome;
        self.exit_code = exit_code;
        self.error = failure.as_ref().map(ToString::to_string);
        self.failure = failure;
    }

    /// Says which volumes the last media had. Of several it is not known which had which.
    fn note_volumes(&mut self, read: Vec<MediumVolume>) {
        if let (1, Some(medium)) = (std::mem::take(&mut self.media_read), self.media.last_mut()) {
            medium.volumes = Some(read);
        }
    }

    fn merge(&mut self, set: SetEvidence) {
        match self
            .sets
            .iter_mut()
            .find(|known| known.set_id == set.set_id)
        {
            Some(known) => known.follow(set),
            None => self.sets.push(set),
        }
    }
}

/// Returns the volumes of a set that were read.
fn read_of(set: &SetEvidence) -> Vec<MediumVolume> {
    let read = set.volumes.iter().filter(|volume| volume.was_read);
    let volume = |volume: &VolumeEvidence| MediumVolume {
        set_id: set.set_id,
        volume_no: volume.volume_no,
    };
    read.map(volume).collect()
}
