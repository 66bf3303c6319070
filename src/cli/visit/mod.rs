//! `visit`: receives disc after disc from one drive, and tells the person which one to put in next.
//!
//! What is said comes from `ops::receive::visit`. What was read stays whenever it ends, so the next visit continues.

mod keyboard;
mod slot;
mod top_up;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Instant;

use carryall::base::diagnostic::diagnostic;
use carryall::base::id::SetId;
use carryall::base::sealing::Identities;
use carryall::ops::Error;
use carryall::ops::evidence::EvidenceCommand;
use carryall::ops::history::HistoryEvent;
use carryall::ops::receive::visit::log::{self, VisitEntry, VisitEvent};
use carryall::ops::receive::visit::{Disc, DiscRole, FoundInDrive, VisitStep, identify, next_step};
use carryall::ops::receive::{self, ProgressState, ReceiveOptions, ReceiveReport, SetProgress};
use carryall::store::{OpenMode, Store};
use serde::Serialize;

use self::keyboard::{Answer, Keyboard};
use self::slot::{DiscSlot, SlotContent};
use self::top_up::TopUp;
use crate::cli::args::VisitArgs;
use crate::cli::exit::{EXIT_NEEDS_VOLUMES, Failure};
use crate::cli::report::Report;
use crate::cli::{Context, interrupt, messages, open, receive as receive_words, seal, terminal};

/// The result of a visit.
#[derive(Debug, Serialize)]
struct VisitReport {
    /// Releases that were received during it.
    received: Vec<String>,
    /// Sets that still wait.
    incoming: Vec<SetProgress>,
    /// What was added to the log of visits.
    log: Vec<VisitEntry>,
    /// The top-up that was asked for, when there was one.
    top_up: Option<TopUp>,
}

pub fn run(context: &Context, args: &VisitArgs) -> Result<u8, Failure> {
    if args.history {
        return history(context);
    }
    let slots = DiscSlot::find(args.drive.as_deref());
    if slots.is_empty() {
        return Err(diagnostic!("visit.no_drive").into());
    }
    let identities = seal::identities(&args.open)?;
    let named: Vec<_> = args.drive.iter().cloned().collect();
    let mut inputs = named.clone();
    inputs.push(open::store_dir(context)?);
    let evidence = Report::begin(context, &args.report, EvidenceCommand::Visit, &inputs)?;
    let ended = open::with_store_or_new(context, &named, |store| {
        evidence.note(|evidence| evidence.note_store(store));
        let mut visit = Visit {
            evidence: &evidence,
            context,
            args,
            store,
            slots,
            input: Keyboard::listen(),
            missing: BTreeMap::new(),
            log: Vec::new(),
            received: Vec::new(),
            top_up: None,
            identities,
        };
        visit.run()
    });
    evidence.finish(context, ended)
}

/// Prints the log of visits.
fn history(context: &Context) -> Result<u8, Failure> {
    let store = open::store(context, OpenMode::Read)?;
    let entries = log::entries(&store)?;
    context.print(&entries, |entries| messages::visit_history(entries))?;
    Ok(0)
}

/// What is asked for, for scripts.
fn insert(set: Option<&SetProgress>, step: &VisitStep) -> serde_json::Value {
    let (what, volume) = match (set, step) {
        (None, _) => ("any", None),
        (_, VisitStep::Insert { volume, .. }) => ("volume", Some(*volume)),
        (_, VisitStep::Base) => ("base", None),
        _ => ("top_up", None),
    };
    let (set_id, title) = (set.map(|set| set.set_id), set.map(|set| &set.title));
    serde_json::json!({"what": what, "volume": volume, "set_id": set_id, "title": title})
}

/// One visit, from its first prompt to its end.
struct Visit<'a> {
    context: &'a Context,
    evidence: &'a Report,
    args: &'a VisitArgs,
    store: &'a Store,
    slots: Vec<DiscSlot>,
    input: Keyboard,
    missing: BTreeMap<String, BTreeSet<u16>>,
    log: Vec<VisitEntry>,
    received: Vec<String>,
    top_up: Option<TopUp>,
    identities: Identities,
}

/// What ends the waiting for a disc.
enum Heard {
    /// A disc is in this slot.
    Disc(usize),
    /// The person typed something.
    Answer(Answer),
}

/// How a visit goes on.
enum Course {
    GoOn,
    End,
}

