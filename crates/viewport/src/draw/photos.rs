use bozzetto_asset::Camera;
use glam::Vec4;

use crate::gpu::{self, PipelineSpec};
use crate::growing::GrowingBuffer;

/// A photo in the scene; `Photo` in photos.wgsl.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct Photo {
    top_left: Vec4,
    across: Vec4,
    down: Vec4,
}

impl Photo {
    /// Fills a camera's picture at `distance` with part of a layer.
    pub fn new(camera: &Camera, distance: f32, layer: u32, used: [f32; 2]) -> Self {
        let corners = camera.picture_corners(distance);
        Self {
            top_left: corners[0].extend(layer as f32),
            across: (corners[1] - corners[0]).extend(used[0]),
            down: (corners[3] - corners[0]).extend(used[1]),
        }
    }
}

/// Draws photos on the far ends of frusta.
pub struct PhotosDraw {
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    pipeline: wgpu::RenderPipeline,
}

impl PhotosDraw {
    pub fn new(device: &wgpu::Device, frame_layout: &wgpu::BindGroupLayout) -> Self {
        let layout = gpu::layout(
            device,
            "photos",
            &[
                gpu::texture_entry(0, wgpu::TextureViewDimension::D2Array),
                gpu::sampler_entry(1),
            ],
        );
        let module = gpu::shader(device, "photos", &gpu::with_frame(include_str!("photos.wgsl")));
        let attributes = wgpu::vertex_attr_array![0 => Float32x4, 1 => Float32x4, 2 => Float32x4];
        let pipeline = PipelineSpec {
            layouts: &[frame_layout, &layout],
            topology: wgpu::PrimitiveTopology::TriangleStrip,
            buffers: &[Some(wgpu::VertexBufferLayout {
                array_stride: size_of::<Photo>() as u64,
                step_mode: wgpu::VertexStepMode::Instance,
                attributes: &attributes,
            })],
            blend: None,
            alpha_to_coverage: true,
            ..PipelineSpec::solid("photos", &module, ["photo_vertex", "photo_fragment"])
        }
        .build(device);
        let sampler = gpu::linear_sampler(device, "photos", wgpu::AddressMode::ClampToEdge);
        Self {
            layout,
            sampler,
            pipeline,
        }
    }

    pub fn bind(&self, device: &wgpu::Device, photos: &wgpu::Texture) -> wgpu::BindGroup {
        let view = photos.create_view(&wgpu::TextureViewDescriptor {
            dimension: Some(wgpu::TextureViewDimension::D2Array),
            ..wgpu::TextureViewDescriptor::default()
        });
        let resources = [
            (0, wgpu::BindingResource::TextureView(&view)),
            (1, wgpu::BindingResource::Sampler(&self.sampler)),
        ];
        gpu::bind_group(device, "photos", &self.layout, &resources)
    }

    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, group: &wgpu::BindGroup, photos: &GrowingBuffer) {
        if let Some(buffer) = photos.buffer() {
            pass.set_pipeline(&self.pipeline);
            pass.set_bind_group(1, group, &[]);
            pass.set_vertex_buffer(0, buffer.slice(..));
            pass.draw(0..4, 0..photos.len());
        }
    }
}
