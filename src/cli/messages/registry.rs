//! Messages about registries.

use carryall::oci::image::Reference;
use carryall::oci::registry::pull::Pulled;
use carryall::oci::registry::push::NameState;
use carryall::oci::registry::server::ServeOptions;
use carryall::ops::publish::push::ReleasePushReport;
use carryall::ops::publish::serve::Served;

use super::repos::served_packages;
use super::{bytes, facts, grouped, hint_line, line, line_below, message, shown};

pub fn pulled(reference: &Reference, pulled: &Pulled) -> String {
    let reference = reference.to_string();
    let mut what = vec![message!("count-images", count = pulled.images)];
    if pulled.referrers > 0 {
        what.push(message!("count-referrers", count = pulled.referrers));
    }
    let size = bytes(pulled.bytes);
    what.push(match pulled.known_bytes {
        0 => size,
        known => message!("pulled-known", size, known = bytes(known)),
    });
    let first = line(message!("pulled", reference, what = facts(&what)));
    first + &format!("  {}\n", pulled.root.digest)
}

/// What became of a name that was pushed.
pub fn name_state(state: NameState) -> String {
    match state {
        NameState::Pushed => message!("push-pushed"),
        NameState::There => message!("push-there"),
        NameState::Only => message!("push-only-platform"),
        NameState::Refused => message!("push-refused"),
    }
}

pub fn pushed(report: &ReleasePushReport) -> String {
    let (release, to) = (report.release.to_string(), &report.pushed);
    let (registry, sent) = (&to.registry, to.pushed_blobs);
    let there = to.there_blobs + to.mounted_blobs;
    let (sent_bytes, there_bytes) = (bytes(to.pushed_bytes), bytes(to.there_bytes));
    line(message!(
        "pushed",
        release,
        registry,
        sent,
        sent_bytes,
        there,
        there_bytes
    ))
}

/// Something is not in the registry that was asked for.
pub fn hint_left_out(report: &ReleasePushReport) -> String {
    let has = |code: &str| report.findings.iter().any(|finding| finding.code() == code);
    hint_line(&if has("name.other_host") {
        message!("hint-push-other-host")
    } else if has("name.none") {
        message!("hint-push-nameless")
    } else {
        message!("hint-push-left-out")
    })
}

/// Why an answer ended early.
pub fn broken_off(why: &str) -> String {
    message!("serve-broken-off", why)
}

/// What is served and where, and the lines that containerd and docker need.
pub fn ready(served: &Served, address: &str, options: &ServeOptions, rows: usize) -> String {
    let scheme = if options.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let images = what_of(served);
    let url = format!("{scheme}://{address}");
    let mut out = line(message!("serve-ready", images, url));
    out += &names_of(served, &format!("{address}/"), rows);
    out += &served_packages(&served.packages, &url, rows);
    if served.names.is_empty() {
        return out;
    }
    out + &containerd(served, address, scheme) + &docker(address, options)
}

/// What is served now, after something came or went.
pub fn served_now(served: &Served, rows: usize) -> String {
    let images = what_of(served);
    let images = line(message!("serve-now", images)) + &names_of(served, "", rows);
    images + &served_packages(&served.packages, "", rows)
}

/// How much is served: images, or package repositories where there is no image.
fn what_of(served: &Served) -> String {
    match served.packages.len() {
        count if count > 0 && served.names.is_empty() => {
            message!("count-package-repositories", count)
        }
        _ => message!("count-images", count = served.names.len()),
    }
}

fn names_of(served: &Served, before: &str, rows: usize) -> String {
    let count = served.names.len();
    let mut out = String::new();
    for name in served.names.iter().take(rows) {
        out += &format!("  {before}{}\n", shown(name));
    }
    if count > rows {
        out += &line_below(message!("more", count = count - rows));
    }
    out
}

/// The lines of hosts.toml, for each host that images came from.
fn containerd(served: &Served, address: &str, scheme: &str) -> String {
    let mut hosts: Vec<_> = served.hosts.iter().map(|host| shown(host)).collect();
    if hosts.is_empty() {
        hosts.push(address.into());
    }
    let ca = match scheme {
        "https" => "  ca = \"/etc/containerd/certs.d/ca.pem\"\n",
        _ => "",
    };
    let mut out = String::new();
    for host in hosts {
        out += &format!("\ncontainerd: /etc/containerd/certs.d/{host}/hosts.toml\n");
        out += &format!(
            "[host.\"{scheme}://{address}\"]\n  capabilities = [\"pull\", \"resolve\"]\n{ca}"
        );
    }
    out
}

fn docker(address: &str, options: &ServeOptions) -> String {
    let mut out = String::from("\n");
    if options.tls.is_some() {
        out += &line(message!("serve-docker-certificate", address));
    } else {
        out += &line(message!("serve-docker-insecure"));
        out += &format!("{{ \"insecure-registries\": [\"{address}\"] }}\n");
    }
    if options.passwords.is_some() {
        out += &format!("docker login {address}\n");
    }
    out
}

/// Lines of the log that nobody read in time.
pub fn lines_left_out(count: u64) -> String {
    line(match count {
        1 => message!("log-line-left-out"),
        more => message!("log-lines-left-out", digits = grouped(more)),
    })
}
