use bozzetto_asset::PreparedView;
use image::imageops::{FilterType, resize};
use image::{GrayImage, ImageBuffer, Luma};

/// Side of the picture that relief is read from.
const SIDE: u32 = 512;
/// Standard deviation of the blur that takes noise away, pixels of that picture.
const FINE_PX: f32 = 1.2;
/// Standard deviation of the blur whose result, the light's slow change over the form, is taken off.
const BROAD_PX: f32 = 22.0;
/// Luminance difference at which relief levels off.
const KNEE: f32 = 0.35;

/// Brightness that stands out from its surroundings, in `[-1, 1]`, as relief over a picture.
#[derive(Clone, Debug)]
pub(super) struct Relief {
    width: usize,
    height: usize,
    /// Relief pixels for one picture pixel.
    scale: glam::Vec2,
    values: Vec<f32>,
}

impl Relief {
    pub fn new(view: &PreparedView) -> Self {
        let (full_width, full_height) = view.color.dimensions();
        let factor = (SIDE as f32 / full_width.max(full_height) as f32).min(1.0);
        let side = |length: u32| ((length as f32 * factor).round() as u32).max(1);
        let (width, height) = (side(full_width), side(full_height));
        let luma = GrayImage::from_fn(full_width, full_height, |x, y| {
            let [r, g, b] = view.color.get_pixel(x, y).0.map(f32::from);
            Luma([(0.2126 * r + 0.7152 * g + 0.0722 * b) as u8])
        });
        let luma = resize(&luma, width, height, FilterType::Triangle);
        let matte = resize(view.matte.as_ref(), width, height, FilterType::Triangle);
        let unit = |image: &ImageBuffer<Luma<u8>, Vec<u8>>| -> Vec<f32> {
            image.pixels().map(|pixel| f32::from(pixel.0[0]) / 255.0).collect()
        };
        let (luma, matte) = (unit(&luma), unit(&matte));
        let size = (width as usize, height as usize);
        let fine = masked_blur(&luma, &matte, size, FINE_PX);
        let broad = masked_blur(&luma, &matte, size, BROAD_PX);
        let values = fine
            .iter()
            .zip(&broad)
            .map(|(fine, broad)| ((fine - broad) / KNEE).tanh())
            .collect();
        Self {
            width: size.0,
            height: size.1,
            scale: glam::Vec2::new(width as f32 / full_width as f32, height as f32 / full_height as f32),
            values,
        }
    }

    /// Relief at a picture position.
    pub fn at(&self, pixel: glam::Vec2) -> f32 {
        let limit = glam::Vec2::new(self.width as f32 - 1.0, self.height as f32 - 1.0);
        let at = (pixel * self.scale - 0.5).clamp(glam::Vec2::ZERO, limit);
        let (x, y) = (at.x as usize, at.y as usize);
        let (x1, y1) = ((x + 1).min(self.width - 1), (y + 1).min(self.height - 1));
        let (fx, fy) = (at.x.fract(), at.y.fract());
        let value = |x: usize, y: usize| self.values[y * self.width + x];
        let low = value(x, y) + fx * (value(x1, y) - value(x, y));
        let high = value(x, y1) + fx * (value(x1, y1) - value(x, y1));
        low + fy * (high - low)
    }
}

/// Gaussian blur that background does not leak into (normalized convolution, Knutsson and Westin 1993), by three
/// box blurs each way.
fn masked_blur(values: &[f32], mask: &[f32], size: (usize, usize), sigma: f32) -> Vec<f32> {
    let mut weighted: Vec<f32> = values.iter().zip(mask).map(|(value, mask)| value * mask).collect();
    let mut weights = mask.to_vec();
    let radius = (sigma * 1.9 * 0.5).round().max(1.0) as usize;
    for _ in 0..3 {
        for plane in [&mut weighted, &mut weights] {
            box_blur(plane, size.0, size.1, 1, size.0, radius);
            box_blur(plane, size.1, size.0, size.0, 1, radius);
        }
    }
    weighted
        .iter()
        .zip(&weights)
        .zip(values)
        .map(|((sum, weight), value)| if *weight > 1e-4 { sum / weight } else { *value })
        .collect()
}

/// Running mean over `2 radius + 1` entries along lines; entries beyond the ends count as zero.
fn box_blur(plane: &mut [f32], length: usize, num_lines: usize, stride: usize, line_stride: usize, radius: usize) {
    let mut line = vec![0.0; length];
    let norm = 1.0 / (2 * radius + 1) as f32;
    for start in 0..num_lines {
        let base = start * line_stride;
        let mut sum: f32 = (0..radius.min(length)).map(|i| plane[base + i * stride]).sum();
        for (i, slot) in line.iter_mut().enumerate() {
            if i + radius < length {
                sum += plane[base + (i + radius) * stride];
            }
            if i > radius {
                sum -= plane[base + (i - radius - 1) * stride];
            }
            *slot = sum * norm;
        }
        for (i, value) in line.iter().enumerate() {
            plane[base + i * stride] = *value;
        }
    }
}
