//! Media made to do harm: every block has the right hash, and what it says is a lie. Whatever is wrong is refused by name,
//! nothing is written outside, and the honest set beside it is taken in.

use crate::testkit::evil::{meta, write_set};
use crate::testkit::own_process::{in_own_process, peak_bytes};
use crate::testkit::packed;

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use carryall::base::envelope::{EnvelopeKind, encode, seal};
use carryall::base::id::{BlobId, ChunkId, SetId, hash};
use carryall::base::monitor::Silent;
use carryall::bundle::{Catalog, CatalogFrame, CatalogItem, CatalogRelease, FrameRun};
use carryall::content::content_kind::ContentKind;
use carryall::content::frame::{FRAME_MAX, FrameOptions, PLAIN_MAX, encode_frame};
use carryall::content::recipe::stream::StreamWriter;
use carryall::content::recipe::writer::RecipeWriter;
use carryall::content::recipe::{Blob, ChunkRef, ChunkSink, Content, StreamRef};
use carryall::content::release::{
    BlobTable, EntryKind, Item, ItemKind, ReleaseName, ReleaseRoot, TreeEntry,
};
use carryall::ops::checkout::{CheckoutError, CheckoutOptions, ItemState, checkout};
use carryall::ops::media::verify::verify;
use carryall::ops::pack::pack;
use carryall::ops::receive::{ProgressState, receive};
use carryall::ops::{Error, ReleasesMut};
use carryall::store::Store;
use carryall::volumes::block::{
    BLOCK_BYTES, BlockHeader, BlockKind, BlockSize, HEADER_BYTES, ParityCodec, SetHeader,
};
use carryall::volumes::descriptor::{SetDescriptor, descriptor_offset};
use packed::{Packed, Shape, Site, look, noise};
use tempfile::TempDir;

const EVIL: &[u8] = b"evil bytes";
/// Room of the volumes that are written.
const VOLUME_BYTES: u64 = 12_000_000;

fn evil() -> Content {
    let bytes = u32::try_from(EVIL.len()).unwrap();
    Content::Chunk(ChunkRef {
        bytes,
        id: ChunkId::of(EVIL),
    })
}

fn entry(path: impl AsRef<[u8]>, kind: EntryKind) -> TreeEntry {
    TreeEntry {
        path: path.as_ref().to_vec(),
        meta: meta(),
        kind,
    }
}

/// Commits a release that `add` would never make.
fn commit_hostile(
    items: impl FnOnce(&mut dyn ChunkSink) -> Vec<Item>,
) -> (TempDir, Store, ReleaseName) {
    commit_with_table("evil:1", |sink| (items(sink), StreamRef::EMPTY))
}

/// Commits one with its items and its table of blobs.
fn commit_with_table(
    release: &str,
    parts: impl FnOnce(&mut dyn ChunkSink) -> (Vec<Item>, StreamRef),
) -> (TempDir, Store, ReleaseName) {
    let dir = TempDir::new().unwrap();
    let store = Store::create(&dir.path().join("vendor")).unwrap();
    let release: ReleaseName = release.parse().unwrap();
    let mut writer = ReleasesMut::writer(&store, &Silent).unwrap();
    writer.put(EVIL, ContentKind::Other).unwrap();
    let (items, blobs) = parts(&mut writer);
    let mut manifest = StreamWriter::new(ContentKind::Meta);
    for item in &items {
        manifest.write_record(&mut writer, item).unwrap();
    }
    let root = ReleaseRoot {
        name: release.clone(),
        manifest: manifest.finish(&mut writer).unwrap(),
        blobs,
        items: u32::try_from(items.len()).unwrap(),
        bytes: 0,
    };
    ReleasesMut::finish(&store, writer).unwrap();
    store.commit(&root).unwrap();
    (dir, store, release)
}

