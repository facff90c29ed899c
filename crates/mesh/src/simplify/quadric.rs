//! Quadric error of a surface with attributes (Garland and Heckbert 1997; Hoppe 1999, "New quadric metric for simplifying
//! meshes with appearance attributes").

use std::array;

use glam::Vec3;

/// Thinner triangles, by height over length, have no gradient worth the name: it would grow beyond all bounds.
const THINNEST: f32 = 1e-3;

/// The squared distances from a place, with its `N` attributes, to a set of triangles, each weighted by its area.
///
/// Place and attributes count from those of the vertex that the quadric belongs to. So all numbers stay small next to the
/// surface's extent, and single precision is enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quadric<const N: usize> {
    /// The quadratic form's matrix: `xx`, `yy`, `zz`, then `yz`, `zx`, `xy`.
    diagonal: Vec3,
    mixed: Vec3,
    linear: Vec3,
    constant: f32,
    /// The triangles' area.
    area: f32,
    /// Of each attribute, summed over the triangles: gradient, and value at the vertex.
    gradients: [Vec3; N],
    values: [f32; N],
}

impl<const N: usize> Quadric<N> {
    pub(super) const ZERO: Self = Self {
        diagonal: Vec3::ZERO,
        mixed: Vec3::ZERO,
        linear: Vec3::ZERO,
        constant: 0.0,
        area: 0.0,
        gradients: [Vec3::ZERO; N],
        values: [0.0; N],
    };

    /// Of one triangle, for any of its corners: its plane and its attributes go through all three.
    pub(super) fn of_triangle([a, b, c]: [Vec3; 3], attributes: [&[f32; N]; 3]) -> Self {
        let (ab, ac) = (b - a, c - a);
        let normal = ab.cross(ac);
        let squared = normal.length_squared();
        if squared.is_nan() || squared <= 0.0 {
            return Self::ZERO;
        }
        let mut quadric = Self::ZERO;
        quadric.area = squared.sqrt() * 0.5;
        quadric.add_square(normal / squared.sqrt(), quadric.area);
        let longest = ab
            .length_squared()
            .max(ac.length_squared())
            .max((c - b).length_squared());
        if squared < (THINNEST * longest).powi(2) {
            return quadric;
        }
        // Gradients of the second and third barycentric weight.
        let (toward_b, toward_c) = (ac.cross(normal) / squared, normal.cross(ab) / squared);
        for k in 0..N {
            let [of_a, of_b, of_c] = attributes.map(|values| values[k]);
            let gradient = toward_b * (of_b - of_a) + toward_c * (of_c - of_a);
            quadric.add_square(gradient, quadric.area);
            quadric.gradients[k] = gradient * quadric.area;
        }
        quadric
    }

    /// Of a plane through the vertex, with no area: it holds the vertex without counting as surface.
    pub(super) fn of_plane(normal: Vec3, weight: f32) -> Self {
        let mut quadric = Self::ZERO;
        quadric.add_square(normal, weight);
        quadric
    }

    fn add_square(&mut self, vector: Vec3, weight: f32) {
        let weighted = vector * weight;
        self.diagonal += weighted * vector;
        self.mixed += Vec3::new(weighted.y * vector.z, weighted.z * vector.x, weighted.x * vector.y);
    }

    fn times(&self, [x, y, z]: [f32; 3]) -> Vec3 {
        let (xy, yz, zx) = (self.mixed.z, self.mixed.x, self.mixed.y);
        Vec3::new(
            self.diagonal.x * x + xy * y + zx * z,
            xy * x + self.diagonal.y * y + yz * z,
            zx * x + yz * y + self.diagonal.z * z,
        )
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.diagonal += other.diagonal;
        self.mixed += other.mixed;
        self.linear += other.linear;
        self.constant += other.constant;
        self.area += other.area;
        for k in 0..N {
            self.gradients[k] += other.gradients[k];
            self.values[k] += other.values[k];
        }
    }

    /// The mean squared error at a place with other attributes, both as differences from the vertex' own.
    pub(super) fn error(&self, offset: Vec3, change: &[f32; N]) -> f32 {
        let mut sum = offset.dot(self.times(offset.to_array()) + 2.0 * self.linear) + self.constant;
        for ((gradient, value), change) in self.gradients.iter().zip(self.values).zip(change) {
            let expected = gradient.dot(offset) + value;
            sum += change * (self.area * change - 2.0 * expected);
        }
        (sum / self.area.max(f32::MIN_POSITIVE)).max(0.0)
    }

    /// The same quadric for the vertex at a place with other attributes.
    pub(super) fn moved(&self, offset: Vec3, change: &[f32; N]) -> Self {
        let mut moved = *self;
        let turned = self.times(offset.to_array());
        moved.constant += offset.dot(turned + 2.0 * self.linear);
        moved.linear += turned;
        moved.values = array::from_fn(|k| {
            let value = self.values[k] + self.gradients[k].dot(offset);
            moved.linear -= self.gradients[k] * change[k];
            moved.constant += change[k] * (self.area * change[k] - 2.0 * value);
            value - self.area * change[k]
        });
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORNERS: [Vec3; 3] = [Vec3::ZERO, Vec3::new(2.0, 0.0, 0.0), Vec3::new(0.0, 1.0, 0.0)];

    #[test]
    fn the_error_is_the_squared_distance_to_the_plane() {
        let quadric = Quadric::of_triangle(CORNERS, [&[], &[], &[]]);
        assert!((quadric.error(Vec3::new(5.0, -3.0, 0.5), &[]) - 0.25).abs() < 1e-6);
        assert_eq!(quadric.error(Vec3::new(5.0, -3.0, 0.0), &[]), 0.0);
    }

    #[test]
    fn attributes_that_go_on_as_on_the_triangle_cost_nothing() {
        // The attribute is `3 x + y`.
        let quadric = Quadric::of_triangle(CORNERS, [&[0.0], &[6.0], &[1.0]]);
        assert!(quadric.error(Vec3::new(1.0, 2.0, 0.0), &[5.0]) < 1e-5);
        assert!((quadric.error(Vec3::new(1.0, 2.0, 0.0), &[5.5]) - 0.25).abs() < 1e-5);
    }

    #[test]
    fn moving_it_changes_no_error() {
        let mut quadric = Quadric::of_triangle(CORNERS, [&[0.0], &[6.0], &[1.0]]);
        quadric.add(&Quadric::of_triangle(
            [Vec3::ZERO, Vec3::Y, Vec3::new(0.3, 0.2, 1.0)],
            [&[0.0], &[1.0], &[-2.0]],
        ));
        let (offset, change) = (Vec3::new(0.3, -0.2, 0.4), [0.7]);
        let moved = quadric.moved(offset, &change);
        for (place, value) in [(Vec3::ZERO, 0.0), (Vec3::X, 0.4), (Vec3::new(-0.5, 2.0, 1.0), -1.0)] {
            let before = quadric.error(offset + place, &[change[0] + value]);
            let after = moved.error(place, &[value]);
            assert!((before - after).abs() < 1e-4 * before.max(1.0), "{before} {after}");
        }
    }

    #[test]
    fn a_triangle_without_area_has_no_say() {
        let quadric = Quadric::of_triangle([Vec3::ZERO, Vec3::X, Vec3::X * 2.0], [&[0.0], &[1.0], &[2.0]]);
        assert_eq!(quadric.error(Vec3::ONE, &[9.0]), 0.0);
    }
}
