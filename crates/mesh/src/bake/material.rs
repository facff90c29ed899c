use std::sync::Arc;

use bozzetto_asset::{AlphaMode, Material};
use image::{GrayImage, RgbImage, RgbaImage};
use rayon::prelude::*;

use super::{Baked, TexelValue};

/// Stored values this far apart are one value.
const CONSTANT_WITHIN: u8 = 2;
/// Texels with at least this alpha are solid, up to one minus this are empty.
const SOLID_ALPHA: u8 = 250;
const EMPTY_ALPHA: u8 = 5;
/// Stray texels below this share decide nothing.
const STRAY_SHARE: f64 = 0.001;
/// Alpha with more than this share of in-between values is meant to be seen through.
const SOFT_SHARE: f64 = 0.2;

pub(super) fn compose(mut baked: Baked) -> (Material, Arc<GrayImage>) {
    let alpha_mode = alpha_mode(&baked);
    if alpha_mode == AlphaMode::Opaque {
        baked.values.par_iter_mut().for_each(|value| value.base_color[3] = 255);
    }
    let roughness = Spread::of(&baked, |value| value.orm[1]);
    let metallic = Spread::of(&baked, |value| value.orm[2]);
    let varies = baked.options.has_orm && !(roughness.is_constant() && metallic.is_constant());
    if !varies {
        // Only occlusion is in the picture; the other channels hold their one value exactly.
        let (green, blue) = (roughness.byte(), metallic.byte());
        baked
            .values
            .par_iter_mut()
            .for_each(|value| value.orm = [value.orm[0], green, blue]);
    }
    let has_orm = varies || baked.has_occlusion;
    let material = Material {
        base_color: Arc::new(rgba(&baked)),
        orm: has_orm.then(|| Arc::new(rgb(&baked, |value| value.orm))),
        normal: baked
            .options
            .has_normal_map
            .then(|| Arc::new(rgb(&baked, |value| value.normal))),
        alpha_mode,
        // With a texture the factors multiply it.
        metallic_factor: if has_orm { 1.0 } else { metallic.mean },
        roughness_factor: if has_orm { 1.0 } else { roughness.mean },
        has_occlusion: baked.has_occlusion,
    };
    let coverage = baked
        .is_inside
        .par_iter()
        .map(|&inside| if inside { 255 } else { 0 })
        .collect();
    let size = baked.size as u32;
    (
        material,
        Arc::new(GrayImage::from_raw(size, size, coverage).unwrap_or_default()),
    )
}

/// Opaque unless a share of the texels says otherwise; cut out when alpha is mostly all or nothing.
fn alpha_mode(baked: &Baked) -> AlphaMode {
    let (mut num_solid, mut num_empty, mut num_soft) = (0_u64, 0_u64, 0_u64);
    for (value, _) in baked.values.iter().zip(&baked.is_inside).filter(|&(_, &inside)| inside) {
        match value.base_color[3] {
            SOLID_ALPHA.. => num_solid += 1,
            ..=EMPTY_ALPHA => num_empty += 1,
            _ => num_soft += 1,
        }
    }
    let total = (num_solid + num_empty + num_soft).max(1) as f64;
    let num_clear = num_empty + num_soft;
    if num_clear as f64 <= total * STRAY_SHARE {
        AlphaMode::Opaque
    } else if (num_soft as f64) <= num_clear as f64 * SOFT_SHARE {
        AlphaMode::Mask { cutoff: 0.5 }
    } else {
        AlphaMode::Blend
    }
}

struct Spread {
    low: u8,
    high: u8,
    /// Of the covered texels, `[0, 1]`.
    mean: f32,
}

impl Spread {
    fn of(baked: &Baked, channel: impl Fn(&TexelValue) -> u8) -> Self {
        let inside = || {
            baked
                .values
                .iter()
                .zip(&baked.is_inside)
                .filter(|&(_, &inside)| inside)
                .map(|(value, _)| channel(value))
        };
        let (low, high, sum, count) = inside().fold((u8::MAX, 0, 0_u64, 0_u64), |(low, high, sum, count), value| {
            (low.min(value), high.max(value), sum + u64::from(value), count + 1)
        });
        if count == 0 {
            // Nothing was covered: what the fill says holds.
            let fill = baked.values.first().map_or(0, channel);
            return Self {
                low: fill,
                high: fill,
                mean: f32::from(fill) / 255.0,
            };
        }
        Self {
            low,
            high,
            mean: (sum as f64 / count as f64 / 255.0) as f32,
        }
    }

    fn is_constant(&self) -> bool {
        self.high.saturating_sub(self.low) <= CONSTANT_WITHIN
    }

    fn byte(&self) -> u8 {
        (self.mean * 255.0 + 0.5) as u8
    }
}

fn rgb(baked: &Baked, channels: impl Fn(&TexelValue) -> [u8; 3] + Send + Sync) -> RgbImage {
    let pixels: Vec<[u8; 3]> = baked.values.par_iter().map(channels).collect();
    RgbImage::from_raw(baked.size as u32, baked.size as u32, pixels.into_flattened()).unwrap_or_default()
}

fn rgba(baked: &Baked) -> RgbaImage {
    let pixels: Vec<[u8; 4]> = baked.values.par_iter().map(|value| value.base_color).collect();
    RgbaImage::from_raw(baked.size as u32, baked.size as u32, pixels.into_flattened()).unwrap_or_default()
}
