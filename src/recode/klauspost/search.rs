//! The search for copies, at each level.

use super::better::BetterSearch;
use super::block::BlockParse;
use super::double_fast::DoubleFastSearch;
use super::fast::FastSearch;
use super::history::History;
use super::rules::{KlauspostSettings, WriterLevel};

enum LevelTables {
    Fastest(FastSearch),
    Default(DoubleFastSearch),
    Better(BetterSearch),
}

/// Text and tables of one frame.
pub(super) struct BlockSearch {
    history: History,
    tables: LevelTables,
}

impl BlockSearch {
    pub(super) fn new(settings: KlauspostSettings) -> Self {
        Self {
            history: History::new(settings.window_bytes()),
            tables: match settings.level {
                WriterLevel::Fastest => LevelTables::Fastest(FastSearch::new()),
                WriterLevel::Default => LevelTables::Default(DoubleFastSearch::new()),
                WriterLevel::Better => LevelTables::Better(BetterSearch::new(settings.era)),
            },
        }
    }

    /// Returns whether settings of the same window and blocks search alike.
    pub(super) fn is_alike(one: &KlauspostSettings, other: &KlauspostSettings) -> bool {
        one.level == other.level
            && (one.level != WriterLevel::Better || BetterSearch::is_alike(one.era, other.era))
    }

    pub(super) fn block_bytes(&self) -> usize {
        self.history.block().len()
    }

    /// Adds bytes to the block.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.history.add(bytes);
    }

    /// Returns the bytes of the block.
    pub(super) fn block(&self) -> &[u8] {
        self.history.block()
    }

    /// Parses the block. `is_lone`: it is the only one of its frame.
    pub(super) fn parse(&mut self, is_lone: bool, parse: &mut BlockParse) {
        parse.sequences.clear();
        parse.literals.clear();
        let view = self.history.view();
        match &mut self.tables {
            LevelTables::Fastest(tables) => tables.parse(&view, is_lone, parse),
            LevelTables::Default(tables) => tables.parse(&view, is_lone, parse),
            LevelTables::Better(tables) => tables.parse(&view, parse),
        }
    }

    /// Makes the block part of the text before the next one.
    pub(super) fn end_block(&mut self) {
        if let Some(by) = self.history.end_block() {
            match &mut self.tables {
                LevelTables::Fastest(tables) => tables.shift(by),
                LevelTables::Default(tables) => tables.shift(by),
                LevelTables::Better(tables) => tables.shift(by),
            }
        }
    }
}
