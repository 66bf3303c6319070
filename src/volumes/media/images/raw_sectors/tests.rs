//! Raw images that the tests write.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::volumes::media::surviving::faulty::Faulty;
use proptest::prelude::*;

/// Writes a raw sector around user data, without the parity, which nobody reads.
fn raw_sector(user: &[u8], no: usize, stride: usize, mode: u8) -> Vec<u8> {
    let bcd = |value: usize| u8::try_from(value / 10 * 16 + value % 10).unwrap();
    let at = no + 150;
    let mut sector = SYNC.to_vec();
    sector.extend([
        bcd(at / 75 / 60 % 100),
        bcd(at / 75 % 60),
        bcd(at % 75),
        mode,
    ]);
    if mode == 2 {
        sector.extend([0, 0, 8, 0, 0, 0, 8, 0]);
    }
    sector.extend_from_slice(user);
    let from = if mode == 2 { 16 } else { 0 };
    let check = edc(&sector[from..]).to_le_bytes();
    sector.extend(check);
    sector.resize(WHOLE, 0xec);
    if stride == 2336 {
        return sector.split_off(16);
    }
    sector.resize(stride, 0x5b);
    sector
}

pub(crate) fn raw(user: &[u8], stride: usize, mode: u8) -> Vec<u8> {
    let sectors = user.chunks(USER).enumerate();
    sectors
        .flat_map(|(no, data)| raw_sector(data, no, stride, mode))
        .collect()
}

fn user_data(sectors: usize) -> Vec<u8> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    };
    (0..sectors * USER).map(|_| next()).collect()
}

/// Reads all of it, with zeros for sectors that cannot be read, and returns these.
fn read_all(view: &RawSectors) -> (Vec<u8>, Vec<u64>) {
    let mut out = vec![0; in_memory(view.size_bytes())];
    let (mut at, mut bad) = (0, Vec::new());
    while at < out.len() {
        let len = out.len() - at;
        match view.read_at(at as u64, &mut out[at..at + len.min(100_000)]) {
            Ok(0) => break,
            Ok(len) => at += len,
            Err(_) => {
                bad.push((at / USER) as u64);
                at = (at / USER + 1) * USER;
            }
        }
    }
    (out, bad)
}

#[test]
fn all_layouts_are_recognized_and_give_their_user_data() {
    let user = user_data(100);
    for (stride, mode) in [
        (2352, 1),
        (2352, 2),
        (2448, 1),
        (2448, 2),
        (2368, 1),
        (2336, 2),
    ] {
        let image: Arc<dyn ReadAt> = Arc::new(Faulty::new(raw(&user, stride, mode), vec![]));
        let layout = SectorLayout::of(&*image).unwrap();
        assert_eq!(layout.stride, stride as u64);
        assert!(layout.is_checked);
        let (read, bad) = read_all(&RawSectors::new(image, layout));
        assert!(read == user && bad.is_empty(), "{stride} {mode}");
    }
}

#[test]
fn a_cut_beginning_and_a_missing_sub_channel_at_the_end_cost_nothing_else() {
    let user = user_data(50);
    let mut image = raw(&user, 2448, 1);
    image.truncate(image.len() - 96);
    let image: Arc<dyn ReadAt> = Arc::new(Faulty::new(image.split_off(1000), vec![]));
    let layout = SectorLayout::of(&*image).unwrap();
    let (read, _) = read_all(&RawSectors::new(image, layout));
    assert!(read == user[USER..]);
}

#[test]
fn sectors_that_cannot_be_read_and_those_with_a_wrong_check_are_bad_alone() {
    let user = user_data(100);
    let mut image = raw(&user, 2352, 1);
    // A sector that the dump filled with something, one with a wrong bit, and one that the drive does not give.
    image[3 * WHOLE..4 * WHOLE].fill(0x55);
    image[40 * WHOLE + 500] ^= 1;
    let gap = 70 * WHOLE as u64 + 10..70 * WHOLE as u64 + 20;
    let image: Arc<dyn ReadAt> = Arc::new(Faulty::new(image, vec![gap]));
    let layout = SectorLayout::of(&*image).unwrap();
    let (read, bad) = read_all(&RawSectors::new(image, layout));
    assert_eq!(bad, [3, 40, 70]);
    for no in (0..100).filter(|no| ![3, 40, 70].contains(no)) {
        assert!(
            read[no * USER..][..USER] == user[no * USER..][..USER],
            "{no}"
        );
    }
}

#[test]
fn images_without_checks_are_read_without_them() {
    let user = user_data(30);
    let mut image = raw(&user, 2352, 1);
    for sector in image.chunks_mut(WHOLE) {
        sector[2064..2068].fill(0);
    }
    let image: Arc<dyn ReadAt> = Arc::new(Faulty::new(image, vec![]));
    let layout = SectorLayout::of(&*image).unwrap();
    assert!(!layout.is_checked);
    let (read, bad) = read_all(&RawSectors::new(image, layout));
    assert!(read == user && bad.is_empty());
}

#[test]
fn the_first_sectors_may_be_bad() {
    let user = user_data(100);
    let mut image = raw(&user, 2352, 1);
    image[..30 * WHOLE].fill(0);
    assert_eq!(
        SectorLayout::of(&image).map(|found| found.stride),
        Some(2352)
    );
}

#[test]
fn other_files_are_no_raw_images() {
    let user = user_data(100);
    for bytes in [
        user.clone(),
        vec![0; 2336 * 64],
        vec![0; 2352 * 64],
        vec![],
        SYNC.to_vec(),
    ] {
        assert_eq!(SectorLayout::of(&bytes), None);
    }
    // One sync pattern is none of many.
    let mut one = user_data(100);
    one[..12].copy_from_slice(&SYNC);
    one[15] = 1;
    assert_eq!(SectorLayout::of(&one), None);
}

proptest! {
    #[test]
    fn any_part_is_read_as_it_is(from in 0_usize..200_000, len in 0_usize..100_000) {
        let user = user_data(90);
        let image = raw(&user, 2448, 2);
        let layout = SectorLayout::of(&image).unwrap();
        let view = RawSectors::new(Arc::new(image), layout);
        let mut out = vec![0; len];
        let read = view.read_at(from as u64, &mut out).unwrap();
        let rest = user.get(from..).unwrap_or_default();
        prop_assert!(read > 0 || len == 0 || rest.is_empty());
        prop_assert!(rest.starts_with(&out[..read]));
    }
}
