use std::sync::Arc;

use bozzetto_asset::color::linear_from_srgb_u8;
use glam::{Vec2, Vec3};
use image::RgbImage;
use image::imageops::{FilterType, resize};

/// A picture made ready for sampling at about one pixel a voxel.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    image: Arc<RgbImage>,
    /// Pixels of `image` for one picture pixel.
    scale: Vec2,
}

impl Picture {
    /// A picture that is sampled every `spacing_px` pixels: a much finer one is reduced first, so that it does not
    /// flicker from voxel to voxel.
    pub fn new(image: &Arc<RgbImage>, spacing_px: f32) -> Self {
        let (width, height) = image.dimensions();
        if spacing_px < 1.6 {
            return Self {
                image: image.clone(),
                scale: Vec2::ONE,
            };
        }
        let side = |length: u32| ((length as f32 / spacing_px * 1.25).round() as u32).clamp(1, length);
        let reduced = resize(image.as_ref(), side(width), side(height), FilterType::Triangle);
        let scale = Vec2::new(reduced.width() as f32, reduced.height() as f32) / Vec2::new(width as f32, height as f32);
        Self {
            image: Arc::new(reduced),
            scale,
        }
    }

    /// Linear colour at a picture position, bilinear.
    pub fn at(&self, pixel: Vec2) -> Vec3 {
        let (width, height) = self.image.dimensions();
        let limit = Vec2::new(width as f32, height as f32) - 1.0;
        let at = (pixel * self.scale - 0.5).clamp(Vec2::ZERO, limit);
        let (x, y) = (at.x as u32, at.y as u32);
        let (x1, y1) = ((x + 1).min(width - 1), (y + 1).min(height - 1));
        let value = |x: u32, y: u32| Vec3::from(self.image.get_pixel(x, y).0.map(linear_from_srgb_u8));
        let low = value(x, y).lerp(value(x1, y), at.x.fract());
        let high = value(x, y1).lerp(value(x1, y1), at.x.fract());
        low.lerp(high, at.y.fract())
    }
}
