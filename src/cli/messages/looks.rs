//! Words for what stands where no volume was found, and for what the system refuses.

use std::error::Error as Cause;
use std::io;

use carryall::volumes::media::look::{LookReport, NotAVolume};

use super::{causes, pick};

/// `disc.iso is a zip archive`, for every path that tells something.
pub fn seen(looks: &[LookReport]) -> String {
    let told = looks.iter().filter_map(|looked| {
        let (path, what) = (looked.path.display(), what(&looked.what)?);
        Some(pick(format!("{path} {what}"), format!("{path} {what}")))
    });
    told.collect::<Vec<_>>().join(pick("; ", "；"))
}

fn what(look: &NotAVolume) -> Option<String> {
    Some(match look {
        NotAVolume::Closed(error) => {
            let why = system(error);
            pick(format!("cannot be opened: {why}"), format!("打不开：{why}"))
        }
        NotAVolume::Unread(error) => {
            let why = system(error);
            pick(format!("cannot be read: {why}"), format!("读不出：{why}"))
        }
        NotAVolume::Empty => pick("is empty", "是空的").to_owned(),
        NotAVolume::PagesAlone => pick(
            "has the page of a volume and none of its carryall-* files",
            "只有卷的说明页，没有 carryall-* 数据文件",
        )
        .to_owned(),
        NotAVolume::Short => pick("is too short to hold a volume", "太短，不可能是卷").to_owned(),
        NotAVolume::Store => pick(
            "is the folder of a store, not of volumes",
            "是仓库目录，不是卷",
        )
        .to_owned(),
        NotAVolume::Packed(kind) => pick(
            format!("is packed ({kind})"),
            format!("是打包或压缩的文件（{kind}）"),
        ),
        NotAVolume::Piece => pick(
            "is a piece of a file that was split, or an unfinished download",
            "是拆分文件的一段，或未下载完的文件",
        )
        .to_owned(),
        NotAVolume::WebPage => {
            pick("is a web page, not the file itself", "是网页，不是文件本身").to_owned()
        }
        NotAVolume::Zeros => pick("holds zeros and nothing else", "全部是零").to_owned(),
        NotAVolume::OtherDisc { label } => pick(
            format!("is a disc with something else on it ({label})"),
            format!("是装有其他内容的光盘（{label}）"),
        ),
        NotAVolume::Unknown => return None,
    })
}

fn system(error: &io::Error) -> String {
    pick(error.to_string(), causes::system(error))
}

/// What to do: by what tells most, since a person does one thing at a time.
pub fn hint(looks: &[LookReport]) -> String {
    let wrong_disc = pick(
        "is the right disc in the drive and mounted? A disc whose file system is gone can be given as its device, such as /dev/sr0",
        "光盘放对并挂载了吗？文件系统损坏的光盘可直接给出设备，例如 /dev/sr0",
    );
    let hints = looks.iter().map(|looked| match &looked.what {
        NotAVolume::Closed(error) => hint_system(error).unwrap_or_else(|| wrong_disc.to_owned()),
        NotAVolume::Unread(error) if error.raw_os_error() == Some(5) => hint_unreadable(),
        NotAVolume::Unread(error) => hint_system(error).unwrap_or_else(hint_unreadable),
        NotAVolume::Packed("tar") => pick(
            "a volume is a mounted disc, an .iso image or a folder with carryall-* files; what `docker save` or tar wrote goes into a release with `carryall add`",
            "卷是挂载的光盘、.iso 映像或含 carryall-* 文件的目录；docker save 或 tar 产生的文件请用 carryall add 加入发布包",
        )
        .to_owned(),
        NotAVolume::Packed(_) => pick(
            "unpack it first, and name the image or folder that comes out of it",
            "请先解开，再给出解出来的映像文件或目录",
        )
        .to_owned(),
        NotAVolume::Piece => pick(
            "put the pieces together first (`cat NAME.* > volume.iso`, or the program that split it), or fetch the rest, and name the whole file",
            "请先合并各段（cat 文件名.* > volume.iso，或用当初拆分的程序），或把文件下载完整，再给出完整的文件",
        )
        .to_owned(),
        NotAVolume::WebPage => pick(
            "the server sent a page instead of the file: fetch the file again, logged in where that is asked for",
            "下载到的是网页：请重新下载文件，需要登录时先登录",
        )
        .to_owned(),
        NotAVolume::Zeros => pick(
            "nothing was written to it, or the copy failed: copy or burn it again, and check it with `carryall verify`",
            "没有写入内容，或复制失败：请重新复制或刻录，再用 carryall verify 检查",
        )
        .to_owned(),
        NotAVolume::PagesAlone => pick(
            "copy all files of the volume, the carryall-* files above all; they lie beside this page on the medium",
            "请复制这一卷的全部文件，特别是介质上与说明页放在一起的 carryall-* 文件",
        )
        .to_owned(),
        NotAVolume::Store => pick(
            "a store is named with --store DIR; name the volumes here: a mounted disc, an .iso image or a folder of volumes",
            "仓库用 --store 目录 指定；这里请给出卷：挂载的光盘、.iso 映像或卷所在的目录",
        )
        .to_owned(),
        NotAVolume::Short => pick(
            "name the medium itself: the mounted folder, the .iso image or the device, such as /dev/sr0",
            "请给出介质本身：挂载目录、.iso 映像或设备，例如 /dev/sr0",
        )
        .to_owned(),
        NotAVolume::Empty => pick(
            "is it mounted? `lsblk` shows devices and where they are mounted; the device itself, such as /dev/sr0, can be named as well",
            "挂载了吗？lsblk 可查看设备及其挂载位置；也可直接给出设备，例如 /dev/sr0",
        )
        .to_owned(),
        NotAVolume::OtherDisc { .. } | NotAVolume::Unknown => wrong_disc.to_owned(),
    });
    // The first that is not about the disc in the drive says most.
    let mut hints: Vec<String> = hints.collect();
    let telling = hints.iter().position(|hint| hint != wrong_disc);
    if hints.is_empty() {
        return wrong_disc.to_owned();
    }
    hints.swap_remove(telling.unwrap_or(0))
}

