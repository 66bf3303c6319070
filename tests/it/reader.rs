//! The format as a stranger reads it: `docs/reader.py`, written from docs/format.md alone, reads what this program packs, and the
//! vectors and hex dumps beside the document are what the program really writes.
//!
//! It needs Python 3 with the packages blake3 and zstandard (`tests/run` sees to them); without them tests are skipped, but not on CI.
//! `CARRYALL_WRITE_VECTORS=1` writes the vectors anew.

use crate::testkit::{programs, stage};

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use carryall::base::id::{BlobId, hash};
use carryall::deflate::{ReconstructOptions, reconstruct};
use carryall::volumes::block::ParityCodec;
use carryall::volumes::parity::ErasureCode;
use stage::{MEDIA, Run, Seeded, Stage, look, noise, text, visible};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A Python that has the packages.
fn python() -> Option<PathBuf> {
    let given = std::env::var_os("CARRYALL_TEST_PYTHON").map(PathBuf::from);
    let candidates = given.into_iter().chain([
        repository("target/python/bin/python3"),
        PathBuf::from("python3"),
    ]);
    let found = candidates.into_iter().find(|python| {
        let mut command = Command::new(python);
        let output = command.args(["-c", "import blake3, zstandard"]).output();
        output.is_ok_and(|output| output.status.success())
    });
    assert!(
        found.is_some() || std::env::var_os("CI").is_none(),
        "needed on CI: python3 with blake3 and zstandard"
    );
    if found.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped, not installed: python3 with blake3 and zstandard"
        );
    }
    found
}

fn run_python(python: &Path, script: &str, words: &[&Path]) -> Run {
    let mut command = Command::new(python);
    let output = command.arg(repository(script)).args(words).output();
    output.unwrap().into()
}

fn gzip(stage: &Stage, name: &str, level: &str) {
    let output = Command::new("gzip")
        .args(["-nc", level])
        .arg(stage.path(name))
        .output()
        .unwrap();
    fs::write(stage.path(&format!("{name}.gz")), output.stdout).unwrap();
}

/// A stage with a release of everything that the reader knows how to make again.
fn stage_with_release() -> Stage {
    let stage = Stage::with_release();
    fs::write(stage.path("given/说明.txt"), text(4, 200_000)).unwrap();
    // Code for x86-64, of which the filter is used.
    fs::copy("/bin/cat", stage.path("given/cat")).unwrap();
    gzip(&stage, "given/说明.txt", "-6");
    for stream in [
        "zlib-1.gz",
        "gzip-6.gz",
        "pigz-9.gz",
        "zopfli.gz",
        "zlib-window-9-6.gz",
        "zlib-rle.gz",
    ] {
        let to = stage.path(&format!("given/{stream}"));
        fs::copy(repository("tests/data/deflate/streams").join(stream), to).unwrap();
    }
    for stream in [
        "xz-6e.xz",
        "xz-threads.xz",
        "xz-delta.xz",
        "xz-0.lzma",
        "bzip2-members.bz2",
        "lz4-frames.lz4",
        "lz4-linked.lz4",
    ] {
        let to = stage.path(&format!("given/{stream}"));
        fs::copy(repository("tests/data/recode/streams").join(stream), to).unwrap();
    }
    for file in ["c.bc", "c-debug.bc", "rust.bc"] {
        let to = stage.path(&format!("given/{file}"));
        fs::copy(repository("tests/data/bitcode/files").join(file), to).unwrap();
    }
    let items: Vec<String> = visible(&stage.path("given"))
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    let mut words = vec!["add".to_owned(), "商城:1.0".to_owned()];
    words.extend(items);
    stage.run(&words).ends_with(0);
    stage
}

