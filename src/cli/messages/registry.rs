//! Words about registries.

use carryall::base::saying::Template;
use carryall::oci::image::{Reference, sayings};
use carryall::oci::registry::pull::Pulled;
use carryall::oci::registry::server::ServeOptions;
use carryall::ops::publish::push::ReleasePushReport;
use carryall::ops::publish::serve::Served;

use super::{bytes, pick, plural, shown};

pub fn pulled(reference: &Reference, pulled: &Pulled) -> String {
    let (images, referrers) = (pulled.images, pulled.referrers);
    let (all, digest) = (bytes(pulled.bytes), &pulled.root.digest);
    let about = match referrers {
        0 => String::new(),
        count => pick(
            format!(
                ", {count} signature{} or other referrers",
                plural(count as u64)
            ),
            format!("，{count} 个签名等附属对象"),
        ),
    };
    let known = match pulled.known_bytes {
        0 => String::new(),
        known => pick(
            format!(" ({} of it was here already)", bytes(known)),
            format!("（其中 {} 已在本地）", bytes(known)),
        ),
    };
    let s = plural(images as u64);
    pick(
        format!("pulled {reference}: {images} image{s}{about}, {all}{known}\n  {digest}\n"),
        format!("已拉取 {reference}：{images} 个镜像{about}，{all}{known}\n  {digest}\n"),
    )
}

pub fn pushed(report: &ReleasePushReport) -> String {
    let (release, to) = (&report.release, &report.pushed);
    let (registry, sent, there) = (
        &to.registry,
        to.pushed_blobs,
        to.there_blobs + to.mounted_blobs,
    );
    let (sent_bytes, there_bytes) = (bytes(to.pushed_bytes), bytes(to.there_bytes));
    let s = plural(sent);
    pick(
        format!(
            "{release}: pushed {sent} blob{s}, {sent_bytes}, to {registry}; {there} were there, {there_bytes}\n"
        ),
        format!(
            "{release}：已向 {registry} 推送 {sent} 个数据块，{sent_bytes}；{there} 个已存在，{there_bytes}\n"
        ),
    )
}

/// Something is not in the registry that was asked for.
pub fn hint_left_out(report: &ReleasePushReport) -> String {
    let is_of = |template: Template| {
        let mut findings = report.findings.iter();
        findings.any(|finding| finding.is_said_by(template))
    };
    let text = if is_of(sayings::OTHER_HOST) {
        pick(
            "images whose names differ in the host alone need one name each: --keep-host keeps the hosts, --map HOST=PREFIX gives one a place of its own; the rest is in the registry, and whole",
            "仅主机不同的镜像需要各自的名称：--keep-host 保留主机，--map 主机=前缀 为某个主机指定位置；其余内容已进入镜像仓库，且完整",
        )
    } else if is_of(sayings::NAMELESS) {
        pick(
            "an image without a name can be given one: `push ... --image DIGEST --as NAME:TAG`; the rest is in the registry, and whole",
            "没有名称的镜像可以命名：push …… --image 摘要 --as 名称:标签；其余内容已进入镜像仓库，且完整",
        )
    } else {
        pick(
            "what is marked above is not in the registry under its name; the rest is, and whole",
            "上面标出的内容没有以其名称进入镜像仓库；其余内容完整",
        )
    };
    format!("{}: {text}\n", super::hint_label())
}

/// Why an answer ended early.
pub fn broken_off() -> &'static str {
    pick("broken off", "中断")
}

/// What is served and where, and the lines that containerd and docker need.
pub fn ready(served: &Served, address: &str, options: &ServeOptions, rows: usize) -> String {
    let count = served.names.len();
    let scheme = if options.tls.is_some() {
        "https"
    } else {
        "http"
    };
    let s = plural(count as u64);
    let mut out = pick(
        format!("serving {count} image{s} at {scheme}://{address} (Ctrl-C ends it)\n"),
        format!("正在 {scheme}://{address} 提供 {count} 个镜像（Ctrl-C 结束）\n"),
    );
    out += &names_of(served, &format!("{address}/"), rows);
    out + &containerd(served, address, scheme) + &docker(address, options)
}

/// What is served now, after something came or went.
pub fn served_now(served: &Served, rows: usize) -> String {
    let count = served.names.len();
    let s = plural(count as u64);
    let head = pick(
        format!("serving {count} image{s} from now on\n"),
        format!("现在提供 {count} 个镜像\n"),
    );
    head + &names_of(served, "", rows)
}

fn names_of(served: &Served, before: &str, rows: usize) -> String {
    let count = served.names.len();
    let mut out = String::new();
    for name in served.names.iter().take(rows) {
        out += &format!("  {before}{}\n", shown(name));
    }
    if count > rows {
        let hidden = count - rows;
        out += &pick(
            format!("  ... and {hidden} more (-v shows all)\n"),
            format!("  ……另有 {hidden} 个（-v 可全部显示）\n"),
        );
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
    let mut out = if options.tls.is_some() {
        pick(
            format!(
                "\ndocker: the root certificate goes to /etc/docker/certs.d/{address}/ca.crt\n"
            ),
            format!("\ndocker: 根证书放到 /etc/docker/certs.d/{address}/ca.crt\n"),
        )
    } else {
        let then = pick("then", "然后");
        format!(
            "\ndocker: /etc/docker/daemon.json, {then} systemctl reload docker\n{{ \"insecure-registries\": [\"{address}\"] }}\n"
        )
    };
    if options.passwords.is_some() {
        out += &format!("docker login {address}\n");
    }
    out
}

/// Lines of the log that nobody read in time.
pub fn lines_left_out(count: u64) -> String {
    let digits = super::grouped(count);
    pick(
        format!(
            "({digits} line{} of the log left out: they were not read in time)\n",
            super::plural(count)
        ),
        format!("（日志未能及时读取，已略去 {digits} 行）\n"),
    )
}
