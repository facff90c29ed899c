use wgpu::ShaderStages;

use crate::gpu::{self, LAYER_FORMAT, PipelineSpec};

/// Copies the tiles' pixels into the splat layer.
pub struct TileLayerDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl TileLayerDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        let entries = [
            gpu::uniform_entry(0),
            gpu::storage_entry(1, ShaderStages::FRAGMENT, true),
        ];
        let layout = gpu::layout(device, "tile layer", &entries);
        let module = gpu::shader(device, "tile layer", Self::source());
        let pipeline = PipelineSpec {
            layouts: &[&layout],
            ..PipelineSpec::covering("tile layer", &module, ["layer_vertex", "layer_fragment"], LAYER_FORMAT)
        }
        .build(device);
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        concat!(
            include_str!("tile_grid.wgsl"),
            include_str!("tile_pixels.wgsl"),
            include_str!("tile_layer.wgsl")
        )
        .to_owned()
    }

    pub fn bind(&self, device: &wgpu::Device, grid: &wgpu::Buffer, pixels: &wgpu::Buffer) -> wgpu::BindGroup {
        gpu::buffer_group(device, "tile layer", &self.layout, &[grid, pixels])
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, group: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, group, &[]);
        pass.draw(0..3, 0..1);
    }
}
