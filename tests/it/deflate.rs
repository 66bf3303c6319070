//! Golden deflate streams: each opens into its plain text and a recipe no larger than stated, and comes back byte for byte.
//! Recipes that were written once re-make their streams for ever.

use std::fs;
use std::io::{Read, Write};
use std::path::PathBuf;

use carryall::deflate::{
    Analysis, AnalyzeOptions, DeflateError, ReconstructOptions, Wrapper, analyze, reconstruct,
};

/// Streams and the most bytes each recipe may have: a line each, sorted by name. Sizes may shrink, never grow.
const RECIPE_SIZES: &str = include_str!("../data/deflate/recipe-sizes.txt");

/// Streams with what has to stay outside of them: bytes that follow, or nothing.
const BEHIND: &[(&str, u64)] = &[("odd/behind-zeros.gz", 1000), ("odd/behind-text.gz", 26)];

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/deflate")
        .join(name)
}

fn stream(name: &str) -> Vec<u8> {
    fs::read(data("streams").join(name)).unwrap()
}

/// Names and sizes of [`RECIPE_SIZES`].
fn recipe_sizes() -> Vec<(&'static str, u64)> {
    let lines = RECIPE_SIZES.lines();
    let line = |line: &'static str| line.split_once(' ').unwrap();
    lines
        .map(line)
        .map(|(name, bytes)| (name, bytes.parse().unwrap()))
        .collect()
}

/// All streams there are, sorted by name.
fn names() -> Vec<String> {
    let mut names = Vec::new();
    for (folder, prefix) in [("streams", ""), ("streams/odd", "odd/")] {
        for entry in fs::read_dir(data(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                names.push(format!("{prefix}{}", entry.file_name().to_str().unwrap()));
            }
        }
    }
    names.sort();
    names
}

/// Options that open everything that can be opened.
fn options(name: &str) -> AnalyzeOptions<'static> {
    let wrapper = match name.rsplit('.').next() {
        Some("gz") => Wrapper::Gzip,
        Some("zz") => Wrapper::Zlib,
        _ => Wrapper::Raw,
    };
    AnalyzeOptions {
        wrapper,
        ratio_limit: 2000,
        recipe_limit_per_mille: 10_000,
        ..AnalyzeOptions::default()
    }
}

/// What flate2's decoder makes of as many members as there are.
fn unpacked(name: &str, packed: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match name.rsplit('.').next() {
        Some("gz") => flate2::read::MultiGzDecoder::new(packed).read_to_end(&mut plain),
        Some("zz") => flate2::read::ZlibDecoder::new(packed).read_to_end(&mut plain),
        _ => flate2::read::DeflateDecoder::new(packed).read_to_end(&mut plain),
    }
    .unwrap();
    plain
}

struct Opened {
    analysis: Analysis,
    plain: Vec<u8>,
    recipe: Vec<u8>,
}

fn open(source: &mut dyn Read, options: &AnalyzeOptions<'_>) -> Result<Opened, DeflateError> {
    let (mut plain, mut recipe) = (Vec::new(), Vec::new());
    let analysis = analyze(source, &mut plain, &mut recipe, options)?;
    assert_eq!(analysis.plain_bytes, plain.len() as u64);
    assert_eq!(analysis.recipe_bytes, recipe.len() as u64);
    Ok(Opened {
        analysis,
        plain,
        recipe,
    })
}

/// The stream made again, by one thread and by three.
fn remade(recipe: &[u8], plain: &[u8], stream_bytes: u64) -> Vec<u8> {
    let [alone, together] = [1, 3].map(|threads| {
        let options = ReconstructOptions {
            stream_bytes,
            threads,
        };
        let mut out = Vec::new();
        reconstruct(&mut &recipe[..], &mut &plain[..], &mut out, &options).unwrap();
        out
    });
    assert!(alone == together, "threads make another stream");
    alone
}

/// Gives and takes one byte at a time.
struct Trickle<T>(T);

impl<T: Read> Read for Trickle<T> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let len = out.len().min(1);
        self.0.read(&mut out[..len])
    }
}

impl<T: Write> Write for Trickle<T> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

