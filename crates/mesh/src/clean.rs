use bozzetto_asset::TriMesh;
use rayon::prelude::*;

use crate::control::Meter;
use crate::topology::{DisjointSets, NONE, Side, area_normal, compacted, edges, sorted_sides};
use crate::{Control, MeshError, Step};

/// Drops faces that name a vertex twice, all but the first of the faces with the same three vertices, and vertices
/// that no face uses.
///
/// A face with three different vertices on one line stays: dropping it would open the surface.
pub fn drop_bad_faces(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::Clean, 2);
    let mut by_vertices: Vec<([u32; 3], u32)> = mesh
        .triangles
        .par_iter()
        .enumerate()
        .filter(|(_, [a, b, c])| a != b && b != c && c != a)
        .map(|(face, triangle)| {
            let mut key = *triangle;
            key.sort_unstable();
            (key, face as u32)
        })
        .collect();
    by_vertices.par_sort_unstable();
    meter.add(1)?;
    let mut kept: Vec<u32> = by_vertices
        .chunk_by(|a, b| a.0 == b.0)
        .map(|group| group[0].1)
        .collect();
    kept.par_sort_unstable();
    let triangles = kept.into_iter().map(|face| mesh.triangles[face as usize]).collect();
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
    let mut sets = DisjointSets::new(num_faces);
    for edge in edges(sides) {
        for side in &edge[1..] {
            sets.unite(edge[0].face() as u32, side.face() as u32);
        }
    }
    (0..num_faces as u32).map(|face| sets.find(face)).collect()
}

/// For each side of each face the face beyond it, where exactly two faces meet; else [`NONE`].
pub(crate) fn neighbors(triangles: &[[u32; 3]]) -> Vec<[u32; 3]> {
    neighbors_by(&sorted_sides(triangles), triangles.len())
}

/// As [`neighbors`], from sides that are sorted already.
pub(crate) fn neighbors_by(sides: &[Side], num_faces: usize) -> Vec<[u32; 3]> {
    let mut neighbors = vec![[NONE; 3]; num_faces];
    for edge in edges(sides) {
        if let [a, b] = edge {
            neighbors[a.face()][a.index as usize % 3] = b.face() as u32;
            neighbors[b.face()][b.index as usize % 3] = a.face() as u32;
        }
    }
    neighbors
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
