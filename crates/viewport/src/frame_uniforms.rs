use bozzetto_asset::{Projection, SplatFilter};
use glam::{Mat4, Vec3, Vec4};

use crate::draw::shared::{self, GROUND_AXES, GROUND_GRID, GROUND_SHADOW};
use crate::region::Region;
use crate::{Background, Bounds, Frame, Shading, ToneMapping};

/// Nearest distance that a perspective camera sees, metres.
const NEAR_M: f32 = 0.004;
/// Farthest distance that is drawn, metres; parallel cameras also see as far behind them.
const FAR_M: f32 = 400.0;
const PARALLEL_REACH_M: f32 = 100.0;
/// Splats nearer to a perspective camera than this are left out: they would cover the picture.
pub const SPLAT_NEAR_M: f32 = 0.02;

/// Darkness of the ground right under the asset.
const SHADOW_STRENGTH: f32 = 0.78;

/// What shaders know of a frame; `Frame` in draw/frame.wgsl, field by field.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
pub struct FrameUniforms {
    clip_from_world: Mat4,
    view_from_world: Mat4,
    world_from_view: Mat4,
    viewport: Vec4,
    region: Vec4,
    into_region: Vec4,
    focal: Vec4,
    eye: Vec4,
    forward: Vec4,
    ground: Vec4,
    shadow: Vec4,
    grid_color: Vec4,
    background_top: Vec4,
    background_bottom: Vec4,
    environment: Vec4,
    modes: [u32; 4],
    sh_words: [u32; 4],
    look: [u32; 4],
}

/// The splats' part of the uniforms.
#[derive(Clone, Copy, Default)]
pub struct SplatNumbers {
    pub count: u32,
    pub sh_words: u32,
    pub sh_degree: u8,
    pub filter: SplatFilter,
}

/// The ground under the content.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    pub bounds: Bounds,
    /// Centre (x, z) and half extent of the shadow picture, metres.
    pub shadow_center: [f32; 2],
    pub shadow_half_extent: f32,
}

/// What is drawn of the frame, and what the composite is to do.
#[derive(Clone, Copy)]
pub struct Purpose {
    /// The part of the picture that is drawn.
    pub region: Region,
    /// Straight alpha instead of premultiplied.
    pub keeps_straight_alpha: bool,
    /// Something was drawn besides splats.
    pub has_solid_layer: bool,
}

impl FrameUniforms {
    pub fn new(
        frame: &Frame,
        ground: &Ground,
        splats: SplatNumbers,
        num_roughness_levels: u32,
        purpose: Purpose,
    ) -> Self {
        let settings = &frame.settings;
        let size = glam::UVec2::from(frame.size_px).as_vec2();
        let mut camera = frame.camera;
        camera.aspect = size.x / size.y;
        let view_from_world = Mat4::from(camera.view_from_world());
        let is_parallel = matches!(camera.projection, Projection::Orthographic { .. });
        let half_height = match camera.projection {
            Projection::Perspective { fov_y_rad } => (fov_y_rad * 0.5).tan(),
            Projection::Orthographic { height } => height * 0.5,
        };
        let focal = size.y * 0.5 / half_height;
        let center = ground.bounds.center();
        let turn = settings.environment_rotation_rad;
        let (top, bottom, has_background) = match settings.background {
            Background::Gradient { top, bottom } => (top.into(), bottom.into(), 1.0),
            Background::Transparent => (Vec3::ZERO, Vec3::ZERO, 0.0),
        };
        let flag = |is_on: bool, flag: u32| if is_on { flag } else { 0 };
        Self {
            clip_from_world: reversed_clip_from_view(&camera) * view_from_world,
            view_from_world,
            world_from_view: Mat4::from(camera.world_from_view),
            viewport: Vec4::new(size.x, size.y, 1.0 / size.x, 1.0 / size.y),
            region: purpose.region.rect_px(),
            into_region: purpose.region.clip_map(frame.size_px),
            focal: Vec4::new(focal, focal, half_height * camera.aspect, half_height),
            eye: camera.eye().extend(f32::from(u8::from(is_parallel))),
            forward: camera.forward().extend(SPLAT_NEAR_M),
            ground: Vec4::new(
                ground.bounds.min.y,
                (ground.bounds.radius() * 5.0).max(1.0),
                center.x,
                center.z,
            ),
            shadow: Vec4::new(
                ground.shadow_center[0],
                ground.shadow_center[1],
                ground.shadow_half_extent.max(1e-3),
                SHADOW_STRENGTH,
            ),
            grid_color: Vec3::from(settings.grid_color).extend(1.0),
            background_top: top.extend(has_background),
            background_bottom: bottom.extend(f32::from(u8::from(purpose.keeps_straight_alpha))),
            environment: Vec4::new(
                turn.cos(),
                turn.sin(),
                settings.exposure.clamp(-16.0, 16.0).exp2(),
                (num_roughness_levels - 1) as f32,
            ),
            modes: [
                shading_code(settings.shading),
                flag(settings.grid, GROUND_GRID)
                    | flag(settings.shadow, GROUND_SHADOW)
                    | flag(settings.axes, GROUND_AXES),
                filter_code(splats.filter),
                u32::from(splats.sh_degree),
            ],
            sh_words: [splats.sh_words, 0, 0, 0],
            look: [
                tone_mapping_code(settings.tone_mapping),
                u32::from(purpose.has_solid_layer),
                0,
                0,
            ],
        }
    }
}

