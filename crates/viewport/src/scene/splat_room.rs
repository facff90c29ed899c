//! What splats are drawn from. Live previews that come many times a second move from room to room, and make none.

use std::sync::{Arc, OnceLock};

use wgpu::BufferUsages;

use super::pool::ScenePool;
use crate::packing::SplatGeometry;
use crate::splat_buffers::SplatBuffers;
use crate::splat_renderer::RoomGroups;
use crate::upload::write_in_bands;
use crate::{GpuError, gpu};

/// Bytes of one projected splat; `Ellipse` in ellipse.wgsl.
pub const ELLIPSE_BYTES: u64 = 32;
/// Chunks are whole multiples of this, so that windows on every buffer begin where any device allows it: 256 bytes of
/// the block counts, which are 4 bytes for 256 splats.
const CHUNK_STEP: u64 = 16_384;
/// Rooms larger than this are not kept for later.
const MAX_KEPT_BYTES: u64 = 128 << 20;
/// Keys and values, two of each, that a splat is sorted with.
const SORT_BYTES: u64 = 16;

/// Splats, and words of harmonics that each has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoomSize {
    pub num_splats: u32,
    pub sh_words: usize,
}

impl RoomSize {
    /// Room for more of them: what comes next is often larger.
    fn rounded_up(self) -> Self {
        Self {
            num_splats: self.num_splats.max(CHUNK_STEP as u32).next_power_of_two(),
            ..self
        }
    }

    fn may_be_kept(self) -> bool {
        let splat_bytes = (size_of::<SplatGeometry>() + self.sh_words * 4) as u64 + ELLIPSE_BYTES + SORT_BYTES;
        u64::from(self.num_splats) * splat_bytes <= MAX_KEPT_BYTES
    }
}

/// As many splats as one binding takes.
pub struct SplatChunk {
    pub geometry: wgpu::Buffer,
    pub harmonics: wgpu::Buffer,
}

/// Buffers for splats, and all bindings that do not depend on their number.
pub struct SplatRoom {
    /// No other room has it.
    pub id: u64,
    size: RoomSize,
    /// Splats of every chunk but the last.
    chunk_len: usize,
    pub chunks: Vec<SplatChunk>,
    pub ellipses: wgpu::Buffer,
    pub buffers: SplatBuffers,
    pub groups: OnceLock<RoomGroups>,
}

impl SplatRoom {
    /// A room of the pool's, which may be larger than it must be, or a new one. Call within [`crate::error::caught`].
    pub fn of_size(device: &wgpu::Device, size: RoomSize, pool: Option<&ScenePool>) -> Arc<Self> {
        let Some(pool) = pool else {
            return Arc::new(Self::new(device, size));
        };
        pool.take_room(size).unwrap_or_else(|| {
            let larger = size.rounded_up();
            let is_sensible = larger.may_be_kept() && check_ellipses(device, larger.num_splats).is_ok();
            Arc::new(Self::new(device, if is_sensible { larger } else { size }))
        })
    }

    fn new(device: &wgpu::Device, size: RoomSize) -> Self {
        let chunk_len = chunk_len(device, size.sh_words);
        let empty = |label, bytes| gpu::empty_buffer(device, label, bytes, BufferUsages::empty());
        let capacity = size.num_splats as usize;
        let chunks = (0..capacity).step_by(chunk_len).map(|first| {
            let len = chunk_len.min(capacity - first);
            SplatChunk {
                geometry: empty("splat geometry", (len * size_of::<SplatGeometry>()) as u64),
                harmonics: empty("splat harmonics", (len * size.sh_words * 4) as u64),
            }
        });
        Self {
            id: super::unique_number(),
            size,
            chunk_len,
            chunks: chunks.collect(),
            ellipses: empty("splat ellipses", capacity as u64 * ELLIPSE_BYTES),
            buffers: SplatBuffers::new(device, size.num_splats),
            groups: OnceLock::new(),
        }
    }

    /// Whether these splats fit in, without most of it standing empty.
    pub fn suits(&self, size: RoomSize) -> bool {
        let most = size.rounded_up().num_splats.saturating_mul(2);
        self.size.sh_words == size.sh_words && (size.num_splats..=most).contains(&self.size.num_splats)
    }

    /// Whether it is worth its memory while nobody uses it.
    pub fn may_be_kept(&self) -> bool {
        self.size.may_be_kept()
    }

    /// Moves splats in, in place of those that were there.
    pub fn fill(&self, queue: &wgpu::Queue, geometry: &[SplatGeometry], harmonics: &[u32]) {
        let parts = geometry
            .chunks(self.chunk_len)
            .zip(harmonics.chunks(self.chunk_len * self.size.sh_words));
        for (chunk, (geometry, harmonics)) in self.chunks.iter().zip(parts) {
            write_in_bands(queue, &chunk.geometry, bytemuck::cast_slice(geometry));
            write_in_bands(queue, &chunk.harmonics, bytemuck::cast_slice(harmonics));
        }
        self.buffers.write_count(queue, geometry.len() as u32);
    }

    /// The chunks that hold some of the first `num_splats`, and how many.
    pub fn filled_chunks(&self, num_splats: u32) -> impl Iterator<Item = (&SplatChunk, u32)> {
        let chunk_len = self.chunk_len as u32;
        let firsts = (0..num_splats).step_by(self.chunk_len);
        let counts = firsts.map(move |first| chunk_len.min(num_splats - first));
        self.chunks.iter().zip(counts)
    }
}

/// Fails when the ellipses of so many splats are too much for the device.
pub fn check_ellipses(device: &wgpu::Device, num_splats: u32) -> Result<(), GpuError> {
    gpu::check_storage(device, "The splats", u64::from(num_splats) * ELLIPSE_BYTES)
}

/// Splats whose parts each fit one binding.
fn chunk_len(device: &wgpu::Device, sh_words: usize) -> usize {
    let limits = device.limits();
    let binding_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let splat_bytes = size_of::<SplatGeometry>().max(sh_words * 4) as u64;
    let chunk_len = binding_bytes / splat_bytes / CHUNK_STEP * CHUNK_STEP;
    chunk_len.max(CHUNK_STEP) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_get_room_to_grow_and_large_results_do_not() {
        let size = |num_splats| RoomSize {
            num_splats,
            sh_words: 2,
        };
        assert_eq!(size(5).rounded_up(), size(16_384));
        assert_eq!(size(16_385).rounded_up(), size(32_768));
        assert!(size(600_000).rounded_up().may_be_kept());
        assert!(!size(6_000_000).rounded_up().may_be_kept());
    }
}
