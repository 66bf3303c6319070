//! `doctor`: whether this machine has what packing, burning and receiving need.
//!
//! It looks and changes nothing. The words on what to do are the front end's.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::Access;
use serde::Serialize;

use crate::base::fs::free_space_bytes;
use crate::base::path_text;
use crate::ops::program::Program;
use crate::store::storage::is_address;
use crate::store::{Store, StoreError};
use crate::volumes::media::drive::{TrayState, drives};

/// With less free space than this a place is of no use.
const ROOM_LEAST_BYTES: u64 = 100_000_000;
/// With less memory than this commands work on one core or not at all.
const MEMORY_LEAST_BYTES: u64 = 400 << 20;
/// What the kernel says that its drives can write.
const DRIVE_ABILITIES: &str = "/proc/sys/dev/cdrom/info";

/// What the front end knows and the library does not.
#[derive(Debug, Clone)]
pub struct DoctorOptions {
    /// Folder or address of the store, which need not be there.
    pub store: PathBuf,
    /// Folder for temporary files.
    pub temp: PathBuf,
    /// Free memory. `None` when it is not known.
    pub memory_bytes: Option<u64>,
    /// The language of messages.
    pub locale: LocaleFacts,
}

/// Which language is spoken, and why.
#[derive(Debug, Clone, Serialize)]
pub struct LocaleFacts {
    /// The variable that decides. `None` when none is set.
    pub variable: Option<String>,
    /// Its value.
    pub value: String,
    /// The language, such as `zh-CN`.
    pub language: String,
    /// Whether the terminal shows Chinese, as far as locale and kind of terminal tell.
    pub shows_chinese: bool,
}

/// What this machine has.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DoctorReport {
    /// Version of the program.
    pub version: &'static str,
    /// The program. `None` when its file cannot be read.
    pub program: Option<ProgramFacts>,
    /// Where the store is or would be.
    pub store: PlaceFacts,
    /// Where temporary files are.
    pub temp: PlaceFacts,
    /// First line that xorriso says of itself. `None` when it cannot be started.
    pub xorriso: Option<String>,
    /// Optical drives.
    pub drives: Vec<DriveFacts>,
    /// Free memory. `None` when it is not known.
    pub memory_bytes: Option<u64>,
    /// The language of messages.
    pub locale: LocaleFacts,
    /// What is missing, the necessary first.
    pub advice: Vec<Advice>,
}

/// The running program.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ProgramFacts {
    /// Its file.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// The machine it is for.
    pub machine: &'static str,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// Whether it runs with nothing but itself.
    pub is_static: bool,
}

/// A folder that is written to.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct PlaceFacts {
    /// The folder.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Whether it is there.
    pub is_there: bool,
    /// Whether this user may write there, or make it.
    pub is_writable: bool,
    /// Free space. `None` when the file system does not tell.
    pub free_bytes: Option<u64>,
}

/// An optical drive.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DriveFacts {
    /// Its device.
    #[serde(serialize_with = "path_text::one")]
    pub path: PathBuf,
    /// Vendor and model. Empty when it does not say them.
    pub model: String,
    /// State of the tray. `None` when this user may not ask.
    pub tray: Option<TrayState>,
    /// Kinds of discs that it writes, as far as the kernel knows.
    pub writes: Vec<String>,
    /// Whether this user may read it.
    pub is_readable: bool,
    /// The group whose members may use it.
    pub group: Option<String>,
}

/// Something that is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Advice {
    /// What it is.
    pub kind: AdviceKind,
    /// Whether volumes cannot be packed or received without it.
    pub is_necessary: bool,
    /// The path or group that it is about. Empty when there is none.
    pub about: String,
}

/// Kinds of what is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AdviceKind {
    /// This user may not write where the store is.
    StoreNotWritable,
    /// The store in an object store cannot be reached or read.
    StoreUnreachable,
    /// There is hardly any space where the store is.
    StoreFull,
    /// This user may not write temporary files.
    TempNotWritable,
    /// There is hardly any space for temporary files.
    TempFull,
    /// This user may not read a drive.
    DriveNotReadable,
    /// There is little memory.
    LittleMemory,
    /// The program needs libraries of this system, so that it is not put on volumes.
    ProgramNotStatic,
    /// The program's own file cannot be read.
    ProgramUnreadable,
    /// Images and discs cannot be written.
    XorrisoMissing,
    /// There is no optical drive.
    NoDrive,
    /// Messages are Chinese, and the terminal does not show them.
    NoChinese,
}

impl DoctorReport {
    /// Returns whether everything that is necessary is there.
    pub fn is_usable(&self) -> bool {
        self.advice.iter().all(|advice| !advice.is_necessary)
    }
}

