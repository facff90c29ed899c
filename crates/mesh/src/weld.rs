use bozzetto_asset::TriMesh;
use glam::{I64Vec3, Vec3};
use rayon::prelude::*;

use crate::control::Meter;
use crate::topology::DisjointSets;
use crate::{Control, MeshError, Step};

/// Joins vertices that lie within `distance` metres of each other; 0 joins only those at the very same place.
///
/// The joined vertex keeps the position of its first member; colours and normals are averaged, UVs and tangents are
/// dropped, because seams are gone. Faces may become degenerate: [`crate::drop_bad_faces`] is the next step.
pub fn weld(mesh: &TriMesh, distance: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::Weld, 3);
    let mut sets = DisjointSets::new(mesh.positions.len());
    if distance > 0.0 {
        unite_close(&mesh.positions, distance, &mut sets);
    } else {
        unite_identical(&mesh.positions, &mut sets);
    }
    meter.add(2)?;
    let joined = join(mesh, &mut sets);
    meter.add(1)?;
    Ok(joined)
}

/// Unites vertices with equal coordinates.
fn unite_identical(positions: &[Vec3], sets: &mut DisjointSets) {
    // Adding zero makes -0.0 and 0.0 the same bits.
    let bits = |index: u32| (positions[index as usize] + Vec3::ZERO).to_array().map(f32::to_bits);
    let mut order: Vec<([u32; 3], u32)> = (0..positions.len() as u32)
        .into_par_iter()
        .map(|index| (bits(index), index))
        .collect();
    order.par_sort_unstable();
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        for &(_, index) in &group[1..] {
            sets.unite(group[0].1, index);
        }
    }
}

/// Cells of the grid that close vertices are found by, as multiples of the distance: larger ones have fewer vertices near
/// their borders, whose neighbours must be looked up; smaller ones have room for fewer vertices that are not united
/// already, all of which are compared.
const CELL_SIZE: f64 = 8.0;

/// Of some cells: entries that are not close to an earlier one of their cell, and pairs that are.
type CellPart = (Vec<(u64, u32)>, Vec<(u32, u32)>);

/// Unites vertices within a distance through a hashed grid. A cell has room for few vertices that are not already united,
/// so the work stays linear even where a million vertices meet.
fn unite_close(positions: &[Vec3], distance: f32, sets: &mut DisjointSets) {
    let cell_size = f64::from(distance) * CELL_SIZE;
    let cell_of = |point: glam::DVec3| (point / cell_size).floor().as_i64vec3();
    let is_close =
        |a: u32, b: u32| positions[a as usize].distance_squared(positions[b as usize]) <= distance * distance;
    let mut entries: Vec<(u64, u32)> = positions
        .par_iter()
        .zip(0..positions.len() as u32)
        .map(|(position, index)| (cell_hash(cell_of(position.as_dvec3())), index))
        .collect();
    entries.par_sort_unstable();

    // Within each cell, greedily in index order.
    let parts: Vec<CellPart> = entries
        .par_chunk_by(|a, b| a.0 == b.0)
        .fold(<(Vec<_>, Vec<_>)>::default, |(mut kept, mut pairs), cell| {
            let first = kept.len();
            for &(hash, index) in cell {
                match kept[first..].iter().find(|&&(_, other)| is_close(index, other)) {
                    Some(&(_, other)) => pairs.push((other, index)),
                    None => kept.push((hash, index)),
                }
            }
            (kept, pairs)
        })
        .collect();
    let (kept, pairs): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    for (a, b) in pairs.into_iter().flatten() {
        sets.unite(a, b);
    }

    // Across the border of a cell.
    let kept = kept.concat();
    let buckets = Buckets::of(&kept);
    let across: Vec<(u32, u32)> = kept
        .par_iter()
        .flat_map_iter(|&(own_hash, index)| {
            let point = positions[index as usize].as_dvec3();
            let reach = f64::from(distance);
            let (low, high) = (cell_of(point - reach), cell_of(point + reach));
            let mut pairs = Vec::new();
            for z in low.z..=high.z {
                for y in low.y..=high.y {
                    for x in low.x..=high.x {
                        let hash = cell_hash(I64Vec3::new(x, y, z));
                        if hash == own_hash {
                            continue;
                        }
                        let cell = buckets.entries(hash).iter().filter(|entry| entry.0 == hash);
                        pairs.extend(
                            cell.filter(|&&(_, other)| other > index && is_close(index, other))
                                .map(|&(_, other)| (index, other)),
                        );
                    }
                }
            }
            pairs
        })
        .collect();
    for (a, b) in across {
        sets.unite(a, b);
    }
}

/// Where in a sorted list of hashes those start that have the same first bits: a look-up takes one step where searching
/// the whole list would leave the processor's cache at each.
struct Buckets<'a> {
    entries: &'a [(u64, u32)],
    /// One more than there are buckets.
    starts: Vec<u32>,
    shift: u32,
}

impl<'a> Buckets<'a> {
    fn of(entries: &'a [(u64, u32)]) -> Self {
        let bits = entries.len().max(2).ilog2();
        let shift = u64::BITS - bits;
        let start = |bucket: u64| entries.partition_point(|entry| entry.0 >> shift < bucket) as u32;
        Self {
            entries,
            starts: (0..=1_u64 << bits).into_par_iter().map(start).collect(),
            shift,
        }
    }

