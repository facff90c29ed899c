use std::sync::{Arc, Mutex};

use bozzetto_asset::GaussianSplats;
use glam::Vec3;
use wgpu::BufferUsages;

use crate::draw::splats::{SplatGroups, SplatsDraw};
use crate::error::caught;
use crate::frame_uniforms::SplatNumbers;
use crate::ground_shadow::GroundShadow;
use crate::packing::{SplatGeometry, pack_geometry, pack_harmonics, sh_words};
use crate::splat_order::{SplatOrder, SplatSorter, Wake};
use crate::{Bounds, GpuError, gpu};

/// Bytes of one projected splat; `Ellipse` in splats.wgsl.
const ELLIPSE_BYTES: u64 = 32;
/// Most centres that the bounds are estimated from.
const MAX_BOUNDS_SAMPLES: usize = 65_536;
/// Share of centres on each side that may lie outside of the bounds: floaters must not push the ground away.
const OUTLIERS: f32 = 0.001;

/// Splats on the device, and their order.
pub struct SplatPart {
    pub bounds: Bounds,
    pub shadow: GroundShadow,
    pub numbers: SplatNumbers,
    pub geometry: wgpu::Buffer,
    pub harmonics: wgpu::Buffer,
    pub ellipses: wgpu::Buffer,
    pub order: wgpu::Buffer,
    pub groups: Option<SplatGroups>,
    sorter: SplatSorter,
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
        let count = splats.len() as u64;
        let words = sh_words(splats.sh_degree);
        gpu::check_storage(
            device,
            "The splats",
            count * ELLIPSE_BYTES.max(size_of::<SplatGeometry>() as u64),
        )?;
        gpu::check_storage(device, "The splats' colours", count * words as u64 * 4)?;
        let (geometry, harmonics) = rayon::join(|| pack_geometry(splats), || pack_harmonics(splats));
        let bounds = robust_bounds(splats).unwrap_or(Bounds::UNIT);
        let shadow = GroundShadow::of_splats(splats, &bounds);
        let count = splats.len() as u32;
        caught(device, || {
            let buffer = |label, bytes: &[u8]| gpu::filled_buffer(device, queue, label, bytes, BufferUsages::STORAGE);
            let empty = |label, size| {
                device.create_buffer(&wgpu::BufferDescriptor {
                    label: Some(label),
                    size,
                    usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
                    mapped_at_creation: false,
                })
            };
            Some(Self {
                bounds,
                shadow,
                numbers: SplatNumbers {
                    count,
                    sh_words: words as u32,
                    sh_degree: splats.sh_degree,
                    filter: splats.filter,
                    row_length: SplatsDraw::row_length(count),
                },
                geometry: buffer("splat geometry", bytemuck::cast_slice(&geometry)),
                harmonics: buffer("splat harmonics", bytemuck::cast_slice(&harmonics)),
                ellipses: empty("splat ellipses", u64::from(count) * ELLIPSE_BYTES),
                order: empty("splat order", (u64::from(count) * 4).next_multiple_of(16)),
                groups: None,
                sorter: SplatSorter::new(splats.positions.as_slice().into(), wake),
                sorted_for: None,
                wanted: None,
            })
        })
    }

    /// Brings the order up to date for a direction; says whether a new one was uploaded. The first order is always
    /// waited for, later ones only when `waits`.
    pub fn update_order(&mut self, queue: &wgpu::Queue, forward: Vec3, waits: bool) -> bool {
        let mut newest = self.sorter.take();
        if waits || self.sorted_for.is_none() {
            // Whatever the thread has finished meanwhile is for another direction.
            newest = (self.sorted_for != Some(forward)).then(|| self.sorter.sort_now(forward));
            self.wanted = Some(forward);
        } else if self.wanted != Some(forward) {
            self.sorter.request(forward);
            self.wanted = Some(forward);
        }
        let Some(SplatOrder { forward, indices }) = newest else {
            return false;
        };
        queue.write_buffer(&self.order, 0, bytemuck::cast_slice(&indices));
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
