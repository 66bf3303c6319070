//! Opened contents are listed file by file. Names of every kind appear, every chunk has a name, and hostile recipes
//! never cause a panic.
use std::collections::BTreeMap;

use super::streams::{gzip, words};
use super::*;
use crate::base::id::ChunkId;
use crate::content::contents::{Contents, FileKind as Sort, FoundFile};
use crate::content::recipe::walk::Walker;
use crate::content::recipe::{Recipe, RecipeOp, StreamRef};
use crate::content::release::{Item, ItemKind, Meta, walk};

fn item(content: Content) -> Item {
    Item {
        name: b"image.tar".to_vec(),
        meta: Meta::default(),
        kind: ItemKind::File { content },
    }
}

/// Every file as `within|...|path`, with its bytes put together.
fn files(memory: &Memory, content: Content) -> BTreeMap<String, Vec<u8>> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut visit = |found: &FoundFile<'_>| {
        if found.kind == Sort::File {
            let bytes = files.entry(label(found)).or_default();
            assert_eq!(bytes.len() as u64, found.offset);
            for chunk in found.chunks {
                let chunk_bytes = memory.chunk(&chunk.id).unwrap();
                assert_eq!(chunk_bytes.len(), chunk.bytes as usize);
                bytes.extend_from_slice(&chunk_bytes);
            }
            assert_eq!(bytes.len() as u64, found.offset + found.bytes);
        }
        Ok(())
    };
    Contents::new(memory)
        .item(&item(content), &mut visit)
        .unwrap();
    files
}

fn label(found: &FoundFile<'_>) -> String {
    let mut parts: Vec<String> = found
        .within
        .iter()
        .map(|part| String::from_utf8_lossy(part).into_owned())
        .collect();
    parts.push(String::from_utf8_lossy(found.path).into_owned());
    parts.join("|")
}

type Chunks = BTreeMap<ChunkId, u32>;

/// Returns the listing of an item and what a walk says it needs. Returns nothing where the walk, which is stricter,
/// refuses the item.
fn told_and_needed(memory: &Memory, content: Content) -> Option<(Chunks, HashSet<ChunkId>)> {
    let mut told = Chunks::new();
    let telling = Contents::new(memory).item(&item(content), &mut |found: &FoundFile<'_>| {
        told.extend(found.chunks.iter().map(|chunk| (chunk.id, chunk.bytes)));
        Ok(())
    });
    let mut needed = HashSet::new();
    let mut note = |id: &ChunkId| -> Result<(), RecipeError> {
        needed.insert(*id);
        Ok(())
    };
    let walking = walk::item(&mut Walker::new(memory), &item(content), &mut note);
    assert!(
        telling.is_ok() || walking.is_err(),
        "{telling:?} {walking:?}"
    );
    walking.ok()?;
    Some((told, needed))
}

#[track_caller]
fn every_chunk_is_told(memory: &Memory, content: Content) {
    let (told, needed) = told_and_needed(memory, content).unwrap();
    assert!(told.keys().all(|id| needed.contains(id)));
    assert_eq!(told.len(), needed.len());
    for (id, bytes) in told {
        assert_eq!(memory.chunk(&id).unwrap().len(), bytes as usize);
    }
}

