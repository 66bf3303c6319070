//! The text of a receipt as QR codes. A receipt that is too long for one code has several, each with whole lines.
//!
//! What a phone reads from a code is text. The texts of all codes, pasted one behind the other, are read as the
//! receipt.

use crate::base::qr::QrCode;

/// Most codes of a receipt. Nobody photographs more.
pub const CODES_MAX: usize = 16;

/// Makes as few codes as possible, all of about the same size.
pub(super) fn of(lines: &[String], side_modules_max: usize) -> Option<Vec<QrCode>> {
    (1..=CODES_MAX.min(lines.len())).find_map(|count| {
        let parts = lines.chunks(lines.len().div_ceil(count));
        let code = |part: &[String]| QrCode::of_at_most(&text_of(part), side_modules_max);
        parts.map(code).collect()
    })
}

/// Leaves out the dashes, which nobody needs who does not type.
fn text_of(lines: &[String]) -> String {
    lines.join(" ").replace('-', "")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::base::id::StoreId;
    use crate::bundle::receipt::Receipt;

    fn receipt(lacks: u8) -> Receipt {
        let lacks = (0..lacks).map(|number| [number; 8]).collect();
        Receipt::new(StoreId([7; 16]), Vec::new(), lacks)
    }

    #[test]
    fn the_texts_of_all_codes_are_the_receipt() {
        for (lacks, side, count) in [
            (0, 41, 1),
            (1, 41, 1),
            (20, 41, 3),
            (100, 117, 2),
            (100, 177, 1),
        ] {
            let receipt = receipt(lacks);
            let lines = receipt.to_text().unwrap();
            let codes = receipt.to_codes(side).unwrap();
            assert_eq!(codes.len(), count, "{lacks} at {side}");
            let parts = lines.chunks(lines.len().div_ceil(count)).map(text_of);
            let texts: Vec<String> = parts.collect();
            for (code, text) in codes.iter().zip(&texts) {
                assert_eq!(Some(code), QrCode::of_at_most(text, side).as_ref());
            }
            for pasted in [texts.join("\n"), texts.join(" "), texts.concat()] {
                let read = Receipt::read(pasted.as_bytes()).unwrap();
                assert!(read.is_of(&receipt) && read.lacks == receipt.lacks);
            }
        }
    }

    #[test]
    fn what_is_too_long_has_no_codes() {
        assert_eq!(receipt(250).to_codes(41), None);
        assert_eq!(receipt(0).to_codes(0), None);
    }
}
