use wgpu::ShaderStages;

use crate::gpu::{self, PICTURE_FORMAT, PipelineSpec};

/// Puts background, solid layer and splat layer together.
pub struct CompositeDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl CompositeDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let layout = gpu::layout(
            device,
            "composite",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::D2),
                gpu::texture_entry(1, wgpu::TextureViewDimension::D2),
            ],
        );
        let module = gpu::shader(device, "composite", &Self::source());
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout],
            ..PipelineSpec::covering(
                "composite",
                &module,
                ["composite_vertex", "composite_fragment"],
                PICTURE_FORMAT,
            )
        }
        .build(device);
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        gpu::with_frame(concat!(
            include_str!("composite.wgsl"),
            include_str!("composite_layers.wgsl")
        ))
    }

    pub fn bind(
        &self,
        device: &wgpu::Device,
        solid: &wgpu::TextureView,
        splats: &wgpu::TextureView,
    ) -> wgpu::BindGroup {
        let resources = [
            (0, wgpu::BindingResource::TextureView(solid)),
            (1, wgpu::BindingResource::TextureView(splats)),
        ];
        gpu::bind_group(device, "composite", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, layers: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, layers, &[]);
        pass.draw(0..3, 0..1);
    }
}

/// Puts background, solid layer and the tiles' pixels together, in a compute shader: nothing goes through a layer of its
/// own, and cards with few raster units are not held up.
pub struct TileCompositeDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::ComputePipeline,
}

impl TileCompositeDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let layout = gpu::layout(
            device,
            "tile composite",
            &[
                gpu::storage_entry(0, ShaderStages::COMPUTE, true),
                gpu::compute_texture_entry(1),
                gpu::written_texture_entry(2, PICTURE_FORMAT),
            ],
        );
        let module = gpu::shader(device, "tile composite", &Self::source());
        let layouts = [frame_layout, &layout];
        let pipeline = gpu::compute_pipeline(device, "tile composite", &layouts, &module, "composite_tile");
        Self { layout, pipeline }
    }

    pub fn source() -> String {
        gpu::with_frame(concat!(
            include_str!("tile_pixels.wgsl"),
            include_str!("composite.wgsl"),
            include_str!("composite_tiles.wgsl")
        ))
    }

    pub fn bind(
        &self,
        device: &wgpu::Device,
        pixels: &wgpu::Buffer,
        solid: &wgpu::TextureView,
        picture: &wgpu::TextureView,
    ) -> wgpu::BindGroup {
        let resources = [
            (0, pixels.as_entire_binding()),
            (1, wgpu::BindingResource::TextureView(solid)),
            (2, wgpu::BindingResource::TextureView(picture)),
        ];
        gpu::bind_group(device, "tile composite", &self.layout, &resources)
    }

    /// A workgroup a tile; group 0 is the frame's.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, group: &wgpu::BindGroup, num_tiles: [u32; 2]) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.dispatch_workgroups(num_tiles[0], num_tiles[1], 1);
    }
}