/// Commits a release that `add` would never make, and packs it.
fn pack_hostile(items: impl FnOnce(&mut dyn ChunkSink) -> Vec<Item>) -> Packed {
    let (dir, store, release) = commit_hostile(items);
    hostile_shape().pack_from(dir, &store, release)
}

fn hostile_shape() -> Shape {
    Shape {
        items: &[],
        blocks: 24,
        ..Shape::default()
    }
}

fn received(packed: &Packed) -> Site {
    let site = Site::default();
    let progress = site.receive_set(&packed.carry().paths(), packed);
    assert_eq!(progress.state, ProgressState::Complete);
    site
}

/// Receives it: the release must be refused by name, with these words, and nothing waits for another copy.
fn assert_release_refused(packed: &Packed, words: &str) {
    let site = Site::default();
    let error = receive(&site.store, &packed.carry().paths(), &Silent).unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let said = chain(&error);
    assert!(said.contains("evil:1") && said.contains(words), "{said}");
    assert!(site.releases().is_empty());
    let waiting = carryall::ops::receive::status(&site.store).unwrap();
    assert!(waiting.incoming.is_empty());
    site.assert_sound();
}

#[test]
fn a_release_never_writes_outside_its_destination_and_is_not_received() {
    let dir = TempDir::new().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    let before = look(dir.path());

    let file = || EntryKind::File { content: evil() };
    let link = |to: &Path| EntryKind::Symlink {
        target: to.as_os_str().as_bytes().to_vec(),
    };
    let hard = |to: &[u8]| EntryKind::HardLink { to: to.to_vec() };
    let absolute = |name: &str| outside.join(name).into_os_string().into_vec();
    let up = Path::new("../../outside");
    let cases: Vec<Vec<TreeEntry>> = vec![
        vec![entry("../../outside/evil", file())],
        vec![
            entry("a", EntryKind::Dir),
            entry("a/../../../outside/evil", file()),
        ],
        vec![entry(absolute("evil"), file())],
        vec![entry("/evil", file())],
        vec![entry(".", file())],
        vec![entry("..", EntryKind::Dir)],
        vec![entry("a//b", file())],
        vec![entry("a\0b", file())],
        // Links planted first, to the outside and to what is not there yet.
        vec![entry("l", link(&outside)), entry("l/evil", file())],
        vec![entry("l", link(up)), entry("l/evil", file())],
        vec![entry("l", link(&outside)), entry("l/evil", EntryKind::Dir)],
        vec![entry("l", link(&outside.join("evil"))), entry("l", file())],
        vec![
            entry("d", EntryKind::Dir),
            entry("d", link(&outside)),
            entry("d/evil", file()),
        ],
        vec![
            entry("l", link(&outside)),
            entry("m", link(Path::new("l"))),
            entry("m/evil", file()),
        ],
        // Hard links to the outside, straight and through a link.
        vec![entry("h", hard(&absolute("secret")))],
        vec![entry("h", hard(b"../../outside/secret"))],
        vec![entry("l", link(&outside)), entry("h", hard(b"l/secret"))],
        vec![entry("l", link(&outside)), entry("l/pipe", EntryKind::Fifo)],
    ];
    let packed = pack_hostile(|sink| {
        let folder = |(number, entries): (usize, &Vec<TreeEntry>)| {
            let mut stream = StreamWriter::new(ContentKind::Meta);
            for each in entries {
                stream.write_record(sink, each).unwrap();
            }
            let kind = ItemKind::Folder {
                entries: stream.finish(sink).unwrap(),
                entry_count: entries.len() as u64,
                bytes: 10,
            };
            Item {
                name: format!("case-{number:02}").into_bytes(),
                meta: meta(),
                kind,
            }
        };
        cases.iter().enumerate().map(folder).collect()
    });
    assert_release_refused(&packed, "case-");
    let dest = dir.path().join("dest");
    let options = CheckoutOptions::default();
    let vendor = packed.vendor();
    let report = checkout(&vendor, &packed.release, &dest, &options, &Silent).unwrap();
    for (item, entries) in report.items.iter().zip(&cases) {
        assert_eq!(item.state, ItemState::Lost, "{entries:?}");
    }
    assert_eq!(report.items.len(), cases.len());
    assert_eq!(fs::read_dir(&dest).unwrap().count(), 0);
    fs::remove_dir(&dest).unwrap();
    assert!(look(dir.path()) == before, "something was written outside");

    // Each of them alone is enough.
    for entries in cases {
        let packed = pack_hostile(|sink| vec![folder_item(sink, b"tree", &entries, 1, 0)]);
        assert_release_refused(&packed, "tree/");
    }
}

