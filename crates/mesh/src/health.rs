use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::bake::uv_overlap;
use crate::clean::components_by;
use crate::layout;
use crate::orient::num_flipped;
use crate::shells::num_inner_shells;
use crate::topology::{Side, area_normal, edges, sorted_sides, sound_faces};
use crate::touching::num_touching;
use crate::{Control, MeshError, SelfIntersections, weld};

/// Grid on which overlap of the layout is looked for, at most.
const OVERLAP_PX: usize = 1024;

/// What is sound and what is broken about a mesh. Vertices at the very same place count as one here, so that UV seams
/// are no boundaries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MeshHealth {
    /// Triangles.
    pub num_faces: usize,
    /// Vertices as stored, seams counted twice.
    pub num_vertices: usize,
    /// Edges with one face.
    pub num_boundary_edges: usize,
    /// Edges with three faces or more.
    pub num_non_manifold_edges: usize,
    /// Edges whose two faces disagree on which side is outside.
    pub num_inconsistent_edges: usize,
    /// Faces that look inwards: those that [`crate::orient_outward`] turns.
    pub num_flipped_faces: usize,
    /// Vertices where parts of the surface touch that share no edge there.
    pub num_touching_vertices: usize,
    /// Pieces connected by edges.
    pub num_components: usize,
    /// Pieces that lie wholly inside a closed one.
    pub num_inner_shells: usize,
    /// Faces without area.
    pub num_degenerate_faces: usize,
    /// No boundary, no non-manifold and no inconsistent edge, and at least one face.
    pub is_watertight: bool,
    /// Enclosed volume in cubic metres; negative when inside out, without meaning when not watertight.
    pub signed_volume: f64,
    /// Vertices minus edges plus faces: 2 for a sphere, 0 for a torus.
    pub euler_characteristic: i64,
    /// Where the surface passes through itself, when it was looked for: see [`MeshHealth::examined`].
    pub self_intersections: Option<SelfIntersections>,
    /// Share of the used texels that belong to more than one face, when it was measured.
    pub uv_overlap: Option<f32>,
    /// Texels along a metre of the surface, when it has a texture layout whose size is known.
    pub texels_per_metre: Option<f32>,
    /// Calls to the graphics card that draw it: one for a mesh with one material, as all of ours are.
    pub num_draw_calls: usize,
    /// Size of the file that it is in, bytes, when it is in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<u64>,
}

/// Where a mesh is broken: ends of edges, metres.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlawedEdges {
    /// Edges with one face.
    pub open: Vec<[Vec3; 2]>,
    /// Edges with three faces or more.
    pub non_manifold: Vec<[Vec3; 2]>,
}

impl FlawedEdges {
    /// The same edges that [`MeshHealth::of`] counts.
    pub fn of(mesh: &TriMesh) -> Self {
        let mesh = weld(&sound_part(mesh), 0.0, &Control::silent()).unwrap_or_default();
        let triangles = bounding_faces(&mesh);
        let sides = sorted_sides(&triangles);
        let mut flawed = Self::default();
        for edge in edges(&sides) {
            let ends = edge[0].ends(&triangles).map(|vertex| mesh.positions[vertex as usize]);
            match edge.len() {
                1 => flawed.open.push(ends),
                2 => {}
                _ => flawed.non_manifold.push(ends),
            }
        }
        flawed
    }
}

impl MeshHealth {
    /// Examines a mesh. Takes any mesh: faces with an index out of range or a vertex that is not finite count as
    /// degenerate and take no further part.
    pub fn of(mesh: &TriMesh) -> Self {
        let sound = sound_part(mesh);
        let mut welded = weld(&sound, 0.0, &Control::silent()).unwrap_or_default();
        welded.triangles = bounding_faces(&welded);
        let sides = sorted_sides(&welded.triangles);
        let counted = Self::counted(&welded, &sides);
        Self {
            num_faces: mesh.triangles.len(),
            num_vertices: mesh.positions.len(),
            num_degenerate_faces: mesh.triangles.len() - num_with_area(&sound),
            num_flipped_faces: num_flipped(&welded, &sides),
            num_touching_vertices: num_touching(&welded, &sides),
            num_draw_calls: usize::from(!mesh.triangles.is_empty()),
            num_inner_shells: if counted.num_components > 1 {
                num_inner_shells(&welded, &sides)
            } else {
                0
            },
            ..counted
        }
    }

