//! Messages about sets that are being received: what was read, how far each is, what is still needed.

use carryall::base::id::SetId;
use carryall::ops::receive::forget::{ForgetReport, ForgottenSet};
use carryall::ops::receive::selection::LeftOut;
use carryall::ops::receive::{ProgressState, ReceiveReport, Room, SetProgress, StatusReport};
use carryall::volumes::VolumeRead;

use super::delta::lacking;
use super::errors::said;
use super::media::{lost, needed};
use super::trust::signed;
use super::{bytes, enumerated, line, line_below, message, volumes};

fn name_of(set: &SetProgress) -> String {
    set_name(&set.title, &set.set_id.short())
}

/// Title and number of a set: `shop:1.0 (set 12ab34cd)`.
pub fn set_name(title: &str, id: &str) -> String {
    if title.is_empty() {
        message!("set-name", id)
    } else {
        message!("set-title", title, id)
    }
}

/// How far a set is that is being received: which volumes were read, what is still needed, what is wrong, what is left out.
pub fn progress(set: &SetProgress) -> String {
    let read = set.volumes_read.iter().map(|read| volume_read(set, read));
    let mut out: String = read.collect();
    out += &state_of(set);
    if !set.wrong_volumes.is_empty() {
        let volumes = volumes(&set.wrong_volumes);
        out += &line_below(message!("receive-wrong-blocks", volumes));
    }
    if !set.doubtful_volumes.is_empty() {
        let volumes = volumes(&set.doubtful_volumes);
        out += &line_below(message!("receive-doubtful", volumes));
    }
    if !set.signed.is_none() || set.refused.is_some() {
        out += &signed(&set.signed);
    }
    if let Some(error) = &set.refused {
        out += &line_below(message!(
            "receive-set-refused",
            why = said(&error.diagnose())
        ));
    }
    out += &set.left_out.as_ref().map_or_else(String::new, left_out);
    if let Some(room) = set.room.filter(|_| is_waiting(set)) {
        out += &line_below(room_left(room));
    }
    if set.beside {
        out += &line_below(message!("receive-beside", id = set.set_id.short()));
    }
    out
}

fn is_waiting(set: &SetProgress) -> bool {
    matches!(
        set.state,
        ProgressState::NeedsVolumes | ProgressState::NeedsBase | ProgressState::Damaged
    )
}

/// `shop:1.0 (set 12ab34cd): volume 3 of 6: all blocks whole; new`.
fn volume_read(set: &SetProgress, read: &VolumeRead) -> String {
    let (name, number) = (name_of(set), read.volume_no);
    let all = set.data_volumes + set.spare_volumes;
    let (bad, blocks) = (read.blocks - read.whole_blocks, read.blocks);
    let state = if read.known_blocks > 0 && bad == 0 {
        message!("receive-known-blocks", known = read.known_blocks, blocks)
    } else if bad == 0 {
        message!("receive-all-blocks")
    } else {
        // Rounded down, so that what is not whole is never 100 %.
        let tenths = 1000 * read.read_bytes / read.volume_bytes.max(1);
        let percent = format!("{}.{}", tenths / 10, tenths % 10);
        message!("receive-bad-blocks", bad, blocks, percent)
    };
    let new = match set.state {
        ProgressState::AlreadyHere => message!("receive-set-is-in"),
        _ if read.new_blocks + read.new_parts == 0 => message!("receive-read-before"),
        _ => message!("receive-new"),
    };
    line(message!("receive-volume", name, number, all, state, new))
}

/// What receiving still takes.
fn room_left(room: Room) -> String {
    let (needed, free) = (bytes(room.needed_bytes), bytes(room.free_bytes));
    if room.suffices() {
        message!("receive-room", needed, free)
    } else {
        message!("receive-no-room", needed, free)
    }
}

