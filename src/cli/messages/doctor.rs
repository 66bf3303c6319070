//! Messages about the machine: what it has, and what to do about what it lacks.

use carryall::ops::maintain::doctor::{Advice, AdviceKind, DoctorReport, DriveFacts, PlaceFacts};
use carryall::store::storage::is_address;
use carryall::volumes::media::drive::TrayState;

use super::{bytes, enumerated, line, line_below, message};

/// One line for each thing that was looked at.
pub fn doctor_facts(report: &DoctorReport) -> String {
    let version = report.version;
    let mut out = line(match &report.program {
        None => message!("doctor-program-alone", version),
        Some(program) => {
            let (path, size) = (&program.path, bytes(program.bytes));
            let (machine, sha256) = (program.machine, &program.sha256);
            if program.is_static {
                message!(
                    "doctor-program-static",
                    version,
                    path,
                    machine,
                    size,
                    sha256
                )
            } else {
                message!("doctor-program", version, path, machine, size, sha256)
            }
        }
    });
    let is_far = is_address(&report.store.path);
    out += &line(match report.store.is_there {
        _ if is_far => message!("doctor-store-far", path = report.store.path),
        true => message!(
            "doctor-store",
            path = report.store.path,
            free = free(&report.store)
        ),
        false => message!(
            "doctor-store-to-be",
            path = report.store.path,
            free = free(&report.store)
        ),
    });
    let (path, size) = (&report.temp.path, free(&report.temp));
    out += &line(message!("doctor-temp", path, free = size));
    if let Some(size) = report.memory_bytes.map(bytes) {
        out += &line(message!("doctor-memory", size));
    }
    if let Some(version) = &report.xorriso {
        out += &line(message!("doctor-xorriso", version));
    }
    out += &report.drives.iter().map(drive).collect::<String>();
    let (language, value) = (&report.locale.language, &report.locale.value);
    out + &line(match &report.locale.variable {
        Some(variable) => message!("doctor-locale", language, variable, value),
        None => message!("doctor-locale-unset", language),
    })
}

fn free(place: &PlaceFacts) -> String {
    place.free_bytes.map_or_else(|| "?".to_owned(), bytes)
}

fn drive(drive: &DriveFacts) -> String {
    let tray = match drive.tray {
        Some(TrayState::Open) => message!("tray-open"),
        Some(TrayState::Empty) => message!("tray-empty"),
        Some(TrayState::Busy) => message!("tray-busy"),
        Some(TrayState::Disc) => message!("tray-disc"),
        Some(TrayState::Unknown) | None => message!("tray-unknown"),
    };
    let (path, model) = (&drive.path, &drive.model);
    line(if drive.writes.is_empty() {
        message!("doctor-drive", path, model, tray)
    } else {
        let kinds = enumerated(&drive.writes);
        message!("doctor-burner", path, model, tray, kinds)
    })
}

/// What is missing, and what to do.
pub fn doctor_advice(advice: &Advice) -> String {
    let about = &advice.about;
    let (what, hint) = match advice.kind {
        AdviceKind::StoreNotWritable => (
            message!("advice-store-not-writable", about),
            message!("advice-store-not-writable.hint"),
        ),
        AdviceKind::StoreUnreachable => (
            message!("advice-store-unreachable", about),
            message!("advice-store-unreachable.hint"),
        ),
        AdviceKind::StoreFull => (
            message!("advice-store-full", about),
            message!("advice-store-full.hint"),
        ),
        AdviceKind::TempNotWritable => (
            message!("advice-temp-not-writable", about),
            message!("advice-temp-not-writable.hint"),
        ),
        AdviceKind::TempFull => (
            message!("advice-temp-full", about),
            message!("advice-temp-full.hint"),
        ),
        AdviceKind::DriveNotReadable => (
            message!("advice-drive-not-readable"),
            message!("advice-drive-not-readable.hint", group = about),
        ),
        AdviceKind::LittleMemory => (
            message!("advice-little-memory"),
            message!("advice-little-memory.hint"),
        ),
        AdviceKind::ProgramNotStatic => (
            message!("advice-program-not-static"),
            message!("advice-program-not-static.hint"),
        ),
        AdviceKind::ProgramUnreadable => (
            message!("advice-program-unreadable"),
            message!("advice-program-unreadable.hint"),
        ),
        AdviceKind::XorrisoMissing => (
            message!("advice-xorriso-missing"),
            message!("advice-xorriso-missing.hint"),
        ),
        AdviceKind::NoDrive => (
            message!("advice-no-drive"),
            message!("advice-no-drive.hint"),
        ),
        AdviceKind::NoChinese => (
            message!("advice-no-chinese", about),
            message!("advice-no-chinese.hint"),
        ),
        // A kind that a later library knows has no words here.
        _ => return String::new(),
    };
    let first = if advice.is_necessary {
        message!("doctor-missing", what)
    } else {
        message!("doctor-note", what)
    };
    line(first) + &line_below(hint)
}

/// Whether all that is necessary is there.
pub fn doctor_verdict(report: &DoctorReport) -> String {
    let missing = report.advice.iter().filter(|advice| advice.is_necessary);
    line(match missing.count() {
        0 => message!("doctor-usable"),
        count => message!("doctor-not-usable", count),
    })
}
