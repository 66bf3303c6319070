//! Opens and re-makes gzip streams of every writer found here: recipe sizes, speed beside `gzip -6`, memory. `benches/deflate` runs it.
//!
//! Every figure is of a process of its own (this program again, in the roles `analyze` and `reconstruct`), one thread, plain text going nowhere;
//! `gzip -6` runs on the same text before each row, because only ratios of the same minute count. Speeds are plain MB a CPU second,
//! `x writer` is the ratio to the writer's own, memory the peak above that of the bare program.
//! What misses its bar stands in bold.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::fs::{self, File};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use carryall::deflate::{AnalyzeOptions, ReconstructOptions, Wrapper, analyze, reconstruct};

/// What a stream may cost: per cent of the stream, how many times the speed of `gzip -6`, and of its own writer.
struct Bars {
    recipe_per_cent: f64,
    analyze: f64,
    reconstruct: f64,
    writer: f64,
}

struct Writer {
    name: String,
    /// `LEVEL` stands for the level; the plain text comes from stdin.
    command: Vec<String>,
    levels: std::ops::RangeInclusive<u32>,
}

/// The least speeds that were asked for. 0 where none was.
fn bars(writer: &str, level: u32) -> Bars {
    let is_default = match writer {
        _ if writer.starts_with("klauspost") || writer.starts_with("pgzip") => level == 5,
        _ => level == 6,
    };
    let recipe_per_cent = match (writer, level) {
        ("libdeflate", 10..) => 6.5,
        ("libdeflate", _) => 0.25,
        _ if is_default => 0.01,
        _ => 0.02,
    };
    let (analyze, reconstruct) = match writer {
        _ if writer.starts_with("go") && matches!(level, 5 | 6) => (1.0, 1.2),
        _ if writer.starts_with("klauspost") && matches!(level, 5 | 6) => (1.0, 1.2),
        _ if writer.starts_with("pgzip") && matches!(level, 5 | 6) => (1.0, 1.2),
        "zlib" | "gzip" | "pigz" if level == 6 => (0.9, 0.9),
        _ => (0.0, 0.0),
    };
    let writer_speed = if level == 9 && writer != "libdeflate" {
        1.0
    } else {
        0.0
    };
    Bars {
        recipe_per_cent,
        analyze,
        reconstruct,
        writer: writer_speed,
    }
}

/// CPU seconds of this process, those of the children it has waited for, and its peak memory in MB.
fn usage() -> (f64, f64, f64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields[at].parse::<f64>().unwrap() / 100.0;
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak_kib: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    (
        ticks(11) + ticks(12),
        ticks(13) + ticks(14),
        peak_kib / 1000.0,
    )
}

fn wrapper_of(stream: &Path) -> Wrapper {
    match stream.extension().and_then(|end| end.to_str()) {
        Some("zz") => Wrapper::Zlib,
        _ => Wrapper::Gzip,
    }
}

/// Role `analyze STREAM RECIPE`: prints `cpu memory plain recipe writer`.
fn analyse_one(stream: &Path, recipe: &Path) {
    let bare = usage().2;
    let options = AnalyzeOptions {
        wrapper: wrapper_of(stream),
        plain_limit_bytes: 1 << 40,
        recipe_limit_per_mille: 1000,
        ..AnalyzeOptions::default()
    };
    let mut source = BufReader::new(File::open(stream).unwrap());
    let mut out = BufWriter::new(File::create(recipe).unwrap());
    let analysis = analyze(&mut source, &mut std::io::sink(), &mut out, &options).unwrap();
    out.flush().unwrap();
    let (cpu, _, peak) = usage();
    println!(
        "{cpu} {:.1} {} {} {}",
        peak - bare,
        analysis.plain_bytes,
        analysis.recipe_bytes,
        analysis.writer
    );
}

/// Takes what is re-made and compares it with the stream as it comes.
struct Compared<R> {
    wanted: R,
    buffer: Vec<u8>,
}

