use crate::draw::composite::CompositeDraw;
use crate::draw::depth_resolve::DepthResolveDraw;
use crate::draw::present::PresentDraw;
use crate::gpu::{DEPTH_FORMAT, LAYER_FORMAT, PICTURE_FORMAT, SOLID_SAMPLES};

/// The pictures that a frame of one size is drawn into.
pub struct Targets {
    pub size_px: [u32; 2],
    pub solid_samples: wgpu::TextureView,
    pub solid_depth: wgpu::TextureView,
    pub solid: wgpu::TextureView,
    pub depth: wgpu::TextureView,
    pub splats: wgpu::TextureView,
    pub picture: wgpu::TextureView,
    pub picture_texture: wgpu::Texture,
    pub depth_group: wgpu::BindGroup,
    pub composite_group: wgpu::BindGroup,
    pub present_group: wgpu::BindGroup,
}

impl Targets {
    pub fn new(
        device: &wgpu::Device,
        size_px: [u32; 2],
        depth_resolve: &DepthResolveDraw,
        composite: &CompositeDraw,
        present: &PresentDraw,
    ) -> Self {
        let texture = |label, format, sample_count, more_usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some(label),
                size: wgpu::Extent3d {
                    width: size_px[0],
                    height: size_px[1],
                    depth_or_array_layers: 1,
                },
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | more_usage,
                view_formats: &[],
            })
        };
        let read = wgpu::TextureUsages::TEXTURE_BINDING;
        let written = wgpu::TextureUsages::STORAGE_BINDING;
        let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        let none = wgpu::TextureUsages::empty();
        let solid_samples = view(&texture("solid samples", LAYER_FORMAT, SOLID_SAMPLES, none));
        let solid_depth = view(&texture("solid depth samples", DEPTH_FORMAT, SOLID_SAMPLES, read));
        let solid = view(&texture("solid layer", LAYER_FORMAT, 1, read));
        let depth = view(&texture("solid depth", DEPTH_FORMAT, 1, read));
        let splats = view(&texture("splat layer", LAYER_FORMAT, 1, read));
        let picture_texture = texture(
            "picture",
            PICTURE_FORMAT,
            1,
            read | written | wgpu::TextureUsages::COPY_SRC,
        );
        let picture = view(&picture_texture);
        Self {
            size_px,
            depth_group: depth_resolve.bind(device, &solid_depth),
            composite_group: composite.bind(device, &solid, &splats),
            present_group: present.bind(device, &picture),
            solid_samples,
            solid_depth,
            solid,
            depth,
            splats,
            picture,
            picture_texture,
        }
    }
}

/// A colour target that is cleared and kept.
pub fn color_attachment(target: &wgpu::TextureView, clear: wgpu::Color) -> wgpu::RenderPassColorAttachment<'_> {
    wgpu::RenderPassColorAttachment {
        view: target,
        depth_slice: None,
        resolve_target: None,
        ops: wgpu::Operations {
            load: wgpu::LoadOp::Clear(clear),
            store: wgpu::StoreOp::Store,
        },
    }
}

/// Depth as an attachment that is kept.
pub fn depth_attachment(
    view: &wgpu::TextureView,
    load: wgpu::LoadOp<f32>,
) -> wgpu::RenderPassDepthStencilAttachment<'_> {
    wgpu::RenderPassDepthStencilAttachment {
        view,
        depth_ops: Some(wgpu::Operations {
            load,
            store: wgpu::StoreOp::Store,
        }),
        stencil_ops: None,
    }
}
