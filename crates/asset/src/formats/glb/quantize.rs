//! Vertex attributes as small whole numbers: `KHR_mesh_quantization`.
//!
//! What each loses:
//!
//! | attribute | stored as | at most off by |
//! | --- | --- | --- |
//! | position | 3 x 16 bit, normalised, times the node's scale | 1/32767 of the largest coordinate |
//! | normal | 3 x 16 bit, normalised | 0.002 degrees |
//! | tangent | 4 x 8 bit, normalised | 0.4 degrees |
//! | texture coordinate | 2 x 16 bit, normalised | 1/131070 of the texture, a 16th of a texel at 8192 px |
//!
//! Normals need more than 8 bits: reflections in smooth metal show the steps. Tangents only turn the relief of the
//! normal map and need no more. Entries are padded to four bytes, as glTF asks of vertex data.

use glam::{Vec2, Vec3};

/// Positions as stored, with what they are to be multiplied by.
pub(super) struct QuantizedPositions {
    /// The last number of each is padding.
    pub(super) entries: Vec<[i16; 4]>,
    /// The node's scale, the same in all directions.
    ///
    /// There is no offset beside it: the node's origin stays the object's pivot. It is a power of two, so that
    /// multiplying rounds nothing and an object of up to a metre about its pivot has no scale but 1, 1/2, 1/4 and so on.
    pub(super) scale: f32,
}

impl QuantizedPositions {
    /// The smallest and largest number on each axis, as glTF wants them: as stored.
    pub(super) fn bounds(&self) -> [[i16; 3]; 2] {
        let mut bounds = [[i16::MAX; 3], [i16::MIN; 3]];
        for entry in &self.entries {
            for axis in 0..3 {
                bounds[0][axis] = bounds[0][axis].min(entry[axis]);
                bounds[1][axis] = bounds[1][axis].max(entry[axis]);
            }
        }
        bounds
    }
}

/// Positions, which must be finite. Each coordinate is off by half a step at most, `scale / 65534`, which is less than
/// 1/32767 of the largest coordinate.
pub(super) fn positions(positions: &[Vec3]) -> QuantizedPositions {
    let largest = positions
        .iter()
        .fold(0.0_f32, |largest, position| largest.max(position.abs().max_element()));
    let scale = power_of_two_above(largest);
    let entries = positions
        .iter()
        .map(|position| {
            let [x, y, z] = (position.as_dvec3() / f64::from(scale)).to_array().map(signed_16);
            [x, y, z, 0]
        })
        .collect();
    QuantizedPositions { entries, scale }
}

/// The smallest power of two that is not less; 1 for zero, and the largest number there is where no power reaches.
fn power_of_two_above(value: f32) -> f32 {
    if value == 0.0 {
        return 1.0;
    }
    let power = value.max(f32::MIN_POSITIVE).log2().ceil().exp2();
    // The logarithm is rounded.
    let power = if power < value { power * 2.0 } else { power };
    power.min(f32::MAX)
}

/// A unit normal; the last number is padding.
pub(super) fn normal(normal: Vec3) -> [i16; 4] {
    let [x, y, z] = normal.as_dvec3().to_array().map(signed_16);
    [x, y, z, 0]
}

/// A unit tangent with its handedness, which stays exact.
pub(super) fn tangent(tangent: [f32; 4]) -> [i8; 4] {
    tangent.map(|value| (value.clamp(-1.0, 1.0) * 127.0).round() as i8)
}

/// Texture coordinates; `None` when some lie outside of the texture, as those of tiled pictures do.
pub(super) fn uvs(uvs: &[Vec2]) -> Option<Vec<[u16; 2]>> {
    let is_inside = |uv: &Vec2| uv.min_element() >= 0.0 && uv.max_element() <= 1.0;
    uvs.iter()
        .map(|uv| is_inside(uv).then(|| uv.as_dvec2().to_array().map(|value| (value * 65_535.0).round() as u16)))
        .collect()
}

