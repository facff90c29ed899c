use wgpu::ShaderStages;

use super::shared::QUAD_ARGS;
use crate::gpu::{self, LAYER_FORMAT, PREMULTIPLIED_OVER, PipelineSpec};

/// Draws splats as quads, farthest first.
pub struct SplatQuadsDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl SplatQuadsDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let entries = [0, 1].map(|binding| gpu::storage_entry(binding, ShaderStages::VERTEX, true));
        let layout = gpu::layout(device, "splat quads", &entries);
        let module = gpu::shader(device, "splat quads", &Self::source());
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout],
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            blend: Some(PREMULTIPLIED_OVER),
            depth: Some((wgpu::CompareFunction::GreaterEqual, false)),
            ..PipelineSpec::covering("splat quads", &module, ["splat_vertex", "splat_fragment"], LAYER_FORMAT)
        }
        .build(device);
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        gpu::with_frame(concat!(include_str!("ellipse.wgsl"), include_str!("splat_quads.wgsl")))
    }

    pub fn bind(&self, device: &wgpu::Device, order: &wgpu::Buffer, ellipses: &wgpu::Buffer) -> wgpu::BindGroup {
        gpu::buffer_group(device, "splat quads", &self.layout, &[order, ellipses])
    }

    /// Draws the first `count` of the order; those that are not visible must have no opacity. Group 0 must be the frame.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, group: &wgpu::BindGroup, count: u32) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..4, 0..count);
    }

    /// Draws as many as the device has found to be visible.
    pub fn draw_visible(&self, pass: &mut wgpu::RenderPass<'_>, group: &wgpu::BindGroup, args: &wgpu::Buffer) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw_indirect(args, u64::from(QUAD_ARGS) * 4);
    }
}
