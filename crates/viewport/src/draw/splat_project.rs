use std::num::NonZeroU64;

use super::shared::WORKGROUP_SIZE;
use crate::gpu::{self, Bound};
use crate::packing::SplatGeometry;
use crate::scene::splat_room::{ELLIPSE_BYTES, SplatRoom};

const MAX_WORKGROUPS_A_ROW: u32 = 32_768;

/// Turns splats into ellipses on the picture and keys to sort them by.
pub struct SplatProjectDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

impl SplatProjectDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        use Bound::{Read, Write};
        let layout = gpu::compute_layout(device, "splat projection", &[Read, Read, Write, Write, Write]);
        let module = gpu::shader(device, "splat projection", &Self::source());
        let layouts = [frame_layout, &layout];
        let pipeline = gpu::compute_pipeline(device, "splat projection", &layouts, &module, "project");
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        gpu::with_frame(concat!(
            include_str!("ellipse.wgsl"),
            include_str!("splat_project.wgsl")
        ))
    }

    /// A group a chunk: windows on the chunk's part of every buffer, as large as that part is filled.
    pub fn bind(&self, device: &wgpu::Device, room: &SplatRoom, num_splats: u32) -> Vec<wgpu::BindGroup> {
        let buffers = &room.buffers;
        let mut first = 0_u64;
        let mut groups = Vec::with_capacity(room.chunks.len());
        for (chunk, count) in room.filled_chunks(num_splats) {
            let num_blocks = u64::from(count.div_ceil(WORKGROUP_SIZE));
            let count = u64::from(count);
            let window = |buffer, offset, bytes| {
                wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                    buffer,
                    offset,
                    size: NonZeroU64::new(bytes),
                })
            };
            let resources = [
                (0, window(&chunk.geometry, 0, count * size_of::<SplatGeometry>() as u64)),
                (1, chunk.harmonics.as_entire_binding()),
                (2, window(&room.ellipses, first * ELLIPSE_BYTES, count * ELLIPSE_BYTES)),
                (3, window(buffers.depth_keys(), first * 4, count * 4)),
                (
                    4,
                    window(
                        &buffers.block_counts,
                        first / u64::from(WORKGROUP_SIZE) * 4,
                        num_blocks * 4,
                    ),
                ),
            ];
            groups.push(gpu::bind_group(device, "splat projection", &self.layout, &resources));
            first += count;
        }
        groups
    }

    /// Group 0 must be the frame.
    pub fn record(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        groups: &[wgpu::BindGroup],
        room: &SplatRoom,
        num_splats: u32,
    ) {
        pass.set_pipeline(&self.pipeline);
        for (group, (_, count)) in groups.iter().zip(room.filled_chunks(num_splats)) {
            pass.set_bind_group(1, group, &[]);
            let [x, y] = workgroup_grid(count);
            pass.dispatch_workgroups(x, y, 1);
        }
    }
}

/// Rows and columns of workgroups with a thread a splat at least.
pub fn workgroup_grid(num_splats: u32) -> [u32; 2] {
    let num_blocks = num_splats.div_ceil(WORKGROUP_SIZE);
    let x = num_blocks.clamp(1, MAX_WORKGROUPS_A_ROW);
    [x, num_blocks.div_ceil(x)]
}
