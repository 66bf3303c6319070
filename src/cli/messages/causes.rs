//! What failed, in Chinese, for every error that the library has. English is what the errors say themselves.
//!
//! Each `match` names every kind, so that a new one does not compile before it has words.

use std::error::Error as Cause;
use std::io;

use carryall::base::envelope::EnvelopeError;
use carryall::base::monitor::Interrupted;
use carryall::bundle::BundleError;
use carryall::content::frame::FrameError;
use carryall::content::recipe::RecipeError;
use carryall::content::release::ReleaseName;
use carryall::deflate::DeflateError;
use carryall::files::LayoutError;
use carryall::ops::add::AddError;
use carryall::ops::checkout::CheckoutError;
use carryall::store::storage::StorageError;
use carryall::store::{FrameDamage, StoreError};
use carryall::volumes::VolumeError;
use carryall::volumes::geometry::GeometryError;
use carryall::volumes::media::MediaError;

use super::bytes;
use super::images::chinese_choice;
use super::registry::chinese_registry;
use super::sayings::in_chinese;

const INTERRUPTED: &str = "已中断";

/// `路径 只有 1 MB 可用空间，需要 2 MB`.
pub fn no_space(path: &std::path::Path, free_bytes: u64, needed_bytes: u64) -> String {
    let (free, needed) = (bytes(free_bytes), bytes(needed_bytes));
    format!("{} 只有 {free} 可用空间，需要 {needed}", path.display())
}

/// What the system said.
pub fn system(error: &io::Error) -> String {
    // An error of the library that went through a reader.
    if let Some(inner) = error.get_ref() {
        return cause(inner);
    }
    let text = match error.kind() {
        io::ErrorKind::NotFound => "文件或目录不存在",
        io::ErrorKind::PermissionDenied => "没有权限",
        io::ErrorKind::AlreadyExists => "已经存在",
        io::ErrorKind::NotADirectory => "不是目录",
        io::ErrorKind::IsADirectory => "是目录，不是文件",
        io::ErrorKind::DirectoryNotEmpty => "目录不为空",
        io::ErrorKind::ReadOnlyFilesystem => "文件系统只读",
        io::ErrorKind::StorageFull => "磁盘空间已满",
        io::ErrorKind::QuotaExceeded => "超出磁盘配额",
        io::ErrorKind::FileTooLarge => "文件超过文件系统的上限",
        io::ErrorKind::ResourceBusy => "设备或文件正被占用",
        io::ErrorKind::OutOfMemory => "内存不足",
        io::ErrorKind::InvalidFilename => "文件名不合法或太长",
        io::ErrorKind::UnexpectedEof => "内容提前结束",
        io::ErrorKind::BrokenPipe => "接收方已关闭",
        io::ErrorKind::CrossesDevices => "不在同一文件系统上",
        io::ErrorKind::TooManyLinks => "链接太多",
        io::ErrorKind::ConnectionRefused => "连接被拒绝",
        io::ErrorKind::ConnectionReset => "连接中断",
        io::ErrorKind::TimedOut => "超时",
        io::ErrorKind::AddrInUse => "地址已被占用",
        io::ErrorKind::AddrNotAvailable => "本机没有这个地址",
        _ => match error.raw_os_error() {
            Some(5) => "读写出错（介质或设备有坏处）",
            Some(6 | 19) => "设备不存在或已拔出",
            Some(23 | 24) => "打开的文件太多",
            Some(40) => "符号链接层数太多",
            Some(95) => "文件系统不支持此操作",
            Some(123) => "驱动器里没有介质",
            Some(124) => "介质类型不对",
            _ => return error.to_string(),
        },
    };
    match error.raw_os_error() {
        Some(number) => format!("{text}（系统错误 {number}）"),
        None => text.to_owned(),
    }
}