/// Paths that held nothing, and sets that were not begun.
pub fn gave_nothing(report: &ReceiveReport) -> String {
    let empty = report.empty_paths.iter();
    let empty = empty.map(|path| line(message!("receive-no-volume", path)));
    let mut out: String = empty.collect();
    if !report.refused.is_empty() {
        out += &line(message!("receive-refused", count = report.refused.len()));
    }
    out
}

/// Sets that were given up.
pub fn given_up(report: &ForgetReport) -> String {
    if report.forgotten.is_empty() {
        return line(message!("forget-nothing"));
    }
    let one = |set: &ForgottenSet| {
        let (id, title, freed) = (set.set_id.short(), &set.title, bytes(set.freed_bytes));
        line(message!("forget-set", id, title, freed))
    };
    report.forgotten.iter().map(one).collect()
}

/// What to do with sets that wait, below the list of them.
pub fn hint_waiting() -> String {
    message!("hint-waiting")
}

/// A set that waits, with its number in the list.
pub fn waiting_set(number: usize, set: &SetProgress) -> String {
    format!("{number}. {}", progress(set))
}

fn left_out(what: &LeftOut) -> String {
    let (releases, platforms) = (enumerated(&what.releases), enumerated(&what.platforms));
    let mut out = line_below(message!("receive-left-out", platforms, releases));
    let (needed, all) = (what.needed_bytes, what.payload_bytes);
    if needed > 0 && needed >= all / 10 * 8 {
        let (needed, all) = (bytes(needed), bytes(all));
        out += &line_below(message!("receive-among-the-rest", needed, all));
    }
    out
}

fn state_of(set: &SetProgress) -> String {
    let name = name_of(set);
    match set.state {
        ProgressState::Complete => complete(set),
        ProgressState::NotAsked => line(message!("receive-not-asked", name)),
        ProgressState::AlreadyHere => line(message!("receive-already-here", name)),
        ProgressState::NeedsVolumes if set.needs.complete => line(message!("receive-finish", name)),
        ProgressState::NeedsVolumes => {
            let blocks = set.volumes.iter();
            let blocks: u64 = blocks.map(|volume| u64::from(volume.present_blocks)).sum();
            let present = bytes(blocks.saturating_mul(set.block_bytes as u64));
            let (data, spare, need) = (set.data_volumes, set.spare_volumes, needed(&set.needs));
            let first = message!("receive-needs-volumes", name, data, spare, present, need);
            // Told with the first volume, so that the base is looked for while there is time.
            let missing = set.lacking.as_ref();
            line(first) + &missing.map_or_else(String::new, |it| line_below(lacking(it)))
        }
        ProgressState::NeedsBase => {
            let what = set.lacking.as_ref().map(lacking).unwrap_or_default();
            line(message!("receive-needs-base", name, what))
        }
        ProgressState::Damaged => {
            line(message!("receive-damaged", name)) + &lost(&set.needs, &set.lost_items)
        }
    }
}

fn complete(set: &SetProgress) -> String {
    let id = set.set_id.short();
    let mut out = String::new();
    for release in &set.committed {
        let mut facts = vec![bytes(release.bytes)];
        if set.healed_blocks > 0 {
            facts.push(message!("receive-healed", blocks = set.healed_blocks));
        }
        if !set.helped_by.is_empty() {
            let sets = set.helped_by.iter().map(SetId::short);
            let sets = enumerated(&sets.collect::<Vec<_>>());
            facts.push(message!("receive-helped", sets));
        }
        if release.replaced {
            facts.push(message!("receive-replaced"));
        }
        let (release, facts) = (release.name.to_string(), super::facts(&facts));
        out += &line(message!("receive-complete", release, facts, id));
    }
    out
}

pub fn status(report: &StatusReport) -> String {
    let (store, id) = (&report.store, report.store_id.short());
    let (count, free) = (report.releases, bytes(report.free_bytes));
    let releases = message!("count-releases", count);
    let sets = report.incoming.len();
    line(message!("status", store, id, releases, free, sets))
}
