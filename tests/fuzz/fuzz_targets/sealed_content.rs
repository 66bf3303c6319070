//! Sealed content of any bytes, and some that was sealed and then hurt: what is opened is what was sealed.
#![no_main]

use std::io::Write;
use std::sync::{Arc, OnceLock};

use carryall::base::read_at::read_some;
use carryall::base::sealing::{Identities, SealTo};
use carryall_fuzz::{Numbers, hurt, noise, temp_file};
use libfuzzer_sys::fuzz_target;

/// Made for this test, and for nothing else.
const RECIPIENT: &str = "age1ru3d0wyyhehh4f0vmyv00yvyxd37k54nfu2lmc3y8ap5t4dcsenq40428t";
const IDENTITY: &str = "AGE-SECRET-KEY-1H95W5RGETAUJAWK23LZFRQ57JFCPP2N9QWCZ56H889HGF52730PQQGUYQE";
/// Most bytes of the content. A piece of age has 64 KiB.
const PLAIN_BYTES_MAX: usize = 150_000;

fn identities() -> &'static Identities {
    static IDENTITIES: OnceLock<Identities> = OnceLock::new();
    IDENTITIES.get_or_init(|| {
        let file = temp_file("identity.txt", IDENTITY.as_bytes());
        Identities::read(&[file], None).expect("an identity")
    })
}

fuzz_target!(|input: &[u8]| {
    let header = [b"age-encryption.org/v1\n", input].concat();
    let opened = identities().open(Arc::new(header));
    assert!(opened.is_err(), "nobody sealed that");

    let mut numbers = Numbers(input);
    let plain = noise(numbers.next_u32() as usize % PLAIN_BYTES_MAX);
    let recipients = SealTo::recipients(&[RECIPIENT.to_owned()], &[]).expect("a recipient");
    let mut writer = recipients.writer(Vec::new()).expect("memory is written");
    writer.write_all(&plain).expect("memory is written");
    let mut sealed = writer.finish().expect("memory is written");
    let whole = sealed.clone();
    let mut damage = Numbers(numbers.0);
    hurt(&mut sealed, &mut numbers);
    let is_whole = sealed == whole;
    let opened = match identities().open(Arc::new(sealed)) {
        Ok(opened) => opened,
        Err(error) => {
            assert!(!is_whole, "{error}");
            return;
        }
    };
    let mut out = [0; 3000];
    for _ in 0..4 {
        let at = damage.next_u32() as usize % (plain.len() + 1);
        match read_some(&opened, at as u64, &mut out) {
            Ok(len) => {
                let expected = &plain[at..plain.len().min(at + out.len())];
                assert!(expected.starts_with(&out[..len]));
                assert!(!is_whole || len == expected.len());
            }
            Err(error) => assert!(!is_whole, "{error}"),
        }
    }
});
