use crate::gpu::{self, PREMULTIPLIED_OVER, PipelineSpec};

/// Copies the finished picture into the window's pass.
pub struct PresentDraw {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    pipeline: wgpu::RenderPipeline,
}

impl PresentDraw {
    pub fn new(device: &wgpu::Device, target_format: wgpu::TextureFormat) -> Self {
        let layout = gpu::layout(
            device,
            "present",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::D2),
                gpu::sampler_entry(1),
            ],
        );
        let module = gpu::shader(device, "present", include_str!("present.wgsl"));
        let pipeline = PipelineSpec {
            layouts: &[&layout],
            blend: Some(PREMULTIPLIED_OVER),
            ..PipelineSpec::covering(
                "present",
                &module,
                ["present_vertex", "present_fragment"],
                target_format,
            )
        }
        .build(device);
        let sampler = gpu::linear_sampler(device, "present", wgpu::AddressMode::ClampToEdge);
        Self {
            layout,
            sampler,
            pipeline,
        }
    }

    pub fn bind(&self, device: &wgpu::Device, picture: &wgpu::TextureView) -> wgpu::BindGroup {
        let resources = [
            (0, wgpu::BindingResource::TextureView(picture)),
            (1, wgpu::BindingResource::Sampler(&self.sampler)),
        ];
        gpu::bind_group(device, "present", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, picture: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, picture, &[]);
        pass.draw(0..3, 0..1);
    }
}
