//! The command line: one file a command, each parses, calls one library function and prints.

mod add;
mod args;
mod burn;
mod check;
mod checkout;
mod copy;
mod demo;
mod doctor;
mod exit;
mod fault;
mod forget;
mod help;
mod history;
mod hosts;
mod inspect;
mod install;
mod interrupt;
mod key;
mod labels;
mod list;
mod load;
mod log;
mod log_writer;
mod man;
mod memory;
mod messages;
mod open;
mod pack;
mod progress;
mod push;
mod receipt;
mod receive;
mod repair;
mod report;
mod seal;
mod serve;
mod show;
mod site;
mod terminal;
mod tray;
mod trust;
mod usage;
mod verify;
mod visit;

use std::ffi::OsString;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Mutex;

use carryall::base::diagnostic::{diagnostic, use_words};

use args::Command;
use exit::Failure;
use progress::{Screen, Verbosity};

/// What every command gets besides its own arguments.
struct Context {
    /// `--store`, if given.
    store: Option<std::path::PathBuf>,
    /// Reports as JSON.
    json: bool,
    /// Everything, not only the first lines of long lists.
    verbose: bool,
    /// Shows progress and hears Ctrl-C.
    screen: Screen,
    /// What is said before the report, once there is one.
    preface: Mutex<String>,
}

/// Lines of a long list that are shown without `-v`.
const ROWS_SHOWN: usize = 15;

impl Context {
    /// Lines of a long list that are shown.
    fn rows(&self) -> usize {
        if self.verbose { usize::MAX } else { ROWS_SHOWN }
    }

    /// Says what to do about damage that is left.
    fn hint_damage(&self) {
        if !self.json {
            messages::say(&messages::hint_damage());
        }
    }

    /// Prints a report: as JSON when asked for, else the text that `say` makes.
    fn print<T: serde::Serialize>(
        &self,
        report: &T,
        say: impl FnOnce(&T) -> String,
    ) -> Result<(), Failure> {
        let preface = self
            .preface
            .lock()
            .map(|mut preface| std::mem::take(&mut *preface));
        if let Ok(preface) = preface
            && !preface.is_empty()
        {
            messages::say(&preface);
        }
        if tracing::enabled!(tracing::Level::INFO) {
            tracing::info!(report = serde_json::to_string(report).unwrap_or_default());
        }
        if self.json {
            let json = serde_json::to_string_pretty(report)?;
            terminal::print_json(&(json + "\n"))?;
        } else {
            terminal::print(&terminal::names_in_lines(&say(report), report))?;
        }
        Ok(())
    }
}

/// Runs the command line and returns its exit code.
pub fn run() -> ExitCode {
    use_words(messages::english);
    let json = asks_for_json(std::env::args_os().skip(1));
    if json {
        messages::use_english();
    }
    if let Err(failure) = open::refuse_unexpanded(std::env::args_os().skip(1)) {
        return ExitCode::from(failure.report(json));
    }
    let cli = match help::parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => return usage::end(&error, json),
    };
    interrupt::listen(cli.json);
    fault::listen(cli.json);
    let verbosity = if cli.verbose {
        Verbosity::Full
    } else {
        Verbosity::Short
    };
    if let Err(failure) = begin_log(cli.log) {
        return ExitCode::from(failure.report(cli.json));
    }
    let context = Context {
        store: cli.store,
        json: cli.json,
        verbose: cli.verbose,
        screen: Screen::new(progress::style(cli.json, cli.quiet), verbosity),
        preface: Mutex::default(),
    };
    if let Err(failure) = fit_machine(&context, &cli.command) {
        return ExitCode::from(failure.report(context.json));
    }
    let run = AssertUnwindSafe(|| dispatch(&context, cli.command));
    let outcome = std::panic::catch_unwind(run);
    if fault::happened() {
        // It has been told where it happened.
        return ExitCode::from(exit::EXIT_FAILED);
    }
    context.screen.close();
    match &outcome {
        Ok(Ok(code)) => tracing::info!(exit_code = code, "ends"),
        Ok(Err(failure)) => failure.log(),
        Err(_) => tracing::error!("panicked"),
    }
    match outcome {
        Ok(Ok(code)) => ExitCode::from(code),
        Ok(Err(failure)) if interrupt::has_last_words() => {
            ExitCode::from(failure.report(context.json))
        }
        // Somebody else is saying how it ended, and ends it.
        Ok(Err(failure)) => {
            std::thread::sleep(interrupt::GRACE);
            ExitCode::from(failure.exit_code())
        }
        Err(_) => ExitCode::from(exit::EXIT_FAILED),
    }
}

