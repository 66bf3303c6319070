//! The bytes of release records never change: they are compared with golden files, and decoded by bincode itself.

use crate::testkit::golden::golden;

use bincode::Decode;
use carryall::base::envelope;
use carryall::base::id::{BlobId, ChunkId};
use carryall::content::recipe::{Blob, ChunkRef, Content, Recipe, RecipeOp, StreamRef};
use carryall::content::release::{
    EntryKind, Item, ItemKind, Meta, ReleaseName, ReleaseRoot, TreeEntry, Xattr,
};

fn chunk() -> ChunkRef {
    ChunkRef {
        bytes: 65_536,
        id: ChunkId([0xc1; 32]),
    }
}

fn stream(bytes: u64, depth: u8) -> StreamRef {
    let id = ChunkId([0x51 + depth; 32]);
    StreamRef { bytes, depth, id }
}

fn blob() -> Blob {
    let recipe = Recipe {
        side: stream(1536, 0),
        ops: stream(123_456, 1),
    };
    Blob {
        id: BlobId([0xb1; 32]),
        bytes: 1 << 33,
        recipe,
    }
}

fn meta() -> Meta {
    Meta {
        mode: 0o4755,
        uid: 1000,
        gid: 100,
        mtime_s: -1,
        mtime_ns: 999_999_999,
        xattrs: vec![Xattr {
            name: b"user.comment".to_vec(),
            value: vec![0, 0xff],
        }],
    }
}

fn entries() -> Vec<TreeEntry> {
    let kinds = [
        EntryKind::File {
            content: Content::Empty,
        },
        EntryKind::Dir,
        EntryKind::Symlink {
            target: b"../x".to_vec(),
        },
        EntryKind::HardLink { to: b"a".to_vec() },
        EntryKind::Fifo,
        EntryKind::CharDevice { rdev: 0x103 },
        EntryKind::BlockDevice { rdev: 0x800 },
    ];
    let with = |kind| TreeEntry {
        path: b"a/\xff".to_vec(),
        meta: meta(),
        kind,
    };
    kinds.into_iter().map(with).collect()
}

fn items() -> [Item; 2] {
    let file = ItemKind::File {
        content: Content::Blob(blob()),
    };
    let folder = ItemKind::Folder {
        entries: stream(99, 2),
        entry_count: 3,
        bytes: 4,
    };
    [file, folder].map(|kind| Item {
        name: b"item".to_vec(),
        meta: Meta::default(),
        kind,
    })
}

fn ops() -> [RecipeOp; 5] {
    [
        RecipeOp::Chunk(chunk()),
        RecipeOp::Side { bytes: 512 },
        RecipeOp::Blob(blob()),
        RecipeOp::Stream {
            bytes: 77,
            plain: Content::Chunk(chunk()),
            remake_bytes: 10,
            codec: 258,
        },
        RecipeOp::Kept { reason: 3 },
    ]
}

fn root(arch: Option<&str>) -> ReleaseRoot {
    ReleaseRoot {
        name: ReleaseName::new("team/shop", "1.0+rc", arch).unwrap(),
        manifest: stream(1000, 0),
        blobs: stream(0, 0),
        items: 2,
        bytes: 1 << 40,
    }
}

/// Records behind their lengths, as streams hold them.
fn records(bodies: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for body in bodies {
        out.extend_from_slice(&u32::try_from(body.len()).unwrap().to_le_bytes());
        out.extend_from_slice(&body);
    }
    out
}

mod plain {
    //! The same records, told to bincode.
    use super::Decode;

    #[derive(Decode, Debug)]
    pub struct ChunkRef {
        pub bytes: u32,
        pub id: [u8; 32],
    }
    #[derive(Decode, Debug)]
    pub struct StreamRef {
        pub bytes: u64,
        pub depth: u8,
        pub id: [u8; 32],
    }
    #[derive(Decode, Debug)]
    pub struct Blob {
        pub id: [u8; 32],
        pub bytes: u64,
        pub side: StreamRef,
        pub ops: StreamRef,
    }
    #[derive(Decode, Debug)]
    pub enum Content {
        Empty,
        Chunk(ChunkRef),
        Blob(Blob),
    }
    #[derive(Decode, Debug)]
    pub enum Op {
        Chunk(ChunkRef),
        Side {
            bytes: u64,
        },
        Blob(Blob),
        Deflate {
            bytes: u64,
            plain: Content,
            remake_bytes: u64,
            codec: u16,
        },
        Kept {
            reason: u16,
        },
    }
    #[derive(Decode, Debug)]
    pub struct Meta {
        pub mode: u32,
        pub uid: u32,
        pub gid: u32,
        pub mtime_s: i64,
        pub mtime_ns: u32,
        pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    }
    #[derive(Decode, Debug)]
    pub enum EntryKind {
        File(Content),
        Dir,
        Symlink(Vec<u8>),
        HardLink(Vec<u8>),
        Fifo,
        CharDevice(u64),
        BlockDevice(u64),
    }
    #[derive(Decode, Debug)]
    pub struct Entry {
        pub path: Vec<u8>,
        pub meta: Meta,
        pub kind: EntryKind,
    }
    #[derive(Decode, Debug)]
    pub enum ItemKind {
        File(Content),
        Folder(StreamRef, u64, u64),
    }
    #[derive(Decode, Debug)]
    pub struct Item {
        pub name: Vec<u8>,
        pub meta: Meta,
        pub kind: ItemKind,
    }
    #[derive(Decode, Debug)]
    pub struct ReleaseRoot {
        pub name: String,
        pub version: String,
        pub arch: Option<String>,
        pub manifest: StreamRef,
        pub blobs: StreamRef,
        pub items: u32,
        pub bytes: u64,
    }
}

