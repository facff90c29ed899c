use std::sync::Arc;

use image::{GrayImage, RgbImage, RgbaImage};

use crate::{Provenance, TriMesh};

/// How a material's alpha is used; the same three modes as glTF's.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlphaMode {
    /// Alpha is ignored.
    #[default]
    Opaque,
    /// A texel is drawn when its alpha reaches the cut-off, and is then solid.
    Mask {
        /// The cut-off in `[0, 1]`.
        cutoff: f32,
    },
    /// Texels are blended over what lies behind.
    Blend,
}

/// Metallic-roughness material with its textures. Pictures are as in files: base colour is sRGB-encoded, the rest
/// is linear data. All pictures of one material have the same size.
#[derive(Clone, Debug, Default)]
pub struct Material {
    /// Base colour and alpha, sRGB-encoded, straight alpha.
    pub base_color: Arc<RgbaImage>,
    /// Occlusion (red), roughness (green), metallic (blue): glTF's packing.
    pub orm: Option<Arc<RgbImage>>,
    /// Tangent-space normals, OpenGL convention (+Y up).
    pub normal: Option<Arc<RgbImage>>,
    /// How alpha is used.
    pub alpha_mode: AlphaMode,
    /// Metallic where there is no `orm`.
    pub metallic_factor: f32,
    /// Roughness where there is no `orm`.
    pub roughness_factor: f32,
    /// Whether the red channel of `orm` holds baked ambient occlusion.
    pub has_occlusion: bool,
}

/// A finished mesh: UVs, normals, material, ready to be written or drawn.
#[derive(Clone, Debug, Default)]
pub struct TexturedMesh {
    /// Geometry with normals and UVs.
    pub mesh: Arc<TriMesh>,
    /// Its material.
    pub material: Material,
    /// Where it came from.
    pub provenance: Provenance,
    /// Which texels belong to a chart (255) and which are padding or empty (0); empty image when unknown.
    pub coverage: Arc<GrayImage>,
}
