//! Images are read by outside readers, keep within their medium, and give their blocks back when their file system is gone.

use crate::testkit::programs::{has, run};

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use carryall::base::id::SetId;
use carryall::base::monitor::Silent;
use carryall::volumes::block::{
    BLOCK_BYTES, BlockHeader, BlockKind, BlockSize, ParityCodec, SetHeader,
};
use carryall::volumes::media::kind::SECTOR_BYTES;
use carryall::volumes::media::source::find_sources;
use carryall::volumes::media::{
    Capacity, Carrier, CompanionFile, CompanionRoom, ProgramNote, ScanReport, Sighting,
    VolumeFacts, VolumeWriter, scan,
};

const BLOCK: u64 = BLOCK_BYTES as u64;

fn facts(volume_blocks: u32) -> VolumeFacts {
    VolumeFacts {
        set_id: SetId([0x5e; 16]),
        title: "shop 2.0".into(),
        volume_no: 3,
        data_volumes: 5,
        spare_volumes: 2,
        block_size: BlockSize::Full,
        volume_blocks,
        releases: vec!["shop:2.0".into(), "商店:2.0".into()],
        created_by: "carryall 0.1.0".into(),
    }
}

fn block(block_no: u32, volume_blocks: u32) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK_BYTES];
    let mut state = u64::from(block_no) + 1;
    for word in bytes.chunks_exact_mut(8) {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        word.copy_from_slice(&state.to_le_bytes());
    }
    let set = SetHeader {
        set_id: SetId([0x5e; 16]),
        block_size: BlockSize::Full,
        codec: ParityCodec::Gf16,
        data_volumes: 5,
        spare_volumes: 2,
        stripe_width: 40,
        local_data: 500,
        local_parity: 15,
        catalog_blocks: 1,
        volume_blocks,
    };
    let header = BlockHeader {
        set,
        volume_no: 3,
        block_no,
        kind: BlockKind::Data,
    };
    header.seal(&mut bytes);
    bytes
}

fn make_iso(dir: &Path, volume_blocks: u32, limit_bytes: Option<u64>) -> PathBuf {
    let writer = VolumeWriter::create_iso(dir, facts(volume_blocks), limit_bytes).unwrap();
    for block_no in 0..volume_blocks {
        writer
            .write_run(block_no, &block(block_no, volume_blocks))
            .unwrap();
    }
    writer.finish(&Silent).unwrap()
}

/// Scans and returns the report, the block numbers met, and where block 0 was met.
fn scanned(path: &Path) -> (ScanReport, BTreeSet<u32>, Option<u64>) {
    let met = Mutex::new((BTreeSet::new(), None));
    let sources = find_sources(&[path.to_owned()], &Silent).unwrap();
    let visit = |sighting: &Sighting<'_>| {
        if let Sighting::Whole { header, offset, .. } = sighting {
            let mut met = met.lock().unwrap();
            met.0.insert(header.block_no);
            if header.block_no == 0 {
                met.1 = Some(*offset);
            }
        }
        ControlFlow::Continue(())
    };
    let report = scan(&sources, &visit, &Silent).unwrap();
    let (numbers, first) = met.into_inner().unwrap();
    (report, numbers, first)
}

#[test]
fn an_image_keeps_its_promise_and_wastes_little() {
    if !has(&["xorriso"]) {
        return;
    }
    for (text, pad_sectors) in [("3MB", 0), ("20MB", 0), ("100MB", 0), ("cd", 150)] {
        let capacity: Capacity = text.parse().unwrap();
        let promised = capacity.bytes().unwrap() - pad_sectors * SECTOR_BYTES;
        let blocks = capacity.usable_blocks(Carrier::Iso).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let iso = make_iso(dir.path(), blocks, Some(promised));
        let bytes = fs::metadata(&iso).unwrap().len();
        assert!(bytes <= promised, "{text}: {bytes}");
        assert_eq!(bytes % SECTOR_BYTES, 0);
        assert!(
            promised - bytes < BLOCK,
            "{text}: {} bytes are wasted",
            promised - bytes
        );
        assert!(
            bytes - u64::from(blocks) * BLOCK <= 2 * BLOCK,
            "{text}: file system and pages are small"
        );
        let (report, numbers, first) = scanned(&iso);
        assert_eq!(numbers.len(), usize::try_from(blocks).unwrap());
        assert_eq!(report.damaged_blocks, 0);
        assert_eq!(first.unwrap() % BLOCK, 0, "{text}: blocks are aligned");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left beside the image"
        );
    }
}

