use crate::gpu::{self, PipelineSpec};

/// Brings the solid layer's depth down to one sample a pixel.
pub struct DepthResolveDraw {
    layout: wgpu::BindGroupLayout,
    pipeline: wgpu::RenderPipeline,
}

impl DepthResolveDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        let layout = gpu::layout(device, "depth resolve", &[gpu::multisampled_depth_entry(0)]);
        let module = gpu::shader(device, "depth resolve", include_str!("depth_resolve.wgsl"));
        let pipeline = PipelineSpec {
            layouts: &[&layout],
            format: None,
            depth: Some((wgpu::CompareFunction::Always, true)),
            num_samples: 1,
            ..PipelineSpec::solid("depth resolve", &module, ["depth_vertex", "depth_fragment"])
        }
        .build(device);
        Self { layout, pipeline }
    }

    pub fn bind(&self, device: &wgpu::Device, samples: &wgpu::TextureView) -> wgpu::BindGroup {
        let resources = [(0, wgpu::BindingResource::TextureView(samples))];
        gpu::bind_group(device, "depth resolve", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, samples: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, samples, &[]);
        pass.draw(0..3, 0..1);
    }
}
