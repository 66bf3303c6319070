//! Items that hold more repositories and more paths than anybody has.
#![allow(clippy::unwrap_used)]
use super::*;
use crate::base::monitor::Silent;
use crate::content::content_kind::ContentKind;
use crate::content::recipe::ChunkSink;
use crate::content::recipe::memory::Memory;
use crate::content::recipe::stream::StreamWriter;
use crate::content::recipe::{ChunkRef, StreamRef};
use crate::content::release::{Meta, TreeEntry};

/// A folder of files with one byte, and of links.
fn folder(memory: &Memory, files: &[String], links: &[(String, &str)]) -> Item {
    let mut sink = memory.clone();
    let id = sink.put(b"x", ContentKind::Other).unwrap();
    let content = Content::Chunk(ChunkRef { bytes: 1, id });
    let entry = |path: &str, kind| TreeEntry {
        path: path.as_bytes().to_vec(),
        meta: Meta::default(),
        kind,
    };
    let files = files
        .iter()
        .map(|path| entry(path, EntryKind::File { content }));
    let links = links.iter().map(|(path, target)| {
        let target = target.as_bytes().to_vec();
        entry(path, EntryKind::Symlink { target })
    });
    let mut stream = StreamWriter::new(ContentKind::Meta);
    let mut entry_count = 0;
    for each in files.chain(links) {
        stream.write_record(&mut sink, &each).unwrap();
        entry_count += 1;
    }
    let entries: StreamRef = stream.finish(&mut sink).unwrap();
    Item {
        name: b"mirror".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::Folder {
            entries,
            entry_count,
            bytes: 0,
        },
    }
}

#[test]
fn links_give_further_paths_as_long_as_there_is_room() {
    let memory = Memory::default();
    let mut files = vec!["Packages".to_owned()];
    files.extend((0..2000).map(|no| format!("pool/tool{no}_1_all.deb")));
    let long = vec!["n".repeat(250); 15].join("/");
    let up = format!("{}pool", "../".repeat(15));
    let links: Vec<_> = (0..450)
        .map(|no| (format!("{long}/l{no}"), &up[..]))
        .collect();
    let item = folder(&memory, &files, &links);
    let found = in_item(&memory, &item, &Silent).unwrap();
    // One file, whatever its names are.
    assert_eq!(found[0].packages.len(), 2000);
    let path_bytes: usize = found[0].files().map(|(path, _)| path.len()).sum();
    // All of them would be 3.4 GB.
    assert!((30 << 20..70 << 20).contains(&path_bytes), "{path_bytes}");
    let few = folder(&memory, &files[..3], &links[..2]);
    let found = in_item(&memory, &few, &Silent).unwrap();
    assert_eq!(found[0].files().count(), 3 + 2 * 2);
}

#[test]
fn more_repositories_than_anybody_has_are_left_out() {
    let memory = Memory::default();
    let files: Vec<_> = (0..2 * MARKERS_MAX)
        .flat_map(|no| {
            [
                format!("p{no:06}/Packages"),
                format!("p{no:06}/a_1_all.deb"),
            ]
        })
        .collect();
    let item = folder(&memory, &files, &[]);
    let found = in_item(&memory, &item, &Silent).unwrap();
    assert_eq!(found.len(), layout::REPOSITORIES_MAX);
    assert!(
        found
            .iter()
            .all(|repository| repository.packages.len() == 1)
    );
}
