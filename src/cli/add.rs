//! `add`: makes or extends a release.

use carryall::layouts::opener::{Depth, OpenOptions};
use std::io::IsTerminal;
use std::path::PathBuf;

use carryall::registry::pull::PullOptions;
use carryall::store::Store;
use carryall::verbs::Error;
use carryall::verbs::add::sources::{RegistryImage, Sources, Stream, add_sources};
use carryall::verbs::add::{AddOptions, AddReport, Change};

use crate::cli::args::{AddArgs, GzipArg};
use crate::cli::failure::Failure;
use crate::cli::{Context, open, words};

/// What stands before the name of an image in a registry.
const IN_REGISTRY: &str = "docker://";
/// What the item is called that comes on standard input.
const FROM_STDIN: &str = "stdin.tar";

pub fn run(context: &Context, args: &AddArgs) -> Result<u8, Failure> {
    let (paths, images, has_stream) = sort(args)?;
    open::with_store_or_new(context, &paths, |store| {
        add(context, args, store, (&paths, &images, has_stream))
    })
}

/// What is to be added: paths, images in registries, and whether there is a stream.
type Given<'a> = (&'a [PathBuf], &'a [RegistryImage], bool);

fn add(
    context: &Context,
    args: &AddArgs,
    store: &Store,
    (paths, images, has_stream): Given<'_>,
) -> Result<u8, Failure> {
    let mut stdin = std::io::stdin().lock();
    let stream = has_stream.then(|| Stream {
        name: args.name.clone().unwrap_or_else(|| FROM_STDIN.to_owned()),
        bytes: &mut stdin,
    });
    let sources = Sources {
        paths,
        images,
        pull: PullOptions {
            platforms: args.platform.clone(),
        },
        client: args.registry.options(),
        stream,
    };
    let (report, pulled) = add_sources(
        store,
        &args.release,
        sources,
        &options(args),
        &context.screen,
    )
    .map_err(Error::from)?;
    if !context.json {
        for (image, pulled) in images.iter().zip(&pulled) {
            words::say(&words::pulled(&image.reference, pulled));
        }
    }
    context.print(&report, text)?;
    Ok(0)
}

/// Tells paths, images and standard input apart.
fn sort(args: &AddArgs) -> Result<(Vec<PathBuf>, Vec<RegistryImage>, bool), Failure> {
    let (mut paths, mut images, mut streams) = (Vec::new(), Vec::new(), 0);
    for given in &args.paths {
        match given.to_str() {
            Some("-") => streams += 1,
            Some(text) if text.starts_with(IN_REGISTRY) => {
                let image = RegistryImage::parse(&text[IN_REGISTRY.len()..]);
                let image = image.map_err(|error| {
                    Failure::usage(format!("{text}: {error}"), words::hint_reference())
                })?;
                images.push(image);
            }
            _ => paths.push(given.clone()),
        }
    }
    if streams > 0 && std::io::stdin().is_terminal() {
        return Err(Failure::usage(words::terminal_stdin(), words::hint_usage()));
    }
    if streams > 1 {
        return Err(Failure::usage(words::one_stream(), words::hint_usage()));
    }
    match (&args.name, images.len() + streams) {
        (None, _) => {}
        (Some(name), 1) => {
            if let Some(image) = images.first_mut() {
                image.name.clone_from(name);
            }
        }
        (Some(_), _) => return Err(Failure::usage(words::one_name(), words::hint_usage())),
    }
    Ok((paths, images, streams == 1))
}

fn options(args: &AddArgs) -> AddOptions {
    // A percent is checked to be 0 to 100.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let recipe_limit_per_mille = (args.gzip_recipe * 10.0).round() as u64;
    AddOptions {
        open: OpenOptions {
            depth: match args.gzip {
                GzipArg::Auto => Depth::Open,
                GzipArg::Keep => Depth::Tars,
            },
            recipe_limit_per_mille,
            seconds_per_gb: Some(args.gzip_seconds_per_gb).filter(|seconds| *seconds > 0),
            ..OpenOptions::default()
        },
        keep_ready: args.ready,
    }
}

fn text(report: &AddReport) -> String {
    let mut out = String::new();
    for item in &report.items {
        let change = match item.change {
            Change::Added => words::pick("added", "已添加"),
            Change::Replaced => words::pick("replaced", "已替换"),
            Change::Kept => words::pick("kept", "保留"),
        };
        out += &format!(
            "  {change}  {}  {}\n",
            words::shown(&item.name),
            words::bytes(item.bytes)
        );
    }
    out += &words::added(report);
    out += &words::streams(&report.streams);
    if report.ready_bytes > 0 {
        out += &words::kept_ready(report.ready_bytes);
    }
    out
}
