//! Words about sets that are being received: what was read, how far each is, what is still needed.

use std::path::PathBuf;

use carryall::ops::receive::forget::{ForgetReport, ForgottenSet};
use carryall::ops::receive::selection::LeftOut;
use carryall::ops::receive::{ProgressState, ReceiveReport, Room, SetProgress, StatusReport};
use carryall::volumes::VolumeRead;

use super::delta::lacking;
use super::media::{lost, needed};
use super::{bytes, pick, plural, shown, volumes};

/// Title and number of a set: `shop:1.0 (set 12ab34cd)`.
fn name_of(set: &SetProgress) -> String {
    let id = &set.set_id[..8];
    if set.title.is_empty() {
        return pick(format!("set {id}"), format!("卷集 {id}"));
    }
    let title = shown(&set.title);
    pick(
        format!("{title} (set {id})"),
        format!("{title}（卷集 {id}）"),
    )
}

/// How far a set is that is being received: which volumes were read, what is still needed, what is wrong, what is left out.
pub fn progress(set: &SetProgress) -> String {
    let read = set.volumes_read.iter().map(|read| volume_read(set, read));
    let mut out: String = read.collect();
    out += &state_of(set);
    if !set.wrong_volumes.is_empty() {
        let wrong = volumes(&set.wrong_volumes);
        out += &pick(
            format!(
                "  wrong blocks with right hashes on {wrong}: right ones stand in their place; that copy was changed, keep it apart\n"
            ),
            format!(
                "  {wrong}上有校验值正确但内容错误的块，已用正确的块代替；该拷贝被改动过，请单独保存\n"
            ),
        );
    }
    if !set.doubtful_volumes.is_empty() {
        let wrong = volumes(&set.doubtful_volumes);
        out += &pick(
            format!(
                "  {wrong} does not hold what was packed, though its hashes are right: another copy is needed\n"
            ),
            format!("  {wrong}的校验值正确，但内容与打包时不同：需要另一份拷贝\n"),
        );
    }
    out += &set.left_out.as_ref().map_or_else(String::new, left_out);
    if let Some(room) = set.room.filter(|_| is_waiting(set)) {
        out += &room_left(room);
    }
    if set.beside {
        let id = &set.set_id[..8];
        out += &pick(
            format!(
                "  note: it only lies beside what is complete on the same medium; if it is not wanted: carryall forget {id}\n"
            ),
            format!("  注意：它只是与已完整的内容同在一个介质上；如不需要：carryall forget {id}\n"),
        );
    }
    out
}

fn is_waiting(set: &SetProgress) -> bool {
    matches!(
        set.state,
        ProgressState::NeedsVolumes | ProgressState::NeedsBase | ProgressState::Damaged
    )
}

/// `shop:1.0 (set 12ab34cd): volume 3 of 6: all blocks whole; new`.
fn volume_read(set: &SetProgress, read: &VolumeRead) -> String {
    let name = name_of(set);
    let all = set.data_volumes + set.spare_volumes;
    let no = read.volume_no;
    let bad = read.blocks - read.whole_blocks;
    let how = if bad == 0 {
        pick("all blocks whole", "全部块完好").to_owned()
    } else {
        pick(
            format!("{bad} of {} blocks damaged or missing", read.blocks),
            format!("{} 块中有 {bad} 块损坏或缺失", read.blocks),
        )
    };
    let new = match set.state {
        ProgressState::AlreadyHere => pick("its set is in already", "该套卷先前已入库"),
        _ if read.new_blocks == 0 => pick("was read before", "先前已读入"),
        _ => pick("new", "新读入"),
    };
    pick(
        format!("{name}: volume {no} of {all}: {how}; {new}\n"),
        format!("{name}：第 {no} 卷（共 {all} 卷）：{how}；{new}\n"),
    )
}

/// What receiving still takes.
fn room_left(room: Room) -> String {
    let (needed, free) = (bytes(room.needed_bytes), bytes(room.free_bytes));
    if room.suffices() {
        return pick(
            format!("  room: up to {needed} more for the whole set, {free} free\n"),
            format!("  空间：整套还需要最多 {needed}，可用 {free}\n"),
        );
    }
    pick(
        format!(
            "  room: up to {needed} more for the whole set, and only {free} free: make room before the last volume\n"
        ),
        format!("  空间：整套还需要最多 {needed}，可用仅 {free}：请在读入最后一卷之前腾出空间\n"),
    )
}

/// Paths that held nothing, and sets that were not begun.
pub fn gave_nothing(report: &ReceiveReport) -> String {
    let path = |path: &PathBuf| {
        let path = path.display().to_string();
        let path = shown(&path);
        pick(
            format!("note: no carryall volume in {path}\n"),
            format!("注意：{path} 中没有 carryall 卷\n"),
        )
    };
    let mut out: String = report.empty_paths.iter().map(path).collect();
    if !report.refused.is_empty() {
        let count = report.refused.len();
        out += &pick(
            format!(
                "note: {count} more set{} not begun, for too many wait already: carryall status, carryall forget SET\n",
                plural(count as u64)
            ),
            format!(
                "注意：等待的卷集过多，另有 {count} 套未开始接收：请看 carryall status，用 carryall forget 卷集 放弃不需要的\n"
            ),
        );
    }
    out
}

