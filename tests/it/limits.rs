//! Limits, from both sides: what is at a limit is taken in and given back; what is beyond is refused by name, before work is
//! done for what it claims.

use crate::testkit::evil::{self, meta};
use crate::testkit::packed;
use crate::testkit::stage::Stage;

use std::path::Path;
use std::process::Command;

use carryall::base::id::{BlobId, ChunkId};
use carryall::base::limits::{PATH_DEPTH_MAX, PLAIN_CHUNK_RATIO_MAX, PLAIN_FREE_BYTES, TABLE};
use carryall::base::monitor::Silent;
use carryall::bundle::{Catalog, CatalogFrame, CatalogRelease};
use carryall::content::chunk::CHUNK_MAX;
use carryall::content::content_kind::ContentKind;
use carryall::content::frame::{FrameOptions, encode_frame};
use carryall::content::recipe::stream::StreamWriter;
use carryall::content::recipe::{
    Blob, ChunkRef, ChunkSink, Content, DEFLATE_CODEC, Recipe, RecipeError, RecipeOp, StreamRef,
};
use carryall::content::release::{EntryKind, Item, ItemKind, ReleaseRoot, TreeEntry};
use carryall::ops::checkout::{CheckoutOptions, ItemState, checkout};
use carryall::ops::receive::receive;
use carryall::store::Store;
use packed::{Site, noise};
use tempfile::TempDir;

/// Chunks of a set that is made by hand.
#[derive(Default)]
struct Chunks(Vec<(ChunkId, Vec<u8>)>);

impl ChunkSink for Chunks {
    fn put(&mut self, plain: &[u8], _: ContentKind) -> Result<ChunkId, RecipeError> {
        let id = ChunkId::of(plain);
        if self.0.iter().all(|(other, _)| *other != id) {
            self.0.push((id, plain.to_vec()));
        }
        Ok(id)
    }
}

impl Chunks {
    fn noise(&mut self, seed: u64, bytes: usize) -> ChunkRef {
        let plain = noise(seed, bytes);
        let id = self.put(&plain, ContentKind::Other).unwrap();
        let bytes = u32::try_from(bytes).unwrap();
        ChunkRef { bytes, id }
    }

    fn ops(&mut self, ops: impl IntoIterator<Item = RecipeOp>) -> StreamRef {
        let mut stream = StreamWriter::new(ContentKind::Meta);
        ops.into_iter()
            .for_each(|op| stream.write_record(self, &op).unwrap());
        stream.finish(self).unwrap()
    }

    /// A list that holds a stream so many times.
    fn list(&mut self, of: StreamRef, times: usize) -> StreamRef {
        let record = [&of.bytes.to_le_bytes()[..], of.id.as_bytes()].concat();
        StreamRef {
            bytes: of.bytes * times as u64,
            depth: of.depth + 1,
            id: self.put(&record.repeat(times), ContentKind::Meta).unwrap(),
        }
    }
}

fn blob(bytes: u64, ops: StreamRef, side: StreamRef) -> Blob {
    Blob {
        id: BlobId([7; 32]),
        bytes,
        recipe: Recipe { side, ops },
    }
}

/// A set with one release of one item, whose chunks are all there.
fn write_release(to: &Path, mut chunks: Chunks, kind: ItemKind) {
    let item = Item {
        name: b"item".to_vec(),
        meta: meta(),
        kind,
    };
    let mut manifest = StreamWriter::new(ContentKind::Meta);
    manifest.write_record(&mut chunks, &item).unwrap();
    let root = ReleaseRoot {
        name: "evil:1".parse().unwrap(),
        manifest: manifest.finish(&mut chunks).unwrap(),
        blobs: StreamRef::EMPTY,
        items: 1,
        bytes: item.bytes(),
    };
    let all: Vec<(ChunkId, &[u8])> = chunks
        .0
        .iter()
        .map(|(id, plain)| (*id, &plain[..]))
        .collect();
    let frame = encode_frame(
        &all,
        ContentKind::Other,
        &FrameOptions::for_bundle(1, ContentKind::Other),
    );
    let plain: usize = all.iter().map(|(_, plain)| plain.len()).sum();
    let catalog = Catalog {
        seals: None,
        releases: vec![CatalogRelease {
            name: "evil:1".into(),
            root: root.encode(),
            items: Vec::new(),
        }],
        frames: vec![CatalogFrame {
            stored_bytes: u32::try_from(frame.len()).unwrap(),
            plain_bytes: u32::try_from(plain).unwrap(),
            chunks: u32::try_from(all.len()).unwrap(),
        }],
        prerequisites: Vec::new(),
    };
    evil::write_set(to, &[frame], &catalog.to_bytes(), 60_000_000);
}

