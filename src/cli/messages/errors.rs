//! Words for what failed, and what to do next.

use carryall::base::output::OutputError;
use carryall::content::recipe::RecipeError;
use carryall::content::release::ReleaseName;
use carryall::files::LayoutError;
use carryall::ops::Error;
use carryall::ops::add::AddError;
use carryall::ops::checkout::CheckoutError;
use carryall::ops::is_fault;
use carryall::store::StoreError;
use carryall::volumes::VolumeError;
use carryall::volumes::media::MediaError;

use super::delta::{chinese_receipt, hint_receipt};
use super::images::{chinese_choice, chinese_load, hint_of_choice, hint_of_load};
use super::registry::{
    chinese_registry, hint_no_images, hint_no_such_host, hint_registry, hint_registry_address,
};
use super::versions::{chinese_versions, hint_versions};
use super::{
    bytes, causes, hint_generic, hint_label, hint_too_many_sets, is_chinese, looks, pick,
    store_is_empty,
};

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

/// A `~` that no shell has put the user's folder in place of. `given_by`: an option or variable, or nothing.
pub fn unexpanded_home(path: &str, given_by: &str) -> String {
    let by = match given_by {
        "" => String::new(),
        name => pick(format!(" in {name}"), format!("（{name}）")),
    };
    pick(
        format!(
            "{path}{by}: the ~ stands for no folder here, the shell has not put your home folder in its place"
        ),
        format!("{path}{by}：这里的 ~ 不代表任何目录，shell 没有把它替换成您的主目录"),
    )
}

pub fn hint_unexpanded_home(path: &str, meant: Option<&str>) -> String {
    match meant {
        Some(meant) => pick(
            format!("write {meant}; for a folder that is really called so, ./{path}"),
            format!("请写 {meant}；如果目录真的叫这个名字，请写 ./{path}"),
        ),
        None => pick(
            format!(
                "write the whole path, such as /home/NAME/store; for a folder that is really called so, ./{path}"
            ),
            format!("请写完整路径，例如 /home/用户名/store；如果目录真的叫这个名字，请写 ./{path}"),
        ),
    }
}

/// What to do when something cannot be read or written, which need not be damage.
pub fn hint_passing() -> &'static str {
    pick(
        "this need not be damage, and nothing was given up: is the disk connected and mounted, and may this user read and write there? Put that right and run the same command again",
        "这不一定是损坏，数据未被放弃：磁盘连接并挂载了吗？当前用户有读写权限吗？排除后请重新运行同一命令",
    )
}

/// How a release is brought back, or given up.
fn hint_rm(names: &str) -> String {
    pick(
        format!(
            "receiving the release again brings it back; `carryall rm {names}` gives it up (`carryall add` can make it anew then)"
        ),
        format!(
            "重新接收该发布包可恢复；carryall rm {names} 可放弃它（之后可用 carryall add 重新制作）"
        ),
    )
}

