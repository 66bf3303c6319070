//! Diagnoses errors between this program and a registry.

use std::io;

use crate::base::diagnostic::{Diagnostic, diagnostic};
use crate::base::size::ByteSize;
use crate::oci::registry::RegistryError;

use super::{at_path, boxed, said, system};

/// The status of a registry that asks for a pause.
const TOO_MANY_REQUESTS: u16 = 429;
/// From this status on, an answer is about the registry's own failures.
const SERVER_ERRORS: u16 = 500;

pub fn of(error: &RegistryError) -> Diagnostic {
    match error {
        RegistryError::Unreachable { host, what, source } => {
            diagnostic!("registry.unreachable", host, what).because(boxed(source.as_ref()))
        }
        RegistryError::Tls { host, source } => {
            diagnostic!("registry.tls", host).because(boxed(source.as_ref()))
        }
        RegistryError::Denied {
            host,
            what,
            message,
        } => said(diagnostic!("registry.denied", host, what), message),
        RegistryError::Absent { host, what } => diagnostic!("registry.absent", host, what),
        RegistryError::Refused {
            host,
            what,
            status,
            message,
        } => {
            let status = *status;
            let one = match status {
                TOO_MANY_REQUESTS => {
                    diagnostic!("registry.too_many_requests", host, what, status)
                }
                SERVER_ERRORS.. => diagnostic!("registry.server_error", host, what, status),
                _ => diagnostic!("registry.refused", host, what, status),
            };
            said(one, message)
        }
        RegistryError::NoPlatform { what, wanted, has } => {
            diagnostic!("registry.no_platform", what, platform = wanted, has)
        }
        RegistryError::Credentials { why } => diagnostic!("registry.credentials", why),
        RegistryError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => {
            let (needed_bytes, free_bytes) = (ByteSize(*needed_bytes), ByteSize(*free_bytes));
            diagnostic!("registry.no_space", path, needed_bytes, free_bytes)
        }
        RegistryError::Io { path, source } if source.kind() == io::ErrorKind::StorageFull => {
            diagnostic!("registry.disk_full", path).because(system::of(source))
        }
        RegistryError::Io { path, source } => at_path(path, source),
        RegistryError::Listen { address, source } => {
            diagnostic!("registry.listen", address).because(system::of(source))
        }
        RegistryError::Interrupted(_) => super::interrupted(),
        other => of_bytes(other),
    }
}

/// Diagnoses wrong bytes that a registry sent or was to receive.
fn of_bytes(error: &RegistryError) -> Diagnostic {
    match error {
        RegistryError::Mismatch { what, got } => {
            diagnostic!("registry.mismatch", what, got = got.to_string())
        }
        RegistryError::Length {
            what,
            bytes,
            got_bytes,
        } => {
            let (bytes, got_bytes) = (*bytes, *got_bytes);
            diagnostic!("registry.length", what, bytes, got_bytes)
        }
        RegistryError::TooLarge { what, limit } => diagnostic!("registry.too_large", what, limit),
        RegistryError::Corrupt { what, why } => diagnostic!("registry.damaged", what, why),
        RegistryError::Source { what, source } => {
            diagnostic!("registry.source_unread", what).because(boxed(source.as_ref()))
        }
        other => diagnostic!("other", text = other.to_string()),
    }
}
