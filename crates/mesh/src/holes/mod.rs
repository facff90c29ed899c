use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use crate::control::Meter;
use crate::topology::{NONE, Side, area_normal, edge_key, edges, sorted_sides};
use crate::{Control, MeshError, Step};

/// Rims longer than this are cut in two along their shortest good chord before they are triangulated.
const MAX_RIM: usize = 96;

/// Closes holes whose rim is at most `max_perimeter` metres long.
///
/// The mesh must be as [`crate::split_non_manifold`] leaves it. Each rim is triangulated so that it follows the bend
/// of its surroundings and then has the least area (Liepa 2003); no edge gets a third face.
pub fn fill_holes(mesh: &TriMesh, max_perimeter: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let sides = sorted_sides(&mesh.triangles);
    let rims: Vec<Rim> = trace_rims(mesh, &sides)
        .into_iter()
        .filter(|rim| rim.perimeter(mesh) <= max_perimeter)
        .collect();
    let meter = Meter::new(control, Step::FillHoles, rims.len());
    let is_edge = |a: u32, b: u32| sides.binary_search_by(|side| side.edge.cmp(&edge_key(a, b))).is_ok();
    let patches = rims
        .par_iter()
        .map(|rim| {
            let mut patch = Vec::new();
            let is_whole = triangulate(mesh, rim, &is_edge, &mut patch);
            meter.add(1)?;
            Ok(is_whole.then_some(patch))
        })
        .collect::<Result<Vec<_>, MeshError>>()?;
    let mut filled = mesh.clone();
    for (rim, patch) in rims.iter().zip(patches) {
        match patch {
            Some(patch) => filled.triangles.extend(patch),
            None => fan(&mut filled, rim),
        }
    }
    Ok(filled)
}

/// The border of a hole, in the direction that its new faces take.
struct Rim {
    vertices: Vec<u32>,
    /// Unit normal of the face beyond the edge from vertex `i` to the next; zero when there is none yet.
    normals: Vec<Vec3>,
}

impl Rim {
    fn perimeter(&self, mesh: &TriMesh) -> f32 {
        let at = |i: usize| mesh.positions[self.vertices[i % self.vertices.len()] as usize];
        (0..self.vertices.len()).map(|i| at(i).distance(at(i + 1))).sum()
    }
}

fn trace_rims(mesh: &TriMesh, sides: &[Side]) -> Vec<Rim> {
    let mut next = vec![(NONE, 0_u32); mesh.positions.len()];
    let mut is_branching = vec![false; mesh.positions.len()];
    for edge in edges(sides) {
        if let [side] = edge {
            let [from, to] = side.ends(&mesh.triangles);
            is_branching[to as usize] |= next[to as usize].0 != NONE;
            next[to as usize] = (from, side.face() as u32);
        }
    }
    let mut is_seen = vec![false; mesh.positions.len()];
    let mut rims = Vec::new();
    for start in 0..next.len() {
        let mut vertices = Vec::new();
        let mut faces = Vec::new();
        let mut vertex = start;
        let mut is_sound = true;
        while next[vertex].0 != NONE && !is_seen[vertex] {
            is_seen[vertex] = true;
            is_sound &= !is_branching[vertex];
            vertices.push(vertex as u32);
            faces.push(next[vertex].1);
            vertex = next[vertex].0 as usize;
        }
        // A lone triangle is no hole: closing it would put a second face on its back.
        let is_lone = faces.len() == 3 && faces.iter().all(|&face| face == faces[0]);
        if vertices.len() >= 3 && vertex == start && is_sound && !is_lone {
            let normals = faces
                .iter()
                .map(|&face| area_normal(mesh.corners(face as usize)).normalize_or_zero())
                .collect();
            rims.push(Rim { vertices, normals });
        }
    }
    rims
}