fn shading_code(shading: Shading) -> u32 {
    match shading {
        Shading::Pbr => shared::SHADING_PBR,
        Shading::Clay => shared::SHADING_CLAY,
        Shading::BaseColor => shared::SHADING_BASE_COLOR,
        Shading::Normals => shared::SHADING_NORMALS,
        Shading::Matcap => shared::SHADING_MATCAP,
        Shading::UvChecker => shared::SHADING_UV_CHECKER,
        Shading::Metallic => shared::SHADING_METALLIC,
        Shading::Roughness => shared::SHADING_ROUGHNESS,
        Shading::TexelDensity => shared::SHADING_TEXEL_DENSITY,
        Shading::Health => shared::SHADING_HEALTH,
    }
}

fn tone_mapping_code(tone_mapping: ToneMapping) -> u32 {
    match tone_mapping {
        ToneMapping::Neutral => shared::TONE_NEUTRAL,
        ToneMapping::Aces => shared::TONE_ACES,
        ToneMapping::Agx => shared::TONE_AGX,
    }
}

fn filter_code(filter: SplatFilter) -> u32 {
    match filter {
        SplatFilter::Dilate => shared::FILTER_DILATION,
        SplatFilter::Mip => shared::FILTER_MIP,
    }
}

/// Projection with depth reversed (1 near, 0 far), which spreads float precision evenly over distance.
fn reversed_clip_from_view(camera: &bozzetto_asset::Camera) -> Mat4 {
    let (near, far) = match camera.projection {
        Projection::Perspective { .. } => (NEAR_M, FAR_M),
        Projection::Orthographic { .. } => (-PARALLEL_REACH_M, PARALLEL_REACH_M),
    };
    let flip = Mat4::from_cols(Vec4::X, Vec4::Y, -Vec4::Z, Vec4::new(0.0, 0.0, 1.0, 1.0));
    flip * camera.clip_from_view(near, far)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bozzetto_asset::Camera;

    #[test]
    fn depth_is_one_near_and_zero_far() {
        let camera = Camera::orbit(0.3, 0.2, 2.0, Projection::Perspective { fov_y_rad: 0.7 }, 1.0);
        let clip = reversed_clip_from_view(&camera);
        let depth = |z: f32| clip.project_point3(Vec3::new(0.0, 0.0, -z)).z;
        assert!((depth(NEAR_M) - 1.0).abs() < 1e-4);
        assert!(depth(FAR_M).abs() < 1e-6);
        assert!(depth(1.0) > depth(1.1));
    }

    #[test]
    fn a_parallel_camera_sees_behind_its_eye() {
        let camera = Camera::orbit(0.0, 0.0, 0.1, Projection::Orthographic { height: 2.0 }, 1.0);
        let depth = reversed_clip_from_view(&camera)
            .project_point3(Vec3::new(0.0, 0.0, 5.0))
            .z;
        assert!((0.0..=1.0).contains(&depth), "{depth}");
    }
}
