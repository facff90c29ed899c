use wgpu::ShaderStages;

use crate::gpu::{self, PipelineSpec};
use crate::scene::mesh_part::MeshPart;

/// Draws the edges of a mesh.
pub struct WireframeDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl WireframeDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let layout = gpu::layout(
            device,
            "wireframe",
            &[
                gpu::storage_entry(0, ShaderStages::VERTEX, true),
                gpu::storage_entry(1, ShaderStages::VERTEX, true),
            ],
        );
        let module = gpu::shader(device, "wireframe", &gpu::with_frame(include_str!("wireframe.wgsl")));
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout],
            depth: Some((wgpu::CompareFunction::GreaterEqual, false)),
            ..PipelineSpec::solid("wireframe", &module, ["wireframe_vertex", "wireframe_fragment"])
        }
        .build(device);
        Self { layout, pipeline }
    }

    pub fn bind(&self, device: &wgpu::Device, mesh: &MeshPart) -> wgpu::BindGroup {
        let resources = [
            (0, mesh.positions.as_entire_binding()),
            (1, mesh.indices.as_entire_binding()),
        ];
        gpu::bind_group(device, "wireframe", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, mesh: &MeshPart, group: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..mesh.num_indices, 0..1);
    }
}
