//! Percentiles by nearest rank: an observed value, not one in between.

/// The smallest value that at least `percent` of 100 of them do not exceed; `None` without values.
pub(super) fn percentile(sorted: &[u64], percent: u32) -> Option<u64> {
    debug_assert!(sorted.is_sorted(), "percentiles are of sorted values");
    let percent = usize::try_from(percent.min(100)).unwrap_or(100);
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_the_nearest() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!(percentile(&hundred, 50), Some(50));
        assert_eq!(percentile(&hundred, 99), Some(99));
        assert_eq!(percentile(&hundred, 100), Some(100));
        assert_eq!(percentile(&hundred, 0), Some(1));
        assert_eq!(percentile(&[15, 20, 35, 40, 50], 30), Some(20));
        assert_eq!(percentile(&[15, 20, 35, 40, 50], 40), Some(20));
        assert_eq!(percentile(&[1, 2, 3], 50), Some(2));
    }

    #[test]
    fn few_values_have_percentiles_and_none_have_none() {
        assert_eq!(percentile(&[7], 1), Some(7));
        assert_eq!(percentile(&[7], 99), Some(7));
        assert_eq!(percentile(&[3, 9], 99), Some(9));
        assert_eq!(percentile(&[], 50), None);
    }
}
