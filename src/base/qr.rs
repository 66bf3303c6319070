//! QR codes of short texts: for terminals, as PNG, and as SVG within a page.
//!
//! It knows nothing of what is in a code. Error correction is level M, which bears 15 % of damage. Texts of capital
//! letters, digits and spaces make the smallest codes.

use std::fmt::{self, Write as _};

use qrcodegen::{QrCodeEcc, QrSegment, Version};

/// Light modules around a code in a picture, as the standard asks for.
const QUIET_MODULES: usize = 4;
/// Light modules around a code on a terminal. Rows are scarce there, and readers get along with two.
const TERMINAL_QUIET_MODULES: usize = 2;
/// Modules of a side of the smallest code, and how many more the next larger one has.
const SIDE_MODULES_MIN: usize = 21;
const SIDE_MODULES_STEP: usize = 4;
/// Versions of codes, the largest one being this.
const VERSION_MAX: u8 = 40;
/// Black on white, whatever the terminal's own colors are. All terminals with colors know these two.
const BLACK_ON_WHITE: &str = "\u{1b}[30;47m";
const AS_BEFORE: &str = "\u{1b}[0m";

/// The code of a text.
#[derive(Clone, PartialEq, Eq)]
pub struct QrCode(qrcodegen::QrCode);

impl fmt::Debug for QrCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QrCode({})", self.side_modules())
    }
}

/// How a code is drawn on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalPaint {
    /// Black on white by explicit colors, on terminals of any color.
    Colors,
    /// Light modules are blocks: black on white where letters are light on a dark ground. Elsewhere the code is
    /// inverted, which most readers read too.
    Blocks,
}

impl QrCode {
    /// Makes the smallest code of a text. Returns `None` when the text does not fit into any code.
    pub fn of(text: &str) -> Option<Self> {
        Self::of_at_most(text, usize::MAX)
    }

    /// Makes the smallest code of a text with at most so many modules a side. Returns `None` when there is no such
    /// code.
    pub fn of_at_most(text: &str, side_modules_max: usize) -> Option<Self> {
        let beyond = side_modules_max.checked_sub(SIDE_MODULES_MIN)?;
        let version = u8::try_from(beyond / SIDE_MODULES_STEP + 1).unwrap_or(VERSION_MAX);
        let segments = QrSegment::make_segments(text);
        let code = qrcodegen::QrCode::encode_segments_advanced(
            &segments,
            QrCodeEcc::Medium,
            Version::MIN,
            Version::new(version.min(VERSION_MAX)),
            None,
            false,
        );
        code.ok().map(Self)
    }

    /// Returns the modules of a side, without the quiet zone.
    pub fn side_modules(&self) -> usize {
        usize::try_from(self.0.size()).unwrap_or_default()
    }

    /// Returns the largest side that a terminal of this size shows as a whole.
    pub fn side_modules_on_terminal(columns: usize, rows: usize) -> usize {
        let quiet = 2 * TERMINAL_QUIET_MODULES;
        columns.min(rows.saturating_mul(2)).saturating_sub(quiet)
    }

    /// Draws it with half blocks, two modules one over the other in a character.
    pub fn terminal_lines(&self, paint: TerminalPaint) -> Vec<String> {
        let side = self.side_modules() + 2 * TERMINAL_QUIET_MODULES;
        let line = |row: usize| {
            let character =
                |column: usize| {
                    let is_dark = |row| self.is_dark(column, row, TERMINAL_QUIET_MODULES);
                    // Below the last row is nothing, which is light where it is painted.
                    let (upper, lower) = (is_dark(row), row + 1 < side && is_dark(row + 1));
                    match (paint, upper, lower) {
                        (TerminalPaint::Colors, true, true)
                        | (TerminalPaint::Blocks, false, false) => '█',
                        (TerminalPaint::Colors, true, false)
                        | (TerminalPaint::Blocks, false, true) => '▀',
                        (TerminalPaint::Colors, false, true)
                        | (TerminalPaint::Blocks, true, false) => '▄',
                        (TerminalPaint::Colors, false, false)
                        | (TerminalPaint::Blocks, true, true) => ' ',
                    }
                };
            let drawn: String = (0..side).map(character).collect();
            match paint {
                TerminalPaint::Colors => format!("{BLACK_ON_WHITE}{drawn}{AS_BEFORE}"),
                TerminalPaint::Blocks => drawn,
            }
        };
        (0..side).step_by(2).map(line).collect()
    }

