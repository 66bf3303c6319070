//! Interprets answers: headers, error messages, whether the host is this machine, and whether to ask again.

use std::time::Duration;

use ureq::Body;
use ureq::http::{Response, StatusCode, Uri};

use crate::base::monitor::Monitor;
use crate::oci::registry::RegistryError;

/// Most bytes of a registry's message about an error.
const MESSAGE_BYTES_MAX: u64 = 64 << 10;
/// Characters of it that are shown.
const MESSAGE_SHOWN: usize = 300;

/// Returns whether a host is this machine.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

pub(super) fn same_origin(one: &Uri, other: &Uri) -> bool {
    let port = |uri: &Uri| {
        let default = if uri.scheme_str() == Some("http") {
            80
        } else {
            443
        };
        uri.port_u16().unwrap_or(default)
    };
    one.scheme_str() == other.scheme_str()
        && one.host().map(str::to_ascii_lowercase) == other.host().map(str::to_ascii_lowercase)
        && port(one) == port(other)
}

pub(super) fn is_of_tls(error: &std::io::Error) -> bool {
    let inner = error.get_ref();
    inner.is_some_and(|inner| inner.is::<rustls::Error>())
}

/// Returns whether the status asks for a later attempt: too many requests, or a server error.
pub(super) fn is_later(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

pub(super) fn header<'r>(response: &'r Response<Body>, name: &str) -> Option<&'r str> {
    response.headers().get(name)?.to_str().ok()
}

/// Returns `Retry-After` in seconds. A date is not understood, and the client then uses its own pause.
pub(super) fn pause_asked(response: &Response<Body>) -> Option<Duration> {
    let seconds = header(response, "retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Sleeps, and reacts to a stop meanwhile.
pub(super) fn rest(pause: Duration, monitor: &dyn Monitor) -> Result<(), RegistryError> {
    let slice = Duration::from_millis(100);
    let mut left = pause;
    while !left.is_zero() {
        monitor.check_stop()?;
        std::thread::sleep(left.min(slice));
        left = left.saturating_sub(slice);
    }
    Ok(monitor.check_stop()?)
}

/// Returns a registry's error message, fit for a line on a terminal.
pub(super) fn message(mut response: Response<Body>) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<ErrorItem>,
    }
    #[derive(serde::Deserialize)]
    struct ErrorItem {
        #[serde(default)]
        code: String,
        #[serde(default)]
        message: String,
    }
    let body = response.body_mut().with_config().limit(MESSAGE_BYTES_MAX);
    let Ok(bytes) = body.read_to_vec() else {
        return String::new();
    };
    let Ok(errors) = serde_json::from_slice::<Errors>(&bytes) else {
        return String::new();
    };
    let texts = errors
        .errors
        .iter()
        .map(|one| format!("{} {}", one.code, one.message));
    shown(texts.collect::<Vec<_>>().join(", ").trim())
}

/// Returns a foreign text without control characters, shortened.
pub(in crate::oci::registry) fn shown(text: &str) -> String {
    let plain = text.chars().filter(|c| !c.is_control());
    plain.take(MESSAGE_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_known_by_name_and_address() {
        for host in [
            "localhost",
            "localhost:5000",
            "127.0.0.1",
            "127.1.2.3:80",
            "[::1]:5000",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "localhost.example",
            "10.0.0.1:5000",
            "[::2]",
            "a.b",
            "127.0.0.1.example",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let origin: Uri = Uri::from_static("https://a.b/");
        assert!(same_origin(&Uri::from_static("https://A.b:443/x"), &origin));
        for other in [
            "http://a.b/",
            "https://a.b:444/",
            "https://c.a.b/",
            "https://a.b.c/",
        ] {
            assert!(!same_origin(&Uri::from_static(other), &origin), "{other}");
        }
    }
}