fn folder_item(
    sink: &mut dyn ChunkSink,
    name: &[u8],
    entries: &[TreeEntry],
    entry_count: u64,
    bytes: u64,
) -> Item {
    let mut stream = StreamWriter::new(ContentKind::Meta);
    for each in entries {
        stream.write_record(sink, each).unwrap();
    }
    let kind = ItemKind::Folder {
        entries: stream.finish(sink).unwrap(),
        entry_count,
        bytes,
    };
    Item {
        name: name.to_vec(),
        meta: meta(),
        kind,
    }
}

#[test]
fn a_release_that_could_not_be_given_back_is_not_received() {
    let file = |name: &str, content| Item {
        name: name.into(),
        meta: meta(),
        kind: ItemKind::File { content },
    };
    let entries = [entry("a", EntryKind::File { content: evil() })];
    let folder = |count, bytes| {
        pack_hostile(|sink| vec![folder_item(sink, b"tree", &entries, count, bytes)])
    };
    assert_release_refused(&folder(2, 10), "more entries");
    assert_release_refused(&folder(1, u64::MAX), "larger than what is in it");
    let twice = pack_hostile(|_| vec![file("a", evil()), file("a", evil())]);
    assert_release_refused(&twice, "two items of this name");
    let long = pack_hostile(|_| vec![file(&"x".repeat(256), evil())]);
    assert_release_refused(&long, "too long");
    // A chunk of another length than it says.
    let wrong = pack_hostile(|_| {
        let chunk = ChunkRef {
            bytes: 11,
            id: ChunkId::of(EVIL),
        };
        vec![file("a", Content::Chunk(chunk))]
    });
    assert_release_refused(&wrong, "a: ");
    // A blob that is not what its id says.
    let other = pack_hostile(|sink| vec![file("a", claimed(sink, [7; 32], 10))]);
    assert_release_refused(&other, "a: ");
    // One that is said to be longer than it is does not even get onto volumes.
    for bytes in [11, 1 << 40] {
        let (dir, store, name) =
            commit_hostile(|sink| vec![file("a", claimed(sink, hash(EVIL), bytes))]);
        let root = carryall::ops::release(&store, &name).unwrap();
        let options = hostile_shape().options();
        let media = dir.path().join("media");
        let packed = pack(&store, &[root], &media, &options, &mut |_| {}, &Silent);
        let said = chain(&packed.unwrap_err());
        assert!(said.contains("shorter than the blob"), "{said}");
        assert!(!media.exists());
    }
}

#[test]
fn a_table_of_blobs_proves_nothing() {
    let file = |content| Item {
        name: b"a".to_vec(),
        meta: meta(),
        kind: ItemKind::File { content },
    };
    // The first release names a blob that none of its contents has, and that is not what its id says.
    let (dir, store, name) = commit_with_table("evil:1", |sink| {
        let mut table = BlobTable::default();
        if let Content::Blob(lie) = claimed(sink, [7; 32], 10) {
            table.insert(&lie);
        }
        (vec![file(evil())], table.write(sink).unwrap())
    });
    let site = received(&hostile_shape().pack_from(dir, &store, name));
    // The second one has it as a content.
    let (dir, store, name) = commit_with_table("evil:2", |sink| {
        (vec![file(claimed(sink, [7; 32], 10))], StreamRef::EMPTY)
    });
    let second = hostile_shape().pack_from(dir, &store, name);
    let error = receive(&site.store, &second.carry().paths(), &Silent).unwrap_err();
    assert!(chain(&error).contains("evil:2"), "{error:?}");
    assert_eq!(site.releases().len(), 1);
}

