//! Splats as the shader reads them: 32 bytes of geometry and half-float harmonics a splat.

use bozzetto_asset::GaussianSplats;
use glam::{Vec2, Vec3};
use half::f16;
use rayon::prelude::*;

/// Range of the natural logarithm of a standard deviation; shared with `SCALE_RANGE` in `splat_project.wgsl`. Steps of
/// 24 / 65535 keep sizes to 0.02 %.
const SCALE_RANGE: (f32, f32) = (-16.0, 8.0);

/// One splat's geometry; `SplatGeometry` in `splat_project.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
pub struct SplatGeometry {
    position: [f32; 3],
    scale_xy: u32,
    scale_z_opacity: u32,
    rotation_xy: u32,
    rotation_zw: u32,
    unused: u32,
}

/// Words that one splat's harmonics take: three half floats a coefficient, rounded up.
pub fn sh_words(sh_degree: u8) -> usize {
    let num_coefficients = (usize::from(sh_degree) + 1).pow(2);
    (num_coefficients * 3).div_ceil(2)
}

/// Geometry of every splat. Splats with numbers that are not finite become transparent.
pub fn pack_geometry(splats: &GaussianSplats) -> Vec<SplatGeometry> {
    (0..splats.len())
        .into_par_iter()
        .map(|index| pack_one(splats, index))
        .collect()
}

fn pack_one(splats: &GaussianSplats, index: usize) -> SplatGeometry {
    let position = splats.positions[index];
    let log_scale = splats.log_scales[index];
    let rotation = splats.rotations[index];
    let length = rotation.length();
    let is_drawable = position.is_finite()
        && log_scale.is_finite()
        && length.is_finite()
        && length > 0.0
        && splats.opacities[index].is_finite();
    if !is_drawable {
        return bytemuck::Zeroable::zeroed();
    }
    let rotation = rotation / length;
    let unit_scale = (log_scale - Vec3::splat(SCALE_RANGE.0)) / (SCALE_RANGE.1 - SCALE_RANGE.0);
    SplatGeometry {
        position: position.to_array(),
        scale_xy: unorm16x2(unit_scale.truncate()),
        scale_z_opacity: unorm16x2(Vec2::new(unit_scale.z, splats.opacities[index])),
        rotation_xy: snorm16x2(Vec2::new(rotation.x, rotation.y)),
        rotation_zw: snorm16x2(Vec2::new(rotation.z, rotation.w)),
        unused: 0,
    }
}

/// Harmonics of every splat, `sh_words` words each.
pub fn pack_harmonics(splats: &GaussianSplats) -> Vec<u32> {
    let words = sh_words(splats.sh_degree);
    let num_coefficients = splats.num_sh_coefficients();
    let mut packed = vec![0_u32; splats.len() * words];
    packed
        .par_chunks_mut(words)
        .zip(splats.sh.par_chunks(num_coefficients))
        .for_each(|(words, coefficients)| {
            for (at, &value) in coefficients.as_flattened().iter().enumerate() {
                let bits = u32::from(f16::from_f32(if value.is_finite() { value } else { 0.0 }).to_bits());
                words[at / 2] |= bits << (16 * (at % 2));
            }
        });
    packed
}

fn unorm16x2(value: Vec2) -> u32 {
    let part = |value: f32| (value.clamp(0.0, 1.0) * 65535.0 + 0.5) as u32;
    part(value.x) | part(value.y) << 16
}

fn snorm16x2(value: Vec2) -> u32 {
    let part = |value: f32| u32::from((value.clamp(-1.0, 1.0) * 32767.0).round() as i16 as u16);
    part(value.x) | part(value.y) << 16
}
