//! The report as a page that is printed and filed: one file without scripts and without anything from outside.
//!
//! Names come from media, so every text is escaped and bounded.

use std::fmt::Write;

use carryall::base::size::ByteSize;
use carryall::ops::evidence::{
    EvidenceCommand, EvidenceOutcome, EvidenceReport, MediumEvidence, MediumVolume,
    ReleaseEvidence, SetEvidence,
};
use carryall::ops::trust::KeyFacts;
use carryall::volumes::media::medium_facts::MediumKind;

use super::parts::{LINES_MAX, code, facts, heading, known, list, table, text, unbroken};
use super::volumes;
use crate::cli::messages::{self, message};

/// Renders the page. `signer` is the key that the file is signed with.
pub fn page(evidence: &EvidenceReport, signer: Option<&KeyFacts>) -> String {
    let title = text(match evidence.command {
        EvidenceCommand::Verify => message!("report-title-verify"),
        EvidenceCommand::Receive => message!("report-title-receive"),
        EvidenceCommand::Visit => message!("report-title-visit"),
    });
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"generator\" content=\"carryall report\">\n<title>{title} · {at}</title>\n\
         <style>\n{css}</style>\n</head>\n<body>\n<h1>{title}</h1>\n",
        lang = messages::language_tag(),
        at = text(evidence.began.clone()),
        css = include_str!("report.css"),
    );
    verdict(&mut out, evidence);
    run(&mut out, evidence);
    media(&mut out, evidence);
    for set in &evidence.sets {
        one_set(&mut out, set, evidence.trusted_keys);
    }
    findings(&mut out, evidence);
    hand(&mut out, evidence, signer);
    out += "</body>\n</html>\n";
    out
}

fn verdict(out: &mut String, evidence: &EvidenceReport) {
    let (class, words) = match evidence.outcome {
        EvidenceOutcome::Done => ("good", message!("report-outcome-done")),
        EvidenceOutcome::DamageLeft => ("bad", message!("report-outcome-damage")),
        EvidenceOutcome::MoreNeeded => ("wait", message!("report-outcome-more")),
        EvidenceOutcome::Failed => ("bad", message!("report-outcome-failed")),
        EvidenceOutcome::Interrupted => ("bad", message!("report-outcome-interrupted")),
    };
    let _ = writeln!(out, "<div class=\"verdict {class}\"><b>{}</b>", text(words));
    if let Some(failure) = &evidence.failure {
        let _ = writeln!(out, "<p>{}</p>", text(messages::said(failure)));
    }
    let exit = message!("report-exit-code", code = evidence.exit_code);
    let _ = writeln!(out, "<p>{}</p></div>", text(exit));
}

fn run(out: &mut String, evidence: &EvidenceReport) {
    heading(out, 2, &message!("report-head-run"));
    let command = match evidence.command {
        EvidenceCommand::Verify => "carryall verify",
        EvidenceCommand::Receive => "carryall receive",
        EvidenceCommand::Visit => "carryall visit",
    };
    let mut rows = vec![
        (message!("report-command"), code(command)),
        (
            message!("report-time"),
            format!("{} – {}", text(&evidence.began), text(&evidence.ended)),
        ),
        (
            message!("report-machine"),
            text(message!(
                "report-user",
                host = &evidence.host,
                uid = evidence.uid
            )),
        ),
        (
            message!("report-program"),
            format!(
                "{}<br>{}",
                text(&evidence.program.version),
                text(evidence.program.path.to_string_lossy())
            ),
        ),
        (
            message!("report-program-hash"),
            match &evidence.program.sha256 {
                Some(hash) => code(hash),
                None => known(None),
            },
        ),
    ];
    if let Some(store) = &evidence.store {
        rows.push((
            message!("report-store"),
            format!(
                "{}<br>{}",
                text(store.path.to_string_lossy()),
                code(&store.id)
            ),
        ));
        if let Some(last) = &store.history {
            let line = message!("report-history-line", no = last.no);
            rows.push((
                message!("report-history"),
                format!("{}<br>{}", text(line), code(&last.sha256)),
            ));
        }
    }
    rows.push((
        message!("report-trusted"),
        text(message!(
            "report-trusted-keys",
            count = evidence.trusted_keys
        )),
    ));
    if let Some(bytes) = evidence.scanned_bytes {
        rows.push((
            message!("report-scanned"),
            text(ByteSize(bytes).to_string()),
        ));
    }
    if let Some(bytes) = evidence.unread_bytes {
        rows.push((message!("report-unread"), text(ByteSize(bytes).to_string())));
    }
    facts(out, &rows);
}