/// Covers a rim with triangles of its own vertices. `false` when every way would give an edge a third face.
fn triangulate(
    mesh: &TriMesh,
    rim: &Rim,
    is_edge: &(dyn Fn(u32, u32) -> bool + Sync),
    patch: &mut Vec<[u32; 3]>,
) -> bool {
    let count = rim.vertices.len();
    if count <= MAX_RIM {
        return triangulate_small(mesh, rim, is_edge, patch);
    }
    let at = |i: usize| mesh.positions[rim.vertices[i] as usize];
    // The shortest chord that leaves each part at least a quarter of the rim.
    let mut best: Option<(f32, usize, usize)> = None;
    let stride = (count / 512).max(1);
    for i in (0..count).step_by(stride) {
        for j in (i + count / 4..=(i + count - count / 4).min(count - 1)).step_by(stride) {
            let length = at(i).distance_squared(at(j));
            if best.is_none_or(|(least, ..)| length < least) && !is_edge(rim.vertices[i], rim.vertices[j]) {
                best = Some((length, i, j));
            }
        }
    }
    let Some((_, i, j)) = best else { return false };
    let mut inner = Rim {
        vertices: rim.vertices[i..=j].to_vec(),
        normals: rim.normals[i..j].to_vec(),
    };
    inner.normals.push(Vec3::ZERO);
    let mut outer = Rim {
        vertices: rim.vertices[j..].iter().chain(&rim.vertices[..=i]).copied().collect(),
        normals: rim.normals[j..].iter().chain(&rim.normals[..i]).copied().collect(),
    };
    outer.normals.push(Vec3::ZERO);
    triangulate(mesh, &inner, is_edge, patch) && triangulate(mesh, &outer, is_edge, patch)
}

/// Sharpest bend first, then area.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Weight(f32, f32);

impl Weight {
    const IMPOSSIBLE: Self = Self(f32::INFINITY, f32::INFINITY);

    fn with(self, other: Self) -> Self {
        Self(self.0.max(other.0), self.1 + other.1)
    }
}

/// Dynamic programming over all triangulations of a polygon (Barequet and Sharir 1995) with Liepa's weight.
fn triangulate_small(
    mesh: &TriMesh,
    rim: &Rim,
    is_edge: &(dyn Fn(u32, u32) -> bool + Sync),
    patch: &mut Vec<[u32; 3]>,
) -> bool {
    let count = rim.vertices.len();
    let at = |i: usize| mesh.positions[rim.vertices[i] as usize];
    let mut weights = vec![Weight(0.0, 0.0); count * count];
    let mut apexes = vec![0_usize; count * count];
    // Normal of what lies beyond the edge from `i` to `j` as seen from a triangle above it.
    let beyond = |i: usize, j: usize, apexes: &[usize]| {
        if j == i + 1 {
            rim.normals[i]
        } else {
            area_normal([at(i), at(apexes[i * count + j]), at(j)]).normalize_or_zero()
        }
    };
    for span in 2..count {
        for i in 0..count - span {
            let k = i + span;
            let closes = span == count - 1;
            let mut best = (Weight::IMPOSSIBLE, i + 1);
            if closes || !is_edge(rim.vertices[i], rim.vertices[k]) {
                for m in i + 1..k {
                    let parts = weights[i * count + m].with(weights[m * count + k]);
                    if parts >= best.0 {
                        continue;
                    }
                    let normal = area_normal([at(i), at(m), at(k)]);
                    let unit = normal.normalize_or_zero();
                    let bend = |other: Vec3| {
                        if other == Vec3::ZERO {
                            0.0
                        } else {
                            1.0 - unit.dot(other)
                        }
                    };
                    let mut sharpest = bend(beyond(i, m, &apexes)).max(bend(beyond(m, k, &apexes)));
                    if closes {
                        sharpest = sharpest.max(bend(rim.normals[k]));
                    }
                    let weight = parts.with(Weight(sharpest, normal.length() * 0.5));
                    if weight < best.0 {
                        best = (weight, m);
                    }
                }
            }
            weights[i * count + k] = best.0;
            apexes[i * count + k] = best.1;
        }
    }
    if weights[count - 1].0.is_infinite() {
        return false;
    }
    let mut open = vec![(0, count - 1)];
    while let Some((i, k)) = open.pop() {
        if k < i + 2 {
            continue;
        }
        let m = apexes[i * count + k];
        patch.push([rim.vertices[i], rim.vertices[m], rim.vertices[k]]);
        open.extend([(m, k), (i, m)]);
    }
    true
}

