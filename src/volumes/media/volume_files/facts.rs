//! The facts that the names and pages of a volume show, and its names.

use crate::base::id::SetId;
use crate::volumes::block::BlockSize;
use crate::volumes::media::ProgramNote;

/// Longest part of a folder's name that is taken from the title, in bytes.
const TITLE_NAME_MAX: usize = 40;

/// The facts that the names and pages of a volume show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFacts {
    /// The set.
    pub set_id: SetId,
    /// Title of the set, for people. Any text.
    pub title: String,
    /// Number of this volume, from 1. Spares come last.
    pub volume_no: u16,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// The size of its blocks.
    pub block_size: BlockSize,
    /// Blocks of this volume.
    pub volume_blocks: u32,
    /// Releases of the set, by their names.
    pub releases: Vec<String>,
    /// Program and version that wrote it, such as `carryall 0.1.0`.
    pub created_by: String,
}

/// Additional notes on the pages of a volume. Each is shown only when it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageNotes {
    /// Date of the release, such as `2026-11-28`.
    pub date: Option<String>,
    /// Whom to ask. Any text.
    pub contact: Option<String>,
    /// Bytes of the items when they are restored.
    pub item_bytes: Option<u64>,
    /// Bytes that receiving takes in a store.
    pub receive_bytes: Option<u64>,
    /// Programs that the set was written with. Pages show those that are on the volume.
    pub programs: Vec<ProgramNote>,
}

impl VolumeFacts {
    /// Returns the number of volumes of the set, data and spare.
    pub fn volume_count(&self) -> u32 {
        u32::from(self.data_volumes) + u32::from(self.spare_volumes)
    }

    /// Returns whether this is a spare volume.
    pub(crate) fn is_spare(&self) -> bool {
        self.volume_no > self.data_volumes
    }

    /// Returns the number of digits of volume numbers in this set, at least 2.
    fn digits(&self) -> usize {
        self.volume_count().to_string().len().max(2)
    }

    /// Returns the folder's name, `<title>-<set>-vol03of07`. The image's name has `.iso` behind it. It is valid on
    /// every file system.
    pub fn volume_name(&self) -> String {
        let (digits, no, count) = (self.digits(), self.volume_no, self.volume_count());
        let title = safe_name(&self.title);
        let set = self.set_id.short();
        format!("{title}-{set}-vol{no:0digits$}of{count:0digits$}")
    }

    /// Returns the name of a volume file by its number from 0: `carry03.000`. It has eight letters and digits at most, a dot
    /// and three, so that systems that know no longer names keep the volumes apart.
    pub fn volume_file_name(&self, file_no: u32) -> String {
        let (digits, no) = (self.digits(), self.volume_no);
        let word = if digits > 3 { "carr" } else { "carry" };
        format!("{word}{no:0digits$}.{file_no:03}")
    }

    /// Returns the label of an image, `CARRYALL_03_07_12AB34CD`: letters and digits that every file system accepts.
    /// Joliet cuts it after 16 characters, so the volume comes before the set.
    pub fn label(&self) -> String {
        let (digits, no, count) = (self.digits(), self.volume_no, self.volume_count());
        let set = self.set_id.short().to_string().to_ascii_uppercase();
        format!("CARRYALL_{no:0digits$}_{count:0digits$}_{set}")
    }
}

/// Returns whether a file has the name of a volume file: `carry03.000`.
pub(crate) fn is_volume_file_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix("carry")
        .or_else(|| name.strip_prefix("carr"))
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(volume, file)| digits(volume) && digits(file))
}

/// Keeps letters, digits, dots and underscores of a title. Letters of other scripts become `u` and their numbers. Runs
/// of anything else become one hyphen. The ids behind the titles distinguish sets whose titles become the same.
fn safe_name(title: &str) -> String {
    let mut out = String::new();
    for c in title.chars() {
        let part = if c.is_ascii_alphanumeric() || c == '.' || c == '_' {
            c.to_string()
        } else if c.is_alphanumeric() {
            format!("u{:04x}", u32::from(c))
        } else if out.ends_with('-') {
            continue;
        } else {
            "-".to_owned()
        };
        if out.len() + part.len() > TITLE_NAME_MAX {
            break;
        }
        out.push_str(&part);
    }
    let trimmed = out.trim_matches(|c| c == '-' || c == '.');
    if trimmed.is_empty() {
        "carryall".to_owned()
    } else {
        trimmed.to_owned()
    }
}