#[test]
fn a_stranger_reads_what_was_packed_byte_for_byte() {
    let Some(python) = python() else {
        return;
    };
    let stage = stage_with_release();
    for (to, more) in [
        ("fast", &["--effort", "fast", "--spare", "1"][..]),
        (
            "max",
            &["--effort", "max", "--codec", "gf8", "--spare", "2"],
        ),
        ("iso", &["--iso", "--local", "0", "--spare", "0"]),
    ] {
        let pack = ["pack", "商城:1.0", "--to", to, "--media", MEDIA];
        stage.run(&[&pack[..], more].concat()).ends_with(0);
        let read = |command: &str, more: &[&Path]| {
            let packed = stage.path(to);
            let mut words = vec![Path::new(command), &packed];
            words.extend(more);
            run_python(&python, "docs/reader.py", &words)
        };
        let run = read("verify", &[]).ends_with(0);
        assert!(run.stdout.ends_with("whole\n"), "{run:#?}");
        // The images differ from the folders by how the blocks lie in them, which has been read by now.
        if to == "iso" {
            continue;
        }
        let back = stage.path(&format!("{to}-back"));
        read("extract", &[&back]).ends_with(0);
        assert!(
            look(&back.join("商城:1.0")) == look(&stage.path("given")),
            "{to} came back other than it was given"
        );
    }
    let list = run_python(
        &python,
        "docs/reader.py",
        &[Path::new("list"), &stage.path("max")],
    );
    for line in [
        "  files/deep/link -> ../run.sh",
        "  说明.txt",
        "  files/empty/",
    ] {
        assert!(list.stdout.contains(line), "{list:#?}");
    }
}

#[test]
fn a_stranger_reads_bare_bundles() {
    let Some(python) = python() else {
        return;
    };
    let stage = Stage::with_release();
    stage.add_given("shop:1.0", "given");
    let key = ["key", "new", "vendor.key", "--no-password"];
    stage.run(&key).ends_with(0);
    let pack = [
        "pack",
        "shop:1.0",
        "--bare",
        "shop.bare",
        "--sign",
        "vendor.key",
    ];
    stage.run(&pack).ends_with(0);
    let (file, back) = (stage.path("shop.bare"), stage.path("back"));
    let words = [Path::new("extract"), &file, &back];
    let run = run_python(&python, "docs/reader.py", &words).ends_with(0);
    assert!(run.stdout.contains("signed with key"), "{run:#?}");
    assert!(look(&back.join("shop:1.0")) == look(&stage.path("given")));
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let run = run_python(&python, "docs/reader.py", &[Path::new("verify"), &file]);
    let run = run.ends_with(1);
    assert!(run.stderr.contains("are not what was packed"), "{run:#?}");
}

#[test]
fn a_stranger_reads_sealed_sets_behind_plain_age() {
    let Some(python) = python().filter(|_| programs::has(&["age"])) else {
        return;
    };
    let stage = Stage::new();
    let golden = |name: &str| repository("tests/data/golden/v1/bare").join(name);
    let (to, inner) = (stage.path("to"), stage.path("inner.bare"));
    let words = [Path::new("extract"), &golden("sealed.bare"), &to];
    let run = run_python(&python, "docs/reader.py", &words).ends_with(0);
    assert!(run.stdout.contains("sealed: `age -d`"), "{run:#?}");
    let mut age = Command::new("age");
    age.arg("-d").arg("-i").arg(golden("site.age")).arg("-o");
    age.arg(&inner).arg(to.join("sealed.age"));
    programs::run(&mut age);
    // What was sealed carries the same release as what was not.
    for file in [inner, golden("full.bare")] {
        let back = stage.path("back");
        let words = [Path::new("extract"), &file, &back];
        run_python(&python, "docs/reader.py", &words).ends_with(0);
        let readme = fs::read_to_string(back.join("golden:1/tree/readme.txt")).unwrap();
        assert_eq!(readme, "words, words, words\n".repeat(100));
        fs::remove_dir_all(back).unwrap();
    }
}

/// The bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let inside = |path: &PathBuf| {
        if path.is_dir() {
            bytes_below(path)
        } else {
            fs::read(path).unwrap()
        }
    };
    visible(folder).iter().flat_map(inside).collect()
}

/// An executable of calls of a few functions, in the order of this seed: the functions stay where they are.
fn code_in_order(seed: u64) -> Vec<u8> {
    let mut code = fs::read("/bin/cat").unwrap();
    code.truncate(4096);
    for pair in noise(seed, 40_000).chunks(2) {
        let target = 1000 * u32::from(pair[0]);
        let behind = u32::try_from(code.len()).unwrap() + 5;
        code.push(0xe8);
        code.extend_from_slice(&target.wrapping_sub(behind).to_le_bytes());
        code.extend_from_slice(&noise(u64::from(pair[1]), 4));
    }
    code
}