#[test]
fn companion_files_are_within_the_promise() {
    if !has(&["xorriso"]) {
        return;
    }
    let file = |name: &str, bytes: usize| CompanionFile {
        name: name.into(),
        bytes: vec![7; bytes].into(),
        program: Some(ProgramNote {
            file: name.into(),
            machine: "x86-64".into(),
            sha256: "0".repeat(64),
        }),
    };
    let some = [
        file("carryall.x64", 1_000_001),
        file("carryall.a64", 2048),
        file("guide-en.txt", 1),
        file("guide-zh.txt", 65_537),
    ];
    // More files than a set has: their records need a second sector in each tree.
    let many: Vec<_> = (10..40)
        .map(|no| file(&format!("file-{no}.bin"), 3_000))
        .collect();
    for (text, files) in [("3MB", &some[..]), ("20MB", &some), ("8MB", &many)] {
        let room = CompanionRoom::of(files.iter().map(|file| file.bytes.len() as u64));
        let capacity: Capacity = text.parse().unwrap();
        let blocks = capacity
            .with_companions(room)
            .usable_blocks(Carrier::Iso)
            .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let writer = VolumeWriter::create_iso(dir.path(), facts(blocks), capacity.bytes()).unwrap();
        let writer = writer.with_companions(files.to_vec());
        for block_no in 0..blocks {
            writer
                .write_run(block_no, &block(block_no, blocks))
                .unwrap();
        }
        let iso = writer.finish(&Silent).unwrap();
        let spare = capacity.bytes().unwrap() - fs::metadata(&iso).unwrap().len();
        assert!(spare < 2 * BLOCK, "{text}: {spare} bytes are wasted");
        let (report, numbers, first) = scanned(&iso);
        assert_eq!(numbers.len(), usize::try_from(blocks).unwrap());
        assert_eq!((report.damaged_blocks, first.unwrap() % BLOCK), (0, 0));
    }
}

#[test]
fn an_image_too_large_is_refused_and_removed() {
    if !has(&["xorriso"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let writer = VolumeWriter::create_iso(dir.path(), facts(4), Some(4 * BLOCK)).unwrap();
    for block_no in 0..4 {
        writer.write_run(block_no, &block(block_no, 4)).unwrap();
    }
    let refused = writer.finish(&Silent);
    assert!(
        matches!(
            refused,
            Err(carryall::volumes::media::MediaError::TooLarge { .. })
        ),
        "{refused:?}"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn the_same_volume_is_the_same_image() {
    if !has(&["xorriso"]) {
        return;
    }
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = fs::read(make_iso(one.path(), 20, None)).unwrap();
    // Seconds and hundredths stand in ISO 9660 dates.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let second = fs::read(make_iso(two.path(), 20, None)).unwrap();
    assert!(
        first == second,
        "the image depends on something that was not passed in"
    );
}

#[test]
fn outside_readers_list_and_extract_what_was_put_in() {
    let readers = [has(&["xorriso"]), has(&["bsdtar"])];
    if !readers[0] {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = {
        let writer = VolumeWriter::create(dir.path(), facts(50)).unwrap();
        for block_no in 0..50 {
            writer.write_run(block_no, &block(block_no, 50)).unwrap();
        }
        writer.finish(&Silent).unwrap()
    };
    let iso = make_iso(dir.path(), 50, None);
    let by_xorriso = dir.path().join("by-xorriso");
    run(Command::new("xorriso")
        .args(["-osirrox", "on", "-indev"])
        .arg(&iso)
        .args(["-extract", "/"])
        .arg(&by_xorriso));
    let listing = run(Command::new("xorriso")
        .args(["-no_rc", "-indev"])
        .arg(&iso)
        .args(["-pvd_info", "-find", "/"]));
    assert!(
        listing.contains("'/carry03.000'") && listing.contains("'/START-HERE.html'"),
        "{listing}"
    );
    assert!(listing.contains("CARRYALL_03_07_5E5E5E5E"), "{listing}");
    compare(&folder, &by_xorriso);
    if readers[1] {
        let by_bsdtar = dir.path().join("by-bsdtar");
        fs::create_dir(&by_bsdtar).unwrap();
        run(Command::new("bsdtar")
            .arg("-xf")
            .arg(&iso)
            .arg("-C")
            .arg(&by_bsdtar));
        let listing = run(Command::new("bsdtar").arg("-tf").arg(&iso));
        assert!(
            listing.lines().any(|line| line.ends_with("carry03.000")),
            "{listing}"
        );
        compare(&folder, &by_bsdtar);
    }
}

/// The page for browsers is longer in an image, by blank lines; all else is equal byte for byte.
fn compare(folder: &Path, extracted: &Path) {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name();
        let (put, got) = (
            fs::read(folder.join(&name)).unwrap(),
            fs::read(extracted.join(&name)).unwrap(),
        );
        if name == "START-HERE.html" {
            assert_eq!(put, got[..put.len()]);
            assert!(got[put.len()..].iter().all(|byte| *byte == b'\n'));
        } else {
            assert!(put == got, "{}", name.display());
        }
        names.insert(name);
    }
    let extracted: BTreeSet<_> = fs::read_dir(extracted)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, extracted);
}

#[test]
fn blocks_are_found_when_the_file_system_is_gone_and_bytes_are_cut_from_the_front() {
    if !has(&["xorriso"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let blocks = 300;
    let iso = make_iso(dir.path(), blocks, None);
    let whole = fs::read(&iso).unwrap();
    let odd = dir.path().join("what.ever");
    let mut gone = whole.clone();
    gone[..60 * 2048].fill(0);
    fs::write(&odd, &gone).unwrap();
    assert_eq!(scanned(&odd).1.len(), 300);
    for cut in [512, 2048 * 7, 131_072 + 3 * 512, 131_072 + 77, 1_000_003] {
        fs::write(&odd, &whole[cut..]).unwrap();
        let lost = cut.saturating_sub(131_072).div_ceil(BLOCK_BYTES);
        assert_eq!(scanned(&odd).1.len(), 300 - lost, "cut {cut}");
    }
}
