//! Messages of the demo.

use std::path::Path;

use carryall::ops::add::AddReport;
use carryall::ops::checkout::CheckoutReport;
use carryall::ops::pack::PackReport;

use super::{bytes, line, message};

pub fn demo_begins(given: &Path, stage: &Path) -> String {
    message!("demo-begins", given, stage)
}

pub fn demo_added(report: &AddReport) -> String {
    let (total, stored) = (bytes(report.bytes), bytes(report.stored_bytes));
    message!("demo-added", total, stored)
}

pub fn demo_packed(report: &PackReport) -> String {
    let plan = &report.plan;
    let (data, spare) = (plan.data_volumes, plan.spare_volumes);
    message!("demo-packed", data, spare, size = bytes(plan.volume_bytes))
}

pub fn demo_hurt(lost: &Path, scratched: u64) -> String {
    let lost = Path::new(lost.file_name().unwrap_or_default());
    let scratched = bytes(scratched);
    line(message!("demo-hurt", lost, scratched)) + &message!("demo-verify")
}

pub fn demo_ends(report: &CheckoutReport, same: bool) -> String {
    let total = bytes(report.bytes);
    let verdict = if same {
        message!("demo-same", total)
    } else {
        message!("demo-not-the-same", total)
    };
    line(verdict) + &message!("demo-next")
}
