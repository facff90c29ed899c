use bozzetto_asset::{PbrSample, TriMesh};
use glam::Vec3;

use super::Sampler;
use crate::nearest::Nearest;

/// What a surface without a material volume is made of.
pub(super) const ROUGHNESS: f32 = 0.7;
/// Linear light of middle grey.
const GREY: Vec3 = Vec3::splat(0.5);

/// Interpolates the vertex colours of the dense mesh.
pub struct VertexColorSampler<'a> {
    mesh: &'a TriMesh,
}

impl<'a> VertexColorSampler<'a> {
    /// A sampler of a mesh; without colours it answers middle grey.
    pub fn new(mesh: &'a TriMesh) -> Self {
        Self { mesh }
    }
}

impl Sampler for VertexColorSampler<'_> {
    fn sample(&self, hit: &Nearest, _normal: Vec3) -> PbrSample {
        let color = if self.mesh.colors.is_empty() {
            GREY
        } else {
            interpolated(&self.mesh.colors, self.mesh, hit)
        };
        dielectric(color)
    }
}

/// A vertex attribute at a point of the mesh.
pub(super) fn interpolated(values: &[Vec3], mesh: &TriMesh, hit: &Nearest) -> Vec3 {
    let corners = mesh.triangles[hit.face as usize];
    (0..3)
        .map(|corner| values[corners[corner] as usize] * hit.barycentric[corner])
        .sum()
}

pub(super) fn dielectric(color: Vec3) -> PbrSample {
    PbrSample {
        base_color: color.to_array(),
        alpha: 1.0,
        metallic: 0.0,
        roughness: ROUGHNESS,
    }
}
