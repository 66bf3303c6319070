//! Words about deltas: receipts, sites, and what a bundle leans on.

use std::path::Path;

use carryall::bundle::receipt::Receipt;
use carryall::bundle::receipt::site::SiteName;
use carryall::ops::pack::PackPlan;
use carryall::ops::pack::recipients::SitesReport;
use carryall::ops::receive::prerequisites::{
    MissingPrerequisites, MissingRelease, MissingSet, MissingState,
};
use carryall::ops::receive::receipt::ReceiptReport;

use super::{bytes, pick, plural, shown, shown_path};

/// More lines than this are not typed with pleasure.
const TEXT_LINES: usize = 20;

fn list(names: &[String]) -> String {
    shown(&names.join(pick(", ", "、"))).into_owned()
}

/// What a bundle leans on and, with several receivers, what that costs; nothing for a full bundle.
pub fn plan_leans(plan: &PackPlan) -> String {
    let mut out = String::new();
    for lean in &plan.leans {
        let names = list(lean);
        out += &pick(
            format!(
                "  leans on: {names} (must be there; `receive` checks before it writes anything)\n"
            ),
            format!("  依赖：{names}（接收方必须已有；receive 在写入之前会检查）\n"),
        );
    }
    if !plan.receivers.is_empty() && plan.leans.is_empty() {
        out += pick(
            "  leans on nothing: the receiver has none of it\n",
            "  无依赖：接收方没有可用的数据\n",
        );
    }
    if let Some(together) = plan.together_bytes {
        let together = bytes(together);
        out += &pick(
            format!(
                "  fits all {}: about {together}; for one alone about:\n",
                plan.receivers.len()
            ),
            format!(
                "  适合全部 {} 个接收方：约 {together}；单独打包约为：\n",
                plan.receivers.len()
            ),
        );
        for receiver in &plan.receivers {
            let alone = bytes(receiver.alone_bytes.unwrap_or_default());
            out += &format!("    {alone:>9}  {}\n", receiver.label);
        }
    }
    out
}

fn lacking_release(release: &MissingRelease) -> String {
    let state = match release.state {
        MissingState::Whole => pick("is here", "已有"),
        MissingState::Damaged => pick("is damaged here", "本地已损坏"),
        MissingState::Different => pick("is another release here", "本地同名发布包内容不同"),
        MissingState::Absent => pick("is not here", "本地没有"),
    };
    let (name, id) = (shown(&release.name), &release.id[..8]);
    pick(
        format!("{name} ({id}) {state}"),
        format!("{name}（{id}）{state}"),
    )
}

fn lacking_set(set: &MissingSet) -> String {
    let (id, missing, frames) = (&set.set_id[..8], set.missing, set.frames);
    if missing == 0 {
        return pick(
            format!("set {id}, which waits here, leans on what is not whole itself"),
            format!("在此等候的卷集 {id} 所依赖的内容也不完整"),
        );
    }
    pick(
        format!("of set {id}, {missing} of {frames} frames are not here"),
        format!("卷集 {id} 的 {frames} 个帧中有 {missing} 个不在这里"),
    )
}

/// A set that was cleared away because its releases came by another one.
pub fn done_with(set_id: &str) -> String {
    let id = &set_id[..8];
    pick(
        format!("set {id}, of which something was lacking, is complete by that and cleared away\n"),
        format!("此前不完整的卷集 {id} 已由此补全，暂存已清除\n"),
    )
}

/// What a set leans on that is not here.
pub fn lacking(lacking: &MissingPrerequisites) -> String {
    let ways = lacking.any_of.iter().map(|lean| {
        let releases: Vec<String> = lean.iter().map(lacking_release).collect();
        releases.join(pick(", ", "，"))
    });
    let ways = ways.collect::<Vec<_>>().join(pick("; or ", "；或者 "));
    let sets = lacking.sets.iter().map(lacking_set);
    let ways: Vec<String> = std::iter::once(ways)
        .filter(|ways| !ways.is_empty())
        .chain(sets)
        .collect();
    let ways = ways.join(pick("; ", "；"));
    let mut out = pick(
        format!("leans on what is not in the store: {ways}"),
        format!("依赖仓库里没有的内容：{ways}"),
    );
    if lacking.chunks > 0 {
        let (count, first) = (lacking.chunks, &lacking.chunk_ids[0][..8]);
        out += &pick(
            format!(
                "; {count} chunk{} missing, the first {first}",
                plural(count)
            ),
            format!("；缺少 {count} 个数据块，第一个是 {first}"),
        );
    }
    out
}

/// What to do about damage that nothing at hand heals.
pub fn hint_top_up() -> String {
    pick(
        "another copy of a volume that is named; or send `carryall receipt -o FILE` to the vendor: what is lacking then comes on one small bundle, and nothing that was read is needed again",
        "请使用所列卷的另一份拷贝；或把 carryall receipt -o 文件 的结果发给供应方：只需一个小包即可补上所缺部分，已读入的内容无需重读",
    )
    .to_owned()
}

/// What to do about it.
pub fn hint_base() -> String {
    pick(
        "receive the release that it leans on, then this one again (what was read is kept); or send `carryall receipt` to the vendor",
        "请先接收它所依赖的发布包，再重新接收这一套（已读入的内容会保留）；或把 carryall receipt 的输出发给供应方",
    )
    .to_owned()
}

