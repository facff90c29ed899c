//! Back-to-front order of splats, sorted on a thread of its own, for devices that cannot sort and for
//! software drivers.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use glam::Vec3;
use rayon::prelude::*;

const RADIX_BITS: u32 = 11;
const NUM_BUCKETS: usize = 1 << RADIX_BITS;
const NUM_PASSES: usize = 3;

/// Indices of `positions` from the farthest along `forward` to the nearest. Stable: equal depths keep their order.
///
/// A least-significant-digit radix sort of the depths' bit patterns in three passes of 11 bits.
pub fn back_to_front(positions: &[Vec3], forward: Vec3) -> Vec<u32> {
    let mut keys: Vec<(u32, u32)> = positions
        .par_iter()
        .enumerate()
        .map(|(index, position)| (descending_key(position.dot(forward)), index as u32))
        .collect();
    let mut counts = vec![[0_u32; NUM_BUCKETS]; NUM_PASSES];
    for &(key, _) in &keys {
        for (pass, buckets) in counts.iter_mut().enumerate() {
            buckets[digit(key, pass)] += 1;
        }
    }
    let mut sorted = vec![(0, 0); keys.len()];
    for (pass, buckets) in counts.iter_mut().enumerate() {
        if buckets.iter().any(|&count| count as usize == keys.len()) {
            continue;
        }
        let mut start = 0;
        for bucket in buckets.iter_mut() {
            start += std::mem::replace(bucket, start);
        }
        for &entry in &keys {
            let place = &mut buckets[digit(entry.0, pass)];
            sorted[*place as usize] = entry;
            *place += 1;
        }
        std::mem::swap(&mut keys, &mut sorted);
    }
    keys.into_par_iter().map(|(_, index)| index).collect()
}

fn digit(key: u32, pass: usize) -> usize {
    (key >> (pass as u32 * RADIX_BITS)) as usize & (NUM_BUCKETS - 1)
}

/// A key that grows as depth falls, as `descending_key` of `splat_project.wgsl`: the usual order-keeping image of a float's bits, inverted.
pub fn descending_key(depth: f32) -> u32 {
    let bits = (depth + 0.0).to_bits();
    let ascending = if bits >> 31 == 1 { !bits } else { bits | 1 << 31 };
    !ascending
}

/// Called when a new order waits.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// An order and the direction that it was sorted for.
pub struct SplatOrder {
    pub forward: Vec3,
    pub indices: Vec<u32>,
}

#[derive(Default)]
struct Slots {
    wanted: Option<Vec3>,
    done: Option<SplatOrder>,
    is_closing: bool,
}

struct Shared {
    slots: Mutex<Slots>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slots> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that sorts one set of splats: the newest request wins, the newest order is kept.
pub struct SplatSorter {
    positions: Arc<[Vec3]>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl SplatSorter {
    /// `wake` is asked for on every finished order, so it may change meanwhile. Without a thread (none can be
    /// started) requests are sorted at once where they are made.
    pub fn new(positions: Arc<[Vec3]>, wake: Arc<Mutex<Option<Wake>>>) -> Self {
        let shared = Arc::new(Shared {
            slots: Mutex::default(),
            changed: Condvar::new(),
        });
        let thread = std::thread::Builder::new().name("splat-sort".to_owned()).spawn({
            let (positions, shared) = (Arc::clone(&positions), Arc::clone(&shared));
            move || sort_until_closed(&positions, &shared, &wake)
        });
        Self {
            positions,
            shared,
            thread: thread.ok(),
        }
    }

    /// Sorts here and now.
    pub fn sort_now(&self, forward: Vec3) -> SplatOrder {
        SplatOrder {
            forward,
            indices: back_to_front(&self.positions, forward),
        }
    }

    /// Asks for an order; one that was asked for but not begun is forgotten.
    pub fn request(&self, forward: Vec3) {
        if self.thread.is_some() {
            self.shared.lock().wanted = Some(forward);
            self.shared.changed.notify_one();
        } else {
            let order = self.sort_now(forward);
            self.shared.lock().done = Some(order);
        }
    }

    /// The newest finished order, once.
    pub fn take(&self) -> Option<SplatOrder> {
        self.shared.lock().done.take()
    }
}

impl Drop for SplatSorter {
    fn drop(&mut self) {
        self.shared.lock().is_closing = true;
        self.shared.changed.notify_one();
        // Not joined: a sort under way would hold up the window. The thread ends by itself right after it.
        self.thread.take();
    }
}

fn sort_until_closed(positions: &[Vec3], shared: &Shared, wake: &Mutex<Option<Wake>>) {
    loop {
        let forward = {
            let mut slots = shared.lock();
            loop {
                if slots.is_closing {
                    return;
                }
                if let Some(forward) = slots.wanted.take() {
                    break forward;
                }
                slots = shared.changed.wait(slots).unwrap_or_else(PoisonError::into_inner);
            }
        };
        let indices = back_to_front(positions, forward);
        shared.lock().done = Some(SplatOrder { forward, indices });
        let wake = wake.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = wake {
            wake();
        }
    }
}

#[cfg(test)]
pub mod tests {
    use bozzetto_asset::GaussianSplats;
    use glam::Quat;

    use super::*;

    /// Points of which many share a depth.
    pub fn scattered(count: usize) -> Vec<Vec3> {
        let mut state = 1_u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            // Few distinct values, so that ties are common.
            (state >> 24) as f32 / 16.0 - 8.0
        };
        (0..count).map(|_| Vec3::new(next(), next(), next())).collect()
    }

    /// Small grey splats at scattered places, shrunk by a factor.
    pub fn scattered_splats(count: usize, factor: f32) -> GaussianSplats {
        GaussianSplats {
            positions: scattered(count).iter().map(|position| *position * factor).collect(),
            log_scales: vec![Vec3::splat(0.01_f32.ln()); count],
            rotations: vec![Quat::IDENTITY; count],
            opacities: vec![0.5; count],
            sh: vec![[0.3; 3]; count],
            ..GaussianSplats::default()
        }
    }

    #[test]
    fn radix_order_is_the_stable_order() {
        let positions = scattered(20_000);
        for forward in [Vec3::Z, Vec3::NEG_X, Vec3::new(0.3, -0.5, 0.7).normalize()] {
            let mut expected: Vec<u32> = (0..positions.len() as u32).collect();
            let depth = |index: &u32| positions[*index as usize].dot(forward) + 0.0;
            expected.sort_by(|a, b| depth(b).total_cmp(&depth(a)));
            assert_eq!(back_to_front(&positions, forward), expected);
        }
        assert!(back_to_front(&[], Vec3::Z).is_empty());
    }

    #[test]
    fn the_thread_answers_the_newest_request_and_wakes() {
        let (sender, receiver) = std::sync::mpsc::channel();
        let wake: Wake = Arc::new(move || {
            let _ = sender.send(());
        });
        let positions: Arc<[Vec3]> = scattered(5_000).into();
        let sorter = SplatSorter::new(Arc::clone(&positions), Arc::new(Mutex::new(Some(wake))));
        for forward in [Vec3::X, Vec3::Y, Vec3::Z] {
            sorter.request(forward);
        }
        let mut newest = None;
        while newest
            .as_ref()
            .is_none_or(|order: &SplatOrder| order.forward != Vec3::Z)
        {
            receiver
                .recv_timeout(std::time::Duration::from_secs(30))
                .expect("woken");
            newest = sorter.take().or(newest);
        }
        let order = newest.expect("an order").indices;
        assert_eq!(order, back_to_front(&positions, Vec3::Z));
    }
}
