//! Words about versions side by side, and about releases that stay.

use std::path::Path;

use carryall::files::versions::KeptState;
use carryall::ops::checkout::install::{InstallReport, RollbackReport};
use carryall::ops::maintain::retention::{KeepReport, LetGoReport};

use super::{bytes, files, pick, shown, shown_path};

/// What `install` did.
pub fn installed(report: &InstallReport, into: &Path) -> String {
    let (release, path) = (&report.release, shown_path(&report.path));
    let current = into.join("current");
    let current = shown_path(&current);
    let mut out = if report.was_there {
        pick(
            format!("{release} is in {path} already\n"),
            format!("{release} 已在 {path}\n"),
        )
    } else {
        let total = bytes(report.bytes);
        pick(
            format!("{release} is in {path} ({total})\n"),
            format!("{release} 已安装到 {path}（{total}）\n"),
        )
    };
    for kept in &report.kept {
        let name = shown(&kept.path);
        let beside = kept.beside.as_deref().map(shown);
        out += &match (kept.state, beside) {
            (KeptState::InTheWay, _) => pick(
                format!("  NOT taken over, something else is in its place: {name}\n"),
                format!("  未能沿用，原位置已有其他内容：{name}\n"),
            ),
            (_, Some(beside)) => pick(
                format!("  kept as edited here: {name}; what the release brings is in {beside}\n"),
                format!("  沿用本地修改：{name}；发布包自带的内容在 {beside}\n"),
            ),
            (_, None) => pick(
                format!("  kept as edited here: {name}\n"),
                format!("  沿用本地修改：{name}\n"),
            ),
        };
    }
    if report.shared.files > 0 {
        let (count, room) = (files(report.shared.files), bytes(report.shared.bytes));
        out += &pick(
            format!(
                "  {count} ({room}) did not change and share their room with the version before\n"
            ),
            format!("  {count}（{room}）未改动，与上一版本共用空间\n"),
        );
    }
    out += &match &report.before {
        Some(before) => pick(
            format!(
                "{current} is switched from {before}; back with: carryall rollback {}\n",
                shown_path(into)
            ),
            format!(
                "{current} 已从 {before} 切换过来；退回：carryall rollback {}\n",
                shown_path(into)
            ),
        ),
        None => pick(
            format!("{current} leads to it\n"),
            format!("{current} 已指向它\n"),
        ),
    };
    out
}

pub fn rolled_back(report: &RollbackReport, dir: &Path) -> String {
    let (left, current, dir) = (&report.left, &report.current, shown_path(dir));
    pick(
        format!("{dir}/current is switched back from {left} to {current}\n"),
        format!("{dir}/current 已从 {left} 退回 {current}\n"),
    )
}

pub fn kept(report: &KeepReport) -> String {
    let release = &report.release;
    if report.kept {
        pick(
            format!("{release} stays when `prune --keep-last` lets others go\n"),
            format!("prune --keep-last 将保留 {release}\n"),
        )
    } else {
        pick(
            format!("{release} is like any other again\n"),
            format!("{release} 不再特别保留\n"),
        )
    }
}

pub fn let_go(report: &LetGoReport) -> String {
    let mut out = String::new();
    for name in &report.removed {
        out += &pick(format!("{name} is removed\n"), format!("已删除 {name}\n"));
    }
    for name in &report.kept {
        out += &pick(
            format!("{name} stays: it is marked by `keep`\n"),
            format!("保留 {name}：已用 keep 标记\n"),
        );
    }
    for name in &report.awaited {
        out += &pick(
            format!("{name} stays: a set that is being received leans on it\n"),
            format!("保留 {name}：正在接收的卷集依赖它\n"),
        );
    }
    out
}
