//! `pack`: lays releases out on volumes.

mod fleet;
mod said;

use std::path::Path;

use carryall::base::diagnostic::diagnostic;
use carryall::bundle::receipt::Receipt;
use carryall::bundle::{Effort, Recipient};
use carryall::content::release::ReleaseRoot;
use carryall::ops;
use carryall::ops::pack::estimate;
use carryall::ops::pack::programs::PackPrograms;
use carryall::ops::pack::recipients;
use carryall::ops::pack::{self, PackNotes, PackOptions, PackPlan};
use carryall::store::{OpenMode, Store};
use carryall::volumes::block::ParityCodec;
use carryall::volumes::media::{Capacity, Carrier, MediaKind, ReadBack};

use crate::cli::args::{CodecArg, EffortArg, PackArgs};
use crate::cli::exit::Failure;
use crate::cli::{Context, key, messages, open, seal};

pub fn run(context: &Context, args: &PackArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let mut names = args.releases.clone();
    names.sort();
    names.dedup();
    let platform = args.platform.as_ref();
    let mut releases = names
        .iter()
        .map(|name| ops::release_for(&store, name, platform))
        .collect::<Result<Vec<_>, _>>()?;
    releases.dedup();
    let (recipients, receipt) = recipients(context, &store, args)?;
    if args.estimate && !args.for_all {
        return estimate(context, &store, &releases, &recipients, args);
    }
    let mut options = options(args)?;
    if args.for_all && args.estimate {
        let notes = PackNotes::default();
        return fleet::run(context, &store, &releases, (options, &notes), args);
    }
    options.signers = key::signers(&args.sign, args.password_file.as_deref())?;
    options.seal_to = seal::seal_to(args)?;
    options.receivers = recipients;
    let mut notes = said::notes(&store, &releases, args)?;
    if args.for_all {
        return fleet::run(context, &store, &releases, (options, &notes), args);
    }
    if let Some(site) = &args.site {
        let given = receipt.as_ref().map(Receipt::store_hex);
        let known = match given {
            None => recipients::store_of(&store, site)?,
            given => given,
        };
        notes.recipient = Some(site.to_string());
        notes.site = known.map(|known| (site.to_string(), known));
    }
    if let Some(file) = &args.bare {
        let code = bare(context, &store, &releases, file, (&options, &notes), args)?;
        if let (Some(site), false) = (&args.site, args.plan) {
            recipients::remember(&store, site, receipt.as_ref(), &releases)?;
        }
        return Ok(code);
    }
    if args.plan {
        let to = args.to.as_deref();
        let plan = pack::plan(&store, &releases, to, &options, &notes, &context.screen)?;
        context.print(&plan, messages::plan_alone)?;
        return Ok(0);
    }
    let Some(to) = &args.to else {
        return Err(diagnostic!("usage.no_folder").into());
    };
    let report = pack::pack_with(
        &store,
        &releases,
        to,
        &options,
        &notes,
        &mut |plan| {
            if !context.json {
                messages::say(&messages::plan(plan));
            }
        },
        &context.screen,
    )?;
    if let Some(site) = &args.site {
        recipients::remember(&store, site, receipt.as_ref(), &releases)?;
    }
    context.print(&report, |report| messages::packed(report, to))?;
    Ok(0)
}

/// Packs into one file, or only says how.
fn bare(
    context: &Context,
    store: &Store,
    releases: &[ReleaseRoot],
    file: &Path,
    (options, notes): (&PackOptions, &PackNotes),
    args: &PackArgs,
) -> Result<u8, Failure> {
    if args.plan {
        let plan = pack::bare::plan_bare(store, releases, file, options, notes, &context.screen)?;
        context.print(&plan, messages::plan_alone)?;
        return Ok(0);
    }
    let mut show = |plan: &PackPlan| {
        if !context.json {
            messages::say(&messages::plan(plan));
        }
    };
    let screen = &context.screen;
    let report = pack::bare::pack_bare(store, releases, file, options, notes, &mut show, screen)?;
    context.print(&report, messages::packed_bare)?;
    Ok(0)
}

fn estimate(
    context: &Context,
    store: &Store,
    releases: &[ReleaseRoot],
    recipients: &[Recipient],
    args: &PackArgs,
) -> Result<u8, Failure> {
    let report = estimate::estimate(store, releases, recipients, effort(args), &context.screen)?;
    context.print(&report, |report| messages::estimate(report, context.rows()))?;
    Ok(0)
}

fn effort(args: &PackArgs) -> Effort {
    match args.effort {
        EffortArg::Fast => Effort::Fast,
        EffortArg::Default => Effort::Default,
        EffortArg::Max => Effort::Max,
    }
}

/// Whom the bundle is for, and the receipt that was given for the site that is named.
fn recipients(
    context: &Context,
    store: &Store,
    args: &PackArgs,
) -> Result<(Vec<Recipient>, Option<Receipt>), Failure> {
    if args.site.is_some() && args.receipts.len() > 1 {
        return Err(diagnostic!("usage.one_receipt_a_site").into());
    }
    let mut found = Vec::new();
    for together in &args.since {
        found.push(recipients::by_names(store, &together.0)?);
    }
    let mut last = None;
    for (number, given) in (1..).zip(&args.receipts) {
        let receipt = recipients::read_receipt(given)?;
        let label = messages::receipt_label(number, &receipt);
        found.push(recipients::by_receipt(store, &label, &receipt)?);
        last = Some(receipt);
    }
    if let (Some(site), Some(receipt)) = (&args.site, &last)
        && recipients::is_of_another_store(store, site, receipt)?
    {
        note(context, &messages::another_store(site));
    }
    if let (Some(site), []) = (&args.site, &found[..]) {
        match recipients::by_site(store, site)? {
            Some(known) => found.push(known),
            None => note(context, &messages::site_is_new(site)),
        }
    }
    for each in found.iter().filter(|each| !each.unknown.is_empty()) {
        note(
            context,
            &messages::unknown_releases(&each.receiver.label, &each.unknown),
        );
    }
    for each in found.iter().filter(|each| !each.unknown_sets.is_empty()) {
        note(
            context,
            &messages::unknown_sets(&each.receiver.label, &each.unknown_sets),
        );
    }
    let recipients = found.into_iter().map(|each| each.receiver).collect();
    Ok((recipients, last.filter(|_| args.site.is_some())))
}

fn note(context: &Context, text: &str) {
    if !context.json {
        messages::say(text);
    }
}

fn options(args: &PackArgs) -> Result<PackOptions, Failure> {
    let is_any = args.media.is_none() && args.sectors.is_none() && args.media_at.is_none();
    let capacity = match &args.bare {
        Some(_) => Capacity::of(MediaKind::Usb),
        // Figures without a medium are those of one that is as large as needed.
        None if args.estimate && is_any => Capacity::of(MediaKind::Usb),
        None => said::capacity(args)?,
    };
    let mut options = PackOptions::new(capacity);
    options.carrier = if args.iso {
        Carrier::Iso
    } else {
        Carrier::Folders
    };
    options.spare = args.spare;
    options.local_percent = args.local;
    options.effort = effort(args);
    if args.bare.is_none() {
        options.programs = PackPrograms::find(said::program_wish(args), &args.program)?;
    }
    if args.read_back {
        options.read_back = ReadBack::Always;
    }
    options.codec = match args.codec {
        CodecArg::Gf16 => ParityCodec::Gf16,
        CodecArg::Gf8 => ParityCodec::Gf8,
    };
    Ok(options)
}
