use serde::{Deserialize, Serialize};

use crate::{MeshError, RemeshSettings};

/// Where the base colour of the finished mesh comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorSource {
    /// What the engine made; see [`crate::finish`].
    #[default]
    Asset,
    /// The pictures, as the engine placed them; what none of them shows comes from the asset.
    Pictures,
}

/// What the artist sets for the finished mesh. Lengths without unit are fractions of the bounding box' diagonal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FinishSettings {
    /// Faces of the finished mesh; a surface with fewer stays as it is.
    pub target_faces: u32,
    /// Edge of the square textures in pixels, 16 to 8192.
    pub texture_px: u32,
    /// Bake the detail that simplifying removes into a tangent-space normal map.
    pub bakes_normal_map: bool,
    /// Bake short-range ambient occlusion.
    pub bakes_occlusion: bool,
    /// Where base colours come from.
    pub colors_from: ColorSource,
    /// Bake roughness and metallic into a texture where they vary; off: one value each for the whole material.
    pub bakes_orm: bool,
    /// Close small holes.
    pub fills_holes: bool,
    /// The longest rim of a hole that is closed, as a fraction of the diagonal.
    pub max_hole_perimeter: f32,
    /// Close all holes, whatever their size; what encloses nothing even then goes. Has no need of `fills_holes`.
    pub closes_all_holes: bool,
    /// Drop components that lie wholly inside another one.
    pub removes_inner_shells: bool,
    /// Move parts that touch in a vertex or an edge a little apart.
    pub parts_touching: bool,
    /// Components with less than this share of the surface's area go. 0 keeps all.
    pub min_component_area: f32,
    /// Vertices closer than this fraction of the diagonal become one.
    pub weld_distance: f32,
    /// Empty texels around each chart.
    pub padding_px: u32,
    /// How far occlusion reaches, as a fraction of the diagonal.
    pub occlusion_distance: f32,
    /// Rebuild the surface as one closed manifold before simplifying.
    pub remeshes: bool,
    /// How it is rebuilt.
    pub remesh: RemeshSettings,
}

impl Default for FinishSettings {
    fn default() -> Self {
        Self {
            target_faces: 50_000,
            texture_px: 2048,
            bakes_normal_map: true,
            bakes_occlusion: false,
            colors_from: ColorSource::Asset,
            bakes_orm: true,
            fills_holes: true,
            max_hole_perimeter: 0.25,
            closes_all_holes: false,
            removes_inner_shells: false,
            parts_touching: false,
            min_component_area: 0.000_1,
            weld_distance: 1e-6,
            padding_px: 4,
            occlusion_distance: 0.1,
            remeshes: false,
            remesh: RemeshSettings::default(),
        }
    }
}

impl FinishSettings {
    /// Checks the ranges; the error names the setting.
    pub fn validate(&self) -> Result<(), MeshError> {
        let error = |what: String| Err(MeshError::BadSetting { what });
        if self.target_faces == 0 {
            return error("The face count must be at least 1.".to_owned());
        }
        if !(16..=8192).contains(&self.texture_px) {
            return error(format!(
                "The texture size {} px is not between 16 and 8192.",
                self.texture_px
            ));
        }
        if self.padding_px > 64 || self.padding_px * 4 >= self.texture_px {
            return error(format!(
                "A padding of {} px is too much for a texture of {} px.",
                self.padding_px, self.texture_px
            ));
        }
        for (name, value) in [
            ("hole size", self.max_hole_perimeter),
            ("smallest component", self.min_component_area),
            ("weld distance", self.weld_distance),
            ("occlusion distance", self.occlusion_distance),
        ] {
            if !(value.is_finite() && (0.0..=100.0).contains(&value)) {
                return error(format!("The {name} {value} is not between 0 and 100."));
            }
        }
        self.remesh.validate()
    }

    /// Whether both settings clean the raw surface in the same way, so that a [`crate::Prepared`] can be used again.
    pub fn prepares_like(&self, other: &Self) -> bool {
        self.fills_holes == other.fills_holes
            && self.max_hole_perimeter == other.max_hole_perimeter
            && self.closes_all_holes == other.closes_all_holes
            && self.removes_inner_shells == other.removes_inner_shells
            && self.parts_touching == other.parts_touching
            && self.min_component_area == other.min_component_area
            && self.weld_distance == other.weld_distance
            && self.remeshes == other.remeshes
            && (!self.remeshes || self.remesh == other.remesh)
    }
}
