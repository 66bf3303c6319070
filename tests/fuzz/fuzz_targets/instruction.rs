//! Any bytes as machine code: each step goes on, and the distance does not matter.
#![no_main]

use carryall::content::references::x86::{Found, instruction};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut code = input.to_vec();
    let mut at = 0;
    while at < code.len() {
        let before = instruction(&code[at..]);
        match before {
            Found::Instruction(found) => {
                assert!((1..=15).contains(&found.bytes) && at + found.bytes <= code.len());
                if let Some(distance) = found.distance {
                    assert!(distance.at + 4 <= found.bytes);
                    let place = at + distance.at;
                    code[place..place + 4].iter_mut().for_each(|byte| *byte ^= 0x5a);
                }
                assert_eq!(instruction(&code[at..]), before);
                at += found.bytes;
            }
            Found::Unknown => at += 1,
            Found::Cut => return,
        }
    }
});
