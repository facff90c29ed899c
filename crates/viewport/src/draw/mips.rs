use crate::gpu::{self, PipelineSpec};

const FORMATS: [wgpu::TextureFormat; 2] = [wgpu::TextureFormat::Rgba8UnormSrgb, wgpu::TextureFormat::Rgba8Unorm];

/// Fills the smaller levels of a texture from its first.
pub struct MipsDraw {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    pipelines: [wgpu::RenderPipeline; 2],
}

impl MipsDraw {
    pub fn new(device: &wgpu::Device) -> Self {
        let layout = gpu::layout(
            device,
            "mips",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::D2),
                gpu::sampler_entry(1),
            ],
        );
        let module = gpu::shader(device, "mips", include_str!("mips.wgsl"));
        let pipelines = FORMATS.map(|format| {
            PipelineSpec {
                layouts: &[&layout],
                ..PipelineSpec::covering("mips", &module, ["mip_vertex", "mip_fragment"], format)
            }
            .build(device)
        });
        let sampler = gpu::linear_sampler(device, "mips", wgpu::AddressMode::ClampToEdge);
        Self {
            layout,
            sampler,
            pipelines,
        }
    }

    /// Records one small pass a level and layer.
    pub fn fill(&self, device: &wgpu::Device, encoder: &mut wgpu::CommandEncoder, texture: &wgpu::Texture) {
        let Some(pipeline) = FORMATS.iter().position(|&format| format == texture.format()) else {
            return;
        };
        for layer in 0..texture.depth_or_array_layers() {
            for level in 1..texture.mip_level_count() {
                let view = |level| {
                    texture.create_view(&wgpu::TextureViewDescriptor {
                        label: Some("mip level"),
                        dimension: Some(wgpu::TextureViewDimension::D2),
                        base_mip_level: level,
                        mip_level_count: Some(1),
                        base_array_layer: layer,
                        array_layer_count: Some(1),
                        ..wgpu::TextureViewDescriptor::default()
                    })
                };
                let larger = view(level - 1);
                let resources = [
                    (0, wgpu::BindingResource::TextureView(&larger)),
                    (1, wgpu::BindingResource::Sampler(&self.sampler)),
                ];
                let group = gpu::bind_group(device, "mips", &self.layout, &resources);
                let target = view(level);
                let color = crate::targets::color_attachment(&target, wgpu::Color::TRANSPARENT);
                let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                    label: Some("mips"),
                    color_attachments: &[Some(color)],
                    ..wgpu::RenderPassDescriptor::default()
                });
                pass.set_pipeline(&self.pipelines[pipeline]);
                pass.set_bind_group(0, &group, &[]);
                pass.draw(0..3, 0..1);
            }
        }
    }
}
