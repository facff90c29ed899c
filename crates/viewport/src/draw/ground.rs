use crate::gpu::{self, PipelineSpec};
use crate::ground_shadow::{GroundShadow, SHADOW_PX};

/// Grid, axes on the ground and the shadow.
pub struct GroundDraw {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    pipeline: wgpu::RenderPipeline,
}

impl GroundDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let layout = gpu::layout(
            device,
            "ground",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::D2),
                gpu::sampler_entry(1),
            ],
        );
        let module = gpu::shader(device, "ground", &gpu::with_frame(include_str!("ground.wgsl")));
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout],
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            depth: Some((wgpu::CompareFunction::GreaterEqual, false)),
            ..PipelineSpec::solid("ground", &module, ["ground_vertex", "ground_fragment"])
        }
        .build(device);
        let sampler = gpu::linear_sampler(device, "ground", wgpu::AddressMode::ClampToEdge);
        Self {
            layout,
            sampler,
            pipeline,
        }
    }

    /// Uploads a shadow; `None` is no shadow.
    pub fn bind(&self, device: &wgpu::Device, queue: &wgpu::Queue, shadow: Option<&GroundShadow>) -> wgpu::BindGroup {
        let size = wgpu::Extent3d {
            width: SHADOW_PX as u32,
            height: SHADOW_PX as u32,
            depth_or_array_layers: 1,
        };
        let texture = device.create_texture(&wgpu::TextureDescriptor {
            label: Some("ground shadow"),
            size,
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: wgpu::TextureFormat::R8Unorm,
            usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
            view_formats: &[],
        });
        if let Some(shadow) = shadow {
            let layout = wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some(SHADOW_PX as u32),
                rows_per_image: None,
            };
            queue.write_texture(texture.as_image_copy(), &shadow.texels, layout, size);
        }
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        let resources = [
            (0, wgpu::BindingResource::TextureView(&view)),
            (1, wgpu::BindingResource::Sampler(&self.sampler)),
        ];
        gpu::bind_group(device, "ground", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, group: &wgpu::BindGroup) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..4, 0..1);
    }
}
