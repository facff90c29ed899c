//! How true a rebuilt surface is, its sharp edges above all.

use std::collections::HashMap;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;
use serde::Serialize;

use super::distances;
use crate::nearest::SearchTree;
use crate::topology::area_normal;

/// Faces that meet at more than this angle make a sharp edge, radians: 20 degrees.
const SHARP: f32 = 20.0 * std::f32::consts::PI / 180.0;
/// Samples along a sharp edge, per unit of length that the caller gives.
const SAMPLES_PER_UNIT: f32 = 5.0;

/// What separates a rebuilt surface from the one that it was made of, in units that the caller chooses.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Deviation {
    /// From the rebuilt surface to the original, the mean over its area.
    pub mean: f32,
    /// The same at most, over its vertices and the middles of its faces.
    pub greatest: f32,
    /// From points along the original's sharp edges to the rebuilt surface, on the mean: how much is rounded off.
    /// `None` where nothing is sharp.
    pub mean_at_edges: Option<f32>,
    /// The same at most.
    pub greatest_at_edges: Option<f32>,
}

impl Deviation {
    /// Compares both, as multiples of `unit` metres, a cell of the lattice for example.
    pub fn of(rebuilt: &TriMesh, original: &TriMesh, unit: f32) -> Self {
        let (greatest, mean) = distances::greatest_and_mean(rebuilt, &SearchTree::new(original));
        let tree = SearchTree::new(rebuilt);
        let at_edges: Vec<f32> = sharp_points(original, unit / SAMPLES_PER_UNIT)
            .par_iter()
            .filter_map(|&point| tree.nearest(point))
            .map(|nearest| nearest.distance_squared.sqrt() / unit)
            .collect();
        let sum: f64 = at_edges.iter().map(|&distance| f64::from(distance)).sum();
        Self {
            mean: mean / unit,
            greatest: greatest / unit,
            mean_at_edges: (!at_edges.is_empty()).then(|| (sum / at_edges.len() as f64) as f32),
            greatest_at_edges: at_edges.iter().copied().reduce(f32::max),
        }
    }
}

/// Points along the edges where two faces meet sharply, no farther apart than `spacing`.
fn sharp_points(mesh: &TriMesh, spacing: f32) -> Vec<Vec3> {
    let mut face_of: HashMap<(u32, u32), usize> = HashMap::with_capacity(mesh.triangles.len() * 3);
    for (face, &[a, b, c]) in mesh.triangles.iter().enumerate() {
        for side in [(a, b), (b, c), (c, a)] {
            face_of.insert(side, face);
        }
    }
    let normal = |face: usize| area_normal(mesh.corners(face)).normalize_or_zero();
    let mut points = Vec::new();
    for (face, &[a, b, c]) in mesh.triangles.iter().enumerate() {
        for (from, to) in [(a, b), (b, c), (c, a)] {
            let Some(&other) = face_of.get(&(to, from)) else {
                continue;
            };
            if from < to && normal(face).angle_between(normal(other)) > SHARP {
                let ends = [from, to].map(|vertex| mesh.positions[vertex as usize]);
                let count = (ends[0].distance(ends[1]) / spacing).ceil().max(1.0) as usize;
                points.extend((0..=count).map(|i| ends[0].lerp(ends[1], i as f32 / count as f32)));
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn a_cube_beside_a_smaller_one_is_off_by_what_its_edges_miss() {
        let cube = shapes::cube(Vec3::ZERO);
        let mut smaller = cube.clone();
        smaller.positions.iter_mut().for_each(|position| *position *= 0.8);
        let deviation = Deviation::of(&smaller, &cube, 0.1);
        assert!((deviation.mean - 1.0).abs() < 1e-4, "{deviation:?}");
        assert!((deviation.greatest - 1.0).abs() < 1e-4, "{deviation:?}");
        // The corner is off along the diagonal; on the way from the edge's middle, two sides count.
        let (mean, greatest) = deviation.mean_at_edges.zip(deviation.greatest_at_edges).expect("edges");
        assert!((greatest - 3.0_f32.sqrt()).abs() < 1e-4, "{deviation:?}");
        assert!(mean > 2.0_f32.sqrt() && mean < 1.45, "{deviation:?}");
    }

    #[test]
    fn a_ball_has_no_edges() {
        let ball = shapes::icosphere(0.5, 4);
        let deviation = Deviation::of(&ball, &ball, 1.0);
        assert_eq!(deviation.mean_at_edges, None);
        assert!(deviation.greatest < 1e-5, "{deviation:?}");
    }
}
