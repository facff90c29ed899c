use bozzetto_asset::color::srgb_from_linear;
use bozzetto_asset::{GaussianSplats, SplatFilter, TriMesh};
use glam::{Quat, Vec3};

use crate::params::Settings;

/// Standard deviation of a disc in grid steps: vertices lie about a step apart, and four discs that meet half-way
/// between their vertices cover 97 % there.
const RADIUS_STEPS: f32 = 0.68;
/// Standard deviation along the normal in grid steps.
const THICKNESS_STEPS: f32 = 0.1;
const OPACITY: f32 = 0.98;

/// One disc on the surface for each vertex. They are drawn with the plain dilating filter: Mip-Splatting's would fade
/// discs smaller than a pixel, and the surface with them, in a view from afar.
pub(super) fn discs(mesh: &TriMesh, step: f32, settings: &Settings) -> GaussianSplats {
    let radius = (RADIUS_STEPS * step * settings.splat_scale).ln();
    let thickness = (THICKNESS_STEPS * step).ln();
    let count = mesh.positions.len();
    GaussianSplats {
        positions: mesh.positions.clone(),
        log_scales: vec![Vec3::new(radius, radius, thickness); count],
        rotations: mesh
            .normals
            .iter()
            .map(|normal| Quat::from_rotation_arc(Vec3::Z, *normal))
            .collect(),
        opacities: vec![OPACITY; count],
        sh_degree: 0,
        sh: mesh
            .colors
            .iter()
            .map(|color| {
                let encoded = color
                    .to_array()
                    .map(|channel| srgb_from_linear(channel.clamp(0.0, 1.0)));
                GaussianSplats::dc_from_srgb(encoded)
            })
            .collect(),
        filter: SplatFilter::Dilate,
    }
}
