//! Words about images and packages.

use std::path::Path;

use carryall::base::size::total;
use carryall::oci::image::export::ImageForm;
use carryall::oci::image::{Component, PackageKind};
use carryall::ops::checkout::images::ImageReport;
use carryall::ops::maintain::show::{ShowReport, ShownImage, ShownPackage};
use carryall::ops::pack::diff::{DiffChange, DiffImage};
use carryall::ops::publish::load::LoadReport;

use super::{bytes, grouped, pick, plural, shown, shown_path, width};

/// Names of an image that are shown.
const NAMES_SHOWN: usize = 8;

/// The images of a release, one a line.
pub fn images(report: &ShowReport) -> String {
    if report.images.is_empty() {
        return String::new();
    }
    let count = report.images.len();
    let own: u64 = total(report.images.iter().map(|image| image.own_bytes));
    let own = bytes(own);
    let mut out = pick(
        format!("images: {count}, {own} without what they share\n"),
        format!("镜像：{count} 个，去除共享部分后 {own}\n"),
    );
    let names: Vec<String> = report.images.iter().map(name).collect();
    let width = width(names.iter().map(|name| name.chars().count()));
    for (image, name) in report.images.iter().zip(names) {
        let platform = shown(image.platform.as_deref().unwrap_or("-"));
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

/// The packages of a release, with their components and plugins.
pub fn packages(report: &ShowReport) -> String {
    let mut out = String::new();
    for package in &report.packages {
        out += &package_line(package);
        for each in &package.components {
            out += &component(each, pick("component", "组件"));
        }
        for each in &package.plugins {
            out += &component(each, pick("plugin", "插件"));
        }
    }
    out
}

fn package_line(package: &ShownPackage) -> String {
    let kind = match package.kind {
        PackageKind::Ram => pick("application template", "应用模板包"),
        PackageKind::Compose => pick("docker compose package", "DockerCompose 包"),
        PackageKind::Slug => pick("package without containers", "非容器包"),
        PackageKind::Helm => pick("Helm package", "Helm 包"),
        PackageKind::Yaml => pick("Kubernetes YAML package", "Kubernetes YAML 包"),
    };
    let (name, version, item) = (
        shown(&package.name),
        shown(&package.version),
        shown(&package.item),
    );
    let (components, plugins, images) = (
        package.components.len() as u64,
        package.plugins.len() as u64,
        package.images as u64,
    );
    let of = |count: u64, what: &str| format!("{count} {what}{}", plural(count));
    pick(
        format!(
            "{kind} {name} {version} in {item}: {}, {}, {}\n",
            of(components, "component"),
            of(plugins, "plugin"),
            of(images, "image")
        ),
        format!(
            "{item} 中的{kind} {name} {version}：{components} 个组件，{plugins} 个插件，{images} 个镜像\n"
        ),
    )
}

fn component(component: &Component, what: &str) -> String {
    let parts = [
        &component.version,
        &component.architecture,
        &component.image,
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
    let parts = parts.join("  ");
    let (name, parts) = (shown(&component.name), shown(&parts));
    let line = format!("  {what}  {name}  {parts}");
    format!("{}\n", line.trim_end())
}

/// What became of the images between two releases.
pub fn diff_images(images: &[DiffImage]) -> String {
    if images.is_empty() {
        return String::new();
    }
    let mut out = pick("images:\n", "镜像：\n").to_owned();
    for image in images {
        let mark = change_mark(image.change);
        let name = match &image.before {
            Some(before) if *before != image.name => format!("{before} -> {}", image.name),
            _ => image.name.clone(),
        };
        let platform = image.platform.as_deref().unwrap_or("-");
        out += &format!("{mark} {}  {}", shown(&name), shown(platform));
        if !matches!(image.change, DiffChange::Removed) {
            let (layers, new_layers) = (image.layers, image.new_layers);
            let (new, carried) = (bytes(image.new_bytes), bytes(image.carried_bytes));
            out += &pick(
                format!("  {new_layers} of {layers} layers new, {new} new, packed about {carried}"),
                format!("  {layers} 层中 {new_layers} 层为新，新增 {new}，打包后约 {carried}"),
            );
        }
        out.push('\n');
    }
    out
}

/// `+`, `-`, `~` or `=`.
pub fn change_mark(change: DiffChange) -> char {
    match change {
        DiffChange::Added => '+',
        DiffChange::Removed => '-',
        DiffChange::Changed => '~',
        DiffChange::Same => '=',
    }
}

fn name(image: &ShownImage) -> String {
    if image.references.is_empty() {
        return pick("(no name)", "（无名称）").to_owned();
    }
    names(&image.references)
}

/// The first names of an image, and how many more it has: an archive may give it any number.
fn names(references: &[String]) -> String {
    let first = &references[..references.len().min(NAMES_SHOWN)];
    let more = references.len() - first.len();
    let first = shown(&first.join(", ")).into_owned();
    if more == 0 {
        return first;
    }
    let more = grouped(more as u64);
    pick(
        format!("{first} and {more} more names"),
        format!("{first} 等，另有 {more} 个名称"),
    )
}

/// The names of an image, else its digest.
pub fn image_name(references: &[String], digest: &str) -> String {
    if references.is_empty() {
        digest.to_owned()
    } else {
        names(references)
    }
}

/// What was written where.
pub fn images_out(report: &ImageReport, dest: &Path, form: ImageForm) -> String {
    let whole = report.images.iter().filter(|image| image.is_whole).count();
    let (total, dest) = (bytes(report.bytes), shown_path(dest));
    let what = match form {
        ImageForm::DockerArchive => pick("a docker archive", "docker 镜像包"),
        ImageForm::OciLayout => pick("an OCI layout", "OCI 镜像目录"),
    };
    let release = &report.release;
    pick(
        format!(
            "{release}: {whole} image{}, {total}, written to {dest} as {what}, every digest checked\n",
            plural(whole as u64)
        ),
        format!("{release}：{whole} 个镜像，{total}，已写入 {dest}（{what}），摘要全部核对\n"),
    )
}

/// What was loaded.
pub fn loaded(report: &LoadReport) -> String {
    let (count, total, program) = (
        report.images.len(),
        bytes(report.bytes),
        report.with.program(),
    );
    let release = &report.release;
    pick(
        format!(
            "{release}: {count} image{}, {total}, loaded with {program}\n",
            plural(count as u64)
        ),
        format!("{release}：已用 {program} 载入 {count} 个镜像，{total}\n"),
    )
}