/// Covers a rim from a new vertex in its middle: always possible, never a third face at an edge.
fn fan(mesh: &mut TriMesh, rim: &Rim) {
    let mean = |values: &[Vec3]| {
        let sum: Vec3 = rim.vertices.iter().map(|&vertex| values[vertex as usize]).sum();
        sum / rim.vertices.len() as f32
    };
    let center = mesh.positions.len() as u32;
    let position = mean(&mesh.positions);
    mesh.positions.push(position);
    if !mesh.normals.is_empty() {
        let normal = mean(&mesh.normals).normalize_or(Vec3::Y);
        mesh.normals.push(normal);
    }
    if !mesh.colors.is_empty() {
        let color = mean(&mesh.colors);
        mesh.colors.push(color);
    }
    let count = rim.vertices.len();
    mesh.triangles
        .extend((0..count).map(|i| [rim.vertices[i], rim.vertices[(i + 1) % count], center]));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes, topology::compacted};

    /// A sphere without the faces above a height.
    fn bowl(levels: u32, height: f32) -> TriMesh {
        let sphere = shapes::icosphere(0.4, levels);
        let triangles = (0..sphere.triangles.len())
            .filter(|&face| sphere.corners(face).iter().sum::<Vec3>().y / 3.0 < height)
            .map(|face| sphere.triangles[face])
            .collect();
        compacted(&sphere, triangles)
    }

    #[test]
    fn small_and_long_rims_close() {
        for (levels, height) in [(3, 0.38), (4, 0.3), (6, 0.1)] {
            let open = bowl(levels, height);
            assert!(!MeshHealth::of(&open).is_watertight);
            let health = MeshHealth::of(&fill_holes(&open, 10.0, &Control::silent()).unwrap());
            assert!(health.is_watertight, "{health:?}");
            assert_eq!(health.euler_characteristic, 2);
        }
    }

    #[test]
    fn a_cap_follows_its_rim() {
        let open = bowl(4, 0.3);
        let closed = fill_holes(&open, 10.0, &Control::silent()).unwrap();
        let added = &closed.triangles[open.triangles.len()..];
        let area: f32 = added
            .iter()
            .map(|t| area_normal(t.map(|v| closed.positions[v as usize])).length() * 0.5)
            .sum();
        // The flat disc at that height has radius sqrt(0.4^2 - 0.3^2).
        let disc = std::f32::consts::PI * (0.16 - 0.09);
        assert!((area / disc - 1.0).abs() < 0.15, "{area} against {disc}");
    }

    #[test]
    fn large_holes_and_lone_triangles_stay() {
        let open = bowl(4, 0.0);
        assert_eq!(fill_holes(&open, 0.5, &Control::silent()).unwrap(), open);
        let lone = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
        assert_eq!(fill_holes(&lone, 100.0, &Control::silent()).unwrap(), lone);
    }

    #[test]
    fn two_triangles_do_not_get_a_third_face_on_their_diagonal() {
        let sheet = TriMesh::new(
            vec![Vec3::ZERO, Vec3::X, Vec3::new(1.0, 1.0, 0.1), Vec3::Y],
            vec![[0, 1, 2], [0, 2, 3]],
        );
        let health = MeshHealth::by_index(&fill_holes(&sheet, 100.0, &Control::silent()).unwrap());
        assert!(health.is_watertight, "{health:?}");
    }
}
