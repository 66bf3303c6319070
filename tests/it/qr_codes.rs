//! QR codes are read back by zbar: from a picture, from a terminal, and what a receipt gives.

use std::fs;
use std::path::Path;
use std::process::Command;

use carryall::base::monitor::Silent;
use carryall::base::qr::{QrCode, TerminalPaint};
use carryall::bundle::receipt::Receipt;
use carryall::ops::Error;
use carryall::ops::receive::receipt;
use carryall::store::{OpenMode, Store};

use crate::testkit::programs::{has, run};
use crate::testkit::stage::{Run, Stage, noise};

/// Returns the texts of the codes in a picture.
pub fn read_codes(picture: &Path) -> Vec<String> {
    let words = ["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"];
    let said = run(Command::new("zbarimg").args(words).arg(picture));
    said.lines().map(str::to_owned).collect()
}

/// Returns lines of half blocks as a picture, as a terminal of these two colors shows them, each cell 8 by 16 pixels.
/// `letters` and `ground` are shades of gray, and `around` is what is about the code.
fn photograph(lines: &[String], letters: u8, ground: u8, around: u8) -> Vec<u8> {
    let columns = lines.iter().map(|line| line.chars().count()).max().unwrap();
    let width = (columns + 8) * 8;
    let mut pixels = vec![around; width * 64];
    for line in lines {
        for half in ["█▀", "█▄"] {
            let cell = |c| if half.contains(c) { letters } else { ground };
            let mut row = vec![around; 32];
            row.extend(line.chars().flat_map(|c| [cell(c); 8]));
            row.resize(width, around);
            (0..8).for_each(|_| pixels.extend(&row));
        }
    }
    pixels.extend(vec![around; width * 64]);
    let mut picture = format!("P5 {width} {} 255\n", pixels.len() / width).into_bytes();
    picture.extend(pixels);
    picture
}

#[test]
fn zbar_reads_every_size_of_picture() {
    if !has(&["zbarimg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("code.png");
    for len in [1, 20, 160, 500, 1400, 3391] {
        let text: String = "0AZ9J X7-"
            .chars()
            .cycle()
            .take(len - 1)
            .chain(['Q'])
            .collect();
        fs::write(&place, QrCode::of(&text).unwrap().png(6)).unwrap();
        assert_eq!(read_codes(&place), [text], "{len}");
    }
    let text = "商城:1.0 <b>https://example.com/?a=1&b=2";
    fs::write(&place, QrCode::of(text).unwrap().png(6)).unwrap();
    assert_eq!(read_codes(&place), [text]);
}

#[test]
fn zbar_reads_what_a_terminal_shows() {
    if !has(&["zbarimg"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let place = dir.path().join("code.pgm");
    for text in ["1F66BD6B", &"069JAQE515NZ5YG2C5 ".repeat(8)] {
        let code = QrCode::of(text).unwrap();
        let bare = |line: String| line.replace("\u{1b}[30;47m", "").replace("\u{1b}[0m", "");
        let painted = code.terminal_lines(TerminalPaint::Colors);
        assert!(painted.iter().all(|line| line.starts_with("\u{1b}[30;47m")));
        let painted: Vec<String> = painted.into_iter().map(bare).collect();
        // White is gray on many terminals, and the terminal's own ground is dark or light.
        for around in [0, 40, 255] {
            fs::write(&place, photograph(&painted, 20, 200, around)).unwrap();
            assert_eq!(read_codes(&place), [text], "on {around}");
        }
        let blocks = code.terminal_lines(TerminalPaint::Blocks);
        fs::write(&place, photograph(&blocks, 230, 20, 20)).unwrap();
        assert_eq!(read_codes(&place), [text]);
    }
}

#[test]
fn a_receipt_leaves_the_room_as_a_photograph() {
    if !has(&["zbarimg"]) {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(2, 3_000_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    let pack = ["pack", "shop:1.0", "--media", "6MB", "--spare", "0"];
    stage
        .run(&[&pack[..], &["--to", "discs", "--local", "0"]].concat())
        .ends_with(0);
    stage
        .run(&["receive", "discs", "--store", "site"])
        .ends_with(0);
    let at_site = |words: &[&str]| stage.run(&[words, &["--store", "site"]].concat());
    let packed_for = |text: &str, to: &str| {
        let more = ["--to", to, "--for", text];
        let run = stage.run(&[&pack[..], &more].concat()).ends_with(0);
        assert!(run.stderr.contains("depends on: shop:1.0"), "{run:#?}");
    };
    let run = at_site(&["receipt", "--png", "plant.png"]).ends_with(0);
    assert!(
        run.stdout.is_empty() && run.stderr.contains("plant.png"),
        "{run:#?}"
    );
    let [text] = &read_codes(&stage.path("plant.png"))[..] else {
        panic!("one code")
    };
    packed_for(text, "a");
    // What a phone reads is pasted into a file.
    fs::write(stage.path("pasted.txt"), format!("{text}\r\n")).unwrap();
    packed_for("pasted.txt", "b");
    at_site(&["receipt", "--png", "plant.png"]).fails_with(1, &["plant.png"]);
    let json = at_site(&["receipt", "--png", "p.png", "--json"]).ends_with(0);
    assert!(
        json.json()["pictures"][0]
            .as_str()
            .unwrap()
            .ends_with("p.png")
    );

    let run = at_site(&["receipt", "--qr"]).ends_with(0);
    let lines: Vec<String> = run.stdout.lines().map(str::to_owned).collect();
    let place = stage.path("terminal.pgm");
    fs::write(&place, photograph(&lines, 230, 20, 20)).unwrap();
    assert_eq!(&read_codes(&place), std::slice::from_ref(text));
    let mut small = stage.command(&["receipt", "--qr", "--store", "site"]);
    let run: Run = small.env("COLUMNS", "20").output().unwrap().into();
    run.fails_with(1, &["too long for 16 QR codes", "--png"]);
    at_site(&["receipt", "--qr", "-o", "-"]).ends_with(2);
}

#[test]
fn a_long_receipt_has_several_pictures_that_are_read_in_turn() {
    if !has(&["zbarimg"]) {
        return;
    }
    let stage = Stage::new();
    fs::write(stage.path("setup.bin"), noise(2, 30_000)).unwrap();
    stage.run(&["add", "shop:1.0", "setup.bin"]).ends_with(0);
    let store = Store::open(&stage.path("store"), OpenMode::Read).unwrap();
    let mut report = receipt::receipt(&store, &Silent).unwrap();
    report.receipt.lacks = (0..1000_u64)
        .map(|number| (number << 40).to_be_bytes())
        .collect();
    let place = stage.path("long.png");
    receipt::write_pictures(&mut report, &place, &[]).unwrap();
    let count = report.pictures.len();
    assert!(count > 1 && report.pictures[0] == stage.path(&format!("long-1of{count}.png")));
    let texts: Vec<String> = report
        .pictures
        .iter()
        .flat_map(|path| read_codes(path))
        .collect();
    assert_eq!(texts.len(), count);
    for pasted in [texts.join("\n"), texts.concat()] {
        let read = Receipt::read(pasted.as_bytes()).unwrap();
        assert_eq!(read.lacks, report.receipt.lacks);
    }
    // Beyond a thousand lines there is only the file.
    report.receipt.lacks = (0..1500_u64)
        .map(|number| (number << 40).to_be_bytes())
        .collect();
    let refused = receipt::write_pictures(&mut report, &stage.path("more.png"), &[]);
    assert!(matches!(refused, Err(Error::NoCodes)));
}