fn tar_with(build: impl FnOnce(&mut ::tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    build(&mut builder);
    builder.into_inner().unwrap()
}

fn append(
    builder: &mut ::tar::Builder<Vec<u8>>,
    mut header: ::tar::Header,
    name: &str,
    body: &[u8],
) {
    header.set_size(body.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, body).unwrap();
}

#[test]
fn names_of_every_age_are_told() {
    let long = format!("opt/{}/end.bin", "deep/".repeat(60));
    let prefixed = format!("{}/in.posix", "p".repeat(120));
    let tar = tar_with(|builder| {
        append(
            builder,
            ::tar::Header::new_gnu(),
            "etc/plain",
            &noise(1, 3000),
        );
        append(builder, ::tar::Header::new_gnu(), &long, &noise(2, 300_000));
        append(
            builder,
            ::tar::Header::new_ustar(),
            &prefixed,
            &noise(3, 80_000),
        );
        append(builder, ::tar::Header::new_gnu(), "etc/empty", b"");
        let path = format!("var/{}", "x".repeat(200));
        builder
            .append_pax_extensions([("path", path.as_bytes())])
            .unwrap();
        append(
            builder,
            ::tar::Header::new_ustar(),
            "cut",
            &noise(4, 70_000),
        );
        append(builder, ::tar::Header::new_ustar(), "behind", &noise(5, 10));
    });
    let (memory, content) = round_trip(&tar);
    let files = files(&memory, content);
    let expected = [
        ("etc/plain".to_owned(), noise(1, 3000)),
        (long, noise(2, 300_000)),
        (prefixed, noise(3, 80_000)),
        (format!("var/{}", "x".repeat(200)), noise(4, 70_000)),
        ("behind".to_owned(), noise(5, 10)),
    ];
    assert_eq!(files.len(), expected.len());
    for (path, bytes) in expected {
        assert!(files[&format!("image.tar|{path}")] == bytes, "{path}");
    }
    every_chunk_is_told(&memory, content);
}

#[test]
fn streams_and_archives_in_one_another_are_told_by_their_innermost_paths() {
    let layer = tar_of(&[
        ("usr/lib/liba.so", &words(1, 200_000)),
        ("usr/share/doc.gz", &gzip(&words(2, 40_000))),
        ("opt/app.jar", &jar()),
    ]);
    let packed = gzip(&layer);
    let image = tar_of(&[
        ("blobs/sha256/aa", &packed),
        ("manifest.json", b"{}"),
        ("blobs/sha256/bb", &packed),
    ]);
    let (memory, content) = round_trip(&image);
    let files = files(&memory, content);
    let names: Vec<&str> = files.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "image.tar|blobs/sha256/aa|opt/app.jar|com/A.class",
            "image.tar|blobs/sha256/aa|opt/app.jar|com/B.class",
            "image.tar|blobs/sha256/aa|opt/app.jar|com/C.bin",
            "image.tar|blobs/sha256/aa|usr/lib/liba.so",
            "image.tar|blobs/sha256/aa|usr/share/doc.gz",
            "image.tar|manifest.json",
        ]
    );
    assert!(files["image.tar|blobs/sha256/aa|usr/share/doc.gz"] == words(2, 40_000));
    assert!(files["image.tar|blobs/sha256/aa|opt/app.jar|com/B.class"] == words(4, 90_000));
    assert!(files["image.tar|blobs/sha256/aa|opt/app.jar|com/C.bin"] == noise(5, 70_000));
    every_chunk_is_told(&memory, content);
}

fn jar() -> Vec<u8> {
    use super::streams::{deflate, zip_member};
    [
        zip_member("META-INF/small", b"tiny", 0, false),
        zip_member("com/A.class", &deflate(&words(3, 5000)), 8, true),
        zip_member("com/B.class", &deflate(&words(4, 90_000)), 8, false),
        zip_member("com/C.bin", &noise(5, 70_000), 0, false),
        b"PK\x01\x02central directory".to_vec(),
    ]
    .concat()
}

#[test]
fn zip_members_with_headers_in_them_keep_their_names() {
    use super::streams::zip_member;
    let fake = zip_member("fake", b"body", 0, false);
    let zip = [
        zip_member("a", &fake, 0, false),
        zip_member("b", &[&fake[..], &noise(6, 80_000)].concat(), 0, false),
        zip_member("locked", &noise(7, 90_000), 99, false),
    ]
    .concat();
    let (memory, content) = round_trip(&zip);
    let files = files(&memory, content);
    // `b` begins like a zip and is opened as one.
    assert!(files["image.tar|locked"] == noise(7, 90_000));
    assert!(files.keys().all(|name| !name.ends_with("a|fake")));
    every_chunk_is_told(&memory, content);
}