fn hint_unreadable() -> String {
    pick(
        "wipe the disc from the centre outwards, try another drive, or save what is readable with `ddrescue -b 2048 /dev/sr0 volume.img volume.map` and name the image",
        "请从中心向外擦拭光盘，或换一台光驱；也可先用 ddrescue -b 2048 /dev/sr0 volume.img volume.map 尽量读成映像，再给出该映像",
    )
    .to_owned()
}

/// What to do about what the system said, wherever in the chain of causes it stands; `None` when it says nothing that helps.
pub fn hint_of_causes(error: &(dyn Cause + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(system) = error.downcast_ref::<io::Error>() {
            match system.get_ref() {
                // An error of the library that went through a reader.
                Some(inner) => {
                    let inner: &(dyn Cause + 'static) = inner;
                    return hint_of_causes(inner);
                }
                None => return hint_system(system),
            }
        }
        cause = error.source();
    }
    None
}

fn hint_system(error: &io::Error) -> Option<String> {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => pick(
            "you may not read or write there: `ls -ld` shows who may; a drive wants membership of the group cdrom or disk, or run it as root with sudo",
            "当前用户无权读写：ls -ld 可查看权限；光驱需要属于 cdrom 或 disk 组，或用 sudo 以 root 运行",
        ),
        io::ErrorKind::NotFound => pick(
            "check the path: is the disc mounted, is the name spelt right?",
            "请检查路径：光盘挂载了吗？名称写对了吗？",
        ),
        io::ErrorKind::NotADirectory => pick(
            "a part of the path is a file where a folder is to be: check the path",
            "路径中有一段是文件而不是目录：请检查路径",
        ),
        io::ErrorKind::IsADirectory => pick(
            "a file is wanted here, and this is a folder: name the file in it",
            "这里需要文件，而给出的是目录：请给出其中的文件",
        ),
        io::ErrorKind::ReadOnlyFilesystem => pick(
            "name another place: this one is mounted for reading only (discs are, and disks with errors)",
            "请换一个位置：这里以只读方式挂载（光盘如此，出错的磁盘也会如此）",
        ),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => pick(
            "free some space, or name another place; nothing half-done was left",
            "请释放空间，或换一个位置；没有留下半成品",
        ),
        io::ErrorKind::FileTooLarge => pick(
            "the file system there cannot hold a file this long (FAT32: 4 GiB): name another place",
            "该处的文件系统放不下这么大的文件（FAT32 上限 4 GiB）：请换一个位置",
        ),
        io::ErrorKind::OutOfMemory => pick(
            "end other programs, or run it on a machine with more memory; nothing that was read has been changed",
            "请结束其他程序，或换内存更大的机器；读取的内容未被改动",
        ),
        io::ErrorKind::ResourceBusy => pick(
            "another program uses it: unmount it or end that program, and run the same command again",
            "另一个程序正在使用：请卸载或结束该程序，再运行同一命令",
        ),
        io::ErrorKind::InvalidFilename => pick(
            "the name is too long, or has characters that the file system there does not take: choose another",
            "名称太长，或含有该文件系统不接受的字符：请换一个名称",
        ),
        _ => match error.raw_os_error() {
            Some(5) => pick(
                "the device has errors, and `dmesg` says which: try another drive, cable or port, and name another place if it is to be written",
                "设备出错，dmesg 中有说明：请换驱动器、线缆或接口；如果是写入，请换一个位置",
            ),
            Some(6 | 19) => pick(
                "it was taken out or unplugged: put it in again, and run the same command again",
                "介质已取出或拔掉：请重新插入，再运行同一命令",
            ),
            Some(123 | 124) => pick(
                "the drive is empty or its tray is open: put the disc in, wait until the drive has read it, and run the same command again",
                "驱动器是空的，或托盘没有关上：请放入光盘，等驱动器识别后重新运行同一命令",
            ),
            Some(23 | 24) => pick(
                "allow more open files with `ulimit -n 4096`, and run the same command again",
                "请用 ulimit -n 4096 允许打开更多文件，再运行同一命令",
            ),
            _ => return None,
        },
    };
    Some(hint.to_owned())
}
