use std::sync::atomic::{AtomicU32, Ordering};

use bozzetto_asset::TriMesh;
use rayon::prelude::*;

use crate::buckets::bucketed;
use crate::control::Meter;
use crate::topology::{ConcurrentSets, NONE, Side, area_normal, compacted, kept, sorted_sides};
use crate::{Control, MeshError, Step};

/// Drops faces that name a vertex twice, all but the first of the faces with the same three vertices, and vertices
/// that no face uses.
///
/// A face with three different vertices on one line stays: dropping it would open the surface.
pub fn drop_bad_faces(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::Clean, 2);
    let vertices_of = |face: u32| {
        let mut vertices = mesh.triangles[face as usize];
        vertices.sort_unstable();
        vertices
    };
    let lowest_vertex = |face: u32| {
        let [low, middle, high] = vertices_of(face);
        (low != middle && middle != high).then_some(low)
    };
    let by_vertices = bucketed(mesh.positions.len(), mesh.triangles.len(), lowest_vertex, |face| {
        (vertices_of(face), face)
    });
    meter.add(1)?;
    let mut is_kept = vec![false; mesh.triangles.len()];
    for group in by_vertices.chunk_by(|a, b| a.0 == b.0) {
        is_kept[group[0].1 as usize] = true;
    }
    let triangles = kept(&mesh.triangles, |face| is_kept[face], |&triangle| triangle);
    let cleaned = compacted(mesh, triangles);
    meter.add(1)?;
    Ok(cleaned)
}

/// Drops components with less than `min_share` of the whole surface's area; the largest one always stays.
pub fn remove_small_components(mesh: &TriMesh, min_share: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::RemoveSpecks, 2);
    let component = components(&mesh.triangles);
    meter.add(1)?;
    let areas: Vec<f64> = (0..mesh.triangles.len())
        .into_par_iter()
        .map(|face| f64::from(area_normal(mesh.corners(face)).length()))
        .collect();
    let mut component_area = vec![0.0; mesh.triangles.len()];
    for (&id, &area) in component.iter().zip(&areas) {
        component_area[id as usize] += area;
    }
    let largest = component_area.iter().copied().fold(0.0, f64::max);
    let smallest_kept = (areas.iter().sum::<f64>() * f64::from(min_share)).min(largest);
    if component.iter().all(|&id| component_area[id as usize] >= smallest_kept) {
        return Ok(mesh.clone());
    }
    let triangles = mesh
        .triangles
        .iter()
        .zip(&component)
        .filter(|&(_, &id)| component_area[id as usize] >= smallest_kept)
        .map(|(&triangle, _)| triangle)
        .collect();
    let kept = compacted(mesh, triangles);
    meter.add(1)?;
    Ok(kept)
}

/// For each face the lowest face that edges connect it with.
pub(crate) fn components(triangles: &[[u32; 3]]) -> Vec<u32> {
    components_by(&sorted_sides(triangles), triangles.len())
}

/// As [`components`], from sides that are sorted already.
pub(crate) fn components_by(sides: &[Side], num_faces: usize) -> Vec<u32> {
    let sets = ConcurrentSets::new(num_faces);
    sides.par_chunk_by(|a, b| a.edge == b.edge).for_each(|edge| {
        for side in &edge[1..] {
            sets.unite(edge[0].face() as u32, side.face() as u32);
        }
    });
    sets.into_names()
}

/// For each side of each face the face beyond it, where exactly two faces meet; else [`NONE`].
pub(crate) fn neighbors(triangles: &[[u32; 3]]) -> Vec<[u32; 3]> {
    neighbors_by(&sorted_sides(triangles), triangles.len())
}

/// As [`neighbors`], from sides that are sorted already.
pub(crate) fn neighbors_by(sides: &[Side], num_faces: usize) -> Vec<[u32; 3]> {
    let beyond: Vec<AtomicU32> = (0..num_faces * 3)
        .into_par_iter()
        .map(|_| AtomicU32::new(NONE))
        .collect();
    sides.par_chunk_by(|a, b| a.edge == b.edge).for_each(|edge| {
        if let [a, b] = edge {
            beyond[a.index as usize].store(b.face() as u32, Ordering::Relaxed);
            beyond[b.index as usize].store(a.face() as u32, Ordering::Relaxed);
        }
    });
    let of_face = |face: &[AtomicU32; 3]| face.each_ref().map(|side| side.load(Ordering::Relaxed));
    beyond.as_chunks().0.par_iter().map(of_face).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;
    use glam::Vec3;

    #[test]
    fn repeated_and_pointless_faces_go() {
        let mut mesh = shapes::cube(Vec3::ZERO);
        mesh.triangles.extend([[0, 2, 3], [3, 2, 0], [1, 1, 4]]);
        mesh.positions.push(Vec3::ONE * 9.0);
        let cleaned = drop_bad_faces(&mesh, &Control::silent()).unwrap();
        assert_eq!(cleaned, shapes::cube(Vec3::ZERO));
    }

    #[test]
    fn specks_go_and_the_largest_stays() {
        let speck = shapes::icosphere(0.001, 1);
        let mesh = shapes::together(shapes::icosphere(0.4, 3), &speck);
        let kept = remove_small_components(&mesh, 1e-3, &Control::silent()).unwrap();
        assert_eq!(kept, shapes::icosphere(0.4, 3));
        let all = remove_small_components(&mesh, 0.0, &Control::silent()).unwrap();
        assert_eq!(all.triangles.len(), mesh.triangles.len());
        // Even a share that nothing reaches leaves the largest.
        let one = remove_small_components(&mesh, 50.0, &Control::silent()).unwrap();
        assert_eq!(one, shapes::icosphere(0.4, 3));
    }
}