/// In double precision, so that rounding is the only loss.
fn signed_16(value: f64) -> i16 {
    (value.clamp(-1.0, 1.0) * 32_767.0).round() as i16
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn direction() -> impl Strategy<Value = Vec3> {
        (-1.0_f32..1.0, -1.0_f32..1.0, -1.0_f32..1.0)
            .prop_map(|(x, y, z)| Vec3::new(x, y, z).try_normalize().unwrap_or(Vec3::X))
    }

    proptest! {
        #[test]
        fn positions_are_off_by_half_a_step_at_most(
            size in -20_i32..20,
            points in prop::collection::vec((-1.0_f32..1.0, -1.0_f32..1.0, -1.0_f32..1.0), 1..50),
        ) {
            let points: Vec<Vec3> = points.into_iter().map(|point| Vec3::from(point) * (size as f32).exp2() * 1.3).collect();
            let largest = points.iter().fold(0.0_f32, |largest, point| largest.max(point.abs().max_element()));
            let quantized = positions(&points);
            for (point, entry) in points.iter().zip(&quantized.entries) {
                for axis in 0..3 {
                    let back = f64::from(entry[axis]) / 32_767.0 * f64::from(quantized.scale);
                    let error = (back - f64::from(point[axis])).abs();
                    prop_assert!(error <= f64::from(quantized.scale) / 65_534.0 * (1.0 + 1e-9), "{error}");
                    prop_assert!(error <= f64::from(largest) / 32_767.0, "{error} of {largest}");
                }
            }
        }

        #[test]
        fn directions_turn_by_less_than_the_table_says(vector in direction(), is_left in any::<bool>()) {
            // In double precision: the angle of 32-bit unit vectors is known to 0.02 degrees only.
            let angle_deg = |stored: [f64; 3]| {
                let (stored, exact) = (glam::DVec3::from(stored), vector.as_dvec3());
                stored.cross(exact).length().atan2(stored.dot(exact)).to_degrees()
            };
            let [x, y, z, _] = normal(vector);
            prop_assert!(angle_deg([x, y, z].map(f64::from)) < 0.002);
            let handedness = if is_left { -1.0 } else { 1.0 };
            let [x, y, z, w] = tangent([vector.x, vector.y, vector.z, handedness]);
            prop_assert!(angle_deg([x, y, z].map(f64::from)) < 0.4);
            prop_assert_eq!(f32::from(w) / 127.0, handedness);
        }

        #[test]
        fn texture_coordinates_are_off_by_a_fraction_of_a_texel(u in 0.0_f32..=1.0, v in 0.0_f32..=1.0) {
            let [[stored_u, stored_v]] = uvs(&[Vec2::new(u, v)]).unwrap()[..] else { unreachable!() };
            for (stored, exact) in [(stored_u, u), (stored_v, v)] {
                let error = (f64::from(stored) / 65_535.0 - f64::from(exact)).abs();
                prop_assert!(error <= (1.0 + 1e-9) / 131_070.0, "{error}");
            }
        }
    }

    #[test]
    fn an_object_about_its_pivot_keeps_a_plain_scale() {
        let scale = |size: f32| positions(&[Vec3::new(size, 0.0, -size / 3.0)]).scale;
        assert_eq!(
            [0.5, 0.500_1, 1.0, 1.7, 0.03].map(scale),
            [0.5, 1.0, 1.0, 2.0, 0.031_25]
        );
        assert_eq!(scale(0.0), 1.0);
        assert!(scale(1e-40) > 0.0 && scale(3e38) == f32::MAX);
        assert_eq!(
            positions(&[Vec3::X, Vec3::NEG_Y]).bounds(),
            [[0, -32_767, 0], [32_767, 0, 0]]
        );
    }

    #[test]
    fn tiled_texture_coordinates_are_left_alone() {
        assert_eq!(uvs(&[Vec2::ZERO, Vec2::new(1.5, 0.0)]), None);
        assert_eq!(uvs(&[Vec2::ONE]), Some(vec![[u16::MAX; 2]]));
    }
}
