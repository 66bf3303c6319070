//! What the pages say, section by section, in Chinese and English.

use std::fmt::Write;

use crate::base::size::ByteSize;
use crate::volumes::media::companion::GUIDE_NAMES;
use crate::volumes::media::markup::plain_text;
use crate::volumes::media::{PageNotes, ProgramNote, VolumeFacts};

/// A heading and a paragraph in both languages, and a command to type.
pub(super) struct PageSection {
    pub(super) zh: (&'static str, String),
    pub(super) en: (&'static str, String),
    pub(super) command: Option<String>,
}

pub(super) fn parts(facts: &VolumeFacts, notes: &PageNotes) -> Vec<PageSection> {
    let mut parts = vec![what_it_is(facts), the_program(notes)];
    parts.extend(room(notes));
    parts.extend([
        what_to_do(),
        what_comes_after(facts),
        missing_volumes(facts),
        whole_volumes(),
        unreadable(facts),
        how_to_check(),
    ]);
    parts
}

/// Most programs that a page names.
const PROGRAMS_MAX: usize = 4;

fn the_program(notes: &PageNotes) -> PageSection {
    if let [first, ..] = &notes.programs[..] {
        return program_here(&first.file, &notes.programs);
    }
    let (mut zh, mut en) = (
        "carryall 程序不在这些卷上，由发送方另行提供（一个文件，适用于 Linux）。把它复制到现场机器的 /usr/local/bin，\
         以后各条命令就能直接使用。"
            .to_owned(),
        "The program carryall is not on these volumes: the sender gives it along with them, one file for Linux. Copy it to \
         /usr/local/bin on the machine at the site."
            .to_owned(),
    );
    if notes.contact.is_some() {
        zh.push_str("没有收到时，请找上面的联系人。");
        en.push_str(" If it did not come, ask the contact above.");
    }
    PageSection {
        zh: ("程序在哪里", zh),
        en: ("Where the program is", en),
        command: Some("sudo install -m 755 carryall /usr/local/bin/carryall".into()),
    }
}

/// Returns the section on programs that are on the volume. The first is the one that is meant in the command.
fn program_here(first: &str, programs: &[ProgramNote]) -> PageSection {
    let (mut zh, mut en) = (
        "程序就在这一卷上，每一卷上都有同样的一份。它是单个文件，不需要安装任何别的东西：".to_owned(),
        "The program is on this volume, the same on every volume. It is one file and needs nothing else installed: "
            .to_owned(),
    );
    let shown = programs.iter().take(PROGRAMS_MAX);
    let one = |program: &ProgramNote, of: &str, end: &str| {
        let (file, machine) = (
            plain_text(&program.file, 12),
            plain_text(&program.machine, 12),
        );
        format!(
            "{file}{of}{machine}{end}SHA-256 {}",
            plain_text(&program.sha256, 64)
        )
    };
    let lines: Vec<String> = shown
        .clone()
        .map(|program| one(program, "，适用于 ", " 的 Linux，"))
        .collect();
    zh += &lines.join("；");
    let lines: Vec<String> = shown
        .map(|program| one(program, " for Linux on ", ", "))
        .collect();
    en += &lines.join("; ");
    let [guide_en, guide_zh] = GUIDE_NAMES;
    let _ = write!(
        zh,
        "。请用 sha256sum 核对，再与发送方另行告知的值比较。复制到 /usr/local/bin 后，以后各条命令就能直接使用。操作手册是 {guide_zh}。"
    );
    let _ = write!(
        en,
        ". Check it with sha256sum, against what the sender told you another way. Copy it to /usr/local/bin. \
         The operator guide is {guide_en}."
    );
    PageSection {
        zh: ("程序在哪里", zh),
        en: ("Where the program is", en),
        command: Some(format!(
            "cd PATH && sha256sum {first}\nsudo install -m 755 {first} /usr/local/bin/carryall",
            first = plain_text(first, 12)
        )),
    }
}

fn room(notes: &PageNotes) -> Option<PageSection> {
    let receive = ByteSize(notes.receive_bytes?);
    let (mut zh, mut en) = (
        format!("接收时仓库所在磁盘约需 {receive}"),
        format!("Receiving takes about {receive} where the store is"),
    );
    if let Some(bytes) = notes.item_bytes {
        let items = ByteSize(bytes);
        let _ = write!(zh, "；全部还原（checkout）另需 {items}");
        let _ = write!(en, ", and giving everything back another {items}");
    }
    zh.push_str("。查看可用空间：");
    en.push_str(". What is free:");
    Some(PageSection {
        zh: ("需要多少空间", zh),
        en: ("Room needed", en),
        command: Some("df -h".into()),
    })
}

/// Returns the section on what comes next. Its commands name the first release.
fn what_comes_after(facts: &VolumeFacts) -> PageSection {
    let release = facts.releases.first().map_or("RELEASE", String::as_str);
    let release = plain_text(release, 100);
    PageSection {
        zh: (
            "接收完成之后",
            "当 receive 报告接收完成（received whole）后，按需要选用：还原文件；把镜像装入 docker、podman 或 containerd；\
             推送到现场的镜像仓库；或安装为可切换、可回退的版本。"
                .into(),
        ),
        en: (
            "When everything was received",
            "When receive says \"received whole\", take what you need: give the files back, load images into docker, podman or \
             containerd, push them into the site's registry, or install versions that can be switched back."
                .into(),
        ),
        command: Some(format!(
            "carryall checkout {release} DIR\ncarryall load {release}\ncarryall push {release} REGISTRY:5000\n\
             carryall install {release} --into DIR"
        )),
    }
}

fn what_it_is(facts: &VolumeFacts) -> PageSection {
    let (count, spare, data) = (
        facts.volume_count(),
        facts.spare_volumes,
        facts.data_volumes,
    );
    let (zh, en) = if count == 1 {
        ("只有这一卷".to_owned(), "on this one volume".to_owned())
    } else {
        (
            format!(
                "一套共 {count} 卷（{data} 卷数据，{spare} 卷备用），每张光盘或每个 U 盘是一卷"
            ),
            format!(
                "on a set of {count} volumes ({data} with data, {spare} spare); each disc or USB disk is one volume"
            ),
        )
    };
    PageSection {
        zh: (
            "这是什么",
            format!(
                "这是软件交付介质，{zh}。内容由 carryall 程序打包，不能直接打开；请用 carryall 接收到现场的机器上。"
            ),
        ),
        en: (
            "What this is",
            format!(
                "A delivery of software {en}. It was packed by the program carryall and cannot be opened by hand: receive it \
                 with carryall on a machine at the site."
            ),
        ),
        command: None,
    }
}

fn what_to_do() -> PageSection {
    PageSection {
        zh: (
            "现场怎么做",
            "逐卷插入，次序不限，每卷只需插入一次。对每一卷执行下面的命令，PATH 是这一卷所在的位置\
             （挂载目录、.iso 文件或光驱设备，例如 /mnt/cdrom 或 /dev/sr0）。程序会告诉您还缺哪一卷。"
                .into(),
        ),
        en: (
            "What to do at the site",
            "Insert the volumes one after the other, in any order, each only once, and type this for each. PATH is where the \
             volume is: the mounted folder, an .iso file or the drive, such as /mnt/cdrom or /dev/sr0. \
             The program says which volume is still needed."
                .into(),
        ),
        command: Some("carryall receive PATH".into()),
    }
}

fn missing_volumes(facts: &VolumeFacts) -> PageSection {
    let (count, spare, data) = (
        facts.volume_count(),
        facts.spare_volumes,
        facts.data_volumes,
    );
    let (zh, en) = match (spare, data) {
        (0, 1) => (
            "全部内容都在这一卷上，没有备用卷。少量划伤或坏块可以自动修复。".to_owned(),
            "Everything is on this one volume, and there is no spare. Small scratches and bad spots heal by themselves."
                .to_owned(),
        ),
        (0, _) => (
            format!("这一套没有备用卷，{count} 卷缺一不可。少量划伤或坏块可以自动修复。"),
            format!(
                "This set has no spare volumes: all {count} are needed. Small scratches and bad spots heal by themselves."
            ),
        ),
        _ => (
            format!(
                "任意 {spare} 卷丢失或完全读不出，用其余的卷仍可恢复全部内容。\
                 损坏的卷不要扔掉：能读出的部分也有用。"
            ),
            format!(
                "Any {spare} of the {count} volumes may be missing or unreadable: the rest bring everything back. \
                 Do not throw a damaged volume away; what can still be read of it helps."
            ),
        ),
    };
    PageSection {
        zh: ("少了几卷怎么办", zh),
        en: ("If volumes are missing", en),
        command: None,
    }
}

fn whole_volumes() -> PageSection {
    PageSection {
        zh: (
            "不要只复制一部分",
            "如果要复制，请复制这一卷的全部文件，放在同一个目录里。不要解压、转换或修改任何文件。\
             文件名变了没有关系，程序按内容识别。"
                .into(),
        ),
        en: (
            "Do not copy only a part",
            "When you copy a volume, copy all of its files into one folder. Do not unpack, convert or edit any of them. \
             Changed names do no harm: the program goes by content."
                .into(),
        ),
        command: None,
    }
}

fn unreadable(facts: &VolumeFacts) -> PageSection {
    let no = facts.volume_no;
    PageSection {
        zh: (
            "光盘划伤或读不出时",
            "照样插入并执行 receive：程序会跳过坏处，读出其余部分，能修的自动修好。再不行，用软布从中心向外擦拭，\
             或换一台光驱。系统无法挂载时，直接给出设备（例如 /dev/sr0）；也可先用 ddrescue 尽量读成映像文件，再交给 receive："
                .into(),
        ),
        en: (
            "When a disc is scratched or unreadable",
            "Insert it anyway and type receive: the program skips bad spots, reads the rest and heals what it can. If that is not \
             enough, wipe the disc with a soft cloth from the centre outwards, or try another drive. When it cannot be \
             mounted, name the device (such as /dev/sr0), or save what is readable with ddrescue first and receive the image:"
                .into(),
        ),
        command: Some(format!(
            "ddrescue -b 2048 /dev/sr0 volume{no}.img volume{no}.map && carryall receive volume{no}.img"
        )),
    }
}

fn how_to_check() -> PageSection {
    PageSection {
        zh: ("怎么检查", "只检查、不接收，也不改动任何东西：".into()),
        en: (
            "How to check",
            "Checks without receiving anything, and changes nothing:".into(),
        ),
        command: Some("carryall verify PATH".into()),
    }
}
