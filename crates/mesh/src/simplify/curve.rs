//! Brings a large mesh down in parts, many at a time: the first step of simplifying, which leaves the last one, where
//! every collapse is weighed against every other, a mesh of moderate size.

use std::sync::atomic::{AtomicU32, Ordering};

use bozzetto_asset::TriMesh;
use glam::{UVec3, Vec3};
use rayon::prelude::*;

use crate::simplify::{Collapse, sound, told_apart};
use crate::topology::{NONE, weighted_normals};
use crate::{Control, MeshError, Step};

/// Faces of a part: enough that few vertices lie between parts, few enough that every processor has some. Not a matter of
/// how many processors there are, so that all machines give the same mesh.
const PART_FACES: usize = 40_000;
/// Marks vertices between parts.
const SHARED: u32 = NONE - 1;

/// Simplifies each part of the surface by the same ratio; vertices between parts stay. Comes down to the
/// target but for what the parts' topology holds.
pub(crate) fn coarsen(mesh: &TriMesh, target_faces: usize, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let num_faces = mesh.triangles.len();
    if num_faces <= target_faces {
        return Ok(mesh.clone());
    }
    let order = along_curve(mesh);
    let parts: Vec<&[u32]> = order.chunks(PART_FACES).collect();
    let owners = owners(mesh, &parts);
    let positions = told_apart(mesh);
    let extent = extent_of(&positions);
    let ratio = target_faces as f64 / num_faces as f64;
    let collapsed: Vec<Vec<[u32; 3]>> = parts
        .par_iter()
        .map(|part| {
            control.check(Step::Simplify)?;
            let target = (part.len() as f64 * ratio) as usize;
            Ok(collapse_part(mesh, &positions, &owners, part, target, extent))
        })
        .collect::<Result<_, MeshError>>()?;
    let mut coarse = sound(mesh, collapsed.concat())?.mesh;
    coarse.normals = weighted_normals(&coarse.positions, &coarse.triangles);
    Ok(coarse)
}

/// Faces in the order of a curve that fills space (Morton 1966), so that neighbours in the list are neighbours in space.
pub(crate) fn along_curve(mesh: &TriMesh) -> Vec<u32> {
    const CELLS: f32 = 1024.0;
    let (low, high) = mesh.bounds().unwrap_or_default();
    let cells_a_metre = CELLS / (high - low).max_element().max(f32::MIN_POSITIVE);
    let mut keyed: Vec<(u32, u32)> = (0..mesh.triangles.len())
        .into_par_iter()
        .map(|face| {
            let center = mesh.corners(face).iter().sum::<Vec3>() / 3.0;
            let cell = ((center - low) * cells_a_metre).clamp(Vec3::ZERO, Vec3::splat(CELLS - 1.0));
            (morton_code(cell.as_uvec3()), face as u32)
        })
        .collect();
    keyed.par_sort_unstable();
    keyed.into_par_iter().map(|(_, face)| face).collect()
}

/// The bits of three coordinates of ten bits each, in turn.
fn morton_code(cell: UVec3) -> u32 {
    let spread = |value: u32| {
        let value = (value | value << 16) & 0x0300_00FF;
        let value = (value | value << 8) & 0x0300_F00F;
        let value = (value | value << 4) & 0x030C_30C3;
        (value | value << 2) & 0x0924_9249
    };
    spread(cell.x) | spread(cell.y) << 1 | spread(cell.z) << 2
}

/// The part that each vertex belongs to, or [`SHARED`].
fn owners(mesh: &TriMesh, parts: &[&[u32]]) -> Vec<u32> {
    let owners: Vec<AtomicU32> = (0..mesh.positions.len()).map(|_| AtomicU32::new(NONE)).collect();
    parts.par_iter().enumerate().for_each(|(index, part)| {
        let part_index = index as u32;
        for vertex in part.iter().flat_map(|&face| mesh.triangles[face as usize]) {
            let owner = &owners[vertex as usize];
            let taken = owner.compare_exchange(NONE, part_index, Ordering::Relaxed, Ordering::Relaxed);
            if taken.is_err_and(|other| other != part_index) {
                owner.store(SHARED, Ordering::Relaxed);
            }
        }
    });
    owners.into_iter().map(AtomicU32::into_inner).collect()
}

