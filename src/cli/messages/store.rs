//! Words about stores and the releases in them.

use std::path::Path;

use carryall::content::release::ReleaseName;
use carryall::files::unpacker::{KeptReason, StreamReport};
use carryall::ops::add::AddReport;
use carryall::ops::checkout::CheckoutReport;
use carryall::ops::maintain::check::{DamagedRelease, StoreCheckReport, StorePruneReport};
use carryall::ops::maintain::show::ShowReport;
use carryall::ops::pack::diff::DiffReport;
use carryall::store::{CheckDepth, Renewed};

use super::{bytes, items, pick, plural, shown, shown_path};

/// Writers that are named, those of most bytes first.
const WRITERS_SHOWN: usize = 5;

pub fn store_created(dir: &Path) -> String {
    let dir = shown_path(dir);
    pick(
        format!("created a store in {dir}\n"),
        format!("已在 {dir} 创建仓库\n"),
    )
}

/// What became of settings that were to be written anew.
pub fn renewed(renewed: Option<&Renewed>) -> String {
    let Some(renewed) = renewed else {
        return pick(
            "carryall.toml is whole and stays as it is\n",
            "carryall.toml 完好，保持不变\n",
        )
        .to_owned();
    };
    let id = renewed.id.short();
    let aside = renewed.aside.as_ref().map_or_else(String::new, |aside| {
        let aside = aside.display();
        pick(
            format!("; the damaged one is now {aside}"),
            format!("；损坏的文件已改名为 {aside}"),
        )
    });
    pick(
        format!("carryall.toml was written anew, the store's id is {id} from now on{aside}\n"),
        format!("已重写 carryall.toml，仓库标识现为 {id}{aside}\n"),
    )
}

pub fn store_is_empty() -> String {
    pick(
        "the store holds no release yet: carryall add NAME:VERSION PATH...\n",
        "仓库里还没有发布包：carryall add 名称:版本 路径...\n",
    )
    .to_owned()
}

pub fn added(report: &AddReport) -> String {
    let (total, new) = (bytes(report.bytes), bytes(report.new_bytes));
    let (stored, known) = (bytes(report.stored_bytes), bytes(report.known_bytes));
    let name = &report.release;
    pick(
        format!(
            "{name}: {total} added and compared, {new} of it new ({stored} in the store), {known} known already\n"
        ),
        format!("{name}：已添加并比对 {total}，其中新数据 {new}（入库 {stored}），已有 {known}\n"),
    )
}

/// What became of gzip streams and zip members; nothing when there were none.
pub fn streams(report: &StreamReport) -> String {
    let mut out = String::new();
    let opened = report.opened;
    if opened.streams > 0 {
        let (count, packed) = (opened.streams, bytes(opened.bytes));
        let (plain, recipes) = (bytes(report.plain_bytes), bytes(report.recipe_bytes));
        out += &pick(
            format!(
                "  {count} deflate stream{} opened: {packed} hold {plain}, recipes {recipes}\n",
                plural(count)
            ),
            format!(
                "  已打开 {count} 个 deflate 流：{packed} 解开为 {plain}，重建信息 {recipes}\n"
            ),
        );
        let mut writers: Vec<_> = report.writers.iter().collect();
        writers.sort_by_key(|(_, tally)| std::cmp::Reverse(tally.bytes));
        for (writer, tally) in writers.into_iter().take(WRITERS_SHOWN) {
            let (count, total) = (tally.streams, bytes(tally.bytes));
            out += &pick(
                format!("    {writer}: {count}, {total}\n"),
                format!("    {writer}：{count} 个，{total}\n"),
            );
        }
    }
    for (reason, tally) in &report.kept {
        let (count, total, why) = (tally.streams, bytes(tally.bytes), kept(Some(*reason)));
        out += &pick(
            format!("  {count} kept as they came, {total}: {why}\n"),
            format!("  {count} 个保持原样，{total}：{why}\n"),
        );
    }
    out
}

