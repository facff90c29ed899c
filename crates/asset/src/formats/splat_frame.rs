//! What the splat formats share: the half turn between y-down files and the model frame, and which splats are usable.

use glam::{Quat, Vec3};

use super::FormatError;
use crate::GaussianSplats;

/// Sign of each spherical harmonic under the half turn about X, `(x, y, z) -> (x, -y, -z)`, in the order of 3DGS: the
/// parity in y and z of the basis polynomials y; z; x; xy; yz; 3zz-1; xz; xx-yy; y(3xx-yy); xyz; y(5zz-1); z(5zz-3);
/// x(5zz-1); z(xx-yy); x(xx-3yy).
pub(super) const SH_SIGNS: [f32; 16] = [
    1.0, // degree 0
    -1.0, -1.0, 1.0, // degree 1
    -1.0, 1.0, 1.0, -1.0, 1.0, // degree 2
    -1.0, 1.0, -1.0, -1.0, 1.0, -1.0, 1.0, // degree 3
];

/// A point after the half turn about X; its own inverse.
pub(super) fn turned_point(point: Vec3) -> Vec3 {
    Vec3::new(point.x, -point.y, -point.z)
}

/// The rotation of a splat after the half turn about X. The splat's own axes turn along with it, which its ellipsoid
/// does not notice and which keeps an upright splat's rotation the identity.
pub(super) fn turned_rotation(rotation: Quat) -> Quat {
    Quat::from_xyzw(rotation.x, -rotation.y, -rotation.z, rotation.w)
}

/// Makes rotations unit length and leaves out splats that cannot be drawn: a position, log scale, rotation, opacity or
/// colour that is not finite, or a rotation of no length. Returns how many were left out. Training runs leave a few
/// such splats behind; refusing the whole file for them would help nobody.
pub(super) fn drop_broken(splats: &mut GaussianSplats) -> usize {
    let num_coefficients = splats.num_sh_coefficients();
    let keeps: Vec<bool> = (0..splats.len())
        .map(|index| {
            let colors = &splats.sh[index * num_coefficients..(index + 1) * num_coefficients];
            splats.positions[index].is_finite()
                && splats.log_scales[index].is_finite()
                && splats.opacities[index].is_finite()
                && splats.rotations[index].is_finite()
                && (1e-30..1e30).contains(&splats.rotations[index].length_squared())
                && colors.iter().flatten().all(|value| value.is_finite())
        })
        .collect();
    let num_dropped = keeps.iter().filter(|keep| !**keep).count();
    if num_dropped > 0 {
        keep_marked(&mut splats.positions, &keeps, 1);
        keep_marked(&mut splats.log_scales, &keeps, 1);
        keep_marked(&mut splats.opacities, &keeps, 1);
        keep_marked(&mut splats.rotations, &keeps, 1);
        keep_marked(&mut splats.sh, &keeps, num_coefficients);
    }
    for rotation in &mut splats.rotations {
        // Left alone when it is unit already, so that a file survives reading and writing bit for bit.
        if !rotation.is_normalized() {
            *rotation = rotation.normalize();
        }
    }
    num_dropped
}

fn keep_marked<T>(values: &mut Vec<T>, keeps: &[bool], num_per_splat: usize) {
    let mut index = 0;
    values.retain(|_| {
        let keep = keeps[index / num_per_splat];
        index += 1;
        keep
    });
}