/// What to do about an error.
pub fn hint(error: &Error) -> String {
    match error {
        Error::UnreadableReleases { names } => {
            let each: Vec<String> = names.iter().map(|name| format!("`carryall rm {name}`")).collect();
            pick(
                format!(
                    "nothing was removed; receive it again or heal it with `carryall check --heal-from VOLUMES`, or give it up with {}, then prune again",
                    each.join(", ")
                ),
                format!(
                    "没有删除任何内容；请重新接收，或用 carryall check --heal-from 卷 修复；也可用 {} 放弃，然后再 prune",
                    each.join("、").replace('`', "")
                ),
            )
        }
        Error::UnreadRoot { .. } => hint_passing().to_owned(),
        Error::RootsGone { .. } => pick(
            "nothing was removed; if the folder lies on a disk of its own, mount it; else `receive` or `add` the releases again (that makes the folder anew), then prune",
            "没有删除任何内容；如果该目录在单独的磁盘上，请挂载；否则请重新 receive 或 add 各发布包（会重新建立该目录），然后再 prune",
        )
        .to_owned(),
        Error::Add(AddError::Old { release, source }) if !is_fault(source) => hint_rm(release),
        Error::Add(AddError::Releases(source)) if source.is::<StoreError>() => source
            .downcast_ref()
            .map_or_else(|| hint_generic().to_owned(), hint_of_store),
        Error::Checkout(CheckoutError::Manifest(source)) if !is_fault(source) => pick(
            "receive the release again, or heal it with `carryall check --heal-from VOLUMES`; `carryall rm` gives it up",
            "请重新接收该发布包，或用 carryall check --heal-from 卷 修复；carryall rm 可放弃它",
        )
        .to_owned(),
        Error::NoSuchRelease { has, .. } if has.is_empty() => store_is_empty().trim_end().to_owned(),
        Error::NoSuchRelease { has, .. } => pick(
            format!("the store has {}", has.join(", ")),
            format!("仓库里有 {}", has.join("、")),
        ),
        Error::Checkout(error) => hint_checkout(error),
        Error::Load(error) => hint_of_load(error).to_owned(),
        Error::Add(AddError::Entangled { .. }) => pick(
            "keep the store outside of what is added: name another with --store DIR, or add the files and folders one by one",
            "仓库不能放在要添加的目录中：用 --store 目录 指定别处，或逐个添加其中的文件和目录",
        )
        .to_owned(),
        Error::Add(AddError::SameName { .. }) => pick(
            "give one of them another name: NAME=PATH",
            "请给其中一个另起名称：名称=路径",
        )
        .to_owned(),
        Error::Add(AddError::NoSpace { .. }) => hint_space().to_owned(),
        Error::Add(AddError::Unreadable { .. }) => pick(
            "nothing was added: run this as a user that may read them (root can), or leave them out",
            "尚未添加任何内容：请以有读取权限的用户（例如 root）运行，或不要包含这些文件",
        )
        .to_owned(),
        Error::Add(AddError::Layout(LayoutError::Recipe(RecipeError::Limit(_)))) => pick(
            "its streams unpack to nothing but repetitions, and no site would take that in opened: `add --gzip keep` adds it as it is",
            "其中的压缩流解开后几乎全是重复数据，现场不会接收这样打开的内容；请用 add --gzip keep 原样添加",
        )
        .to_owned(),
        Error::Recipe(RecipeError::Limit(_)) => pick(
            "no program of the vendor's makes this: do not use the set, and ask the vendor for another; nothing of it was taken in",
            "正常的打包程序不会产生这样的数据：请勿使用这套卷，并向供应商索取新的；其中没有任何内容被接收",
        )
        .to_owned(),
        Error::Add(AddError::Registry(error)) | Error::Registry(error) => hint_registry(error).to_owned(),
        Error::NoRegistry { .. } => hint_registry_address().to_owned(),
        Error::NoSuchHost { .. } => hint_no_such_host().to_owned(),
        Error::Choice(error) => hint_of_choice(error).to_owned(),
        Error::NoImages { .. } => hint_no_images().to_owned(),
        Error::Entangled { .. } => pick(
            "keep the store apart from what is read: name another place with --store DIR",
            "仓库不能与要读取的内容放在一起：请用 --store 目录 指定别处",
        )
        .to_owned(),
        Error::NotForPlatform { has, .. } => pick(
            format!("they carry {}; leave out --platform, or name another", has.join(", ")),
            format!("这些卷里有 {}；请去掉 --platform，或换一个平台", has.join("、")),
        ),
        Error::Output(error) => hint_of_output(error).to_owned(),
        Error::Store(error) => hint_of_store(error),
        Error::NoSpace { .. } | Error::DiskFull { .. } => hint_space().to_owned(),
        Error::NoSuchSet { has, .. } if has.is_empty() => pick(
            "no set is being received: there is nothing to give up",
            "没有正在接收的卷集，无需放弃",
        )
        .to_owned(),
        Error::NoSuchSet { has, .. } => pick(
            format!("these are: {}; `carryall status` lists them", has.join(", ")),
            format!("正在接收的有：{}；carryall status 可列出", has.join("、")),
        ),
        Error::TooManySets => hint_too_many_sets().to_owned(),
        Error::WrongBlocks { volumes, .. } => {
            let which = super::volumes(volumes);
            pick(
                format!("another copy of {which} is needed, from whoever sent the set: the one that was read was changed; what is right of it is kept"),
                format!("需要{which}的另一份拷贝，请向发送方索取：所读的拷贝被改动过；其中正确的部分已保留"),
            )
        }
        Error::Refused { .. } => pick(
            "nothing of it is in the store; tell whoever packed it, and keep the volumes for them to look at",
            "该发布包未入库；请告知打包方，并保留这些卷供其检查",
        )
        .to_owned(),
        Error::NoVolumes { looks, .. } => looks::hint(looks),
        Error::ManySpares { most, .. } => pick(
            format!(
                "one or two are enough for most sites, and {most} are not questioned: --spare 2. If it is meant as it stands, add --many-spares"
            ),
            format!(
                "多数现场一两卷即可（--spare 2），不超过 {most} 卷不会询问；如确需这么多，请加 --many-spares"
            ),
        ),
        Error::NoReceipt { .. } => pick(
            "check the name, or give the text that `carryall receipt` prints at the site, all of its lines in quotes",
            "请检查文件名；或用引号给出站点上 carryall receipt 打印的全部文字",
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
        Error::Receipt { source, .. } => hint_receipt(source).to_owned(),
        Error::Versions(error) => hint_versions(error),
        Error::NotWhole { .. } => pick(
            "`carryall check --data` lists what is damaged; receive the release again, or heal it with --heal-from",
            "carryall check --data 可列出损坏；请重新接收，或用 --heal-from 修复",
        )
        .to_owned(),
        _ if is_fault(error) => hint_passing().to_owned(),
        _ if error.kind() == carryall::ops::ErrorKind::Interrupted => {
            pick("run the same command again: it goes on where it can", "重新运行同一命令即可继续").to_owned()
        }
        other => hint_or_system(other),
    }
}

/// What to do about what the system said, when that is known.
fn hint_or_system(error: &(dyn std::error::Error + 'static)) -> String {
    looks::hint_of_causes(error).unwrap_or_else(|| hint_generic().to_owned())
}

fn hint_space() -> &'static str {
    pick(
        "free some space, or name another place; in a store, `carryall prune` frees what no release needs, `prune --ready` the compressed layers kept ready",
        "请释放空间，或换一个位置；仓库中可用 carryall prune 清理无用数据，用 prune --ready 清理留存备用的压缩层",
    )
}

fn hint_checkout(error: &CheckoutError) -> String {
    match error {
        CheckoutError::NotEmpty(_) => pick(
            "name a folder that is not there yet, or empty this one",
            "请指定一个不存在或空的目录",
        )
        .to_owned(),
        CheckoutError::Choice(error) => hint_of_choice(error).to_owned(),
        CheckoutError::Exists(_) => pick(
            "it is left as it is: name another file, or move it away first",
            "已有文件保持不动：请换一个文件名，或先把它移走",
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
        other => hint_or_system(other),
    }
}

fn hint_of_output(error: &OutputError) -> &'static str {
    use std::io::ErrorKind as Io;
    match error {
        OutputError::Exists(_) => pick(
            "it is left as it is: name a file that is not there yet, or move it away first",
            "已有内容保持不动：请指定一个尚不存在的文件，或先把它移走",
        ),
        OutputError::Input { .. } => pick(
            "what is read is never written to: name a place outside of it",
            "读取的位置绝不写入：请指定其外的位置",
        ),
        OutputError::Io { source, .. } => match source.kind() {
            Io::NotFound => pick(
                "the folder that it is to be in is not there: make it first, or name another place",
                "所在目录不存在：请先创建，或换一个位置",
            ),
            Io::PermissionDenied | Io::ReadOnlyFilesystem => pick(
                "you may not write there: name a place of your own, such as your home folder",
                "没有写入权限：请指定可写的位置，例如主目录",
            ),
            Io::StorageFull => hint_space(),
            _ => pick(
                "nothing was read yet, and nothing changed: name another place",
                "尚未开始读取，也没有任何改动：请换一个位置",
            ),
        },
    }
}

/// What to do when the system sets a limit, wherever it was met.
pub fn hint_of_system(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind as Io;
    const TOO_MANY_FILES: [i32; 2] = [23, 24];
    Some(match error.kind() {
        Io::OutOfMemory => super::hint_limits(),
        Io::FileTooLarge => pick(
            "a limit on the size of files is reached: raise it (ulimit -f), or name a place on another file system (FAT32 holds 4 GiB a file)",
            "已达到文件大小的限制：请放宽（ulimit -f），或换到其他文件系统（FAT32 单个文件最大 4 GiB）",
        ),
        Io::QuotaExceeded => pick(
            "your quota there is used up: free some of it, or name another place",
            "该处的配额已用完：请释放一些，或换一个位置",
        ),
        _ if error
            .raw_os_error()
            .is_some_and(|no| TOO_MANY_FILES.contains(&no)) =>
        {
            pick(
                "the limit on open files is reached: raise it (ulimit -n 1024) and run the same command again",
                "已达到打开文件数的限制：请放宽（ulimit -n 1024）后重新运行同一命令",
            )
        }
        _ => return None,
    })
}

fn hint_of_store(error: &StoreError) -> String {
    match error {
        StoreError::NotAStore { .. } => pick(
            "name the store with --store DIR or $CARRYALL_STORE; `add` and `receive` create one. If one was there: is its disk mounted? If its carryall.toml was lost, `carryall check --renew-settings` writes it anew",
            "请用 --store 目录 或环境变量 CARRYALL_STORE 指定仓库；add 和 receive 会自动创建。如果这里本来有仓库：磁盘挂载了吗？若 carryall.toml 丢失，可运行 carryall check --renew-settings 重写",
        )
        .to_owned(),
        StoreError::NotEmpty { .. } => pick(
            "nothing in it was touched; name an empty or new folder with --store DIR or $CARRYALL_STORE, which may be set wrongly. If it is a store whose carryall.toml was lost, `carryall check --renew-settings` writes it anew",
            "其中的内容未被改动；请用 --store 目录 或环境变量 CARRYALL_STORE（可能设错了）指定一个空目录或新目录。如果这是丢失了 carryall.toml 的仓库，可运行 carryall check --renew-settings 重写",
        )
        .to_owned(),
        StoreError::BadSettings { .. } => pick(
            "nothing in there was touched; is $CARRYALL_STORE or --store right? If it is a store whose carryall.toml was damaged, `carryall check --renew-settings` writes it anew",
            "其中的内容未被改动；CARRYALL_STORE 或 --store 设对了吗？如果这确实是仓库、只是 carryall.toml 损坏，可运行 carryall check --renew-settings 重写它",
        )
        .to_owned(),
        StoreError::Linked { .. } => pick(
            "nothing was touched; put the folder itself there in place of the link, or mount it there, and run the same command again",
            "没有改动任何内容；请用目录本身替换该链接，或把它挂载到那里，然后重新运行同一命令",
        )
        .to_owned(),
        StoreError::Locked { .. } => pick(
            "wait until the other carryall has ended, or end it; nothing needs to be cleaned up by hand",
            "请等待另一个 carryall 结束，或结束它；无需手工清理",
        )
        .to_owned(),
        StoreError::Served { .. } => pick(
            "wait until the other carryall has ended, or end `carryall serve` (Ctrl-C), run this again, and serve again; `add`, `receive` and `rm` need not wait for it",
            "请等待其他 carryall 结束，或先结束 carryall serve（Ctrl-C），再运行本命令，然后重新启动 serve；add、receive 和 rm 无需等待",
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
        StoreError::BadRoot { stem, .. } => {
            let name = ReleaseName::from_file_stem(stem);
            hint_rm(&name.map_or_else(|_| stem.clone(), |name| name.to_string()))
        }
        StoreError::Storage(error) if error.source.kind() == std::io::ErrorKind::StorageFull => {
            hint_space().to_owned()
        }
        StoreError::Storage(error) if error.source.kind() == std::io::ErrorKind::PermissionDenied => {
            hint_or_system(error)
        }
        StoreError::Storage(_) => hint_passing().to_owned(),
        other => hint_or_system(other),
    }
}

fn hint_of_volume(error: &VolumeError) -> String {
    match error {
        VolumeError::Media(error) => hint_of_media(error),
        VolumeError::MediumTooSmall {
            usable_blocks,
            needed_blocks,
        } => larger_medium(needed_blocks.saturating_sub(u64::from(*usable_blocks)) << 16),
        VolumeError::PieceTooLarge {
            bytes, room_bytes, ..
        } => larger_medium(bytes.saturating_sub(*room_bytes)),
        VolumeError::TooManyVolumes { most, .. } if *most < 1024 => pick(
            "take a larger medium, fewer spares, or leave out --codec gf8",
            "请使用更大的介质、减少备用卷，或不用 --codec gf8",
        )
        .to_owned(),
        VolumeError::TooManyVolumes { .. } => pick(
            "take a larger medium or fewer spares, or pack a part of the releases on a set of their own",
            "请使用更大的介质或减少备用卷，或把部分发布包单独打成一套",
        )
        .to_owned(),
        VolumeError::WrittenWrong { .. } => pick(
            "the disk or the memory of this machine changes bytes: write to another disk, and test the memory",
            "本机的磁盘或内存会改变数据：请换一块盘写入，并检测内存",
        )
        .to_owned(),
        VolumeError::CatalogIncomplete { .. }
        | VolumeError::BlockDamaged { .. }
        | VolumeError::NotRecoverable { .. } => pick(
            "give more volumes of the set, or another copy of a damaged one: all that is at hand counts together",
            "请提供更多卷，或损坏卷的另一份拷贝：手头的材料会合并使用",
        )
        .to_owned(),
        VolumeError::Forged { .. } => pick(
            "give another copy of one of its volumes, from whoever sent the set: on those read so far superblock or catalog were changed",
            "请提供其中一卷的另一份拷贝（向发送方索取）：目前读到的超级块或目录被改动过",
        )
        .to_owned(),
        VolumeError::NoSuperblock { .. } => pick(
            "too little of this set is at hand; give more of its volumes, or another copy",
            "手头的卷太少；请提供更多卷，或另一份拷贝",
        )
        .to_owned(),
        other => hint_or_system(other),
    }
}

/// Local parity takes its part of what is added, and blocks are 64 KiB.
fn larger_medium(lacking_bytes: u64) -> String {
    let more = bytes((lacking_bytes + lacking_bytes / 4).max(1 << 16) + (1 << 17));
    pick(
        format!("take a larger medium: this one lacks about {more}"),
        format!("请使用更大的介质：还差约 {more}"),
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
            "install xorriso (`apt-get install xorriso`), or leave out --iso and burn the folders with any program",
            "请安装 xorriso（apt-get install xorriso），或不用 --iso，改用任意刻录软件刻录各卷文件夹",
        ),
        MediaError::NotAMedium { .. } => pick(
            "name a mounted folder, an .iso image or a block device such as /dev/sr0",
            "请给出挂载目录、.iso 映像或块设备，例如 /dev/sr0",
        ),
        MediaError::XorrisoFailed { .. } => pick(
            "what xorriso says stands above; without --iso folders are written, which any program can burn",
            "上面是 xorriso 的原话；不用 --iso 则写成文件夹，可用任意软件刻录",
        ),
        other => return hint_or_system(other),
    }
    .to_owned()
}

/// What failed, in Chinese. A kind without words does not compile.
pub fn chinese_error(error: &Error) -> Option<String> {
    if !is_chinese() {
        return None;
    }
    if error.kind() == carryall::ops::ErrorKind::Interrupted {
        return Some("已中断".to_owned());
    }
    Some(match error {
        Error::NoVolumes { paths, looks } => {
            let paths: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let seen = looks::seen(looks);
            let seen = if seen.is_empty() {
                seen
            } else {
                format!("：{seen}")
            };
            format!("在 {} 中没有找到 carryall 卷{seen}", paths.join("、"))
        }
        Error::ManySpares {
            spare_volumes,
            data_volumes,
            ..
        } => format!("{data_volumes} 个数据卷却要 {spare_volumes} 个备用卷"),
        Error::NoReceipt { given } => format!("{given}：没有这个文件，它本身也不是回执文字"),
        Error::NoSuchRelease { name, .. } => format!("仓库里没有发布包 {name}"),
        Error::DiskFull {
            path,
            needed_bytes,
            source,
        } => format!(
            "{}：磁盘已满；总共大约还需要 {}，已读入的内容会保留（{source}）",
            path.display(),
            bytes(*needed_bytes)
        ),
        Error::NoSuchSet { name, .. } => format!("没有正在接收的卷集 {name}"),
        Error::TooManySets => "等待的卷集过多，未开始接收新的卷集".to_owned(),
        Error::WrongBlocks { volumes, .. } => format!(
            "{}的块校验值正确，但内容与打包时不同",
            super::volumes(volumes)
        ),
        Error::Refused { release, what, why } => {
            format!("拒绝接收 {release}：{what}：{}", refusal_in_chinese(why))
        }
        Error::Receipt { given, source } => chinese_receipt(given, source),
        Error::Versions(error) => chinese_versions(error),
        Error::NotWhole { release } => format!("{release} 不完整，无法安装"),
        Error::NoSpace {
            path,
            needed_bytes,
            free_bytes,
        } => causes::no_space(path, *free_bytes, *needed_bytes),
        Error::Registry(error) => chinese_registry(error),
        Error::Recipe(RecipeError::Limit(what))
        | Error::Add(AddError::Layout(LayoutError::Recipe(RecipeError::Limit(what)))) => {
            format!("超出允许的上限：{}", causes::limit_in_chinese(what))
        }
        Error::NoRegistry { given } => format!("{given:?} 不是镜像仓库地址"),
        Error::NoSuchHost { host, has } => {
            format!("没有来自 {host} 的镜像；现有主机 {}", has.join("、"))
        }
        Error::Choice(error) => chinese_choice(error),
        Error::NotForPlatform { platforms, .. } => {
            format!("这些卷里没有适用于 {} 的发布包", platforms.join("、"))
        }
        Error::NoImages { releases } => format!("{} 里没有带名称的镜像", releases.join("、")),
        Error::Add(error) => causes::add(error),
        Error::Checkout(error) => causes::checkout(error),
        Error::Load(error) => chinese_load(error),
        Error::UnreadableReleases { names } => {
            format!("{} 无法读取，它们需要哪些数据不得而知", names.join("、"))
        }
        Error::UnreadRoot { name, .. } => format!("{name} 目前无法读取"),
        Error::RootsGone { path } => {
            format!("存放所有发布包根记录的目录不见了：{}", path.display())
        }
        Error::Store(error) => causes::store(error),
        Error::Media(error) => causes::media(error),
        Error::Volume(error) => causes::volume(error),
        Error::Bundle(error) => causes::bundle(error),
        Error::Recipe(error) => causes::recipe(error),
        Error::Interrupted(_) => "已中断".to_owned(),
        Error::Entangled { path, store } => {
            format!("{} 与仓库 {} 互相包含", path.display(), store.display())
        }
        Error::NoSuchVolume { volume_no, volumes } => {
            format!("这一套是第 1 到第 {volumes} 卷，没有第 {volume_no} 卷")
        }
        Error::BundleIncomplete { release, chunks } => {
            format!("发布包 {release} 需要的 {chunks} 个数据块，卷上和仓库里都没有")
        }
        Error::StreamChanged { blob, source } => format!(
            "一个压缩流还原后与原来不同（{}）：{}",
            blob.short(),
            causes::recipe(source)
        ),
        Error::Output(OutputError::Exists(path)) => {
            format!("{} 已经存在，且不是本命令先前写出的", path.display())
        }
        Error::Output(OutputError::Input { place, input }) => {
            format!(
                "{} 位于要读取的 {} 之内，或就是它",
                place.display(),
                input.display()
            )
        }
        Error::Output(OutputError::Io { place, source }) => {
            format!("{}：无法写入：{}", place.display(), causes::system(source))
        }
        Error::Releases(source) => format!("仓库无法读取：{}", causes::cause(source.as_ref())),
        Error::Io { path, source } => format!("{}：{}", path.display(), causes::system(source)),
    })
}

/// What stands beside an error in English: what was found instead.
pub fn beside(error: &Error) -> String {
    match error {
        Error::NoVolumes { looks, .. } => looks::seen(looks),
        _ => String::new(),
    }
}

/// Why a release is refused, in Chinese, as far as that is one of the reasons that every release is looked through for.
fn refusal_in_chinese(why: &str) -> &str {
    match why {
        "it is not the name of a file" => "不是有效的文件名",
        "its name is too long" | "a name in it is too long" => "名称过长",
        "it is longer than 64 KiB" => "路径长于 64 KiB",
        "it lies in more than 4096 folders" => "所在目录超过 4096 层",
        "there are two items of this name" => "有两个同名项目",
        "it cannot be as large as it says"
        | "it says that it is larger than its items"
        | "it says that it is larger than what is in it" => "所称大小不可能",
        "it says that it has more entries than it has" => "所称条目数与实际不符",
        "it leads through what is not a folder" => "路径穿过的不是目录",
        "the folder it is in does not come before it" => "所在目录不存在",
        "no link can point there" => "链接目标无效",
        "a folder has no second name" => "目录不能有硬链接",
        "hard link: its other name is not there" => "硬链接的目标不存在",
        "something is there already" => "路径重复",
        "it is not a plain path downwards" => "路径越出目录",
        other => other,
    }
}

/// What to do when a release or store is damaged.
pub fn hint_damage() -> String {
    let text = pick(
        "`carryall check --data` lists what is damaged; receiving the release or adding the items again, or --heal-from with old volumes, heals it; `carryall rm` gives a release up",
        "carryall check --data 可列出损坏；重新接收或重新添加，或用 --heal-from 旧卷 可修复；carryall rm 可放弃一个发布包",
    );
    format!("{}: {text}\n", hint_label())
}
