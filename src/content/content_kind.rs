//! The kind of a content, detected from its first bytes or its name. Frames group contents of one kind.
//!
//! The kind decides only order and filters. A wrong guess costs bytes and never correctness.

use serde::Serialize;

/// A kind of content. Its number stands in frame headers and is the sort order of chunks within a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum ContentKind {
    /// Recipes, manifests and lists of chunks.
    Meta = 0,
    /// Headers of tars.
    TarHeaders = 1,
    /// Text in no language below.
    Text = 2,
    /// Python source.
    Python = 3,
    /// JavaScript and TypeScript.
    Js = 4,
    /// Compiled Python.
    PyCache = 5,
    /// Code for x86-64.
    ElfX86_64 = 6,
    /// Code for arm64.
    ElfArm64 = 7,
    /// Already compressed.
    Packed = 8,
    /// Anything else.
    Other = 9,
    /// JSON, source maps, YAML, TOML and their like.
    Data = 10,
    /// HTML, XML, CSS, SVG, Markdown.
    Markup = 11,
    /// C and C++ source and headers.
    C = 12,
    /// Java classes.
    Java = 13,
    /// Message catalogs, time zones, terminal descriptions and other small binary tables.
    Tables = 14,
}

impl ContentKind {
    /// All kinds, by number.
    pub const ALL: [Self; 15] = [
        Self::Meta,
        Self::TarHeaders,
        Self::Text,
        Self::Python,
        Self::Js,
        Self::PyCache,
        Self::ElfX86_64,
        Self::ElfArm64,
        Self::Packed,
        Self::Other,
        Self::Data,
        Self::Markup,
        Self::C,
        Self::Java,
        Self::Tables,
    ];

    /// Detects the kind of a file from its name (any path, any encoding) and the first bytes of its content.
    pub fn of(name: &[u8], head: &[u8]) -> Self {
        by_magic(head)
            .or_else(|| by_extension(name))
            .unwrap_or_else(|| {
                if looks_like_text(head) {
                    Self::Text
                } else {
                    Self::Other
                }
            })
    }

    /// Returns whether this is machine code.
    pub fn is_code(self) -> bool {
        matches!(self, Self::ElfX86_64 | Self::ElfArm64)
    }

    /// Returns the kind with this number. An unknown number gives [`ContentKind::Other`], because the kind is only a
    /// hint.
    pub(crate) fn from_number(number: u8) -> Self {
        Self::ALL
            .get(usize::from(number))
            .copied()
            .unwrap_or(Self::Other)
    }
}

fn by_magic(head: &[u8]) -> Option<ContentKind> {
    const PACKED: [&[u8]; 17] = [
        b"\x1f\x8b",
        b"PK\x03\x04",
        b"\xfd7zXZ\0",
        b"BZh",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"\x89PNG\r\n",
        b"\xff\xd8\xff",
        b"GIF8",
        b"wOFF",
        b"wOF2",
        b"\x04\x22\x4d\x18",
        b"OggS",
        b"ID3",
        b"Rar!",
        b"Obj\x01",
        b"\x5d\0\0\x80\0",
    ];
    if head.starts_with(b"\x7fELF") {
        return Some(match head.get(18..20) {
            Some([62, 0]) => ContentKind::ElfX86_64,
            Some([183, 0]) => ContentKind::ElfArm64,
            _ => ContentKind::Other,
        });
    }
    if PACKED.iter().any(|magic| head.starts_with(magic))
        || (head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP"))
    {
        return Some(ContentKind::Packed);
    }
    if head.starts_with(b"\xca\xfe\xba\xbe") {
        return Some(ContentKind::Java);
    }
    if head.starts_with(b"\xde\x12\x04\x95") || head.starts_with(b"TZif") {
        return Some(ContentKind::Tables);
    }
    // Compiled Python begins with a 16-bit version, then CR LF.
    if head.get(2..4) == Some(b"\r\n") && head.get(1) == Some(&0x0d) {
        return Some(ContentKind::PyCache);
    }
    None
}

fn by_extension(name: &[u8]) -> Option<ContentKind> {
    let base = name.rsplit(|byte| *byte == b'/').next()?;
    let dot = base.iter().rposition(|byte| *byte == b'.')?;
    let extension = base[dot + 1..].to_ascii_lowercase();
    Some(match extension.as_slice() {
        b"py" | b"pyi" | b"pyx" | b"pxd" => ContentKind::Python,
        b"js" | b"mjs" | b"cjs" | b"ts" | b"mts" | b"cts" | b"jsx" | b"tsx" | b"coffee" => {
            ContentKind::Js
        }
        b"pyc" | b"pyo" => ContentKind::PyCache,
        b"json" | b"map" | b"yaml" | b"yml" | b"toml" | b"csv" | b"lock" | b"ini" | b"cfg" => {
            ContentKind::Data
        }
        b"html" | b"htm" | b"xml" | b"css" | b"scss" | b"less" | b"svg" | b"md" | b"markdown"
        | b"rst" | b"tmpl" => ContentKind::Markup,
        b"c" | b"h" | b"cc" | b"cpp" | b"hpp" | b"hh" | b"cxx" | b"hxx" | b"inc" => ContentKind::C,
        b"class" => ContentKind::Java,
        b"mo" | b"gmo" => ContentKind::Tables,
        b"gz" | b"tgz" | b"zip" | b"jar" | b"war" | b"whl" | b"xz" | b"bz2" | b"zst" | b"png"
        | b"jpg" | b"jpeg" | b"gif" | b"webp" | b"woff" | b"woff2" | b"mp3" | b"mp4" | b"7z"
        | b"lz4" | b"br" => ContentKind::Packed,
        b"txt" | b"sh" | b"pl" | b"pm" | b"rb" | b"go" | b"rs" | b"sql" | b"conf" | b"list"
        | b"md5sums" | b"control" | b"el" | b"lua" | b"tcl" | b"vim" => ContentKind::Text,
        _ => return None,
    })
}

fn looks_like_text(head: &[u8]) -> bool {
    let sample = &head[..head.len().min(512)];
    !sample.is_empty()
        && sample
            .iter()
            .all(|byte| *byte >= 0x20 || matches!(byte, b'\n' | b'\r' | b'\t' | 0x0c | 0x1b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_comes_before_the_name() {
        let mut elf = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0".to_vec();
        assert_eq!(
            ContentKind::of(b"usr/lib/a.py", &elf),
            ContentKind::ElfX86_64
        );
        elf[18] = 183;
        assert_eq!(ContentKind::of(b"a", &elf), ContentKind::ElfArm64);
        assert_eq!(
            ContentKind::of(b"a.txt", b"\x1f\x8b\x08"),
            ContentKind::Packed
        );
        assert_eq!(
            ContentKind::of(b"x/a.PY", b"import os"),
            ContentKind::Python
        );
        assert_eq!(
            ContentKind::of(b"LICENSE", b"Permission is granted"),
            ContentKind::Text
        );
        assert_eq!(ContentKind::of(b"\xff.\xfe", b"\0\0"), ContentKind::Other);
        assert_eq!(
            ContentKind::of(b"a/__pycache__/b.cpython-311.pyc", b"\xa7\x0d\x0d\x0a"),
            ContentKind::PyCache
        );
        assert_eq!(ContentKind::of(b"", b""), ContentKind::Other);
    }

    #[test]
    fn every_class_has_its_number() {
        for (number, class) in (0_u8..).zip(ContentKind::ALL) {
            assert_eq!(class as u8, number);
            assert_eq!(ContentKind::from_number(number), class);
        }
        assert_eq!(ContentKind::from_number(200), ContentKind::Other);
    }
}