#[test]
fn a_stranger_reads_deltas_beside_the_sets_that_they_depend_on() {
    let Some(python) = python() else {
        return;
    };
    let stage = stage_with_release();
    // Old bytes that are changed here and there, and old bytes in many short runs of another order.
    let linked = text(5, 300_000);
    fs::write(stage.path("given/linked.txt"), &linked).unwrap();
    let old = noise(6, 100_000);
    fs::write(stage.path("given/written"), &old).unwrap();
    fs::write(stage.path("given/cat"), code_in_order(9)).unwrap();
    let add = |release: &str| {
        let items = visible(&stage.path("given"));
        let items = items.iter().map(|path| path.to_str().unwrap());
        let words: Vec<&str> = ["add", release].into_iter().chain(items).collect();
        stage.run(&words).ends_with(0);
    };
    add("商城:1.1");
    let mut changed = linked;
    for at in (0..changed.len()).step_by(70) {
        changed[at] = changed[at].wrapping_add(1);
    }
    fs::write(stage.path("given/linked.txt"), changed).unwrap();
    let runs = noise(7, 20_000);
    let runs = runs.chunks(2).flat_map(|pair| {
        let at = usize::from(pair[0]) << 8 | usize::from(pair[1]);
        old[at..at + 7].to_vec()
    });
    fs::write(stage.path("given/written"), runs.collect::<Vec<u8>>()).unwrap();
    fs::write(stage.path("given/cat"), code_in_order(8)).unwrap();
    add("商城:1.2");

    let pack = |words: &[&str]| {
        let words = [&["pack", "--media", MEDIA, "--spare", "0"][..], words].concat();
        stage.run(&words).ends_with(0)
    };
    pack(&["商城:1.1", "--to", "full"]);
    for (effort, kinds) in [
        ("fast", &[[3, 0]][..]),
        ("default", &[[4, 0], [5, 0], [5, 1]]),
        ("max", &[[4, 0], [5, 0], [5, 1]]),
    ] {
        let delta = [
            "商城:1.2",
            "--since",
            "商城:1.1",
            "--to",
            effort,
            "--effort",
            effort,
        ];
        pack(&delta);
        let packed = bytes_below(&stage.path(effort));
        for [codec, filter] in kinds {
            let begin = [0x8a, b'C', b'Y', b'F', 1, *codec, *filter];
            assert!(
                packed.windows(7).any(|bytes| bytes == begin),
                "{effort}: no frame of codec {codec} with filter {filter}"
            );
        }
        let back = stage.path(&format!("{effort}-back"));
        let paths = [stage.path(effort), stage.path("full"), back.clone()];
        let words: Vec<&Path> = std::iter::once(Path::new("extract"))
            .chain(paths.iter().map(PathBuf::as_path))
            .collect();
        run_python(&python, "docs/reader.py", &words).ends_with(0);
        assert!(
            look(&back.join("商城:1.2")) == look(&stage.path("given")),
            "{effort}: came back other than it was given"
        );
    }
}

