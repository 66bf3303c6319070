//! The damage that a set survives: guarantees, and beyond them a computed probability.
//!
//! The model is in docs/format.md: every sector of every available volume is bad with the same probability,
//! independently, and each slice of a group or stripe is solved by itself.

#![allow(clippy::cast_precision_loss)]

use crate::volumes::geometry::Geometry;
use crate::volumes::slices;

/// The damage that a set survives.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Guarantee {
    /// Any this many volumes may be missing, if the others are whole.
    pub any_volumes: u16,
    /// One run of damage of this many bytes on every volume at once heals when no volume is missing.
    pub burst_everywhere_bytes: u64,
    /// One run of damage of this many bytes heals with the volume alone. Each volume also survives it when as many
    /// volumes are missing as there are spares.
    pub burst_alone_bytes: u64,
    /// Scattered damage, by probability: missing volumes, and the percentage of bad sectors on the others at which the
    /// payload is restored with a probability of 99 %. The entries are for none missing, one missing, and as many as
    /// there are spares.
    pub scattered: Vec<(u16, f64)>,
}

/// Computes the guarantee of a set with this layout.
pub fn guarantee(geometry: &Geometry) -> Guarantee {
    // A run of n - 1 blocks' length touches n blocks when it begins within one.
    let bytes = |blocks: u32| geometry.block_size().total(blocks.saturating_sub(1));
    let spares = geometry.header().spare_volumes;
    let mut losses = vec![0, spares.min(1), spares];
    losses.dedup();
    Guarantee {
        any_volumes: spares,
        burst_everywhere_bytes: bytes(geometry.burst_blocks(0)),
        burst_alone_bytes: bytes(geometry.local_burst_blocks()),
        scattered: losses
            .into_iter()
            .map(|lost| (lost, scattered_percent(geometry, lost)))
            .collect(),
    }
}

/// The probability of full recovery that the figures stand for.
pub(crate) const CHANCE: f64 = 0.99;

/// Returns the largest share of bad sectors, in percent, at which the payload is still restored with a probability of 99
/// %. `lost` whole volumes are missing and bad sectors are scattered over all others.
pub(crate) fn scattered_percent(geometry: &Geometry, lost: u16) -> f64 {
    if lost > geometry.header().spare_volumes {
        return 0.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if failure(geometry, lost, middle) <= 1.0 - CHANCE {
            low = middle
        } else {
            high = middle
        }
    }
    low * 100.0
}

/// Returns an upper bound of the probability that something is lost. It sums, over the slices of all stripes (or groups),
/// the probability that one of them has more bad sectors than parity. The better of two ways counts: local parity alone, or
/// local parity first and the stripes for the rest.
fn failure(geometry: &Geometry, lost: u16, bad: f64) -> f64 {
    let header = geometry.header();
    let volumes = f64::from(geometry.volume_count() - lost);
    let group = u32::from(header.local_data) + u32::from(header.local_parity);
    let parity = u32::from(header.local_parity);
    let slices = slices::count_of(geometry.block_size()) as f64;
    let (local_only, left) = if parity == 0 {
        let sectors = slices * volumes * f64::from(geometry.protected_blocks());
        ((sectors * bad).min(1.0), bad)
    } else {
        let groups = slices * volumes * f64::from(geometry.group_count());
        // A bad sector stays bad when at least as many others of its slice of the group are bad as there is parity.
        let stays = bad * at_least(group - 1, bad, parity);
        (groups * at_least(group, bad, parity + 1), stays)
    };
    let width = u32::from(header.stripe_width);
    let shards = width * u32::from(geometry.volume_count() - lost);
    let spare = width * u32::from(header.spare_volumes - lost);
    let wide = if width == 0 {
        1.0
    } else {
        let catalog = f64::from(geometry.catalog_blocks()) * left.powf(volumes);
        slices * (f64::from(geometry.stripe_count()) * at_least(shards, left, spare + 1) + catalog)
    };
    local_only.min(wide).min(1.0)
}

/// Returns the probability that of `count` things, each bad with probability `bad`, at least `least` are bad.
fn at_least(count: u32, bad: f64, least: u32) -> f64 {
    if least == 0 || bad >= 1.0 {
        return 1.0;
    }
    if least > count || bad <= 0.0 {
        return 0.0;
    }
    // Each term follows from the one before. The first is computed by logarithms, so that it does not underflow.
    let mut log_term: f64 = (0..least)
        .map(|i| (f64::from(count - i) / f64::from(i + 1)).ln() + bad.ln())
        .sum::<f64>()
        + f64::from(count - least) * (-bad).ln_1p();
    let odds = (bad / (1.0 - bad)).ln();
    let mut sum = 0.0;
    for hits in least..=count {
        sum += log_term.exp();
        log_term += (f64::from(count - hits) / f64::from(hits + 1)).ln() + odds;
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_of_the_binomial_are_right() {
        assert!((at_least(10, 0.5, 5) - 0.623_046_875).abs() < 1e-9);
        assert!((at_least(3, 0.1, 1) - 0.271).abs() < 1e-9);
        assert!((at_least(4, 0.3, 4) - 0.0081).abs() < 1e-9);
        assert_eq!((at_least(5, 0.2, 6), at_least(5, 0.2, 0)), (0.0, 1.0));
        assert!(at_least(4000, 0.01, 800) < 1e-100);
    }
}
