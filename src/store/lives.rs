//! Finds out which chunks of each pack are live, for `prune` and `copy`.
//!
//! It reads the index alone. Of several intact copies of a chunk the first counts, and one in a pack that is not marked
//! before all others. Memory: 16 bytes a pack, 28 bytes for each chunk of a part of the live ones (there are 256) and each
//! core, and 60 bytes for each live chunk of the packs that are asked for.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::chunk_index::{ChunkIndex, PackPlace};
use super::live_chunks::LiveChunks;
use super::{ChunkSet, Store, StoreError};

/// The live content of a pack.
#[derive(Default)]
pub(super) struct Life {
    pub(super) live: HashMap<u32, HashSet<[u8; 16]>>,
    /// Whether damaged frames of the pack hold needed chunks that have no other copy.
    pub(super) hurt: bool,
    /// Whether the pack holds damaged frames.
    pub(super) quarantined: bool,
}

/// How much of each pack is live, by its number.
pub(super) struct LiveShares {
    packs: Vec<PackShare>,
}

/// How much of a pack is live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PackShare {
    /// Nothing.
    None,
    /// So many chunks, or what is not known without a look at them: the pack is damaged or marked.
    Some(u64),
    /// Every chunk that the index lists of it.
    All,
}

impl LiveShares {
    pub(super) fn of(&self, pack: u32) -> PackShare {
        let at = usize::try_from(pack).unwrap_or(usize::MAX);
        self.packs.get(at).copied().unwrap_or(PackShare::None)
    }

    /// Returns the packs that must be looked into, in groups of at most `most` live chunks where one pack has no more.
    pub(super) fn groups(&self, most: u64) -> Vec<HashSet<u32>> {
        let mut groups: Vec<HashSet<u32>> = Vec::new();
        let mut chunks = 0;
        for (share, number) in self.packs.iter().zip(0_u32..) {
            let PackShare::Some(live) = share else {
                continue;
            };
            chunks += live;
            match groups.last_mut() {
                Some(group) if chunks <= most => {
                    group.insert(number);
                }
                _ => {
                    groups.push(HashSet::from([number]));
                    chunks = *live;
                }
            }
        }
        groups
    }
}

impl Store {
    /// Counts the live chunks of each pack.
    pub(super) fn live_shares(&self, live: &LiveChunks) -> Result<LiveShares, StoreError> {
        let chunk_index = self.chunk_index();
        let count = |_| AtomicU64::new(0);
        let listed: Vec<AtomicU64> = chunk_index.packs().iter().map(count).collect();
        let used: Vec<AtomicU64> = chunk_index.packs().iter().map(count).collect();
        let add = |counts: &[AtomicU64], place: PackPlace| {
            if let Some(count) = usize::try_from(place.pack)
                .ok()
                .and_then(|at| counts.get(at))
            {
                count.fetch_add(1, Ordering::Relaxed);
            }
        };
        (0..=u8::MAX).into_par_iter().try_for_each(|part| {
            let homes = homes(&chunk_index, part, &live.part(part)?, &|place| {
                add(&listed, place)
            });
            homes.iter().flatten().for_each(|home| add(&used, *home));
            Ok::<_, StoreError>(())
        })?;
        let hurt: HashSet<u32> = chunk_index.quarantine.iter().map(|at| at.pack).collect();
        let counts = used.into_iter().zip(listed).zip(0_u32..);
        let packs = counts.map(|((used, listed), pack)| {
            let (used, listed) = (used.into_inner(), listed.into_inner());
            let place = PackPlace { pack, offset: 0 };
            if used == 0 {
                PackShare::None
            } else if used == listed && !hurt.contains(&pack) && chunk_index.fading(place).is_none()
            {
                PackShare::All
            } else {
                PackShare::Some(used)
            }
        });
        Ok(LiveShares {
            packs: packs.collect(),
        })
    }

    /// Finds the live chunks of packs. `None` stands for all packs.
    pub(super) fn lives(
        &self,
        live: &LiveChunks,
        wanted: Option<&HashSet<u32>>,
    ) -> Result<HashMap<u32, Life>, StoreError> {
        let chunk_index = self.chunk_index();
        let found = (0..=u8::MAX).into_par_iter().map(|part| {
            let set = live.part(part)?;
            let homes = homes(&chunk_index, part, &set, &|_| {});
            let homes = set.prefixes().iter().zip(homes);
            let here = homes.filter_map(|(prefix, home)| {
                let home = home?;
                let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&home.pack));
                is_wanted.then_some((*prefix, home))
            });
            Ok::<_, StoreError>(here.collect::<Vec<_>>())
        });
        let found: Vec<Vec<([u8; 16], PackPlace)>> = found.collect::<Result<_, _>>()?;
        let mut lives: HashMap<u32, Life> = HashMap::new();
        for (prefix, home) in found.into_iter().flatten() {
            let life = lives.entry(home.pack).or_default();
            life.hurt |= chunk_index.quarantine.contains(&home);
            life.live.entry(home.offset).or_default().insert(prefix);
        }
        for place in &chunk_index.quarantine {
            if let Some(life) = lives.get_mut(&place.pack) {
                life.quarantined = true;
            }
        }
        Ok(lives)
    }
}

/// Returns where each chunk of a part is to be had, and shows every entry of the index in that part.
fn homes(
    chunk_index: &ChunkIndex,
    part: u8,
    live: &ChunkSet,
    listed: &dyn Fn(PackPlace),
) -> Vec<Option<PackPlace>> {
    let mut homes: Vec<Option<PackPlace>> = vec![None; live.prefixes().len()];
    let mut search = live.ascending_search();
    // An intact home stays. A damaged one is replaced by any intact copy.
    let rank = |place: &PackPlace| {
        let is_damaged = chunk_index.quarantine.contains(place);
        (is_damaged, chunk_index.fading(*place))
    };
    for (prefix, place) in chunk_index.entries_of(part) {
        listed(place);
        let Some(at) = search.position(&prefix) else {
            continue;
        };
        if homes[at].is_none_or(|home| rank(&place) < rank(&home)) {
            homes[at] = Some(place);
        }
    }
    homes
}