impl Visit<'_> {
    fn run(&mut self) -> Result<u8, Failure> {
        self.missing = log::missing(self.store)?;
        let finished = receive::finish_with(self.store, &self.options(), &self.context.screen)?;
        self.note_received(&finished)?;
        self.say_report(&finished);
        loop {
            let waiting = self.waiting()?;
            if waiting.is_empty() && !self.received.is_empty() {
                return self.end(0);
            }
            self.prompt(&waiting)?;
            let then = match self.wait()? {
                Heard::Disc(slot_no) => self.disc(slot_no)?,
                Heard::Answer(answer) => self.answered(answer, &waiting)?,
            };
            if let Course::End = then {
                let is_waiting = !self.waiting()?.is_empty();
                return self.end(if is_waiting { EXIT_NEEDS_VOLUMES } else { 0 });
            }
        }
    }

    /// The sets that wait for volumes or for a release.
    fn waiting(&self) -> Result<Vec<SetProgress>, Error> {
        let mut incoming = receive::status_with(self.store, &self.options())?.incoming;
        incoming.retain(|set| !set.beside && set.refused.is_none());
        Ok(incoming)
    }

    fn options(&self) -> ReceiveOptions {
        let mut options = ReceiveOptions::default();
        options.platforms.clone_from(&self.args.platform);
        options.retry_time = self.args.retry_time;
        options.event = HistoryEvent::Visit;
        self.args.taken.apply(&mut options);
        options.identities.clone_from(&self.identities);
        options
    }

    fn say(&self, text: &str) {
        if !self.context.json {
            terminal::say(text);
        }
    }

    fn event(&self, event: &str, value: impl Serialize) {
        if self.context.json
            && let Ok(mut value) = serde_json::to_value(value)
        {
            if let Some(fields) = value.as_object_mut() {
                fields.insert("event".to_owned(), event.into());
            }
            terminal::say_json(&value);
        }
    }

    /// Says what to put in, and why.
    fn prompt(&mut self, waiting: &[SetProgress]) -> Result<(), Failure> {
        let drive = self.drive_words();
        let Some(set) = waiting.first() else {
            self.say(&messages::visit_first(&drive));
            self.event("insert", insert(None, &VisitStep::Base));
            return Ok(());
        };
        let step = self.step(set);
        if step == VisitStep::TopUp {
            self.make_top_up(set)?;
        }
        self.event("insert", insert(Some(set), &step));
        self.say(&messages::visit_prompt(set, &step, &drive));
        Ok(())
    }

    fn step(&self, set: &SetProgress) -> VisitStep {
        let none = BTreeSet::new();
        let missing = self.missing.get(&set.set_id.to_string());
        next_step(set, missing.unwrap_or(&none))
    }

    /// The drives that discs are waited for in, with their models.
    fn drive_words(&self) -> String {
        let drives = self.slots.iter();
        let drives = drives.map(|slot| messages::visit_drive(slot.path(), slot.model()));
        messages::visit_drives(&drives.collect::<Vec<_>>())
    }

    /// Gives out the receipt from which the vendor makes what is missing, once for each state of the store.
    fn make_top_up(&mut self, set: &SetProgress) -> Result<(), Failure> {
        let top_up = TopUp::of(self.store, &self.context.screen)?;
        if self
            .top_up
            .as_ref()
            .is_some_and(|before| before.is(&top_up))
        {
            return Ok(());
        }
        let folder = self.args.to.as_deref().unwrap_or(Path::new("."));
        let top_up = top_up.written(folder, &open::store_dir(self.context)?)?;
        let file = top_up.file.to_string_lossy().into_owned();
        self.log(set.set_id, &set.title, VisitEvent::TopUp { file })?;
        self.say(&messages::visit_top_up(set, &top_up.file, &top_up.pictures));
        self.say(&messages::visit_top_up_lines(&top_up.lines()));
        if !self.context.json
            && let Some(code) = top_up.code()
        {
            self.say(&messages::visit_top_up_code());
            terminal::print_code(&code)?;
        }
        self.event("top_up", &top_up);
        self.top_up = Some(top_up);
        Ok(())
    }

    /// Waits for a disc or an answer.
    fn wait(&mut self) -> Result<Heard, Failure> {
        let mut was_busy = false;
        loop {
            if interrupt::is_asked() {
                return Err(Failure::interrupted());
            }
            for slot_no in 0..self.slots.len() {
                let slot = &mut self.slots[slot_no];
                let path = slot.path().to_owned();
                match slot.look() {
                    Ok(SlotContent::Fresh) => return Ok(Heard::Disc(slot_no)),
                    Ok(SlotContent::Busy) if !was_busy => {
                        was_busy = true;
                        self.say(&messages::visit_busy());
                    }
                    Ok(_) => {}
                    // A drive that may not be opened will not be opened by waiting.
                    Err(source) => {
                        let error = carryall::volumes::media::MediaError::Io { path, source };
                        return Err(Failure::of(&error.into()));
                    }
                }
            }
            if let Some(answer) = self.input.take() {
                return Ok(Heard::Answer(answer));
            }
            std::thread::sleep(terminal::ASK_EVERY);
        }
    }

    /// Acts on what was typed.
    fn answered(&mut self, answer: Answer, waiting: &[SetProgress]) -> Result<Course, Failure> {
        match answer {
            Answer::Quit => return Ok(Course::End),
            Answer::Again => self.slots.iter_mut().for_each(DiscSlot::look_again),
            Answer::Missing => match waiting.first().map(|set| (set, self.step(set))) {
                Some((set, VisitStep::Insert { volume, .. })) => {
                    self.log(set.set_id, &set.title, VisitEvent::Missing { volume })?;
                    let missing = self.missing.entry(set.set_id.to_string()).or_default();
                    missing.insert(volume);
                    self.say(&messages::visit_missing(volume));
                }
                _ => self.say(&messages::visit_unclear()),
            },
            Answer::Yes | Answer::No | Answer::Unclear => self.say(&messages::visit_unclear()),
        }
        Ok(Course::GoOn)
    }

    /// Recognizes the disc in a slot, and takes it in when it is needed.
    fn disc(&mut self, slot_no: usize) -> Result<Course, Failure> {
        let path = self.slots[slot_no].path().to_owned();
        let is_read = match identify(self.store, &path, &self.context.screen)? {
            FoundInDrive::Disc(disc) => {
                self.say(&messages::visit_disc(&disc));
                self.event("disc", &*disc);
                match disc.role {
                    DiscRole::Needed | DiscRole::Rest | DiscRole::Again => true,
                    DiscRole::OtherSet => self.is_wanted_too(&disc)?,
                    _ => false,
                }
            }
            FoundInDrive::Other(error) => {
                Failure::of(&error).report(self.context.json);
                false
            }
            _ => {
                self.say(&messages::visit_unknown());
                true
            }
        };
        let done = if is_read { self.take_in(&path) } else { Ok(()) };
        let is_open = self.slots[slot_no].let_out();
        done?;
        self.say(&messages::visit_out(is_open));
        Ok(Course::GoOn)
    }

    /// Asks whether a disc of another set is to be taken in.
    fn is_wanted_too(&mut self, disc: &Disc) -> Result<bool, Failure> {
        if self.input.is_closed() || self.context.json {
            return Ok(false);
        }
        self.say(&messages::visit_ask_other(disc));
        loop {
            if interrupt::is_asked() {
                return Err(Failure::interrupted());
            }
            match self.input.take() {
                Some(Answer::Yes) => return Ok(true),
                Some(Answer::No | Answer::Again | Answer::Quit) => return Ok(false),
                Some(_) => self.say(&messages::visit_ask_other(disc)),
                None if self.input.is_closed() => return Ok(false),
                None => std::thread::sleep(terminal::ASK_EVERY),
            }
        }
    }

    /// Reads a disc into the store, and says how good it was.
    fn take_in(&mut self, path: &Path) -> Result<(), Failure> {
        let began = Instant::now();
        let paths = [path.to_owned()];
        let options = self.options();
        self.evidence.note(|evidence| evidence.note_medium(path));
        let monitor = self.evidence.monitor(&self.context.screen);
        let received = receive::receive_with(self.store, &paths, &options, &monitor);
        receive_words::note(self.evidence, self.store, &options, received.as_ref());
        let report = match received {
            Ok(report) => report,
            // Another disc may be better. What hurts every disc ends the visit.
            Err(error @ (Error::NoVolumes { .. } | Error::TooManySets)) => {
                Failure::of(&error).report(self.context.json);
                return Ok(());
            }
            Err(error) if error.is_refusal_of_set() => {
                Failure::of(&error).report(self.context.json);
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        for set in &report.sets {
            for volume in &set.volumes_read {
                let event = VisitEvent::read(volume, path, began.elapsed().as_secs());
                self.log(set.set_id, &set.title, event)?;
                let missing = self.missing.get_mut(&set.set_id.to_string());
                missing.map(|missing| missing.remove(&volume.volume_no));
            }
        }
        self.note_received(&report)?;
        self.say_report(&report);
        receive_words::say_failed(self.context, &report);
        Ok(())
    }

    fn say_report(&self, report: &ReceiveReport) {
        let text = receive_words::text(report);
        self.say(&terminal::names_in_lines(&text, report));
    }

    fn note_received(&mut self, report: &ReceiveReport) -> Result<(), Failure> {
        for set in &report.sets {
            if set.state != ProgressState::Complete {
                continue;
            }
            let releases = set.committed.iter();
            let releases: Vec<String> = releases.map(|each| each.name.to_string()).collect();
            self.received.extend(releases.clone());
            let healed_blocks = set.healed_blocks;
            let event = VisitEvent::Received {
                releases,
                healed_blocks,
            };
            self.log(set.set_id, &set.title, event)?;
        }
        Ok(())
    }

    fn log(&mut self, set: SetId, title: &str, event: VisitEvent) -> Result<(), Failure> {
        let entry = log::add(self.store, set, title, event)?;
        self.log.push(entry);
        Ok(())
    }

    /// Says what to type next.
    fn end(&mut self, code: u8) -> Result<u8, Failure> {
        let incoming = self.waiting()?;
        let report = VisitReport {
            received: std::mem::take(&mut self.received),
            incoming,
            log: std::mem::take(&mut self.log),
            top_up: self.top_up.take(),
        };
        self.context.print(&report, |report| {
            messages::visit_end(&report.received, &report.incoming)
        })?;
        Ok(code)
    }
}
