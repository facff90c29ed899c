//! Finds the splat that a ray meets first.

use bozzetto_asset::GaussianSplats;
use glam::Vec3;
use rayon::prelude::*;

/// A splat counts as a surface where it covers at least this share of what lies behind it.
const MIN_COVER: f32 = 0.3;

/// Distance along a ray, in lengths of its direction, to the nearest splat that hides a good part of what is behind it;
/// `None` where there is none.
pub fn first_splat_hit(splats: &GaussianSplats, origin: Vec3, direction: Vec3) -> Option<f32> {
    (0..splats.len())
        .into_par_iter()
        .filter_map(|index| hit(splats, index, origin, direction))
        .min_by(f32::total_cmp)
}

/// Where the ray passes closest to a splat's middle, measured in its standard deviations: there it is densest.
fn hit(splats: &GaussianSplats, index: usize, origin: Vec3, direction: Vec3) -> Option<f32> {
    let opacity = *splats.opacities.get(index)?;
    if opacity < MIN_COVER {
        return None;
    }
    let to_splat = splats.rotations.get(index)?.normalize().inverse();
    let scale = splats.log_scales.get(index)?.exp();
    let origin = to_splat * (origin - *splats.positions.get(index)?) / scale;
    let direction = to_splat * direction / scale;
    let distance = -origin.dot(direction) / direction.length_squared();
    let miss_squared = (origin + direction * distance).length_squared();
    let cover = opacity * (-0.5 * miss_squared).exp();
    // What is not a number is no hit either.
    (cover >= MIN_COVER && distance > 0.0).then_some(distance)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::FRAC_PI_4;

    use glam::Quat;

    use super::*;

    /// Flat splats, 0.2 m wide and 2 mm thick along their own z.
    fn discs(discs: &[(Vec3, Quat, f32)]) -> GaussianSplats {
        GaussianSplats {
            positions: discs.iter().map(|disc| disc.0).collect(),
            rotations: discs.iter().map(|disc| disc.1).collect(),
            opacities: discs.iter().map(|disc| disc.2).collect(),
            log_scales: vec![Vec3::new(0.1, 0.1, 0.002).map(f32::ln); discs.len()],
            sh: vec![[0.0; 3]; discs.len()],
            ..GaussianSplats::default()
        }
    }

    fn hit(splats: &GaussianSplats, x: f32, y: f32) -> Option<f32> {
        first_splat_hit(splats, Vec3::new(x, y, 2.0), Vec3::NEG_Z)
    }

    #[test]
    fn the_nearest_splat_that_covers_something_is_met() {
        let splats = discs(&[
            (Vec3::ZERO, Quat::IDENTITY, 0.9),
            (Vec3::Z * 0.5, Quat::IDENTITY, 0.8),
            (Vec3::Z * 1.0, Quat::IDENTITY, 0.2),
            (Vec3::Z * 3.0, Quat::IDENTITY, 0.9),
        ]);
        let distance = hit(&splats, 0.02, 0.0).expect("met");
        assert!((distance - 1.5).abs() < 1e-4, "not what is faint or behind: {distance}");
        assert_eq!(hit(&splats, 0.3, 0.0), None, "beside all of them");
        assert_eq!(hit(&GaussianSplats::default(), 0.0, 0.0), None);
    }

    #[test]
    fn a_turned_splat_is_met_on_its_slope() {
        let slope = discs(&[(Vec3::ZERO, Quat::from_rotation_y(FRAC_PI_4), 1.0)]);
        // Its own x goes to (1, 0, -1).
        let distance = hit(&slope, 0.06, 0.0).expect("met");
        assert!((distance - 2.06).abs() < 1e-3, "{distance}");
    }

    #[test]
    fn what_is_not_a_number_is_not_met() {
        let mut broken = discs(&[(Vec3::ZERO, Quat::IDENTITY, 0.9)]);
        broken.positions[0].x = f32::NAN;
        assert_eq!(hit(&broken, 0.0, 0.0), None);
    }
}