/// The bytes of [`EVIL`], as a blob that is said to be another.
fn claimed(sink: &mut dyn ChunkSink, id: [u8; 32], bytes: u64) -> Content {
    let mut recipe = RecipeWriter::new(ContentKind::Other);
    recipe.side(sink, EVIL).unwrap();
    Content::Blob(Blob {
        id: BlobId(id),
        bytes,
        recipe: recipe.finish(sink).unwrap(),
    })
}

#[test]
fn a_link_that_points_outside_is_given_back_and_not_followed() {
    let dir = TempDir::new().unwrap();
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    let before = fs::symlink_metadata(&outside).unwrap();
    let target = outside.as_os_str().as_bytes().to_vec();
    let entries = [
        entry(
            "l",
            EntryKind::Symlink {
                target: target.clone(),
            },
        ),
        // A second name of the link, and not of the folder it points to.
        entry("m", EntryKind::HardLink { to: b"l".to_vec() }),
    ];
    let packed = pack_hostile(|sink| {
        let mut stream = StreamWriter::new(ContentKind::Meta);
        entries
            .iter()
            .for_each(|each| stream.write_record(sink, each).unwrap());
        let entries = stream.finish(sink).unwrap();
        let kind = ItemKind::Folder {
            entries,
            entry_count: 2,
            bytes: 0,
        };
        vec![Item {
            name: b"tree".to_vec(),
            meta: meta(),
            kind,
        }]
    });
    let site = received(&packed);
    let dest = dir.path().join("dest");
    let options = CheckoutOptions::default();
    checkout(&site.store, &packed.release, &dest, &options, &Silent).unwrap();
    for name in ["l", "m"] {
        assert_eq!(
            fs::read_link(dest.join("tree").join(name)).unwrap(),
            outside
        );
    }
    let after = fs::symlink_metadata(&outside).unwrap();
    assert_eq!(after.permissions(), before.permissions());
    assert_eq!(after.modified().unwrap(), before.modified().unwrap());
}

#[test]
fn an_item_whose_name_leads_outside_is_lost() {
    for bad in ["../evil", "/evil", "..", ".", "", "a/b", "a\0b"] {
        let packed = pack_hostile(|_| {
            let kind = ItemKind::File { content: evil() };
            vec![Item {
                name: bad.into(),
                meta: meta(),
                kind,
            }]
        });
        assert_release_refused(&packed, "not the name of a file");
        let vendor = packed.vendor();
        let dir = TempDir::new().unwrap();
        let dest = dir.path().join("in/dest");
        fs::create_dir(dir.path().join("in")).unwrap();
        let options = CheckoutOptions::default();
        match checkout(&vendor, &packed.release, &dest, &options, &Silent) {
            Ok(report) => assert_eq!(report.items[0].state, ItemState::Lost, "{bad:?}"),
            Err(error) => assert!(
                matches!(error, Error::Checkout(CheckoutError::Manifest(_))),
                "{bad:?}: {error}"
            ),
        }
        let left: Vec<PathBuf> = look(dir.path()).into_keys().collect();
        assert!(
            left.iter()
                .all(|path| path.ends_with("in") || path.ends_with("dest")),
            "{left:?}"
        );
    }
}

fn frame_of(chunks: &[&[u8]]) -> Vec<u8> {
    let chunks: Vec<(ChunkId, &[u8])> = chunks
        .iter()
        .map(|plain| (ChunkId::of(plain), *plain))
        .collect();
    encode_frame(
        &chunks,
        ContentKind::Other,
        &FrameOptions::for_bundle(1, ContentKind::Other),
    )
}