    /// As [`MeshHealth::of`], and looks for self-intersections, which takes longer: a second or two for a million faces.
    pub fn examined(mesh: &TriMesh, control: &Control<'_>) -> Result<Self, MeshError> {
        Ok(Self {
            self_intersections: Some(SelfIntersections::of(mesh, control)?),
            ..Self::of(mesh)
        })
    }

    /// With what the texture coordinates tell, where there are any: overlap, and density where the size of the texture is
    /// known.
    #[must_use]
    pub fn with_layout(self, mesh: &TriMesh, texture_px: Option<u32>) -> Self {
        if mesh.uvs.is_empty() || !mesh.is_consistent() {
            return self;
        }
        let grid = texture_px.map_or(OVERLAP_PX, |size| OVERLAP_PX.min(size as usize));
        Self {
            uv_overlap: Some(uv_overlap(mesh, grid)),
            texels_per_metre: texture_px.and_then(|size| layout::texels_per_metre(mesh, size)),
            ..self
        }
    }

    /// The health of the same mesh made larger by a factor.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        Self {
            signed_volume: self.signed_volume * f64::from(factor).powi(3),
            texels_per_metre: self.texels_per_metre.map(|texels| texels / factor),
            ..self.clone()
        }
    }

    /// Whether every vertex has a neighbourhood like a disc's: closed, consistent, and nowhere touching itself.
    pub fn is_closed_manifold(&self) -> bool {
        self.is_watertight && self.num_touching_vertices == 0
    }

    /// As [`MeshHealth::of`] for a consistent mesh, with vertices told apart by index even at one place.
    #[cfg(test)]
    pub(crate) fn by_index(mesh: &TriMesh) -> Self {
        let bounding = TriMesh::new(mesh.positions.clone(), bounding_faces(mesh));
        Self {
            num_faces: mesh.triangles.len(),
            num_vertices: mesh.positions.len(),
            num_degenerate_faces: mesh.triangles.len() - num_with_area(mesh),
            ..Self::counted(&bounding, &sorted_sides(&bounding.triangles))
        }
    }

    /// What edges tell, of a consistent mesh without faces that name a vertex twice.
    fn counted(mesh: &TriMesh, sides: &[Side]) -> Self {
        let triangles = &mesh.triangles;
        let mut health = Self::default();
        let mut num_edges = 0_i64;
        for edge in edges(sides) {
            num_edges += 1;
            match edge {
                [_] => health.num_boundary_edges += 1,
                [a, b] => {
                    let agrees = a.is_forward(triangles) != b.is_forward(triangles);
                    health.num_inconsistent_edges += usize::from(!agrees);
                }
                _ => health.num_non_manifold_edges += 1,
            }
        }
        let component = components_by(sides, triangles.len());
        health.num_components = component
            .iter()
            .enumerate()
            .filter(|&(face, &id)| face as u32 == id)
            .count();
        let mut is_used = vec![false; mesh.positions.len()];
        triangles
            .iter()
            .flatten()
            .for_each(|&vertex| is_used[vertex as usize] = true);
        let num_used = is_used.iter().filter(|&&used| used).count() as i64;
        health.euler_characteristic = num_used - num_edges + triangles.len() as i64;
        health.is_watertight = !triangles.is_empty()
            && health.num_boundary_edges + health.num_non_manifold_edges + health.num_inconsistent_edges == 0;
        health.signed_volume = triangles
            .iter()
            .map(|triangle| {
                let [a, b, c] = triangle.map(|vertex| mesh.positions[vertex as usize].as_dvec3());
                a.dot(b.cross(c)) / 6.0
            })
            .sum();
        health
    }
}

/// Without faces that name a vertex twice: they bound nothing.
fn bounding_faces(mesh: &TriMesh) -> Vec<[u32; 3]> {
    let bounds = |[a, b, c]: &[u32; 3]| a != b && b != c && c != a;
    mesh.triangles.iter().copied().filter(bounds).collect()
}

fn num_with_area(mesh: &TriMesh) -> usize {
    (0..mesh.triangles.len())
        .into_par_iter()
        .filter(|&face| area_normal(mesh.corners(face)).length_squared() > 0.0)
        .count()
}

