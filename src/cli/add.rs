//! `add`: makes or extends a release.

use carryall::base::diagnostic::diagnostic;
use carryall::files::unpacker::Depth;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use carryall::ops::add::sources::{ItemStream, RegistryImage, Sources, add_sources};
use carryall::ops::add::{AddOptions, AddReport, InputPath};
use carryall::store::Store;

use crate::cli::args::{AddArgs, OpeningArg};
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

/// What stands before the name of an image in a registry.
const IN_REGISTRY: &str = "docker://";
/// What the item is called that comes on standard input.
const FROM_STDIN: &str = "stdin.tar";

pub fn run(context: &Context, args: &AddArgs) -> Result<u8, Failure> {
    let sorted = sort(args)?;
    let paths: Vec<PathBuf> = sorted
        .given
        .iter()
        .map(|given| given.path.clone())
        .collect();
    open::with_store_or_new(context, &paths, |store| add(context, args, store, &sorted))
}

fn add(context: &Context, args: &AddArgs, store: &Store, sorted: &Sorted) -> Result<u8, Failure> {
    let Sorted {
        given,
        images,
        stream,
    } = sorted;
    let mut stdin = std::io::stdin().lock();
    let mut sources = Sources::default();
    sources.paths = given;
    sources.images = images;
    sources.pull.platforms.clone_from(&args.platform);
    sources.client = args.registry.options();
    sources.stream = stream.clone().map(|name| ItemStream::new(name, &mut stdin));
    let (report, pulled) = add_sources(
        store,
        &args.release,
        sources,
        &options(args),
        &context.screen,
    )?;
    if !context.json {
        for (image, pulled) in images.iter().zip(&pulled) {
            messages::say(&messages::pulled(&image.reference, pulled));
        }
    }
    context.print(&report, text)?;
    Ok(0)
}

/// What is to be added, by where it comes from.
#[derive(Default)]
struct Sorted {
    given: Vec<InputPath>,
    images: Vec<RegistryImage>,
    /// The name of what comes on standard input.
    stream: Option<String>,
}

/// Tells paths, images and standard input apart.
fn sort(args: &AddArgs) -> Result<Sorted, Failure> {
    let mut sorted = Sorted::default();
    for word in &args.paths {
        let (name, what) = named(word);
        match what.to_str() {
            Some("-") if sorted.stream.is_some() => {
                return Err(diagnostic!("usage.one_stream").into());
            }
            Some("-") => sorted.stream = Some(name.unwrap_or_else(|| FROM_STDIN.to_owned())),
            Some(text) if text.starts_with(IN_REGISTRY) => {
                let image = RegistryImage::parse(&text[IN_REGISTRY.len()..]);
                let mut image = image.map_err(|error| {
                    Failure::from(
                        diagnostic!("usage.bad_reference", given = text)
                            .because(carryall::ops::diagnose(&error)),
                    )
                })?;
                image.name = name.unwrap_or(image.name);
                sorted.images.push(image);
            }
            _ => {
                let mut path = InputPath::from(what);
                path.name = name;
                sorted.given.push(path);
            }
        }
    }
    if sorted.stream.is_some() && std::io::stdin().is_terminal() {
        return Err(diagnostic!("usage.terminal_stdin").into());
    }
    if let Some(name) = &args.name {
        let Sorted {
            given,
            images,
            stream,
        } = &mut sorted;
        match (&mut images[..], stream, &mut given[..]) {
            ([image], None, _) => image.name.clone_from(name),
            ([], Some(stream), _) => stream.clone_from(name),
            ([], None, [given]) => given.name = Some(name.clone()),
            _ => return Err(diagnostic!("usage.one_name").into()),
        }
    }
    Ok(sorted)
}

/// Tells `NAME=WHAT` from what only has a `=` in it: that is there, or has a `/` before it.
fn named(word: &Path) -> (Option<String>, PathBuf) {
    let split = word.to_str().and_then(|text| text.split_once('='));
    match split {
        Some((name, what))
            if !name.is_empty()
                && !name.contains('/')
                && !what.is_empty()
                && word.symlink_metadata().is_err() =>
        {
            (Some(name.to_owned()), PathBuf::from(what))
        }
        _ => (None, word.to_owned()),
    }
}

fn options(args: &AddArgs) -> AddOptions {
    // A percent is checked to be 0 to 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let recipe_limit_per_mille = (args.open_recipe * 10.0).round() as u64;
    let mut options = AddOptions::default();
    options.open.depth = match args.open {
        OpeningArg::Auto => Depth::Open,
        OpeningArg::None => Depth::Tars,
    };
    options.open.recipe_limit_per_mille = recipe_limit_per_mille;
    options.open.seconds_per_gb = Some(args.open_seconds_per_gb).filter(|seconds| *seconds > 0);
    options.keep_ready = args.ready;
    options
}

fn text(report: &AddReport) -> String {
    let mut out = String::new();
    for item in &report.items {
        let change = messages::change(item.change);
        out += &format!(
            "  {change}  {}  {}\n",
            messages::shown(&item.name),
            messages::bytes(item.bytes)
        );
    }
    out += &messages::added(report);
    out += &messages::streams(&report.streams);
    if report.ready_bytes > 0 {
        out += &messages::kept_ready(report.ready_bytes);
    }
    out
}