/// Any error whose type is not known: by what it turns out to be, else in its own words.
pub fn cause(error: &(dyn Cause + Send + Sync + 'static)) -> String {
    let error: &(dyn Cause + 'static) = error;
    any(error)
}

fn any(error: &(dyn Cause + 'static)) -> String {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        system(error)
    } else if let Some(error) = error.downcast_ref::<StoreError>() {
        store(error)
    } else if let Some(error) = error.downcast_ref::<StorageError>() {
        storage(error)
    } else if let Some(error) = error.downcast_ref::<RecipeError>() {
        recipe(error)
    } else if let Some(error) = error.downcast_ref::<LayoutError>() {
        layout(error)
    } else if let Some(error) = error.downcast_ref::<BundleError>() {
        bundle(error)
    } else if let Some(error) = error.downcast_ref::<VolumeError>() {
        volume(error)
    } else if let Some(error) = error.downcast_ref::<MediaError>() {
        media(error)
    } else if let Some(error) = error.downcast_ref::<FrameError>() {
        frame(error)
    } else if let Some(error) = error.downcast_ref::<EnvelopeError>() {
        envelope(error)
    } else if let Some(error) = error.downcast_ref::<DeflateError>() {
        deflate(error)
    } else if error.is::<Interrupted>() {
        INTERRUPTED.to_owned()
    } else {
        match error.source() {
            Some(source) => format!("{error}：{}", any(source)),
            None => error.to_string(),
        }
    }
}

pub fn media(error: &MediaError) -> String {
    match error {
        MediaError::Io { path, source } => format!("{}：{}", path.display(), system(source)),
        MediaError::Interrupted(_) => INTERRUPTED.to_owned(),
        MediaError::Missing { path } => format!("没有这个文件、目录或设备：{}", path.display()),
        MediaError::NotAMedium { path } => {
            format!("{} 既不是目录、文件，也不是块设备", path.display())
        }
        MediaError::Exists { path } => format!("{} 已经存在", path.display()),
        MediaError::Busy { path } => format!("{}：另一个进程正在写这一卷", path.display()),
        MediaError::Unfinished {
            volume_no,
            written_blocks,
            volume_blocks,
        } => format!("第 {volume_no} 卷只写了 {volume_blocks} 块中的 {written_blocks} 块"),
        MediaError::XorrisoMissing => "没有安装 xorriso".to_owned(),
        MediaError::XorrisoFailed { iso, last_lines } => {
            format!("{}：xorriso 执行失败：{last_lines}", iso.display())
        }
        MediaError::TooLarge {
            iso,
            bytes: size,
            limit_bytes,
        } => format!(
            "{}：{size} 字节，放不进 {limit_bytes} 字节的介质",
            iso.display()
        ),
    }
}

pub fn volume(error: &VolumeError) -> String {
    match error {
        VolumeError::Media(error) => media(error),
        VolumeError::Interrupted(_) => INTERRUPTED.to_owned(),
        VolumeError::Io { path, source } => format!("{}：{}", path.display(), system(source)),
        VolumeError::MediumTooSmall {
            usable_blocks,
            needed_blocks,
        } => format!(
            "介质太小：除文件系统和说明页外可放 {}，而最小的一卷要 {}",
            bytes(u64::from(*usable_blocks) << 16),
            bytes(needed_blocks << 16)
        ),
        VolumeError::PieceTooLarge {
            bytes: size,
            room_bytes,
            ..
        } => format!(
            "介质太小：一帧压缩数据有 {}，不能分到两卷上，而一卷除目录、校验和文件系统外只剩 {}",
            bytes(*size),
            bytes(*room_bytes)
        ),
        VolumeError::TooManyVolumes { volumes, most } => {
            format!("需要 {volumes} 卷，而这种校验码的一套最多 {most} 卷")
        }
        VolumeError::Geometry(error) => geometry(error),
        VolumeError::CatalogTooLarge {
            bytes: size,
            planned_bytes,
        } => format!("目录有 {size} 字节，计划中只留了 {planned_bytes} 字节"),
        VolumeError::DescriptorTooLarge {
            bytes: size,
            limit_bytes,
        } => format!("标题、发布包名称和说明共 {size} 字节，超级块只能放 {limit_bytes} 字节"),
        VolumeError::Piece { piece_no, source } => {
            format!("读不出第 {piece_no} 段数据：{}", system(source))
        }
        VolumeError::PieceLength {
            piece_no,
            planned_bytes,
        } => format!("第 {piece_no} 段数据的长度与计划的 {planned_bytes} 字节不符"),
        VolumeError::NoSuperblock { set_id } => {
            format!("卷集 {set_id}：超级块和目录的第一块都没有读到")
        }
        VolumeError::Forged { set_id } => {
            format!("卷集 {set_id}：超级块、目录和布局互相矛盾，并非损坏所致")
        }
        VolumeError::CatalogIncomplete { set_id, index } => {
            format!("卷集 {set_id}：手头各卷上都没有目录的第 {index} 块")
        }
        VolumeError::BlockDamaged {
            volume_no,
            block_no,
        } => format!("第 {volume_no} 卷：第 {block_no} 块缺失或损坏"),
        VolumeError::NotRecoverable { volumes } => {
            format!("手头材料无法恢复{}", super::volumes(volumes))
        }
        VolumeError::WrittenWrong { path } => {
            format!("{}：写入的内容读回来不一样", path.display())
        }
    }
}

fn geometry(error: &GeometryError) -> String {
    match error {
        GeometryError::Volumes(count) => format!("一套不能有 {count} 卷"),
        GeometryError::VolumeBlocks(blocks) => format!("每卷 {blocks} 块，构不成一套"),
        GeometryError::Stripe { .. } | GeometryError::Group { .. } | GeometryError::Layout => {
            format!("卷集的布局有误（{error}）")
        }
    }
}

pub fn store(error: &StoreError) -> String {
    match error {
        StoreError::NotAStore { path } => format!("{} 不是仓库", path.display()),
        StoreError::AlreadyAStore { path } => format!("{} 已经是仓库", path.display()),
        StoreError::Locked { path } => format!("仓库 {} 正被另一个进程使用", path.display()),
        StoreError::Served { path } => {
            format!(
                "另有进程正在读取仓库 {}（例如 carryall serve）",
                path.display()
            )
        }
        StoreError::ReadOnly { path } => format!("仓库 {} 以只读方式打开", path.display()),
        StoreError::WriterBusy { path } => format!("仓库 {} 正在写入", path.display()),
        StoreError::Unsupported { path, found, known } => format!(
            "{} 的仓库格式 {found} 比本程序支持的 {known} 新",
            path.display()
        ),
        StoreError::BadSettings { path, message } => {
            format!(
                "{} 无法识别，不是 carryall 仓库的设置：{message}",
                path.display()
            )
        }
        StoreError::NotEmpty { path, entry } => format!(
            "{} 不是仓库，也不是空目录：里面有 {}",
            path.display(),
            entry.file_name().unwrap_or_default().display()
        ),
        StoreError::Linked { path } => format!("{} 是链接；仓库只写入自己的目录", path.display()),
        StoreError::NoSuchChunk { id } => format!("仓库里没有数据块 {id}"),
        StoreError::DamagedChunk { id, pack, .. } => {
            format!("数据块 {id} 已损坏（在数据包 {pack} 中）")
        }
        StoreError::QuarantinedChunk { id } => format!("数据块 {id} 已损坏并被隔离"),
        StoreError::DamagedFrame {
            pack,
            offset,
            source,
        } => format!(
            "数据包 {pack} 中 {offset} 处的帧已损坏：{}",
            frame_damage(source)
        ),
        StoreError::ChunkLength { bytes } => format!("不能存放 {bytes} 字节的数据块"),
        StoreError::NoSuchRoot { stem } => format!("没有发布包根 {stem}"),
        StoreError::BadRootName { stem } => format!("{stem} 不能用作发布包根的名称"),
        StoreError::BadRoot { stem, source } => {
            let name = ReleaseName::from_file_stem(stem);
            let name = name.map_or_else(|_| stem.clone(), |name| name.to_string());
            format!("{name} 的根记录已损坏：{}", envelope(source))
        }
        StoreError::BadIndex { name, source } => {
            format!("索引段 {name} 无法读取：{}", envelope(source))
        }
        StoreError::WriterFailed => "写入线程意外结束".to_owned(),
        StoreError::Interrupted(_) => INTERRUPTED.to_owned(),
        StoreError::Storage(error) => storage(error),
    }
}

fn frame_damage(error: &FrameDamage) -> String {
    match error {
        FrameDamage::Frame(error) => frame(error),
        FrameDamage::Pack => "数据包缺失或被截短".to_owned(),
    }
}

fn storage(error: &StorageError) -> String {
    let action = match error.action {
        "create" => "创建",
        "lock" => "锁定",
        "map" => "映射",
        "read" => "读取",
        "write" => "写入",
        "list" => "列出",
        "remove" => "删除",
        "sync" => "写盘",
        _ => "处理",
    };
    let (path, why) = (error.path.display(), system(&error.source));
    format!("无法{action} {path}：{why}")
}

fn frame(error: &FrameError) -> String {
    match error {
        FrameError::NotAFrame => "不是数据帧".to_owned(),
        FrameError::Unsupported(version) => format!("数据帧版本 {version} 比本程序支持的新"),
        FrameError::Unknown(what) => format!("数据帧需要本程序没有的功能（{what}）"),
        FrameError::Corrupt(what) => format!("数据帧已损坏（{what}）"),
        FrameError::Base(chunk) => format!("它依赖的数据块 {chunk} 读不出"),
    }
}

fn envelope(error: &EnvelopeError) -> String {
    match error {
        EnvelopeError::NotThis => "不是应在此处的 carryall 文件".to_owned(),
        EnvelopeError::Corrupt(what) => format!("已损坏（{what}）"),
        EnvelopeError::Unsupported { found, known } => {
            format!("格式版本 {found} 比本程序支持的 {known} 新")
        }
        EnvelopeError::UnknownFlags(flags) => format!("需要本程序没有的功能（标志 {flags:#x}）"),
    }
}

pub fn recipe(error: &RecipeError) -> String {
    match error {
        RecipeError::Chunk { id, source } => {
            format!("数据块 {} 读不出：{}", id.short(), cause(source.as_ref()))
        }
        RecipeError::Missing(id) => format!("缺少数据块 {}", id.short()),
        RecipeError::Corrupt(what) => format!("已损坏（{what}）"),
        RecipeError::Newer(what) => format!("需要更新版本的 carryall（{what}）"),
        RecipeError::Limit(what) => {
            format!("超出允许的上限：{}", limit_in_chinese(what))
        }
        RecipeError::Mismatch(blob) => format!("重建的内容与原来不符（{}）", blob.short()),
        RecipeError::Remake { blob, source } => format!(
            "{} 中的压缩流无法原样重做：{}",
            blob.short(),
            deflate(source)
        ),
        RecipeError::Ready { blob, source } => format!(
            "留存备用的副本 {} 读不出：{}",
            blob.short(),
            cause(source.as_ref())
        ),
        RecipeError::Store(source) => format!("数据块存不进去：{}", cause(source.as_ref())),
        RecipeError::Write(source) => format!("无法写入：{}", system(source)),
        RecipeError::Interrupted(_) => INTERRUPTED.to_owned(),
    }
}

fn deflate(error: &DeflateError) -> String {
    match error {
        DeflateError::Io(source) => format!("无法读写：{}", system(source)),
        DeflateError::Corrupt(what) => format!("已损坏（{what}）"),
        DeflateError::Truncated => "提前结束".to_owned(),
        DeflateError::PlainLimit(limit) => format!("展开后超过 {}", bytes(*limit)),
        DeflateError::RatioLimit(times) => format!("展开后超过原长的 {times} 倍"),
        DeflateError::RecipeLimit(per_mille) => format!("还原信息超过原长的千分之 {per_mille}"),
        DeflateError::Stopped => INTERRUPTED.to_owned(),
        DeflateError::Newer(version) => format!("需要更新版本的 carryall（{version}）"),
        DeflateError::Length => "重做后的长度不同".to_owned(),
    }
}

pub fn layout(error: &LayoutError) -> String {
    match error {
        LayoutError::Io {
            action,
            path,
            source,
        } => {
            let action = match *action {
                "open" => "打开",
                "look at" => "查看",
                "read link" => "读取链接",
                "read" => "读取",
                "read extended attributes of" => "读取扩展属性",
                "create" => "创建",
                "write" | "write in" => "写入",
                "link" => "建立链接",
                "make" => "建立",
                _ => "处理",
            };
            format!("无法{action} {}：{}", path.display(), system(source))
        }
        LayoutError::Changed(path) => format!("{} 在读取过程中被改动", path.display()),
        LayoutError::Unfit { path, why } => format!("{}：{}", path.display(), reason(why)),
        LayoutError::Hostile { path, why } => format!("拒绝条目 {path:?}：{}", reason(why)),
        LayoutError::Recipe(error) => recipe(error),
        LayoutError::Interrupted(_) => INTERRUPTED.to_owned(),
    }
}

/// Why a path or an entry is refused.
fn reason(why: &str) -> &str {
    match why {
        "neither a file nor a folder" => "既不是文件也不是目录",
        "it has no name" => "没有名称",
        "its path is longer than 64 KiB" => "路径超过 64 KiB",
        "its extended attributes are longer than 512 KiB" => "扩展属性超过 512 KiB",
        "the name for it is not the name of a file" => "给它起的名称不能用作文件名",
        "it is not the name of a file" => "不能用作文件名",
        "there are two items of this name" => "有两个同名项目",
        "it is not a plain path downwards" => "路径不是单纯向下的",
        "no link can point there" => "链接不能指向那里",
        "something is there already" => "那里已有别的内容",
        "it leads through what is not a folder" => "路径经过的不是目录",
        "the folder it is in does not come before it" => "所在目录没有先出现",
        other => other,
    }
}

pub fn bundle(error: &BundleError) -> String {
    match error {
        BundleError::Store(error) => store(error),
        BundleError::Recipe(error) => recipe(error),
        BundleError::Catalog(error) => format!("目录：{}", envelope(error)),
        BundleError::Frame { frame_no, source } => {
            format!("第 {frame_no} 帧数据：{}", frame(source))
        }
        BundleError::Payload(source) => format!("数据读不到头：{}", system(source)),
        BundleError::Io { path, source } => format!("{}：{}", path.display(), system(source)),
        BundleError::Interrupted(_) => INTERRUPTED.to_owned(),
    }
}

pub fn add(error: &AddError) -> String {
    match error {
        AddError::Nothing => "没有要添加的内容".to_owned(),
        AddError::SameName {
            name,
            first,
            second,
        } => format!(
            "有两个项目都会叫 {name}：{} 和 {}",
            first.display(),
            second.display()
        ),
        AddError::Unfit { path, why } => format!("{}：{}", path.display(), reason(why)),
        AddError::Unreadable { first, count } => {
            let each = first
                .iter()
                .map(|(path, why)| format!("{}（{why}）", path.display()));
            let listed = each.collect::<Vec<_>>().join("、");
            let more = match count.saturating_sub(first.len() as u64) {
                0 => String::new(),
                more => format!("，另有 {more} 个"),
            };
            format!("有 {count} 个文件或目录无法读取：{listed}{more}")
        }
        AddError::Entangled { path, store } => {
            format!("{} 与仓库 {} 互相包含", path.display(), store.display())
        }
        AddError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => format!(
            "{} 只有 {} 可用空间，至少需要 {}",
            path.display(),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        AddError::Registry(error) => chinese_registry(error),
        AddError::Nowhere => "仓库不在目录中，无处拉取镜像".to_owned(),
        AddError::Layout(error) => layout(error),
        AddError::Store { name, source } => {
            format!("{name}：存入的内容读不回来：{}", recipe(source))
        }
        AddError::Old { release, source } => {
            format!("现有的 {release} 无法读取：{}", recipe(source))
        }
        AddError::Releases(source) => format!("仓库无法读写：{}", cause(source.as_ref())),
        AddError::Interrupted(_) => INTERRUPTED.to_owned(),
    }
}

pub fn checkout(error: &CheckoutError) -> String {
    match error {
        CheckoutError::NoSuchRelease(name) => format!("没有发布包 {name}"),
        CheckoutError::NoSuchItem { item, has } => {
            format!("发布包里没有项目 {item}；现有 {}", has.join("、"))
        }
        CheckoutError::NotEmpty(path) => format!("{} 不是空目录", path.display()),
        CheckoutError::InStore { dest, store } => {
            format!("{} 在仓库 {} 之内", dest.display(), store.display())
        }
        CheckoutError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => no_space(path, *free_bytes, *needed_bytes),
        CheckoutError::Manifest(error) => format!("发布包的项目列表读不出：{}", recipe(error)),
        CheckoutError::Layout(error) => layout(error),
        CheckoutError::Choice(error) => chinese_choice(error),
        CheckoutError::Outgoing(error) => in_chinese(&error.into()),
        CheckoutError::Exists(path) => format!("{} 已经存在", path.display()),
        CheckoutError::Releases(source) => format!("仓库读不出：{}", cause(source.as_ref())),
        CheckoutError::Interrupted(_) => INTERRUPTED.to_owned(),
    }
}

/// What a limit is on, as `carryall::base::limits` has it.
pub(super) fn limit_in_chinese(what: &str) -> &str {
    match what {
        "bytes of steps beyond those that they give" => "重建步骤比它给出的数据还长",
        "bytes of all steps" => "全部重建步骤的长度",
        "plain bytes for a byte of a stream" => "压缩流解开后的倍数",
        "plain bytes of all streams" => "全部压缩流解开后的长度",
        other => other,
    }
}
