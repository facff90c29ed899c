use std::sync::Arc;

use crate::draw::composite::CompositeDraw;
use crate::draw::depth_resolve::DepthResolveDraw;
use crate::draw::present::PresentDraw;
use crate::gpu::{DEPTH_FORMAT, LAYER_FORMAT, PICTURE_FORMAT, SOLID_SAMPLES};

/// What a frame of one size is drawn into.
pub struct Targets {
    pub layers: Arc<Layers>,
    pub picture: wgpu::TextureView,
    pub picture_texture: wgpu::Texture,
    pub present_group: wgpu::BindGroup,
}

/// The layers that become a picture. Pictures of one size share them, since one is finished before the next begins.
pub struct Layers {
    pub size_px: [u32; 2],
    pub solid_samples: wgpu::TextureView,
    pub solid_depth: wgpu::TextureView,
    pub solid: wgpu::TextureView,
    pub depth: wgpu::TextureView,
    pub splats: wgpu::TextureView,
    pub depth_group: wgpu::BindGroup,
    pub composite_group: wgpu::BindGroup,
}

impl Targets {
    pub fn new(device: &wgpu::Device, layers: Arc<Layers>, present: &PresentDraw) -> Self {
        let usage = wgpu::TextureUsages::RENDER_ATTACHMENT
            | wgpu::TextureUsages::TEXTURE_BINDING
            | wgpu::TextureUsages::STORAGE_BINDING
            | wgpu::TextureUsages::COPY_SRC;
        let picture_texture = texture(device, "picture", layers.size_px, PICTURE_FORMAT, 1, usage);
        let picture = picture_texture.create_view(&wgpu::TextureViewDescriptor::default());
        Self {
            layers,
            present_group: present.bind(device, &picture),
            picture,
            picture_texture,
        }
    }
}

impl Layers {
    pub fn new(
        device: &wgpu::Device,
        size_px: [u32; 2],
        depth_resolve: &DepthResolveDraw,
        composite: &CompositeDraw,
    ) -> Self {
        let view = |label, format, num_samples, is_read| {
            let read = if is_read {
                wgpu::TextureUsages::TEXTURE_BINDING
            } else {
                wgpu::TextureUsages::empty()
            };
            let usage = wgpu::TextureUsages::RENDER_ATTACHMENT | read;
            texture(device, label, size_px, format, num_samples, usage)
                .create_view(&wgpu::TextureViewDescriptor::default())
        };
        let solid_samples = view("solid samples", LAYER_FORMAT, SOLID_SAMPLES, false);
        let solid_depth = view("solid depth samples", DEPTH_FORMAT, SOLID_SAMPLES, true);
        let solid = view("solid layer", LAYER_FORMAT, 1, true);
        let depth = view("solid depth", DEPTH_FORMAT, 1, true);
        let splats = view("splat layer", LAYER_FORMAT, 1, true);
        Self {
            size_px,
            depth_group: depth_resolve.bind(device, &solid_depth),
            composite_group: composite.bind(device, &solid, &splats),
            solid_samples,
            solid_depth,
            solid,
            depth,
            splats,
        }
    }
}

fn texture(
    device: &wgpu::Device,
    label: &str,
    size_px: [u32; 2],
    format: wgpu::TextureFormat,
    num_samples: u32,
    usage: wgpu::TextureUsages,
) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(label),
        size: wgpu::Extent3d {
            width: size_px[0],
            height: size_px[1],
            depth_or_array_layers: 1,
        },
        mip_level_count: 1,
        sample_count: num_samples,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage,
        view_formats: &[],
    })
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
