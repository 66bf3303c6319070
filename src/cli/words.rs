//! All words for people, English beside Chinese: the library gives facts, this module says them.
//!
//! The language is the locale's: Chinese when LC_ALL, LC_MESSAGES or LANG begins with `zh`, else English.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use carryall::finding::{Finding, Severity};
use carryall::media::MediaError;
use carryall::recovery::Needs;
use carryall::release::ReleaseName;
use carryall::size::ByteSize;
use carryall::store::{CheckDepth, StoreError};
use carryall::verbs::Error;
use carryall::verbs::add::{AddError, AddReport};
use carryall::verbs::check::{CheckSummary, DamagedRelease, PruneSummary};
use carryall::verbs::checkout::{CheckoutError, CheckoutReport};
use carryall::verbs::list::{DiffReport, ShowReport};
use carryall::verbs::pack::{PackPlan, PackReport};
use carryall::verbs::receive::{ProgressState, SetProgress, StatusReport};
use carryall::verbs::verify::{SetState, SetVerdict, VolumeVerdict};
use carryall::volumes::VolumeError;

fn is_chinese() -> bool {
    static CHINESE: OnceLock<bool> = OnceLock::new();
    *CHINESE.get_or_init(|| {
        ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .filter_map(std::env::var_os)
            .find(|value| !value.is_empty())
            .is_some_and(|value| value.to_string_lossy().starts_with("zh"))
    })
}

/// The words in the person's language.
pub fn pick<T>(english: T, chinese: T) -> T {
    if is_chinese() { chinese } else { english }
}

/// Prints a text for people to stderr, beside the report on stdout.
pub fn say(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// `352 MB`.
pub fn bytes(bytes: u64) -> String {
    ByteSize(bytes).to_string()
}

/// `3`, `3 and 7`, `3, 5 and 7`.
pub fn numbers(numbers: &[u16]) -> String {
    let texts: Vec<String> = numbers.iter().map(u16::to_string).collect();
    match texts.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => {
            format!(
                "{}{}{last}",
                rest.join(pick(", ", "、")),
                pick(" and ", " 和 ")
            )
        }
    }
}

/// `volume 3`, `volumes 3 and 5`.
pub fn volumes(nos: &[u16]) -> String {
    let (word, list) = (
        if nos.len() == 1 { "volume" } else { "volumes" },
        numbers(nos),
    );
    pick(format!("{word} {list}"), format!("第 {list} 卷"))
}

/// `1 item`, `4 items`.
pub fn items(count: u64) -> String {
    pick(
        format!("{count} item{}", plural(count)),
        format!("{count} 项"),
    )
}

/// `1 entry`, `40 entries`.
pub fn entries(count: u64) -> String {
    let word = if count == 1 { "entry" } else { "entries" };
    pick(format!("{count} {word}"), format!("{count} 个条目"))
}

fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// What a progress bar calls a task of the library.
pub fn task(name: &str) -> String {
    let chinese = match name {
        "read" => "读取",
        "compare" => "比对",
        "compress" => "压缩",
        "payload" => "写入数据",
        "wide parity" => "跨卷校验",
        "local parity" => "本卷校验",
        "scan" => "扫描",
        "heal" => "修复",
        "rebuild" => "重建",
        "take over" => "入库",
        "check" => "检查",
        "check out" => "还原",
        "sync" => "写盘",
        other => other,
    };
    pick(name, chinese).to_owned()
}

/// `error`.
pub fn error_label() -> &'static str {
    pick("error", "错误")
}

/// `hint`.
pub fn hint_label() -> &'static str {
    pick("hint", "提示")
}

/// Heard Ctrl-C.
pub fn stopping() -> &'static str {
    pick(
        "stopping; what is done is kept (Ctrl-C again ends at once)",
        "正在停止；已完成的部分会保留（再按一次 Ctrl-C 立即结束）",
    )
}

/// One line for a finding.
pub fn finding(finding: &Finding) -> String {
    let label = match finding.severity {
        Severity::Note => pick("note", "注意"),
        Severity::Damage => pick("damage", "损坏"),
        Severity::Loss => pick("LOSS", "丢失"),
    };
    format!("{label}: {}: {}", finding.subject, finding.message)
}

/// One line each.
pub fn findings(findings: &[Finding]) -> String {
    findings.iter().map(|each| finding(each) + "\n").collect()
}

pub fn no_store_named() -> &'static str {
    pick("no store is named", "没有指定仓库")
}

pub fn no_media_named() -> &'static str {
    pick("no medium is named", "没有指定介质")
}

