//! Bends a patch so that it goes on as its surroundings do.

use bozzetto_asset::TriMesh;
use glam::{DVec3, Vec3};

use super::patch::Patch;
use super::surroundings::{Surroundings, neighbors};
use crate::topology::area_normal;

/// Where a flat patch meets its surroundings at more than this angle the edge is meant to be there: the end of a pipe
/// stays flat. Cosine of 60 degrees.
const SHARPEST: f32 = 0.5;
const MOST_ITERATIONS: usize = 2000;
/// Squared residual against the one at the start.
const TOLERANCE: f64 = 1e-10;

/// The positions of a patch that has the least bend in the mean, at its rim too: the squares of all umbrella vectors, of
/// the rim's with their neighbours on both sides, are least (Liepa 2003, section 5, after Kobbelt et al., Interactive
/// Multi-Resolution Modeling on Arbitrary Meshes, 1998). `None` where the patch meets its surroundings sharply or faces
/// would turn over.
///
/// `normals` are those beyond each edge of the rim.
pub(super) fn faired(mesh: &TriMesh, patch: &Patch, normals: &[Vec3], around: &Surroundings) -> Option<Vec<Vec3>> {
    let before: Vec<Vec3> = (0..patch.triangles.len())
        .map(|face| area_normal(patch.corners(face)).normalize_or_zero())
        .collect();
    if patch.parents.is_empty() || !continues(patch, &before, normals) {
        return None;
    }
    let positions = Umbrellas::of(mesh, patch, around).flattened(&patch.positions);
    let turns_over = patch.triangles.iter().zip(&before).any(|(face, before)| {
        let after = area_normal(face.map(|vertex| positions[vertex as usize]));
        let cosine = after.dot(*before);
        cosine <= 0.0 || cosine.is_nan()
    });
    (!turns_over).then_some(positions)
}

/// Whether no face at the rim meets its surroundings sharply.
fn continues(patch: &Patch, face_normals: &[Vec3], rim_normals: &[Vec3]) -> bool {
    let num_rim = patch.rim.len();
    patch.triangles.iter().zip(face_normals).all(|(face, normal)| {
        (0..3).all(|corner| {
            let (from, to) = (face[corner] as usize, face[(corner + 1) % 3] as usize);
            let is_on_rim = from < num_rim && to == (from + 1) % num_rim;
            !is_on_rim || normal.dot(rim_normals[from]) >= SHARPEST
        })
    })
}

/// For each vertex of a patch the difference between the mean of its neighbours, closer ones counting more, and itself.
struct Umbrellas {
    num_rim: usize,
    /// For each vertex its neighbours in the patch with their weights, which sum up to one with `outside`'s.
    inside: Vec<Vec<(u32, f64)>>,
    /// The weighted sum of the positions of its neighbours outside of the patch.
    outside: Vec<DVec3>,
}

impl Umbrellas {
    fn of(mesh: &TriMesh, patch: &Patch, around: &Surroundings) -> Self {
        let neighbors = neighbors(&patch.triangles, patch.positions.len(), |vertex| vertex);
        let mut umbrellas = Self {
            num_rim: patch.rim.len(),
            inside: Vec::with_capacity(neighbors.len()),
            outside: Vec::with_capacity(neighbors.len()),
        };
        for (vertex, inside) in neighbors.into_iter().enumerate() {
            let position = patch.positions[vertex];
            let weight = |other: Vec3| 1.0 / f64::from(position.distance(other).max(f32::MIN_POSITIVE));
            let weighted = |&other: &u32| (other, weight(patch.positions[other as usize]));
            let mut inside: Vec<(u32, f64)> = inside.iter().map(weighted).collect();
            // Along the rim itself neighbours are in the mesh and in the patch, and count once.
            let on_rim = |other: &u32| patch.rim.contains(other);
            let beyond = patch
                .rim
                .get(vertex)
                .map_or(&[][..], |&vertex| around.neighbors(vertex));
            let beyond = beyond.iter().filter(|other| !on_rim(other));
            let beyond: Vec<Vec3> = beyond.map(|&other| mesh.positions[other as usize]).collect();
            let sum: f64 =
                inside.iter().map(|pair| pair.1).sum::<f64>() + beyond.iter().map(|&other| weight(other)).sum::<f64>();
            for pair in &mut inside {
                pair.1 /= sum;
            }
            umbrellas.inside.push(inside);
            let outside = beyond.iter().map(|&other| other.as_dvec3() * (weight(other) / sum));
            umbrellas.outside.push(outside.sum());
        }
        umbrellas
    }

    /// All umbrella vectors of a change of positions; with `outside` counted, of positions.
    fn apply(&self, values: &[DVec3], into: &mut [DVec3]) {
        for ((inside, &value), into) in self.inside.iter().zip(values).zip(into) {
            let mean: DVec3 = inside
                .iter()
                .map(|&(other, weight)| values[other as usize] * weight)
                .sum();
            *into = mean - value;
        }
    }

    /// The transpose of [`Umbrellas::apply`], for vertices that may move; zero for the rim.
    fn apply_transposed(&self, values: &[DVec3], into: &mut [DVec3]) {
        for (into, &value) in into.iter_mut().zip(values) {
            *into = -value;
        }
        for (inside, &value) in self.inside.iter().zip(values) {
            for &(other, weight) in inside {
                into[other as usize] += value * weight;
            }
        }
        into[..self.num_rim].fill(DVec3::ZERO);
    }

    /// Conjugate gradients from these positions; the rim stays.
    fn flattened(&self, positions: &[Vec3]) -> Vec<Vec3> {
        let count = positions.len();
        let mut found: Vec<DVec3> = positions.iter().map(|position| position.as_dvec3()).collect();
        let mut bend = vec![DVec3::ZERO; count];
        self.apply(&found, &mut bend);
        bend.iter_mut()
            .zip(&self.outside)
            .for_each(|(bend, outside)| *bend += *outside);
        let mut residual = vec![DVec3::ZERO; count];
        self.apply_transposed(&bend, &mut residual);
        for residual in &mut residual {
            *residual = -*residual;
        }
        let mut direction = residual.clone();
        let mut along = vec![DVec3::ZERO; count];
        let mut squared = dot(&residual, &residual);
        let enough = squared * TOLERANCE;
        for _ in 0..MOST_ITERATIONS {
            if squared <= enough {
                break;
            }
            self.apply(&direction, &mut bend);
            let step = squared / dot(&bend, &bend);
            self.apply_transposed(&bend, &mut along);
            for i in self.num_rim..count {
                found[i] += direction[i] * step;
                residual[i] -= along[i] * step;
            }
            let next = dot(&residual, &residual);
            for i in self.num_rim..count {
                direction[i] = residual[i] + direction[i] * (next / squared);
            }
            squared = next;
        }
        found.iter().map(|position| position.as_vec3()).collect()
    }
}

fn dot(a: &[DVec3], b: &[DVec3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.dot(*b)).sum()
}
