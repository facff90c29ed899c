//! Pictures in another size, to the bit as Pillow makes them: models were trained on its pixels.
//!
//! Pillow's `src/libImaging/Resample.c`: rows first, then columns, 8 bits in between, weights of 22 bits; the filter is as wide
//! as the pixels it makes where the picture shrinks. Pictures with transparency are resampled with colours multiplied by it.

use image::{GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};

/// How pixels are weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Linear interpolation.
    Bilinear,
    /// Cubic convolution with a = -0.5: Pillow's own choice.
    Bicubic,
    /// Sinc within three pixels.
    Lanczos,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Bilinear => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        let distance = x.abs();
        match self {
            _ if distance >= self.support() => 0.0,
            Self::Bilinear => 1.0 - distance,
            Self::Bicubic if distance < 1.0 => (1.5 * distance - 2.5) * distance * distance + 1.0,
            Self::Bicubic => (((distance - 5.0) * distance + 8.0) * distance - 4.0) * -0.5,
            Self::Lanczos => sinc(x) * sinc(x / 3.0),
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        1.0
    } else {
        let x = x * std::f64::consts::PI;
        x.sin() / x
    }
}

/// A picture of one channel, resampled.
pub fn resize_gray(picture: &GrayImage, width: u32, height: u32, filter: Filter) -> GrayImage {
    let pixels = resized::<1>(picture.as_raw(), picture.dimensions(), (width, height), filter);
    GrayImage::from_fn(width, height, |x, y| Luma(pixel_at(&pixels, width, x, y)))
}

/// A picture without transparency, resampled.
pub fn resize_rgb(picture: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    let pixels = resized::<3>(picture.as_raw(), picture.dimensions(), (width, height), filter);
    RgbImage::from_fn(width, height, |x, y| Rgb(pixel_at(&pixels, width, x, y)))
}

/// A picture with transparency, resampled.
pub fn resize_rgba(picture: &RgbaImage, width: u32, height: u32, filter: Filter) -> RgbaImage {
    let multiplied: Vec<u8> = picture.pixels().flat_map(|pixel| multiplied(pixel.0)).collect();
    let pixels = resized::<4>(&multiplied, picture.dimensions(), (width, height), filter);
    RgbaImage::from_fn(width, height, |x, y| Rgba(divided(pixel_at(&pixels, width, x, y))))
}

fn pixel_at<const CHANNELS: usize>(pixels: &[u8], width: u32, x: u32, y: u32) -> [u8; CHANNELS] {
    let start = (y as usize * width as usize + x as usize) * CHANNELS;
    std::array::from_fn(|channel| pixels[start + channel])
}

fn multiplied([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    let by_alpha = |value: u8| {
        let product = u32::from(value) * u32::from(alpha) + 128;
        (((product >> 8) + product) >> 8) as u8
    };
    [by_alpha(red), by_alpha(green), by_alpha(blue), alpha]
}

fn divided([red, green, blue, alpha]: [u8; 4]) -> [u8; 4] {
    if alpha == 0 || alpha == 255 {
        return [red, green, blue, alpha];
    }
    let by_alpha = |value: u8| (255 * u32::from(value) / u32::from(alpha)).min(255) as u8;
    [by_alpha(red), by_alpha(green), by_alpha(blue), alpha]
}

/// What one pixel of the result is made of along an axis.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

const WEIGHT_BITS: u32 = 32 - 8 - 2;

fn taps(from: u32, to: u32, filter: Filter) -> Vec<Taps> {
    let scale = f64::from(from) / f64::from(to);
    let filter_scale = scale.max(1.0);
    let support = filter.support() * filter_scale;
    let step = 1.0 / filter_scale;
    (0..to)
        .map(|place| {
            let center = (f64::from(place) + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let end = ((center + support + 0.5).max(0.0) as usize).min(from as usize);
            let weights: Vec<f64> = (first..end)
                .map(|source| filter.weight((source as f64 - center + 0.5) * step))
                .collect();
            let sum: f64 = weights.iter().sum();
            let whole = f64::from(1 << WEIGHT_BITS);
            let weights = weights.into_iter().map(|weight| (weight / sum * whole).round() as i32);
            Taps {
                first,
                weights: weights.collect(),
            }
        })
        .collect()
}

fn resized<const CHANNELS: usize>(
    pixels: &[u8],
    (from_width, from_height): (u32, u32),
    (width, height): (u32, u32),
    filter: Filter,
) -> Vec<u8> {
    let rows = if width == from_width {
        pixels.to_vec()
    } else {
        let taps = taps(from_width, width, filter);
        let row_length = from_width as usize * CHANNELS;
        let row_of = |row: &[u8]| -> Vec<u8> {
            taps.iter()
                .flat_map(|taps| weighed::<CHANNELS>(row, taps, CHANNELS))
                .collect()
        };
        pixels.chunks_exact(row_length).flat_map(row_of).collect()
    };
    if height == from_height {
        return rows;
    }
    let row_length = width as usize * CHANNELS;
    let mut out = Vec::with_capacity(row_length * height as usize);
    for taps in taps(from_height, height, filter) {
        for column in 0..width as usize {
            out.extend(weighed::<CHANNELS>(&rows[column * CHANNELS..], &taps, row_length));
        }
    }
    out
}

/// The weighted sum of pixels that lie `step` bytes apart.
fn weighed<const CHANNELS: usize>(bytes: &[u8], taps: &Taps, step: usize) -> [u8; CHANNELS] {
    let mut sums = [1_i32 << (WEIGHT_BITS - 1); CHANNELS];
    for (place, &weight) in taps.weights.iter().enumerate() {
        let start = (taps.first + place) * step;
        for (sum, &value) in sums.iter_mut().zip(&bytes[start..start + CHANNELS]) {
            *sum += i32::from(value) * weight;
        }
    }
    sums.map(|sum| (sum >> WEIGHT_BITS).clamp(0, 255) as u8)
}
