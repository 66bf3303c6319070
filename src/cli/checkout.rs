//! `checkout`: gives a release back.

use carryall::store::Access;
use carryall::verbs::checkout::{self, CheckoutOptions, CheckoutReport, ItemState};
use carryall::verbs::{self, Error};

use crate::cli::args::CheckoutArgs;
use crate::cli::failure::{EXIT_DAMAGE, Failure};
use crate::cli::{Context, open, words};

pub fn run(context: &Context, args: &CheckoutArgs) -> Result<u8, Failure> {
    let store = open::store(context, Access::Read)?;
    verbs::release(&store, &args.release)?;
    let options = CheckoutOptions {
        items: args.item.clone(),
    };
    let report = checkout::checkout(&store, &args.release, &args.dest, &options, &context.screen)
        .map_err(Error::from)?;
    context.print(&report, |report| text(report, &args.dest))?;
    if report.is_whole() {
        return Ok(0);
    }
    context.hint_damage();
    Ok(EXIT_DAMAGE)
}

fn text(report: &CheckoutReport, dest: &std::path::Path) -> String {
    let mut out = String::new();
    for item in &report.items {
        let state = match item.state {
            ItemState::Whole => words::pick("whole", "完好"),
            ItemState::Damaged => words::pick("DAMAGED", "已损坏"),
            ItemState::Lost => words::pick("LOST", "已丢失"),
        };
        out += &format!("  {state}  {}  {}\n", item.name, words::bytes(item.bytes));
    }
    out + &words::checked_out(report, dest)
}