fn frame_entry(stored: &[u8], plain_bytes: usize, chunks: u32) -> CatalogFrame {
    CatalogFrame {
        stored_bytes: u32::try_from(stored.len()).unwrap(),
        plain_bytes: u32::try_from(plain_bytes).unwrap(),
        chunks,
    }
}

fn root() -> ReleaseRoot {
    ReleaseRoot {
        name: "evil:1".parse().unwrap(),
        manifest: StreamRef::EMPTY,
        blobs: StreamRef::EMPTY,
        items: 0,
        bytes: 0,
    }
}

/// A bundle that is right: one release without items, one frame that nobody needs.
fn honest() -> (Vec<Vec<u8>>, Catalog) {
    let frame = frame_of(&[EVIL]);
    let release = CatalogRelease {
        name: "evil:1".into(),
        root: root().encode(),
        items: Vec::new(),
    };
    let frames = vec![frame_entry(&frame, EVIL.len(), 1)];
    (
        vec![frame],
        Catalog {
            seals: None,
            releases: vec![release],
            frames,
            prerequisites: Vec::new(),
        },
    )
}

/// Everything that an error says, down to its cause.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Receives what is in `media`: it must be refused with these words, and leave no release behind.
fn assert_refused(media: &Path, words: &str) {
    let site = Site::default();
    let paths = [media.to_owned()];
    let error = receive(&site.store, &paths, &Silent).unwrap_err();
    assert!(
        chain(&error).contains(words),
        "{words:?} is not in: {}",
        chain(&error)
    );
    assert!(site.releases().is_empty());
    site.assert_sound();
    // Looking at it does no harm either.
    let _ = verify(&paths, &Silent);
    carryall::ops::receive::status(&site.store).unwrap();
}

fn assert_set_refused(pieces: &[Vec<u8>], catalog: &[u8], words: &str) {
    let dir = TempDir::new().unwrap();
    write_set(dir.path(), pieces, catalog, VOLUME_BYTES);
    assert_refused(dir.path(), words);
}

#[test]
fn an_honest_bundle_made_by_hand_is_taken() {
    let dir = TempDir::new().unwrap();
    let (pieces, catalog) = honest();
    write_set(dir.path(), &pieces, &catalog.to_bytes(), VOLUME_BYTES);
    let site = Site::default();
    let report = site.receive(&[dir.path().to_owned()]);
    assert_eq!(report.sets[0].state, ProgressState::Complete);
    assert_eq!(site.releases(), ["evil:1"]);
}

#[test]
fn hostile_catalogs_are_refused() {
    let (pieces, catalog) = honest();
    let refuse = |catalog: &[u8], words: &str| assert_set_refused(&pieces, catalog, words);
    refuse(&noise(1, 5000), "not a carryall file");
    refuse(&[], "not a carryall file");
    refuse(
        &seal(EnvelopeKind::Release, &catalog.to_bytes()[HEADER_BYTES..]),
        "not a carryall file",
    );
    // Counts of what is not there.
    refuse(&seal(EnvelopeKind::Catalog, &[0xff; 8]), "not decodable");
    refuse(
        &seal(EnvelopeKind::Catalog, &(1_u64 << 40).to_le_bytes()),
        "not decodable",
    );
    let mut newer = catalog.to_bytes();
    newer[10] = 2;
    let sum = hash(&[&newer[..24], &newer[56..]].concat());
    newer[24..56].copy_from_slice(&sum);
    refuse(&newer, "format version 2 is newer");

    let change = |change: &dyn Fn(&mut Catalog)| {
        let mut changed = catalog.clone();
        change(&mut changed);
        changed.to_bytes()
    };
    let item = |frames: Vec<FrameRun>| CatalogItem {
        name: b"x".to_vec(),
        bytes: u64::MAX,
        frames,
    };
    let run = |first, count| vec![FrameRun { first, count }];
    for frames in [run(0, 2), run(u32::MAX, u32::MAX), run(1, 1)] {
        let catalog = change(&|catalog| catalog.releases[0].items.push(item(frames.clone())));
        refuse(&catalog, "names a frame that is not there");
    }
    refuse(
        &change(&|catalog| catalog.frames[0].stored_bytes -= 1),
        "shorter than it says",
    );
    refuse(
        &change(&|catalog| catalog.frames[0].plain_bytes = 0),
        "not what the catalog says",
    );
    refuse(
        &change(&|catalog| catalog.frames[0].chunks = u32::MAX),
        "not what the catalog says",
    );
    refuse(
        &change(&|catalog| catalog.releases[0].root = noise(2, 60)),
        "not decodable",
    );
    refuse(
        &change(&|catalog| catalog.releases[0].root.clear()),
        "not decodable",
    );
}