impl<R: Read> Write for Compared<R> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.resize(bytes.len(), 0);
        self.wanted.read_exact(&mut self.buffer)?;
        if self.buffer != bytes {
            return Err(std::io::Error::other("it is another stream"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Role `reconstruct STREAM RECIPE PLAIN`: prints `cpu memory`. A `-` as PLAIN is stdin.
fn remake_one(stream: &Path, recipe: &Path, plain: &Path) {
    let bare = usage().2;
    let options = ReconstructOptions {
        stream_bytes: stream.metadata().unwrap().len(),
        threads: 1,
    };
    let mut out = Compared {
        wanted: BufReader::new(File::open(stream).unwrap()),
        buffer: Vec::new(),
    };
    let mut plain: Box<dyn Read> = match plain.to_str() {
        Some("-") => Box::new(std::io::stdin()),
        _ => Box::new(BufReader::new(File::open(plain).unwrap())),
    };
    let mut recipe = BufReader::new(File::open(recipe).unwrap());
    reconstruct(&mut recipe, &mut plain, &mut out, &options).unwrap();
    assert_eq!(
        out.wanted.read(&mut [0]).unwrap(),
        0,
        "the stream is longer"
    );
    let (cpu, _, peak) = usage();
    println!("{cpu} {:.1}", peak - bare);
}

/// Runs this program in another role, its stdin from a file.
fn role(args: &[&str], stdin: Stdio) -> Result<Vec<String>, String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(args)
        .stdin(stdin)
        .output()
        .unwrap();
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(errors.lines().take(3).collect::<Vec<_>>().join(" "));
    }
    let line = String::from_utf8(output.stdout).unwrap();
    Ok(line.trim().splitn(5, ' ').map(str::to_owned).collect())
}

fn run(command: &[String], plain: &Path, to: &Path) -> f64 {
    let before = usage().1;
    let status = Command::new(&command[0])
        .args(&command[1..])
        .stdin(File::open(plain).unwrap())
        .stdout(File::create(to).unwrap())
        .status()
        .unwrap();
    assert!(status.success(), "{command:?}");
    usage().1 - before
}

fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// Builds a writer of `tests/data/deflate/writers`; `None` when that Go cannot.
fn built(go: &str, program: &str, work: &Path) -> Option<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/deflate/writers")
        .join(program);
    let to = work.join(format!("{}-{program}", go.replace('/', "_")));
    let mut command = Command::new(go);
    if let Some(root) = Path::new(go)
        .parent()
        .and_then(Path::parent)
        .filter(|_| go.contains('/'))
    {
        command.env("GOROOT", root);
    }
    let status = command
        .args(["build", "-o"])
        .args([&to, &source])
        .env("GOPATH", "/usr/share/gocode")
        .env("GO111MODULE", "off")
        .env("GOTOOLCHAIN", "local")
        .env("GOCACHE", work.join("cache"))
        .stderr(Stdio::null())
        .status();
    status
        .is_ok_and(|status| status.success())
        .then(|| to.to_str().unwrap().to_owned())
}

