//! `burn`: burns volumes disc by disc and reads each back.

use carryall::ops::media::burn::{self, BurnAnswer, BurnOptions, Dialog, Erase, WhichVolumes};

use crate::cli::args::BurnArgs;
use crate::cli::exit::{Failure, exit_code};
use crate::cli::{Context, messages, terminal};

pub fn run(context: &Context, args: &BurnArgs) -> Result<u8, Failure> {
    let options = BurnOptions {
        device: args.device.clone(),
        speed: args.speed,
        erase: if args.erase { Erase::All } else { Erase::Ask },
        which: if args.again {
            WhichVolumes::All
        } else {
            WhichVolumes::NotYetGood
        },
    };
    let outcome = burn::burn(
        &args.paths,
        &options,
        &mut Dialog {
            ask: &mut |volume, obstacle| {
                if context.json {
                    return BurnAnswer::Stop;
                }
                messages::say(&messages::burn_obstacle(volume, obstacle));
                let line = terminal::read_line(&context.screen);
                line.map_or(BurnAnswer::Stop, |line| answer(&line))
            },
            tell: &mut |volume, step| {
                if !context.json {
                    messages::say(&messages::burn_step(volume, step, &args.device));
                }
            },
        },
        &context.screen,
    );
    let report = outcome?;
    context.print(&report, messages::burned)?;
    Ok(exit_code(report.completion()))
}

/// Answers are words of both languages. What is not understood burns nothing, and Enter alone erases nothing.
fn answer(line: &str) -> BurnAnswer {
    match line.trim().to_lowercase().as_str() {
        "" | "y" | "yes" | "是" => BurnAnswer::GoOn,
        "erase" | "擦除" => BurnAnswer::Erase,
        "s" | "skip" | "跳过" => BurnAnswer::Skip,
        _ => BurnAnswer::Stop,
    }
}
