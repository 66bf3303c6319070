//! What the library says of images, in Chinese.

use carryall::base::saying::{Saying, Template};
use carryall::oci::image::sayings as of;
use carryall::ops::maintain::check::{READY_DAMAGED, ROOTS_GONE};
use carryall::ops::{ROOT_DAMAGED, ROOT_MISNAMED};
use carryall::store::{CANNOT_BE_READ, QUARANTINE_LOST};

use super::is_chinese;

/// A sentence of the library in the person's language.
pub fn said(saying: &Saying) -> String {
    if is_chinese() {
        in_chinese(saying)
    } else {
        saying.to_string()
    }
}

/// A sentence of the library in Chinese.
pub fn in_chinese(saying: &Saying) -> String {
    saying.in_words(&chinese)
}

/// The Chinese words for a template.
fn chinese(template: Template) -> Option<&'static str> {
    let found = WORDS.iter().find(|(english, _)| *english == template);
    found.map(|(_, chinese)| *chinese)
}

const WORDS: &[(Template, &str)] = &[
    (READY_DAMAGED, "留存备用的副本已损坏；需要时会重新生成"),
    (CANNOT_BE_READ, "目前无法读取：{0}"),
    (
        QUARANTINE_LOST,
        "损坏数据的记录本身已损坏；运行 carryall check --data 可重新生成",
    ),
    (
        ROOT_DAMAGED,
        "根记录已损坏，内容不明：{0}；请重新接收，或用 carryall rm {1} 从仓库移除",
    ),
    (ROOT_MISNAMED, "它其实是 {0} 的根记录"),
    (
        ROOTS_GONE,
        "仓库里有数据包，但存放所有发布包根记录的目录不见了：是否有磁盘没有挂载？",
    ),
    (of::TEXT, "{0}"),
    (of::IT, "{0} {1}"),
    (of::AND, "{0} 和 {1}"),
    (of::CONFIG, "配置 {0}"),
    (of::LAYER, "层 {0}"),
    (of::ABSENT, "不在归档中"),
    (of::TWICE, "在归档中出现两次，内容不同"),
    (of::OUTSIDE, "指向归档之外"),
    (of::LINKS, "是没有去处的链接"),
    (of::CLOSED, "无法展开查看：{0}"),
    (
        of::PACKED,
        "整体用 {0} 压缩，未展开查看：其中有哪些镜像不得而知",
    ),
    (of::TOO_DEEP, "未展开查看：归档太多，或嵌套太深"),
    (of::MORE_HOLDERS, "其中的归档和目录太多，没有全部查看"),
    (of::MORE_FILES, "文件超过 {0} 个：只查看了前面的"),
    (of::NO_INDEX, "index.json 不是镜像索引"),
    (of::LONG_DOCUMENT, "{0} 超过可读取的 4 MiB"),
    (
        of::LONG_METADATA,
        "metadata.json 超过可读取的 32 MiB：是否为应用包不得而知",
    ),
    (of::UNREADABLE_DOCUMENT, "{0} 无法读取：{1}"),
    (of::LONG, "超过可读取的 4 MiB"),
    (of::UNREADABLE, "无法读取：{0}"),
    (
        of::WRONG_SIZE,
        "有 {0} 字节，而清单写的是 {1}：摘要正确，照常使用",
    ),
    (of::BYTES, "有 {0} 字节，而声明的是 {1} 字节"),
    (of::MISMATCH, "与摘要不符：实际是 {0}"),
    (of::NO_CONFIG, "不是镜像配置：{0}"),
    (of::BAD_DIFF_ID, "其中有一个 diff id 不是摘要"),
    (of::LAYERS_DOCKER, "有 {0} 层，而 manifest.json 里有 {1} 层"),
    (of::LAYERS_CONFIG, "有 {0} 层，而其配置里有 {1} 层"),
    (of::TOO_MANY_INDEXES, "所在的索引嵌套太深，或清单太多"),
    (of::NO_DIGEST, "不是摘要"),
    (of::NO_MANIFEST, "不是清单：{0}"),
    (of::UNKNOWN_MANIFEST, "不是已知类型的清单"),
    (of::WITHOUT_CONFIG, "没有配置"),
    (of::MORE_IMAGES, "未计入：镜像数量超过上限"),
    (of::TWO_IMAGES, "是两个镜像的名称：{0} 和 {1}"),
    (of::MIXED, "混有多种平台：其中有 {0} 的组件或镜像"),
    (of::LACKING, "{1} 的镜像 {0} 不在包里"),
    (
        of::TWINS,
        "是 {0} {1}，但与 {2} 内容不同：同一版本有两种内容",
    ),
    (of::BAD_NAME, "的名称不被任何镜像仓库接受：{0}"),
    (of::NAMELESS, "镜像 {0} 没有名称，已略去"),
    (
        of::SECOND,
        "同一名称和平台有两种内容：采用 {0}，另一个已略去",
    ),
    (
        of::BY_DIGEST,
        "同一名称有两种内容：采用 {0}，{1} 只能按摘要取用",
    ),
    (
        of::OTHER_HOST,
        "去掉主机后与另一个镜像 {0} 同名：采用后者，此镜像已略去",
    ),
    (
        of::BY_HOST,
        "按其主机请求时（containerd 即如此）提供；不带主机时，此名称是 {0}",
    ),
    (of::OLDER, "采用 {0} 中的内容；{1} 中的 {2} 只能按摘要取用"),
    (of::ORPHAN, "所指的 {0} 没有以名称出现：已略去"),
    (of::OF_INDEX, "所指的 {0} 是全部平台的索引：已随之略去"),
    (
        of::UNNAMED,
        "docker 不接受这样的名称：镜像仍在，但没有此名称",
    ),
    (of::NOT_WORKING, "已安装但不能用：{0}；改用 {1}"),
    (of::LEFT, "现有（本次载入或原有）：{0}"),
    (of::NOTHING_LEFT, "没有其中任何名称的镜像：没有留下任何内容"),
    (of::LOST, "该镜像已丢失：{0}"),
    (
        of::NOT_RUNNABLE,
        "{0} 不是由层组成的镜像，docker 归档无法容纳",
    ),
    (of::NO_BLOB, "{0}：发布包里没有数据块 {1}"),
    (of::BLOB_MISMATCH, "数据块 {0} 与摘要不符：实际是 {1}"),
    (of::BLOB, "数据块 {0}：{1}"),
    (of::ARCHIVE, "无法写出归档：{0}"),
    (of::CHUNK, "数据块 {0} 无法读取：{1}"),
    (of::NO_CHUNK, "缺少数据块 {0}"),
    (of::CORRUPT, "{0} 已损坏"),
    (of::NEWER, "需要更新版本的 carryall：{0}"),
    (of::REBUILT, "还原出的内容不符：应为 {0}"),
    (of::REMAKE, "{0} 中的压缩流无法重新生成：{1}"),
    (of::BAD_HOST, "不是主机：应写作 主机[:端口]"),
    (
        of::BAD_REPOSITORY,
        "不是仓库名：应由 a-z、0-9、'.'、'_'、'-' 组成的小写单词，以 '/' 连接",
    ),
    (
        of::BAD_TAG,
        "不是标签：最多 128 个字母、数字、'_'、'.' 和 '-'",
    ),
    (
        of::BAD_DIGEST,
        "@ 之后不是摘要（sha256: 加 64 个十六进制数字）",
    ),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn everything_that_is_said_of_images_has_chinese_words() {
        let places = |text: &str| {
            let places = (0..10).filter(|place| text.contains(&format!("{{{place}}}")));
            places.collect::<Vec<_>>()
        };
        for template in of::ALL {
            let english = template.english();
            let words = chinese(*template);
            let words = words.unwrap_or_else(|| panic!("no Chinese for {english:?}"));
            assert_eq!(places(words), places(english), "{english:?}");
            let has_words = english.contains(|letter: char| letter.is_ascii_lowercase());
            assert!(!has_words || !words.is_ascii(), "{english:?}");
        }
        for (number, (template, _)) in WORDS.iter().enumerate() {
            let again = WORDS[number + 1..]
                .iter()
                .any(|(other, _)| other == template);
            assert!(!again, "{:?} has words twice", template.english());
        }
        let saying = of::IT
            .saying_that(of::CONFIG.with("x"))
            .saying_that(of::BYTES.with(1).with(2));
        assert_eq!(in_chinese(&saying), "配置 x 有 1 字节，而声明的是 2 字节");
    }

    #[test]
    fn nothing_is_said_of_images_in_english_alone() {
        let src = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let named = [
            "ops/publish/load/mod.rs",
            "ops/publish/push.rs",
            "ops/publish/serve.rs",
            "ops/maintain/show.rs",
            "ops/checkout/images.rs",
        ];
        let mut files: Vec<_> = named.iter().map(|name| src.join(name)).collect();
        let mut folders = vec![
            src.join("oci/image"),
            src.join("ops/publish/repositories"),
            src.join("oci/registry"),
        ];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        assert!(files.len() > 40);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for word in [
                "Finding::note(",
                "Finding::loss(",
                "Finding::damage(",
                "Finding::new(",
            ] {
                assert!(!text.contains(word), "{} has {word}", file.display());
            }
        }
    }
}
