//! Words about plans, volumes and sets that are being received.

use std::path::{Path, PathBuf};

use carryall::ops::media::verify::{SetState, SetVerdict, VolumeVerdict};
use carryall::ops::pack::{PackPlan, PackReport};
use carryall::volumes::recovery::SetNeeds;

use super::delta::plan_leans;
use super::{bytes, pick, plural, shown, shown_path, volumes};

/// The plan alone: nothing follows it.
pub fn plan_alone(shown: &PackPlan) -> String {
    plan(shown) + pick("  nothing was written\n", "  未写入任何内容\n")
}

/// The plan, before the first volume is written.
pub fn plan(plan: &PackPlan) -> String {
    let (k, m) = (plan.data_volumes, plan.spare_volumes);
    let total = k + m;
    let size = bytes(plan.volume_bytes);
    let medium = plan.medium_bytes.map_or_else(
        || pick("one disk as large as needed", "一个足够大的盘").to_owned(),
        |medium| {
            pick(
                format!("medium {}", bytes(medium)),
                format!("介质 {}", bytes(medium)),
            )
        },
    );
    let payload = bytes(plan.payload_bytes + plan.catalog_bytes);
    let original = bytes(plan.release_bytes);
    let names = plan.releases.join(pick(", ", "、"));
    let mut out = pick(
        format!(
            "plan: {names} ({original}) as {payload} on {total} volume{} of {size}{} ({medium}): {k} data, {m} spare\n",
            plural(total.into()),
            if total == 1 { "" } else { " each" }
        ),
        format!(
            "计划：{names}（{original}）压缩为 {payload}，写入 {total} 卷，每卷 {size}（{medium}）:{k} 个数据卷，{m} 个备用卷\n"
        ),
    );
    out += &plan_leans(plan);
    let alone = bytes(plan.burst_alone_bytes);
    if m > 0 {
        let burst = bytes(plan.burst_everywhere_bytes);
        out += &pick(
            format!(
                "  guaranteed: any {m} volume{} may be lost; or, with none lost, one burst of {burst} on every volume at once\n",
                plural(m.into())
            ),
            format!(
                "  保证：任意 {m} 卷丢失均可恢复；或在一卷不丢时，每卷同时有一处 {burst} 的连续损坏\n"
            ),
        );
    }
    if plan.burst_alone_bytes > 0 {
        let percent = plan.local_percent;
        out += &pick(
            format!(
                "  guaranteed: one burst of {alone} heals with the volume alone ({percent:.0} % local parity; it takes the room that is left)\n"
            ),
            format!(
                "  保证：单卷自身可修复一处 {alone} 的连续损坏（本卷校验 {percent:.0} %，用满剩余空间）\n"
            ),
        );
    }
    for (lost, percent) in &plan.scattered {
        if total == 1 {
            out += &pick(
                format!("  likely (99 %): {percent:.1} % of the blocks bad, scattered\n"),
                format!("  大概率（99 %）：{percent:.1} % 的分散坏块\n"),
            );
            continue;
        }
        out += &pick(
            format!(
                "  likely (99 %): {lost} lost and {percent:.1} % of the blocks bad, scattered over the others\n"
            ),
            format!("  大概率（99 %）：丢失 {lost} 卷且其余卷有 {percent:.1} % 的分散坏块\n"),
        );
    }
    if let Some(date) = &plan.date {
        out += &pick(
            format!("  date on the volumes: {date}\n"),
            format!("  卷上的日期：{date}\n"),
        );
    }
    let needed = bytes(plan.needed_bytes);
    out + &match plan.free_bytes.map(bytes) {
        Some(free) => pick(
            format!("  space: {needed} needed, {free} free\n"),
            format!("  空间：需要 {needed}，可用 {free}\n"),
        ),
        None => pick(
            format!("  space: {needed} needed\n"),
            format!("  空间：需要 {needed}\n"),
        ),
    }
}

pub fn packed(report: &PackReport, to: &Path) -> String {
    let mut out = String::new();
    let title = report.plan.releases.join(pick(", ", "、"));
    let (set, total) = (&report.set_id[..8], report.volumes.len());
    for (no, volume) in (1_u16..).zip(&report.volumes) {
        let is_spare = no > report.plan.data_volumes;
        let label = pick(
            format!(
                "label: {title}, set {set}, {no} of {total}{}",
                if is_spare { ", spare" } else { "" }
            ),
            format!(
                "标签：{title}，卷集 {set}，第 {no} 卷，共 {total} 卷{}",
                if is_spare { "，备用" } else { "" }
            ),
        );
        out += &format!("  {}  {label}\n", shown_path(volume));
    }
    let (count, to) = (report.volumes.len(), shown_path(to));
    out + &pick(
        format!(
            "{count} volume{} of set {} written. Put each on its medium, then check what was really written: carryall verify PATH\n",
            plural(count as u64),
            &report.set_id[..8]
        ),
        format!(
            "卷集 {} 的 {count} 卷已写入 {to}。请将每卷写到对应介质，然后核对实际写入的内容：carryall verify 路径\n",
            &report.set_id[..8]
        ),
    )
}

