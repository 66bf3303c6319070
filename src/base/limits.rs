//! Limits: what releases, media and archives may be, in one table. Who reads refuses what is beyond, by name and before work
//! is done for it; who writes never makes it.
//!
//! Here are the limits on what comes from elsewhere; how much is held in memory stands with who holds it. Modules take their
//! limits from here. [`TABLE`] is the same for people and tests, and `docs/format.md` shows it.

/// Most bytes of the body of a release's root.
pub const ROOT_BYTES_MAX: u64 = 64 * 1024;
/// Most bytes of an encoded item or entry: its path, link target and attributes together.
pub const RECORD_BYTES_MAX: usize = 1 << 20;
/// Most bytes of a release's list of items: items are held in memory.
pub const MANIFEST_BYTES_MAX: u64 = 64 << 20;
/// Most bytes of the name of an item, and of each name in a path, as file systems have it.
pub const NAME_BYTES_MAX: usize = 255;
/// Most bytes of the path of an entry below its item.
pub const PATH_BYTES_MAX: usize = 64 * 1024;
/// Most folders that an entry lies in, its item apart.
pub const PATH_DEPTH_MAX: usize = 4096;
/// Most bytes of the target of a symbolic link.
pub const LINK_BYTES_MAX: usize = 4095;
/// Most bytes of one extended attribute, and of all of one file.
pub const XATTR_BYTES_MAX: usize = 64 * 1024;
/// See [`XATTR_BYTES_MAX`].
pub const XATTRS_BYTES_MAX: usize = 512 * 1024;

/// Most levels of lists above the chunks of a stream.
pub const STREAM_DEPTH_MAX: u8 = 4;
/// Most blobs inside blobs, also as plain bytes of streams.
pub const BLOB_DEPTH_MAX: usize = 16;
/// Most bytes of an encoded step of a recipe.
pub const OP_BYTES_MAX: usize = 1024;
/// Beside the bytes that it gives, a recipe has so many bytes at most: each step gives as many as it has, nearly.
pub const OPS_FREE_BYTES: u64 = 64 * 1024;
/// Most bytes of all recipes of what is walked together, repeated lists unfolded: so many, and
pub const WALK_FREE_BYTES: u64 = 1 << 30;
/// so many for each byte of recipes that is really there. A sparse file of 5 TB has a recipe of 1 GB, nearly all of it the same list.
pub const WALK_RATIO_MAX: u64 = 64;
/// Most plain bytes for each byte of a deflate stream; no stream unpacks to more.
pub const PLAIN_RATIO_MAX: u64 = 1032;
/// Most plain bytes of the deflate streams of a release that are made again and compared: so many, and
pub const PLAIN_FREE_BYTES: u64 = 1 << 30;
/// so many for each byte of its chunks, each counted once. What `add` opens has a few hundred at most, long repetitions apart.
pub const PLAIN_CHUNK_RATIO_MAX: u64 = 4096;

/// Tars, streams and zip files in one another that `add` opens; one deeper is kept as bytes.
pub const OPEN_DEPTH_MAX: usize = 8;
/// Longest pax header of a tar whose records are read.
pub const PAX_BYTES_MAX: u64 = 64 * 1024;

/// A line of [`TABLE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is limited, as the table in `docs/format.md` has it.
    pub what: &'static str,
    /// The most that there may be.
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
        // A path and the attributes of a file, with room for all else, make a record.
        assert!(PATH_BYTES_MAX + LINK_BYTES_MAX + XATTRS_BYTES_MAX < RECORD_BYTES_MAX);
        assert!(PATH_DEPTH_MAX * 2 <= PATH_BYTES_MAX);
        // What is opened in one another lies in the item's own blob.
        assert!(OPEN_DEPTH_MAX < BLOB_DEPTH_MAX);
    };

    #[test]
    fn every_limit_stands_in_the_table_once() {
        let names: std::collections::HashSet<_> = TABLE.iter().map(|limit| limit.what).collect();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|limit| limit.most > 0));
    }
}