/// What receiving an item ends with: nothing when it was taken in.
fn refusal(make: impl FnOnce(&mut Chunks) -> Blob) -> Option<String> {
    let dir = TempDir::new().unwrap();
    let mut chunks = Chunks::default();
    let content = Content::Blob(make(&mut chunks));
    write_release(dir.path(), chunks, ItemKind::File { content });
    let site = Site::default();
    let error = receive(&site.store, &[dir.path().to_owned()], &Silent).err()?;
    assert!(site.releases().is_empty());
    site.assert_sound();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    Some(text)
}

fn assert_refused(words: &str, make: impl FnOnce(&mut Chunks) -> Blob) {
    let refusal = refusal(make).expect("it is refused");
    assert!(refusal.contains(words), "{words:?} is not in: {refusal}");
}

#[test]
fn steps_that_do_not_add_up_are_refused_before_anything_is_rebuilt() {
    let one = |chunks: &mut Chunks| {
        let chunk = chunks.noise(1, 1000);
        chunks.ops([RecipeOp::Chunk(chunk)])
    };
    // What is claimed would take hours.
    assert_refused("shorter than the blob", |chunks| {
        blob(1 << 40, one(chunks), StreamRef::EMPTY)
    });
    assert_refused("longer than the blob", |chunks| {
        blob(999, one(chunks), StreamRef::EMPTY)
    });
    assert_refused("side bytes", |chunks| {
        let ops = chunks.ops([RecipeOp::Side { bytes: 1 << 40 }]);
        blob(1 << 40, ops, StreamRef::EMPTY)
    });
    assert_refused("length of a step", |chunks| {
        let ops = chunks.ops([RecipeOp::Side { bytes: 0 }]);
        blob(1, ops, StreamRef::EMPTY)
    });
}

/// A stream of 4 MiB and its plain bytes: one chunk, so many times.
fn stream_of(chunks: &mut Chunks, times: u64) -> Blob {
    let chunk = chunks.noise(1, CHUNK_MAX);
    let ops = chunks.ops((0..times).map(|_| RecipeOp::Chunk(chunk)));
    let plain = blob(times * CHUNK_MAX as u64, ops, StreamRef::EMPTY);
    let ops = chunks.ops([RecipeOp::Stream {
        bytes: 8 << 20,
        plain: Content::Blob(plain),
        remake_bytes: 100,
        codec: DEFLATE_CODEC,
    }]);
    let mut side = StreamWriter::new(ContentKind::Other);
    side.write(chunks, &noise(2, 100)).unwrap();
    let side = side.finish(chunks).unwrap();
    blob(8 << 20, ops, side)
}

#[test]
fn streams_that_claim_more_plain_bytes_than_chunks_can_stand_for_are_not_made() {
    // There is one chunk: its ratio, and what is free.
    let most = PLAIN_FREE_BYTES / CHUNK_MAX as u64 + PLAIN_CHUNK_RATIO_MAX;
    assert_refused("plain bytes of all streams", |chunks| {
        stream_of(chunks, most + 1)
    });
    assert_refused("plain bytes for a byte of a stream", |chunks| {
        stream_of(chunks, 40_000)
    });
    // At the limit it is made, and found to be another: the recipe is noise.
    let at_limit = refusal(|chunks| stream_of(chunks, most)).unwrap();
    assert!(!at_limit.contains("more than there may be"), "{at_limit}");
}