/// Refuses splats that contradict themselves or hold something that is no number.
pub(super) fn check_writable(splats: &GaussianSplats) -> Result<(), FormatError> {
    if !splats.is_consistent() {
        return Err(FormatError::unwritable("the splats' arrays do not fit together"));
    }
    let is_finite = splats.positions.iter().all(|position| position.is_finite())
        && splats.log_scales.iter().all(|scale| scale.is_finite())
        && splats.rotations.iter().all(|rotation| rotation.is_finite())
        && splats.opacities.iter().all(|opacity| opacity.is_finite())
        && splats.sh.iter().flatten().all(|value| value.is_finite());
    if is_finite {
        Ok(())
    } else {
        Err(FormatError::unwritable(
            "some splats hold values that are not finite numbers",
        ))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{SplatFilter, sh_basis};

    /// Red on +X, green on +Y, blue on +Z, each long along its own axis, with view-dependent colour when `sh_degree`
    /// allows.
    pub(crate) fn axes_scene(sh_degree: u8) -> GaussianSplats {
        let num_coefficients = (sh_degree as usize + 1).pow(2);
        let rotations = [
            Quat::IDENTITY,
            Quat::from_rotation_arc(Vec3::X, Vec3::Y),
            Quat::from_rotation_arc(Vec3::X, Vec3::Z),
        ];
        let mut sh = Vec::new();
        for axis in 0..3 {
            let mut color = [0.0; 3];
            color[axis] = 1.0;
            sh.push(GaussianSplats::dc_from_srgb(color));
            for coefficient in 1..num_coefficients {
                let value = (coefficient as f32 * 0.037 + axis as f32 * 0.11).sin() * 0.8;
                sh.push([value, value * 0.5, -value]);
            }
        }
        GaussianSplats {
            positions: vec![Vec3::X * 0.4, Vec3::Y * 0.4, Vec3::Z * 0.4],
            log_scales: vec![Vec3::new(-2.0, -4.0, -5.0); 3],
            rotations: rotations.to_vec(),
            opacities: vec![0.9, 0.5, 0.1],
            sh_degree,
            sh,
            filter: SplatFilter::Mip,
        }
    }

    /// Covariance of a splat in the model frame, up to floating-point error.
    pub(crate) fn covariance(rotation: Quat, log_scale: Vec3) -> glam::Mat3 {
        let rotation = glam::Mat3::from_quat(rotation);
        let variance = (log_scale * 2.0).exp();
        rotation * glam::Mat3::from_diagonal(variance) * rotation.transpose()
    }

    #[test]
    fn turned_harmonics_show_each_direction_the_color_it_had() {
        for direction in [
            Vec3::X,
            Vec3::Y,
            Vec3::Z,
            Vec3::new(0.3, -0.5, 0.81),
            Vec3::new(-0.7, 0.2, 0.1),
        ] {
            let direction = direction.normalize();
            let before = sh_basis(direction);
            let after = sh_basis(turned_point(direction));
            for index in 0..16 {
                // One coefficient at a time: its basis function alone must agree.
                assert!(
                    (before[index] - SH_SIGNS[index] * after[index]).abs() < 1e-6,
                    "{index} {direction}"
                );
            }
        }
    }

    #[test]
    fn turned_rotation_turns_the_ellipsoid() {
        let rotation = Quat::from_euler(glam::EulerRot::XYZ, 0.4, -1.1, 2.3);
        let log_scale = Vec3::new(-1.0, -2.0, -3.0);
        let half_turn = glam::Mat3::from_diagonal(Vec3::new(1.0, -1.0, -1.0));
        let expected = half_turn * covariance(rotation, log_scale) * half_turn.transpose();
        let turned = covariance(turned_rotation(rotation), log_scale);
        assert!(turned.abs_diff_eq(expected, 1e-6));
    }

    #[test]
    fn broken_splats_are_left_out_and_the_rest_stay_together() {
        let mut splats = axes_scene(1);
        let expected_sh = [splats.sh[0..4].to_vec(), splats.sh[8..12].to_vec()].concat();
        splats.log_scales[1].y = f32::NEG_INFINITY;
        splats.rotations[2] *= 3.0;
        assert_eq!(drop_broken(&mut splats), 1);
        assert!(splats.is_consistent());
        assert_eq!(splats.positions, [Vec3::X * 0.4, Vec3::Z * 0.4]);
        assert_eq!(splats.sh, expected_sh);
        assert!(splats.rotations[1].is_normalized());
    }
}