pub fn store_created(dir: &Path) -> String {
    let dir = dir.display();
    pick(
        format!("created a store in {dir}\n"),
        format!("已在 {dir} 创建仓库\n"),
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
        format!("{name}：已添加并比对 {total}，其中新数据 {new}（入库 {stored}）,已有 {known}\n"),
    )
}

pub fn release_line(report: &ShowReport) -> String {
    let release = &report.release;
    let (count, total) = (items(release.items.into()), bytes(release.bytes));
    let (name, id, chunks) = (&release.name, &release.id, report.chunks);
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
    let (from, to) = (&report.from, &report.to);
    pick(
        format!(
            "{to} has {new} that {from} does not have, in {chunks} chunks (before compression)\n"
        ),
        format!("{to} 比 {from} 多 {new}，共 {chunks} 个数据块（压缩前）\n"),
    )
}

pub fn removed(name: &ReleaseName) -> String {
    pick(
        format!("{name} is out of the store; `carryall prune` frees its space\n"),
        format!("{name} 已从仓库移除；运行 carryall prune 释放空间\n"),
    )
}

pub fn pruned(report: &PruneSummary) -> String {
    let freed = bytes(report.bytes_before.saturating_sub(report.bytes_after));
    let (removed, rewritten) = (report.packs_removed, report.packs_rewritten);
    let now = bytes(report.bytes_after);
    pick(
        format!(
            "freed {freed}: {removed} packs removed, {rewritten} written anew; the store has {now} now\n"
        ),
        format!("已释放 {freed}：删除 {removed} 个数据包，重写 {rewritten} 个；仓库现有 {now}\n"),
    )
}

pub fn damaged_release(release: &DamagedRelease) -> String {
    let name = &release.name;
    if release.items.is_empty() {
        return pick(
            format!("{name}: its list of items cannot be read\n"),
            format!("{name}：项目清单无法读取\n"),
        );
    }
    let list = release.items.join(pick(", ", "、"));
    pick(
        format!("{name}: cannot be given back whole: {list}\n"),
        format!("{name}：以下项目无法完整还原：{list}\n"),
    )
}

pub fn checked(report: &CheckSummary, depth: CheckDepth) -> String {
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
    let (name, total, dest) = (&report.release, bytes(report.bytes), dest.display());
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
    let (needed, free) = (bytes(plan.needed_bytes), bytes(plan.free_bytes));
    out + &pick(
        format!("  space: {needed} needed, {free} free\n"),
        format!("  空间：需要 {needed}，可用 {free}\n"),
    )
}

pub fn packed(report: &PackReport, to: &Path) -> String {
    let mut out = String::new();
    for volume in &report.volumes {
        out += &format!("  {}\n", volume.display());
    }
    let (count, to) = (report.volumes.len(), to.display());
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

pub fn hint_generic() -> &'static str {
    pick(
        "nothing that was read has been changed; put right what the line above says and run the same command again",
        "读取的内容未被改动；请按上一行处理后重新运行同一命令",
    )
}

pub fn hint_usage() -> &'static str {
    pick(
        "`carryall help COMMAND` shows what a command takes",
        "carryall help 命令 可查看用法",
    )
}

pub fn hint_store() -> &'static str {
    pick(
        "name it with --store DIR or $CARRYALL_STORE",
        "请用 --store 目录 或环境变量 CARRYALL_STORE 指定",
    )
}

/// What to do about an error.
pub fn hint(error: &Error) -> String {
    match error {
        Error::NoSuchRelease { has, .. } if has.is_empty() => store_is_empty().trim_end().to_owned(),
        Error::NoSuchRelease { has, .. } => pick(
            format!("the store has {}", has.join(", ")),
            format!("仓库里有 {}", has.join("、")),
        ),
        Error::Checkout(error) => hint_checkout(error),
        Error::Add(AddError::Entangled { .. }) => pick(
            "keep the store outside of what is added: name another with --store DIR, or add the files and folders one by one",
            "仓库不能放在要添加的目录中：用 --store 目录 指定别处，或逐个添加其中的文件和目录",
        )
        .to_owned(),
        Error::Add(AddError::NoSpace { .. }) => hint_space().to_owned(),
        Error::Store(error) => hint_of_store(error),
        Error::NoSpace { .. } => hint_space().to_owned(),
        Error::NoVolumes { .. } => pick(
            "is the right disc in the drive and mounted? A disc whose file system is gone can be given as its device, such as /dev/sr0",
            "光盘放对并挂载了吗？文件系统损坏的光盘可直接给出设备，例如 /dev/sr0",
        )
        .to_owned(),
        Error::Volume(error) => hint_of_volume(error),
        Error::Media(error) => hint_of_media(error),
        Error::Interrupted(_) => pick(
            "run the same command again: it goes on where it can",
            "重新运行同一命令即可继续",
        )
        .to_owned(),
        Error::BundleIncomplete { .. } => pick(
            "pack the release again: the bundle was cut from a store that had lost something",
            "请重新打包：源仓库中有数据缺失",
        )
        .to_owned(),
        Error::NoSuchVolume { .. } => hint_usage().to_owned(),
        _ if error.kind() == carryall::verbs::ErrorKind::Interrupted => {
            pick("run the same command again: it goes on where it can", "重新运行同一命令即可继续").to_owned()
        }
        _ => hint_generic().to_owned(),
    }
}