#[test]
fn a_store_raises_limits_and_lowers_none() {
    let stage = Stage::new();
    let set = stage.path("set");
    std::fs::create_dir(&set).unwrap();
    let mut chunks = Chunks::default();
    let most = PLAIN_FREE_BYTES / CHUNK_MAX as u64 + PLAIN_CHUNK_RATIO_MAX;
    let content = Content::Blob(stream_of(&mut chunks, most + 1));
    write_release(&set, chunks, ItemKind::File { content });
    let receive = || stage.run(&["receive", "set"]);
    let refused = receive().fails_with(1, &["plain bytes of all streams", "plain-ratio"]);
    let settings = stage.path("store/carryall.toml");
    let usual = std::fs::read_to_string(&settings).unwrap();
    let with = |lines: &str| std::fs::write(&settings, format!("{usual}[limits]\n{lines}\n"));

    for (line, what) in [
        ("plain-ratio = 4095", "plain-ratio is below 4096"),
        ("plain-bytes = -1", "-1"),
        ("plain_ratio = 5000", "plain_ratio"),
        ("plain-ratio = \"much\"", "much"),
    ] {
        with(line).unwrap();
        receive().fails_with(1, &["[limits]", "carryall.toml", what]);
        // The id of the store is whole, and is not drawn anew for a slip of the pen.
        stage
            .run(&["check", "--renew-settings"])
            .fails_with(1, &["[limits]"]);
    }
    with("plain-ratio = 4200").unwrap();
    // The claim may be made now, and is found to be wrong.
    let run = receive().ends_with(1);
    assert_ne!(run.stderr, refused.stderr);
    assert!(!run.stderr.contains("more than there may be"), "{run:#?}");
    assert!(
        run.stderr.contains("set:1") || run.stderr.contains("stream"),
        "{run:#?}"
    );
    assert!(
        stage
            .run(&["list"])
            .ends_with(0)
            .stdout
            .lines()
            .all(|line| !line.contains("evil:1"))
    );
}

#[test]
fn lists_that_hold_one_another_many_times_are_not_unfolded() {
    let nested = |chunks: &mut Chunks, levels: usize| {
        let chunk = chunks.noise(1, 100);
        let mut ops = chunks.ops((0..1000).map(|_| RecipeOp::Chunk(chunk)));
        for _ in 0..levels {
            ops = chunks.list(ops, 4096);
        }
        ops
    };
    for levels in [2, 3] {
        assert_refused("bytes of all steps", |chunks| {
            blob(1 << 60, nested(chunks, levels), StreamRef::EMPTY)
        });
    }
    // Steps of next to nothing.
    assert_refused("bytes of steps beyond those that they give", |chunks| {
        blob(5000, nested(chunks, 1), StreamRef::EMPTY)
    });
}

/// A folder of `depth` folders in one another and a file in the last.
fn write_deep(to: &Path, depth: usize) {
    let mut chunks = Chunks::default();
    let content = Content::Chunk(chunks.noise(1, 10));
    let entry = |path: &[u8], kind| TreeEntry {
        path: path.to_vec(),
        meta: meta(),
        kind,
    };
    let path = "d/".repeat(depth);
    let mut entries = StreamWriter::new(ContentKind::Meta);
    for level in 0..depth {
        let folder = entry(&path.as_bytes()[..2 * level + 1], EntryKind::Dir);
        entries.write_record(&mut chunks, &folder).unwrap();
    }
    let file = entry(format!("{path}f").as_bytes(), EntryKind::File { content });
    entries.write_record(&mut chunks, &file).unwrap();
    let kind = ItemKind::Folder {
        entries: entries.finish(&mut chunks).unwrap(),
        entry_count: depth as u64 + 1,
        bytes: 10,
    };
    write_release(to, chunks, kind);
}

/// Receives a deep folder, and says what checkout made of it; nothing when it was not taken in.
fn deep(depth: usize) -> Option<ItemState> {
    let dir = TempDir::new().unwrap();
    std::fs::create_dir(dir.path().join("set")).unwrap();
    write_deep(&dir.path().join("set"), depth);
    let site = Site::default();
    receive(&site.store, &[dir.path().join("set")], &Silent).ok()?;
    let store: &Store = &site.store;
    let (dest, options) = (dir.path().join("dest"), CheckoutOptions::default());
    let release = "evil:1".parse().unwrap();
    let report = checkout(store, &release, &dest, &options, &Silent).unwrap();
    // The standard library would keep a folder open for each level.
    let removed = Command::new("rm").arg("-rf").arg(&dest).status().unwrap();
    assert!(removed.success());
    Some(report.items[0].state)
}

#[test]
fn folders_in_one_another_come_back_up_to_the_limit_and_no_deeper() {
    assert_eq!(deep(PATH_DEPTH_MAX), Some(ItemState::Whole));
    assert_ne!(deep(PATH_DEPTH_MAX + 1), Some(ItemState::Whole));
}

#[test]
fn the_format_document_has_every_limit_with_its_number() {
    let doc = include_str!("../../docs/format.md");
    let (_, table) = doc.split_once("\n## Limits\n").unwrap();
    for limit in TABLE {
        let line = format!("| {} | {} |", limit.what, limit.most);
        assert!(table.contains(&line), "missing: {line}");
    }
}
