//! `serve`: the store as a registry.

use std::time::{SystemTime, UNIX_EPOCH};

use carryall::oci::registry::server::{Answered, MakeAhead, ServeEvent, ServeOptions};
use carryall::ops;
use carryall::ops::publish::serve::{self, Served};

use crate::cli::args::ServeArgs;
use crate::cli::exit::Failure;
use crate::cli::log_writer::{LogWriter, TextStream};
use crate::cli::{Context, fault, messages, open};

pub fn run(context: &Context, args: &ServeArgs) -> Result<u8, Failure> {
    let store = open::store_to_serve(context)?;
    let platform = args.choice.one_platform();
    let releases = args.releases.iter();
    let releases = releases
        .map(|release| Ok(ops::release_for(&store, release, platform)?.name))
        .collect::<Result<Vec<_>, ops::Error>>()?;
    let choice = args.choice.to_choice();
    let mut options = ServeOptions::new(&args.listen);
    options.tls = args.tls_cert.clone().zip(args.tls_key.clone());
    options.passwords = args.htpasswd.clone();
    options.make_ahead = if args.ahead {
        MakeAhead::Yes
    } else {
        MakeAhead::No
    };
    // One client's request is not the others'.
    fault::go_on();
    let log = LogWriter::start(context.json);
    let tell = |served: &Served, event: &ServeEvent| match event {
        ServeEvent::Ready { address } => {
            let text = if context.json {
                ready_json(served, &address.to_string())
            } else {
                messages::ready(served, &shown_address(address), &options, context.rows())
            };
            log.say(TextStream::Out, text);
        }
        ServeEvent::Changed => {
            let text = if context.json {
                changed_json(served)
            } else {
                messages::served_now(served, context.rows()) + &messages::findings(&served.findings)
            };
            log.say(TextStream::Err, text);
        }
        ServeEvent::Answered(line) => {
            let text = if context.json {
                json(line)
            } else {
                log_line(line)
            };
            log.say(TextStream::Err, text);
        }
    };
    let outcome = serve::serve_chosen(&store, &releases, &choice, &options, &tell, &context.screen);
    log.close();
    outcome?;
    Ok(0)
}

/// The address by which others find this machine.
fn shown_address(address: &std::net::SocketAddr) -> String {
    if !address.ip().is_unspecified() {
        return address.to_string();
    }
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    let name = if name.is_empty() { "localhost" } else { name };
    format!("{name}:{}", address.port())
}

fn ready_json(served: &Served, address: &str) -> String {
    let value = serde_json::json!({
        "event": "ready", "address": address, "images": served.names, "hosts": served.hosts, "findings": served.findings,
    });
    format!("{value}\n")
}

fn changed_json(served: &Served) -> String {
    let value = serde_json::json!({
        "event": "changed", "time": now(), "images": served.names, "hosts": served.hosts, "findings": served.findings,
    });
    format!("{value}\n")
}

fn json(line: &Answered) -> String {
    let value = serde_json::json!({
        "event": "request", "time": now(), "from": line.from.to_string(), "method": line.method, "target": line.target,
        "status": line.status, "bytes": line.bytes, "broken": line.broken,
    });
    format!("{value}\n")
}

fn log_line(line: &Answered) -> String {
    let Answered {
        from,
        method,
        target,
        status,
        bytes,
        broken,
        ..
    } = line;
    let broken = broken.as_ref().map_or(String::new(), |why| {
        format!("  {}", messages::broken_off(why))
    });
    let (method, target) = (messages::shown(method), messages::shown(target));
    format!(
        "{}  {from}  {method} {target}  {status}  {bytes}{broken}\n",
        now()
    )
}

/// `2026-11-25T18:03:09Z`.
fn now() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day since 1970: years begin in March here, so that the leap day is the last.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(11_017), (2000, 3, 1));
        assert_eq!(date(20_782), (2026, 11, 25));
    }
}