/// Begins the log that is asked for by the option, or else by the variable.
fn begin_log(option: Option<std::path::PathBuf>) -> Result<(), Failure> {
    let variable = || std::env::var_os("CARRYALL_LOG").filter(|value| !value.is_empty());
    let Some(place) = option.or_else(|| variable().map(Into::into)) else {
        return Ok(());
    };
    let words = std::env::args_os().skip(1);
    let words: Vec<String> = words
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    Ok(log::begin(&place, &words)?)
}

/// Gets along with the memory and the threads that there are.
fn fit_machine(context: &Context, command: &Command) -> Result<(), Failure> {
    if let Some(fit) = memory::fit(command) {
        memory::use_cores(fit.cores);
        // That it takes longer is for those who want to know everything.
        let is_told = !fit.is_enough || context.verbose;
        if is_told && context.json {
            terminal::say_json(&serde_json::json!({
                "event": "memory", "needed_bytes": fit.needed_bytes, "there_bytes": fit.there_bytes, "cores": fit.cores,
                "is_enough": fit.is_enough,
            }));
        } else if is_told {
            terminal::say(&messages::memory(
                fit.needed_bytes,
                fit.there_bytes,
                fit.is_enough.then_some(fit.cores),
            ));
        }
    }
    if !memory::is_heavy(command) {
        return Ok(());
    }
    memory::start_workers().map_err(|()| diagnostic!("system.no_threads").into())
}

/// Whether `--json` is among the words, also of a command line that makes no sense.
fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    words
        .take_while(|word| word != "--")
        .any(|word| word == "--json")
}

fn dispatch(context: &Context, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Add(args) => add::run(context, &args),
        Command::List => list::list(context),
        Command::Show {
            release,
            choice,
            verify,
        } => show::run(context, &release, &choice, verify),
        Command::Diff { from, to } => list::diff(context, &from, &to),
        Command::Rm { release } => list::remove(context, &release),
        Command::Copy(args) => copy::run(context, &args),
        Command::Prune(args) => check::prune(context, &args),
        Command::Keep { release, no_longer } => check::keep(context, &release, !no_longer),
        Command::Pack(args) => pack::run(context, &args),
        Command::Inspect { paths, open } => inspect::run(context, &paths, &open),
        Command::Verify {
            paths,
            map,
            at_hand,
            retry_time,
            report,
        } => {
            let request = verify::VerifyRequest {
                map: map.as_deref(),
                at_hand,
                retry_time,
                report: &report,
            };
            verify::run(context, &paths, &request)
        }
        Command::Burn(args) => burn::run(context, &args),
        Command::Labels(args) => labels::run(context, &args),
        Command::Repair(args) => repair::run(context, &args),
        Command::Receive(args) => receive::run(context, &args),
        Command::Visit(args) => visit::run(context, &args),
        Command::Receipt(args) => receipt::run(context, &args),
        Command::Site(command) => site::run(context, &command),
        Command::Key(command) => key::run(context, &command),
        Command::Trust(command) => trust::run(context, &command),
        Command::Status => receive::status(context),
        Command::Forget(args) => forget::run(context, &args),
        Command::Checkout(args) => checkout::run(context, &args),
        Command::Install(args) => install::run(context, &args),
        Command::Rollback { dir } => install::roll_back(context, &dir),
        Command::Push(args) => push::run(context, &args),
        Command::Serve(args) => serve::run(context, &args),
        Command::Load(args) => load::run(context, &args),
        Command::History(args) => history::run(context, &args),
        Command::Check(args) => check::run(context, &args),
        Command::Doctor => doctor::run(context),
        Command::Completions { shell } => man::completions(shell),
        Command::Man { to } => man::run(context, &to),
        Command::Demo { path } => demo::run(context, path.as_deref()),
    }
}
