//! What people read, word for word: the main journey and errors, in English and in Chinese, held to the files beside this one.
//!
//! A change of wording shows in these files. `SNAPSHOTS=overwrite cargo test --test it transcripts` writes them anew, and the
//! difference is then read like any other change. Lines on standard error begin with `! `. What differs from run to run is
//! replaced: ids, dates, free space, receipts and the folder of the test.

use std::fs;
use std::path::Path;

use crate::testkit::harm::spoil_volume;
use crate::testkit::redact::redacted;
use crate::testkit::stage::kills::words;
use crate::testkit::stage::{Run, Stage, noise, text, visible};

/// Names of the files' languages, and the locale of each.
const LANGUAGES: [(&str, &str); 2] = [("en", "C"), ("zh-CN", "zh_CN.UTF-8")];

/// A stage, and what was said on it so far.
struct Transcript {
    stage: Stage,
    locale: &'static str,
    said: String,
}

impl Transcript {
    /// A small release given, in two versions.
    fn new(locale: &'static str) -> Self {
        let stage = Stage::new();
        for version in ["given", "given2"] {
            fs::create_dir_all(stage.path(version).join("docs")).unwrap();
            fs::write(stage.path(version).join("docs/guide.txt"), text(1, 100_000)).unwrap();
            fs::write(stage.path(version).join("setup.bin"), noise(2, 3_000_000)).unwrap();
        }
        fs::write(stage.path("given2/docs/news.txt"), text(3, 9_000)).unwrap();
        for given in ["given", "given2"] {
            change_long_ago(&stage.path(given));
        }
        Self {
            stage,
            locale,
            said: String::new(),
        }
    }

    /// Runs the command line and writes down what it says.
    fn run(&mut self, line: &str) {
        let mut command = self.stage.command(&words(line));
        let run = Run::from(command.env("LC_ALL", self.locale).output().unwrap());
        let errors = run.stderr.lines().map(|line| format!("! {line}\n"));
        let errors: String = errors.collect();
        let code = run.code.unwrap();
        self.said.push_str(&format!(
            "$ carryall {line}\n{}{errors}[{code}]\n\n",
            run.stdout
        ));
    }

    fn run_all(&mut self, lines: &[&str]) {
        lines.iter().for_each(|line| self.run(line));
    }

    /// Gives the volumes in a folder names without an id: `disc-1` and so on.
    fn name_discs(&self, folder: &str) {
        for (path, number) in visible(&self.stage.path(folder)).iter().zip(1..) {
            fs::rename(path, path.with_file_name(format!("disc-{number}"))).unwrap();
        }
    }

    /// Compares with the file, or writes it when that is asked for.
    fn compare(self, name: &str, language: &str) {
        let root = self.stage.path("");
        let said = redacted(&self.said, root.to_str().unwrap().trim_end_matches('/'));
        let file = format!("tests/it/transcripts/{name}.{language}.txt");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let before = snapbox::Data::read_from(&file, None).raw();
        snapbox::Assert::new()
            .action_env("SNAPSHOTS")
            .eq(said, before);
    }
}

#[test]
fn the_journey_reads_as_before() {
    for (language, locale) in LANGUAGES {
        let mut journey = Transcript::new(locale);
        journey.run_all(&[
            "add shop:1.0 given/docs given/setup.bin",
            "list",
            "show shop:1.0",
            "pack shop:1.0 --to discs --media 6MB --spare 1",
        ]);
        journey.name_discs("discs");
        journey.run_all(&["inspect discs", "verify discs"]);
        spoil_volume(&journey.stage.path("discs/disc-1"));
        journey.run_all(&["verify discs/disc-1", "verify discs"]);
        journey.stage.remove("discs/disc-1");
        journey.run_all(&["verify discs", "repair discs --to mended", "status"]);

        journey.stage.store = "site";
        journey.run_all(&[
            "receive discs/disc-2",
            "status",
            "receive discs/disc-3",
            "status",
            "list",
            "check",
            "checkout shop:1.0 back",
            "receipt",
            "receipt -o receipt",
        ]);

        journey.stage.store = "store";
        journey.run_all(&[
            "add shop:1.1 given2/docs given2/setup.bin",
            "diff shop:1.0 shop:1.1",
            "pack shop:1.1 --for receipt --site north --to update --media usb",
            "site list",
        ]);
        journey.name_discs("update");
        journey.stage.store = "site";
        journey.run_all(&[
            "receive update",
            "install shop:1.0 --into opt",
            "install shop:1.1 --into opt",
            "rollback opt",
            "keep shop:1.1",
            "rm shop:1.0",
            "prune",
        ]);
        journey.compare("journey", language);
    }
}

/// Gives everything in a folder one time: times are part of a release, and some sizes depend on them.
fn change_long_ago(folder: &Path) {
    for entry in walkdir::WalkDir::new(folder).contents_first(true) {
        let file = fs::File::open(entry.unwrap().path()).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
        file.set_modified(time).unwrap();
    }
}

/// Command lines that fail, on a stage with a store, volumes and an update.
const FAILING: [&str; 41] = [
    "",
    "frobnicate",
    "lst",
    "add",
    "add shop given/docs",
    "add shop:2.0 given/none",
    "add shop:2.0 given/docs given2/docs",
    "add shop:2.0 docker://",
    "--quiet --verbose list",
    "list --store given/none",
    "list --store given/setup.bin",
    "list --store given",
    "show none:1.0",
    "diff shop:1.0 none:1.0",
    "rm none:1.0",
    "keep none:1.0",
    "prune --keep-last nothing",
    "pack none:1.0 --to x --media usb",
    "pack shop:1.0 --to x --media banana",
    "pack shop:1.0 --to x --media 1MB",
    "pack shop:1.0 --to given/setup.bin --media usb",
    "pack shop:1.0 --to given/setup.bin/x --media usb",
    "pack shop:1.0 --to x --media usb --since none:1.0",
    "pack shop:1.0 --to x --media usb --for given/setup.bin",
    "inspect given/none",
    "inspect given/docs",
    "verify given/docs",
    "verify discs --map given/setup.bin",
    "repair given/docs --to x",
    "receive given/docs",
    "receive given/none",
    "forget 7",
    "site forget nobody",
    "checkout none:1.0 back",
    "checkout shop:1.0 given/setup.bin",
    "install none:1.0 --into opt",
    "rollback given",
    "push none:1.0 localhost:1",
    "load shop:1.0 --with docker",
    "serve --listen nonsense",
    "demo given/none",
];

#[test]
fn errors_read_as_before() {
    for (language, locale) in LANGUAGES {
        let mut errors = Transcript::new(locale);
        let stage = &errors.stage;
        let commands = [
            "add shop:1.0 given/docs given/setup.bin",
            "add shop:1.1 given2/docs given2/setup.bin",
            "pack shop:1.0 --to discs --media 6MB --spare 0",
            "pack shop:1.1 --since shop:1.0 --to update --media usb",
        ];
        for command in commands {
            stage.run(&words(command)).ends_with(0);
        }
        errors.name_discs("discs");
        errors.name_discs("update");
        errors.run_all(&FAILING);
        // A site that has nothing yet.
        errors.stage.store = "site";
        errors.run_all(&["list", "receive update", "status"]);
        // One set at a time, since sets are listed by their ids.
        let forget = ["forget", "--all-incomplete"];
        errors.stage.run(&forget).ends_with(0);
        errors.run_all(&["receive discs/disc-1", "status"]);
        let fails = errors.said.matches("\n[0]\n").count();
        assert_eq!(fails, 0, "a command did not fail: {}", errors.said);
        errors.compare("errors", language);
    }
}
