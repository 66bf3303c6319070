//! A folder of any paths and links: whatever is taken for a package repository lies in it, and has packages.
#![no_main]

use carryall::base::monitor::Silent;
use carryall::content::content_kind::ContentKind;
use carryall::content::recipe::stream::StreamWriter;
use carryall::content::recipe::{ChunkRef, ChunkSink, Content, StreamRef};
use carryall::content::release::{EntryKind, Item, ItemKind, Meta, ReleaseRoot, TreeEntry};
use carryall::oci::repos::{REPOSITORY_FILES_MAX, package_repositories};
use carryall_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

/// A line of the input is a path, of a file or, with a target behind it, of a link.
fn entry(line: &[u8], content: Content) -> TreeEntry {
    let mut parts = line.splitn(2, |byte| *byte == b'>');
    let path = parts.next().unwrap_or_default().to_vec();
    let kind = match parts.next() {
        None => EntryKind::File { content },
        Some(target) => match target.strip_prefix(b">") {
            None => EntryKind::Symlink { target: target.to_vec() },
            Some(to) => EntryKind::HardLink { to: to.to_vec() },
        },
    };
    TreeEntry {
        path,
        meta: Meta::default(),
        kind,
    }
}

fuzz_target!(|input: &[u8]| {
    let memory = Memory::default();
    let mut sink = memory.clone();
    let mut put = |bytes: &[u8]| Content::Chunk(ChunkRef {
        bytes: bytes.len() as u32,
        id: sink.put(bytes, ContentKind::Other).expect("memory takes all"),
    });
    // What helm's index says, and an index of apt.
    let index = put(b"apiVersion: v1\nentries:\n");
    let control = put(b"Package: a\nVersion: 1\nArchitecture: all\nFilename: pool/a.deb\n\n");
    let mut sink = memory.clone();
    let mut stream = StreamWriter::new(ContentKind::Meta);
    let mut entry_count = 0;
    for line in input.split(|byte| *byte == b'\n') {
        let content = if line.ends_with(b"Packages") { control } else { index };
        stream.write_record(&mut sink, &entry(line, content)).expect("memory takes all");
        entry_count += 1;
    }
    let entries = stream.finish(&mut sink).expect("memory takes all");
    let item = Item {
        name: b"mirror".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::Folder {
            entries,
            entry_count,
            bytes: 0,
        },
    };
    let mut writer = StreamWriter::new(ContentKind::Meta);
    writer.write_record(&mut sink, &item).expect("memory takes all");
    let root = ReleaseRoot {
        name: "fuzz:1".parse().expect("a name"),
        manifest: writer.finish(&mut sink).expect("memory takes all"),
        blobs: StreamRef::EMPTY,
        items: 1,
        bytes: 0,
    };
    for repository in package_repositories(&memory, &root, &Silent).expect("memory is read") {
        assert!(!repository.packages.is_empty());
        assert!(repository.files().count() <= REPOSITORY_FILES_MAX);
        for package in &repository.packages {
            assert!(repository.files().any(|(path, _)| path == package.path));
        }
    }
});
