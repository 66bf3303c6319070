//! Messages about images and packages.

use std::path::Path;

use carryall::base::size::total;
use carryall::oci::image::export::ImageForm;
use carryall::oci::image::{Component, Digest, PackageKind, Platform};
use carryall::ops::checkout::images::ImageReport;
use carryall::ops::maintain::show::{ShowReport, ShownImage, ShownPackage};
use carryall::ops::pack::diff::{DiffChange, DiffImage};
use carryall::ops::publish::load::LoadReport;

use super::{bytes, grouped, line, message, padded, shown, width};

/// Names of an image that are shown.
const NAMES_SHOWN: usize = 8;

/// The images of a release, one a line.
pub fn images(report: &ShowReport) -> String {
    if report.images.is_empty() {
        return String::new();
    }
    let own = report.images.iter().map(|image| image.own_bytes);
    let (count, own) = (report.images.len(), bytes(total(own)));
    let mut out = line(message!("images", count, own));
    let names: Vec<String> = report.images.iter().map(name).collect();
    let width = width(&names);
    for (image, name) in report.images.iter().zip(names) {
        let name = padded(&name, width);
        let platform = platform(image.platform.as_ref());
        let platform = format!("{platform:<14}");
        let total = format!("{:>9}", bytes(image.bytes));
        let own = format!("{:>9}", bytes(image.own_bytes));
        let layers = format!("{:>2}", image.layers);
        let digest = image.digest.to_string();
        let said = message!("image", name, platform, layers, total, own, digest);
        out += &format!("  {said}\n");
    }
    out
}

/// The packages of a release, with their components and plugins.
pub fn packages(report: &ShowReport) -> String {
    let mut out = String::new();
    for package in &report.packages {
        out += &package_line(package);
        for each in &package.components {
            out += &component(each, &message!("package-component"));
        }
        for each in &package.plugins {
            out += &component(each, &message!("package-plugin"));
        }
    }
    out
}

fn package_line(package: &ShownPackage) -> String {
    let kind = match package.kind {
        PackageKind::Ram => message!("package-template"),
        PackageKind::Compose => message!("package-compose"),
        PackageKind::Slug => message!("package-slug"),
        PackageKind::Helm => message!("package-helm"),
        PackageKind::Yaml => message!("package-yaml"),
    };
    let (name, version, item) = (&package.name, &package.version, &package.item);
    let components = message!("count-components", count = package.components.len());
    let plugins = message!("count-plugins", count = package.plugins.len());
    let images = message!("count-images", count = package.images);
    line(message!(
        "package", kind, name, version, item, components, plugins, images
    ))
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
    let mut out = line(message!("heading-images"));
    for image in images {
        let mark = change_mark(image.change);
        let name = match &image.before {
            Some(before) if *before != image.name => format!("{before} -> {}", image.name),
            _ => image.name.clone(),
        };
        let platform = platform(image.platform.as_ref());
        out += &format!("{mark} {}  {platform}", shown(&name));
        if !matches!(image.change, DiffChange::Removed) {
            let (all, new) = (image.layers, image.new_layers);
            let (size, packed) = (bytes(image.new_bytes), bytes(image.carried_bytes));
            out += &format!("  {}", message!("diff-image", new, all, size, packed));
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
        return message!("image-without-name");
    }
    names(&image.references)
}

/// The first names of an image, and how many more it has: an archive may give it any number.
fn names(references: &[String]) -> String {
    let first = &references[..references.len().min(NAMES_SHOWN)];
    let more = references.len() - first.len();
    let first = shown(&first.join(", ")).into_owned();
    match more {
        0 => first,
        more => message!("image-more-names", first, more = grouped(more as u64)),
    }
}

/// The names of an image, else its digest.
pub fn image_name(references: &[String], digest: &Digest) -> String {
    if references.is_empty() {
        digest.to_string()
    } else {
        names(references)
    }
}

/// What an image runs on; artifacts run on nothing.
pub fn platform(platform: Option<&Platform>) -> String {
    let name = platform.map_or_else(|| "-".to_owned(), ToString::to_string);
    shown(&name).into_owned()
}

/// What was written where.
pub fn images_out(report: &ImageReport, dest: &Path, form: ImageForm) -> String {
    let whole = report.images.iter().filter(|image| image.is_whole).count();
    let images = message!("count-images", count = whole);
    let (release, total) = (report.release.to_string(), bytes(report.bytes));
    let form = match form {
        ImageForm::DockerArchive => message!("form-docker-archive"),
        ImageForm::OciLayout => message!("form-oci-layout"),
    };
    line(message!("images-out", release, images, total, dest, form))
}

/// What was loaded.
pub fn loaded(report: &LoadReport) -> String {
    let images = message!("count-images", count = report.images.len());
    let (release, total) = (report.release.to_string(), bytes(report.bytes));
    let program = report.with.program();
    line(message!("loaded", release, images, total, program))
}