fn decode_all<T: Decode<()>>(mut bytes: &[u8]) -> Vec<T> {
    let mut all = Vec::new();
    while !bytes.is_empty() {
        let len = u32::from_le_bytes(*bytes.first_chunk().unwrap()) as usize;
        let body = &bytes[4..4 + len];
        let (value, used) = bincode::decode_from_slice(body, bincode::config::legacy()).unwrap();
        assert_eq!(used, len);
        all.push(value);
        bytes = &bytes[4 + len..];
    }
    all
}

#[test]
fn roots_are_golden() {
    let roots = [root(None), root(Some("arm64"))];
    let bytes = golden(
        "release_roots.bin",
        &records(roots.iter().map(ReleaseRoot::encode)),
    );
    let decoded: Vec<plain::ReleaseRoot> = decode_all(&bytes);
    for (plain, root) in decoded.iter().zip(&roots) {
        assert_eq!(plain.name, root.name.name());
        assert_eq!(plain.version, root.name.version());
        assert_eq!(plain.arch.as_deref(), root.name.arch());
        assert_eq!(plain.manifest.id, root.manifest.id.0);
        assert_eq!(plain.blobs.bytes, 0);
        assert_eq!((plain.items, plain.bytes), (2, 1 << 40));
        assert_eq!(&ReleaseRoot::decode(&root.encode()).unwrap(), root);
    }
}

#[test]
fn items_are_golden() {
    let items = items();
    let bytes = golden("items.bin", &records(items.iter().map(envelope::encode)));
    let decoded: Vec<plain::Item> = decode_all(&bytes);
    assert!(
        decoded
            .iter()
            .all(|item| item.name == b"item" && item.meta.mode == 0)
    );
    let plain::ItemKind::File(plain::Content::Blob(file)) = &decoded[0].kind else {
        panic!("{decoded:?}");
    };
    assert_eq!((file.id, file.bytes), ([0xb1; 32], 1 << 33));
    assert_eq!((file.side.bytes, file.ops.depth), (1536, 1));
    assert!(matches!(&decoded[1].kind, plain::ItemKind::Folder(list, 3, 4) if list.depth == 2));
}

#[test]
fn entries_are_golden() {
    let entries = entries();
    let bytes = golden(
        "entries.bin",
        &records(entries.iter().map(envelope::encode)),
    );
    let decoded: Vec<plain::Entry> = decode_all(&bytes);
    for entry in &decoded {
        assert_eq!(entry.path, b"a/\xff");
        let meta = &entry.meta;
        assert_eq!((meta.mode, meta.uid, meta.gid), (0o4755, 1000, 100));
        assert_eq!((meta.mtime_s, meta.mtime_ns), (-1, 999_999_999));
        assert_eq!(meta.xattrs, [(b"user.comment".to_vec(), vec![0, 0xff])]);
    }
    assert!(matches!(
        &decoded[0].kind,
        plain::EntryKind::File(plain::Content::Empty)
    ));
    assert!(matches!(&decoded[1].kind, plain::EntryKind::Dir));
    assert!(matches!(&decoded[2].kind, plain::EntryKind::Symlink(target) if target == b"../x"));
    assert!(matches!(&decoded[3].kind, plain::EntryKind::HardLink(to) if to == b"a"));
    assert!(matches!(&decoded[4].kind, plain::EntryKind::Fifo));
    assert!(matches!(
        &decoded[5].kind,
        plain::EntryKind::CharDevice(0x103)
    ));
    assert!(matches!(
        &decoded[6].kind,
        plain::EntryKind::BlockDevice(0x800)
    ));
}

#[test]
fn steps_of_recipes_are_golden() {
    let bytes = golden("ops.bin", &records(ops().iter().map(envelope::encode)));
    let decoded: Vec<plain::Op> = decode_all(&bytes);
    assert!(matches!(&decoded[0], plain::Op::Chunk(c) if c.bytes == 65_536 && c.id == [0xc1; 32]));
    assert!(matches!(&decoded[1], plain::Op::Side { bytes: 512 }));
    assert!(matches!(&decoded[2], plain::Op::Blob(blob) if blob.ops.bytes == 123_456));
    let plain::Op::Deflate {
        bytes,
        plain,
        remake_bytes,
        codec,
    } = &decoded[3]
    else {
        panic!("{decoded:?}");
    };
    assert_eq!((*bytes, *remake_bytes, *codec), (77, 10, 258));
    assert!(matches!(plain, plain::Content::Chunk(c) if c.bytes == 65_536));
    assert!(matches!(&decoded[4], plain::Op::Kept { reason: 3 }));
}
