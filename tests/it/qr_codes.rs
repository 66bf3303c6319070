//! QR codes are read back by zbar: from a picture, from a terminal, and what a receipt gives.

use std::fs;
use std::path::Path;
use std::process::Command;

use carryall::base::qr::{QrCode, TerminalPaint};

use crate::testkit::programs::{has, run};

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
