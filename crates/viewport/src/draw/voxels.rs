use crate::gpu::{self, PipelineSpec};
use crate::scene::voxel_part::{Voxel, VoxelBuffers};

use super::environment::EnvironmentLights;

/// Corners of each of a cube's three faces, as two triangles.
const INDICES: [u16; 18] = [0, 1, 3, 0, 3, 2, 4, 5, 7, 4, 7, 6, 8, 9, 11, 8, 11, 10];

/// Draws active voxels.
pub struct VoxelsDraw {
    layout: wgpu::BindGroupLayout,
    indices: wgpu::Buffer,
    pipeline: wgpu::RenderPipeline,
}

impl VoxelsDraw {
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frame_layout: &wgpu::BindGroupLayout,
        lights: &EnvironmentLights,
    ) -> Self {
        let layout = gpu::layout(device, "voxels", &[gpu::uniform_entry(0)]);
        let module = gpu::shader(device, "voxels", &Self::source());
        let attributes = wgpu::vertex_attr_array![0 => Uint16x4, 1 => Unorm8x4];
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout, &lights.layout],
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<Voxel>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &attributes,
            })],
            blend: None,
            ..PipelineSpec::solid("voxels", &module, ["voxel_vertex", "voxel_fragment"])
        }
        .build(device);
        let indices = bytemuck::bytes_of(&INDICES);
        Self {
            layout,
            indices: gpu::filled_buffer(device, queue, "voxel faces", indices, wgpu::BufferUsages::INDEX),
            pipeline,
        }
    }

    pub fn source() -> String {
        gpu::with_frame_and_light(include_str!("voxels.wgsl"))
    }

    /// Binds the placement, unless that was done for an earlier structure in the same buffers.
    pub fn make_ready(&self, device: &wgpu::Device, buffers: &mut VoxelBuffers) {
        if buffers.group.is_none() {
            let placement = buffers.placement.as_entire_binding();
            buffers.group = Some(gpu::bind_group(device, "voxels", &self.layout, &[(0, placement)]));
        }
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, buffers: &VoxelBuffers, light: &wgpu::BindGroup) {
        if let (Some(voxels), Some(group)) = (buffers.voxels.buffer(), &buffers.group) {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(1, group, &[]);
            pass.set_bind_group(2, light, &[]);
            pass.set_vertex_buffer(0, voxels.slice(..));
            pass.set_index_buffer(self.indices.slice(..), wgpu::IndexFormat::Uint16);
            pass.draw_indexed(0..INDICES.len() as u32, 0, 0..buffers.voxels.len());
        }
    }
}
