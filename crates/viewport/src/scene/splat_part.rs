use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use bozzetto_asset::GaussianSplats;
use glam::Vec3;
use wgpu::BufferUsages;

use crate::error::caught;
use crate::frame_uniforms::SplatNumbers;
use crate::ground_shadow::GroundShadow;
use crate::packing::{SplatGeometry, pack_geometry, pack_harmonics, sh_words};
use crate::splat_buffers::SplatBuffers;
use crate::splat_order::{SplatOrder, SplatSorter, Wake};
use crate::splat_overflow::Overflow;
use crate::splat_renderer::SplatGroups;
use crate::{Bounds, GpuError, SplatTier, gpu, splat_tier};

/// Bytes of one projected splat; `Ellipse` in ellipse.wgsl.
pub const ELLIPSE_BYTES: u64 = 32;
/// Chunks are whole multiples of this, so that windows on every buffer begin where any device allows it: 256 bytes of
/// the block counts, which are 4 bytes for 256 splats.
const CHUNK_STEP: u64 = 16_384;
/// Most centres that the bounds are estimated from.
const MAX_BOUNDS_SAMPLES: usize = 65_536;
/// Share of centres on each side that may lie outside of the bounds: floaters must not push the ground away.
const OUTLIERS: f32 = 0.001;

/// As many splats as one binding takes.
pub struct SplatChunk {
    pub count: u32,
    pub geometry: wgpu::Buffer,
    pub harmonics: wgpu::Buffer,
}

/// Splats on the device, and their order.
pub struct SplatPart {
    /// No other splats have it.
    pub id: u64,
    pub bounds: Bounds,
    pub shadow: GroundShadow,
    pub numbers: SplatNumbers,
    pub chunks: Vec<SplatChunk>,
    pub ellipses: wgpu::Buffer,
    pub buffers: SplatBuffers,
    pub groups: Option<SplatGroups>,
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
        let num_splats = splats.len() as u64;
        gpu::check_storage(device, "The splats", num_splats * ELLIPSE_BYTES)?;
        let (geometry, harmonics) = rayon::join(|| pack_geometry(splats), || pack_harmonics(splats));
        let bounds = robust_bounds(splats).unwrap_or(Bounds::UNIT);
        let shadow = GroundShadow::of_splats(splats, &bounds);
        let words = sh_words(splats.sh_degree);
        let count = splats.len() as u32;
        let sorter = splat_tier::prefers_processor(device)
            .then(|| SplatSorter::new(splats.positions.as_slice().into(), Arc::clone(&wake)));
        caught(device, || {
            let buffer = |label, bytes: &[u8]| gpu::filled_buffer(device, queue, label, bytes, BufferUsages::STORAGE);
            let chunk_len = chunk_len(device, words);
            let chunks = geometry.chunks(chunk_len).zip(harmonics.chunks(chunk_len * words));
            let chunks = chunks.map(|(geometry, harmonics)| SplatChunk {
                count: geometry.len() as u32,
                geometry: buffer("splat geometry", bytemuck::cast_slice(geometry)),
                harmonics: buffer("splat harmonics", bytemuck::cast_slice(harmonics)),
            });
            Some(Self {
                id: super::unique_number(),
                bounds,
                shadow,
                numbers: SplatNumbers {
                    count,
                    sh_words: words as u32,
                    sh_degree: splats.sh_degree,
                    filter: splats.filter,
                },
                chunks: chunks.collect(),
                ellipses: gpu::empty_buffer(
                    device,
                    "splat ellipses",
                    num_splats * ELLIPSE_BYTES,
                    BufferUsages::empty(),
                ),
                buffers: SplatBuffers::new(device, count),
                groups: None,
                tier: None,
                overflow: Arc::new(Overflow::new(wake)),
                sorter,
                sorted_for: None,
                wanted: None,
            })
        })
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
        queue.write_buffer(self.buffers.order(), 0, bytemuck::cast_slice(&indices));
        self.sorted_for = Some(forward);
        true
    }
}

/// Splats whose parts each fit one binding.
fn chunk_len(device: &wgpu::Device, sh_words: usize) -> usize {
    let limits = device.limits();
    let binding_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let splat_bytes = size_of::<SplatGeometry>().max(sh_words * 4) as u64;
    let chunk_len = binding_bytes / splat_bytes / CHUNK_STEP * CHUNK_STEP;
    chunk_len.max(CHUNK_STEP) as usize
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
