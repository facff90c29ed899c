use std::sync::Arc;

use bevy_mikktspace::{Geometry, TangentSpace};
use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

use crate::background::in_background;
use crate::topology::{DisjointSets, gather};
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
    let source = Arc::new(mesh.clone());
    let tangents = in_background(Step::Tangents, control, move |_| corner_tangents(&source))?;
    // The generator has no errors of its own; without its answer any frame around the normal is a valid tangent.
    let tangents = tangents.unwrap_or_else(|_| vec![None; mesh.triangles.len() * 3]);
    Ok(split_by_tangent(mesh, &tangents))
}

/// Faces that are worth a task of their own.
const TASK_FACES: usize = 8_000;

/// The tangent of each corner. Charts share no vertex, and so nothing of what tangents are made of: they are taken side by
/// side.
fn corner_tangents(mesh: &Arc<TriMesh>) -> Vec<Option<[f32; 4]>> {
    let tasks: Vec<_> = tasks(mesh)
        .into_par_iter()
        .map(|faces| {
            let mut corners = Corners {
                mesh: Arc::clone(mesh),
                tangents: vec![None; faces.len() * 3],
                faces,
            };
            let is_done = bevy_mikktspace::generate_tangents(&mut corners).is_ok();
            (corners, is_done)
        })
        .collect();
    let mut tangents = vec![None; mesh.triangles.len() * 3];
    for (corners, _) in tasks.iter().filter(|(_, is_done)| *is_done) {
        for (&face, of_face) in corners.faces.iter().zip(corners.tangents.as_chunks::<3>().0) {
            tangents[face as usize * 3..][..3].copy_from_slice(of_face);
        }
    }
    tangents
}

/// Faces in groups that share no vertex: whole charts, gathered until there are enough.
fn tasks(mesh: &TriMesh) -> Vec<Vec<u32>> {
    let mut charts = DisjointSets::new(mesh.positions.len());
    for &[a, b, c] in &mesh.triangles {
        charts.unite(a, b);
        charts.unite(a, c);
    }
    let mut keyed: Vec<(u32, u32)> = (0..)
        .zip(&mesh.triangles)
        .map(|(face, &[a, ..])| (charts.find(a), face))
        .collect();
    keyed.par_sort_unstable();
    let mut tasks: Vec<Vec<u32>> = Vec::new();
    for chart in keyed.chunk_by(|a, b| a.0 == b.0) {
        let faces = chart.iter().map(|&(_, face)| face);
        match tasks.last_mut().filter(|task| task.len() < TASK_FACES) {
            Some(task) => task.extend(faces),
            None => tasks.push(faces.collect()),
        }
    }
    tasks
}

struct Corners {
    mesh: Arc<TriMesh>,
    faces: Vec<u32>,
    tangents: Vec<Option<[f32; 4]>>,
}

impl Corners {
    fn vertex(&self, face: usize, corner: usize) -> usize {
        self.mesh.triangles[self.faces[face] as usize][corner] as usize
    }
}

impl Geometry for Corners {
    fn num_faces(&self) -> usize {
        self.faces.len()
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