fn media(out: &mut String, evidence: &EvidenceReport) {
    heading(out, 2, &message!("report-head-media"));
    let heads = [
        message!("report-medium"),
        message!("report-medium-at"),
        message!("report-medium-device"),
        message!("report-medium-model"),
        message!("report-medium-serial"),
        message!("report-medium-system"),
        message!("report-volumes"),
    ];
    let rows: Vec<Vec<String>> = evidence.media.iter().take(LINES_MAX).map(medium).collect();
    if rows.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", text(message!("report-no-media")));
    } else {
        table(out, &heads, usize::MAX, &rows);
    }
    for path in evidence.without_volume.iter().take(LINES_MAX) {
        let _ = writeln!(out, "<p>{}</p>", text(message!("verify-no-volume", path)));
    }
}

fn medium(medium: &MediumEvidence) -> Vec<String> {
    let facts = &medium.facts;
    let kind = match facts.kind {
        MediumKind::Disc => message!("report-kind-disc"),
        MediumKind::Disk => message!("report-kind-disk"),
        MediumKind::Folder => message!("report-kind-folder"),
        MediumKind::File => message!("report-kind-file"),
        MediumKind::Pipe => message!("report-kind-pipe"),
        _ => message!("report-not-known"),
    };
    let model = [&facts.vendor, &facts.model];
    let model: Vec<&str> = model.into_iter().flatten().map(String::as_str).collect();
    let model = model.join(" ");
    let both = |one: &Option<String>, other: &Option<String>, label: String| {
        let mut lines: Vec<String> = one.iter().map(text).collect();
        lines.extend(
            other
                .iter()
                .map(|other| format!("{} {}", text(&label), text(other))),
        );
        if lines.is_empty() {
            known(None)
        } else {
            lines.join("<br>")
        }
    };
    let volumes = medium.volumes.as_ref().map(|volumes| {
        let one = |each: &MediumVolume| {
            unbroken(&format!("{} ({})", each.volume_no, each.set_id.short()))
        };
        volumes.iter().map(one).collect::<Vec<_>>().join("<br>")
    });
    vec![
        format!("{}<br>{}", text(facts.path.to_string_lossy()), text(kind)),
        unbroken(&medium.read_at),
        facts
            .device
            .as_deref()
            .map_or_else(|| known(None), unbroken),
        known(Some(model.as_str()).filter(|model| !model.is_empty())),
        both(
            &facts.serial,
            &facts.usb_serial,
            message!("report-usb-serial"),
        ),
        both(
            &facts.label,
            &facts.volume_serial,
            message!("report-volume-serial"),
        ),
        volumes.unwrap_or_else(|| known(None)),
    ]
}

fn one_set(out: &mut String, set: &SetEvidence, trusted_keys: usize) {
    let id = set.set_id.short();
    heading(
        out,
        2,
        &message!(
            "report-head-set",
            name = messages::set_name(&set.title, &id)
        ),
    );
    let mut rows = vec![
        (message!("report-state"), volumes::state(set)),
        (message!("report-set-id"), code(&set.set_id.to_string())),
        (
            message!("report-root"),
            match &set.root {
                Some(root) => code(root),
                None => known(None),
            },
        ),
        (message!("report-signed"), signers(set, trusted_keys)),
    ];
    if set.data_volumes > 0 {
        let (data, spare) = (set.data_volumes, set.spare_volumes);
        rows.push((
            message!("report-volumes"),
            text(message!("report-volume-count", data, spare)),
        ));
    }
    rows.extend(volumes::healed(set));
    if let Some(error) = &set.error {
        rows.push((
            message!("report-why"),
            text(messages::said(&error.diagnose())),
        ));
    }
    facts(out, &rows);
    volumes::volumes(out, set);
    if !set.releases.is_empty() {
        heading(out, 3, &message!("report-head-releases"));
        set.releases
            .iter()
            .take(LINES_MAX)
            .for_each(|each| release(out, each));
    }
    if !set.lost_items.is_empty() {
        heading(out, 3, &message!("report-head-lost"));
        list(out, set.lost_items.iter().map(text), 0);
    }
}

