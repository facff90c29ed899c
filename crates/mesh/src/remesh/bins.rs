//! Which triangles pass through which bricks.

use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::lattice::{BRICK, Lattice};
use super::stage::Stage;
use crate::joined::joined;
use crate::{MeshError, Step};

/// More pairs of a brick and a triangle than this would not fit into memory.
const MOST_PAIRS: f64 = (1_u64 << 29) as f64;
/// A hair around each brick, in cells, so that no triangle in its rim is missed.
const HAIR: f32 = 2e-3;
const CHUNK: usize = 4096;

/// The bricks near the surface in raster order, with their triangles in order of index.
pub(super) struct Bins {
    /// Raster index of each brick, rising.
    pub(super) bricks: Vec<u32>,
    starts: Vec<usize>,
    faces: Vec<u32>,
}

impl Bins {
    /// Sorts triangles, in cells, into the bricks within `reach` cells of them.
    pub(super) fn new(
        lattice: &Lattice,
        triangles: &(impl Fn(u32) -> [Vec3; 3] + Sync),
        faces: &[u32],
        reach: f32,
        stage: &Stage<'_>,
    ) -> Result<Self, MeshError> {
        let grow = (reach + HAIR) / BRICK as f32;
        let corners = |face: u32| triangles(face).map(|corner| corner / BRICK as f32);
        let expected: f64 = faces.par_iter().map(|&face| expected_bricks(corners(face), grow)).sum();
        if expected > MOST_PAIRS {
            return Err(MeshError::BadSetting {
                what: "The remesh resolution is too high for this surface: its faces are many and large. Lower it."
                    .to_owned(),
            });
        }
        let chunks: Vec<Vec<u64>> = faces
            .par_chunks(CHUNK)
            .map(|chunk| {
                stage.add(chunk.len())?;
                let mut pairs = Vec::with_capacity(chunk.len() * 2);
                for &face in chunk {
                    bricks_of(corners(face), grow, &mut |brick| {
                        if let Some(index) = lattice.index_of(brick) {
                            pairs.push(u64::from(index) << 32 | u64::from(face));
                        }
                    });
                }
                Ok(pairs)
            })
            .collect::<Result<_, MeshError>>()?;
        let mut pairs = joined(&chunks);
        drop(chunks);
        stage.control().check(Step::Remesh)?;
        pairs.par_sort_unstable();
        let mut bins = Self {
            bricks: Vec::new(),
            starts: vec![0],
            faces: pairs.par_iter().map(|&pair| pair as u32).collect(),
        };
        for of_brick in pairs.chunk_by(|a, b| a >> 32 == b >> 32) {
            bins.bricks.push((of_brick[0] >> 32) as u32);
            bins.starts.push(bins.starts[bins.starts.len() - 1] + of_brick.len());
        }
        Ok(bins)
    }

    /// Place of a brick among those near the surface.
    pub(super) fn find(&self, brick: u32) -> Option<usize> {
        self.bricks.binary_search(&brick).ok()
    }

    /// Triangles that pass through a brick.
    pub(super) fn faces(&self, bin: usize) -> &[u32] {
        &self.faces[self.starts[bin]..self.starts[bin + 1]]
    }
}

/// About how many bricks a triangle passes through.
fn expected_bricks([a, b, c]: [Vec3; 3], grow: f32) -> f64 {
    let area = f64::from((b - a).cross(c - a).length()) * 0.5;
    let rim = f64::from((b - a).length() + (c - b).length() + (a - c).length());
    let wide = 1.0 + 2.0 * f64::from(grow);
    wide * (1.0 + rim * wide + 1.5 * area)
}

/// Calls for each brick whose closed box, grown all round, meets the triangle. Lengths are in bricks.
fn bricks_of(triangle: [Vec3; 3], grow: f32, visit: &mut impl FnMut(IVec3)) {
    let [a, b, c] = triangle;
    let low = (a.min(b).min(c) - grow).floor().as_ivec3();
    let high = (a.max(b).max(c) + grow).floor().as_ivec3();
    descend(&triangle, grow, low, high, visit);
}

fn descend(triangle: &[Vec3; 3], grow: f32, low: IVec3, high: IVec3, visit: &mut impl FnMut(IVec3)) {
    if low == high && triangle.iter().all(|corner| corner.floor().as_ivec3() == low) {
        visit(low);
        return;
    }
    let center = (low + high + 1).as_vec3() * 0.5;
    let half = (high + 1 - low).as_vec3() * 0.5 + grow;
    if !touches(triangle, center, half) {
        return;
    }
    if low == high {
        visit(low);
        return;
    }
    let extent = high - low;
    let axis = (0..3).max_by_key(|&axis| extent[axis]).unwrap_or_default();
    let middle = low[axis] + extent[axis] / 2;
    let (mut first_high, mut second_low) = (high, low);
    first_high[axis] = middle;
    second_low[axis] = middle + 1;
    descend(triangle, grow, low, first_high, visit);
    descend(triangle, grow, second_low, high, visit);
}

/// Whether a triangle and a box meet, by separating axes (Akenine-Möller 2001).
fn touches(triangle: &[Vec3; 3], center: Vec3, half: Vec3) -> bool {
    let [a, b, c] = triangle.map(|corner| corner - center);
    let is_apart = |axis: Vec3| {
        let (pa, pb, pc) = (a.dot(axis), b.dot(axis), c.dot(axis));
        // Rounding must never part what meets.
        let reach = half.dot(axis.abs()) * 1.000_01;
        pa.min(pb).min(pc) > reach || pa.max(pb).max(pc) < -reach
    };
    let edges = [b - a, c - b, a - c];
    !(Vec3::AXES.into_iter().any(is_apart)
        || is_apart(edges[0].cross(edges[1]))
        || edges
            .iter()
            .any(|edge| Vec3::AXES.into_iter().any(|axis| is_apart(edge.cross(axis)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_triangle_meets_the_bricks_it_passes() {
        let triangle = [
            Vec3::new(0.5, 0.5, 0.5),
            Vec3::new(30.5, 3.2, 7.7),
            Vec3::new(9.1, 25.3, 20.2),
        ];
        let mut found = Vec::new();
        bricks_of(triangle, 1e-3, &mut |brick| found.push(brick));
        // Points of the triangle, densely.
        for i in 0..=400 {
            for j in 0..=400 - i {
                let (u, v) = (i as f32 / 400.0, j as f32 / 400.0);
                let point = triangle[0] * (1.0 - u - v) + triangle[1] * u + triangle[2] * v;
                assert!(found.contains(&point.floor().as_ivec3()), "{point}");
            }
        }
        assert!(
            (found.len() as f64) < expected_bricks(triangle, 1e-3),
            "{}",
            found.len()
        );
        let box_len = 31 * 26 * 21;
        assert!(found.len() * 10 < box_len, "{} of {box_len}", found.len());
    }

    #[test]
    fn a_triangle_in_a_rim_belongs_to_both_sides() {
        let mut found = Vec::new();
        let triangle = [
            Vec3::new(1.0, 0.2, 0.2),
            Vec3::new(1.0, 0.8, 0.2),
            Vec3::new(1.0, 0.2, 0.8),
        ];
        bricks_of(triangle, 1e-3, &mut |brick| found.push(brick));
        assert_eq!(found, [IVec3::ZERO, IVec3::X]);
    }
}
