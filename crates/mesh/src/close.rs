use bozzetto_asset::TriMesh;
use glam::{DVec3, Vec3};

use crate::clean::components_by;
use crate::holes::cap_holes;
use crate::topology::{compacted, edges, sorted_sides};
use crate::{Control, MeshError, orient_outward};

/// Closes every hole, however large, and drops what encloses nothing even then: single faces and flat sheets.
///
/// The mesh must be as [`crate::split_non_manifold`] leaves it. In the result every edge has two faces, and
/// they look outwards. Fails with
/// [`MeshError::NotClosable`] when nothing is left.
pub fn close_all_holes(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    let sides = sorted_sides(&mesh.triangles);
    if edges(&sides).all(|edge| edge.len() > 1) {
        return Ok(mesh.clone());
    }
    let mut components = Components::of(mesh);
    let num_components = components.faces.len();
    // A single face has no other side that a patch could close.
    components.keep(|faces, _| faces.len() > 1);
    let num_lone = num_components - components.faces.len();
    let open = components.into_mesh();
    let filled = cap_holes(&open, control)?;
    let mut components = Components::of(&filled);
    let num_components = components.faces.len();
    // Patches come last, so a component that was open has one of them.
    let is_patched = |faces: &[u32]| faces.last().is_some_and(|&face| face as usize >= open.triangles.len());
    components.keep(|faces, mesh| !is_patched(faces) || !is_flat(mesh, faces));
    if components.faces.is_empty() {
        return Err(MeshError::NotClosable {
            what: format!("{num_lone} single faces and {num_components} flat sheets enclose nothing"),
        });
    }
    // What was open had no inside to tell its outside by.
    orient_outward(&components.into_mesh(), &control.told_to_nobody())
}

/// Whether all faces lie in one plane, as far as the numbers can tell. The volume would not do: a surface that is inside
/// out by halves, as a Klein bottle cut open, has none either.
fn is_flat(mesh: &TriMesh, faces: &[u32]) -> bool {
    const TOLERANCE: f64 = 1e-6;
    let corners = || {
        faces
            .iter()
            .map(|&face| mesh.corners(face as usize).map(Vec3::as_dvec3))
    };
    let normals = corners().map(|[a, b, c]| (a, (b - a).cross(c - a)));
    let widest = normals.max_by(|a, b| a.1.length_squared().total_cmp(&b.1.length_squared()));
    let (origin, normal) = widest.unwrap_or_default();
    let normal = normal.normalize_or_zero();
    let (mut height, mut size) = (0.0_f64, 0.0_f64);
    for from_origin in corners().flatten().map(|corner: DVec3| corner - origin) {
        height = height.max(from_origin.dot(normal).abs());
        size = size.max(from_origin.length());
    }
    height <= TOLERANCE * size
}

/// Faces by component, each in ascending order.
struct Components<'a> {
    mesh: &'a TriMesh,
    faces: Vec<Vec<u32>>,
}

impl<'a> Components<'a> {
    fn of(mesh: &'a TriMesh) -> Self {
        let component = components_by(&sorted_sides(&mesh.triangles), mesh.triangles.len());
        let mut faces: Vec<Vec<u32>> = vec![Vec::new(); mesh.triangles.len()];
        for (face, &id) in component.iter().enumerate() {
            faces[id as usize].push(face as u32);
        }
        faces.retain(|faces| !faces.is_empty());
        Self { mesh, faces }
    }

    fn keep(&mut self, is_kept: impl Fn(&[u32], &TriMesh) -> bool) {
        self.faces.retain(|faces| is_kept(faces, self.mesh));
    }

    /// The mesh of these pieces, faces in their old order.
    fn into_mesh(self) -> TriMesh {
        let mut kept = self.faces.concat();
        kept.sort_unstable();
        let triangles = kept.into_iter().map(|face| self.mesh.triangles[face as usize]);
        compacted(self.mesh, triangles.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{MeshHealth, shapes};

    fn closed(mesh: &TriMesh) -> Result<TriMesh, MeshError> {
        close_all_holes(mesh, &Control::silent())
    }

    #[test]
    fn half_a_ball_gets_a_floor() {
        let mut ball = shapes::icosphere(0.5, 5);
        let is_upper = |face: usize| ball.corners(face).iter().all(|corner| corner.y >= 0.0);
        let upper = (0..ball.triangles.len()).filter(|&face| is_upper(face));
        ball.triangles = upper.map(|face| ball.triangles[face]).collect();
        let bowl = compacted(&ball, ball.triangles.clone());
        let health = MeshHealth::of(&closed(&bowl).unwrap());
        assert!(health.is_closed_manifold(), "{health:?}");
        assert_eq!(health.euler_characteristic, 2);
        let half = std::f64::consts::PI / 12.0;
        assert!(
            (health.signed_volume / half - 1.0).abs() < 0.1,
            "{}",
            health.signed_volume
        );
    }

    #[test]
    fn what_encloses_nothing_goes_or_is_named() {
        let flat = TriMesh::new(
            vec![Vec3::ZERO, Vec3::X, Vec3::X + Vec3::Y, Vec3::Y],
            vec![[0, 1, 2], [0, 2, 3]],
        );
        let lone = TriMesh::new(vec![Vec3::ZERO, Vec3::X, Vec3::Y], vec![[0, 1, 2]]);
        for mesh in [&flat, &lone] {
            assert!(matches!(closed(mesh), Err(MeshError::NotClosable { .. })));
        }
        let cube = shapes::cube(Vec3::splat(5.0));
        let all = shapes::together(shapes::together(cube.clone(), &flat), &lone);
        assert_eq!(closed(&all).unwrap(), cube);
        // A closed part stays, even flat.
        let mut thin = cube.clone();
        thin.positions.iter_mut().for_each(|position| position.y = 0.0);
        let both = shapes::together(thin.clone(), &lone);
        assert_eq!(closed(&both).unwrap(), thin);
    }
}
