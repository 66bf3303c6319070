//! `forget`: gives up sets that are being received.

use carryall::ops::receive::forget;
use carryall::store::OpenMode;

use crate::cli::args::ForgetArgs;
use crate::cli::exit::Failure;
use crate::cli::{Context, messages, open};

pub fn run(context: &Context, args: &ForgetArgs) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Write)?;
    let report = if args.all_incomplete {
        forget::forget_all(&store)?
    } else {
        forget::forget(&store, &args.sets)?
    };
    context.print(&report, messages::given_up)?;
    Ok(0)
}