#[test]
fn hostile_release_roots_are_refused() {
    let (pieces, catalog) = honest();
    let refuse = |root: Vec<u8>, words: &str| {
        let mut catalog = catalog.clone();
        catalog.releases[0].root = root;
        assert_set_refused(&pieces, &catalog.to_bytes(), words);
    };
    // A name that would lead out of the folder of roots.
    let named = ReleaseRoot {
        name: "aaaaaaaaaaaa:1".parse().unwrap(),
        ..root()
    };
    let mut body = named.encode();
    let at = body
        .windows(12)
        .position(|bytes| bytes == b"aaaaaaaaaaaa")
        .unwrap();
    body[at..at + 12].copy_from_slice(b"../../../out");
    refuse(body, "name of a release");
    // Lists that are not on the volumes, too deep, or said to be longer than anything.
    let list = StreamRef {
        bytes: 100,
        id: ChunkId::of(b"not there"),
        ..StreamRef::EMPTY
    };
    let words = "evil:1 needs 1 chunks that neither the volumes nor the store hold";
    for list in [
        list,
        StreamRef {
            bytes: u64::MAX,
            ..list
        },
    ] {
        refuse(
            ReleaseRoot {
                blobs: list,
                ..root()
            }
            .encode(),
            words,
        );
    }
    let there = StreamRef {
        bytes: 10,
        id: ChunkId::of(EVIL),
        ..StreamRef::EMPTY
    };
    let deep = StreamRef {
        depth: 255,
        ..there
    };
    refuse(
        ReleaseRoot {
            blobs: deep,
            ..root()
        }
        .encode(),
        "too deep",
    );
    refuse(
        ReleaseRoot {
            manifest: deep,
            ..root()
        }
        .encode(),
        "corrupt",
    );
    refuse(
        ReleaseRoot {
            manifest: there,
            items: 1,
            ..root()
        }
        .encode(),
        "corrupt",
    );
    let long = StreamRef {
        bytes: u64::MAX,
        ..there
    };
    refuse(
        ReleaseRoot {
            manifest: long,
            items: 1,
            ..root()
        }
        .encode(),
        "bytes of the list of items",
    );
    refuse(
        ReleaseRoot {
            items: u32::MAX,
            ..root()
        }
        .encode(),
        "number of items",
    );
}

