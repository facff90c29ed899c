use std::f32::consts::TAU;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use super::views::VertexNeighbors;
use crate::control::Meter;
use crate::nearest::SearchTree;
use crate::topology::diagonal;
use crate::{Control, MeshError, Step};

const NUM_RAYS: usize = 64;
/// Rounds in which each vertex takes half of its neighbours' mean: what is left of the noise goes.
const SMOOTHING_ROUNDS: usize = 2;
const CHUNK: usize = 512;

/// Light that reaches each vertex from the hemisphere above it: 1 in the open, 0 where all is blocked within `reach`
/// metres. A wall counts the less the further away it is, so that `reach` leaves no edge.
///
/// Rays are spread by cosine (a rank-1 lattice, turned at each vertex by a hash of its place), so a plain mean is the
/// cosine-weighted integral. Needs normals.
pub fn vertex_occlusion(
    mesh: &TriMesh,
    tree: &SearchTree,
    reach: f32,
    control: &Control<'_>,
) -> Result<Vec<f32>, MeshError> {
    let meter = Meter::new(control, Step::Occlusion, mesh.positions.len());
    let offset = diagonal(mesh) * 1e-4;
    let lattice: Vec<(f32, f32)> = (0..NUM_RAYS)
        .map(|ray| {
            let golden = 0.618_034 * ray as f32;
            ((ray as f32 + 0.5) / NUM_RAYS as f32, golden.fract())
        })
        .collect();
    let mut light = vec![1.0_f32; mesh.positions.len()];
    light
        .par_chunks_mut(CHUNK)
        .enumerate()
        .try_for_each(|(chunk, values)| -> Result<(), MeshError> {
            for (index, value) in values.iter_mut().enumerate() {
                let vertex = chunk * CHUNK + index;
                let (point, normal) = (mesh.positions[vertex], mesh.normals[vertex]);
                let (tangent, bitangent) = normal.any_orthonormal_pair();
                let turn = turn_of(point);
                let blocked: f32 = lattice
                    .iter()
                    .map(|&(height, turned)| {
                        let (sin, cos) = ((turned + turn) * TAU).sin_cos();
                        let radius = height.sqrt();
                        let direction =
                            tangent * (radius * cos) + bitangent * (radius * sin) + normal * (1.0 - height).sqrt();
                        blocking(tree, point + normal * offset, direction, reach)
                    })
                    .sum();
                *value = 1.0 - blocked / NUM_RAYS as f32;
            }
            meter.add(values.len())
        })?;
    Ok(smoothed(mesh, light))
}

/// 1 for a wall at once, 0 for one at the end of the reach.
fn blocking(tree: &SearchTree, origin: Vec3, direction: Vec3, reach: f32) -> f32 {
    let mut closest = reach;
    tree.traverse(origin, direction, 0.0, reach, |_, distance| {
        closest = closest.min(distance);
        false
    });
    if reach > 0.0 {
        1.0 - (closest / reach).powi(2)
    } else {
        0.0
    }
}

/// The same for all vertices at one place.
fn turn_of(point: Vec3) -> f32 {
    let hash = (point + Vec3::ZERO)
        .to_array()
        .iter()
        .fold(0x811C_9DC5_u32, |hash, value| {
            (hash ^ value.to_bits()).wrapping_mul(0x0100_0193).rotate_left(15)
        });
    (hash >> 8) as f32 / (1 << 24) as f32
}

fn smoothed(mesh: &TriMesh, mut light: Vec<f32>) -> Vec<f32> {
    let neighbors = VertexNeighbors::of(mesh);
    for _ in 0..SMOOTHING_ROUNDS {
        light = (0..light.len() as u32)
            .into_par_iter()
            .map(|vertex| {
                let around = neighbors.of_vertex(vertex);
                let own = light[vertex as usize];
                if around.is_empty() {
                    return own;
                }
                let mean = around.iter().map(|&other| light[other as usize]).sum::<f32>() / around.len() as f32;
                f32::midpoint(own, mean)
            })
            .collect();
    }
    light
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    fn light(mut mesh: TriMesh, reach: f32) -> (TriMesh, Vec<f32>) {
        mesh.compute_normals();
        let tree = SearchTree::new(&mesh);
        let light = vertex_occlusion(&mesh, &tree, reach, &Control::silent()).unwrap();
        (mesh, light)
    }

    #[test]
    fn a_ball_is_in_the_open() {
        let (_, light) = light(shapes::icosphere(0.4, 3), 0.5);
        assert!(light.iter().all(|&value| value > 0.99));
    }

    #[test]
    fn the_inner_ring_of_a_torus_is_darker() {
        let (mesh, light) = light(shapes::torus(0.2, 0.12, 48, 24), 0.5);
        let mean = |test: &dyn Fn(Vec3) -> bool| {
            let chosen: Vec<f32> = mesh
                .positions
                .iter()
                .zip(&light)
                .filter(|(p, _)| test(**p))
                .map(|(_, l)| *l)
                .collect();
            chosen.iter().sum::<f32>() / chosen.len() as f32
        };
        let ring = |p: Vec3| p.with_y(0.0).length();
        let (inner, outer) = (mean(&|p| ring(p) < 0.1), mean(&|p| ring(p) > 0.3));
        assert!(outer > 0.99 && inner < 0.8 && inner > 0.2, "{inner} {outer}");
    }

    #[test]
    fn a_floor_under_a_parallel_ceiling_has_the_analytic_value() {
        // A ceiling at height h blocks a ray at distance h / cos; with weight 1 - (d / reach)^2 and a cosine-spread
        // density the mean is 1 - a + a ln a for a = (h / reach)^2.
        let (height, reach) = (0.05_f32, 0.2_f32);
        let a = (height / reach).powi(2);
        let expected = 1.0 - (1.0 - a + a * a.ln());
        let grid = |y: f32, up: bool| {
            let positions = (0..41 * 41)
                .map(|i| Vec3::new((i % 41) as f32 / 20.0 - 1.0, y, (i / 41) as f32 / 20.0 - 1.0))
                .collect();
            let triangles = (0..40 * 40)
                .flat_map(|i| {
                    let v = (i / 40) * 41 + i % 40;
                    [[v, v + 41, v + 1], [v + 1, v + 41, v + 42]]
                })
                .map(|[a, b, c]: [u32; 3]| if up { [a, b, c] } else { [a, c, b] })
                .collect();
            TriMesh::new(positions, triangles)
        };
        let (_, light) = light(shapes::together(grid(0.0, true), &grid(height, false)), reach);
        let middle = light[20 * 41 + 20];
        assert!((middle - expected).abs() < 0.02, "{middle} against {expected}");
    }
}
