//! Bundles of JavaScript as a minifier writes them: with other local names in every build.

use super::bytes::noise;

/// What a minifier calls local things, in turn.
const LETTERS: &[u8] = b"etnrioascludfphmgvyb_wxkSEATCDLMPORIB$";
/// What the code talks about. A minifier leaves it alone.
const WORDS: [&str; 16] = [
    "length",
    "value",
    "children",
    "parentNode",
    "render",
    "options",
    "forEach",
    "push",
    "current",
    "state",
    "prototype",
    "concat",
    "className",
    "dispatch",
    "message",
    "toString",
];

/// A bundle of so many functions.
#[derive(Debug, Clone, Copy)]
pub struct Minified {
    /// Number of functions.
    pub functions: usize,
    /// By how many places the names have moved on.
    pub moved: usize,
    /// A function before which another one stands, if there is one.
    pub added_before: Option<usize>,
}

impl Minified {
    /// Makes the text, all of it in one line.
    pub fn text(&self) -> Vec<u8> {
        let mut out = b"!function(){".to_vec();
        for number in 0..self.functions {
            if self.added_before == Some(number) {
                out.extend_from_slice(self.function(number, 1 << 20).as_bytes());
            }
            out.extend_from_slice(self.function(number, number as u64).as_bytes());
        }
        out.extend_from_slice(b"}();\n");
        out
    }

    fn local(&self, number: usize) -> char {
        char::from(LETTERS[(number + self.moved) % LETTERS.len()])
    }

    fn global(&self, number: usize) -> String {
        let letter = |number: usize| self.local(number % LETTERS.len());
        [letter(number / LETTERS.len()), letter(number)]
            .iter()
            .collect()
    }

    fn function(&self, number: usize, seed: u64) -> String {
        let name = self.global(number);
        let parameters = [self.local(0), self.local(1)];
        let mut text = format!("function {name}({},{}){{", parameters[0], parameters[1]);
        for draw in noise(seed, 24).chunks(4) {
            let [one, two, word, other] = draw else { break };
            let (one, two) = (
                self.local(usize::from(one % 5)),
                self.local(usize::from(two % 7)),
            );
            let called = self.global(usize::from(*other) % self.functions);
            let word = WORDS[usize::from(word % 16)];
            text += &format!("var {two}={one}.{word}({called}({one},{other}));");
        }
        text + "return{type:" + &self.local(2).to_string() + "}}"
    }
}