#[test]
fn hostile_frames_are_refused() {
    let (_, catalog) = honest();
    let refuse = |frame: Vec<u8>, words: &str| {
        let mut catalog = catalog.clone();
        catalog.frames[0].stored_bytes = u32::try_from(frame.len()).unwrap();
        assert_set_refused(&[frame], &catalog.to_bytes(), words);
    };
    let good = frame_of(&[EVIL]);
    refuse(noise(3, 4000), "not a frame");
    refuse(good[..good.len() - 1].to_vec(), "shorter than it says");
    let change = |at: usize, byte: u8| {
        let mut frame = good.clone();
        frame[at] = byte;
        let sum = hash(&[&frame[..24], &frame[56..]].concat());
        frame[24..56].copy_from_slice(&sum);
        frame
    };
    refuse(change(4, 9), "frame version 9 is newer");
    refuse(change(5, 77), "codec");
    refuse(change(6, 77), "filter");
    refuse(change(8, 0x80), "flag");
    // More chunks, plain bytes or stored bytes than there are.
    refuse(change(15, 0x7f), "past its limit");
    refuse(change(19, 0x7f), "past its limit");
    refuse(change(23, 0x7f), "past its limit");
    refuse(change(14, 2), "shorter than it says");
    refuse(change(56, 0), "a chunk's length is past its limit");
    refuse(change(56, 11), "chunk lengths do not add up");

    // A frame longer than any may be, though the volume has no room for it.
    let mut huge = catalog.clone();
    huge.frames[0].stored_bytes = u32::MAX;
    assert!(u64::from(u32::MAX) > FRAME_MAX as u64);
    let mut needed = root();
    needed.manifest = StreamRef {
        bytes: 10,
        id: ChunkId::of(EVIL),
        ..StreamRef::EMPTY
    };
    huge.releases[0].root = needed.encode();
    assert_set_refused(
        &[good],
        &huge.to_bytes(),
        "neither the volumes nor the store hold",
    );
}

#[test]
fn frames_that_unpack_to_much_are_unpacked_few_at_a_time() {
    in_own_process(
        "hostile::frames_that_unpack_to_much_are_unpacked_few_at_a_time",
        frames_that_unpack_to_much,
    );
}

fn frames_that_unpack_to_much() {
    let zeros = vec![0; carryall::content::chunk::CHUNK_MAX];
    let count = PLAIN_MAX / zeros.len();
    let chunks = vec![&zeros[..]; count];
    let bomb = frame_of(&chunks);
    assert!(bomb.len() < 100_000);
    let pieces = vec![bomb.clone(); 40];
    for said in [PLAIN_MAX, 0] {
        let (_, mut catalog) = honest();
        let entry = frame_entry(&bomb, said, u32::try_from(count).unwrap());
        catalog.frames = vec![entry; pieces.len()];
        let dir = TempDir::new().unwrap();
        write_set(dir.path(), &pieces, &catalog.to_bytes(), VOLUME_BYTES);
        let site = Site::default();
        let end = receive(&site.store, &[dir.path().to_owned()], &Silent);
        assert_eq!(end.is_ok(), said == PLAIN_MAX, "{end:?}");
    }
    assert!(peak_bytes() < 2 << 30, "{} bytes", peak_bytes());
}

/// Puts another descriptor into every place that has one, under right hashes.
fn forge_descriptor(dir: &Path, change: impl Fn(&mut SetDescriptor)) {
    let (pieces, catalog) = honest();
    let report = write_set(dir, &pieces, &catalog.to_bytes(), VOLUME_BYTES);
    for (volume_no, path) in (1..).zip(&report.volumes) {
        let carrier = path.join(format!("carry{volume_no:02}.000"));
        let mut bytes = fs::read(&carrier).unwrap();
        for block in bytes.chunks_exact_mut(BLOCK_BYTES) {
            let header = BlockHeader::open(block).unwrap();
            let at = match header.kind {
                BlockKind::Superblock => HEADER_BYTES + descriptor_offset(BlockSize::Full),
                BlockKind::Catalog if header.block_no == 1 => HEADER_BYTES,
                _ => continue,
            };
            let geometry = carryall::volumes::geometry::Geometry::from_header(&header.set).unwrap();
            let mut payload = vec![0; descriptor_offset(BlockSize::Full)];
            payload.extend_from_slice(&block[at..]);
            let mut descriptor = SetDescriptor::from_superblock(&geometry, &payload).unwrap();
            change(&mut descriptor);
            let file = seal(EnvelopeKind::SetDescriptor, &encode(&descriptor));
            block[at..].fill(0);
            block[at..at + file.len()].copy_from_slice(&file);
            header.seal(block);
        }
        fs::write(carrier, bytes).unwrap();
    }
}

