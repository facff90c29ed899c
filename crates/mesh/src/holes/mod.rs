mod fair;
mod patch;
mod surroundings;

use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use self::fair::faired;
use self::patch::Patch;
use self::surroundings::Surroundings;
use crate::control::Meter;
use crate::topology::{NONE, Side, area_normal, edge_key, edges, sorted_sides};
use crate::{Control, MeshError, Step};

/// Rims longer than this are cut in two along their shortest good chord before they are triangulated.
const MAX_RIM: usize = 96;

/// Closes holes whose rim is at most `max_perimeter` metres long, with faces as small as those around them that go on as
/// the surface does.
///
/// The mesh must be as [`crate::split_non_manifold`] leaves it. Each rim is triangulated so that it follows the bend
/// of its surroundings and then has the least area, divided and bent (Liepa 2003); where it meets the surface sharply,
/// as at the end of a pipe, it stays flat. No edge gets a third face.
pub fn fill_holes(mesh: &TriMesh, max_perimeter: f32, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    fill(mesh, max_perimeter, Cover::Bent, control)
}

/// Closes all holes with faces between the vertices of their rims: as flat as they can be.
pub(crate) fn cap_holes(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    fill(mesh, f32::INFINITY, Cover::Flat, control)
}

/// What a hole is covered with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cover {
    Flat,
    Bent,
}

fn fill(mesh: &TriMesh, max_perimeter: f32, cover: Cover, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let sides = sorted_sides(&mesh.triangles);
    let rims: Vec<Rim> = trace_rims(mesh, &sides)
        .into_iter()
        .filter(|rim| rim.perimeter(mesh) <= max_perimeter)
        .collect();
    let meter = Meter::new(control, Step::FillHoles, rims.len());
    if rims.is_empty() {
        return Ok(mesh.clone());
    }
    let is_edge = |a: u32, b: u32| sides.binary_search_by(|side| side.edge.cmp(&edge_key(a, b))).is_ok();
    let on_rims = rims.iter().flat_map(|rim| rim.vertices.iter().copied());
    let around = (cover == Cover::Bent).then(|| Surroundings::of(mesh, on_rims));
    let patches = rims
        .par_iter()
        .map(|rim| {
            let mut triangles = Vec::new();
            let is_whole = triangulate(mesh, rim, &is_edge, &mut triangles);
            let patch = is_whole.then(|| {
                let bent = around
                    .as_ref()
                    .and_then(|around| bent(mesh, rim, &triangles, around, &is_edge));
                bent.unwrap_or_else(|| Patch::new(mesh, &rim.vertices, &triangles))
            });
            meter.add(1)?;
            Ok(patch)
        })
        .collect::<Result<Vec<_>, MeshError>>()?;
    let mut filled = mesh.clone();
    for (rim, patch) in rims.iter().zip(patches) {
        match patch {
            Some(patch) => patch.add_to(&mut filled),
            None => fan(&mut filled, rim),
        }
    }
    Ok(filled)
}

/// The patch with vertices of its own that goes on as the surface does, where it can.
fn bent(
    mesh: &TriMesh,
    rim: &Rim,
    triangles: &[[u32; 3]],
    around: &Surroundings,
    is_edge: &dyn Fn(u32, u32) -> bool,
) -> Option<Patch> {
    let mut patch = Patch::new(mesh, &rim.vertices, triangles);
    patch.refine(mesh, around, is_edge);
    patch.positions = faired(mesh, &patch, &rim.normals, around)?;
    Some(patch)
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
    let center = mesh.positions.len() as u32;
    let position = mean_at(&rim.vertices, &mesh.positions);
    push_vertex(mesh, position, &rim.vertices);
    let count = rim.vertices.len();
    mesh.triangles
        .extend((0..count).map(|i| [rim.vertices[i], rim.vertices[(i + 1) % count], center]));
}

/// Adds a vertex whose attributes are the mean of others'.
fn push_vertex(mesh: &mut TriMesh, position: Vec3, parents: &[u32]) {
    mesh.positions.push(position);
    if !mesh.normals.is_empty() {
        let normal = mean_at(parents, &mesh.normals).normalize_or(Vec3::Y);
        mesh.normals.push(normal);
    }
    if !mesh.colors.is_empty() {
        let color = mean_at(parents, &mesh.colors);
        mesh.colors.push(color);
    }
}

fn mean_at(vertices: &[u32], values: &[Vec3]) -> Vec3 {
    let sum: Vec3 = vertices.iter().map(|&vertex| values[vertex as usize]).sum();
    sum / vertices.len() as f32
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

    fn area(mesh: &TriMesh, triangles: &[[u32; 3]]) -> f32 {
        let area = |t: &[u32; 3]| area_normal(t.map(|v| mesh.positions[v as usize])).length() * 0.5;
        triangles.iter().map(area).sum()
    }

    #[test]
    fn a_filled_hole_goes_on_as_the_surface_does() {
        for (levels, height) in [(4, 0.38), (4, 0.36), (5, 0.3)] {
            let mut open = bowl(levels, height);
            open.colors = open.positions.clone();
            let closed = fill_holes(&open, 10.0, &Control::silent()).unwrap();
            assert!(closed.is_consistent() && MeshHealth::by_index(&closed).is_watertight);
            let own = &closed.positions[open.positions.len()..];
            assert!(own.len() > 5, "{height}: {} vertices", own.len());
            // A flat cap would be off by the height of the dome, 0.4 - height.
            let off = own.iter().map(|point| (point.length() - 0.4).abs()).fold(0.0, f32::max);
            assert!(off < 0.2 * (0.4 - height), "{height}: {off} m off");
            let added = &closed.triangles[open.triangles.len()..];
            let dome = std::f32::consts::TAU * 0.4 * (0.4 - height);
            // The rim zigzags about the height.
            let share = (added.len() as f32) / (open.triangles.len() + added.len()) as f32;
            let expected = share * std::f32::consts::TAU * 2.0 * 0.16;
            let found = area(&closed, added);
            assert!(
                (found / expected - 1.0).abs() < 0.3 && found > dome * 0.8,
                "{found}, {expected}, {dome}"
            );
            let mut colors = closed.colors[open.positions.len()..].iter();
            assert!(colors.all(|color| color.y > 0.5 * height && color.is_finite()));
        }
    }

    #[test]
    fn the_end_of_a_pipe_stays_flat() {
        // A torus cut open has two round ends that stand square on the pipe.
        let torus = shapes::torus(0.3, 0.08, 60, 24);
        let open = compacted(&torus, torus.triangles[..torus.triangles.len() / 2].to_vec());
        let closed = fill_holes(&open, 10.0, &Control::silent()).unwrap();
        assert_eq!(closed.positions.len(), open.positions.len());
        let added = area(&closed, &closed.triangles[open.triangles.len()..]);
        let discs = 2.0 * std::f32::consts::PI * 0.08 * 0.08;
        assert!((added / discs - 1.0).abs() < 0.02, "{added} against {discs}");
    }

    #[test]
    fn a_cap_over_all_is_flat() {
        let open = bowl(4, 0.3);
        let closed = cap_holes(&open, &Control::silent()).unwrap();
        assert_eq!(closed.positions.len(), open.positions.len());
        let found = area(&closed, &closed.triangles[open.triangles.len()..]);
        // The flat disc at that height has radius sqrt(0.4^2 - 0.3^2).
        let disc = std::f32::consts::PI * (0.16 - 0.09);
        assert!((found / disc - 1.0).abs() < 0.1, "{found} against {disc}");
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
