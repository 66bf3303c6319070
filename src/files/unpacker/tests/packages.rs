//! Packages of operating systems are taken apart, whole and broken.
use super::streams::{gzip, opened, words};
use super::zips::paths;
use super::*;

fn ar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, body) in members {
        let numbers = format!(
            "{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n",
            1,
            0,
            0,
            100_644,
            body.len()
        );
        out.extend_from_slice(numbers.as_bytes());
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

fn cpio_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, body) in members.iter().chain(&[("TRAILER!!!", &[][..])]) {
        let fields = [
            0,
            0o100_644,
            0,
            0,
            1,
            0,
            body.len(),
            0,
            0,
            0,
            0,
            name.len() + 1,
            0,
        ];
        let fields: String = fields.iter().map(|field| format!("{field:08X}")).collect();
        out.extend_from_slice(format!("070701{fields}{name}\0").as_bytes());
        out.resize(out.len().next_multiple_of(4), 0);
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(4), 0);
    }
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

/// An rpm header with so many bytes of entries and of what they refer to.
fn rpm_header(entries: u32, bytes: u32) -> Vec<u8> {
    let intro = [
        &[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..],
        &entries.to_be_bytes(),
        &bytes.to_be_bytes(),
    ];
    let body = words(7, usize::try_from(16 * entries + bytes).unwrap());
    [intro.concat(), body].concat()
}

fn rpm_of(payload: &[u8]) -> Vec<u8> {
    let lead = [&[0xed, 0xab, 0xee, 0xdb, 3, 0][..], &[0; 90]].concat();
    let mut signature = rpm_header(5, 1001);
    signature.resize(signature.len().next_multiple_of(8), 0);
    [lead, signature, rpm_header(60, 9000), payload.to_vec()].concat()
}

fn deb() -> Vec<u8> {
    let control = gzip(&tar_of(&[("control", &words(1, 9000))]));
    let data = gzip(&tar_of(&[
        ("usr/bin/shop", &words(2, 300_000)),
        ("usr/lib/odd", &noise(3, 70_001)),
    ]));
    ar_of(&[
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", &control),
        ("data.tar.gz", &data),
    ])
}

#[test]
fn members_of_packages_are_opened_like_files() {
    let (memory, report) = opened(&deb());
    assert_eq!(
        (report.opened.streams, report.kept.len()),
        (2, 0),
        "{report:?}"
    );
    let odd = noise(3, 70_001);
    let id = crate::base::id::ChunkId(id::hash(&odd[..Cutter::cut(&odd)]));
    assert!(memory.with(|map| map.contains_key(&id)));

    let files = cpio_of(&[("./usr/bin/shop", &words(4, 200_001)), ("./etc/shop", b"x")]);
    let (_, report) = opened(&rpm_of(&gzip(&files)));
    assert_eq!(
        (report.opened.streams, report.kept.len()),
        (1, 0),
        "{report:?}"
    );

    // Microcode, then a packed initial RAM disk, as the kernel takes them.
    let early = cpio_of(&[(
        "kernel/x86/microcode/GenuineIntel.bin",
        &noise(5, 2_000_000),
    )]);
    let disk = cpio_of(&[
        ("init", &words(6, 90_000)),
        ("lib/m.ko.gz", &gzip(&words(8, 50_000))),
    ]);
    let (_, report) = opened(&[&early[..], &gzip(&disk)].concat());
    assert_eq!(
        (report.opened.streams, report.kept.len()),
        (2, 0),
        "{report:?}"
    );
    let (_, report) = opened(&[&early[..], &disk, &[0; 1024], &early, &gzip(&disk)].concat());
    // The packed disk, and the module in it once.
    assert_eq!(report.opened.streams, 2, "{report:?}");
}

fn pack() -> Vec<u8> {
    let mut out = b"PACK\0\0\0\x02\0\0\0\x04".to_vec();
    for (seed, header) in [
        (1, &[0xb5, 0x09][..]),
        (2, &[0xe5, 9, 0x81, 0x03]),
        (3, &[0x95, 0x88, 1]),
        (4, &[0x75; 21]),
    ] {
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, &words(seed, 90_000)).unwrap();
        out.extend_from_slice(header);
        out.extend(encoder.finish().unwrap());
    }
    [&out[..], &[7; 20]].concat()
}

#[test]
fn objects_of_packs_are_opened_up_to_the_first_that_is_none() {
    assert_eq!(opened(&pack()).1.opened.streams, 4);
    let mut broken = pack();
    let at = broken.len() / 2;
    broken[at..at + 90].fill(0xaa);
    let (_, report) = opened(&broken);
    assert!((1..3).contains(&report.opened.streams), "{report:?}");
    let mut many = pack();
    many[8] = 0xff;
    assert_eq!(opened(&many).1.opened.streams, 4);
}

#[test]
fn members_of_packages_are_listed_by_their_names() {
    let (memory, content) = round_trip(&deb());
    let listed = paths(&memory, content);
    let names = [
        "debian-binary",
        "control.tar.gz",
        "usr/bin/shop",
        "usr/lib/odd",
    ];
    assert_eq!(listed, names);
    let disk = cpio_of(&[
        ("init", &noise(1, 90_001)),
        ("empty", b""),
        ("etc/shop", b"shop"),
    ]);
    let (memory, content) = round_trip(&disk);
    assert_eq!(paths(&memory, content), ["init", "etc/shop"]);
}

#[test]
fn archives_in_one_another_without_end_are_opened_up_to_the_depth_limit() {
    let mut inner = deb();
    let mut rest = cpio_of(&[("x", &noise(1, 70_000))]);
    for _ in 0..40 {
        inner = ar_of(&[("inner.deb", &inner)]);
        rest = [cpio_of(&[("x", &noise(1, 70_000))]), rest].concat();
    }
    opened(&inner);
    opened(&rest);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn broken_packages_come_back(
        which in 0_u8..4,
        cut in prop::option::of(any::<prop::sample::Index>()),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), any::<u8>()), 0..8),
    ) {
        let mut whole = match which {
            0 => deb(),
            1 => pack(),
            2 => rpm_of(&gzip(&cpio_of(&[("a", &words(1, 90_000))]))),
            _ => [cpio_of(&[("a", &noise(2, 80_000)), ("b", &words(3, 30_000))]), gzip(&words(4, 60_000))].concat(),
        };
        for (at, is_header, value) in flips {
            let most = if is_header { whole.len().min(900) } else { whole.len() };
            let at = at.index(most);
            whole[at] = value;
        }
        if let Some(cut) = cut {
            whole.truncate(cut.index(whole.len()));
        }
        opened(&whole);
    }
}