/// What a receipt is called in the plan.
pub fn receipt_label(number: usize, receipt: &Receipt) -> String {
    let store = &receipt.store_hex()[..8];
    pick(
        format!("receipt {number} (store {store})"),
        format!("回执 {number}（仓库 {store}）"),
    )
}

pub fn another_store(site: &SiteName) -> String {
    pick(
        format!(
            "note: {site}: its last receipt was of another store; the new one counts from now on\n"
        ),
        format!("注意：{site} 上次的回执来自另一个仓库；以新回执为准\n"),
    )
}

pub fn site_is_new(site: &SiteName) -> String {
    pick(
        format!("note: nothing is remembered of {site}: the bundle is full\n"),
        format!("注意：没有 {site} 的记录：将打完整包\n"),
    )
}

pub fn unknown_releases(label: &str, names: &[String]) -> String {
    let names = list(names);
    pick(
        format!("note: {label}: not in this store and left out of account: {names}\n"),
        format!("注意：{label}：本仓库没有以下发布包，不予考虑：{names}\n"),
    )
}

pub fn unknown_sets(label: &str, sets: &[String]) -> String {
    let sets = list(sets);
    pick(
        format!(
            "note: {label}: was not packed from this store, and what came of it is left out of account: set {sets}\n"
        ),
        format!("注意：{label}：以下卷集不是本仓库打包的，已收到的部分不予考虑：{sets}\n"),
    )
}

/// About a receipt, beside its lines.
pub fn receipt_about(report: &ReceiptReport, out: Option<&Path>) -> String {
    let store = &report.json.store[..8];
    let names: Vec<String> = report
        .json
        .releases
        .iter()
        .map(|held| held.name.clone())
        .collect();
    let names = if names.is_empty() {
        pick("no release", "没有发布包").to_owned()
    } else {
        list(&names)
    };
    let mut about = pick(
        format!("receipt of store {store}: {names}\n"),
        format!("仓库 {store} 的回执：{names}\n"),
    );
    let lacks = report.json.lacks.len() as u64;
    if lacks > 0 {
        about += &pick(
            format!(
                "  {lacks} chunk{} of them lost or damaged: the next bundle brings what it needs of them\n",
                plural(lacks)
            ),
            format!("  其中 {lacks} 个数据块丢失或损坏：下一个包会补上它所需要的\n"),
        );
    }
    for set in &report.sets {
        let (id, have, all) = (&set.set_id[..8], set.frames, set.of_frames);
        let names = list(&set.releases);
        about += &pick(
            format!(
                "  of set {id} ({names}) {have} of {all} frames are here: `pack RELEASE --for` this receipt brings the rest\n"
            ),
            format!(
                "  卷集 {id}（{names}）的 {all} 个帧中已有 {have} 个：供应方用本回执打包即可补上其余部分\n"
            ),
        );
    }
    if let Some(lines) = &report.text
        && lines.len() > TEXT_LINES
    {
        let lines = lines.len();
        about += &pick(
            format!("  the text has {lines} lines: better write it to a file with -o FILE\n"),
            format!("  文字共有 {lines} 行：建议用 -o 文件 写成文件\n"),
        );
    }
    about += &match (out, &report.text) {
        (Some(path), _) => {
            let path = shown_path(path);
            pick(
                format!("  written to {path}; the vendor: carryall pack RELEASE --for {path}\n"),
                format!("  已写入 {path}；供应方：carryall pack 发布包 --for {path}\n"),
            )
        }
        (None, Some(_)) => pick(
            "  read it out or type it; the vendor: carryall pack RELEASE --for \"LINE LINE ...\"\n",
            "  可口述或手工输入；供应方：carryall pack 发布包 --for \"各行\"\n",
        )
        .to_owned(),
        (None, None) => pick(
            "  too long to be typed: write it to a file with -o FILE\n",
            "  太长，不便输入：请用 -o 文件 写成文件\n",
        )
        .to_owned(),
    };
    about
}

pub fn sites(report: &SitesReport) -> String {
    if report.sites.is_empty() {
        return pick(
            "no site is remembered: pack with --site NAME\n",
            "没有站点记录：打包时用 --site 名称\n",
        )
        .to_owned();
    }
    let none = || pick("nothing", "无").to_owned();
    let names = |names: &[String]| {
        if names.is_empty() {
            none()
        } else {
            list(names)
        }
    };
    let mut out = String::new();
    for site in &report.sites {
        let (name, packed) = (&site.name, names(&site.packed));
        let receipt = match &site.store {
            None => pick("no receipt yet", "尚无回执").to_owned(),
            Some(store) => {
                let (store, has) = (&store[..8], names(&site.has));
                let lacks = match site.lacks {
                    0 => String::new(),
                    lacks => pick(
                        format!(", {lacks} chunk{} lost or damaged", plural(lacks)),
                        format!("，{lacks} 个数据块丢失或损坏"),
                    ),
                };
                pick(
                    format!("has {has} (store {store}{lacks})"),
                    format!("已有 {has}（仓库 {store}{lacks}）"),
                )
            }
        };
        out += &pick(
            format!("{name}  {receipt}; packed last: {packed}\n"),
            format!("{name}  {receipt}；上次打包：{packed}\n"),
        );
    }
    out
}

pub fn forgotten(site: &SiteName, was_there: bool) -> String {
    if was_there {
        pick(
            format!("{site} is forgotten\n"),
            format!("已删除 {site} 的记录\n"),
        )
    } else {
        pick(
            format!("nothing is remembered of {site}\n"),
            format!("没有 {site} 的记录\n"),
        )
    }
}
