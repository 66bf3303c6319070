//! What the names and pages of a volume say, and its names.

use crate::base::id::SetId;

/// Longest part of a folder's name that comes from the title, in bytes.
const TITLE_NAME_MAX: usize = 40;

/// What the names and pages of a volume say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeFacts {
    /// The set.
    pub set_id: SetId,
    /// Title of the set, for people; any text.
    pub title: String,
    /// This volume, from 1; spares come last.
    pub volume_no: u16,
    /// Data volumes (K).
    pub data_volumes: u16,
    /// Spare volumes (M).
    pub spare_volumes: u16,
    /// Blocks of this volume.
    pub volume_blocks: u32,
    /// The releases that the set carries, as people name them.
    pub releases: Vec<String>,
    /// Program and version that wrote it, such as `carryall 0.1.0`.
    pub created_by: String,
}

/// What else the pages of a volume say; each only when it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageNotes {
    /// The day that the release is of, such as `2026-11-28`.
    pub date: Option<String>,
    /// Whom to ask: any text.
    pub contact: Option<String>,
    /// Bytes of the items when they are given back.
    pub item_bytes: Option<u64>,
    /// Bytes that receiving takes in a store.
    pub receive_bytes: Option<u64>,
}

impl VolumeFacts {
    /// Volumes of the set, data and spare.
    pub fn volume_count(&self) -> u32 {
        u32::from(self.data_volumes) + u32::from(self.spare_volumes)
    }

    /// Whether this is a spare volume.
    pub fn is_spare(&self) -> bool {
        self.volume_no > self.data_volumes
    }

    /// Digits that volume numbers of this set are written with, at least 2.
    fn digits(&self) -> usize {
        self.volume_count().to_string().len().max(2)
    }

    /// `<title>-<set>-vol03of07`: the folder's name, and with `.iso` behind it the image's. Safe on every file system.
    pub fn volume_name(&self) -> String {
        let (digits, no, count) = (self.digits(), self.volume_no, self.volume_count());
        let title = safe_name(&self.title);
        let set = self.set_id.short();
        format!("{title}-{set}-vol{no:0digits$}of{count:0digits$}")
    }

    /// `carryall-03.000`: the name of a carrier file, by its number from 0.
    pub fn carrier_file_name(&self, file_no: u32) -> String {
        let (digits, no) = (self.digits(), self.volume_no);
        format!("carryall-{no:0digits$}.{file_no:03}")
    }

    /// `CARRYALL_03_07_12AB34CD`: the label of an image, letters and digits that every file system takes. Joliet cuts it after 16
    /// characters: the volume stands before the set.
    pub fn label(&self) -> String {
        let (digits, no, count) = (self.digits(), self.volume_no, self.volume_count());
        let set = self.set_id.short().to_string().to_ascii_uppercase();
        format!("CARRYALL_{no:0digits$}_{count:0digits$}_{set}")
    }
}

/// Whether a file is called as carrier files are: `carryall-03.000`.
pub fn is_carrier_name(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix("carryall-")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(volume, file)| digits(volume) && digits(file))
}

/// Keeps letters, digits, dots and underscores of a title; letters of other scripts become `u` and their numbers, runs of
/// anything else one hyphen. Sets whose titles come to the same are told apart by their ids, which stand behind it.
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
