//! `carryall.toml`: the format and the id of a store, and the limits that it raises.
//!
//! Its presence is what makes a directory a store.

use std::io::ErrorKind;
use std::path::Path;

use super::StoreError;
use crate::base::id::{Hasher, IdParseError, StoreId};
use crate::base::limits::CostLimits;
use crate::store::storage::{self, Storage};

pub(super) const NAME: &str = "carryall.toml";
pub(super) const BYTES_MAX: u64 = 64 * 1024;
const FORMAT: i64 = 1;

/// Writes the settings of a new store.
pub(super) fn create(storage: &dyn Storage) -> Result<(), StoreError> {
    Ok(storage::put(storage, NAME, new().as_bytes())?)
}

/// Returns settings for a new store.
pub(super) fn new() -> String {
    format!("format = {FORMAT}\nid = \"{}\"\n", draw_id())
}

/// Returns whether bytes are those that [`create`] writes, or the first of them.
pub(super) fn is_beginning(bytes: &[u8]) -> bool {
    let before = format!("format = {FORMAT}\nid = \"");
    let (first, rest) = bytes.split_at(bytes.len().min(before.len()));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit());
    let digits = digits.count().min(2 * StoreId::BYTES);
    before.as_bytes().starts_with(first) && b"\"\n".starts_with(&rest[digits..])
}

/// The settings of a store.
pub(super) struct Settings {
    pub(super) id: StoreId,
    pub(super) limits: CostLimits,
    /// What a machine keeps of a store in a bucket.
    pub(super) cache: CacheSection,
    pub(super) prune: PruneSection,
}

/// How a store in a bucket is pruned.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct PruneSection {
    /// How long a pack stays after it was marked.
    pub(super) grace_hours: u32,
}

impl Default for PruneSection {
    fn default() -> Self {
        Self {
            grace_hours: 7 * 24,
        }
    }
}

/// Bytes that machines keep of a store in a bucket.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct CacheSection {
    /// Of its index.
    #[cfg_attr(not(feature = "object-store"), allow(dead_code))]
    pub(super) index_bytes: u64,
    /// Of packs that were put from there.
    pub(super) pack_bytes: u64,
}

impl Default for CacheSection {
    fn default() -> Self {
        Self {
            // Those of 350 million chunks.
            index_bytes: 8 << 30,
            pack_bytes: 4 << 30,
        }
    }
}

#[derive(serde::Deserialize)]
struct SettingsFile {
    format: i64,
    id: String,
    limits: Option<toml::Value>,
    cache: Option<CacheSection>,
    prune: Option<PruneSection>,
}

/// Reads the settings of a store whose format this program knows.
pub(super) fn read(storage: &dyn Storage, dir: &Path) -> Result<Settings, StoreError> {
    let bad = |message: String| StoreError::BadSettings {
        path: dir.join(NAME),
        message,
    };
    let bytes = storage::read(storage, NAME, BYTES_MAX).map_err(|error| {
        let kind = error.source.kind();
        if kind == ErrorKind::FileTooLarge {
            return bad(error.source.to_string());
        }
        if error.is_missing() || kind == ErrorKind::NotADirectory {
            StoreError::NotAStore {
                path: dir.to_owned(),
            }
        } else {
            error.into()
        }
    })?;
    let text = String::from_utf8(bytes).map_err(|error| bad(error.to_string()))?;
    let written: SettingsFile =
        toml::from_str(&text).map_err(|error| bad(error.message().to_owned()))?;
    if written.format < FORMAT {
        let format = written.format;
        return Err(bad(format!("there is no store format {format}")));
    }
    if written.format != FORMAT {
        return Err(StoreError::Unsupported {
            path: dir.to_owned(),
            found: written.format,
            known: FORMAT,
        });
    }
    let id = written.id.parse();
    let id = id.map_err(|error: IdParseError| bad(error.to_string()))?;
    let limits = limits(written.limits).map_err(|message| StoreError::BadLimits {
        path: dir.join(NAME),
        message,
    })?;
    let cache = written.cache.unwrap_or_default();
    let prune = written.prune.unwrap_or_default();
    Ok(Settings {
        id,
        limits,
        cache,
        prune,
    })
}

/// Reads the section of limits, which people write.
fn limits(section: Option<toml::Value>) -> Result<CostLimits, String> {
    let Some(section) = section else {
        return Ok(CostLimits::default());
    };
    let limits: CostLimits = section
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    match limits.lowered() {
        Some((name, usual)) => Err(format!("{name} is below {usual}")),
        None => Ok(limits),
    }
}

/// Makes a random id. The id is a name and not a secret.
pub(super) fn draw_id() -> StoreId {
    use std::hash::{BuildHasher, RandomState};
    let mut hasher = Hasher::new();
    for round in 0_u64..4 {
        // Each `RandomState` is keyed from the system's randomness.
        hasher.update(&RandomState::new().hash_one(round).to_le_bytes());
    }
    hasher.update(&std::process::id().to_le_bytes());
    if let Ok(now) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        hasher.update(&now.as_nanos().to_le_bytes());
    }
    StoreId(hasher.finish_128())
}
