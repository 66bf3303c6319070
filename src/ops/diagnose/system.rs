//! Diagnoses errors of the operating system.

use std::error::Error as Cause;
use std::io;

use crate::base::diagnostic::{Diagnostic, diagnostic};

/// Diagnoses an error of the system, or an error of the library that passed through a reader.
pub fn of(error: &io::Error) -> Diagnostic {
    if let Some(inner) = error.get_ref() {
        let inner: &(dyn Cause + 'static) = inner;
        return super::diagnose(inner);
    }
    let one = by_kind(error.kind())
        .or_else(|| error.raw_os_error().and_then(by_number))
        .unwrap_or_else(|| diagnostic!("system.other", text = text_of(error)));
    let number = error.raw_os_error();
    match number.and_then(|number| u32::try_from(number).ok()) {
        Some(number) => one.with("number", number),
        None => one,
    }
}

fn by_kind(kind: io::ErrorKind) -> Option<Diagnostic> {
    use io::ErrorKind as Io;
    Some(match kind {
        Io::NotFound => diagnostic!("system.not_found"),
        Io::PermissionDenied => diagnostic!("system.permission_denied"),
        Io::AlreadyExists => diagnostic!("system.already_exists"),
        Io::NotADirectory => diagnostic!("system.not_a_directory"),
        Io::IsADirectory => diagnostic!("system.is_a_directory"),
        Io::DirectoryNotEmpty => diagnostic!("system.directory_not_empty"),
        Io::ReadOnlyFilesystem => diagnostic!("system.read_only_filesystem"),
        Io::StorageFull => diagnostic!("system.storage_full"),
        Io::QuotaExceeded => diagnostic!("system.quota_exceeded"),
        Io::FileTooLarge => diagnostic!("system.file_too_large"),
        Io::ResourceBusy => diagnostic!("system.resource_busy"),
        Io::OutOfMemory => diagnostic!("system.out_of_memory"),
        Io::InvalidFilename => diagnostic!("system.invalid_filename"),
        Io::UnexpectedEof => diagnostic!("system.unexpected_end"),
        Io::BrokenPipe => diagnostic!("system.broken_pipe"),
        Io::CrossesDevices => diagnostic!("system.crosses_devices"),
        Io::TooManyLinks => diagnostic!("system.too_many_links"),
        Io::ConnectionRefused => diagnostic!("system.connection_refused"),
        Io::ConnectionReset => diagnostic!("system.connection_reset"),
        Io::TimedOut => diagnostic!("system.timed_out"),
        Io::AddrInUse => diagnostic!("system.address_in_use"),
        Io::AddrNotAvailable => diagnostic!("system.address_not_available"),
        _ => return None,
    })
}

/// Diagnoses error numbers of Linux without a kind in the standard library.
fn by_number(number: i32) -> Option<Diagnostic> {
    Some(match number {
        5 => diagnostic!("system.device_error"),
        6 | 19 => diagnostic!("system.no_device"),
        23 | 24 => diagnostic!("system.too_many_open_files"),
        40 => diagnostic!("system.link_loop"),
        95 => diagnostic!("system.not_supported"),
        123 => diagnostic!("system.no_medium"),
        124 => diagnostic!("system.wrong_medium"),
        _ => return None,
    })
}

/// Returns the text without the number, which is an argument of its own.
fn text_of(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(number) => text
            .trim_end_matches(&format!(" (os error {number})"))
            .to_owned(),
        None => text,
    }
}