    /// Draws it as the bytes of a PNG file, black on white, with so many pixels a module.
    pub fn png(&self, module_pixels: u16) -> Vec<u8> {
        let pixels = usize::from(module_pixels.max(1));
        let side = self.side_modules() + 2 * QUIET_MODULES;
        let width = side * pixels;
        let mut rows = Vec::with_capacity(width.div_ceil(8) * width);
        for row in 0..side {
            let mut bits = vec![0_u8; width.div_ceil(8)];
            for pixel in
                (0..width).filter(|pixel| !self.is_dark(pixel / pixels, row, QUIET_MODULES))
            {
                bits[pixel / 8] |= 0x80 >> (pixel % 8);
            }
            (0..pixels).for_each(|_| rows.extend(&bits));
        }
        let mut out = Vec::new();
        let width = u32::try_from(width).expect("a code has at most 185 modules a side");
        let mut encoder = png::Encoder::new(&mut out, width, width);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().expect("memory takes every header");
        writer
            .write_image_data(&rows)
            .expect("there are as many rows as the header says");
        writer.finish().expect("memory takes the end");
        out
    }

    /// Draws it as an SVG element within a page. The style of the page gives its size.
    pub fn svg(&self) -> String {
        let side = self.side_modules();
        let whole = side + 2 * QUIET_MODULES;
        let mut path = String::new();
        for row in 0..side {
            let mut column = 0;
            while column < side {
                let is_dark = |column: &usize| self.is_dark(*column, row, 0);
                let dark = (column..side).take_while(is_dark).count();
                if dark > 0 {
                    let (x, y) = (column + QUIET_MODULES, row + QUIET_MODULES);
                    let _ = write!(path, "M{x} {y}h{dark}v1h-{dark}z");
                }
                column += dark.max(1);
            }
        }
        format!(
            "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" \
             shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{whole}v{whole}H0z\"/><path d=\"{path}\"/></svg>"
        )
    }

    /// Returns whether a module is dark, counted from the corner of the quiet zone.
    fn is_dark(&self, column: usize, row: usize, quiet: usize) -> bool {
        let place = |at: usize| at.checked_sub(quiet).and_then(|at| i32::try_from(at).ok());
        match (place(column), place(row)) {
            (Some(x), Some(y)) => self.0.get_module(x, y),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Returns the modules that lines show, dark ones as `true`.
    fn modules_of(lines: &[String], paint: TerminalPaint) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in lines {
            let bare = line.replace(BLACK_ON_WHITE, "").replace(AS_BEFORE, "");
            let is_dark = |halves: &str, c| halves.contains(c) == (paint == TerminalPaint::Colors);
            rows.push(bare.chars().map(|c| is_dark("█▀", c)).collect());
            rows.push(bare.chars().map(|c| is_dark("█▄", c)).collect());
        }
        rows
    }

    #[test]
    fn a_terminal_shows_the_modules_in_either_paint() {
        let code = QrCode::of("CARRYALL 1").unwrap();
        for paint in [TerminalPaint::Colors, TerminalPaint::Blocks] {
            let lines = code.terminal_lines(paint);
            let side = code.side_modules() + 2 * TERMINAL_QUIET_MODULES;
            assert_eq!(lines.len(), side.div_ceil(2));
            let seen = modules_of(&lines, paint);
            for (row, modules) in seen.iter().take(side).enumerate() {
                assert_eq!(modules.len(), side);
                for (column, dark) in modules.iter().enumerate() {
                    assert_eq!(*dark, code.is_dark(column, row, TERMINAL_QUIET_MODULES));
                }
            }
        }
    }

    #[test]
    fn a_code_keeps_to_its_size_or_is_none() {
        assert_eq!(QrCode::of_at_most("A", 20), None);
        assert_eq!(QrCode::of_at_most("A", 21).unwrap().side_modules(), 21);
        // Level M of version 40 holds 3391 letters.
        assert_eq!(QrCode::of(&"A".repeat(3391)).unwrap().side_modules(), 177);
        assert_eq!(QrCode::of(&"A".repeat(3392)), None);
        assert_eq!(QrCode::of_at_most(&"A".repeat(178), 44), None);
        assert_eq!(QrCode::side_modules_on_terminal(80, 24), 44);
        assert_eq!(QrCode::side_modules_on_terminal(3, 1), 0);
    }

    #[test]
    fn a_picture_has_the_modules_at_their_places() {
        let code = QrCode::of("069JAQE515NZ5YG2C5").unwrap();
        let bytes = code.png(3);
        let mut reader = png::Decoder::new(std::io::Cursor::new(&bytes))
            .read_info()
            .unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let side = code.side_modules() + 2 * QUIET_MODULES;
        assert_eq!(usize::try_from(info.width).unwrap(), side * 3);
        for row in 0..side * 3 {
            for column in 0..side * 3 {
                let bit = pixels[row * info.line_size + column / 8] & (0x80 >> (column % 8));
                let dark = code.is_dark(column / 3, row / 3, QUIET_MODULES);
                assert_eq!(bit == 0, dark, "{column} {row}");
            }
        }
        let svg = code.svg();
        let bars = svg.matches("v1h").count();
        assert!(bars > 50 && svg.starts_with("<svg") && svg.ends_with("</svg>"));
    }
}
