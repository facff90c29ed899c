use crate::gpu::{self, PICTURE_FORMAT, PipelineSpec};

/// Puts background, solid layer and splats together.
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
        let module = gpu::shader(device, "composite", gpu::with_frame(include_str!("composite.wgsl")));
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
