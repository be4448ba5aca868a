//! Samples: means with their errors, and quantiles with their bounds.

use serde::Serialize;

/// A mean, and the standard error of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Its standard error.
    pub error: f64,
}

impl Mean {
    /// Of some values; 0 of none.
    pub fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let count = values.clone().count().max(1) as f64;
        let mean = values.clone().sum::<f64>() / count;
        let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
        let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
        Self { mean, error }
    }
}

/// The value below or at which a share of the sorted values lies (nearest rank).
pub fn quantile(sorted: &[u32], share: f64) -> u32 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    let place = rank.saturating_sub(1).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or(0)
}

/// Within which values the true quantile lies, at four standard errors of the rank, whatever the distribution is; the
/// upper end is open where the sample is too small to tell.
pub fn quantile_bounds(sorted: &[u32], share: f64) -> (u32, Option<u32>) {
    let count = sorted.len() as f64;
    let spread = 4.0 * (count * share * (1.0 - share)).sqrt();
    let low = quantile(sorted, ((count * share - spread) / count).max(0.0));
    let high = count * share + spread + 1.0;
    let high = (high < count).then(|| quantile(sorted, high / count));
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_and_their_errors() {
        let mean = Mean::of([1.0, 2.0, 3.0, 4.0].into_iter());
        assert!((mean.mean - 2.5).abs() < 1e-12);
        assert!((mean.error - (5.0_f64 / 3.0 / 4.0).sqrt()).abs() < 1e-12);
        assert_eq!(Mean::of(std::iter::empty()), Mean::default());
    }

    #[test]
    fn quantiles_are_bounded_by_ranks() {
        let sorted: Vec<u32> = (1..=10_000).collect();
        assert_eq!(quantile(&sorted, 0.99), 9_900);
        let (low, high) = quantile_bounds(&sorted, 0.99);
        assert!((9_855..9_865).contains(&low) && (9_936..9_945).contains(&high.unwrap()));
        assert_eq!(quantile_bounds(&sorted[..50], 0.99).1, None);
        assert_eq!(quantile(&[], 0.5), 0);
    }
}
