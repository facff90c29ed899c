use bevy_mikktspace::{Geometry, TangentSpace};
use bozzetto_asset::TriMesh;
use glam::Vec3;

use crate::background::in_background;
use crate::topology::gather;
use crate::{Control, MeshError, Step};

/// Gives each vertex its tangent by `MikkTSpace` (Mikkelsen 2008), as glTF asks for: the bitangent is
/// `cross(normal, tangent.xyz) * tangent.w` and points up in the picture, which is against `v`.
///
/// A vertex whose faces have different tangents becomes several; faces keep their order. Needs normals and UVs; a
/// mesh without either comes back without tangents.
pub fn compute_tangents(mesh: &TriMesh, control: &Control<'_>) -> Result<TriMesh, MeshError> {
    if mesh.normals.is_empty() || mesh.uvs.is_empty() {
        return Ok(mesh.clone());
    }
    let mut corners = Corners {
        mesh: mesh.clone(),
        tangents: vec![None; mesh.triangles.len() * 3],
    };
    let answer = in_background(Step::Tangents, control, move |_| {
        bevy_mikktspace::generate_tangents(&mut corners).map(|()| corners.tangents)
    })?;
    // The generator has no errors of its own; without its answer any frame around the normal is a valid tangent.
    let tangents = match answer {
        Ok(Ok(tangents)) => tangents,
        _ => vec![None; mesh.triangles.len() * 3],
    };
    Ok(split_by_tangent(mesh, &tangents))
}

struct Corners {
    mesh: TriMesh,
    tangents: Vec<Option<[f32; 4]>>,
}

impl Corners {
    fn vertex(&self, face: usize, corner: usize) -> usize {
        self.mesh.triangles[face][corner] as usize
    }
}

impl Geometry for Corners {
    fn num_faces(&self) -> usize {
        self.mesh.triangles.len()
    }

    fn num_vertices_of_face(&self, _face: usize) -> usize {
        3
    }

    fn position(&self, face: usize, vert: usize) -> [f32; 3] {
        self.mesh.positions[self.vertex(face, vert)].to_array()
    }

    fn normal(&self, face: usize, vert: usize) -> [f32; 3] {
        self.mesh.normals[self.vertex(face, vert)].to_array()
    }

    fn tex_coord(&self, face: usize, vert: usize) -> [f32; 2] {
        // The algorithm's `v` grows upwards, glTF's downwards.
        let uv = self.mesh.uvs[self.vertex(face, vert)];
        [uv.x, 1.0 - uv.y]
    }

    fn set_tangent(&mut self, tangent_space: Option<TangentSpace>, face: usize, vert: usize) {
        self.tangents[face * 3 + vert] = tangent_space.map(|space| space.tangent_encoded());
    }
}

fn split_by_tangent(mesh: &TriMesh, tangents: &[Option<[f32; 4]>]) -> TriMesh {
    // Copies of a vertex form a list that starts at the vertex itself.
    let mut next_copy = vec![u32::MAX; mesh.positions.len()];
    let mut chosen: Vec<Option<[f32; 4]>> = vec![None; mesh.positions.len()];
    let mut sources: Vec<u32> = (0..mesh.positions.len() as u32).collect();
    let mut triangles = mesh.triangles.clone();
    for (vertex, &tangent) in triangles.iter_mut().flatten().zip(tangents) {
        let Some(tangent) = tangent.filter(|tangent| tangent.iter().all(|value| value.is_finite())) else {
            continue;
        };
        let source = *vertex;
        let mut copy = source;
        loop {
            match chosen[copy as usize] {
                None => {
                    chosen[copy as usize] = Some(tangent);
                    break;
                }
                Some(known) if is_same(known, tangent) => break,
                Some(_) if next_copy[copy as usize] == u32::MAX => {
                    let fresh = sources.len() as u32;
                    next_copy[copy as usize] = fresh;
                    next_copy.push(u32::MAX);
                    sources.push(source);
                    chosen.push(None);
                    copy = fresh;
                }
                Some(_) => copy = next_copy[copy as usize],
            }
        }
        *vertex = copy;
    }
    let mut split = gather(mesh, &sources, triangles);
    split.tangents = chosen
        .iter()
        .zip(&split.normals)
        .map(|(tangent, &normal)| perpendicular(*tangent, normal))
        .collect();
    split
}