fn hint_space() -> &'static str {
    pick(
        "free some space, or name another place",
        "请释放空间,或换一个位置",
    )
}

fn hint_checkout(error: &CheckoutError) -> String {
    match error {
        CheckoutError::NotEmpty(_) => pick(
            "name a folder that is not there yet, or empty this one",
            "请指定一个不存在或空的目录",
        )
        .to_owned(),
        CheckoutError::NoSuchItem { .. } => pick(
            "`carryall show` lists the items of a release",
            "carryall show 可列出发布包中的项目",
        )
        .to_owned(),
        CheckoutError::InStore { .. } => {
            pick("name a folder outside of the store", "请指定仓库以外的目录").to_owned()
        }
        CheckoutError::NoSpace { .. } => pick(
            "free some space, or take one item at a time with --item",
            "请释放空间，或用 --item 逐项还原",
        )
        .to_owned(),
        _ => hint_generic().to_owned(),
    }
}

fn hint_of_store(error: &StoreError) -> String {
    match error {
        StoreError::NotAStore { .. } => pick(
            "name the store with --store DIR or $CARRYALL_STORE; `add` and `receive` create one",
            "请用 --store 目录 或环境变量 CARRYALL_STORE 指定仓库；add 和 receive 会自动创建",
        )
        .to_owned(),
        StoreError::Locked { .. } => pick(
            "wait until the other carryall has ended, or end it; nothing needs to be cleaned up by hand",
            "请等待另一个 carryall 结束，或结束它；无需手工清理",
        )
        .to_owned(),
        StoreError::Unsupported { .. } => {
            pick("use a newer carryall", "请使用更新版本的 carryall").to_owned()
        }
        StoreError::DamagedChunk { .. } | StoreError::QuarantinedChunk { .. } => pick(
            "`carryall check --data` says what is damaged; adding the items again, or --heal-from with old volumes, heals it",
            "carryall check --data 可列出损坏；重新添加，或用 --heal-from 旧卷 可修复",
        )
        .to_owned(),
        _ => hint_generic().to_owned(),
    }
}

fn hint_of_volume(error: &VolumeError) -> String {
    match error {
        VolumeError::Media(error) => hint_of_media(error),
        VolumeError::MediumTooSmall { .. } | VolumeError::PieceTooLarge { .. } => {
            pick("take a larger medium", "请使用更大的介质").to_owned()
        }
        VolumeError::TooManyVolumes { .. } => pick(
            "take a larger medium, fewer spares, or --codec gf16",
            "请使用更大的介质、减少备用卷，或使用 --codec gf16",
        )
        .to_owned(),
        VolumeError::NoSuperblock { .. } => pick(
            "too little of this set is at hand; give more of its volumes, or another copy",
            "手头的卷太少；请提供更多卷，或另一份拷贝",
        )
        .to_owned(),
        _ => hint_generic().to_owned(),
    }
}

/// `shop:1.0 (set 12ab34cd): 4 data and 2 spare volumes of 98.6 MB`.
pub fn set_line(set: &SetVerdict) -> String {
    let title = if set.title.is_empty() {
        pick("a set without a title", "无标题卷集")
    } else {
        &set.title
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
    let by = &set.created_by;
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
        SetState::NeedsVolumes => "  ".to_owned() + &needed(&set.needs) + "\n",
        SetState::Lost => lost(&set.needs, &set.lost_items),
    }
}