fn check(prefixes: &[&str]) {
    let mut wrong = Vec::new();
    for name in names() {
        if name.contains("refused-") || !prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            continue;
        }
        let packed = stream(&name);
        let opened = match open(&mut &packed[..], &options(&name)) {
            Ok(opened) => opened,
            Err(error) => {
                wrong.push(format!("{name}: not opened: {error}"));
                continue;
            }
        };
        let behind = BEHIND.iter().find(|(odd, _)| *odd == name);
        let taken = packed.len() - usize::try_from(behind.map_or(0, |(_, bytes)| *bytes)).unwrap();
        assert_eq!(opened.analysis.stream_bytes, taken as u64, "{name}");
        if !name.contains("/wrong-") {
            assert!(opened.plain == unpacked(&name, &packed[..taken]), "{name}");
        }
        if remade(&opened.recipe, &opened.plain, taken as u64) != packed[..taken] {
            wrong.push(format!("{name}: does not come back"));
        }
        let most = recipe_sizes()
            .into_iter()
            .find(|(listed, _)| *listed == name);
        let Analysis {
            recipe_bytes,
            writer,
            ..
        } = &opened.analysis;
        if most.is_none_or(|(_, most)| *recipe_bytes > most) {
            let per_cent = *recipe_bytes as f64 * 100.0 / taken as f64;
            wrong.push(format!(
                "{name} {recipe_bytes} is {per_cent:.3} % of {taken}, taken for {writer}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn streams_of_go() {
    check(&["go"]);
}

#[test]
fn streams_of_klauspost() {
    check(&["klauspost"]);
}

#[test]
fn streams_of_pgzip() {
    check(&["pgzip"]);
}

#[test]
fn streams_of_zlib_and_gzip() {
    check(&["zlib", "gzip"]);
}

#[test]
fn streams_of_pigz() {
    check(&["pigz"]);
}

#[test]
fn streams_of_libdeflate_and_zopfli() {
    check(&["libdeflate", "zopfli"]);
}

#[test]
fn streams_of_miniz() {
    check(&["flate2"]);
}

/// flate2 as this program's own tests have it, through a small buffer and into one for all of it.
#[test]
fn whatever_flate2_writes_is_predicted() {
    let plain = unpacked("zlib-6.gz", &stream("zlib-6.gz"));
    for level in 1..=9 {
        let level = flate2::Compression::new(level);
        let mut out = flate2::write::GzEncoder::new(Vec::new(), level);
        for part in plain.chunks(10_007) {
            out.write_all(part).unwrap();
        }
        let through_buffers = out.finish().unwrap();
        let mut at_once = Vec::with_capacity(plain.len());
        flate2::Compress::new(level, true)
            .compress_vec(&plain, &mut at_once, flate2::FlushCompress::Finish)
            .unwrap();
        for (packed, name) in [(through_buffers, "x.gz"), (at_once, "x.zz")] {
            let opened = open(&mut &packed[..], &options(name)).unwrap();
            let Analysis {
                missed_tokens,
                recipe_bytes,
                writer,
                ..
            } = opened.analysis;
            assert!(
                missed_tokens == 0 && recipe_bytes < 60,
                "{level:?} {writer}"
            );
            let again = remade(&opened.recipe, &opened.plain, packed.len() as u64);
            assert!(again == packed, "{level:?} {name}");
        }
    }
}

/// Each writer costs the tokens of one member that was taken for the one before. Then it is known.
#[test]
fn members_of_different_writers_are_predicted_one_by_one() {
    let names = [
        "gzip-1.gz",
        "node20.20.2-6.gz",
        "zlib-ng2.3-6.gz",
        "flate2-9.gz",
    ];
    let once: Vec<u8> = names.iter().flat_map(|name| stream(name)).collect();
    let [first, more] = [2, 6].map(|times| {
        let packed = once.repeat(times);
        let opened = open(&mut &packed[..], &options("x.gz")).unwrap();
        assert!(remade(&opened.recipe, &opened.plain, packed.len() as u64) == packed);
        opened.analysis
    });
    assert_eq!(first.missed_tokens, more.missed_tokens);
    // Sixteen members more, whose headers and trailers differ from those before.
    assert!(
        more.recipe_bytes - first.recipe_bytes < 400,
        "{more:?} {first:?}"
    );
}

#[test]
fn streams_of_node() {
    check(&["node"]);
}

#[test]
fn odd_streams() {
    check(&["odd/"]);
}

#[test]
fn refused_streams() {
    for name in names() {
        if name.contains("refused-") {
            let packed = stream(&name);
            assert!(open(&mut &packed[..], &options(&name)).is_err(), "{name}");
        }
    }
}

#[test]
fn every_stream_is_in_the_table() {
    let named: Vec<&str> = recipe_sizes().iter().map(|(name, _)| *name).collect();
    let there: Vec<String> = names()
        .into_iter()
        .filter(|name| !name.contains("refused-"))
        .collect();
    assert_eq!(named, there);
}

#[test]
fn pieces_of_one_byte_and_threads_change_nothing() {
    for name in [
        "go1.19-6.gz",
        "klauspost1.15.12-5.gz",
        "pgzip-256k-5.gz",
        "pigz-6.gz",
        "zlib-9.zz",
        "odd/estargz.gz",
        "odd/behind-text.gz",
        "odd/stored.gz",
    ] {
        let packed = stream(name);
        let at_once = open(&mut &packed[..], &options(name)).unwrap();
        let threads = AnalyzeOptions {
            threads: 3,
            ..options(name)
        };
        let trickled = open(&mut Trickle(&packed[..]), &threads).unwrap();
        assert!(trickled.plain == at_once.plain, "{name}");
        assert!(trickled.recipe == at_once.recipe, "{name}");
        let stream_bytes = at_once.analysis.stream_bytes;
        let mut out = Trickle(Vec::new());
        reconstruct(
            &mut Trickle(&at_once.recipe[..]),
            &mut Trickle(&at_once.plain[..]),
            &mut out,
            &ReconstructOptions {
                stream_bytes,
                threads: 3,
            },
        )
        .unwrap();
        assert!(packed.starts_with(&out.0), "{name}");
        assert_eq!(out.0.len() as u64, stream_bytes, "{name}");
    }
}

#[test]
fn limits_keep_streams_closed() {
    let text = stream("zlib-6.gz");
    let open_with = |packed: &[u8], change: fn(&mut AnalyzeOptions<'_>)| {
        let mut options = options("x.gz");
        change(&mut options);
        open(&mut &packed[..], &options).err()
    };
    let refused = open_with(&text, |options| options.plain_limit_bytes = 289_999);
    assert!(matches!(refused, Some(DeflateError::PlainLimit(289_999))));
    let opened = open_with(&text, |options| options.plain_limit_bytes = 290_000);
    assert!(opened.is_none());
    let unknown = stream("libdeflate-12.gz").repeat(8);
    let refused = open_with(&unknown, |options| options.recipe_limit_per_mille = 1);
    assert!(matches!(refused, Some(DeflateError::RecipeLimit(1))));
    let refused = open_with(&text, |options| options.watch = Some(&|_| false));
    assert!(matches!(refused, Some(DeflateError::Stopped)));
}

/// What a limit is for: memory and time end with it, though the stream goes on.
#[test]
fn a_bomb_is_left_at_the_limit() {
    let zeros = std::io::repeat(0).take(200 << 20);
    let mut packed = flate2::read::GzEncoder::new(zeros, flate2::Compression::new(1));
    let mut bomb = Vec::new();
    packed.read_to_end(&mut bomb).unwrap();
    for (plain_limit_bytes, ratio_limit) in [(1 << 20, 2000), (u64::MAX, 100)] {
        let options = AnalyzeOptions {
            plain_limit_bytes,
            ratio_limit,
            ..options("x.gz")
        };
        let mut plain = Vec::new();
        assert!(analyze(&mut &bomb[..], &mut plain, &mut Vec::new(), &options).is_err());
        assert!(
            plain.len() < 16 << 20,
            "{} bytes were unpacked",
            plain.len()
        );
    }
}

/// Recipes of each version that was ever written, for the streams that there were then.
#[test]
fn golden_recipes_make_the_same_streams() {
    let is_writing = std::env::var_os("CARRYALL_WRITE_GOLDEN").is_some();
    let (folders, newest) = (["recipes", "recipes-2"], "recipes-2");
    let mut recipes = 0;
    for name in names() {
        if name.contains("refused-") {
            continue;
        }
        let packed = stream(&name);
        let opened = open(&mut &packed[..], &options(&name)).unwrap();
        let stream_bytes = opened.analysis.stream_bytes;
        for folder in folders {
            let path = data(folder).join(name.replace('/', "-") + ".recipe");
            // Only for a stream that is new; golden files are never edited.
            if is_writing && folder == newest && !path.exists() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &opened.recipe).unwrap();
            }
            if folder != newest && !path.exists() {
                continue;
            }
            let recipe = fs::read(&path).unwrap();
            let again = remade(&recipe, &opened.plain, stream_bytes);
            assert!(packed.starts_with(&again), "{folder} {name}");
            assert_eq!(again.len() as u64, stream_bytes, "{folder} {name}");
            recipes += 1;
        }
    }
    let there = folders.map(|folder| fs::read_dir(data(folder)).map_or(0, Iterator::count));
    assert_eq!(
        there.iter().sum::<usize>(),
        recipes,
        "some recipe has no stream"
    );
}