/// Whether two corners can share a vertex: 0.8 degrees apart cannot be seen.
fn is_same(a: [f32; 4], b: [f32; 4]) -> bool {
    let direction = |tangent: [f32; 4]| Vec3::new(tangent[0], tangent[1], tangent[2]);
    a[3] == b[3] && direction(a).dot(direction(b)) > 0.9999
}

/// The tangent as a unit vector, or any that is perpendicular to the normal when it is none.
fn perpendicular(tangent: Option<[f32; 4]>, normal: Vec3) -> [f32; 4] {
    let [x, y, z, sign] = tangent.unwrap_or([0.0, 0.0, 0.0, 1.0]);
    let direction = Vec3::new(x, y, z)
        .try_normalize()
        .or_else(|| normal.try_normalize().map(Vec3::any_orthonormal_vector))
        .unwrap_or(Vec3::X);
    [direction.x, direction.y, direction.z, sign]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{shapes, unwrap};
    use glam::Vec2;

    #[test]
    fn tangents_follow_u_and_bitangents_go_up() {
        let mut mesh = shapes::torus(0.3, 0.1, 64, 32);
        mesh.compute_normals();
        let unwrapped = unwrap(&mesh, 512, 2, &Control::silent()).unwrap().mesh;
        let result = compute_tangents(&unwrapped, &Control::silent()).unwrap();
        assert_eq!(result.tangents.len(), result.positions.len());
        for triangle in &result.triangles {
            let [a, b, c] = triangle.map(|v| result.positions[v as usize]);
            let [ua, ub, uc] = triangle.map(|v| result.uvs[v as usize]);
            // Where u and v point on the face, from its own two edges.
            let (e1, e2, d1, d2) = (b - a, c - a, ub - ua, uc - ua);
            let r = 1.0 / d1.perp_dot(d2);
            let (along_u, along_v) = ((e1 * d2.y - e2 * d1.y) * r, (e2 * d1.x - e1 * d2.x) * r);
            for &vertex in triangle {
                let [x, y, z, w] = result.tangents[vertex as usize];
                let tangent = Vec3::new(x, y, z);
                let normal = result.normals[vertex as usize];
                assert!((tangent.length() - 1.0).abs() < 1e-4 && tangent.dot(normal).abs() < 1e-3);
                assert_eq!(w, 1.0, "nothing is mirrored");
                assert!(tangent.dot(along_u.normalize()) > 0.7);
                assert!((normal.cross(tangent) * w).dot(-along_v.normalize()) > 0.7);
            }
        }
    }

    #[test]
    fn a_mirrored_half_gets_the_other_sign_and_its_own_vertices() {
        let mut mesh = TriMesh::new(
            vec![Vec3::NEG_X, Vec3::ZERO, Vec3::Y, Vec3::X],
            vec![[0, 1, 2], [1, 3, 2]],
        );
        mesh.normals = vec![Vec3::Z; 4];
        mesh.uvs = vec![
            Vec2::new(0.0, 1.0),
            Vec2::new(1.0, 1.0),
            Vec2::new(1.0, 0.0),
            Vec2::new(0.0, 1.0),
        ];
        let result = compute_tangents(&mesh, &Control::silent()).unwrap();
        assert_eq!(result.positions.len(), 6);
        let sign = |face: usize| result.tangents[result.triangles[face][1] as usize][3];
        assert_eq!((sign(0), sign(1)), (1.0, -1.0));
    }
}
