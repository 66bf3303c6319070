//! `pack`: lays releases out on volumes.

use carryall::block::Codec;
use carryall::bundle::Effort;
use carryall::media::{Capacity, Carrier};
use carryall::store::Access;
use carryall::verbs;
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
    let report = pack::pack(
        &store,
        &releases,
        &args.to,
        &options(args)?,
        &mut |plan| {
            if !context.json {
                words::say(&words::plan(plan));
            }
        },
        &context.screen,
    )?;
    context.print(&report, |report| words::packed(report, &args.to))?;
    Ok(0)
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
        effort: match args.effort {
            EffortArg::Fast => Effort::Fast,
            EffortArg::Default => Effort::Default,
            EffortArg::Max => Effort::Max,
        },
        codec: match args.codec {
            CodecArg::Gf16 => Codec::Gf16,
            CodecArg::Gf8 => Codec::Gf8,
        },
    })
}