/// Positions and the faces that can be looked at.
fn sound_part(mesh: &TriMesh) -> TriMesh {
    TriMesh::new(mesh.positions.clone(), sound_faces(mesh))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn known_shapes() {
        let sphere = MeshHealth::of(&shapes::icosphere(0.5, 4));
        assert!(sphere.is_watertight);
        assert_eq!((sphere.euler_characteristic, sphere.num_components), (2, 1));
        let ball = std::f64::consts::PI / 6.0;
        assert!(
            (sphere.signed_volume / ball - 1.0).abs() < 0.01,
            "{}",
            sphere.signed_volume
        );
        let torus = MeshHealth::of(&shapes::torus(0.3, 0.1, 32, 16));
        assert!(torus.is_watertight && torus.signed_volume > 0.0);
        assert_eq!(torus.euler_characteristic, 0);
    }

    #[test]
    fn a_layout_tells_its_overlap_and_density() {
        // Two squares of half a metre, each on a quarter of the texture.
        let corners = |x: f32| [[x, 0.0], [x + 0.5, 0.0], [x + 0.5, 0.5], [x, 0.5]].map(glam::Vec2::from);
        let positions = |x: f32| corners(x).map(|corner| corner.extend(0.0));
        let mut mesh = TriMesh::new(
            [positions(0.0), positions(1.0)].concat(),
            vec![[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]],
        );
        let bare = MeshHealth::of(&mesh).with_layout(&mesh, Some(256));
        assert_eq!((bare.uv_overlap, bare.texels_per_metre), (None, None));
        mesh.uvs = [corners(0.0), corners(0.5)].concat();
        let apart = MeshHealth::of(&mesh).with_layout(&mesh, Some(256));
        assert_eq!((apart.uv_overlap, apart.texels_per_metre), (Some(0.0), Some(256.0)));
        mesh.uvs = [corners(0.0), corners(0.25)].concat();
        let over = MeshHealth::of(&mesh).with_layout(&mesh, None);
        let overlap = over.uv_overlap.expect("measured");
        assert!((overlap - 1.0 / 3.0).abs() < 0.01, "{overlap}");
        assert_eq!(over.texels_per_metre, None);
    }

    #[test]
    fn a_larger_mesh_has_more_volume_and_fewer_texels_a_metre() {
        let health = MeshHealth {
            texels_per_metre: Some(600.0),
            ..MeshHealth::of(&shapes::cube(Vec3::ZERO))
        };
        let doubled = health.scaled(2.0);
        assert!((doubled.signed_volume / health.signed_volume - 8.0).abs() < 1e-9);
        assert_eq!((doubled.texels_per_metre, doubled.num_draw_calls), (Some(300.0), 1));
        assert_eq!(health.scaled(1.0), health);
    }

    #[test]
    fn crowded_edges_are_found_where_they_are() {
        // Two cubes that share an edge only: it has four faces.
        let mut mesh = shapes::cube(Vec3::ZERO);
        let bounds = mesh.bounds().expect("not empty");
        let other = shapes::cube((bounds.1 - bounds.0) * Vec3::new(1.0, 1.0, 0.0));
        let offset = mesh.positions.len() as u32;
        mesh.positions.extend(other.positions);
        mesh.triangles.extend(
            other
                .triangles
                .iter()
                .map(|triangle| triangle.map(|vertex| vertex + offset)),
        );
        let flawed = FlawedEdges::of(&mesh);
        assert!(flawed.open.is_empty());
        let [[start, end]] = flawed.non_manifold[..] else {
            panic!("one edge: {flawed:?}");
        };
        assert!(
            (start.x - bounds.1.x).abs() < 1e-6 && (end.y - bounds.1.y).abs() < 1e-6,
            "{start} {end}"
        );
    }

    #[test]
    fn faults_are_counted() {
        let mut mesh = shapes::cube(Vec3::ZERO);
        mesh.triangles[0].swap(1, 2);
        let flipped = MeshHealth::of(&mesh);
        assert_eq!((flipped.num_inconsistent_edges, flipped.num_flipped_faces), (3, 1));
        mesh.triangles.pop();
        mesh.triangles.push([0, 0, 99]);
        let broken = MeshHealth::of(&mesh);
        assert_eq!((broken.num_boundary_edges, broken.num_degenerate_faces), (3, 1));
        assert!(!broken.is_watertight);
        assert_eq!(FlawedEdges::of(&mesh).open.len(), 3);
        mesh.positions[0].x = f32::NAN;
        assert!(MeshHealth::of(&mesh).num_degenerate_faces > 1);
        assert_eq!(MeshHealth::of(&TriMesh::default()), MeshHealth::default());
    }
}