/// Deflate streams of a release: how many are opened, and which are not.
pub fn show_streams(report: &ShowReport) -> String {
    let mut out = String::new();
    let opened = report.opened;
    if opened.streams > 0 {
        let (count, packed) = (opened.streams, bytes(opened.bytes));
        let (plain, recipes) = (bytes(opened.plain_bytes), bytes(opened.recipe_bytes));
        out += &pick(
            format!(
                "{count} deflate stream{} kept opened: {packed} hold {plain}, recipes {recipes}\n",
                plural(count)
            ),
            format!(
                "{count} 个 deflate 流已打开保存：{packed} 解开为 {plain}，重建信息 {recipes}\n"
            ),
        );
    }
    for each in &report.kept {
        let place = [&each.item[..], &each.path].join("/");
        let (place, total, why) = (
            shown(place.trim_end_matches('/')),
            bytes(each.bytes),
            kept(each.reason),
        );
        let id = &each.hash[..16];
        out += &pick(
            format!("kept as it came: {total}  {id}  in {place}: {why}\n"),
            format!("保持原样：{total}  {id}  位于 {place}：{why}\n"),
        );
    }
    out
}

/// Why a stream is kept as it came; `None`: for a reason that only a newer version knows.
fn kept(reason: Option<KeptReason>) -> &'static str {
    let Some(reason) = reason else {
        return pick("for a reason of a newer version", "新版本的原因");
    };
    match reason {
        KeptReason::Corrupt => pick("damaged", "数据损坏"),
        KeptReason::Truncated => pick("incomplete", "不完整"),
        KeptReason::Recipe => pick(
            "of an unknown writer, the recipe too large",
            "压缩程序未知，重建信息过大",
        ),
        KeptReason::Limit => pick("over the limit when unpacked", "解开后过大"),
        KeptReason::Time => pick("too slow to open", "耗时过长"),
        KeptReason::Changed => pick("not the same when made again", "无法原样重建"),
        KeptReason::Space => pick("no room to unpack", "没有空间解开"),
        KeptReason::Small => pick("too small to gain anything", "太小，没有收益"),
        KeptReason::Deep => pick("too deep in one another", "嵌套过深"),
        KeptReason::Effort => pick(
            "not looked at, since too many streams before in the same item came to nothing (--gzip-seconds-per-gb 0 looks at all)",
            "未逐一尝试：同一项目中此前已有过多的流无法打开（--gzip-seconds-per-gb 0 会全部尝试）",
        ),
    }
}

pub fn release_line(report: &ShowReport) -> String {
    let (count, total) = (items(report.items.into()), bytes(report.bytes));
    let (name, id, chunks) = (&report.name, &report.id, report.chunks);
    pick(
        format!("{name}  {count}, {total}, {chunks} chunks\nid {id}\n"),
        format!("{name}  {count}，{total}，{chunks} 个数据块\n标识 {id}\n"),
    )
}

pub fn item_new(total: u64, new: u64) -> String {
    let (total, new) = (bytes(total), bytes(new));
    pick(
        format!("{total}, {new} new"),
        format!("{total}，新增 {new}"),
    )
}

pub fn diff_total(report: &DiffReport) -> String {
    let (chunks, new) = (report.new_chunks, bytes(report.new_bytes));
    let carried = bytes(report.carried_bytes);
    let (from, to) = (&report.from, &report.to);
    pick(
        format!(
            "{to} has {new} that {from} does not have, in {chunks} chunks; packed about {carried} at most\n"
        ),
        format!("{to} 比 {from} 多 {new}，共 {chunks} 个数据块；打包后最多约 {carried}\n"),
    )
}

/// Said when a store is checked that is only read.
pub fn checked_reading() -> String {
    pick(
        "note: the store is only read: another process writes to it, or it is read-only; nothing is repaired or remembered\n",
        "注意：只读检查：另一个进程正在写入该仓库，或仓库为只读；不修复、也不记录任何内容\n",
    )
    .to_owned()
}

pub fn removed(name: &ReleaseName, could_be_read: bool) -> String {
    if !could_be_read {
        return pick(
            format!(
                "{name} could not be read and is out of the store; what other releases need stays, `carryall prune` frees the rest\n"
            ),
            format!(
                "{name} 无法读取，已从仓库移除；其他发布包需要的数据保留，运行 carryall prune 释放其余空间\n"
            ),
        );
    }
    pick(
        format!("{name} is out of the store; `carryall prune` frees its space\n"),
        format!("{name} 已从仓库移除；运行 carryall prune 释放空间\n"),
    )
}

