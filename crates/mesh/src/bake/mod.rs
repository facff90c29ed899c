//! Textures of a simplified mesh from the dense surface it came from.
//!
//! For each texel: its place on the simplified mesh, the closest point of the dense surface that faces the same way,
//! and there the material (from a volume, vertex colours, splats or views), the dense normal and occlusion. Texels just
//! outside a chart are computed like those inside, at the place the chart would reach if it went on, so that
//! bilinear lookups agree on both sides of a seam; all others are copied from the closest one.

mod material;
mod occlusion;
mod splats;
pub(crate) mod texels;
mod vertex_colors;
mod views;
mod volume;

use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, Material, PbrSample, PbrVolume, PreparedView, TriMesh, color};
use glam::Vec3;
use image::GrayImage;
use rayon::prelude::*;

pub use occlusion::vertex_occlusion;
pub use splats::SplatSampler;
pub use texels::uv_overlap;
pub use vertex_colors::VertexColorSampler;
pub use views::ViewSampler;
pub use volume::VolumeSampler;

use crate::control::Meter;
use crate::dilate::closest_covered;
use crate::nearest::{Nearest, SearchTree};
use crate::topology::diagonal;
use crate::{Control, MeshError, Step};
use texels::TexelMap;

/// How far apart, as a fraction of the diagonal, the two surfaces may be for a face that looks the other way to be
/// passed over.
const FACING_REACH: f32 = 0.05;

/// The dense surface that textures are taken from.
#[derive(Clone, Copy)]
pub struct Surface<'a> {
    /// The mesh, with normals.
    pub mesh: &'a TriMesh,
    /// Its search tree.
    pub tree: &'a SearchTree,
    /// Light that reaches each vertex, `[0, 1]`; see [`vertex_occlusion`]. `[V]`
    pub occlusion: Option<&'a [f32]>,
}

/// Which maps to bake.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BakeOptions {
    /// Edge of the square textures in pixels.
    pub texture_px: u32,
    /// Also a normal map. The mesh needs tangents.
    pub has_normal_map: bool,
    /// Also roughness and metallic, where they vary.
    pub has_orm: bool,
}

/// Gives the material at a point of the dense surface.
pub trait Sampler: Sync {
    /// The material at `hit`; `normal` is the unit normal of the simplified mesh there.
    fn sample(&self, hit: &Nearest, normal: Vec3) -> PbrSample;
}

/// Bakes from a volume: trilinear over the active voxels.
pub fn from_volume(
    surface: Surface<'_>,
    target: &TriMesh,
    volume: &PbrVolume,
    options: BakeOptions,
    control: &Control<'_>,
) -> Result<Baked, MeshError> {
    bake(surface, target, &VolumeSampler::new(volume)?, options, control)
}

/// Bakes from the dense mesh' vertex colours; middle grey where it has none.
pub fn from_vertex_colors(
    surface: Surface<'_>,
    target: &TriMesh,
    options: BakeOptions,
    control: &Control<'_>,
) -> Result<Baked, MeshError> {
    bake(
        surface,
        target,
        &VertexColorSampler::new(surface.mesh),
        options,
        control,
    )
}

/// Bakes from splats: the blend of those that reach a point; see [`SplatSampler`].
pub fn from_splats(
    surface: Surface<'_>,
    target: &TriMesh,
    splats: &GaussianSplats,
    options: BakeOptions,
    control: &Control<'_>,
) -> Result<Baked, MeshError> {
    bake(surface, target, &SplatSampler::new(splats)?, options, control)
}

/// Bakes from pictures with known cameras: each point blends the views that see it, those that look straight at it
/// counting most. What no view sees takes its colour from what lies around it on the surface.
pub fn from_views(
    surface: Surface<'_>,
    target: &TriMesh,
    views: &[(PreparedView, Camera)],
    options: BakeOptions,
    control: &Control<'_>,
) -> Result<Baked, MeshError> {
    let sampler = ViewSampler::new(surface, views, control)?;
    bake(surface, target, &sampler, options, control)
}

/// All channels of one texel as they are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct TexelValue {
    base_color: [u8; 4],
    orm: [u8; 3],
    normal: [u8; 3],
}

/// Baked texels, before and after [`Baked::dilate`].
pub struct Baked {
    size: usize,
    options: BakeOptions,
    has_occlusion: bool,
    values: Vec<TexelValue>,
    has_value: Vec<bool>,
    is_inside: Vec<bool>,
}

/// Bakes with any sampler. `target` needs normals and UVs, and tangents for a normal map.
pub fn bake(
    surface: Surface<'_>,
    target: &TriMesh,
    sampler: &dyn Sampler,
    options: BakeOptions,
    control: &Control<'_>,
) -> Result<Baked, MeshError> {
    check_attributes(surface, target, options)?;
    let size = options.texture_px as usize;
    let meter = Meter::new(control, Step::Bake, size);
    let map = TexelMap::new(target, size);
    let reach = diagonal(surface.mesh) * FACING_REACH;
    let mut values = vec![TexelValue::default(); size * size];
    let mut has_value = vec![false; size * size];
    values
        .par_chunks_mut(size)
        .zip(has_value.par_chunks_mut(size))
        .enumerate()
        .try_for_each(|(y, (row, has_value))| -> Result<(), MeshError> {
            let mut hint = None;
            for (x, (value, has_value)) in row.iter_mut().zip(has_value).enumerate() {
                let Some(texel) = map.texel(target, y * size + x) else {
                    continue;
                };
                let frame = Frame::at(target, texel);
                let Some(hit) = surface.tree.nearest_facing(frame.position, frame.normal, reach, hint) else {
                    continue;
                };
                hint = Some(hit.face);
                *value = stored(surface, sampler, &frame, &hit, options);
                *has_value = true;
            }
            meter.add(1)
        })?;
    Ok(Baked {
        size,
        options,
        has_occlusion: surface.occlusion.is_some(),
        values,
        has_value,
        is_inside: (0..size * size)
            .into_par_iter()
            .map(|texel| map.is_inside(texel))
            .collect(),
    })
}

