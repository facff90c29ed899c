//! The place that lies in several planes at once, as well as one can (Ju et al. 2002).

use glam::{Mat3, Vec3};

/// Directions in which the planes say less than this share of what they say in the strongest one are noise. Two walls
/// that meet at less than about 16 degrees count as one bent wall.
const CUTOFF: f32 = 0.02;
const SWEEPS: usize = 8;

/// Where planes meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Meeting {
    pub(super) point: Vec3,
    /// 1 on a flat surface, 2 on an edge, 3 in a corner, 0 without planes.
    pub(super) rank: u8,
}

/// The point with the least sum of squared distances from planes through `points`; where they leave it open, the one
/// nearest to the points' middle. Points without a normal count for the middle only.
pub(super) fn meeting(points: &[Vec3], normals: &[Vec3]) -> Meeting {
    let middle = points.iter().sum::<Vec3>() / points.len().max(1) as f32;
    let mut matrix = Mat3::ZERO;
    let mut right = Vec3::ZERO;
    for (point, &normal) in points.iter().zip(normals) {
        matrix += Mat3::from_cols(normal * normal.x, normal * normal.y, normal * normal.z);
        right += normal * normal.dot(*point - middle);
    }
    let (values, axes) = eigen(matrix);
    let largest = values.max_element();
    let mut offset = Vec3::ZERO;
    let mut rank = 0;
    for axis in 0..3 {
        if values[axis] > largest * CUTOFF && values[axis] > 1e-6 {
            let direction = axes.col(axis);
            offset += direction * (direction.dot(right) / values[axis]);
            rank += 1;
        }
    }
    Meeting {
        point: middle + offset,
        rank,
    }
}

/// Eigenvalues and eigenvectors of a symmetric matrix by Jacobi rotations.
fn eigen(mut matrix: Mat3) -> (Vec3, Mat3) {
    let mut axes = Mat3::IDENTITY;
    for _ in 0..SWEEPS {
        let mut is_diagonal = true;
        for (p, q, rest) in [(0, 1, 2), (0, 2, 1), (1, 2, 0)] {
            let (off, at_p, at_q) = (matrix.col(q)[p], matrix.col(p)[p], matrix.col(q)[q]);
            if off.abs() <= 1e-7 * (at_p + at_q) {
                continue;
            }
            is_diagonal = false;
            let theta = (at_q - at_p) / (2.0 * off);
            let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
            let cosine = (tangent * tangent + 1.0).sqrt().recip();
            let sine = tangent * cosine;
            let (beside_p, beside_q) = (matrix.col(p)[rest], matrix.col(q)[rest]);
            let mut put = |row: usize, column: usize, value: f32| {
                matrix.col_mut(column)[row] = value;
                matrix.col_mut(row)[column] = value;
            };
            put(p, p, at_p - tangent * off);
            put(q, q, at_q + tangent * off);
            put(p, q, 0.0);
            put(rest, p, cosine * beside_p - sine * beside_q);
            put(rest, q, sine * beside_p + cosine * beside_q);
            let (axis_p, axis_q) = (axes.col(p), axes.col(q));
            *axes.col_mut(p) = axis_p * cosine - axis_q * sine;
            *axes.col_mut(q) = axis_p * sine + axis_q * cosine;
        }
        if is_diagonal {
            break;
        }
    }
    (
        Vec3::new(matrix.x_axis.x, matrix.y_axis.y, matrix.z_axis.z).max(Vec3::ZERO),
        axes,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_of_a_wall_an_edge_and_a_corner() {
        let turn = glam::Quat::from_euler(glam::EulerRot::XYZ, 0.3, 1.1, -0.7);
        let corner = Vec3::new(0.3, 0.6, 0.2);
        let walls = [Vec3::X, Vec3::Y, Vec3::Z].map(|normal| turn * normal);
        for rank in 1..=3_usize {
            let mut points = Vec::new();
            let mut normals = Vec::new();
            for &normal in &walls[..rank] {
                let (u, v) = normal.any_orthonormal_pair();
                for (a, b) in [(0.2, 0.1), (-0.3, 0.4), (0.1, -0.4)] {
                    points.push(corner + u * a + v * b);
                    normals.push(normal);
                }
            }
            let found = meeting(&points, &normals);
            assert_eq!(usize::from(found.rank), rank);
            for normal in &walls[..rank] {
                assert!((found.point - corner).dot(*normal).abs() < 1e-5, "{found:?}");
            }
        }
        assert_eq!(
            meeting(&[Vec3::X, Vec3::Y], &[Vec3::ZERO; 2]).point,
            Vec3::new(0.5, 0.5, 0.0)
        );
    }

    #[test]
    fn eigenvectors_are_what_they_say() {
        let matrix = Mat3::from_cols_array(&[4.0, 1.0, -0.5, 1.0, 2.0, 0.25, -0.5, 0.25, 1.0]);
        let (values, axes) = eigen(matrix);
        for axis in 0..3 {
            let error = matrix * axes.col(axis) - axes.col(axis) * values[axis];
            assert!(error.length() < 1e-5, "{error}");
        }
    }
}
