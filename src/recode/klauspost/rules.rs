//! What decides the bytes of a frame beside its text: level, window, blocks and the rules of the encoder's version.

/// A level of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriterLevel {
    /// `SpeedFastest`, for levels 1 and 2 of zstd.
    Fastest,
    /// `SpeedDefault`, for levels 3 to 5.
    Default,
    /// `SpeedBetterCompression`, for levels 6 to 9.
    Better,
}

impl WriterLevel {
    const ALL: [Self; 3] = [Self::Fastest, Self::Default, Self::Better];

    /// Returns its number in recipes, which is klauspost's own.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Fastest => 1,
            Self::Default => 2,
            Self::Better => 3,
        }
    }

    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }
}

/// Oldest and newest era.
pub(crate) const ERAS: std::ops::RangeInclusive<u8> = 1..=5;
/// Windows and blocks, as powers of two.
pub(crate) const WINDOW_LOGS: std::ops::RangeInclusive<u8> = 10..=25;
pub(crate) const BLOCK_LOGS: std::ops::RangeInclusive<u8> = 10..=17;

/// Settings of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KlauspostSettings {
    /// Versions that write the same bytes. 1: 1.15.0 to 1.16.3 (better: from 1.15.10 on), 2: to 1.16.7, 3: to 1.17.2,
    /// 4: to 1.17.7, 5: since 1.17.8.
    pub(crate) era: u8,
    pub(crate) level: WriterLevel,
    pub(crate) window_log: u8,
    pub(crate) block_log: u8,
}

impl KlauspostSettings {
    /// Returns the settings when they may be.
    pub(crate) fn new(era: u8, level: u8, window_log: u8, block_log: u8) -> Option<Self> {
        let are_known = ERAS.contains(&era)
            && WINDOW_LOGS.contains(&window_log)
            && BLOCK_LOGS.contains(&block_log)
            && block_log <= window_log;
        are_known.then_some(Self {
            era,
            level: WriterLevel::of_number(level)?,
            window_log,
            block_log,
        })
    }

    pub(crate) fn block_bytes(&self) -> usize {
        1 << self.block_log
    }

    pub(crate) fn window_bytes(&self) -> usize {
        1 << self.window_log
    }

    /// Returns the name of the settings for people.
    pub(crate) fn name(&self) -> String {
        let level = match self.level {
            WriterLevel::Fastest => "fastest",
            WriterLevel::Default => "default",
            WriterLevel::Better => "better",
        };
        let version = match self.era {
            1 => "1.15",
            2 => "1.16.4",
            3 => "1.17.0",
            4 => "1.17.3",
            _ => "1.17.8",
        };
        format!("klauspost zstd {version}, {level}")
    }

    pub(super) fn rules(&self) -> WriterRules {
        let era = self.era;
        WriterRules {
            has_same_blocks: era >= 5,
            packed_above: if era >= 3 { 16 } else { 32 },
            weighs_headers: era >= 3,
            saved_shift: if era >= 2 { 6 } else { 5 },
            keeps_lone_literals: self.level == WriterLevel::Fastest
                || era >= 2 && self.level == WriterLevel::Default,
            kept_literals: (era < 2).then_some(self.block_bytes()),
        }
    }
}

/// The rules by which blocks take their form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WriterRules {
    /// Whether a single copy from one byte before makes a block of equal bytes.
    pub(super) has_same_blocks: bool,
    /// Most literals that are not compressed.
    pub(super) packed_above: usize,
    /// Whether headers count when literals barely get shorter.
    pub(super) weighs_headers: bool,
    /// Which share of a block sequences must save, as a shift.
    pub(super) saved_shift: u32,
    /// Whether blocks without sequences are not compressed.
    pub(super) keeps_lone_literals: bool,
    /// Length of blocks that are not compressed when nothing is found in them.
    pub(super) kept_literals: Option<usize>,
}