/// Looks at the machine.
pub fn doctor(options: &DoctorOptions) -> DoctorReport {
    let mut report = DoctorReport {
        version: env!("CARGO_PKG_VERSION"),
        program: Program::running().ok().map(|program| ProgramFacts {
            machine: program.machine.name(),
            bytes: program.bytes(),
            sha256: program.sha256().to_owned(),
            is_static: program.is_static,
            path: program.path,
        }),
        store: if is_address(&options.store) {
            far_store(&options.store)
        } else {
            place(&options.store)
        },
        temp: place(&options.temp),
        xorriso: xorriso(),
        drives: drive_facts(),
        memory_bytes: options.memory_bytes,
        locale: options.locale.clone(),
        advice: Vec::new(),
    };
    report.advice = advice(&report);
    report
}

fn place(path: &Path) -> PlaceFacts {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = absolute.ancestors().find(|parent| parent.exists());
    let existing = existing.unwrap_or(Path::new("/"));
    let access = Access::WRITE_OK | Access::EXEC_OK;
    PlaceFacts {
        path: path.to_owned(),
        is_there: path.exists(),
        is_writable: existing.is_dir() && rustix::fs::access(existing, access).is_ok(),
        free_bytes: free_space_bytes(path).ok(),
    }
}

/// Asks the server of a store in a bucket. Whether it takes writes is found out by writing alone, so that is not asked.
fn far_store(address: &Path) -> PlaceFacts {
    let opened = Store::open_to_read(address);
    let is_empty = matches!(opened, Err(StoreError::NotAStore { .. }));
    PlaceFacts {
        path: address.to_owned(),
        is_there: opened.is_ok(),
        is_writable: opened.is_ok() || is_empty,
        free_bytes: None,
    }
}

fn xorriso() -> Option<String> {
    let mut command = Command::new("xorriso");
    let command = command.arg("-version").stdin(Stdio::null());
    let output = command.output().ok()?;
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed).into_owned();
    let mut lines = printed.lines().filter(|line| line.starts_with("xorriso"));
    Some(lines.next().unwrap_or("xorriso").trim().to_owned())
}

fn drive_facts() -> Vec<DriveFacts> {
    let abilities = fs::read_to_string(DRIVE_ABILITIES).unwrap_or_default();
    let groups = fs::read_to_string("/etc/group").unwrap_or_default();
    let facts = drives().into_iter().map(|drive| {
        let name = drive.path.file_name().unwrap_or_default();
        let gid = fs::metadata(&drive.path).map(|stat| stat.gid());
        DriveFacts {
            tray: drive.tray().ok(),
            writes: written_by(&abilities, &name.to_string_lossy()),
            is_readable: rustix::fs::access(&drive.path, Access::READ_OK).is_ok(),
            group: gid.ok().and_then(|gid| group_name(&groups, gid)),
            model: drive.model,
            path: drive.path,
        }
    });
    facts.collect()
}

/// Returns the kinds of discs that a drive writes, from the kernel's table: a column for each drive, a row for each
/// ability.
fn written_by(abilities: &str, name: &str) -> Vec<String> {
    let rows = abilities.lines().filter_map(|line| line.split_once(':'));
    let rows: Vec<(&str, Vec<&str>)> = rows
        .map(|(row, columns)| (row.trim(), columns.split_whitespace().collect()))
        .collect();
    let names = rows.iter().find(|(row, _)| *row == "drive name");
    let Some(column) = names.and_then(|(_, names)| names.iter().position(|each| *each == name))
    else {
        return Vec::new();
    };
    let can = |columns: &[&str]| columns.get(column) == Some(&"1");
    let able = rows.iter().filter(|(_, columns)| can(columns));
    able.filter_map(|(row, _)| row.strip_prefix("Can write "))
        .map(str::to_owned)
        .collect()
}

fn group_name(groups: &str, gid: u32) -> Option<String> {
    groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(gid)).then(|| name.to_owned())
    })
}