#[test]
fn a_stranger_says_what_is_missing_damaged_or_beyond_it() {
    let Some(python) = python() else {
        return;
    };
    let stage = stage_with_release();
    let stream = "tests/data/deflate/streams/klauspost1.15.12-5.gz";
    fs::create_dir(stage.path("foreign")).unwrap();
    fs::copy(repository(stream), stage.path("foreign/layer.tar.gz")).unwrap();
    stage
        .run(&["add", "layer:1", "foreign/layer.tar.gz"])
        .ends_with(0);
    let pack = |words: &[&str]| {
        let words = [&["pack", "--media", MEDIA, "--effort", "fast"][..], words].concat();
        stage.run(&words).ends_with(0)
    };
    let read = |words: &[&str]| {
        let paths = words[1..].iter().map(|word| stage.path(word));
        let words: Vec<PathBuf> = std::iter::once(PathBuf::from(words[0]))
            .chain(paths)
            .collect();
        let words: Vec<&Path> = words.iter().map(PathBuf::as_path).collect();
        run_python(&python, "docs/reader.py", &words)
    };

    // A writer that is not foreseen: named, and the plain bytes are there.
    pack(&["layer:1", "--to", "layer", "--spare", "0"]);
    let run = read(&["extract", "layer", "layer-back"]).ends_with(3);
    assert!(
        run.stderr.contains("klauspost/compress, level 5"),
        "{run:#?}"
    );
    let back = stage.path("layer-back/layer:1");
    let plain = fs::read(back.join("layer.tar.gz.plain-1")).unwrap();
    let output = Command::new("gzip")
        .arg("-dc")
        .arg(repository(stream))
        .output();
    assert!(plain == output.unwrap().stdout);
    assert!(!back.join("layer.tar.gz").exists());

    // A delta.
    fs::write(stage.path("given/more"), noise(77, 50_000)).unwrap();
    let more = stage.path("given/more");
    stage
        .run(&["add".as_ref(), "商城:1.1".as_ref(), more.as_os_str()])
        .ends_with(0);
    stage.run(&["add", "商城:1.1", "given/cat"]).ends_with(0);
    pack(&[
        "商城:1.1",
        "--since",
        "商城:1.0",
        "--to",
        "delta",
        "--spare",
        "0",
    ]);
    let run = read(&["list", "delta"]).ends_with(1);
    assert!(
        run.stderr.contains("depends on 商城:1.0: name its set"),
        "{run:#?}"
    );

    // A volume is lost, a block is damaged.
    pack(&["商城:1.0", "--to", "discs", "--spare", "1"]);
    let volumes = visible(&stage.path("discs"));
    let carrier = visible(&volumes[0])
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "000"));
    let mut bytes = fs::read(carrier.as_ref().unwrap()).unwrap();
    bytes[30 * 4096 + 99] ^= 1;
    fs::write(carrier.unwrap(), bytes).unwrap();
    let run = read(&["verify", "discs"]).ends_with(1);
    assert!(
        run.stderr.contains("volume 1 of") && run.stderr.contains(": 1 of"),
        "{run:#?}"
    );
    fs::remove_dir_all(&volumes[1]).unwrap();
    let run = read(&["extract", "discs", "gone"]).ends_with(1);
    assert!(run.stderr.contains("volume 2 of"), "{run:#?}");
    assert!(!stage.path("gone").exists());
}

#[test]
fn a_stranger_reads_deltas_with_the_sets_that_they_depend_on() {
    let Some(python) = python() else {
        return;
    };
    let golden = |name: &str| {
        let path = repository("tests/data/golden/v1/bundles").join(format!("{name}.blocks.gz"));
        let mut blocks = Vec::new();
        let packed = fs::File::open(path).unwrap();
        flate2::read::GzDecoder::new(packed)
            .read_to_end(&mut blocks)
            .unwrap();
        blocks
    };
    for (base, deltas) in [
        (
            "base",
            &["zstd-behind-bases", "differences", "lzma-behind-bases"][..],
        ),
        ("programs", &["labels", "labels-lzma"]),
        ("arm64-programs", &["arm64-labels"]),
        ("scripts", &["new-names", "new-names-lzma"]),
    ] {
        let folder = tempfile::TempDir::new().unwrap();
        for name in [base].iter().chain(deltas) {
            fs::write(folder.path().join(name), golden(name)).unwrap();
        }
        let run = run_python(
            &python,
            "docs/reader.py",
            &[Path::new("verify"), folder.path()],
        );
        let run = run.ends_with(0);
        assert!(run.stdout.ends_with("whole\n"), "{run:#?}");
        let read = run
            .stdout
            .lines()
            .filter(|line| line.starts_with("release"));
        assert_eq!(read.count(), 1 + deltas.len(), "{run:#?}");
    }
}

/// Shapes of groups and stripes: of either rate of `gf16`, and of its equal case both ways.
const GROUPS: [(ParityCodec, usize, usize); 9] = [
    (ParityCodec::Gf8, 5, 3),
    (ParityCodec::Gf8, 2, 4),
    (ParityCodec::Gf16, 5, 3),
    (ParityCodec::Gf16, 3, 5),
    (ParityCodec::Gf16, 3, 3),
    (ParityCodec::Gf16, 7, 5),
    (ParityCodec::Gf16, 5, 7),
    (ParityCodec::Gf16, 9, 1),
    (ParityCodec::Gf16, 1, 2),
];

/// Recipes whose outcome stands in the vectors: what each shows, and its file.
const RECIPES: [(&str, &str); 7] = [
    ("raw", "odd/header-in-full.deflate"),
    ("gzip", "odd/fields.gz"),
    ("misses", "odd/members.gz"),
    ("pigz", "pigz-9.gz"),
    ("pgzip", "pgzip-256k-5.gz"),
    ("unknown", "odd/window-512.zz"),
    ("parts", "zopfli.gz"),
];

