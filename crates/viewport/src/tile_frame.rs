//! What the tiled tier needs for one set of splats at one picture size.

use wgpu::BufferUsages;

use crate::draw::radix_sort::{SortGroups, SortPasses};
use crate::draw::shared::TILE_PX;
use crate::gpu;

/// Batches that a frame has at most. Unused ones cost a few empty dispatches each.
pub const MAX_BATCHES: u32 = 12;
/// Pairs of tile and splat that the buffers hold at most: 128 MiB with the sort's other half.
const MAX_PAIRS: u32 = 8 << 20;
const MIN_PAIRS: u32 = 1 << 18;
/// Tiles that a splat of an object in view touches, roughly; more only cost more batches.
const PAIRS_A_SPLAT: u32 = 16;
const PIXEL_BYTES: u64 = 8;

/// `TileGrid` of `tile_grid.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct TileGridUniforms {
    num_tiles: [u32; 2],
    size_px: [u32; 2],
    capacity: u32,
    num_batches: u32,
    origin_px: [u32; 2],
}

/// Tiles of a picture, and the pairs that are held for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TileLayout {
    pub size_px: [u32; 2],
    pub capacity: u32,
}

impl TileLayout {
    /// `None` when the picture is too large for this device's bindings.
    pub fn new(device: &wgpu::Device, size_px: [u32; 2], num_splats: u32, max_pairs: Option<u32>) -> Option<Self> {
        let limits = device.limits();
        let binding_bytes = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        let num_tiles = num_tiles(size_px);
        if num_tiles * u64::from(TILE_PX * TILE_PX) * PIXEL_BYTES > binding_bytes {
            return None;
        }
        let wanted = num_splats.saturating_mul(PAIRS_A_SPLAT).clamp(MIN_PAIRS, MAX_PAIRS);
        let wanted = wanted.min(max_pairs.unwrap_or(MAX_PAIRS)).next_power_of_two();
        // One splat over the whole picture must fit, or the frame would never end. The pixels' binding is larger.
        let capacity = u64::from(wanted).min(binding_bytes / 4).max(num_tiles);
        Some(Self {
            size_px,
            capacity: capacity as u32,
        })
    }

    /// Tiles across and down.
    pub fn num_tiles(&self) -> [u32; 2] {
        self.size_px.map(|side| side.div_ceil(TILE_PX))
    }

    /// Bits that tell its tiles apart, and from the one behind the last.
    pub fn num_tile_bits(&self) -> u32 {
        u32::BITS - (num_tiles(self.size_px) as u32).leading_zeros()
    }
}

fn num_tiles(size_px: [u32; 2]) -> u64 {
    size_px
        .into_iter()
        .map(|side| u64::from(side.div_ceil(TILE_PX)))
        .product()
}

/// The buffers of a picture's tiles.
pub struct TileBuffers {
    pub layout: TileLayout,
    pub grid: wgpu::Buffer,
    pub pixels: wgpu::Buffer,
    pub ranges: wgpu::Buffer,
    pub closed: wgpu::Buffer,
    pub sort_passes: SortPasses,
}

impl TileBuffers {
    pub fn new(device: &wgpu::Device, layout: TileLayout) -> Self {
        let num_tiles = num_tiles(layout.size_px);
        let empty = |label, bytes| gpu::empty_buffer(device, label, bytes, BufferUsages::empty());
        Self {
            layout,
            grid: gpu::empty_buffer(
                device,
                "tile grid",
                size_of::<TileGridUniforms>() as u64,
                BufferUsages::UNIFORM,
            ),
            pixels: empty("tile pixels", num_tiles * u64::from(TILE_PX * TILE_PX) * PIXEL_BYTES),
            ranges: empty("tile ranges", (num_tiles + 1) * 8),
            closed: empty("closed tiles", num_tiles * 4),
            sort_passes: SortPasses::new(device, layout.num_tile_bits()),
        }
    }
}

/// Buffers and bindings of the tiled tier.
pub struct TileFrame {
    /// Which room for splats they are bound to.
    pub room: u64,
    pub buffers: TileBuffers,
    pub batches: wgpu::BindGroup,
    pub binning: wgpu::BindGroup,
    pub sort: SortGroups,
    pub ranges: wgpu::BindGroup,
    pub tiles: wgpu::BindGroup,
    pub composite: wgpu::BindGroup,
}

impl TileFrame {
    /// Says where in the picture the tiles lie.
    pub fn write_place(&self, queue: &wgpu::Queue, origin_px: [u32; 2]) {
        let layout = self.buffers.layout;
        let grid = TileGridUniforms {
            num_tiles: layout.num_tiles(),
            size_px: layout.size_px,
            capacity: layout.capacity,
            num_batches: MAX_BATCHES,
            origin_px,
        };
        queue.write_buffer(&self.buffers.grid, 0, bytemuck::bytes_of(&grid));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tile_bits_tell_every_tile_apart() {
        let bits = |size_px| TileLayout { size_px, capacity: 0 }.num_tile_bits();
        assert_eq!(bits([16, 16]), 1);
        assert_eq!(bits([255 * 16, 16]), 8);
        assert_eq!(bits([256, 256]), 9);
        assert_eq!(bits([2048, 2048]), 15);
    }
}
