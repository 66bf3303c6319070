//! Releases that no `add` makes, which `checkout` must not follow out of its destination.

use std::fs;

use tempfile::TempDir;

use super::tree::look;
use super::*;

/// Commits a release whose items were never added.
pub(super) fn commit(store: &MemoryStore, release: &str, items: &[Item]) {
    let mut sink = store.chunks.clone();
    let mut manifest = StreamWriter::new(ContentKind::Meta);
    for item in items {
        manifest.write_record(&mut sink, item).unwrap();
    }
    let root = ReleaseRoot {
        name: name(release),
        manifest: manifest.finish(&mut sink).unwrap(),
        blobs: crate::content::recipe::StreamRef::EMPTY,
        items: u32::try_from(items.len()).unwrap(),
        bytes: 0,
    };
    store.commit(&root).unwrap();
}

fn entry(path: &[u8], kind: EntryKind) -> TreeEntry {
    let meta = Meta {
        mode: 0o755,
        ..Meta::default()
    };
    TreeEntry {
        path: path.to_vec(),
        meta,
        kind,
    }
}

#[test]
fn hostile_entries_never_reach_outside() {
    let dir = TempDir::new().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), b"secret").unwrap();
    let before = look(&outside);
    let store = MemoryStore::default();
    let id = store
        .chunks
        .clone()
        .put(b"evil", ContentKind::Other)
        .unwrap();
    let evil = || EntryKind::File {
        content: Content::Chunk(ChunkRef { bytes: 4, id }),
    };
    let link = |target: &Path| EntryKind::Symlink {
        target: target.as_os_str().as_bytes().to_vec(),
    };
    let hard = |to: &[u8]| EntryKind::HardLink { to: to.to_vec() };
    let absolute = outside.join("evil").into_os_string().into_vec();
    let cases: Vec<Vec<TreeEntry>> = vec![
        vec![entry(b"../outside/evil", evil())],
        vec![entry(b"a/../../outside/evil", evil())],
        vec![entry(&absolute, evil())],
        vec![entry(b"", evil())],
        vec![entry(b".", EntryKind::Dir)],
        vec![entry(b"a//b", evil())],
        vec![entry(b"a\0b", evil())],
        vec![entry(b"no/parent", evil())],
        vec![entry(b"l", link(&outside)), entry(b"l/evil", evil())],
        vec![
            entry(b"l", link(&outside)),
            entry(b"l/evil", EntryKind::Dir),
        ],
        vec![
            entry(b"l", link(&outside.join("evil"))),
            entry(b"l", evil()),
        ],
        vec![
            entry(b"l", link(Path::new(".."))),
            entry(b"l/outside/evil", evil()),
        ],
        vec![entry(b"l", link(&outside)), entry(b"h", hard(b"l/secret"))],
        vec![entry(b"h", hard(b"../outside/secret"))],
        vec![entry(
            b"h",
            hard(&outside.join("secret").into_os_string().into_vec()),
        )],
        vec![
            entry(b"d", EntryKind::Dir),
            entry(b"d", link(&outside)),
            entry(b"d/evil", evil()),
        ],
        vec![entry(
            b"l",
            EntryKind::Symlink {
                target: b"a\0b".to_vec(),
            },
        )],
        vec![entry(b"f", evil()), entry(b"f", evil())],
        vec![entry(b"f", evil()), entry(b"f/under", evil())],
    ];
    for (number, entries) in cases.into_iter().enumerate() {
        let mut sink = store.chunks.clone();
        let mut stream = StreamWriter::new(ContentKind::Meta);
        for each in &entries {
            stream.write_record(&mut sink, each).unwrap();
        }
        let folder = Item {
            name: b"folder".to_vec(),
            meta: Meta {
                mode: 0o755,
                ..Meta::default()
            },
            kind: ItemKind::Folder {
                entries: stream.finish(&mut sink).unwrap(),
                entry_count: entries.len() as u64,
                bytes: 4,
            },
        };
        let release = format!("evil:{number}");
        commit(&store, &release, &[folder]);
        let dest = dir.path().join(format!("dest{number}"));
        let report = check_out(&store, &release, &dest);
        assert_eq!(report.items[0].state, ItemState::Lost, "{entries:?}");
        assert_eq!(fs::read_dir(&dest).unwrap().count(), 0, "{entries:?}");
        assert_eq!(look(&outside), before, "{entries:?}");
    }
    // A hard link to a link that points outside gives a link, and not the file outside.
    let names: [&[u8]; 6] = [b"../evil", b"/evil", b"..", b".", b"", b"a/b"];
    for (number, bad) in names.into_iter().enumerate() {
        let item = Item {
            name: bad.to_vec(),
            meta: Meta::default(),
            kind: ItemKind::File {
                content: Content::Chunk(ChunkRef { bytes: 4, id }),
            },
        };
        commit(&store, "evil:names", &[item]);
        let dest = dir.path().join(format!("names{number}"));
        let report = check_out(&store, "evil:names", &dest);
        assert_eq!(report.items[0].state, ItemState::Lost);
        assert_eq!(fs::read_dir(&dest).unwrap().count(), 0);
    }
}