/// `shop:1.0 (set 12ab34cd): 4 data and 2 spare volumes of 98.6 MB`.
pub fn set_line(set: &SetVerdict) -> String {
    let title = if set.title.is_empty() {
        pick("a set without a title", "无标题卷集")
    } else {
        &shown(&set.title)
    };
    let id = &set.set_id[..8];
    let (k, m, size) = (set.data_volumes, set.spare_volumes, bytes(set.volume_bytes));
    pick(
        format!("{title} (set {id}): {k} data and {m} spare volumes of {size}\n"),
        format!("{title}（卷集 {id}）:{k} 个数据卷和 {m} 个备用卷，每卷 {size}\n"),
    )
}

fn volumes_where(set: &SetVerdict, wanted: impl Fn(&VolumeVerdict) -> bool) -> Vec<u16> {
    set.volumes
        .iter()
        .filter(|each| wanted(each))
        .map(|each| each.outcome.volume_no)
        .collect()
}

/// Which volumes are at hand.
pub fn at_hand(set: &SetVerdict) -> String {
    let here = volumes(&volumes_where(set, |volume| volume.at_hand));
    let by = shown(&set.created_by);
    pick(
        format!("  at hand: {here}; written by {by}; `carryall verify` says whether all is well\n"),
        format!("  手头有：{here}；由 {by} 写入；运行 carryall verify 检查是否完好\n"),
    )
}

/// One line for each volume at hand, and one for all others together.
pub fn volume_lines(set: &SetVerdict) -> String {
    let mut out = String::new();
    for volume in set.volumes.iter().filter(|volume| volume.at_hand) {
        let outcome = &volume.outcome;
        let bad = volume.blocks - outcome.present_blocks;
        let no = outcome.volume_no;
        let spare = if volume.spare {
            pick(" (spare)", "（备用）")
        } else {
            ""
        };
        let state = if bad == 0 {
            pick("whole", "完好").to_owned()
        } else {
            let percent = 100.0 * f64::from(bad) / f64::from(volume.blocks);
            let (local, missing) = (outcome.local_blocks, outcome.missing_blocks);
            let wide = outcome.wide_blocks + outcome.copied_blocks;
            pick(
                format!(
                    "{bad} of {} blocks bad ({percent:.1} %): {local} heal alone, {wide} by the set, {missing} not",
                    volume.blocks
                ),
                format!(
                    "{} 块中 {bad} 块损坏（{percent:.1} %）:{local} 块可自行修复，{wide} 块可由整套修复，{missing} 块不能",
                    volume.blocks
                ),
            )
        };
        out += &pick(
            format!("  volume {no}{spare}: {state}\n"),
            format!("  第 {no} 卷{spare}：{state}\n"),
        );
    }
    let away = volumes_where(set, |volume| !volume.at_hand);
    if !away.is_empty() {
        let away = volumes(&away);
        out += &pick(
            format!("  {away}: not at hand\n"),
            format!("  {away}：不在手头\n"),
        );
    }
    out
}

/// What it all means, and what to do.
pub fn verdict(set: &SetVerdict) -> String {
    match set.state {
        SetState::Whole => pick("  all volumes are whole\n", "  所有卷完好\n").to_owned(),
        SetState::DataWhole => pick(
            "  all data is whole; what is bad or missing is not needed to receive it\n",
            "  数据完好；损坏或缺少的部分不影响接收\n",
        )
        .to_owned(),
        SetState::Recoverable => pick(
            "  everything can be brought back: `receive` does it by itself, `repair` makes new discs\n",
            "  可全部恢复：receive 会自动修复，repair 可重做新盘\n",
        )
        .to_owned(),
        SetState::NeedsVolumes if set.at_hand_whole => {
            let needed = needed(&set.needs);
            pick(
                format!("  what is at hand is whole; for the whole set {needed}\n"),
                format!("  手头的卷完好；要凑齐整套，{needed}\n"),
            )
        }
        SetState::NeedsVolumes => "  ".to_owned() + &needed(&set.needs) + "\n",
        SetState::Lost => lost(&set.needs, &set.lost_items),
    }
}

/// Of which volumes some was read already.
fn unread_rest(needs: &SetNeeds) -> String {
    if needs.rest_of.is_empty() {
        return String::new();
    }
    let rest = volumes(&needs.rest_of);
    pick(
        format!("; of {rest} only the rest: reading it was broken off"),
        format!("；其中{rest}上次没有读完，只缺其余部分"),
    )
}

