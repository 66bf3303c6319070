//! Words about registries.

use carryall::base::saying::Template;
use carryall::oci::image::{Reference, sayings};
use carryall::oci::registry::RegistryError;
use carryall::oci::registry::pull::Pulled;
use carryall::oci::registry::server::ServeOptions;
use carryall::ops::publish::push::ReleasePushReport;
use carryall::ops::publish::serve::Served;

use super::{bytes, pick, plural, shown, shown_path};

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

pub fn mapped_twice(host: &str) -> String {
    pick(
        format!("{host} is mapped twice, to different places"),
        format!("{host} 被映射到了两个不同的位置"),
    )
}

pub fn hint_no_such_host() -> &'static str {
    pick(
        "`carryall show RELEASE` lists the names; docker.io is the host of those that have none",
        "carryall show 发布包 可列出名称；没有写主机的名称，其主机是 docker.io",
    )
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

pub fn hint_registry_address() -> &'static str {
    pick(
        "give it as HOST[:PORT][/PREFIX], for example registry.site:5000/shop",
        "请写作 主机[:端口][/前缀]，例如 registry.site:5000/shop",
    )
}

pub fn hint_no_images() -> &'static str {
    pick(
        "`carryall show RELEASE` lists the images of a release; images without a name cannot be pushed or served",
        "carryall show 发布包 可列出镜像；没有名称的镜像不能推送，也不能提供",
    )
}

pub fn one_stream() -> &'static str {
    pick(
        "there is one standard input: give - once",
        "标准输入只有一个：- 只能出现一次",
    )
}

pub fn terminal_stdin() -> &'static str {
    pick(
        "- is standard input, and that is this terminal: pipe something into it",
        "- 表示标准输入，而现在它是终端：请用管道输入数据",
    )
}

pub fn one_name() -> &'static str {
    pick(
        "--name is for one item, and several are given",
        "--name 只能用于一个项目，而这里给出了多个",
    )
}

pub fn hint_names() -> &'static str {
    pick(
        "name each item as NAME=PATH, NAME=docker://REF or NAME=-",
        "请逐个命名：名称=路径、名称=docker://REF 或 名称=-",
    )
}

pub fn hint_reference() -> &'static str {
    pick(
        "a reference is docker://HOST[:PORT]/REPOSITORY:TAG, or ...@sha256:DIGEST",
        "镜像引用写作 docker://主机[:端口]/仓库:标签，或 ……@sha256:摘要",
    )
}

/// What to do when a registry does not do as it should.
pub fn hint_registry(error: &RegistryError) -> &'static str {
    match error {
        RegistryError::Unreachable { .. } => pick(
            "is the registry running, and its address right? The same command goes on where this one ended; --plain-http is for registries without TLS",
            "镜像仓库在运行吗？地址对吗？重新运行同一命令会从中断处继续；没有 TLS 的镜像仓库请加 --plain-http",
        ),
        RegistryError::Tls { .. } => pick(
            "give the registry's root certificate with --ca FILE.pem, or --plain-http when it has no TLS",
            "请用 --ca 文件.pem 给出镜像仓库的根证书；没有 TLS 时用 --plain-http",
        ),
        RegistryError::Denied { .. } | RegistryError::Credentials { .. } => pick(
            "log in with `docker login HOST` or `podman login --authfile ~/.docker/config.json HOST`: credentials are taken from docker's config file",
            "请先 docker login 主机 或 podman login --authfile ~/.docker/config.json 主机：凭据取自 docker 的配置文件",
        ),
        RegistryError::Absent { .. } => pick(
            "check the repository and the tag: is the name spelt right, was it pushed?",
            "请检查仓库名和标签：拼写对吗？推送过吗？",
        ),
        RegistryError::Refused { status: 429, .. } => pick(
            "the registry wants a pause: run the same command later, it goes on where this one ended; logging in often raises the limit",
            "镜像仓库限制了访问频率：稍后重新运行同一命令即可继续；登录后限额通常更高",
        ),
        RegistryError::Refused { status: 500.., .. } => pick(
            "the registry has troubles of its own: look into its log, then run the same command, it goes on where this one ended",
            "镜像仓库自身出错：请查看其日志，然后重新运行同一命令，会从中断处继续",
        ),
        RegistryError::Mismatch { .. } | RegistryError::Length { .. } => pick(
            "nothing of it was kept: run the same command again; when it stays so, the registry or a proxy before it is damaged",
            "错误的数据没有保留：请重新运行同一命令；若仍如此，则镜像仓库或其代理已损坏",
        ),
        RegistryError::NoPlatform { .. } => pick(
            "choose one of these with --platform, or leave it out for all",
            "请用 --platform 选择其中之一；不写则全部",
        ),
        RegistryError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            pick(
                "free some space and run the same command again: what came is kept and it goes on from there",
                "请释放空间后重新运行同一命令：已取得的部分会保留，从中断处继续",
            )
        }
        RegistryError::NoSpace { .. } => pick(
            "free some space, or name another store with --store DIR",
            "请释放空间，或用 --store 目录 指定另一个仓库",
        ),
        RegistryError::Listen { .. } => pick(
            "choose another address or port with --listen ADDRESS:PORT",
            "请用 --listen 地址:端口 选择别的地址或端口",
        ),
        _ => super::hint_generic(),
    }
}

/// What failed, in Chinese.
pub fn chinese_registry(error: &RegistryError) -> String {
    match error {
        RegistryError::Unreachable { host, what, source } => {
            format!("{host} 没有应答：{what}：{source}")
        }
        RegistryError::Tls { host, source } => format!("{host} 不可信或不支持 TLS：{source}"),
        RegistryError::Denied {
            host,
            what,
            message,
        } => format!("{host} 拒绝访问：{what}：{message}"),
        RegistryError::Absent { host, what } => format!("{host} 没有 {what}"),
        RegistryError::Refused {
            host,
            what,
            status,
            message,
        } => {
            format!("{host} 返回 {status}：{what}：{message}")
        }
        RegistryError::Mismatch { what, got } => format!("{what}：内容与摘要不符，得到的是 {got}"),
        RegistryError::NoPlatform { what, wanted, has } => {
            format!("{what} 没有 {wanted} 的镜像；有 {}", has.join("、"))
        }
        RegistryError::NoSpace {
            path,
            free_bytes,
            needed_bytes,
        } => format!(
            "{} 只有 {} 可用空间，需要 {}",
            shown_path(path),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        RegistryError::Length {
            what,
            bytes,
            got_bytes,
        } => format!("{what}：收到 {got_bytes} 字节，而声明的是 {bytes} 字节"),
        RegistryError::TooLarge { what, limit } => format!("{what} 太大：上限是 {limit}"),
        RegistryError::Corrupt { what, why } => format!("{what} 有误：{why}"),
        RegistryError::Source { what, source } => format!("{what} 在本地无法读取：{source}"),
        RegistryError::Credentials { why } => format!("凭据有误：{why}"),
        RegistryError::Io { path, source } => format!("{}：{source}", shown_path(path)),
        RegistryError::Listen { address, source } => format!("无法监听 {address}：{source}"),
        RegistryError::Interrupted(_) => "已中断".to_owned(),
    }
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
