//! Limits of releases, media and archives, in one table. Readers refuse what exceeds a limit, by name and before they
//! work on it. Writers never exceed one.
//!
//! These are the limits on input from elsewhere. Bounds on memory stand in the modules that hold it. All modules take
//! their limits from here. [`TABLE`] lists them for people and tests, and `docs/format.md` shows it.
//!
//! Most are of the format, and no setting changes them. Those on what a release may cost are [`CostLimits`], which a store
//! may raise.

/// Most bytes of the body of a release's root.
pub(crate) const ROOT_BYTES_MAX: u64 = 64 * 1024;
/// Most bytes of an encoded item or entry: its path, link target and attributes together.
pub(crate) const RECORD_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a release's list of items. Items are held in memory.
pub(crate) const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of the name of an item, and of each name in a path, as file systems have it.
pub(crate) const NAME_BYTES_MAX: usize = 255;
/// Most bytes of the path of an entry below its item.
pub(crate) const PATH_BYTES_MAX: usize = 64 * 1024;
/// Most folders that an entry lies in, not counting its item.
pub const PATH_DEPTH_MAX: usize = 4096;
/// Most bytes of the target of a symbolic link.
pub(crate) const LINK_BYTES_MAX: usize = 4095;
/// Most bytes of one extended attribute.
pub(crate) const XATTR_BYTES_MAX: usize = 64 * 1024;
/// Most bytes of all extended attributes of one file.
pub(crate) const XATTRS_BYTES_MAX: usize = 512 * 1024;

/// Most levels of lists above the chunks of a stream.
pub(crate) const STREAM_DEPTH_MAX: u8 = 4;
/// Most levels of blobs nested in blobs. The plain bytes of a stream count as a level, too.
pub(crate) const BLOB_DEPTH_MAX: usize = 16;
/// Most levels of streams whose encoders are run, in one another. Each level may take 700 MB.
pub(crate) const RECODE_DEPTH_MAX: usize = 2;
/// Most bytes of an encoded step of a recipe.
pub(crate) const OP_BYTES_MAX: usize = 1024;
/// Most bytes of a recipe beyond the bytes of its blob. A step gives about as many bytes as it takes.
pub(crate) const OPS_FREE_BYTES: u64 = 64 * 1024;
/// Most bytes of all recipes that are walked together, repeated lists unfolded: this number plus [`WALK_RATIO_MAX`]
/// times the stored bytes.
pub(crate) const WALK_FREE_BYTES: u64 = 1 << 30;
/// Most bytes of unfolded recipes for each stored byte of recipes. A sparse file of 5 TB has a recipe of 1 GB, nearly
/// all of it the same list.
pub(crate) const WALK_RATIO_MAX: u64 = 64;
/// Most plain bytes for each byte of a deflate stream. No stream unpacks to more.
pub(crate) const PLAIN_RATIO_MAX: u64 = 1032;
/// Most plain bytes of a release's deflate streams that are reconstructed and compared: this number plus
/// [`PLAIN_CHUNK_RATIO_MAX`] times its chunks' bytes.
pub const PLAIN_FREE_BYTES: u64 = 1 << 30;
/// Most such plain bytes for each byte of the release's chunks, each counted once. Streams that `add` opens need a few
/// hundred at most, except for long repetitions.
pub const PLAIN_CHUNK_RATIO_MAX: u64 = 4096;

/// Most levels of nested tars, streams and zip files that `add` opens. A deeper one is kept as bytes.
pub(crate) const OPEN_DEPTH_MAX: usize = 8;
/// Most bytes of a tar's pax header whose records are read.
pub(crate) const PAX_BYTES_MAX: u64 = 64 * 1024;

/// The limits on what taking in or giving back a release may cost. A store may raise them in the section `[limits]` of its
/// `carryall.toml`, by the names of the fields with dashes. None can be lowered: what one store takes, all others take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CostLimits {
    /// Most bytes of a release's list of items, which is held in memory.
    pub list_bytes: u64,
    /// Most bytes of all steps that are walked together.
    pub steps_bytes: u64,
    /// Most bytes of such steps, besides, for each byte of the chunks that hold them.
    pub steps_ratio: u64,
    /// Most plain bytes of all streams of a release.
    pub plain_bytes: u64,
    /// Most such plain bytes, besides, for each byte of the release's chunks.
    pub plain_ratio: u64,
}

