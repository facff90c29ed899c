use bozzetto_asset::TriMesh;
use glam::Vec3;

use crate::control::Meter;
use crate::topology::{DisjointSets, NONE, Side, edges, gather, sorted_sides};
use crate::{Control, MeshError, Step};

/// Parts sheets that touch in an edge or a vertex, by giving each its own copy of the vertices.
///
/// Around an edge with more than two faces, faces are paired so that each pair encloses a wedge of solid: two cubes
/// that share an edge come apart closed. A face without a partner gets a boundary there. In the result every edge has
/// one face or two that agree on the outside, and the faces around every vertex form one fan.
pub fn split_non_manifold(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let meter = Meter::new(control, Step::Split, 0);
    let mut is_loose = vec![false; mesh.triangles.len()];
    loop {
        let split = split_once(mesh, &is_loose);
        meter.add(1)?;
        // Where a sheet runs into itself, both ends of an edge can stay joined the long way round. Such faces are
        // cut off whole: each round cuts at least one more, and a mesh of loose faces alone is sound.
        let mut is_sound = true;
        let sides = sorted_sides(&split.triangles);
        for edge in edges(&sides).filter(|edge| !is_manifold(edge, &split.triangles)) {
            is_sound = false;
            for side in &edge[1..] {
                is_loose[side.face()] = true;
            }
        }
        if is_sound {
            return Ok(split);
        }
    }
}

fn is_manifold(edge: &[Side], triangles: &[[u32; 3]]) -> bool {
    match edge {
        [_] => true,
        [a, b] => a.is_forward(triangles) != b.is_forward(triangles),
        _ => false,
    }
}

fn split_once(mesh: &TriMesh, is_loose: &[bool]) -> TriMesh {
    let triangles = &mesh.triangles;
    let sides = sorted_sides(triangles);
    let mut has_border = vec![false; triangles.len()];
    for edge in edges(&sides) {
        if let [side] = edge {
            has_border[side.face()] = true;
        }
    }
    let mut corners = DisjointSets::new(triangles.len() * 3);
    let mut tied = Vec::new();
    let mut pairs = Vec::new();
    for edge in edges(&sides) {
        tied.clear();
        tied.extend(edge.iter().copied().filter(|side| !is_loose[side.face()]));
        pairs.clear();
        if let [a, b] = tied[..] {
            if a.is_forward(triangles) != b.is_forward(triangles) {
                pairs.push((a, b));
            }
        } else if tied.len() > 2 {
            leave_fins(triangles, &has_border, &mut tied);
            pair_around_edge(mesh, &tied, &mut pairs);
        }
        for &(a, b) in &pairs {
            unite_ends(triangles, a, b, &mut corners);
        }
    }

    // Each set of corners is one vertex; the lowest set of a vertex keeps its index, so a sound mesh stays as it is.
    let mut is_taken = vec![false; mesh.positions.len()];
    let mut vertex_of_set = vec![NONE; triangles.len() * 3];
    let mut sources: Vec<u32> = (0..mesh.positions.len() as u32).collect();
    let mut split = triangles.clone();
    for (corner, vertex) in split.as_flattened_mut().iter_mut().enumerate() {
        let set = corners.find(corner as u32) as usize;
        if vertex_of_set[set] == NONE {
            if is_taken[*vertex as usize] {
                vertex_of_set[set] = sources.len() as u32;
                sources.push(*vertex);
            } else {
                is_taken[*vertex as usize] = true;
                vertex_of_set[set] = *vertex;
            }
        }
        *vertex = vertex_of_set[set];
    }
    gather(mesh, &sources, split)
}

/// Takes faces with a border out of the pairing when the others make whole pairs: they are fins on a closed surface.
fn leave_fins(triangles: &[[u32; 3]], has_border: &[bool], sides: &mut Vec<Side>) {
    let whole = || sides.iter().filter(|side| !has_border[side.face()]);
    let num_forward = whole().filter(|side| side.is_forward(triangles)).count();
    if num_forward > 0 && num_forward * 2 == whole().count() {
        sides.retain(|side| !has_border[side.face()]);
    }
}