pub fn pruned(report: &StorePruneReport) -> String {
    let freed = bytes(report.bytes_before.saturating_sub(report.bytes_after));
    let (removed, rewritten) = (report.packs_removed, report.packs_rewritten);
    let now = bytes(report.bytes_after);
    let packs = pick(
        format!(
            "freed {freed}: {removed} packs removed, {rewritten} written anew; the store has {now} now\n"
        ),
        format!("已释放 {freed}：删除 {removed} 个数据包，重写 {rewritten} 个；仓库现有 {now}\n"),
    );
    let (dropped, left) = (report.ready_dropped_bytes, report.ready_bytes);
    let ready = match (dropped, left) {
        (0, 0) => String::new(),
        (0, left) => pick(
            format!("compressed layers and files kept ready: {}\n", bytes(left)),
            format!("留存备用的压缩层和压缩文件：{}\n", bytes(left)),
        ),
        (dropped, left) => pick(
            format!(
                "compressed layers and files kept ready: {} dropped, {} left\n",
                bytes(dropped),
                bytes(left)
            ),
            format!(
                "留存备用的压缩层和压缩文件：已删除 {}，剩余 {}\n",
                bytes(dropped),
                bytes(left)
            ),
        ),
    };
    packs + &ready
}

/// Says what a site keeps besides what it needs.
pub fn kept_ready(ready_bytes: u64) -> String {
    let size = bytes(ready_bytes);
    pick(
        format!(
            "kept ready to be handed out: {size} of compressed layers and files (`carryall prune --ready` frees the room)\n"
        ),
        format!("已留存备用的压缩层和压缩文件：{size}（运行 carryall prune --ready 可释放空间）\n"),
    )
}

pub fn damaged_release(release: &DamagedRelease) -> String {
    let name = &release.name;
    if release.items.is_empty() {
        return pick(
            format!(
                "{name}: its root or its list of items is damaged, and none of it can be given back\n"
            ),
            format!("{name}：发布包的根记录或项目清单已损坏，无法还原\n"),
        );
    }
    let list = release.items.join(pick(", ", "、"));
    let list = shown(&list);
    pick(
        format!("{name}: cannot be given back whole: {list}\n"),
        format!("{name}：以下项目无法完整还原：{list}\n"),
    )
}

pub fn checked(report: &StoreCheckReport, depth: CheckDepth) -> String {
    let (releases, packs, total) = (report.releases, report.packs, bytes(report.pack_bytes));
    let looked = match depth {
        CheckDepth::Structure => pick("structure", "结构"),
        CheckDepth::Data => pick("every byte", "全部数据"),
    };
    let healed = match report.healed_chunks {
        0 => String::new(),
        healed => pick(
            format!(", {healed} chunks healed"),
            format!(",已修复 {healed} 个数据块"),
        ),
    };
    let verdict = if report.is_clean() {
        pick("all is well", "一切正常").to_owned()
    } else if report.has_loss() && report.lost_chunks == 0 {
        let count = report.damaged.len() as u64;
        pick(
            format!(
                "{count} release{} cannot be given back whole; receive or add them again",
                plural(count)
            ),
            format!("{count} 个发布包无法完整还原；请重新接收或重新添加"),
        )
    } else if !report.faults.is_empty() && !report.has_loss() {
        pick(
            "not everything could be read, so nothing is known of that part; no damage was found in the rest",
            "有部分内容无法读取，情况不明；其余部分未发现数据丢失",
        )
        .to_owned()
    } else if report.lost_chunks == 0 {
        pick(
            "no release has lost anything; `carryall prune` clears damaged copies away",
            "发布包没有丢失数据；运行 carryall prune 可清除损坏的副本",
        )
        .to_owned()
    } else {
        let lost = report.lost_chunks;
        pick(
            format!(
                "{lost} chunks are lost; add the items again, or `carryall check --heal-from VOLUMES`"
            ),
            format!("丢失 {lost} 个数据块；请重新添加，或运行 carryall check --heal-from 卷"),
        )
    };
    pick(
        format!(
            "checked {looked} of {releases} release{}, {packs} pack{}, {total}{healed}: {verdict}\n",
            plural(releases),
            plural(packs)
        ),
        format!(
            "已检查{looked}：{releases} 个发布包，{packs} 个数据包，{total}{healed}：{verdict}\n"
        ),
    )
}

pub fn checked_out(report: &CheckoutReport, dest: &Path) -> String {
    let (name, total, dest) = (&report.release, bytes(report.bytes), shown_path(dest));
    if report.is_whole() {
        pick(
            format!("{name}: {total} written to {dest}, every byte checked\n"),
            format!("{name}：已写入 {dest}，共 {total}，逐字节校验通过\n"),
        )
    } else {
        pick(
            format!(
                "{name}: not everything could be given back; what could is in {dest} ({total} in whole items)\n"
            ),
            format!("{name}：部分内容无法还原；能还原的在 {dest}（完整项目共 {total}）\n"),
        )
    }
}
