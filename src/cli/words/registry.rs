//! Words about registries.

use carryall::image::Reference;
use carryall::registry::RegistryError;
use carryall::registry::pull::Pulled;

use super::{bytes, pick, plural};

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

pub fn one_stream() -> &'static str {
    pick(
        "there is one standard input: give - once",
        "标准输入只有一个：- 只能出现一次",
    )
}

pub fn one_name() -> &'static str {
    pick(
        "--name is for one docker://REF or one -; files and folders have their own names",
        "--name 只能用于一个 docker://REF 或一个 -；文件和目录用自己的名字",
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

/// What failed, in Chinese, for what people meet most.
pub fn chinese_registry(error: &RegistryError) -> Option<String> {
    Some(match error {
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
            path.display(),
            bytes(*free_bytes),
            bytes(*needed_bytes)
        ),
        _ => return None,
    })
}
