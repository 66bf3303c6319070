//! Words about images and packages.

use std::path::Path;

use carryall::base::size::total;
use carryall::oci::image::ChoiceError;
use carryall::oci::image::export::ImageForm;
use carryall::oci::image::{Component, PackageKind};
use carryall::ops::checkout::images::ImageReport;
use carryall::ops::maintain::show::{ShowReport, ShownImage, ShownPackage};
use carryall::ops::pack::diff::{DiffChange, DiffImage};
use carryall::ops::publish::load::{LoadError, LoadReport};

use super::sayings::in_chinese;
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

pub fn image_without_form() -> &'static str {
    pick(
        "--image chooses among images, and the items are asked for as they were added",
        "--image 用于选择镜像，而当前要还原的是原始项目",
    )
}

pub fn item_with_form() -> &'static str {
    pick(
        "--item chooses among items, and images are asked for",
        "--item 用于选择项目，而当前要输出的是镜像",
    )
}

pub fn hint_form() -> &'static str {
    pick(
        "images: --as docker-archive or --as oci, with --image REF; items: --item NAME",
        "输出镜像：--as docker-archive 或 --as oci，可加 --image；还原项目：--item 名称",
    )
}

/// What to do when images cannot be chosen.
pub fn hint_of_choice(error: &ChoiceError) -> &'static str {
    match error {
        ChoiceError::NoImages => pick(
            "`carryall show RELEASE` lists what is in it; `checkout` without --as gives the items back",
            "carryall show 发布包 可查看内容；不带 --as 的 checkout 还原原始项目",
        ),
        ChoiceError::NoSuchImage { .. } => pick(
            "`carryall show RELEASE` lists the images with names and digests",
            "carryall show 发布包 可列出镜像的名称和摘要",
        ),
        ChoiceError::NoSuchPlatform { .. } => pick(
            "take one of the platforms that are there",
            "请选择已有的平台",
        ),
        ChoiceError::Several {
            by_platform: true, ..
        } => pick(
            "choose one with --platform OS/ARCH",
            "请用 --platform 系统/架构 选择其一",
        ),
        ChoiceError::Several { .. } => pick(
            "choose one with --image and its digest",
            "请用 --image 加摘要选择其一",
        ),
    }
}

/// What to do when nothing was loaded.
pub fn hint_of_load(error: &LoadError) -> &'static str {
    match error {
        LoadError::Choice(error) => hint_of_choice(error),
        LoadError::NoProgram => pick(
            "install one of them, or `carryall checkout RELEASE FILE --as docker-archive` and load the file where it runs",
            "请安装其中之一，或用 carryall checkout 发布包 文件 --as docker-archive 导出后在目标机器载入",
        ),
        LoadError::NoneWorks { .. } => pick(
            "start the service of one of them, or run this as someone who may use it (root, the group docker); --with names one that is taken without trying",
            "请启动其中之一的服务，或以有权使用它的用户运行（root、docker 组）；--with 可直接指定程序",
        ),
        LoadError::Run { .. } => pick(
            "is it installed, and may you run it? --with names another",
            "请确认已安装且有权运行；可用 --with 指定其他程序",
        ),
        LoadError::Failed { .. } => pick(
            "it says why: is its service running, may you use it, is there room? The note above says what it has now; the same command can be run again",
            "原因见上：服务是否在运行、是否有权限、空间是否足够？上面的说明列出了它现有的镜像；可重新运行同一命令",
        ),
        LoadError::Outgoing(_) => pick(
            "`carryall check --data` says what is damaged; --image takes the images that are whole",
            "carryall check --data 可列出损坏；可用 --image 只取完好的镜像",
        ),
    }
}

/// Why images cannot be chosen, in Chinese.
pub fn chinese_choice(error: &ChoiceError) -> String {
    match error {
        ChoiceError::NoImages => "发布包里没有镜像".to_owned(),
        ChoiceError::NoSuchImage { wanted, has } => {
            format!("发布包里没有镜像 {wanted}；现有 {}", has.join("、"))
        }
        ChoiceError::NoSuchPlatform { platform, has } => {
            format!("没有适用于 {platform} 的镜像；现有平台 {}", has.join("、"))
        }
        ChoiceError::Several { name, images, .. } => {
            format!("{name} 对应 {} 个镜像：{}", images.len(), images.join("、"))
        }
    }
}

/// Why nothing was loaded, in Chinese.
pub fn chinese_load(error: &LoadError) -> String {
    match error {
        LoadError::Choice(error) => chinese_choice(error),
        LoadError::NoProgram => "没有安装 docker、podman、nerdctl 或 ctr".to_owned(),
        LoadError::NoneWorks { tried } => {
            let each = tried.iter();
            let each = each.map(|tried| format!("{}：{}", tried.program, tried.why));
            format!("都不能用：{}", each.collect::<Vec<_>>().join("；"))
        }
        LoadError::Failed {
            program,
            status,
            said,
        } => format!("{program} 执行失败（{status}）：{said}"),
        LoadError::Run { program, source } => format!("无法运行 {program}：{source}"),
        LoadError::Outgoing(error) => in_chinese(&error.into()),
    }
}
