//! What fuzz targets share: chunks in memory, files that are opened and rebuilt, and bytes as numbers.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use carryall::content::archive::tar;
use carryall::content::content_kind::ContentKind;
use carryall::base::id::{BlobId, ChunkId, hash};
use carryall::files::unpacker::{Depth, OpenOptions, Unpacker};
use carryall::base::monitor::Silent;
use carryall::content::recipe::rebuild::{Proof, write_content};
use carryall::content::recipe::stream::StreamWriter;
use carryall::content::recipe::{ChunkSink, ChunkSource, RecipeError, StreamRef};
use carryall::content::release::{BlobTable, Item, ItemKind, Meta, ReleaseRoot};

/// Chunks in memory; handles share them.
#[derive(Debug, Default, Clone)]
pub struct Memory(Arc<Mutex<HashMap<ChunkId, Arc<[u8]>>>>);

impl ChunkSource for Memory {
    type Bytes = Arc<[u8]>;

    fn chunk(&self, id: &ChunkId) -> Result<Arc<[u8]>, RecipeError> {
        let chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.get(id).cloned().ok_or(RecipeError::Missing(*id))
    }

    fn prefetch(&self, _: &[ChunkId]) {}

    fn contains(&self, id: &ChunkId) -> bool {
        let chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.contains_key(id)
    }
}

impl ChunkSink for Memory {
    fn put(&mut self, plain: &[u8], _: ContentKind) -> Result<ChunkId, RecipeError> {
        let id = ChunkId::of(plain);
        let mut chunks = self.0.lock().expect("no target panics while it holds this");
        chunks.entry(id).or_insert_with(|| plain.into());
        Ok(id)
    }
}

/// Opens a file and rebuilds it, which must give the same bytes.
pub fn open_and_rebuild(bytes: &[u8], name: &str) {
    let memory = Memory::default();
    let mut sink = memory.clone();
    let known = BlobTable::default();
    let options = OpenOptions::default();
    let mut opener = Unpacker::new(&memory, &mut sink, &known, &options, &Silent);
    let content = opener
        .open(bytes, Path::new(name))
        .expect("memory takes all");
    assert_eq!(content.bytes(), bytes.len() as u64);
    assert_eq!(content.id(), BlobId(hash(bytes)));
    let mut back = Vec::new();
    write_content(&memory, &content, Proof::EveryBlob, &mut back, &Silent).expect("rebuilds");
    assert!(back == bytes);
}

/// A release whose one item is a tar of these files.
pub fn release_of(files: &[(String, Vec<u8>)]) -> (Memory, ReleaseRoot) {
    let mut archive = Vec::new();
    let mut put = |path: &str, body: &[u8]| {
        archive.extend(tar::file_header(path, body.len() as u64));
        archive.extend_from_slice(body);
        archive.resize(archive.len().next_multiple_of(tar::BLOCK), 0);
    };
    // Files of a few KiB are chunks that nobody opens.
    put("filler", &noise(70_000));
    for (path, body) in files {
        put(path, body);
    }
    archive.resize(archive.len() + 2 * tar::BLOCK, 0);
    let memory = Memory::default();
    let mut sink = memory.clone();
    // Documents are what is asked about here. Streams among them are opened by targets of their own.
    let (known, options) = (BlobTable::default(), OpenOptions::from(Depth::Tars));
    let content = Unpacker::new(&memory, &mut sink, &known, &options, &Silent)
        .open(&archive[..], Path::new("fuzz.tar"))
        .expect("memory takes all");
    let item = Item {
        name: b"fuzz.tar".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::File { content },
    };
    let mut sink = memory.clone();
    let mut writer = StreamWriter::new(ContentKind::Meta);
    writer
        .write_record(&mut sink, &item)
        .expect("memory takes all");
    let root = ReleaseRoot {
        name: "fuzz:1".parse().expect("a name"),
        manifest: writer.finish(&mut sink).expect("memory takes all"),
        blobs: StreamRef::EMPTY,
        items: 1,
        bytes: archive.len() as u64,
    };
    (memory, root)
}

/// Writes a file of this process, in place of the one before.
pub fn temp_file(name: &str, bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("carryall-fuzz-{}-{name}", std::process::id()));
    fs::write(&path, bytes).expect("a temporary file can be written");
    path
}

/// Bytes that do not compress.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Changes some bytes, as the numbers say.
pub fn hurt(bytes: &mut Vec<u8>, numbers: &mut Numbers<'_>) {
    for _ in 0..numbers.next_u16() % 4 {
        let (at, byte) = (numbers.next_u32() as usize, numbers.next_u16());
        let len = bytes.len();
        match (byte & 0x300, bytes.get_mut(at % len.max(1))) {
            (_, None) => return,
            (0, Some(_)) => bytes.truncate(at % len),
            (_, Some(place)) => *place = byte.to_le_bytes()[0],
        }
    }
}

/// Takes numbers from the front of the input; zeros when it has ended.
#[derive(Debug)]
pub struct Numbers<'a>(pub &'a [u8]);

impl Numbers<'_> {
    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        let mut out = [0; 4];
        let len = self.0.len().min(4);
        let (front, rest) = self.0.split_at(len);
        out[..len].copy_from_slice(front);
        self.0 = rest;
        u32::from_le_bytes(out)
    }

    /// The next 16 bits.
    pub fn next_u16(&mut self) -> u16 {
        (self.next_u32() & 0xffff) as u16
    }
}
