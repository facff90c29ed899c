use bozzetto_asset::TriMesh;
use glam::{DVec2, DVec3};
use serde::{Deserialize, Serialize};

use crate::topology::{DisjointSets, Side, area_normal, diagonal, edges, sorted_sides};
use crate::{Control, MeshError, weld};

/// How good a texture layout is, whoever made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LayoutQuality {
    /// Parts of the surface that are connected in the texture by whole edges.
    pub num_charts: usize,
    /// Mean stretch: the L2 measure of Sander et al. 2001 (Texture Mapping Progressive Meshes, section 3) times the root of
    /// the areas' ratio, so that 1 is a layout without distortion and at one scale.
    pub stretch: f64,
    /// The same authors' L-infinity measure, scaled alike: how far apart texels lie at the worst place.
    pub worst_stretch: f64,
    /// Faces with an area but none in the texture. They are not in the stretch, which would be infinite.
    pub num_collapsed_faces: usize,
    /// Share of the texture that faces cover, where none overlap, `[0, 1]`.
    pub coverage: f64,
    /// Length of the edges between two faces along which the texture is cut, as a multiple of the bounding box' diagonal.
    pub seam_length: f64,
}

impl LayoutQuality {
    /// Measures a consistent mesh with texture coordinates. Vertices at the same place are one here, as seams have two.
    pub fn of(mesh: &TriMesh) -> Result<Self, MeshError> {
        if mesh.triangles.is_empty() || mesh.uvs.is_empty() || !mesh.is_consistent() {
            return Err(MeshError::Inconsistent {
                what: "measuring a layout needs faces and texture coordinates".to_owned(),
            });
        }
        let bare = TriMesh::new(mesh.positions.clone(), mesh.triangles.clone());
        let welded = weld(&bare, 0.0, &Control::silent())?;
        let mut charts = DisjointSets::new(mesh.triangles.len());
        let mut seam_length = 0.0;
        for edge in edges(&sorted_sides(&welded.triangles)) {
            let uvs = uvs_along(mesh, &welded.triangles, edge[0]);
            for other in &edge[1..] {
                if uvs_along(mesh, &welded.triangles, *other) == uvs {
                    charts.unite(edge[0].face() as u32, other.face() as u32);
                } else {
                    let [from, to] = other
                        .ends(&welded.triangles)
                        .map(|vertex| welded.positions[vertex as usize]);
                    seam_length += f64::from(from.distance(to));
                }
            }
        }
        let num_charts = (0..mesh.triangles.len() as u32)
            .filter(|&face| charts.find(face) == face)
            .count();
        Ok(Self {
            num_charts,
            seam_length: seam_length / f64::from(diagonal(mesh)),
            ..stretch(mesh)
        })
    }
}

/// Texels along a metre of the surface, in the mean over its area; `None` where there is no area.
pub(crate) fn texels_per_metre(mesh: &TriMesh, texture_px: u32) -> Option<f32> {
    let (mut area, mut covered) = (0.0_f64, 0.0_f64);
    for (face, triangle) in mesh.triangles.iter().enumerate() {
        area += f64::from(area_normal(mesh.corners(face)).length());
        let [a, b, c] = triangle.map(|vertex| mesh.uvs[vertex as usize].as_dvec2());
        covered += (b - a).perp_dot(c - a).abs();
    }
    (area > 0.0).then(|| ((covered / area).sqrt() * f64::from(texture_px)) as f32)
}

/// Texture coordinates at both ends of a side, the lower vertex first.
fn uvs_along(mesh: &TriMesh, welded: &[[u32; 3]], side: Side) -> [glam::Vec2; 2] {
    let corner = side.index as usize % 3;
    let [from, to] = [corner, (corner + 1) % 3].map(|corner| {
        let vertex = mesh.triangles[side.face()][corner];
        mesh.uvs[vertex as usize]
    });
    if side.is_forward(welded) {
        [from, to]
    } else {
        [to, from]
    }
}

/// The part that looks at each face alone.
fn stretch(mesh: &TriMesh) -> LayoutQuality {
    let mut quality = LayoutQuality::default();
    let (mut area, mut squared) = (0.0, 0.0);
    for (face, triangle) in mesh.triangles.iter().enumerate() {
        let [a, b, c] = mesh.corners(face).map(glam::Vec3::as_dvec3);
        let uvs = triangle.map(|vertex| mesh.uvs[vertex as usize].as_dvec2());
        let face_area = (b - a).cross(c - a).length() * 0.5;
        let (uv_area, Some((mean, greatest))) = face_stretch([a, b, c], uvs) else {
            quality.num_collapsed_faces += usize::from(face_area > 0.0);
            continue;
        };
        area += face_area;
        squared += mean * mean * face_area;
        quality.coverage += uv_area;
        quality.worst_stretch = quality.worst_stretch.max(greatest);
    }
    if area > 0.0 {
        let scale = (quality.coverage / area).sqrt();
        quality.stretch = (squared / area).sqrt() * scale;
        quality.worst_stretch *= scale;
    }
    quality
}