/// All writers of this machine; `gos` are more Go releases than the one in PATH.
fn writers(gos: &[String], work: &Path) -> Vec<Writer> {
    let mut writers = Vec::new();
    let mut add = |name: &str, command: Vec<String>, levels| {
        let name = name.to_owned();
        writers.push(Writer {
            name,
            command,
            levels,
        });
    };
    for go in std::iter::once("go").chain(gos.iter().map(String::as_str)) {
        if let Some(gogzip) = built(go, "gogzip.go", work) {
            let version = Command::new(&gogzip).arg("version").output().unwrap();
            let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
            add(&version, vec![gogzip, "LEVEL".to_owned()], 1..=9);
        }
    }
    if let Some(klauspost) = built("go", "klauspost.go", work) {
        add("klauspost", vec![klauspost, "LEVEL".to_owned()], 1..=9);
    }
    if let Some(pgzip) = built("go", "pgzip.go", work) {
        for (name, chunk) in [("pgzip 256 KiB", 1 << 18), ("pgzip 1 MiB", 1 << 20)] {
            add(
                name,
                vec![pgzip.clone(), "LEVEL".to_owned(), chunk.to_string()],
                5..=6,
            );
        }
    }
    if is_there("gzip") {
        add("gzip", words("gzip -nc -LEVEL"), 1..=9);
    }
    if is_there("python3") {
        let script = "import sys, zlib\nc = zlib.compressobj(int(sys.argv[1]))\n\
            for b in iter(lambda: sys.stdin.buffer.read(1 << 20), b''): sys.stdout.buffer.write(c.compress(b))\n\
            sys.stdout.buffer.write(c.flush())";
        add(
            "zlib",
            ["python3", "-c", script, "LEVEL"]
                .map(str::to_owned)
                .to_vec(),
            6..=6,
        );
    }
    if is_there("pigz") {
        add("pigz", words("pigz -nc -LEVEL"), 1..=9);
    }
    if is_there("libdeflate-gzip") {
        add("libdeflate", words("libdeflate-gzip -nc -LEVEL"), 1..=12);
    }
    writers
}

/// A number, in bold when it misses its bar.
fn barred(text: String, is_met: bool) -> String {
    if is_met { text } else { format!("**{text}**") }
}

fn row(writer: &Writer, level: u32, plain: &Path, work: &Path) -> Result<(), String> {
    let command: Vec<String> = writer
        .command
        .iter()
        .map(|word| word.replace("LEVEL", &level.to_string()))
        .collect();
    let stream = work.join(if writer.name == "zlib" {
        "stream.zz"
    } else {
        "stream.gz"
    });
    let recipe = work.join("recipe");
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    let packing = run(&command, plain, &stream);
    let plain_mb = plain.metadata().unwrap().len() as f64 / 1e6;
    let gzip = run(&words("gzip -nc -6"), plain, &work.join("yardstick.gz"));
    let analysed = role(&["analyze", &path(&stream), &path(&recipe)], Stdio::null())?;
    let remade = role(
        &["reconstruct", &path(&stream), &path(&recipe), &path(plain)],
        Stdio::null(),
    )?;
    let number = |text: &String| text.parse::<f64>().unwrap();
    let (analyse_cpu, remake_cpu) = (number(&analysed[0]), number(&remade[0]));
    let stream_bytes = stream.metadata().unwrap().len();
    let per_cent = number(&analysed[3]) * 100.0 / stream_bytes as f64;
    let (analyse_times, remake_times) = (gzip / analyse_cpu, gzip / remake_cpu);
    let (analyse_own, remake_own) = (packing / analyse_cpu, packing / remake_cpu);
    let bars = bars(&writer.name, level);
    let peak = number(&analysed[1]).max(number(&remade[1]));
    println!(
        "| {} | {level} | {:.1} | {} | {} | {:.0} | {} | {} | {:.0} | {} | {} | {} | {} |",
        writer.name,
        stream_bytes as f64 / 1e6,
        analysed[3],
        barred(format!("{per_cent:.4}"), per_cent <= bars.recipe_per_cent),
        plain_mb / analyse_cpu,
        barred(format!("{analyse_times:.2}"), analyse_times >= bars.analyze),
        barred(format!("{analyse_own:.2}"), analyse_own >= bars.writer),
        plain_mb / remake_cpu,
        barred(
            format!("{remake_times:.2}"),
            remake_times >= bars.reconstruct
        ),
        barred(format!("{remake_own:.2}"), remake_own >= bars.writer),
        barred(format!("{peak:.1}"), peak < 10.0),
        analysed[4],
    );
    Ok(())
}