/// 64 bytes that the published vectors were made of: they stay what they are.
fn shard_of(seed: u64) -> Vec<u8> {
    let mut numbers = Seeded::new(seed);
    (0..8).flat_map(|_| numbers.next().to_le_bytes()).collect()
}

/// The vectors as the code makes them now.
fn vectors() -> Vec<(&'static str, serde_json::Value)> {
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let groups = GROUPS
        .iter()
        .zip(1..)
        .map(|(&(codec, data, parity), seed)| {
            let given: Vec<Vec<u8>> = (0..data)
                .map(|shard| shard_of(100 * seed + shard as u64))
                .collect();
            let mut made = vec![vec![0; 64]; parity];
            let code = ErasureCode::new(codec, data, parity).unwrap();
            let shards: Vec<&[u8]> = given.iter().map(Vec::as_slice).collect();
            let mut room: Vec<&mut [u8]> = made.iter_mut().map(Vec::as_mut_slice).collect();
            code.worker().encode(&shards, &mut room);
            let name = if codec == ParityCodec::Gf8 {
                "gf8"
            } else {
                "gf16"
            };
            let shards: Vec<String> = given.iter().chain(&made).map(|shard| hex(shard)).collect();
            serde_json::json!({ "codec": name, "data": data, "parity": parity, "shards": shards })
        });
    let both = ["recipes", "recipes-2"].into_iter().flat_map(|folder| {
        RECIPES
            .iter()
            .map(move |(shows, name)| (folder, shows, name))
    });
    let recipes = both.map(|(folder, shows, name)| {
        let data = repository("tests/data/deflate");
        let stream = fs::read(data.join("streams").join(name)).unwrap();
        let recipe = data.join(folder).join(format!("{}.recipe", name.replace('/', "-")));
        let recipe = fs::read(recipe).unwrap();
        let plain = plain_bytes(name, &stream);
        let mut made = Vec::new();
        let options = ReconstructOptions { stream_bytes: stream.len() as u64, threads: 1 };
        reconstruct(&mut &recipe[..], &mut &plain[..], &mut made, &options).unwrap();
        assert!(made == stream, "{name}");
        let id = |bytes: &[u8]| BlobId(hash(bytes)).to_string();
        serde_json::json!({
            "shows": shows, "stream": format!("tests/data/deflate/streams/{name}"), "bytes": stream.len(),
            "recipe": hex(&recipe), "plain_bytes": plain.len(), "plain_blake3": id(&plain), "stream_blake3": id(&made),
        })
    });
    vec![
        ("codes.json", groups.collect()),
        ("recipes.json", recipes.collect()),
    ]
}

fn plain_bytes(name: &str, stream: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match name.rsplit('.').next() {
        Some("gz") => flate2::read::MultiGzDecoder::new(stream).read_to_end(&mut plain),
        Some("zz") => flate2::read::ZlibDecoder::new(stream).read_to_end(&mut plain),
        _ => flate2::read::DeflateDecoder::new(stream).read_to_end(&mut plain),
    }
    .unwrap();
    plain
}

#[test]
fn vectors_are_what_the_code_makes() {
    for (name, value) in vectors() {
        let path = repository("docs/format-vectors").join(name);
        if std::env::var_os("CARRYALL_WRITE_VECTORS").is_some() {
            fs::write(&path, serde_json::to_string_pretty(&value).unwrap() + "\n").unwrap();
        }
        let kept: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert!(kept == value, "{name} is not what the code makes");
    }
}

#[test]
fn both_codes_are_as_the_document_says_them() {
    let Some(python) = python() else {
        return;
    };
    let vectors = repository("docs/format-vectors/codes.json");
    let run = run_python(&python, "docs/format-vectors/codes.py", &[&vectors]).ends_with(0);
    assert_eq!(run.stdout.lines().count(), GROUPS.len(), "{run:#?}");
}