fn signers(set: &SetEvidence, trusted_keys: usize) -> String {
    let mut lines = Vec::new();
    for signer in &set.signed.signers {
        let (id, fingerprint) = (&signer.key.key_id, &signer.key.fingerprint);
        let (class, words) = match &signer.trusted_as {
            Some(name) => ("good", message!("report-signed-trusted", name, id)),
            None if trusted_keys == 0 => ("wait", message!("report-signed-unknown", id)),
            None => ("bad", message!("report-signed-stranger", id)),
        };
        lines.push(format!(
            "<b class=\"{class}\">{}</b><br>{}<br>{}",
            text(words),
            text(message!("key-fingerprint", fingerprint)),
            text(&signer.comment)
        ));
    }
    if set.signed.wrong_signatures > 0 {
        let words = message!("signed-wrong", count = set.signed.wrong_signatures);
        lines.push(format!("<b class=\"bad\">{}</b>", text(words)));
    }
    if set.signed.unknown_signatures > 0 {
        lines.push(text(message!(
            "signed-unknown",
            count = set.signed.unknown_signatures
        )));
    }
    if lines.is_empty() {
        let words = match &set.root {
            Some(_) => message!("report-signed-not"),
            None => message!("report-not-known"),
        };
        lines.push(format!("<b class=\"wait\">{}</b>", text(words)));
    }
    lines.join("<br>")
}

fn release(out: &mut String, release: &ReleaseEvidence) {
    let _ = writeln!(out, "<p><b>{}</b></p>", text(&release.name));
    if let Some(id) = &release.id {
        let _ = writeln!(
            out,
            "<p>{} {}</p>",
            text(message!("report-release-id")),
            code(id)
        );
    }
    if !release.items.is_empty() {
        let item = |item: &carryall::ops::media::verify::ItemOnMedia| {
            format!(
                "{} ({})",
                text(&item.name),
                text(ByteSize(item.bytes).to_string())
            )
        };
        list(out, release.items.iter().map(item), 0);
    }
    let image = |image: &carryall::ops::evidence::ImageEvidence| {
        let mut line = text(image.names.join(", "));
        if let Some(platform) = &image.platform {
            line += &format!(" ({})", text(platform.to_string()));
        }
        format!("{line}<br>{}", code(image.digest.as_str()))
    };
    if !release.images.is_empty() {
        list(out, release.images.iter().map(image), 0);
    }
}

fn findings(out: &mut String, evidence: &EvidenceReport) {
    heading(out, 2, &message!("report-head-findings"));
    if evidence.findings.is_empty() {
        let _ = writeln!(out, "<p>{}</p>", text(message!("report-no-findings")));
        return;
    }
    let lines = evidence
        .findings
        .iter()
        .map(|each| text(messages::finding(each)));
    list(out, lines, evidence.more_findings);
}

/// The place for signatures by hand, and what the signature of the file is.
fn hand(out: &mut String, evidence: &EvidenceReport, signer: Option<&KeyFacts>) {
    let cell = |words: String| format!("<td>{}</td>", text(words));
    let row = |who: String| {
        format!(
            "<tr>{}{}{}</tr>\n",
            cell(who),
            cell(message!("report-hand-date")),
            cell(message!("report-hand-signature"))
        )
    };
    let _ = write!(
        out,
        "<div class=\"hand\">\n<h2>{}</h2>\n<table>\n{}{}</table>\n",
        text(message!("report-head-hand")),
        row(message!("report-hand-done")),
        row(message!("report-hand-checked"))
    );
    let signed = match signer {
        Some(key) => message!(
            "report-file-signed",
            algorithm = key.algorithm,
            id = &key.key_id,
            fingerprint = &key.fingerprint
        ),
        None => message!("report-file-not-signed"),
    };
    let by = message!(
        "report-written-by",
        by = &evidence.program.version,
        at = &evidence.ended
    );
    let _ = writeln!(
        out,
        "<footer>{}<br>{}</footer>\n</div>",
        text(signed),
        text(by)
    );
}
