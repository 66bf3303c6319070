//! The tray of the emulated drive: what is in it, over the emulator's own protocol.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::bad_sectors::SECTOR;
use super::disc::Disc;

/// The sectors in which the emulator counts.
const EMULATOR_SECTOR: u64 = 512;
/// ENODATA, which the emulated drive tells as a medium error, as a real one does. With EIO it would say that the command was
/// aborted, and the kernel would try each sector for half a second.
const UNREADABLE: u32 = 61;
/// How long a program on the machine may keep the door locked.
const PATIENCE: Duration = Duration::from_secs(20);

/// A drive's tray.
pub struct Tray {
    stream: BufReader<UnixStream>,
    /// Discs that were put in so far: their nodes have numbers.
    count: u32,
    is_full: bool,
}

impl Tray {
    /// Waits for the emulator to answer.
    pub fn of(socket: &Path) -> Self {
        let began = Instant::now();
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) => assert!(began.elapsed() < PATIENCE, "no emulator: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut tray = Self {
            stream: BufReader::new(stream),
            count: 0,
            is_full: false,
        };
        tray.ask("qmp_capabilities", &json!({}));
        tray
    }

    /// Whether it is out.
    pub fn is_open(&mut self) -> bool {
        let devices = self.ask("query-block", &json!({}));
        let mut devices = devices.as_array().unwrap().iter();
        devices.any(|device| device["qdev"] == "drive" && device["tray_open"] == true)
    }

    /// Presses the button, until the door is no longer locked, and takes out what is in it.
    pub fn empty(&mut self) {
        let began = Instant::now();
        while !self.is_open() {
            assert!(began.elapsed() < PATIENCE, "the door stays locked");
            self.press();
            std::thread::sleep(Duration::from_millis(50));
        }
        if std::mem::take(&mut self.is_full) {
            self.ask("blockdev-remove-medium", &json!({ "id": "drive" }));
            for part in ["disc", "image"] {
                let name = format!("{part}{}", self.count);
                self.ask("blockdev-del", &json!({ "node-name": name }));
            }
        }
    }

    /// Puts a disc in, in place of what is there, and closes the tray.
    pub fn insert(&mut self, disc: &Disc) {
        self.empty();
        self.count += 1;
        let (name, image) = (
            format!("disc{}", self.count),
            format!("image{}", self.count),
        );
        let errors: Vec<Value> = disc.bad.iter().map(|no| unreadable(*no)).collect();
        let file = json!({ "driver": "file", "filename": disc.image, "read-only": true });
        let mut node =
            json!({ "driver": "blkdebug", "node-name": image, "read-only": true, "image": file });
        // A list without an entry is refused.
        if !errors.is_empty() {
            node["inject-error"] = Value::Array(errors);
        }
        self.ask("blockdev-add", &node);
        self.ask(
            "blockdev-add",
            &json!({ "driver": "raw", "node-name": name, "read-only": true, "file": image }),
        );
        let into = json!({ "id": "drive", "node-name": name });
        self.ask("blockdev-insert-medium", &into);
        self.is_full = true;
        self.close();
    }

    /// Closes it.
    pub fn close(&mut self) {
        self.ask("blockdev-close-tray", &json!({ "id": "drive" }));
    }

    /// Presses the button. A locked door stays closed, which is told as an error.
    fn press(&mut self) {
        let _ = self.answer(
            "blockdev-open-tray",
            &json!({ "id": "drive", "force": false }),
        );
    }

    #[track_caller]
    fn ask(&mut self, command: &str, arguments: &Value) -> Value {
        let answer = self.answer(command, arguments);
        assert!(answer.get("return").is_some(), "{command}: {answer}");
        answer["return"].clone()
    }

    /// What the emulator says to a command. Events that come in between are of no interest.
    fn answer(&mut self, command: &str, arguments: &Value) -> Value {
        let line = json!({ "execute": command, "arguments": arguments });
        writeln!(self.stream.get_mut(), "{line}").unwrap();
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            assert!(!line.is_empty(), "the emulator has ended");
            let answer: Value = serde_json::from_str(&line).unwrap();
            if answer.get("return").is_some() || answer.get("error").is_some() {
                return answer;
            }
        }
    }
}

/// A sector of a disc that fails whenever it is read. One of the emulator's sectors in it is enough.
fn unreadable(sector: u64) -> Value {
    let at = sector * SECTOR / EMULATOR_SECTOR + sector % (SECTOR / EMULATOR_SECTOR);
    json!({ "event": "none", "iotype": "read", "errno": UNREADABLE, "sector": at,
        "once": false, "immediately": false })
}