#[test]
fn hostile_descriptors_are_refused() {
    type Change = fn(&mut SetDescriptor);
    let cases: [(Change, &str); 7] = [
        (|each| each.payload_bytes[0] = u64::MAX, "no superblock"),
        (|each| each.payload_bytes.push(1), "no superblock"),
        (|each| each.payload_bytes.clear(), "no superblock"),
        (|each| each.catalog_bytes = 1 << 40, "no superblock"),
        (|each| each.catalog_bytes -= 1, "do not belong together"),
        (|each| each.catalog_hash = [7; 32], "do not belong together"),
        (
            |each| each.title = "\u{1b}[2J/../../".repeat(300),
            "do not belong together",
        ),
    ];
    for (change, words) in cases {
        let dir = TempDir::new().unwrap();
        forge_descriptor(dir.path(), change);
        assert_refused(dir.path(), words);
    }
}

/// Blocks whose numbers are allowed and larger than anything, one of each set.
fn write_claims(dir: &Path, count: u8) {
    for number in 0..count {
        let header = BlockHeader {
            set: SetHeader {
                set_id: SetId([number; 16]),
                block_size: BlockSize::Full,
                codec: ParityCodec::Gf16,
                data_volumes: 16,
                spare_volumes: 0,
                stripe_width: 0,
                local_data: 0,
                local_parity: 0,
                catalog_blocks: 2,
                volume_blocks: 1 << 27,
            },
            volume_no: 1 + u16::from(number % 16),
            block_no: 1,
            kind: BlockKind::Catalog,
        };
        let mut block = vec![number; BLOCK_BYTES];
        header.seal(&mut block);
        fs::write(dir.join(format!("claim-{number}")), block).unwrap();
    }
}

#[test]
fn one_wrong_set_does_not_keep_an_honest_one_out() {
    let honest = Shape {
        items: &[300_000],
        blocks: 32,
        ..Shape::default()
    }
    .pack();
    // Whatever comes first: sets are met in the order of their ids.
    for seed in 0..4 {
        let carried = honest.carry();
        let (pieces, mut catalog) = self::honest();
        catalog.releases[0].root = noise(seed, 60);
        write_set(carried.root(), &pieces, &catalog.to_bytes(), VOLUME_BYTES);
        let site = Site::default();
        let report = receive(&site.store, &carried.paths(), &Silent).unwrap();
        assert_eq!(report.failed.len(), 1, "{report:?}");
        let what = report.failed[0].error.diagnose();
        assert!(what.to_string().contains("not decodable"), "{what}");
        assert_eq!(report.sets.len(), 1);
        assert_eq!(site.releases(), ["shop:1.0"]);
        site.assert_same(&honest);
    }
}

#[test]
fn blocks_that_claim_the_largest_sets_cost_little() {
    in_own_process(
        "hostile::blocks_that_claim_the_largest_sets_cost_little",
        blocks_that_claim_the_largest_sets,
    );
}

fn blocks_that_claim_the_largest_sets() {
    let honest = Shape {
        items: &[300_000],
        blocks: 32,
        ..Shape::default()
    }
    .pack();
    let carried = honest.carry();
    write_claims(carried.root(), 2);
    assert_eq!(
        carried.verify().state,
        carryall::ops::media::verify::SetState::Whole
    );
    let site = Site::default();
    let progress = site.receive_set(&carried.paths(), &honest);
    assert_eq!(progress.state, ProgressState::Complete);
    site.assert_same(&honest);
    assert!(peak_bytes() < 2 << 30, "{} bytes", peak_bytes());
}
