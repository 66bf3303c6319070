//! The part of the page that is about a set's volumes: what was read, what was bad, what was healed and how.

use carryall::ops::evidence::{EvidenceState, SetEvidence, VolumeEvidence};

use super::parts::{heading, known, table, text};
use crate::cli::messages::{self, message};

/// Most stretches of bad blocks that are shown for a volume.
const STRETCHES_SHOWN: usize = 8;

/// The state of a set, as markup.
pub(super) fn state(set: &SetEvidence) -> String {
    let (class, words) = match set.state {
        EvidenceState::Whole => ("good", message!("report-state-whole")),
        EvidenceState::DataWhole => ("good", message!("report-state-data-whole")),
        EvidenceState::Recoverable => ("wait", message!("report-state-recoverable")),
        EvidenceState::NeedsVolumes => ("wait", message!("report-state-needs-volumes")),
        EvidenceState::Lost => ("bad", message!("report-state-lost")),
        EvidenceState::Received => ("good", message!("report-state-received")),
        EvidenceState::AlreadyHere => ("good", message!("report-state-already-here")),
        EvidenceState::NotAsked => ("wait", message!("report-state-not-asked")),
        EvidenceState::NeedsBase => ("wait", message!("report-state-needs-base")),
        EvidenceState::Refused => ("bad", message!("report-state-refused")),
        EvidenceState::Failed => ("bad", message!("report-state-failed")),
    };
    format!("<b class=\"{class}\">{}</b>", text(words))
}

/// What was healed while the set was received, and which volumes were wrong.
pub(super) fn healed(set: &SetEvidence) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let healed = &set.healed;
    if healed.local + healed.wide + healed.copied > 0 {
        let (local, wide, copied) = (healed.local, healed.wide, healed.copied);
        let words = message!("report-healed-how", local, wide, copied);
        rows.push((message!("report-healed"), text(words)));
    }
    if !set.wrong_volumes.is_empty() {
        let numbers = messages::volumes(&set.wrong_volumes);
        rows.push((message!("report-wrong"), text(numbers)));
    }
    rows
}

/// The table of volumes.
pub(super) fn volumes(out: &mut String, set: &SetEvidence) {
    if set.volumes.is_empty() {
        return;
    }
    heading(out, 3, &message!("report-head-volumes"));
    // After receiving, what heals is counted for the whole set.
    let is_judged = set
        .volumes
        .iter()
        .any(|volume| volume.missing_blocks.is_some());
    let mut heads = vec![
        message!("report-volume"),
        message!("report-volume-kind"),
        message!("report-blocks"),
        message!("report-blocks-whole"),
        message!("report-blocks-bad"),
    ];
    if is_judged {
        heads.extend([
            message!("report-by-copy"),
            message!("report-by-own-parity"),
            message!("report-by-others"),
            message!("report-by-nothing"),
        ]);
    }
    let rows: Vec<Vec<String>> = set
        .volumes
        .iter()
        .map(|each| row(each, is_judged))
        .collect();
    table(out, &heads, 2, &rows);
    for volume in set.volumes.iter().filter(|volume| !volume.bad.is_empty()) {
        let shown = volume.bad.iter().take(STRETCHES_SHOWN);
        let stretches = shown.map(|stretch| match (stretch.first, stretch.last) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}–{last}"),
        });
        let mut stretches: Vec<String> = stretches.collect();
        if volume.bad.len() > STRETCHES_SHOWN {
            stretches.push("…".to_owned());
        }
        let (number, blocks) = (volume.volume_no, stretches.join(", "));
        let words = message!("report-bad-stretches", number, blocks);
        out.push_str(&format!("<p>{}</p>\n", text(words)));
    }
}

fn row(volume: &VolumeEvidence, is_judged: bool) -> Vec<String> {
    let kind = if volume.spare {
        message!("report-volume-spare")
    } else {
        message!("report-volume-data")
    };
    let mut row = vec![
        volume.volume_no.to_string(),
        text(kind),
        volume.blocks.to_string(),
    ];
    if volume.was_read {
        let bad = volume.blocks.saturating_sub(volume.whole_blocks);
        row.extend([volume.whole_blocks.to_string(), bad.to_string()]);
    } else {
        let away = format!(
            "<span class=\"none\">{}</span>",
            text(message!("report-volume-away"))
        );
        row.extend([away.clone(), "–".to_owned()]);
    }
    if is_judged {
        let healed = [
            volume.copied_blocks,
            volume.local_blocks,
            volume.wide_blocks,
            volume.missing_blocks,
        ];
        row.extend(healed.map(|count| match count {
            Some(count) => count.to_string(),
            None => known(None),
        }));
    }
    row
}
