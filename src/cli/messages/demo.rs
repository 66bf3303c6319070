//! Words of the demo.

use std::path::Path;

use carryall::ops::add::AddReport;
use carryall::ops::checkout::CheckoutReport;
use carryall::ops::pack::PackReport;

use super::{bytes, pick, shown_path};

pub fn demo_begins(given: &Path, stage: &Path) -> String {
    let (given, stage) = (shown_path(given), shown_path(stage));
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
