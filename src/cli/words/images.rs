//! Words about images and packages.

use carryall::verbs::show::{ShowReport, ShownImage};

use super::{bytes, pick};

/// The images of a release, one a line.
pub fn images(report: &ShowReport) -> String {
    if report.images.is_empty() {
        return String::new();
    }
    let count = report.images.len();
    let own: u64 = report.images.iter().map(|image| image.own_bytes).sum();
    let own = bytes(own);
    let mut out = pick(
        format!("images: {count}, {own} without what they share\n"),
        format!("镜像：{count} 个，去除共享部分后 {own}\n"),
    );
    let names: Vec<String> = report.images.iter().map(name).collect();
    let width = names
        .iter()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0);
    for (image, name) in report.images.iter().zip(names) {
        let platform = image.platform.as_deref().unwrap_or("-");
        let (total, own) = (bytes(image.bytes), bytes(image.own_bytes));
        let (digest, layers) = (&image.digest, image.layers);
        out += &pick(
            format!(
                "  {name:width$}  {platform:<14}  {layers:>2} layers {total:>9} ({own:>9} own)  {digest}\n"
            ),
            format!(
                "  {name:width$}  {platform:<14}  {layers:>2} 层 {total:>9}（独有 {own:>9}）  {digest}\n"
            ),
        );
    }
    out
}

fn name(image: &ShownImage) -> String {
    if image.references.is_empty() {
        return pick("(no name)", "（无名称）").to_owned();
    }
    image.references.join(", ")
}
