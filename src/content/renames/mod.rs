//! Minified JavaScript whose short names are those of the new version.
//!
//! A minifier gives short names to everything that is local. One function more in a bundle, and thousands of names
//! after it are others, although nothing else about the text is new. A frame therefore says what the short names of its
//! bases are called now: a name is called what it was called last, and each *rename* is an exception to that. Bases with
//! the new names are then compressed against as any others ([`crate::content::frame`]).
//!
//! The reader needs the rules of `names` and a list of renames. What is no JavaScript, or was told apart wrongly, costs
//! bytes and nothing else, since only the bases are changed.

mod find;
mod list;
mod names;

pub use find::find;
pub use list::Renames;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bundle of functions with names from `letters` on.
    fn minified(letters: &[u8]) -> Vec<u8> {
        let name = |number: usize| char::from(letters[number % letters.len()]);
        (0..200)
            .flat_map(|number| {
                let (one, two, three) = (name(number), name(number + 1), name(number + 2));
                format!(
                    "function({one},{two}){{var {three}={one}.value+{two}[{number}];return{{a:{three},text:\"a\",more:...{one}}}}},"
                )
                .into_bytes()
            })
            .collect()
    }

    fn applied(renames: &Renames, old: &[u8]) -> Option<Vec<u8>> {
        renames.apply(old, 1 << 20, Vec::new())
    }

    #[test]
    fn old_text_with_the_names_of_the_new_is_the_new() {
        let (old, new) = (minified(b"etnrio"), minified(b"tnrioe"));
        let renames = find(&old, &new).unwrap();
        assert!((6..20).contains(&renames.count()), "{}", renames.count());
        assert_eq!(applied(&renames, &old).unwrap(), new);
        assert_eq!(Renames::decode(&renames.encode()).unwrap(), renames);
        // One byte more than there may be.
        assert_eq!(renames.apply(&old, new.len() - 1, Vec::new()), None);
    }

    #[test]
    fn a_new_name_may_have_another_length_and_comes_to_pass_from_there_on() {
        let old = minified(b"e");
        let new = String::from_utf8(old.clone()).unwrap();
        let place = new.len() / 2;
        let new = new[..place].to_owned() + &new[place..].replace("(e,e)", "(e$,e$)");
        let renames = find(&old, new.as_bytes()).unwrap();
        assert!(applied(&renames, &old).unwrap().len() > old.len());
    }

    #[test]
    fn text_without_long_lines_has_no_names() {
        let lines = b"let a = b;\n".repeat(100);
        assert!(find(&lines, &b"let c = d;\n".repeat(100)).is_none());
        let renames = Renames::decode(&[1, 0, b'x' | 0x80]).unwrap();
        assert_eq!(applied(&renames, &lines), None);
    }

    #[test]
    fn lists_that_are_none_are_refused() {
        for bad in [
            &[][..],
            &[1],
            &[1, 0],
            &[1, 0, b'x'],
            &[1, 0, b' ' | 0x80],
            &[1, 0, b'1' | 0x80],
            &[1, 0, b'x', b'x', b'x', b'x' | 0x80],
            &[1, 0, b'x' | 0x80, 0],
            &[9, 0, b'x' | 0x80],
        ] {
            assert_eq!(Renames::decode(bad), None, "{bad:?}");
        }
        assert_eq!(Renames::decode(&[0]), Some(Renames::default()));
    }

    proptest! {
        #[test]
        fn any_bytes_take_any_renames(old in proptest::collection::vec(prop_oneof![Just(b'a'), Just(b','), Just(b'.'), Just(b'{'), any::<u8>()], 0..1200),
            encoded in proptest::collection::vec(any::<u8>(), 0..40)) {
            let nothing = Renames::default();
            prop_assert_eq!(applied(&nothing, &old), Some(old.clone()));
            if let Some(renames) = Renames::decode(&encoded) {
                let _ = applied(&renames, &old);
            }
        }

        #[test]
        fn what_is_found_can_be_applied(old in "[a-e,(){}.:]{256,900}", new in "[a-e,(){}.:]{256,900}") {
            if let Some(renames) = find(old.as_bytes(), new.as_bytes()) {
                prop_assert!(applied(&renames, old.as_bytes()).is_some());
                prop_assert_eq!(Renames::decode(&renames.encode()), Some(renames));
            }
        }
    }
}