fn check_attributes(surface: Surface<'_>, target: &TriMesh, options: BakeOptions) -> Result<(), MeshError> {
    let vertices = target.positions.len();
    let is_whole = surface.mesh.normals.len() == surface.mesh.positions.len()
        && target.normals.len() == vertices
        && target.uvs.len() == vertices
        && (!options.has_normal_map || target.tangents.len() == vertices)
        && surface
            .occlusion
            .is_none_or(|values| values.len() == surface.mesh.positions.len());
    if is_whole && options.texture_px > 0 {
        Ok(())
    } else {
        Err(MeshError::Inconsistent {
            what: "baking needs normals, texture coordinates and, for a normal map, tangents".to_owned(),
        })
    }
}

/// The tangent frame of a texel, interpolated and not normalised, as `MikkTSpace` wants it decoded.
struct Frame {
    position: Vec3,
    /// Unit length.
    normal: Vec3,
    raw_normal: Vec3,
    tangent: Vec3,
    sign: f32,
}

impl Frame {
    fn at(target: &TriMesh, texel: texels::Texel) -> Self {
        let triangle = target.triangles[texel.triangle as usize];
        let mix = |value: &dyn Fn(usize) -> Vec3| -> Vec3 {
            (0..3)
                .map(|corner| value(triangle[corner] as usize) * texel.barycentric[corner])
                .sum()
        };
        let raw_normal = mix(&|vertex| target.normals[vertex]);
        let (tangent, sign) = if target.tangents.is_empty() {
            (Vec3::X, 1.0)
        } else {
            let tangent = mix(&|vertex| Vec3::from_slice(&target.tangents[vertex][..3]));
            (tangent, target.tangents[triangle[0] as usize][3])
        };
        Self {
            position: mix(&|vertex| target.positions[vertex]),
            normal: raw_normal.normalize_or(Vec3::Y),
            raw_normal,
            tangent,
            sign,
        }
    }

    /// A model-frame normal in this frame: the exact inverse of the shader's
    /// `n.x * T + n.y * sign * cross(N, T) + n.z * N` (Mikkelsen 2008, appendix A).
    fn encode(&self, normal: Vec3) -> [u8; 3] {
        let bitangent = self.raw_normal.cross(self.tangent) * self.sign;
        let rows = [
            bitangent.cross(self.raw_normal),
            self.raw_normal.cross(self.tangent),
            self.tangent.cross(bitangent),
        ];
        let handedness = if self.tangent.dot(rows[0]) < 0.0 { -1.0 } else { 1.0 };
        let local = (Vec3::from_array(rows.map(|row| row.dot(normal))) * handedness).normalize_or(Vec3::Z);
        // Nothing a normal map can show lies behind the surface.
        let local = local.with_z(local.z.max(0.0)).normalize_or(Vec3::Z);
        local.to_array().map(|value| to_byte(value * 0.5 + 0.5))
    }
}

fn stored(
    surface: Surface<'_>,
    sampler: &dyn Sampler,
    frame: &Frame,
    hit: &Nearest,
    options: BakeOptions,
) -> TexelValue {
    let sample = sampler.sample(hit, frame.normal);
    let corners = surface.mesh.triangles[hit.face as usize];
    let occlusion = surface.occlusion.map_or(1.0, |values| {
        (0..3)
            .map(|corner| values[corners[corner] as usize] * hit.barycentric[corner])
            .sum()
    });
    let [r, g, b] = sample.base_color.map(color::srgb_u8_from_linear);
    TexelValue {
        base_color: [r, g, b, to_byte(sample.alpha)],
        orm: [to_byte(occlusion), to_byte(sample.roughness), to_byte(sample.metallic)],
        normal: if options.has_normal_map {
            let dense: Vec3 = (0..3)
                .map(|corner| surface.mesh.normals[corners[corner] as usize] * hit.barycentric[corner])
                .sum();
            frame.encode(dense.normalize_or(frame.normal))
        } else {
            [128, 128, 255]
        },
    }
}

/// NaN becomes 0.
fn to_byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}

impl Baked {
    /// Gives every texel without a place on the mesh the value of the closest one that has a place.
    pub fn dilate(&mut self, control: &Control<'_>) -> Result<(), MeshError> {
        let meter = Meter::new(control, Step::Dilate, 2);
        let closest = closest_covered(&self.has_value, self.size);
        meter.add(1)?;
        match closest {
            Some(closest) => {
                self.values = closest.par_iter().map(|&texel| self.values[texel as usize]).collect();
            }
            None => self.values.fill(TexelValue {
                base_color: [188, 188, 188, 255],
                orm: [255, 180, 0],
                normal: [128, 128, 255],
            }),
        }
        meter.add(1)
    }

    /// The pictures, alpha mode and factors, and which texels charts cover.
    pub fn into_material(self) -> (Material, Arc<GrayImage>) {
        material::compose(self)
    }
}

#[cfg(test)]
mod tests;