fn advice(report: &DoctorReport) -> Vec<Advice> {
    let mut all = Vec::new();
    let mut add = |is_missing: bool, kind, is_necessary, about: &str| {
        if is_missing {
            all.push(Advice {
                kind,
                is_necessary,
                about: about.to_owned(),
            });
        }
    };
    let places = [
        (
            &report.store,
            match is_address(&report.store.path) {
                true => AdviceKind::StoreUnreachable,
                false => AdviceKind::StoreNotWritable,
            },
            AdviceKind::StoreFull,
        ),
        (
            &report.temp,
            AdviceKind::TempNotWritable,
            AdviceKind::TempFull,
        ),
    ];
    for (place, not_writable, full) in places {
        let path = place.path.to_string_lossy();
        let is_full = place.free_bytes.is_some_and(|free| free < ROOM_LEAST_BYTES);
        add(!place.is_writable, not_writable, true, &path);
        add(is_full, full, true, &path);
    }
    for drive in report.drives.iter().filter(|drive| !drive.is_readable) {
        let group = drive.group.as_deref().unwrap_or("cdrom");
        add(true, AdviceKind::DriveNotReadable, true, group);
    }
    let is_little = report
        .memory_bytes
        .is_some_and(|bytes| bytes < MEMORY_LEAST_BYTES);
    add(is_little, AdviceKind::LittleMemory, false, "");
    match &report.program {
        Some(program) => add(!program.is_static, AdviceKind::ProgramNotStatic, false, ""),
        None => add(true, AdviceKind::ProgramUnreadable, false, ""),
    }
    add(
        report.xorriso.is_none(),
        AdviceKind::XorrisoMissing,
        false,
        "",
    );
    add(report.drives.is_empty(), AdviceKind::NoDrive, false, "");
    let is_chinese = report.locale.language.starts_with("zh");
    let is_unseen = is_chinese && !report.locale.shows_chinese;
    add(
        is_unseen,
        AdviceKind::NoChinese,
        false,
        &report.locale.value,
    );
    all.sort_by_key(|advice| !advice.is_necessary);
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TABLE: &str = "CD-ROM information, Id: cdrom.c 3.20 2003/12/17\n\ndrive name:\t\tsr1\tsr0\ndrive speed:\t\t40\t0\n\
                         Can close tray:\t\t1\t1\nCan write CD-R:\t\t0\t1\nCan write DVD-R:\t0\t1\nCan write RAM:\t\t0\t0\n\n\n";

    #[test]
    fn what_drives_write_is_read_by_column() {
        assert_eq!(written_by(TABLE, "sr0"), ["CD-R", "DVD-R"]);
        assert!(written_by(TABLE, "sr1").is_empty() && written_by(TABLE, "sr2").is_empty());
        assert!(written_by("", "sr0").is_empty());
    }

    #[test]
    fn groups_are_named() {
        let groups = "root:x:0:\ncdrom:x:24:li,wang\n";
        assert_eq!(group_name(groups, 24).as_deref(), Some("cdrom"));
        assert_eq!(group_name(groups, 25), None);
    }

    fn healthy() -> DoctorReport {
        let place = |path: &str| PlaceFacts {
            path: path.into(),
            is_there: true,
            is_writable: true,
            free_bytes: Some(1 << 40),
        };
        DoctorReport {
            version: "1",
            program: Some(ProgramFacts {
                path: "/usr/bin/carryall".into(),
                machine: "x86-64",
                bytes: 1,
                sha256: String::new(),
                is_static: true,
            }),
            store: place("/store"),
            temp: place("/tmp"),
            xorriso: Some("xorriso 1.5.4".into()),
            drives: vec![DriveFacts {
                path: "/dev/sr0".into(),
                model: String::new(),
                tray: Some(TrayState::Empty),
                writes: Vec::new(),
                is_readable: true,
                group: None,
            }],
            memory_bytes: Some(1 << 40),
            locale: LocaleFacts {
                variable: None,
                value: String::new(),
                language: "en".into(),
                shows_chinese: false,
            },
            advice: Vec::new(),
        }
    }

    #[test]
    fn only_what_nobody_can_work_without_is_necessary() {
        assert_eq!(advice(&healthy()), []);
        let mut ill = healthy();
        ill.program = None;
        ill.xorriso = None;
        ill.memory_bytes = Some(1 << 20);
        ill.locale.language = "zh-CN".into();
        let kinds = |report: &DoctorReport| -> Vec<(AdviceKind, bool)> {
            let all = advice(report).into_iter();
            all.map(|one| (one.kind, one.is_necessary)).collect()
        };
        let notes = [
            (AdviceKind::LittleMemory, false),
            (AdviceKind::ProgramUnreadable, false),
            (AdviceKind::XorrisoMissing, false),
            (AdviceKind::NoChinese, false),
        ];
        assert_eq!(kinds(&ill), notes);
        ill.store.is_writable = false;
        ill.temp.free_bytes = Some(1000);
        ill.drives[0].is_readable = false;
        ill.drives[0].group = Some("optical".into());
        let necessary = [
            (AdviceKind::StoreNotWritable, true),
            (AdviceKind::TempFull, true),
            (AdviceKind::DriveNotReadable, true),
        ];
        assert_eq!(kinds(&ill)[..3], necessary);
        assert_eq!(advice(&ill)[2].about, "optical");
        ill.drives.clear();
        assert!(kinds(&ill).contains(&(AdviceKind::NoDrive, false)));
    }
}
