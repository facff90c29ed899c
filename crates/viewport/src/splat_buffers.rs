//! Buffers through which the splat passes hand on their work.

use wgpu::BufferUsages;

use crate::draw::radix_sort::{SortBuffers, SortPasses};
use crate::gpu;

/// Splats a workgroup projects, compacts and counts; `WORKGROUP_SIZE` of scan.wgsl.
pub const SPLAT_BLOCK: u32 = 256;

/// Words of the control buffer; those of control.wgsl.
pub mod control {
    pub const NUM_VISIBLE: u32 = 0;
    pub const BATCH_END: u32 = 3;
    pub const NUM_PAIRS: u32 = 4;
    pub const OPEN_TILES: u32 = 5;
    pub const NUM_BATCHES: u32 = 6;
    pub const TOTAL_PAIRS: u32 = 7;
    /// All of them.
    pub const NUM_WORDS: u32 = 8;
}

/// Places in the buffer of indirect arguments, words; those of args.wgsl.
pub mod args {
    pub const SORT: u64 = 0;
    pub const QUADS: u64 = 8;
    pub const WINDOW: u64 = 12;
    pub const PAIR_SORT: u64 = 16;
    pub const RANGES: u64 = 24;
    pub const TILES: u64 = 28;
    /// All of them.
    pub const NUM_WORDS: u64 = 32;
}

/// Room that one indirect call takes.
pub const ARGS_BYTES: u64 = 16;

/// What the splats' order is made in and kept in.
pub struct SplatBuffers {
    pub control: wgpu::Buffer,
    pub args: wgpu::Buffer,
    /// Visible splats of each block of [`SPLAT_BLOCK`], then their places.
    pub block_counts: wgpu::Buffer,
    /// The first values are the order: indices back to front.
    ///
    /// The second keys also take the projection's keys of all splats, gathered into the first before the sort begins.
    pub sort: SortBuffers,
    pub sort_passes: SortPasses,
    /// The number of splats.
    pub count: wgpu::Buffer,
}

impl SplatBuffers {
    /// Room for so many splats.
    pub fn new(device: &wgpu::Device, num_splats: u32) -> Self {
        let num_blocks = u64::from(num_splats.div_ceil(SPLAT_BLOCK));
        let words = u64::from(control::NUM_WORDS);
        Self {
            control: gpu::empty_buffer(device, "splat control", words * 4, BufferUsages::COPY_SRC),
            args: gpu::empty_buffer(device, "splat arguments", args::NUM_WORDS * 4, BufferUsages::INDIRECT),
            block_counts: gpu::empty_buffer(device, "splat block counts", num_blocks * 4, BufferUsages::empty()),
            sort: SortBuffers::new(device, "splat sort", num_splats.next_multiple_of(SPLAT_BLOCK)),
            sort_passes: SortPasses::new(device, u32::BITS),
            count: gpu::empty_buffer(device, "splat count", 16, BufferUsages::UNIFORM),
        }
    }

    /// Says how many splats there are.
    pub fn write_count(&self, queue: &wgpu::Queue, num_splats: u32) {
        queue.write_buffer(&self.count, 0, bytemuck::bytes_of(&[num_splats, 0, 0, 0]));
        self.sort_passes.write(queue, control::NUM_VISIBLE, &self.sort);
    }

    /// The projection's keys of all splats.
    pub fn depth_keys(&self) -> &wgpu::Buffer {
        &self.sort.keys[1]
    }

    /// Tiles of each splat of a batch; what the sort no longer needs then.
    pub fn splat_counts(&self) -> &wgpu::Buffer {
        &self.sort.values[1]
    }

    /// Sums of them over blocks.
    pub fn block_sums(&self) -> &wgpu::Buffer {
        &self.block_counts
    }

    /// Indices of splats, back to front.
    pub fn order(&self) -> &wgpu::Buffer {
        &self.sort.values[0]
    }
}
