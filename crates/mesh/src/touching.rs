use std::collections::HashSet;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use crate::control::Meter;
use crate::topology::{DisjointSets, Side, area_normal, edges};
use crate::{Control, MeshError, Step};

/// A vertex moves at most this share of its shortest edge, so that no face turns over.
const SHARE_OF_EDGE: f32 = 0.25;

/// Moves vertices that lie at the very same place a little apart, each into its own side of the surface.
///
/// [`crate::split_non_manifold`] parts sheets that touch, which the mesh must have been through, but leaves both copies
/// of a vertex where they were, and the next program to join vertices undoes it. Afterwards no two vertices are at one
/// place. `distance` is how far at most, in metres; it should be more than what others weld by.
pub fn part_touching(mesh: &TriMesh, distance: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::Part, 2);
    let ranks = crowded(&mesh.positions);
    meter.add(1)?;
    let mut parted = mesh.clone();
    if ranks.is_empty() {
        return Ok(parted);
    }
    move_inwards(mesh, &ranks, distance, &mut parted.positions);
    tell_all_apart(&mut parted.positions);
    meter.add(1)?;
    Ok(parted)
}

/// How many vertices join parts of the surface that no edge joins there. The mesh must be consistent, without faces that
/// name a vertex twice, its sides sorted.
pub(crate) fn num_touching(mesh: &TriMesh, sides: &[Side]) -> usize {
    let corner_at = |side: &Side, vertex: u32| {
        let first = side.index / 3 * 3;
        let corner = mesh.triangles[side.face()].iter().position(|&v| v == vertex);
        first + corner.unwrap_or_default() as u32
    };
    let mut fans = DisjointSets::new(mesh.triangles.len() * 3);
    for edge in edges(sides) {
        for vertex in edge[0].ends(&mesh.triangles) {
            for side in &edge[1..] {
                fans.unite(corner_at(&edge[0], vertex), corner_at(side, vertex));
            }
        }
    }
    let mut num_fans = vec![0_u8; mesh.positions.len()];
    for (corner, &vertex) in mesh.triangles.as_flattened().iter().enumerate() {
        let is_first = fans.find(corner as u32) == corner as u32;
        let count = &mut num_fans[vertex as usize];
        *count = count.saturating_add(u8::from(is_first));
    }
    num_fans.iter().filter(|&&count| count > 1).count()
}

/// Bits that are the same for equal places: adding zero makes -0.0 and 0.0 one.
fn bits(position: Vec3) -> [u32; 3] {
    (position + Vec3::ZERO).to_array().map(f32::to_bits)
}

/// A vertex that is not alone at its place.
struct Crowded {
    vertex: u32,
    /// Its place in the row of those there, in `(0, 1]`.
    rank: f32,
}

/// The crowded vertices, in ascending order.
fn crowded(positions: &[Vec3]) -> Vec<Crowded> {
    let mut order: Vec<([u32; 3], u32)> = positions
        .par_iter()
        .enumerate()
        .map(|(index, &position)| (bits(position), index as u32))
        .collect();
    order.par_sort_unstable();
    let mut crowded: Vec<Crowded> = order
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1)
        .flat_map(|group| {
            group.iter().enumerate().map(|(place, &(_, vertex))| Crowded {
                vertex,
                rank: (place + 1) as f32 / group.len() as f32,
            })
        })
        .collect();
    crowded.sort_unstable_by_key(|crowded| crowded.vertex);
    crowded
}