#[test]
fn a_strangers_recipes_have_the_outcome_of_the_vectors() {
    let Some(python) = python() else {
        return;
    };
    let script = r#"
import json, sys
sys.path.insert(0, sys.argv[1] + "/docs")
import reader, zlib
from blake3 import blake3
for vector in json.load(open(sys.argv[1] + "/docs/format-vectors/recipes.json")):
    stream, plain = open(sys.argv[1] + "/" + vector["stream"], "rb").read(), b""
    while stream:
        unpacker = zlib.decompressobj({"gz": 31, "zz": 15}.get(vector["stream"][-2:], -15))
        plain += unpacker.decompress(stream) + unpacker.flush()
        stream = unpacker.unused_data
    assert blake3(plain).hexdigest() == vector["plain_blake3"]
    try:
        made = reader.Remaker(bytes.fromhex(vector["recipe"]), plain).stream()
        assert blake3(made).hexdigest() == vector["stream_blake3"], vector["shows"]
        print(vector["shows"], "same")
    except reader.NotRemade as error:
        print(vector["shows"], error)
"#;
    let output = Command::new(python)
        .args(["-B", "-c", script])
        .arg(repository(""))
        .output();
    let run = Run::from(output.unwrap()).ends_with(0);
    let lines: Vec<&str> = run.stdout.lines().collect();
    for line in [
        "raw same",
        "gzip same",
        "pigz same",
        "unknown same",
        "parts same",
    ] {
        let both = lines.iter().filter(|other| **other == line).count();
        assert_eq!(both, 2, "{line} {run:#?}");
    }
    assert!(
        run.stdout.contains("misses written nearly as by zlib"),
        "{run:#?}"
    );
    assert!(
        run.stdout.contains("pgzip written by klauspost/compress"),
        "{run:#?}"
    );
}

/// Lines such as `010040  8a 43 52   what it is` of the document are bytes of the golden volume.
#[test]
fn hex_dumps_of_the_document_are_of_a_real_volume() {
    let golden = fs::File::open(repository("tests/data/golden/v1/bundles/base.blocks.gz")).unwrap();
    let mut volume = Vec::new();
    flate2::read::GzDecoder::new(golden)
        .read_to_end(&mut volume)
        .unwrap();
    let document = fs::read_to_string(repository("docs/format.md")).unwrap();
    let mut dumped = 0;
    for line in document.lines() {
        let Some((at, rest)) = line.split_once("  ") else {
            continue;
        };
        let (6, Ok(at)) = (at.len(), usize::from_str_radix(at, 16)) else {
            continue;
        };
        let bytes = rest.split("  ").next().unwrap().split(' ');
        let bytes: Vec<u8> = bytes
            .map(|byte| u8::from_str_radix(byte, 16).unwrap())
            .collect();
        assert_eq!(volume[at..at + bytes.len()], bytes, "{line}");
        dumped += bytes.len();
    }
    assert!(dumped > 400, "{dumped}");
}

/// Says whether one signature is right for its statement, and for a text that is another.
const JUDGE: &str = "import sys; sys.path.insert(0, sys.argv[1]); import base64, reader_signatures as r
key = base64.b64decode(open(sys.argv[2]).read().split('\\n')[1])
text, message = open(sys.argv[3] + '/signed01.sig', 'rb').read(), open(sys.argv[3] + '/signed.txt', 'rb').read()
judge = getattr(r, sys.argv[4])
print(judge(key, text, message)[0], judge(key, text, message + b'x'))";

#[test]
fn the_reader_says_who_signed_a_set() {
    let Some(python) = python() else { return };
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(1, 100_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    for algorithm in ["minisign", "sm2"] {
        let (secret, public) = (format!("{algorithm}.key"), format!("{algorithm}.pub"));
        let new = ["key", "new", &secret, "--no-password", "--algorithm"];
        stage.run(&[&new[..], &[algorithm]].concat()).ends_with(0);
        let words = ["pack", "shop:1.0", "--media", "6MB", "--to", algorithm];
        let words = [&words[..], &["--sign", &secret]].concat();
        stage.run(&words).ends_with(0);
        let id = stage.key_id(&public);
        let words = [Path::new("verify"), &stage.path(algorithm)];
        let run = run_python(&python, "docs/reader.py", &words).ends_with(0);
        let line = format!("  signed with key {id}: carryall set ");
        assert!(run.stdout.contains(&line), "{run:#?}");
        let volume = visible(&stage.path(algorithm)).remove(0);
        let mut command = Command::new(&python);
        command.args(["-c", JUDGE]).arg(repository("docs"));
        command.arg(stage.path(&public)).arg(volume).arg(algorithm);
        let run: Run = command.output().unwrap().into();
        assert_eq!(run.ends_with(0).stdout, format!("{id} None\n"));
    }
}