/// The area in the texture, and how far a step of length one there reaches on the surface: the root mean square over all
/// directions, and in the worst one.
fn face_stretch(corners: [DVec3; 3], uvs: [DVec2; 3]) -> (f64, Option<(f64, f64)>) {
    let doubled = (uvs[1] - uvs[0]).perp_dot(uvs[2] - uvs[0]);
    if doubled == 0.0 {
        return (0.0, None);
    }
    let [p, q, r] = corners;
    let [a, b, c] = uvs;
    let along_u = (p * (b.y - c.y) + q * (c.y - a.y) + r * (a.y - b.y)) / doubled;
    let along_v = (p * (c.x - b.x) + q * (a.x - c.x) + r * (b.x - a.x)) / doubled;
    let (uu, uv, vv) = (along_u.length_squared(), along_u.dot(along_v), along_v.length_squared());
    let mean = ((uu + vv) * 0.5).sqrt();
    let greatest = ((uu + vv + ((uu - vv).powi(2) + 4.0 * uv * uv).sqrt()) * 0.5).sqrt();
    (doubled.abs() * 0.5, Some((mean, greatest)))
}

#[cfg(test)]
mod tests {
    use glam::{Vec2, Vec3};

    use super::*;

    /// A square of edge 2 as two faces that share the diagonal, mapped by `uv`.
    fn square(uv: impl Fn(Vec2) -> Vec2) -> TriMesh {
        let corners = [Vec2::ZERO, Vec2::X * 2.0, Vec2::splat(2.0), Vec2::Y * 2.0];
        let mut mesh = TriMesh::new(
            corners.iter().map(|corner| corner.extend(0.0)).collect(),
            vec![[0, 1, 2], [0, 2, 3]],
        );
        mesh.uvs = corners.map(uv).to_vec();
        mesh
    }

    fn assert_close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} instead of {expected}");
    }

    #[test]
    fn a_turned_and_scaled_square_is_not_stretched() {
        let quality = LayoutQuality::of(&square(|p| Vec2::new(0.5 - p.y * 0.2, 0.1 + p.x * 0.2))).unwrap();
        assert_close(quality.stretch, 1.0);
        assert_close(quality.worst_stretch, 1.0);
        assert_close(quality.coverage, 0.16);
        assert_eq!((quality.num_charts, quality.seam_length), (1, 0.0));
    }

    #[test]
    fn a_square_squeezed_to_half_has_the_stretch_of_its_two_directions() {
        // In the texture 0.4 by 0.2 for 2 by 2 metres: 5 and 10 metres a unit, at a mean scale of sqrt(0.08 / 4).
        let quality = LayoutQuality::of(&square(|p| p * Vec2::new(0.2, 0.1))).unwrap();
        let scale = 0.02_f64.sqrt();
        assert_close(quality.stretch, (f64::from(25 + 100) / 2.0).sqrt() * scale);
        assert_close(quality.worst_stretch, 10.0 * scale);
    }

    #[test]
    fn a_cut_along_the_diagonal_makes_two_charts() {
        let mut mesh = square(|p| p * 0.2);
        mesh.positions.extend([mesh.positions[0], mesh.positions[2]]);
        mesh.uvs.extend([Vec2::new(0.5, 0.5), Vec2::new(0.9, 0.9)]);
        mesh.triangles[1] = [4, 5, 3];
        mesh.uvs[3] = Vec2::new(0.5, 0.9);
        let quality = LayoutQuality::of(&mesh).unwrap();
        assert_eq!(quality.num_charts, 2);
        assert_close(quality.seam_length, 1.0);
        assert_close(quality.stretch, 1.0);
    }

    #[test]
    fn faces_without_room_in_the_texture_are_counted() {
        let mut mesh = square(|p| p * 0.2);
        mesh.uvs[3] = mesh.uvs[0];
        let quality = LayoutQuality::of(&mesh).unwrap();
        assert_eq!(quality.num_collapsed_faces, 1);
        assert_close(quality.stretch, 1.0);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        assert!(LayoutQuality::of(&TriMesh::default()).is_err());
        assert!(LayoutQuality::of(&TriMesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 2]])).is_err());
    }
}
