//! A release root of any bytes, and lists of items, entries, blobs and recipe steps that are any bytes but really there.
#![no_main]

use carryall::content::content_kind::ContentKind;
use carryall::base::id::{BlobId, hash};
use carryall::base::monitor::Silent;
use carryall::content::recipe::rebuild::{Proof, write_content};
use carryall::content::recipe::stream::StreamWriter;
use carryall::content::recipe::walk::Walker;
use carryall::content::recipe::{Blob, Content, Recipe, RecipeError, StreamRef};
use carryall::content::release::{
    BlobTable, Item, ItemKind, Meta, ReleaseName, ReleaseRoot, open_entries, walk,
};
use carryall_fuzz::Memory;
use libfuzzer_sys::fuzz_target;

/// Output that takes a little and no more: a recipe may ask for much.
struct Bounded(u64);

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len() as u64)
            .ok_or(std::io::ErrorKind::StorageFull)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn stream(memory: &Memory, bytes: &[u8]) -> StreamRef {
    let mut sink = memory.clone();
    let mut writer = StreamWriter::new(ContentKind::Meta);
    writer.write(&mut sink, bytes).expect("memory takes all");
    writer.finish(&mut sink).expect("memory takes all")
}

fuzz_target!(|input: &[u8]| {
    if let Ok(root) = ReleaseRoot::decode(input) {
        assert_eq!(ReleaseRoot::decode(&root.encode()).ok(), Some(root));
    }
    let memory = Memory::default();
    // The same bytes with and without the length that a record begins with.
    let mut record = (input.len() as u32).to_le_bytes().to_vec();
    record.extend_from_slice(input);
    for bytes in [input, &record[..]] {
        let list = stream(&memory, bytes);
        let mut ignore = |_: &_| -> Result<(), RecipeError> { Ok(()) };
        let name: ReleaseName = "fuzz:1".parse().expect("a name");
        let root = ReleaseRoot {
            name,
            manifest: list,
            blobs: list,
            items: 1,
            bytes: 0,
        };
        if let Ok(items) = root.read_items(&memory) {
            for item in items {
                let _ = walk::item(&mut Walker::new(&memory), &item, &mut ignore);
            }
        }
        let _ = walk::release(&mut Walker::new(&memory), &root, &mut ignore);
        let _ = BlobTable::default().read(&memory, &list, 1000);
        if let Ok(mut entries) = open_entries(&memory, &list) {
            while let Ok(Some(_)) = entries.next_record() {}
        }
        let recipe = Recipe {
            ops: list,
            side: list,
        };
        let blob = Blob {
            id: BlobId(hash(input)),
            bytes: input.len() as u64,
            recipe,
        };
        let content = Content::Blob(blob);
        let _ = write_content(
            &memory,
            &content,
            Proof::EveryBlob,
            &mut Bounded(1 << 20),
            &Silent,
        );
        let kind = ItemKind::File { content };
        let item = Item {
            name: b"fuzz".to_vec(),
            meta: Meta::default(),
            kind,
        };
        let _ = walk::item(&mut Walker::new(&memory), &item, &mut ignore);
        // A stream that is not as long as it says.
        let long = StreamRef {
            bytes: u64::MAX,
            ..list
        };
        let _ = BlobTable::default().read(&memory, &long, 1000);
    }
});
