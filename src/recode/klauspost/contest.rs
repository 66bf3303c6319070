//! Finds the settings of a frame: all that may be encode it beside one another, and whoever gives another block is out.
//!
//! Levels part within a few blocks. Versions give the same for long, so they share one search and one coder until a block
//! comes that they treat in different ways.

use super::block::{BlockCoder, BlockParse};
use super::rules::KlauspostSettings;
use super::search::BlockSearch;

/// Versions that have given the same, in the order in which they are tried, and their coder.
struct Rivals {
    settings: Vec<KlauspostSettings>,
    coder: BlockCoder,
}

/// Settings that search alike.
struct Contender {
    search: BlockSearch,
    rivals: Vec<Rivals>,
}

/// All settings that have given the blocks so far.
pub(in crate::recode) struct Contest {
    contenders: Vec<Contender>,
    parse: BlockParse,
    out: Vec<u8>,
    is_begun: bool,
}

impl Contest {
    /// Begins a frame. The settings are in the order in which they are preferred.
    pub(in crate::recode) fn new(settings: &[KlauspostSettings]) -> Self {
        let mut contenders: Vec<(KlauspostSettings, Contender)> = Vec::new();
        for new in settings {
            let is_alike = |first: &KlauspostSettings| {
                BlockSearch::is_alike(first, new)
                    && (first.window_log, first.block_log) == (new.window_log, new.block_log)
            };
            match contenders.iter_mut().find(|(first, _)| is_alike(first)) {
                Some((_, contender)) => contender.rivals[0].settings.push(*new),
                None => contenders.push((
                    *new,
                    Contender {
                        search: BlockSearch::new(*new),
                        rivals: vec![Rivals {
                            settings: vec![*new],
                            coder: BlockCoder::new(*new),
                        }],
                    },
                )),
            }
        }
        Self {
            contenders: contenders
                .into_iter()
                .map(|(_, contender)| contender)
                .collect(),
            parse: BlockParse::default(),
            out: Vec::new(),
            is_begun: false,
        }
    }

    /// Returns the settings that have given everything so far, the preferred one of each search first.
    pub(in crate::recode) fn standing(&self) -> Vec<KlauspostSettings> {
        let rivals = self
            .contenders
            .iter()
            .flat_map(|contender| &contender.rivals);
        rivals
            .flat_map(|rivals| rivals.settings.iter().copied())
            .collect()
    }

    /// Returns whether any settings have.
    pub(in crate::recode) fn is_open(&self) -> bool {
        !self.contenders.is_empty()
    }

    /// Takes a block of plain bytes, at least one, and what it was packed to, with its header.
    pub(in crate::recode) fn block(&mut self, plain: &[u8], packed: &[u8], is_last: bool) {
        let is_lone = is_last && !self.is_begun;
        self.is_begun = true;
        let (parse, out) = (&mut self.parse, &mut self.out);
        self.contenders.retain_mut(|contender| {
            if plain.len() > contender.rivals[0].settings[0].block_bytes() {
                return false;
            }
            contender.search.add(plain);
            contender.search.parse(is_lone, parse);
            contender.part(plain, parse);
            contender.rivals.retain_mut(|rivals| {
                out.clear();
                rivals.coder.write(plain, parse, is_last, out);
                *out == packed
            });
            contender.search.end_block();
            !contender.rivals.is_empty()
        });
    }
}

impl Contender {
    /// Gives a coder of their own to versions that treat the block in another way.
    fn part(&mut self, plain: &[u8], parse: &BlockParse) {
        let mut no = 0;
        while no < self.rivals.len() {
            let rivals = &mut self.rivals[no];
            let first = rivals.settings[0].rules();
            let differs =
                |other: &KlauspostSettings| parse.may_differ(plain.len(), &first, &other.rules());
            let (apart, settings) = rivals.settings.iter().partition(|other| differs(other));
            rivals.settings = settings;
            if !Vec::is_empty(&apart) {
                let first: KlauspostSettings = apart[0];
                let coder = rivals.coder.under(first);
                self.rivals.insert(
                    no + 1,
                    Rivals {
                        settings: apart,
                        coder,
                    },
                );
            }
            no += 1;
        }
    }
}
