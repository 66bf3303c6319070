//! `pack`: lays releases out on volumes.

use carryall::block::Codec;
use carryall::bundle::Effort;
use carryall::media::{Capacity, Carrier};
use carryall::release::ReleaseRoot;
use carryall::store::{Access, Store};
use carryall::verbs;
use carryall::verbs::estimate;
use carryall::verbs::pack::{self, PackOptions};

use crate::cli::args::{CodecArg, EffortArg, PackArgs};
use crate::cli::failure::Failure;
use crate::cli::{Context, open, words};

pub fn run(context: &Context, args: &PackArgs) -> Result<u8, Failure> {
    let store = open::store(context, Access::Read)?;
    let mut names = args.releases.clone();
    names.sort();
    names.dedup();
    let releases = names
        .iter()
        .map(|name| verbs::release(&store, name))
        .collect::<Result<Vec<_>, _>>()?;
    if args.estimate {
        return estimate(context, &store, &releases, args);
    }
    let Some(to) = &args.to else {
        return Err(Failure::usage(words::no_media_named(), words::hint_usage()));
    };
    let report = pack::pack(
        &store,
        &releases,
        to,
        &options(args)?,
        &mut |plan| {
            if !context.json {
                words::say(&words::plan(plan));
            }
        },
        &context.screen,
    )?;
    context.print(&report, |report| words::packed(report, to))?;
    Ok(0)
}

fn estimate(
    context: &Context,
    store: &Store,
    releases: &[ReleaseRoot],
    args: &PackArgs,
) -> Result<u8, Failure> {
    let report = estimate::estimate(store, releases, &[], effort(args), &context.screen)?;
    context.print(&report, |report| words::estimate(report, context.rows()))?;
    Ok(0)
}

fn effort(args: &PackArgs) -> Effort {
    match args.effort {
        EffortArg::Fast => Effort::Fast,
        EffortArg::Default => Effort::Default,
        EffortArg::Max => Effort::Max,
    }
}

fn options(args: &PackArgs) -> Result<PackOptions, Failure> {
    let capacity = match (args.media, args.sectors) {
        (Some(capacity), _) => capacity,
        (None, Some(sectors)) => Capacity::from_sectors(sectors),
        (None, None) => return Err(Failure::usage(words::no_media_named(), words::hint_usage())),
    };
    Ok(PackOptions {
        capacity,
        carrier: if args.iso {
            Carrier::Iso
        } else {
            Carrier::Folders
        },
        spare: args.spare,
        local_percent: args.local,
        effort: effort(args),
        codec: match args.codec {
            CodecArg::Gf16 => Codec::Gf16,
            CodecArg::Gf8 => Codec::Gf8,
        },
    })
}
