use glam::{Vec2, Vec3};

/// An indexed triangle mesh in the model frame; counter-clockwise faces point outwards.
///
/// Optional attributes are empty or have one entry a vertex.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TriMesh {
    /// Vertex positions, metres. `[V, 3]`
    pub positions: Vec<Vec3>,
    /// Vertex indices of each triangle. `[F, 3]`
    pub triangles: Vec<[u32; 3]>,
    /// Unit normals, or empty. `[V, 3]`
    pub normals: Vec<Vec3>,
    /// Texture coordinates with the origin at the top left (glTF's), or empty. `[V, 2]`
    pub uvs: Vec<Vec2>,
    /// Linear RGB in `[0, 1]`, or empty. `[V, 3]`
    pub colors: Vec<Vec3>,
    /// Tangent and its handedness (glTF's), or empty. `[V, 4]`
    pub tangents: Vec<[f32; 4]>,
}

impl TriMesh {
    /// A mesh of positions and triangles alone.
    pub fn new(positions: Vec<Vec3>, triangles: Vec<[u32; 3]>) -> Self {
        Self {
            positions,
            triangles,
            ..Self::default()
        }
    }

    /// Axis-aligned bounds, `None` when there are no vertices.
    pub fn bounds(&self) -> Option<(Vec3, Vec3)> {
        bounds_of(&self.positions)
    }

    /// The three corners of a triangle.
    pub fn corners(&self, triangle: usize) -> [Vec3; 3] {
        self.triangles[triangle].map(|index| self.positions[index as usize])
    }

    /// Replaces the normals by area-weighted averages of the adjoining faces.
    pub fn compute_normals(&mut self) {
        let mut normals = vec![Vec3::ZERO; self.positions.len()];
        for (index, triangle) in self.triangles.iter().enumerate() {
            let [a, b, c] = self.corners(index);
            let area_normal = (b - a).cross(c - a);
            for &vertex in triangle {
                normals[vertex as usize] += area_normal;
            }
        }
        self.normals = normals.into_iter().map(|normal| normal.normalize_or(Vec3::Y)).collect();
    }

    /// Whether every index is in range, every attribute is empty or whole, and every position is finite.
    pub fn is_consistent(&self) -> bool {
        let count = self.positions.len();
        let whole = |length: usize| length == 0 || length == count;
        self.triangles.iter().flatten().all(|&index| (index as usize) < count)
            && whole(self.normals.len())
            && whole(self.uvs.len())
            && whole(self.colors.len())
            && whole(self.tangents.len())
            && self.positions.iter().all(|position| position.is_finite())
    }
}

pub(crate) fn bounds_of(points: &[Vec3]) -> Option<(Vec3, Vec3)> {
    let first = *points.first()?;
    Some(
        points
            .iter()
            .fold((first, first), |(low, high), &point| (low.min(point), high.max(point))),
    )
}
