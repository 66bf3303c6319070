//! `verify`: whether everything can be brought back, and what would help.

use std::path::{Path, PathBuf};
use std::time::Duration;

use carryall::base::output::OutputFile;
use carryall::ops::Error;
use carryall::ops::evidence::EvidenceCommand;
use carryall::ops::media::verify::{self, JudgedSets, VerifyReport};
use carryall::volumes::damage_map;
use carryall::volumes::media::map::{is_map, map_html};
use serde_json::json;

use crate::cli::args::ReportArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::report::Report;
use crate::cli::{Context, messages, terminal, tray, trust};

/// What is asked of media.
pub struct VerifyRequest<'a> {
    /// Where the damage is drawn.
    pub map: Option<&'a Path>,
    /// Only whether what is at hand is whole.
    pub at_hand: bool,
    /// For how long bad sectors are tried again.
    pub retry_time: Duration,
    /// Where evidence is kept.
    pub report: &'a ReportArgs,
}

pub fn run(
    context: &Context,
    paths: &[PathBuf],
    request: &VerifyRequest<'_>,
) -> Result<u8, Failure> {
    let report = Report::begin(context, request.report, EvidenceCommand::Verify, paths)?;
    let ended = verify(context, paths, request, &report);
    report.finish(context, ended)
}

fn verify(
    context: &Context,
    paths: &[PathBuf],
    request: &VerifyRequest<'_>,
    report: &Report,
) -> Result<u8, Failure> {
    let map = request.map;
    // Before the media are read, which can take an hour.
    let first = map.map(|map| begin(map, paths)).transpose()?;
    tray::wait_for_discs(context, paths)?;
    let trusted = trust::known_here(context);
    report.note(|evidence| {
        evidence.note_trust(&trusted);
        paths.iter().for_each(|path| evidence.note_medium(path));
    });
    let monitor = report.monitor(&context.screen);
    let mut judged = verify::verify_within(paths, request.retry_time, &monitor)?;
    judged.report.name_signers(&trusted);
    report.note(|evidence| evidence.note_verified(&judged));
    let drawn = match (map, first) {
        (Some(map), Some(first)) => draw(context, &judged, map, first, paths),
        _ => Ok(()),
    };
    // The report took that hour: it is told even when the map cannot be written after all.
    if request.at_hand {
        context.print(&judged.report, text_at_hand)?;
        drawn?;
        return Ok(exit_code(judged.report.completion_at_hand()));
    }
    context.print(&judged.report, text)?;
    drawn?;
    Ok(exit_code(judged.report.completion()))
}

fn begin(map: &Path, inputs: &[PathBuf]) -> Result<OutputFile, Failure> {
    Ok(OutputFile::begin(map, is_map, inputs).map_err(Error::from)?)
}

/// One page a set; from the second set on the file's name gets the set's id.
fn draw(
    context: &Context,
    judged: &JudgedSets,
    map: &Path,
    first: OutputFile,
    inputs: &[PathBuf],
) -> Result<(), Failure> {
    let mut first = Some(first);
    for (set, recovery) in &judged.sets {
        let file = match first.take() {
            Some(first) => first,
            None => {
                let end = format!("{}.html", set.set_id().short());
                begin(&map.with_extension(end), inputs)?
            }
        };
        let page = map_html(&damage_map(set, recovery));
        let path = file.finish(page.as_bytes()).map_err(Error::from)?;
        if context.json {
            let set_id = set.set_id().to_string();
            terminal::say_json(&json!({"event": "map", "set_id": set_id, "path": path}));
        } else {
            messages::say(&messages::map_written(&path));
        }
    }
    Ok(())
}

pub fn text(report: &VerifyReport) -> String {
    said(report, messages::verdict)
}

/// What a disc that was just burned is asked: the set is another question.
fn text_at_hand(report: &VerifyReport) -> String {
    said(report, messages::verdict_at_hand)
}

fn said(report: &VerifyReport, verdict: impl Fn(&verify::SetVerdict) -> String) -> String {
    let mut out = String::new();
    for set in &report.sets {
        out += &messages::set_line(set);
        out += &messages::signed(&set.signed);
        out += &messages::volume_lines(set);
        out += &verdict(set);
    }
    out += &messages::without_volume(&report.without_volume);
    if report.unread_bytes > 0 {
        out += &messages::unread(report.unread_bytes);
    }
    out
}