/// The volumes to ask for: the rest of those whose reading was broken off, and the others.
fn asked_for(needs: &SetNeeds) -> String {
    let (rest, whole): (Vec<u16>, Vec<u16>) = needs
        .ask_for
        .iter()
        .partition(|no| needs.rest_of.contains(no));
    let rest = (!rest.is_empty()).then(|| {
        let rest = volumes(&rest);
        pick(format!("the rest of {rest}"), format!("{rest}未读完的部分"))
    });
    let whole = (!whole.is_empty()).then(|| volumes(&whole));
    let both: Vec<String> = rest.into_iter().chain(whole).collect();
    both.join(pick(" and ", "和"))
}

/// Whether the volumes at hand are whole, whatever the set needs besides.
pub fn verdict_at_hand(set: &SetVerdict) -> String {
    let here = volumes(&volumes_where(set, |volume| volume.at_hand));
    let bad = volumes_where(set, |volume| {
        volume.at_hand && volume.outcome.present_blocks < volume.blocks
    });
    if bad.is_empty() {
        return pick(
            format!("  at hand and whole: {here}; others of the set were not asked for\n"),
            format!("  手头的{here}完好；未检查同一套的其他卷\n"),
        );
    }
    let bad = volumes(&bad);
    pick(
        format!("  NOT whole: {bad}; write it again, and check it again\n"),
        format!("  不完好：{bad}；请重新写入并再次检查\n"),
    )
}

/// Paths that were named and hold no volume.
pub fn without_volume(paths: &[PathBuf]) -> String {
    let mut out = String::new();
    for path in paths {
        let path = path.display();
        out += &pick(
            format!("  no carryall volume in {path}\n"),
            format!("  {path} 中没有 carryall 卷\n"),
        );
    }
    out
}

/// Which volumes to give next.
pub(super) fn needed(needs: &SetNeeds) -> String {
    let mut out = match needs.at_least {
        Some(least) if usize::from(least) < needs.any_of.len() => {
            let any = volumes(&needs.any_of);
            pick(
                format!("still needed: any {least} of {any}"),
                format!("还需要：{any}中的任意 {least} 卷"),
            ) + &unread_rest(needs)
        }
        _ => {
            let ask = asked_for(needs);
            pick(format!("still needed: {ask}"), format!("还需要：{ask}"))
        }
    };
    if !needs.damaged.is_empty() {
        let damaged = volumes(&needs.damaged);
        out += &pick(
            format!("; another copy of {damaged} would help too"),
            format!("；再有一份{damaged}的拷贝也有帮助"),
        );
    }
    out
}

pub(super) fn lost(needs: &SetNeeds, items: &[String]) -> String {
    let mut out = String::new();
    if !needs.any_of.is_empty() {
        let more = volumes(&needs.any_of);
        out += &pick(
            format!("  not even {more} would complete it; "),
            format!("  即使加上{more}也不能补全；"),
        );
    } else {
        out += "  ";
    }
    let damaged = volumes(&needs.damaged);
    out += &pick(
        format!(
            "another copy of {damaged} helps: another drive, a ddrescue image, or a new disc from the sender; several copies count together\n"
        ),
        format!(
            "再提供{damaged}的另一份拷贝会有帮助：换光驱、用 ddrescue 读出镜像，或请发送方重刻；多份拷贝会合并使用\n"
        ),
    );
    for item in items.iter().map(|item| shown(item)) {
        out += &pick(
            format!("  not whole: {item}\n"),
            format!("  不完整：{item}\n"),
        );
    }
    out
}

/// Bytes that drives could not read.
pub fn unread(unread: u64) -> String {
    let unread = bytes(unread);
    pick(
        format!("  {unread} could not be read; another drive may read more\n"),
        format!("  有 {unread} 无法读取；换一台光驱也许能读出更多\n"),
    )
}

pub fn map_written(path: &Path) -> String {
    let path = shown_path(path);
    pick(
        format!("damage map: {path}\n"),
        format!("损坏分布图：{path}\n"),
    )
}

pub fn nothing_to_repair() -> String {
    pick(
        "every volume is whole; nothing to repair\n",
        "所有卷完好，无需修复\n",
    )
    .to_owned()
}

pub fn rebuilt(volume_no: u16, path: &Path) -> String {
    let path = shown_path(path);
    pick(
        format!("  volume {volume_no} is whole again: {path}\n"),
        format!("  第 {volume_no} 卷已重建：{path}\n"),
    )
}

pub fn not_rebuilt(nos: &[u16]) -> String {
    let which = volumes(nos);
    pick(
        format!("  {which} cannot be rebuilt with what is at hand\n"),
        format!("  手头材料无法重建{which}\n"),
    )
}
