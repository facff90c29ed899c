use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;

/// Buckets that are worth a task of their own.
const TASK_BUCKETS: usize = 4096;

/// Makes a value of each of the numbers below `num_items` that `bucket_of` gives a bucket, sorted by bucket and within it.
///
/// Counting takes time that grows with the numbers alone, where sorting them all takes the logarithm as well.
pub(crate) fn bucketed<T: Copy + Ord + Send>(
    num_buckets: usize,
    num_items: usize,
    bucket_of: impl Fn(u32) -> Option<u32> + Sync,
    value_of: impl Fn(u32) -> T + Sync,
) -> Vec<T> {
    let items = || (0..num_items as u32).into_par_iter();
    let cursors = zeros(num_buckets);
    items().filter_map(&bucket_of).for_each(|bucket| {
        cursors[bucket as usize].fetch_add(1, Ordering::Relaxed);
    });
    let mut starts = Vec::with_capacity(num_buckets + 1);
    let mut start = 0;
    for cursor in &cursors {
        starts.push(start);
        start += cursor.swap(start, Ordering::Relaxed);
    }
    starts.push(start);
    let places = zeros(start as usize);
    items().for_each(|item| {
        if let Some(bucket) = bucket_of(item) {
            let place = cursors[bucket as usize].fetch_add(1, Ordering::Relaxed);
            places[place as usize].store(item, Ordering::Relaxed);
        }
    });
    let mut values: Vec<T> = places.into_par_iter().map(|item| value_of(item.into_inner())).collect();
    // Threads came by in any order.
    sort_each(&mut values, &starts);
    values
}

fn zeros(count: usize) -> Vec<AtomicU32> {
    (0..count).into_par_iter().map(|_| AtomicU32::new(0)).collect()
}

fn sort_each<T: Ord + Send>(values: &mut [T], starts: &[u32]) {
    let num_buckets = starts.len() - 1;
    let mut tasks = Vec::new();
    let mut rest = values;
    for first in (0..num_buckets).step_by(TASK_BUCKETS) {
        let bounds = &starts[first..=(first + TASK_BUCKETS).min(num_buckets)];
        let (own, others) = rest.split_at_mut((bounds[bounds.len() - 1] - bounds[0]) as usize);
        tasks.push((own, bounds));
        rest = others;
    }
    tasks.into_par_iter().for_each(|(own, bounds)| {
        for pair in bounds.windows(2) {
            own[(pair[0] - bounds[0]) as usize..(pair[1] - bounds[0]) as usize].sort_unstable();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_sorted_by_bucket_and_within_it() {
        let bucket_of = |item: u32| (item % 7 != 3).then_some((item * 31) % 9001);
        let value_of = |item: u32| u32::MAX - item;
        let mut expected: Vec<(u32, u32)> = (0..50_000)
            .filter_map(|item| Some((bucket_of(item)?, value_of(item))))
            .collect();
        expected.sort_unstable();
        let expected: Vec<u32> = expected.into_iter().map(|(_, value)| value).collect();
        assert_eq!(bucketed(9001, 50_000, bucket_of, value_of), expected);
    }

    #[test]
    fn no_buckets_hold_nothing() {
        assert!(bucketed(0, 5, |_| None, |item| item).is_empty());
    }
}
