//! A ball for tests.

use std::f32::consts::PI;

use bozzetto_asset::TriMesh;
use glam::Vec3;

/// A ball without normals, as round as one can be from a quarter turn to the next. Each vertex lies where its direction from
/// the middle is sent, and has a colour of its own.
pub(crate) fn ball(place: impl Fn(Vec3) -> Vec3) -> TriMesh {
    const RINGS: u32 = 24;
    let mut mesh = TriMesh::default();
    for ring in 0..=RINGS {
        for segment in 0..=2 * RINGS {
            let (sin_polar, cos_polar) = (PI * ring as f32 / RINGS as f32).sin_cos();
            let (sin_turn, cos_turn) = (PI * segment as f32 / RINGS as f32).sin_cos();
            let direction = Vec3::new(sin_polar * sin_turn, cos_polar, sin_polar * cos_turn);
            mesh.positions.push(place(direction));
            mesh.colors.push(direction * 0.4 + 0.5);
        }
    }
    for ring in 0..RINGS {
        for segment in 0..2 * RINGS {
            let a = ring * (2 * RINGS + 1) + segment;
            let b = a + 2 * RINGS + 1;
            mesh.triangles.push([a, b, b + 1]);
            mesh.triangles.push([a, b + 1, a + 1]);
        }
    }
    mesh
}