fn collapse_part(
    mesh: &TriMesh,
    positions: &[Vec3],
    owners: &[u32],
    part: &[u32],
    target_faces: usize,
    extent: f32,
) -> Vec<[u32; 3]> {
    let mut vertices: Vec<u32> = part.iter().flat_map(|&face| mesh.triangles[face as usize]).collect();
    vertices.sort_unstable();
    vertices.dedup();
    let local = |vertex: u32| vertices.binary_search(&vertex).map_or(0, |place| place as u32);
    let pick = |values: &[Vec3]| -> Vec<Vec3> {
        let of_vertex = |&vertex: &u32| values.get(vertex as usize).copied();
        vertices.iter().filter_map(of_vertex).collect()
    };
    let own_positions = pick(positions);
    let own_extent = extent_of(&own_positions);
    let collapse = Collapse {
        indices: part
            .iter()
            .flat_map(|&face| mesh.triangles[face as usize].map(local))
            .collect(),
        normals: pick(&mesh.normals),
        colors: pick(&mesh.colors),
        locks: vertices
            .iter()
            .map(|&vertex| owners[vertex as usize] == SHARED)
            .collect(),
        // Distances count by the part's own extent then; normals and colours must count as much more.
        attribute_scale: extent / own_extent.max(f32::MIN_POSITIVE),
        positions: own_positions,
    };
    let collapsed = collapse.run(target_faces, meshopt::SimplifyOptions::None);
    collapsed
        .into_iter()
        .map(|triangle| triangle.map(|vertex| vertices[vertex as usize]))
        .collect()
}

/// The longest side of the box about some points.
fn extent_of(positions: &[Vec3]) -> f32 {
    let all = positions
        .par_iter()
        .map(|&position| (position, position))
        .reduce_with(|(low, high), (other_low, other_high)| (low.min(other_low), high.max(other_high)));
    all.map_or(0.0, |(low, high)| (high - low).max_element())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};

    #[test]
    fn a_large_mesh_stays_closed_and_keeps_its_shape() {
        let mut mesh = shapes::noisy_sphere(7, 0.02, 40.0, 0.0);
        mesh.normals = weighted_normals(&mesh.positions, &mesh.triangles);
        let coarse = coarsen(&mesh, 100_000, &Control::silent()).unwrap();
        let num_faces = coarse.triangles.len();
        assert!((95_000..=101_000).contains(&num_faces), "{num_faces}");
        let health = MeshHealth::of(&coarse);
        assert!(health.is_watertight && health.euler_characteristic == 2, "{health:?}");
        let tree = crate::nearest::SearchTree::new(&mesh);
        for face in 0..num_faces {
            let center = coarse.corners(face).iter().sum::<Vec3>() / 3.0;
            let distance = tree.nearest(center).map_or(f32::MAX, |hit| hit.distance_squared.sqrt());
            assert!(distance < 5e-4, "{distance}");
        }
    }

    #[test]
    fn threads_do_not_show() {
        let mut mesh = shapes::noisy_sphere(6, 0.02, 40.0, 0.0);
        mesh.normals = weighted_normals(&mesh.positions, &mesh.triangles);
        let with = |num_threads| {
            let pool = rayon::ThreadPoolBuilder::new()
                .num_threads(num_threads)
                .build()
                .unwrap();
            pool.install(|| coarsen(&mesh, 40_000, &Control::silent()).unwrap())
        };
        assert_eq!(with(1), with(3));
    }

    #[test]
    fn morton_codes_take_bits_in_turn() {
        assert_eq!(morton_code(UVec3::new(1, 0, 0)), 1);
        assert_eq!(morton_code(UVec3::new(0, 1, 0)), 2);
        assert_eq!(morton_code(UVec3::new(2, 0, 1)), 0b1100);
        assert_eq!(morton_code(UVec3::splat(1023)), (1 << 30) - 1);
    }
}