impl Default for CostLimits {
    fn default() -> Self {
        Self {
            list_bytes: MANIFEST_BYTES_MAX,
            steps_bytes: WALK_FREE_BYTES,
            steps_ratio: WALK_RATIO_MAX,
            plain_bytes: PLAIN_FREE_BYTES,
            plain_ratio: PLAIN_CHUNK_RATIO_MAX,
        }
    }
}

impl CostLimits {
    /// Returns the first limit that is below the usual one: its name, and the usual limit.
    pub fn lowered(&self) -> Option<(&'static str, u64)> {
        let usual = Self::default();
        let all = [
            ("list-bytes", self.list_bytes, usual.list_bytes),
            ("steps-bytes", self.steps_bytes, usual.steps_bytes),
            ("steps-ratio", self.steps_ratio, usual.steps_ratio),
            ("plain-bytes", self.plain_bytes, usual.plain_bytes),
            ("plain-ratio", self.plain_ratio, usual.plain_ratio),
        ];
        let low = all.into_iter().find(|(_, limit, usual)| limit < usual);
        low.map(|(name, _, usual)| (name, usual))
    }
}

/// A line of [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, in the words of the table in `docs/format.md`.
    pub what: &'static str,
    /// The limit.
    pub most: u64,
}

const fn limit(what: &'static str, most: u64) -> Limit {
    Limit { what, most }
}

/// All limits of this module.
pub const TABLE: &[Limit] = &[
    limit("bytes of a root", ROOT_BYTES_MAX),
    limit("bytes of an item or entry", RECORD_BYTES_MAX as u64),
    limit("bytes of the list of items", MANIFEST_BYTES_MAX),
    limit("bytes of a name", NAME_BYTES_MAX as u64),
    limit("bytes of a path below an item", PATH_BYTES_MAX as u64),
    limit("folders that an entry lies in", PATH_DEPTH_MAX as u64),
    limit("bytes of a link's target", LINK_BYTES_MAX as u64),
    limit("bytes of an extended attribute", XATTR_BYTES_MAX as u64),
    limit("bytes of a file's attributes", XATTRS_BYTES_MAX as u64),
    limit("lists above a chunk", STREAM_DEPTH_MAX as u64),
    limit("blobs in one another", BLOB_DEPTH_MAX as u64),
    limit("streams of codec 2 in one another", RECODE_DEPTH_MAX as u64),
    limit("bytes of a step", OP_BYTES_MAX as u64),
    limit("bytes of steps beyond those that they give", OPS_FREE_BYTES),
    limit("bytes of all steps", WALK_FREE_BYTES),
    limit("the same for each byte of them in chunks", WALK_RATIO_MAX),
    limit("plain bytes for a byte of a stream", PLAIN_RATIO_MAX),
    limit("plain bytes of all streams", PLAIN_FREE_BYTES),
    limit("the same for each byte of chunks", PLAIN_CHUNK_RATIO_MAX),
    limit(
        "archives in one another that are opened",
        OPEN_DEPTH_MAX as u64,
    ),
    limit("bytes of a pax header that is read", PAX_BYTES_MAX),
];

#[cfg(test)]
mod tests {
    use super::*;

    const _: () = {
        // A path, a link target and all attributes of a file must fit into one record.
        assert!(PATH_BYTES_MAX + LINK_BYTES_MAX + XATTRS_BYTES_MAX < RECORD_BYTES_MAX);
        assert!(PATH_DEPTH_MAX * 2 <= PATH_BYTES_MAX);
        // Everything that `add` opens is nested in the item's own blob, which takes a level itself.
        assert!(OPEN_DEPTH_MAX < BLOB_DEPTH_MAX);
    };

    #[test]
    fn every_limit_stands_in_the_table_once() {
        let names: std::collections::HashSet<_> = TABLE.iter().map(|limit| limit.what).collect();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|limit| limit.most > 0));
    }
}