/// Makes the corners of two faces at both ends of their common edge one vertex.
fn unite_ends(triangles: &[[u32; 3]], a: Side, b: Side, corners: &mut DisjointSets) {
    let next = |side: Side| side.index / 3 * 3 + (side.index + 1) % 3;
    debug_assert_ne!(a.ends(triangles), b.ends(triangles));
    // The faces run against each other: where one starts, the other ends.
    corners.unite(a.index, next(b));
    corners.unite(next(a), b.index);
}

/// Pairs each face that runs from the lower to the higher vertex with the face before it in the sense of rotation, if
/// that one runs the other way: between them lies solid.
fn pair_around_edge(mesh: &TriMesh, sides: &[Side], pairs: &mut Vec<(Side, Side)>) {
    let low = mesh.positions[(sides[0].edge >> 32) as usize];
    let high = mesh.positions[(sides[0].edge & 0xFFFF_FFFF) as usize];
    let axis = (high - low).normalize_or(Vec3::Y);
    let reference = axis.any_orthonormal_vector();
    let side_axis = axis.cross(reference);
    let mut around: Vec<(f32, Side)> = sides
        .iter()
        .map(|&side| {
            let apex = mesh.triangles[side.face()][(side.index as usize + 2) % 3];
            let toward = mesh.positions[apex as usize] - low;
            (toward.dot(side_axis).atan2(toward.dot(reference)), side)
        })
        .collect();
    around.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let count = around.len();
    let is_forward = |place: usize| around[place % count].1.is_forward(&mesh.triangles);
    // A stack matches nested wedges too. Starting after a forward face whose predecessor runs forward as well, or
    // anywhere: two rounds see every wedge that crosses the seam of the angle.
    let mut open: Vec<usize> = Vec::new();
    let mut is_paired = vec![false; count];
    for step in 0..2 * count {
        let place = step % count;
        if is_paired[place] {
            continue;
        }
        if is_forward(place) {
            if let Some(backward) = open.pop() {
                is_paired[place] = true;
                is_paired[backward] = true;
                pairs.push((around[backward].1, around[place].1));
            }
        } else if step < count {
            open.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, drop_bad_faces, shapes, weld};

    fn joined(a: TriMesh, b: &TriMesh) -> TriMesh {
        let both = weld(&shapes::together(a, b), 0.0, &Control::silent()).unwrap();
        drop_bad_faces(&both, &Control::silent()).unwrap()
    }

    /// Health with shared places told apart, as the split left them.
    fn health_by_index(mesh: &TriMesh) -> MeshHealth {
        MeshHealth::by_index(mesh)
    }

    #[test]
    fn cubes_that_share_an_edge_come_apart_closed() {
        let mesh = joined(shapes::cube(Vec3::ZERO), &shapes::cube(Vec3::new(1.0, 1.0, 0.0)));
        assert_eq!(health_by_index(&mesh).num_non_manifold_edges, 1);
        let split = split_non_manifold(&mesh, &Control::silent()).unwrap();
        let health = health_by_index(&split);
        assert!(health.is_watertight, "{health:?}");
        assert_eq!((health.num_components, health.euler_characteristic), (2, 4));
    }

    #[test]
    fn cubes_that_share_a_vertex_come_apart_closed() {
        let mesh = joined(shapes::cube(Vec3::ZERO), &shapes::cube(Vec3::ONE));
        assert_eq!(mesh.positions.len(), 15);
        let split = split_non_manifold(&mesh, &Control::silent()).unwrap();
        assert_eq!(split.positions.len(), 16);
        assert!(health_by_index(&split).is_watertight);
    }

    #[test]
    fn a_fin_becomes_an_open_sheet() {
        let mut mesh = shapes::cube(Vec3::ZERO);
        mesh.positions.push(Vec3::new(0.0, 2.0, 0.0));
        mesh.triangles.push([0, 1, 8]);
        let split = split_non_manifold(&mesh, &Control::silent()).unwrap();
        let health = health_by_index(&split);
        assert_eq!((health.num_non_manifold_edges, health.num_inconsistent_edges), (0, 0));
    }

    #[test]
    fn a_sound_mesh_stays_as_it_is() {
        let torus = shapes::torus(0.3, 0.1, 24, 12);
        assert_eq!(split_non_manifold(&torus, &Control::silent()).unwrap(), torus);
    }
}
