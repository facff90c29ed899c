//! Buffers through which the splat passes hand on their work.

use wgpu::BufferUsages;

use crate::draw::radix_sort::{SortBuffers, SortPasses};
use crate::draw::shared::{NUM_ARGS, NUM_CONTROL_WORDS, NUM_VISIBLE, WORKGROUP_SIZE};
use crate::gpu;

/// Room that one indirect call takes.
pub const ARGS_BYTES: u64 = 16;

/// What the splats' order is made in and kept in.
pub struct SplatBuffers {
    pub control: wgpu::Buffer,
    pub args: wgpu::Buffer,
    /// Visible splats of each block of [`WORKGROUP_SIZE`], then their places.
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
        let num_blocks = u64::from(num_splats.div_ceil(WORKGROUP_SIZE));
        let words = u64::from(NUM_CONTROL_WORDS);
        Self {
            control: gpu::empty_buffer(device, "splat control", words * 4, BufferUsages::COPY_SRC),
            args: gpu::empty_buffer(
                device,
                "splat arguments",
                u64::from(NUM_ARGS) * 4,
                BufferUsages::INDIRECT,
            ),
            block_counts: gpu::empty_buffer(device, "splat block counts", num_blocks * 4, BufferUsages::empty()),
            sort: SortBuffers::new(device, "splat sort", num_splats.next_multiple_of(WORKGROUP_SIZE)),
            sort_passes: SortPasses::new(device, u32::BITS),
            count: gpu::empty_buffer(device, "splat count", 16, BufferUsages::UNIFORM),
        }
    }

    /// Says how many splats there are.
    pub fn write_count(&self, queue: &wgpu::Queue, num_splats: u32) {
        queue.write_buffer(&self.count, 0, bytemuck::bytes_of(&[num_splats, 0, 0, 0]));
        self.sort_passes.write(queue, NUM_VISIBLE, &self.sort);
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