#[test]
fn lists_of_long_streams_are_told_too() {
    let members: Vec<(String, Vec<u8>)> = (0..60_000_u32)
        .map(|no| (format!("d/{no}"), no.to_le_bytes().to_vec()))
        .collect();
    let members: Vec<(&str, &[u8])> = members
        .iter()
        .map(|(name, body)| (&name[..], &body[..]))
        .collect();
    let memory = Memory::default();
    let (content, _, _) = open_with(&memory, &tar_of(&members), &BlobTable::default());
    let mut kinds: BTreeMap<Sort, u64> = BTreeMap::new();
    Contents::new(&memory)
        .item(&item(content), &mut |found: &FoundFile<'_>| {
            *kinds.entry(found.kind).or_default() += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(kinds[&Sort::File], 60_000);
    assert!(kinds[&Sort::Lists] >= 2 && kinds[&Sort::Headers] == 1);
    every_chunk_is_told(&memory, content);
}

#[test]
fn steps_that_do_not_fit_their_side_stream_lose_names_and_nothing_else() {
    let tar = tar_of(&[("a", &noise(1, 70_000)), ("b", &noise(2, 90_000))]);
    let (memory, content) = round_trip(&tar);
    let Content::Blob(blob) = content else {
        unreachable!("a tar is a blob");
    };
    let short = StreamRef {
        bytes: 512,
        ..blob.recipe.side
    };
    for side in [StreamRef::EMPTY, short] {
        let recipe = Recipe {
            side,
            ..blob.recipe
        };
        let files = files_told(&memory, Content::Blob(Blob { recipe, ..blob }));
        assert!(files >= 1);
    }
}

fn files_told(memory: &Memory, content: Content) -> usize {
    let mut count = 0;
    Contents::new(memory)
        .item(&item(content), &mut |found: &FoundFile<'_>| {
            count += usize::from(found.kind == Sort::File);
            Ok(())
        })
        .unwrap();
    count
}

/// Makes a recipe of any steps over any side bytes.
fn any_steps(memory: &mut Memory, side: &[u8], steps: &[(u8, u16)]) -> Content {
    let mut stream = crate::content::recipe::stream::StreamWriter::new(ContentKind::TarHeaders);
    stream.write(memory, side).unwrap();
    let side = stream.finish(memory).unwrap();
    let mut ops = crate::content::recipe::stream::StreamWriter::new(ContentKind::Meta);
    let mut given = 0;
    for (kind, number) in steps {
        let body = noise(u64::from(*number), usize::from(*number) + 1);
        let id = memory.put(&body, ContentKind::Other).unwrap();
        let bytes = u32::from(*number) + 1;
        let chunk = ChunkRef { bytes, id };
        let op = match kind % 4 {
            0 => RecipeOp::Chunk(chunk),
            1 | 2 => RecipeOp::Side {
                bytes: u64::from(*number % 2000) + 1,
            },
            _ => RecipeOp::Stream {
                bytes: u64::from(bytes),
                plain: Content::Chunk(chunk),
                remake_bytes: u64::from(*number % 100),
                codec: 1,
            },
        };
        given += match &op {
            RecipeOp::Side { bytes } => *bytes,
            _ => u64::from(bytes),
        };
        ops.write_record(memory, &op).unwrap();
    }
    let ops = ops.finish(memory).unwrap();
    Content::Blob(Blob {
        id: BlobId([1; 32]),
        bytes: given,
        recipe: Recipe { side, ops },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn every_chunk_of_any_mix_of_members_is_told(
        members in prop::collection::vec(any_member(), 1..6),
        nest: bool,
        packed: bool,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut whole = members.concat();
        whole.extend_from_slice(&[0; 1024]);
        for (at, mask) in flips {
            let at = at.index(whole.len());
            whole[at] ^= mask;
        }
        if packed {
            whole = gzip(&whole);
        }
        if nest {
            whole = tar_of(&[("inner.tar", &whole), ("jar", &jar()), ("more", b"more")]);
        }
        let memory = Memory::default();
        let (content, _, _) = open_with(&memory, &whole, &BlobTable::default());
        every_chunk_is_told(&memory, content);
    }

    #[test]
    fn hostile_recipes_are_told_or_refused(
        begin in 0..3_usize,
        garbage in prop::collection::vec(any::<u8>(), 0..3000),
        steps in prop::collection::vec((any::<u8>(), any::<u16>()), 0..30),
    ) {
        let front = [
            Vec::new(),
            [member(b'L', b"00000000100\0", b"", 0), member(b'0', b"00000077777\0", b"", 0)].concat(),
            super::streams::zip_member("some", &garbage[..garbage.len() / 2], 0, false),
        ];
        let side = [&front[begin][..], &garbage].concat();
        let mut memory = Memory::default();
        let content = any_steps(&mut memory, &side, &steps);
        let Some((told, needed)) = told_and_needed(&memory, content) else {
            return Ok(());
        };
        prop_assert!(told.keys().all(|id| needed.contains(id)) && told.len() == needed.len());
    }
}
