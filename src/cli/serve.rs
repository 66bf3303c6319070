//! `serve`: the store as a registry, and as a web server for package repositories.

use carryall::base::utc;
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
        "packages": served.packages,
    });
    format!("{value}\n")
}

fn changed_json(served: &Served) -> String {
    let value = serde_json::json!({
        "event": "changed", "time": utc::now(), "images": served.names, "hosts": served.hosts, "findings": served.findings,
        "packages": served.packages,
    });
    format!("{value}\n")
}

fn json(line: &Answered) -> String {
    let value = serde_json::json!({
        "event": "request", "time": utc::now(), "from": line.from.to_string(), "method": line.method, "target": line.target,
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
        utc::now()
    )
}
