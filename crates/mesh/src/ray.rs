use bozzetto_asset::TriMesh;
use glam::Vec3;
use rayon::prelude::*;

/// Where a ray first meets a mesh, from either side: the distance in lengths of `direction`. Faces with an index out of
/// range are passed through.
///
/// Looks at every face (Möller and Trumbore 1997): a millisecond or two for a million faces on all cores, and nothing to be
/// built before.
pub fn first_hit(mesh: &TriMesh, origin: Vec3, direction: Vec3) -> Option<f32> {
    mesh.triangles
        .par_iter()
        .filter_map(|triangle| {
            let [a, b, c] = triangle.map(|vertex| mesh.positions.get(vertex as usize).copied());
            hit(origin, direction, [a?, b?, c?])
        })
        .min_by(f32::total_cmp)
}

fn hit(origin: Vec3, direction: Vec3, [a, b, c]: [Vec3; 3]) -> Option<f32> {
    let (to_b, to_c) = (b - a, c - a);
    let across = direction.cross(to_c);
    let determinant = to_b.dot(across);
    let to_origin = origin - a;
    let u = to_origin.dot(across) / determinant;
    let around = to_origin.cross(to_b);
    let v = direction.dot(around) / determinant;
    let distance = to_c.dot(around) / determinant;
    // False for a ray along the face, where these are not numbers.
    let is_hit = u >= 0.0 && v >= 0.0 && u + v <= 1.0 && distance > 0.0;
    is_hit.then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn the_nearest_face_is_hit() {
        let ball = shapes::icosphere(0.5, 4);
        let from = Vec3::new(0.0, 0.0, 3.0);
        let distance = first_hit(&ball, from, Vec3::NEG_Z).expect("hit");
        assert!((distance - 2.5).abs() < 0.01, "{distance}");
        let inside = first_hit(&ball, Vec3::ZERO, Vec3::X * 2.0).expect("hit from inside");
        assert!((inside - 0.25).abs() < 0.01, "{inside}");
    }

    #[test]
    fn rays_that_pass_by_and_faces_without_area_give_nothing() {
        let ball = shapes::icosphere(0.5, 3);
        assert_eq!(first_hit(&ball, Vec3::new(0.0, 0.6, 3.0), Vec3::NEG_Z), None);
        assert_eq!(first_hit(&ball, Vec3::new(0.0, 0.0, 3.0), Vec3::Z), None);
        let flat = TriMesh::new(vec![Vec3::ZERO; 3], vec![[0, 1, 2], [0, 1, 9]]);
        assert_eq!(first_hit(&flat, Vec3::Z, Vec3::NEG_Z), None);
        assert_eq!(first_hit(&TriMesh::default(), Vec3::Z, Vec3::NEG_Z), None);
    }
}