/// Moves against the normal. Sheets that look the same way there move by different lengths.
fn move_inwards(mesh: &TriMesh, crowded: &[Crowded], distance: f32, positions: &mut [Vec3]) {
    let mut normals = vec![Vec3::ZERO; crowded.len()];
    let mut to_neighbors = vec![Vec3::ZERO; crowded.len()];
    let mut shortest = vec![f32::INFINITY; crowded.len()];
    for (face, triangle) in mesh.triangles.iter().enumerate() {
        for corner in 0..3 {
            let Ok(place) = crowded.binary_search_by_key(&triangle[corner], |crowded| crowded.vertex) else {
                continue;
            };
            let corners = mesh.corners(face);
            normals[place] += area_normal(corners).normalize_or_zero();
            for other in [corners[(corner + 1) % 3], corners[(corner + 2) % 3]] {
                let edge = other - corners[corner];
                to_neighbors[place] += edge.normalize_or_zero();
                if edge != Vec3::ZERO {
                    shortest[place] = shortest[place].min(edge.length());
                }
            }
        }
    }
    for (place, Crowded { vertex, rank }) in crowded.iter().enumerate() {
        let inwards = (-normals[place])
            .try_normalize()
            .or(to_neighbors[place].try_normalize());
        let length = distance.min(shortest[place] * SHARE_OF_EDGE) * rank;
        positions[*vertex as usize] += inwards.unwrap_or(Vec3::Y) * length;
    }
}

/// What still shares a place, where lengths are too short for the numbers, goes on to the next number.
fn tell_all_apart(positions: &mut [Vec3]) {
    let crowded = crowded(positions);
    if crowded.is_empty() {
        return;
    }
    let mut taken: HashSet<[u32; 3]> = positions.iter().map(|&position| bits(position)).collect();
    for Crowded { vertex, rank } in crowded {
        let position = &mut positions[vertex as usize];
        // The last one of the row stays.
        while rank < 1.0 && !taken.insert(bits(*position)) {
            position.x = position.x.next_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::{gather, sorted_sides};
    use crate::{MeshHealth, drop_bad_faces, shapes, split_non_manifold, weld};

    fn joined(a: TriMesh, b: &TriMesh) -> TriMesh {
        let both = weld(&shapes::together(a, b), 0.0, &Control::silent()).unwrap();
        drop_bad_faces(&both, &Control::silent()).unwrap()
    }

    #[test]
    fn cubes_that_touch_are_parted_for_good() {
        for (center, num_touching, num_crowded) in [(Vec3::ONE, 1, 0), (Vec3::new(1.0, 1.0, 0.0), 0, 1)] {
            let mesh = joined(shapes::cube(Vec3::ZERO), &shapes::cube(center));
            let before = MeshHealth::of(&mesh);
            assert_eq!(before.num_touching_vertices, num_touching);
            assert_eq!(before.num_non_manifold_edges, num_crowded);
            let split = split_non_manifold(&mesh, &Control::silent()).unwrap();
            let parted = part_touching(&split, 1e-3, &Control::silent()).unwrap();
            let health = MeshHealth::of(&parted);
            assert!(health.is_watertight, "{health:?}");
            assert_eq!((health.num_touching_vertices, health.euler_characteristic), (0, 4));
            // Into themselves: neither grows into the other one.
            assert!(health.signed_volume < 2.0 && health.signed_volume > 1.99);
        }
    }

    #[test]
    fn a_sound_mesh_has_none_and_stays() {
        let torus = shapes::torus(0.3, 0.1, 24, 12);
        assert_eq!(num_touching(&torus, &sorted_sides(&torus.triangles)), 0);
        assert_eq!(part_touching(&torus, 1e-3, &Control::silent()).unwrap(), torus);
    }

    #[test]
    fn a_hundred_at_one_place_get_a_hundred_places() {
        let cube = shapes::cube(Vec3::splat(1e6));
        let sources: Vec<u32> = (0..100).flat_map(|_| 0..8).collect();
        let faces = (0..100).flat_map(|i| cube.triangles.iter().map(move |face| face.map(|v| v + 8 * i)));
        let pile = gather(&cube, &sources, faces.collect());
        // Shorter than what the numbers can tell apart at this distance.
        let parted = part_touching(&pile, 1e-9, &Control::silent()).unwrap();
        let places: HashSet<_> = parted.positions.iter().map(|&position| bits(position)).collect();
        assert_eq!(places.len(), 800);
    }
}
