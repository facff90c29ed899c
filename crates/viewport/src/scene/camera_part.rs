use std::sync::Arc;

use bozzetto_asset::Camera;
use image::RgbaImage;
use image::imageops::FilterType;

use crate::GpuError;
use crate::error::caught;

/// Side of the square that a thumbnail is kept in.
const THUMBNAIL_PX: u32 = 256;

/// View cameras and their photos on the device.
pub struct CameraPart {
    pub cameras: Vec<ViewCamera>,
    pub photos: Option<wgpu::Texture>,
    pub group: Option<wgpu::BindGroup>,
}

/// A camera, and where its photo is.
pub struct ViewCamera {
    pub camera: Camera,
    /// Layer, and the part of it that is used.
    pub photo: Option<(u32, [f32; 2])>,
}

impl CameraPart {
    pub fn new(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        views: &[(Camera, Option<Arc<RgbaImage>>)],
    ) -> Result<Self, GpuError> {
        let max_layers = device.limits().max_texture_array_layers;
        let mut thumbnails = Vec::new();
        let mut cameras = Vec::with_capacity(views.len());
        for (camera, photo) in views {
            let mut place = None;
            if let Some(photo) = photo
                .as_ref()
                .filter(|photo| !photo.is_empty() && (thumbnails.len() as u32) < max_layers)
            {
                let thumbnail = fitted(photo);
                let used = [thumbnail.width(), thumbnail.height()].map(|side| side as f32 / THUMBNAIL_PX as f32);
                place = Some((thumbnails.len() as u32, used));
                thumbnails.push(thumbnail);
            }
            cameras.push(ViewCamera {
                camera: *camera,
                photo: place,
            });
        }
        let photos = if thumbnails.is_empty() {
            None
        } else {
            Some(caught(device, || upload(device, queue, &thumbnails))?)
        };
        Ok(Self {
            cameras,
            photos,
            group: None,
        })
    }
}

/// The photo in a thumbnail's square, its aspect kept.
fn fitted(photo: &RgbaImage) -> RgbaImage {
    let (width, height) = photo.dimensions();
    let scale = THUMBNAIL_PX as f32 / width.max(height) as f32;
    let side = |length: u32| ((length as f32 * scale).round() as u32).clamp(1, THUMBNAIL_PX);
    image::imageops::resize(photo, side(width), side(height), FilterType::Triangle)
}

fn upload(device: &wgpu::Device, queue: &wgpu::Queue, thumbnails: &[RgbaImage]) -> wgpu::Texture {
    let size = wgpu::Extent3d {
        width: THUMBNAIL_PX,
        height: THUMBNAIL_PX,
        depth_or_array_layers: thumbnails.len() as u32,
    };
    let texture = device.create_texture(&wgpu::TextureDescriptor {
        label: Some("view photos"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8UnormSrgb,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for (layer, thumbnail) in thumbnails.iter().enumerate() {
        let target = wgpu::TexelCopyTextureInfo {
            origin: wgpu::Origin3d {
                x: 0,
                y: 0,
                z: layer as u32,
            },
            ..texture.as_image_copy()
        };
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(thumbnail.width() * 4),
            rows_per_image: None,
        };
        let size = wgpu::Extent3d {
            width: thumbnail.width(),
            height: thumbnail.height(),
            depth_or_array_layers: 1,
        };
        queue.write_texture(target, thumbnail, layout, size);
    }
    texture
}