    /// Those in the bucket of a hash.
    fn entries(&self, hash: u64) -> &'a [(u64, u32)] {
        let bucket = (hash >> self.shift) as usize;
        &self.entries[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}

/// Two cells may share a hash: that costs comparisons, never correctness.
fn cell_hash(cell: I64Vec3) -> u64 {
    let mix = |value: i64, factor: u64| (value as u64).wrapping_mul(factor).rotate_left(29);
    let hash =
        mix(cell.x, 0x9E37_79B9_7F4A_7C15) ^ mix(cell.y, 0xC2B2_AE3D_27D4_EB4F) ^ mix(cell.z, 0x1656_67B1_9E37_79F9);
    hash.wrapping_mul(0xD6E8_FEB8_6659_FD93)
}

fn join(mesh: &TriMesh, sets: &mut DisjointSets) -> TriMesh {
    let count = mesh.positions.len();
    let mut new_index = vec![0_u32; count];
    let mut sources = Vec::new();
    for vertex in 0..count as u32 {
        let root = sets.find(vertex);
        // A root is its set's smallest member, so it has been seen.
        new_index[vertex as usize] = if root == vertex {
            sources.push(vertex);
            sources.len() as u32 - 1
        } else {
            new_index[root as usize]
        };
    }
    let triangles = mesh
        .triangles
        .par_iter()
        .map(|triangle| triangle.map(|vertex| new_index[vertex as usize]))
        .collect();
    let pick = |values: &[Vec3]| -> Vec<Vec3> {
        let of_source = |&source: &u32| values.get(source as usize).copied();
        sources.par_iter().filter_map(of_source).collect()
    };
    let mut joined = TriMesh {
        normals: pick(&mesh.normals),
        colors: pick(&mesh.colors),
        ..TriMesh::new(pick(&mesh.positions), triangles)
    };
    if sources.len() < count {
        joined.colors = averaged(&mesh.colors, &new_index, sources.len(), |sum, members| sum / members);
        joined.normals = averaged(&mesh.normals, &new_index, sources.len(), |sum, _| {
            sum.normalize_or(Vec3::Y)
        });
    }
    joined
}

fn averaged(values: &[Vec3], new_index: &[u32], count: usize, finish: impl Fn(Vec3, f32) -> Vec3) -> Vec<Vec3> {
    if values.is_empty() {
        return Vec::new();
    }
    let mut sums = vec![(Vec3::ZERO, 0.0); count];
    for (&value, &index) in values.iter().zip(new_index) {
        let sum = &mut sums[index as usize];
        sum.0 += value;
        sum.1 += 1.0;
    }
    sums.into_iter().map(|(sum, members)| finish(sum, members)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};

    /// Every face with vertices of its own, as a soup.
    fn exploded(mesh: &TriMesh) -> TriMesh {
        let positions: Vec<Vec3> = (0..mesh.triangles.len()).flat_map(|face| mesh.corners(face)).collect();
        let triangles = (0..mesh.triangles.len() as u32)
            .map(|face| [face * 3, face * 3 + 1, face * 3 + 2])
            .collect();
        TriMesh::new(positions, triangles)
    }

    #[test]
    fn a_soup_becomes_the_sphere_it_was() {
        let sphere = shapes::icosphere(0.4, 4);
        let welded = weld(&exploded(&sphere), 0.0, &Control::silent()).unwrap();
        assert_eq!(welded.positions.len(), sphere.positions.len());
        assert!(MeshHealth::of(&welded).is_watertight);
    }

    #[test]
    fn close_vertices_join_across_cells_and_far_ones_stay() {
        let distance = 1e-3;
        let mut soup = exploded(&shapes::icosphere(0.4, 2));
        // Shifts well under half the distance, different for each corner, so that cells' borders fall in between.
        for (index, position) in soup.positions.iter_mut().enumerate() {
            let shift = |k: usize| ((index * 31 + k * 17) % 13) as f32 / 13.0 - 0.5;
            *position += Vec3::new(shift(1), shift(2), shift(3)) * distance * 0.5;
        }
        let welded = weld(&soup, distance, &Control::silent()).unwrap();
        assert_eq!(welded.positions.len(), shapes::icosphere(0.4, 2).positions.len());
        assert!(weld(&soup, 0.0, &Control::silent()).unwrap().positions.len() > welded.positions.len());
    }

    #[test]
    fn colors_are_averaged() {
        let mut mesh = TriMesh::new(
            vec![Vec3::ZERO, Vec3::ZERO, Vec3::X, Vec3::Y],
            vec![[0, 2, 3], [1, 3, 2]],
        );
        mesh.colors = vec![Vec3::X, Vec3::Y, Vec3::ZERO, Vec3::ONE];
        let welded = weld(&mesh, 0.0, &Control::silent()).unwrap();
        assert_eq!(welded.colors, [Vec3::new(0.5, 0.5, 0.0), Vec3::ZERO, Vec3::ONE]);
    }

    #[test]
    fn a_million_vertices_in_one_place_are_no_trap() {
        let positions = (0..200_000).map(|i| Vec3::splat(i as f32 * 1e-12)).collect();
        let welded = weld(&TriMesh::new(positions, vec![[0, 1, 2]]), 1e-3, &Control::silent()).unwrap();
        assert_eq!(welded.positions.len(), 1);
    }
}
