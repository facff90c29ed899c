//! Splats as the shader reads them: 32 bytes of geometry and half-float harmonics a splat.
//!
//! Nothing drawn differs more from what was given than this, and the tests hold it to that: positions not at all; sizes
//! by a factor of 1 ± 0.000184 (between e^-16 and e^8 m); opacity by 1/131070; components of the unit quaternion by
//! 1/65534; harmonics by 1/2048 of each coefficient, or by 2^-25 where it is smaller than 2^-14.

use bozzetto_asset::GaussianSplats;
use glam::{Vec2, Vec3};
use half::f16;
use rayon::prelude::*;

use crate::draw::shared::{SCALE_HIGH, SCALE_LOW};

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
    let unit_scale = (log_scale - Vec3::splat(SCALE_LOW)) / (SCALE_HIGH - SCALE_LOW);
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

#[cfg(test)]
mod tests {
    use glam::{Quat, Vec4};

    use super::*;

    /// Numbers in `[0, 1)`, the same on every run.
    struct Numbers(u32);

    impl Numbers {
        fn next(&mut self) -> f32 {
            self.0 = self.0.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
            let bits = (self.0 ^ self.0 >> 15).wrapping_mul(0x2C1B_3C6D);
            (bits >> 8) as f32 / (1 << 24) as f32
        }

        fn between(&mut self, low: f32, high: f32) -> f32 {
            low + (high - low) * self.next()
        }
    }

    /// As `unpack2x16unorm` of WGSL.
    fn unorm(packed: u32) -> [f32; 2] {
        [packed & 0xFFFF, packed >> 16].map(|part| part as f32 / 65535.0)
    }

    /// As `unpack2x16snorm`.
    fn snorm(packed: u32) -> [f32; 2] {
        [packed as u16 as i16, (packed >> 16) as u16 as i16].map(|part| (f32::from(part) / 32767.0).max(-1.0))
    }

    fn random_splats(count: usize) -> GaussianSplats {
        let mut numbers = Numbers(5);
        let mut splats = GaussianSplats {
            sh_degree: 3,
            ..GaussianSplats::default()
        };
        for index in 0..count {
            splats.positions.push(Vec3::new(numbers.next(), -numbers.next(), 100.0));
            splats
                .log_scales
                .push(Vec3::from([(); 3].map(|()| numbers.between(SCALE_LOW, SCALE_HIGH))));
            let rotation = Vec4::from([(); 4].map(|()| numbers.between(-1.0, 1.0)));
            // Files hold quaternions of any length.
            splats.rotations.push(Quat::from_vec4(rotation * 3.0));
            splats.opacities.push(match index {
                0 => 0.0,
                1 => 1.0,
                _ => numbers.next(),
            });
            for _ in 0..16 {
                let size = numbers.between(-20.0, 5.0).exp2();
                splats.sh.push([(); 3].map(|()| numbers.between(-size, size)));
            }
        }
        splats
    }

    #[test]
    fn geometry_is_kept_within_the_stated_bounds() {
        let splats = random_splats(5000);
        for (index, packed) in pack_geometry(&splats).iter().enumerate() {
            assert_eq!(packed.position, splats.positions[index].to_array());
            let ([x, y], [z, opacity]) = (unorm(packed.scale_xy), unorm(packed.scale_z_opacity));
            let log_scale = SCALE_LOW + (SCALE_HIGH - SCALE_LOW) * Vec3::new(x, y, z);
            let factor = (log_scale - splats.log_scales[index]).map(f32::exp);
            // Beside the rounding of the packing there is that of 32-bit numbers here.
            assert!((factor - 1.0).abs().max_element() < 0.000_184 + 4e-6, "{factor}");
            let difference = (opacity - splats.opacities[index]).abs();
            assert!(difference <= 1.0 / 131_070.0 + 1e-7, "{difference}");
            let ([x, y], [z, w]) = (snorm(packed.rotation_xy), snorm(packed.rotation_zw));
            let wanted = Vec4::from(splats.rotations[index].normalize());
            let difference = (Vec4::new(x, y, z, w) - wanted).abs().max_element();
            assert!(difference <= 1.0 / 65_534.0 + 1e-6, "{difference}");
        }
    }

    #[test]
    fn harmonics_are_kept_within_the_stated_bounds() {
        let splats = random_splats(2000);
        let packed = pack_harmonics(&splats);
        let words = sh_words(3);
        for (index, coefficients) in splats.sh.as_flattened().chunks(48).enumerate() {
            for (at, &wanted) in coefficients.iter().enumerate() {
                let word = packed[index * words + at / 2];
                let found = f16::from_bits((word >> (16 * (at % 2))) as u16).to_f32();
                let bound = (wanted.abs() / 2048.0).max(0.5_f32.powi(25));
                assert!((found - wanted).abs() <= bound, "{wanted} became {found}");
            }
        }
    }

    #[test]
    fn what_cannot_be_drawn_becomes_clear() {
        let mut splats = random_splats(4);
        splats.positions[0].y = f32::NAN;
        splats.log_scales[1].x = f32::INFINITY;
        splats.rotations[2] = Quat::from_xyzw(0.0, 0.0, 0.0, 0.0);
        splats.sh[3 * 16][0] = f32::NAN;
        let packed = pack_geometry(&splats);
        for geometry in &packed[..3] {
            assert!(unorm(geometry.scale_z_opacity)[1] == 0.0 && geometry.position == [0.0; 3]);
        }
        let word = pack_harmonics(&splats)[3 * sh_words(3)];
        assert_eq!(word & 0xFFFF, 0);
    }
}
