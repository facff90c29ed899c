use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bozzetto_asset::GaussianSplats;
use glam::Vec3;

use super::pool::ScenePool;
use super::splat_room::{RoomSize, SplatRoom, check_ellipses};
use crate::error::caught;
use crate::frame_uniforms::SplatNumbers;
use crate::ground_shadow::GroundShadow;
use crate::packing::{pack_geometry, pack_harmonics, sh_words};
use crate::splat_order::{SplatOrder, SplatSorter, Wake};
use crate::splat_overflow::Overflow;
use crate::{Bounds, GpuError, SplatTier, splat_tier};

/// Most centres that the bounds are estimated from.
const MAX_BOUNDS_SAMPLES: usize = 65_536;
/// Share of centres on each side that may lie outside of the bounds: floaters must not push the ground away.
const OUTLIERS: f32 = 0.001;

/// Splats on the device, and their order.
pub struct SplatPart {
    pub bounds: Bounds,
    pub shadow: GroundShadow,
    pub numbers: SplatNumbers,
    pub room: Arc<SplatRoom>,
    /// Windows on what the room holds of them, a group a chunk.
    pub windows: Option<Vec<wgpu::BindGroup>>,
    /// What a measurement has found to be faster.
    pub tier: Option<SplatTier>,
    /// Whether the tiled tier has once run out of batches.
    pub overflow: Arc<Overflow>,
    /// Sorts where the device cannot, or should not.
    sorter: Option<SplatSorter>,
    /// Direction of the order in the buffer.
    sorted_for: Option<Vec3>,
    /// Direction last asked for.
    wanted: Option<Vec3>,
}

impl SplatPart {
    /// `None` when there are no splats.
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        splats: &GaussianSplats,
        pool: Option<&ScenePool>,
        wake: Arc<Mutex<Option<Wake>>>,
    ) -> Result<Option<Self>, GpuError> {
        if splats.is_empty() {
            return Ok(None);
        }
        if !splats.is_consistent() {
            return Err(GpuError::BadContent {
                what: "The splats",
                reason: "their positions, sizes, rotations, opacities and colours differ in number",
            });
        }
        let count = u32::try_from(splats.len()).unwrap_or(u32::MAX);
        check_ellipses(device, count)?;
        let (geometry, harmonics) = rayon::join(|| pack_geometry(splats), || pack_harmonics(splats));
        let bounds = robust_bounds(splats).unwrap_or(Bounds::UNIT);
        let shadow = GroundShadow::of_splats(splats, &bounds);
        let words = sh_words(splats.sh_degree);
        let sorter = splat_tier::prefers_processor(device)
            .then(|| SplatSorter::new(splats.positions.as_slice().into(), Arc::clone(&wake)));
        let size = RoomSize {
            num_splats: count,
            sh_words: words,
        };
        let room = caught(device, || {
            let room = SplatRoom::of_size(device, size, pool);
            room.fill(queue, &geometry, &harmonics);
            room
        })?;
        if let Some(pool) = pool {
            pool.keep_room(&room);
        }
        Ok(Some(Self {
            bounds,
            shadow,
            numbers: SplatNumbers {
                count,
                sh_words: words as u32,
                sh_degree: splats.sh_degree,
                filter: splats.filter,
            },
            room,
            windows: None,
            tier: None,
            overflow: Arc::new(Overflow::new(wake)),
            sorter,
            sorted_for: None,
            wanted: None,
        }))
    }

    /// Whether a tiled picture of these splats was incomplete.
    pub fn is_too_much_for_tiles(&self) -> bool {
        self.overflow.is_seen.load(Ordering::Relaxed)
    }

    /// Whether the processor can sort these splats.
    pub fn has_sorter(&self) -> bool {
        self.sorter.is_some()
    }

    /// Another order than the processor's comes into the buffer.
    pub fn forget_order(&mut self) {
        self.sorted_for = None;
    }

    /// Where the processor sorts, brings the order up to date for a direction; says whether a new one was uploaded. The
    /// first order is always waited for, later ones only when `waits`.
    pub fn update_order(&mut self, queue: &wgpu::Queue, forward: Vec3, waits: bool) -> bool {
        let Some(sorter) = &self.sorter else { return false };
        let mut newest = sorter.take();
        if waits || self.sorted_for.is_none() {
            // Whatever the thread has finished meanwhile is for another direction.
            newest = (self.sorted_for != Some(forward)).then(|| sorter.sort_now(forward));
            self.wanted = Some(forward);
        } else if self.wanted != Some(forward) {
            sorter.request(forward);
            self.wanted = Some(forward);
        }
        // One that was asked for before the order in the buffer would undo it, and nobody would ask again.
        let is_settled = self.sorted_for == self.wanted;
        let newest = newest.filter(|order| !is_settled || self.wanted == Some(order.forward));
        let Some(SplatOrder { forward, indices }) = newest else {
            return false;
        };
        queue.write_buffer(self.room.buffers.order(), 0, bytemuck::cast_slice(&indices));
        self.sorted_for = Some(forward);
        true
    }
}

/// Bounds of the centres without the outermost thousandth on each side of each axis.
fn robust_bounds(splats: &GaussianSplats) -> Option<Bounds> {
    let stride = splats.len().div_ceil(MAX_BOUNDS_SAMPLES).max(1);
    let sample: Vec<Vec3> = splats
        .positions
        .iter()
        .step_by(stride)
        .copied()
        .filter(|position| position.is_finite())
        .collect();
    let skipped = (sample.len() as f32 * OUTLIERS) as usize;
    if sample.is_empty() {
        return None;
    }
    let (mut min, mut max) = (Vec3::ZERO, Vec3::ZERO);
    for axis in 0..3 {
        let mut values: Vec<f32> = sample.iter().map(|position| position[axis]).collect();
        values.sort_unstable_by(f32::total_cmp);
        min[axis] = values[skipped];
        max[axis] = values[values.len() - 1 - skipped];
    }
    Some(Bounds { min, max })
}