/// Files of every machine, in one order, as a tar cut at so many MB.
fn default_plain(work: &Path, mb: u64) -> PathBuf {
    let to = work.join("plain");
    let mut tar = Command::new("tar")
        .args("--sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - -C / usr/lib usr/share/doc".split(' '))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    cut(&mut tar.stdout.take().unwrap(), &to, mb);
    tar.wait().unwrap();
    to
}

fn cut(source: &mut dyn Read, to: &Path, mb: u64) {
    std::io::copy(
        &mut source.take(mb * 1_000_000),
        &mut File::create(to).unwrap(),
    )
    .unwrap();
}

/// One stream of 1 GB through a pipe: memory must not grow with the stream.
fn long(plain: &Path, work: &Path) {
    let (stream, recipe) = (work.join("long.gz"), work.join("recipe"));
    let unpack = |stream: &Path| {
        let file = File::open(stream).unwrap();
        Command::new("gzip")
            .arg("-dc")
            .stdin(file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let text = fs::read(plain).unwrap();
    let mut gzip = Command::new("gzip")
        .args(["-nc", "-1"])
        .stdin(Stdio::piped())
        .stdout(File::create(&stream).unwrap())
        .spawn()
        .unwrap();
    let mut pipe = gzip.stdin.take().unwrap();
    let mut left = 1_000_000_000;
    while left > 0 {
        let len = text.len().min(left);
        pipe.write_all(&text[..len]).unwrap();
        left -= len;
    }
    drop(pipe);
    gzip.wait().unwrap();
    let (stream_path, recipe_path) = (stream.to_str().unwrap(), recipe.to_str().unwrap());
    let analysed = role(&["analyze", stream_path, recipe_path], Stdio::null()).unwrap();
    let mut plain = unpack(&stream);
    let stdin = plain.stdout.take().unwrap();
    let remade = role(
        &["reconstruct", stream_path, recipe_path, "-"],
        stdin.into(),
    )
    .unwrap();
    plain.wait().unwrap();
    println!(
        "\n1 GB as one stream of gzip -1: peak memory {} MB to analyze, {} MB to re-make",
        analysed[1], remade[1]
    );
}

/// `run [--mb N] [--go PATH]... [PLAIN] [FILTER]...`
fn table(args: &[String]) {
    let (mut mb, mut gos, mut plain, mut filters) = (60, Vec::new(), None, Vec::new());
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--mb" => mb = args.next().unwrap().parse().unwrap(),
            "--go" => gos.push(args.next().unwrap().clone()),
            _ if plain.is_none() && filters.is_empty() && Path::new(arg).is_file() => {
                plain = Some(arg)
            }
            _ => filters.push(arg.as_str()),
        }
    }
    let work = tempfile::tempdir().unwrap();
    let work = work.path();
    let plain = match plain {
        None => default_plain(work, mb),
        Some(plain) => {
            let to = work.join("plain");
            cut(&mut File::open(plain).unwrap(), &to, mb);
            to
        }
    };
    println!(
        "| writer | level | stream MB | recipe bytes | % | analyze MB/s | x gzip -6 | x writer | re-make MB/s | x gzip -6 | x writer | memory MB | taken for |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for writer in writers(&gos, work) {
        for level in writer.levels.clone() {
            let name = format!("{}-{level}", writer.name);
            if !filters.is_empty() && !filters.iter().any(|filter| name.contains(filter)) {
                continue;
            }
            if let Err(error) = row(&writer, level, &plain, work) {
                println!("| {} | {level} | **FAIL**: {error} |", writer.name);
            }
        }
    }
    if filters.is_empty() || filters.contains(&"long") {
        long(&plain, work);
    }
}

fn main() {
    // `cargo bench` and `cargo test --benches` pass flags of their own: nothing to do without a role.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let path = |at: usize| Path::new(&args[at]);
    match args.first().map(String::as_str) {
        Some("run") => table(&args[1..]),
        Some("analyze") => analyse_one(path(1), path(2)),
        Some("reconstruct") => remake_one(path(1), path(2), path(3)),
        _ => {}
    }
}