/// Sets that were given up.
pub fn given_up(report: &ForgetReport) -> String {
    if report.forgotten.is_empty() {
        return pick(
            "no set is being received; nothing to give up\n",
            "没有正在接收的卷集，无需放弃\n",
        )
        .to_owned();
    }
    let line = |set: &ForgottenSet| {
        let (id, title, freed) = (&set.set_id[..8], shown(&set.title), bytes(set.freed_bytes));
        pick(
            format!(
                "set {id} {title}: given up, {freed} freed; its volumes can be received again\n"
            ),
            format!("卷集 {id} {title}：已放弃，释放 {freed}；以后仍可重新接收它的卷\n"),
        )
    };
    report.forgotten.iter().map(line).collect()
}

/// What to do with sets that wait, below the list of them.
pub fn hint_waiting() -> &'static str {
    pick(
        "`carryall receive PATH` with a volume that is named goes on; `carryall forget SET` (its id, or its number in this list) gives a set up",
        "用所列的卷运行 carryall receive 路径 即可继续；carryall forget 卷集（卷集号或本列表中的序号）可放弃一套",
    )
}

/// A set that waits, with its number in the list.
pub fn waiting_set(number: usize, set: &SetProgress) -> String {
    format!("{number}. {}", progress(set))
}

fn left_out(what: &LeftOut) -> String {
    let comma = pick(", ", "、");
    let (releases, platforms) = (what.releases.join(comma), what.platforms.join(comma));
    let mut out = pick(
        format!(
            "  left out, not for {platforms}: {releases}; without --platform, `receive` takes it from the same volumes\n"
        ),
        format!(
            "  未接收（不适用于 {platforms}）：{releases}；以后不加 --platform 运行 receive，可从同样的卷接收\n"
        ),
    );
    let (needed, all) = (what.needed_bytes, what.payload_bytes);
    if needed > 0 && needed >= all / 10 * 8 {
        let (needed, all) = (bytes(needed), bytes(all));
        out += &pick(
            format!("  it lies among the rest: {needed} of {all} had to be read all the same\n"),
            format!("  它与其余内容混在一起：{all} 中仍需读取 {needed}\n"),
        );
    }
    out
}

fn state_of(set: &SetProgress) -> String {
    let title = name_of(set);
    let id = &set.set_id[..8];
    let present: u64 = set
        .volumes
        .iter()
        .map(|volume| u64::from(volume.present_blocks))
        .sum();
    let present = bytes(present.saturating_mul(carryall::volumes::block::BLOCK_BYTES as u64));
    match set.state {
        ProgressState::Complete => {
            let healed = match set.healed_blocks {
                0 => String::new(),
                healed => pick(
                    format!(", {healed} blocks healed"),
                    format!("，修复 {healed} 块"),
                ),
            };
            let mut out = String::new();
            for release in &set.committed {
                let (name, total) = (&release.name, bytes(release.bytes));
                let instead = if release.replaced {
                    pick(
                        ", in place of a different release of this name",
                        "，替换了同名的另一发布包",
                    )
                } else {
                    ""
                };
                out += &pick(
                    format!(
                        "{name}: received whole ({total}{healed}{instead}; set {id}). Give it back with: carryall checkout {name} DEST\n"
                    ),
                    format!(
                        "{name}：接收完成（{total}{healed}{instead}；卷集 {id}）。还原命令：carryall checkout {name} 目标目录\n"
                    ),
                );
            }
            out
        }
        ProgressState::NotAsked => pick(
            format!("{title}: nothing for this platform\n"),
            format!("{title}：没有适用于该平台的内容\n"),
        ),
        ProgressState::AlreadyHere => pick(
            format!("{title}: is in the store already, nothing to do\n"),
            format!("{title}：仓库中已有，无需操作\n"),
        ),
        ProgressState::NeedsVolumes if set.needs.complete => pick(
            format!(
                "{title}: all that is needed has come; run `carryall receive` with any of its volumes to finish\n"
            ),
            format!("{title}：所需数据已齐；再用任意一卷运行 carryall receive 即可完成\n"),
        ),
        ProgressState::NeedsVolumes => {
            let need = needed(&set.needs);
            let (k, m) = (set.data_volumes, set.spare_volumes);
            let line = pick(
                format!(
                    "{title} ({k} data and {m} spare volumes): {present} taken in so far; {need}\n"
                ),
                format!("{title}（{k} 个数据卷，{m} 个备用卷）：已读入 {present}；{need}\n"),
            );
            // Told with the first volume, so that the base is looked for while there is time.
            line + &set
                .lacking
                .as_ref()
                .map_or_else(String::new, |it| format!("  {}\n", lacking(it)))
        }
        ProgressState::NeedsBase => {
            let lacks = set.lacking.as_ref().map(lacking).unwrap_or_default();
            pick(
                format!(
                    "{title}: all volumes needed have come, and nothing is written yet: it {lacks}\n"
                ),
                format!("{title}：所需的卷已齐，尚未入库：{lacks}\n"),
            )
        }
        ProgressState::Damaged => {
            let head = pick(
                "damaged beyond what is at hand",
                "损坏超出手头材料可恢复的范围",
            );
            format!("{title}: {head}\n") + &lost(&set.needs, &set.lost_items)
        }
    }
}

pub fn status(report: &StatusReport) -> String {
    let (store, id) = (report.store.display(), &report.store_id[..8]);
    let (count, free) = (report.releases, bytes(report.free_bytes));
    let waiting = report.incoming.len();
    pick(
        format!(
            "store {store} ({id}): {count} release{}, {free} free, {waiting} volume set{} being received\n",
            plural(count),
            plural(waiting as u64)
        ),
        format!("仓库 {store}（{id}）：{count} 个发布包，可用 {free}，正在接收 {waiting} 套卷\n"),
    )
}
