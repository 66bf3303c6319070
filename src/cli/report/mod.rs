//! `--report`: evidence of what a command read and found, in a file that is kept.
//!
//! It is written however the command ends, also when a signal ends it, and never over another file.

mod html;
mod parts;
mod volumes;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use carryall::base::diagnostic::diagnostic;
use carryall::base::finding::Finding;
use carryall::base::monitor::Monitor;
use carryall::base::output::OutputFile;
use carryall::base::signing::{SecretKey, Signature, SignatureAlgorithm};
use carryall::ops::Error;
use carryall::ops::evidence::{EvidenceCommand, EvidenceOutcome, EvidenceReport};
use carryall::ops::trust::KeyFacts;
use serde_json::json;

use crate::cli::args::ReportArgs;
use crate::cli::exit::{EXIT_DAMAGE, EXIT_INTERRUPTED, EXIT_NEEDS_VOLUMES, Failure};
use crate::cli::{Context, interrupt, key, messages, terminal};

/// The variable with the file of the key that reports are signed with.
const KEY: &str = "CARRYALL_REPORT_KEY";
/// Extension of a signature beside its file, which minisign looks for, and that of signatures that it cannot check.
const MINISIGN_END: &str = ".minisig";
const OTHER_END: &str = ".sig";

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReportForm {
    Page,
    Json,
}

/// A report that is being made, or none when none was asked for.
pub struct Report {
    /// Empty once it is written. Whoever writes it holds the lock until it is.
    unwritten: Option<Arc<Mutex<Option<Unwritten>>>>,
}

/// What is known so far, and where it goes.
struct Unwritten {
    evidence: EvidenceReport,
    form: ReportForm,
    file: OutputFile,
    signing: Option<(SecretKey, OutputFile)>,
}

/// The files of a report.
struct WrittenReport {
    report: PathBuf,
    signature: Option<PathBuf>,
}

impl Report {
    /// Begins the report that is asked for, before anything is read: a place that is taken fails at once.
    pub fn begin(
        context: &Context,
        args: &ReportArgs,
        command: EvidenceCommand,
        inputs: &[PathBuf],
    ) -> Result<Self, Failure> {
        let Some(place) = &args.report else {
            return Ok(Self { unwritten: None });
        };
        let form = match place.extension().and_then(|end| end.to_str()) {
            Some("html" | "htm") => ReportForm::Page,
            Some("json") => ReportForm::Json,
            _ => return Err(diagnostic!("usage.report_form", path = place).into()),
        };
        // Another report is evidence too, so nothing is replaced.
        let begin = |place: &Path| OutputFile::begin(place, |_| false, inputs);
        let file = begin(place).map_err(Error::from)?;
        let variable = || std::env::var_os(KEY).filter(|value| !value.is_empty());
        let named = args
            .report_key
            .clone()
            .or_else(|| variable().map(PathBuf::from));
        let signing = match named {
            None => None,
            Some(named) => {
                let mut keys = key::signers(&[named], args.password_file.as_deref())?;
                let begin = |key: SecretKey| {
                    let place = begin(&beside(place, &key)).map_err(Error::from)?;
                    Ok::<_, Error>((key, place))
                };
                keys.pop().map(begin).transpose()?
            }
        };
        let unwritten = Arc::new(Mutex::new(Some(Unwritten {
            evidence: EvidenceReport::begin(command),
            form,
            file,
            signing,
        })));
        let (late, json) = (Arc::clone(&unwritten), context.json);
        interrupt::at_end(move || {
            let mut late = late.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(unwritten) = late.take() {
                say(unwritten.write(&Err(Failure::interrupted())), json);
            }
        });
        Ok(Self {
            unwritten: Some(unwritten),
        })
    }

    /// Adds to what is known.
    pub fn note(&self, what: impl FnOnce(&mut EvidenceReport)) {
        if let Some(unwritten) = &self.unwritten {
            let mut unwritten = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(unwritten) = unwritten.as_mut() {
                what(&mut unwritten.evidence);
            }
        }
    }

