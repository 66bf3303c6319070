//! How far an operation came: what a caller acts on, and what the exit code of the program is made of.
//!
//! Each report says it itself. What is decided here is decided for every front end.

use serde::Serialize;

use crate::base::finding::{Finding, Severity};
use crate::ops::checkout::CheckoutReport;
use crate::ops::checkout::attached::AttachmentReport;
use crate::ops::checkout::images::ImageReport;
use crate::ops::history::HistoryReport;
use crate::ops::maintain::check::StoreCheckReport;
use crate::ops::maintain::copy::CopyReport;
use crate::ops::maintain::list::ListReport;
use crate::ops::maintain::show::ShowReport;
use crate::ops::media::burn::BurnReport;
use crate::ops::media::repair::RepairReport;
use crate::ops::media::verify::{SetState, SetVerdict, VerifyReport};
use crate::ops::publish::load::LoadReport;
#[cfg(feature = "registry")]
use crate::ops::publish::push::ReleasePushReport;
use crate::ops::receive::receipt::ReceiptReport;
use crate::ops::receive::{ProgressState, ReceiveReport, StatusReport};

/// How far an operation came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Completion {
    /// All of it is done, and everything is whole.
    Done,
    /// A part of it could not be done, for a reason that is no damage.
    Failed,
    /// It is done, and damage is left.
    DamageLeft,
    /// More volumes, or a release that a delta depends on, are needed.
    MoreNeeded,
}

impl Completion {
    /// [`Completion::Done`] when everything is whole.
    fn whole(is_whole: bool) -> Self {
        if is_whole {
            Self::Done
        } else {
            Self::DamageLeft
        }
    }
}

fn has_loss(findings: &[Finding]) -> bool {
    findings
        .iter()
        .any(|finding| finding.severity == Severity::Loss)
}

impl ReceiveReport {
    /// How far it came: a set that failed weighs most, then what is still needed, then damage.
    pub fn completion(&self) -> Completion {
        if !self.failed.is_empty() {
            Completion::Failed
        } else if self.needs_volumes() || self.needs_base() {
            Completion::MoreNeeded
        } else {
            Completion::whole(!self.is_damaged())
        }
    }
}

impl StatusReport {
    /// What is waited for. What only lay beside something that is whole is not waited for.
    pub fn completion(&self) -> Completion {
        let mut waiting = self.incoming.iter().filter(|set| !set.beside).peekable();
        if waiting.peek().is_none() {
            Completion::Done
        } else if waiting.any(|set| set.state != ProgressState::Damaged) {
            Completion::MoreNeeded
        } else {
            Completion::DamageLeft
        }
    }
}

impl VerifyReport {
    /// Whether everything can be brought back, and is whole. A volume that is at hand and not whole is damage, even when
    /// nothing needs it now.
    pub fn completion(&self) -> Completion {
        let has = |state: SetState| self.sets.iter().any(|set| set.state == state);
        if has(SetState::NeedsVolumes) {
            return Completion::MoreNeeded;
        }
        let is_hurt = has(SetState::Lost) || has(SetState::Recoverable);
        Completion::whole(!is_hurt && !self.sets.iter().any(is_hurt_at_hand))
    }

    /// Whether what is at hand is whole, however many other volumes the set has.
    pub fn completion_at_hand(&self) -> Completion {
        Completion::whole(self.at_hand_whole)
    }
}

fn is_hurt_at_hand(set: &SetVerdict) -> bool {
    let mut volumes = set.volumes.iter();
    !set.wrong_volumes.is_empty()
        || volumes.any(|volume| volume.at_hand && volume.outcome.present_blocks < volume.blocks)
}

impl BurnReport {
    /// Whether every volume is on a good disc, some are, or none is.
    pub fn completion(&self) -> Completion {
        match self.good() {
            0 => Completion::Failed,
            good => Completion::whole(good == self.volumes.len()),
        }
    }
}

impl RepairReport {
    /// Whether every set is whole now, or would be with more volumes.
    pub fn completion(&self) -> Completion {
        match (self.is_whole(), self.needs_volumes()) {
            (true, _) => Completion::Done,
            (false, true) => Completion::MoreNeeded,
            (false, false) => Completion::DamageLeft,
        }
    }
}

impl HistoryReport {
    /// Whether no line is missing or changed.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_intact)
    }
}

impl CheckoutReport {
    /// Whether every item that was asked for is whole.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_whole())
    }
}

impl ImageReport {
    /// Whether every image that was asked for is whole.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_whole())
    }
}

impl AttachmentReport {
    /// Whether everything that is attached was written.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_whole())
    }
}

#[cfg(feature = "registry")]
impl ReleasePushReport {
    /// Whether all that was asked for is in the registry under its name.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_whole())
    }
}

impl LoadReport {
    /// Whether no image was lost on the way.
    pub fn completion(&self) -> Completion {
        Completion::whole(!has_loss(&self.findings))
    }
}

impl CopyReport {
    /// Whether every release is whole in the other store, and nothing damaged was met.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.damaged.is_empty() && self.findings.is_empty())
    }
}

impl ListReport {
    /// Whether every release could be listed.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.findings.is_empty())
    }
}

impl ShowReport {
    /// Whether every image is signed by a key of the site, where that was asked for.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.is_verified() != Some(false))
    }
}

impl ReceiptReport {
    /// Whether the receipt is of a store in which everything can be read.
    pub fn completion(&self) -> Completion {
        Completion::whole(self.findings.is_empty())
    }
}

impl StoreCheckReport {
    /// Whether everything is whole. What could not be read need not be damage: the check failed then.
    pub fn completion(&self) -> Completion {
        if self.has_loss() || !self.history.is_empty() {
            Completion::DamageLeft
        } else if self.faults.is_empty() {
            Completion::Done
        } else {
            Completion::Failed
        }
    }
}