/// Which volumes to give next.
fn needed(needs: &Needs) -> String {
    let mut out = match needs.at_least {
        Some(least) if usize::from(least) < needs.any_of.len() => {
            let any = volumes(&needs.any_of);
            pick(
                format!("still needed: any {least} of {any}"),
                format!("还需要：{any}中的任意 {least} 卷"),
            )
        }
        _ => {
            let ask = volumes(&needs.ask_for);
            pick(format!("still needed: {ask}"), format!("还需要：{ask}"))
        }
    };
    if !needs.damaged.is_empty() {
        let damaged = volumes(&needs.damaged);
        out += &pick(
            format!("; another copy of {damaged} would help too"),
            format!(";再有一份{damaged}的拷贝也有帮助"),
        );
    }
    out
}

fn lost(needs: &Needs, items: &[String]) -> String {
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
    for item in items {
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
    let path = path.display();
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
    let path = path.display();
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

/// How far a set is that is being received.
pub fn progress(set: &SetProgress) -> String {
    let title = if set.title.is_empty() {
        &set.set_id[..8]
    } else {
        &set.title
    };
    let present: u64 = set
        .volumes
        .iter()
        .map(|volume| u64::from(volume.present_blocks))
        .sum();
    let present = bytes(present * carryall::block::BLOCK_BYTES as u64);
    match set.state {
        ProgressState::Complete => {
            let healed = match set.healed_blocks {
                0 => String::new(),
                healed => pick(
                    format!(", {healed} blocks healed"),
                    format!(",修复 {healed} 块"),
                ),
            };
            let mut out = String::new();
            for release in &set.committed {
                let (name, total) = (&release.name, bytes(release.bytes));
                let instead = if release.replaced {
                    pick(
                        ", in place of a different release of this name",
                        ",替换了同名的另一发布包",
                    )
                } else {
                    ""
                };
                out += &pick(
                    format!(
                        "{name}: received whole ({total}{healed}{instead}). Give it back with: carryall checkout {name} DEST\n"
                    ),
                    format!(
                        "{name}：接收完成（{total}{healed}{instead}）。还原命令：carryall checkout {name} 目标目录\n"
                    ),
                );
            }
            out
        }
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
            pick(
                format!(
                    "{title} ({k} data and {m} spare volumes): {present} taken in so far; {need}\n"
                ),
                format!("{title}（{k} 个数据卷，{m} 个备用卷）:已读入 {present}；{need}\n"),
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
        format!("仓库 {store}（{id}）:{count} 个发布包，可用 {free}，正在接收 {waiting} 套卷\n"),
    )
}

pub fn demo_nothing() -> &'static str {
    pick("nothing to carry was found", "没有找到可用于演示的内容")
}

pub fn demo_begins(given: &Path, stage: &Path) -> String {
    let (given, stage) = (given.display(), stage.display());
    pick(
        format!("1. carrying {given}, in {stage} (removed in the end; nothing else is touched)"),
        format!("1. 演示搬运 {given}，临时目录 {stage}（结束后删除，不动其他内容）"),
    )
}

pub fn demo_added(report: &AddReport) -> String {
    let (total, stored) = (bytes(report.bytes), bytes(report.stored_bytes));
    pick(
        format!(
            "2. vendor: carryall add demo:1.0 ...   {total} became {stored}, rebuilt and compared"
        ),
        format!("2. 供应方：carryall add demo:1.0 ...   {total} 存为 {stored}，已重建并比对"),
    )
}

pub fn demo_packed(report: &PackReport) -> String {
    let plan = &report.plan;
    let (k, m, size) = (
        plan.data_volumes,
        plan.spare_volumes,
        bytes(plan.volume_bytes),
    );
    pick(
        format!(
            "3. vendor: carryall pack demo:1.0 --to discs --media ... --spare {m}   {k} data and {m} spare volumes of {size}"
        ),
        format!(
            "3. 供应方：carryall pack demo:1.0 --to discs --media ... --spare {m}   {k} 个数据卷和 {m} 个备用卷，每卷 {size}"
        ),
    )
}

pub fn demo_hurt(lost: &Path, scratched: u64) -> String {
    let lost = lost
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let scratched = bytes(scratched);
    pick(
        format!(
            "4. on the way: {lost} is lost, and a burst on each of the others is overwritten ({scratched} in all)\n5. site: carryall verify discs"
        ),
        format!(
            "4. 途中：{lost} 丢失，其余每卷都有一处连续损坏（共 {scratched}）\n5. 现场：carryall verify discs"
        ),
    )
}

pub fn demo_ends(report: &CheckoutReport, same: bool) -> String {
    let total = bytes(report.bytes);
    let verdict = if same {
        pick("the same, byte for byte", "逐字节一致")
    } else {
        pick("NOT THE SAME", "不一致")
    };
    pick(
        format!(
            "6. site: carryall checkout demo:1.0 back   {total} given back: {verdict}\nnext: carryall add NAME:VERSION PATH...; carryall pack NAME:VERSION --to DIR --media dvd; at the site: carryall receive PATH"
        ),
        format!(
            "6. 现场：carryall checkout demo:1.0 back   已还原 {total}：{verdict}\n下一步：carryall add 名称:版本 路径...；carryall pack 名称:版本 --to 目录 --media dvd；现场：carryall receive 路径"
        ),
    )
}

fn hint_of_media(error: &MediaError) -> String {
    match error {
        MediaError::Missing { .. } => pick(
            "check the path: is the disc mounted, is the name spelt right?",
            "请检查路径：光盘挂载了吗？名称写对了吗？",
        ),
        MediaError::Exists { .. } => pick(
            "it is left as it is: name another folder with --to, or move it away first",
            "已有内容保持不动：请用 --to 指定另一个目录，或先把它移走",
        ),
        MediaError::Busy { .. } => pick(
            "wait until the other carryall has ended",
            "请等待另一个 carryall 结束",
        ),
        MediaError::XorrisoMissing => pick(
            "install xorriso, or leave out --iso and burn the folders with any program",
            "请安装 xorriso,或不用 --iso,改用任意刻录软件刻录各卷文件夹",
        ),
        MediaError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => pick(
            "free some space, or name another place; nothing half-done was left",
            "请释放空间，或换一个位置；没有留下半成品",
        ),
        _ => hint_generic(),
    }
    .to_owned()
}

/// What failed, in Chinese, for the errors that people meet most; the library's own words for all others.
pub fn chinese_error(error: &Error) -> Option<String> {
    if !is_chinese() {
        return None;
    }
    let list = |paths: &[std::path::PathBuf]| {
        paths
            .iter()
            .map(|path| path.display().to_string())
            .collect::<Vec<_>>()
            .join("、")
    };
    let text = match error {
        Error::NoVolumes { paths } => format!("在 {} 中没有找到 carryall 卷", list(paths)),
        Error::NoSuchRelease { name, .. } => format!("仓库里没有发布包 {name}"),
        Error::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        } => format!(
            "{} 只有 {} 可用空间，需要 {}",
            path.display(),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        Error::Checkout(CheckoutError::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        }) => format!(
            "{} 只有 {} 可用空间，需要 {}",
            path.display(),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        Error::Add(AddError::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        }) => format!(
            "{} 只有 {} 可用空间，至少需要 {}",
            path.display(),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        Error::Add(AddError::Entangled { path, store }) => {
            format!("{} 与仓库 {} 互相包含", path.display(), store.display())
        }
        Error::Checkout(CheckoutError::InStore { dest, store }) => {
            format!("{} 在仓库 {} 之内", dest.display(), store.display())
        }
        Error::Checkout(CheckoutError::NotEmpty(path)) => format!("{} 不是空目录", path.display()),
        Error::Checkout(CheckoutError::NoSuchItem { item, .. }) => {
            format!("发布包里没有项目 {item}")
        }
        Error::Store(StoreError::NotAStore { path }) => format!("{} 不是仓库", path.display()),
        Error::Store(StoreError::Locked { path }) => {
            format!("仓库 {} 正被另一个进程使用", path.display())
        }
        Error::Media(media) | Error::Volume(VolumeError::Media(media)) => match media {
            MediaError::Missing { path } => format!("没有这个文件、目录或设备：{}", path.display()),
            MediaError::Exists { path } => format!("{} 已经存在", path.display()),
            MediaError::XorrisoMissing => "没有安装 xorriso".to_owned(),
            _ => return None,
        },
        Error::Volume(VolumeError::PieceTooLarge { .. } | VolumeError::MediumTooSmall { .. }) => {
            "介质太小，放不下一卷".to_owned()
        }
        _ if error.kind() == carryall::verbs::ErrorKind::Interrupted => "已中断".to_owned(),
        _ => return None,
    };
    Some(text)
}

/// More findings than fit a screen.
pub fn more_findings(count: u64) -> String {
    pick(
        format!("... and {count} more like these (-v shows all)"),
        format!("……另有 {count} 条（-v 可全部显示）"),
    )
}

/// What to do when a release or store is damaged.
pub fn hint_damage() -> String {
    let text = pick(
        "`carryall check --data` lists what is damaged; adding the items again, or --heal-from with old volumes, heals it",
        "carryall check --data 可列出损坏；重新添加，或用 --heal-from 旧卷 可修复",
    );
    format!("{}: {text}\n", hint_label())
}