    /// A monitor that notes what is found, and passes everything on.
    pub fn monitor<'a>(&'a self, to: &'a dyn Monitor) -> Witness<'a> {
        Witness { report: self, to }
    }

    /// Writes the report of a command that has ended.
    pub fn finish(self, context: &Context, ended: Result<u8, Failure>) -> Result<u8, Failure> {
        let Some(unwritten) = self.unwritten else {
            return ended;
        };
        let mut unwritten = unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(unwritten) = unwritten.take() else {
            return ended;
        };
        let written = unwritten.write(&ended);
        match (written, ended) {
            (Ok(written), ended) => {
                say(Ok(written), context.json);
                ended
            }
            (Err(failure), Ok(_)) => Err(failure),
            (failed, Err(first)) => {
                say(failed, context.json);
                Err(first)
            }
        }
    }
}

fn say(written: Result<WrittenReport, Failure>, is_json: bool) {
    match written {
        Err(failure) => {
            failure.report(is_json);
        }
        Ok(WrittenReport { report, signature }) if is_json => {
            let event = json!({"event": "report", "path": report, "signature": signature});
            terminal::say_json(&event);
        }
        Ok(WrittenReport { report, signature }) => {
            messages::say(&messages::report_written(&report, signature.as_deref()));
        }
    }
}

/// The place of a file's signature with a key.
fn beside(place: &Path, key: &SecretKey) -> PathBuf {
    let mut name: OsString = place.as_os_str().to_owned();
    name.push(match key.public_key().algorithm() {
        SignatureAlgorithm::Minisign => MINISIGN_END,
        _ => OTHER_END,
    });
    PathBuf::from(name)
}

impl Unwritten {
    fn write(mut self, ended: &Result<u8, Failure>) -> Result<WrittenReport, Failure> {
        let (outcome, code, failure) = match ended {
            Ok(code) => {
                let outcome = match *code {
                    0 => EvidenceOutcome::Done,
                    EXIT_DAMAGE => EvidenceOutcome::DamageLeft,
                    EXIT_NEEDS_VOLUMES => EvidenceOutcome::MoreNeeded,
                    _ => EvidenceOutcome::Failed,
                };
                (outcome, *code, None)
            }
            Err(failure) => match failure.exit_code() {
                EXIT_INTERRUPTED => (EvidenceOutcome::Interrupted, EXIT_INTERRUPTED, None),
                code => (EvidenceOutcome::Failed, code, failure.what().cloned()),
            },
        };
        self.evidence.end(outcome, code, failure);
        let signer = self
            .signing
            .as_ref()
            .map(|(key, _)| KeyFacts::of(key.public_key()));
        let bytes = match self.form {
            ReportForm::Page => html::page(&self.evidence, signer.as_ref()),
            ReportForm::Json => serde_json::to_string_pretty(&self.evidence)? + "\n",
        };
        let report = self.file.finish(bytes.as_bytes()).map_err(Error::from)?;
        let signature = match self.signing {
            None => None,
            Some((key, file)) => {
                let comment = format!("carryall report of {}", self.evidence.ended);
                let signature = Signature::make(&key, bytes.as_bytes(), &comment);
                Some(file.finish(signature.file()).map_err(Error::from)?)
            }
        };
        Ok(WrittenReport { report, signature })
    }
}

/// Passes on what it hears, and notes findings for the report.
#[derive(Clone, Copy)]
pub struct Witness<'a> {
    report: &'a Report,
    to: &'a dyn Monitor,
}

impl Monitor for Witness<'_> {
    fn start(&self, task: &str, total_bytes: u64) {
        self.to.start(task, total_bytes);
    }

    fn advance(&self, bytes: u64) {
        self.to.advance(bytes);
    }

    fn finish(&self) {
        self.to.finish();
    }

    fn finding(&self, finding: &Finding) {
        self.report.note(|evidence| evidence.note_finding(finding));
        self.to.finding(finding);
    }

    fn stop_asked(&self) -> bool {
        self.to.stop_asked()
    }
}
