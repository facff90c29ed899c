use bozzetto_asset::Camera;
use serde::{Deserialize, Serialize};

use crate::SplatTier;

/// Which representation of the asset is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shows {
    /// Gaussian splats alone.
    Splats,
    /// The mesh alone.
    #[default]
    Mesh,
    /// Both, sharing one depth buffer.
    Both,
}

impl Shows {
    /// Whether splats are drawn.
    pub fn has_splats(self) -> bool {
        self != Self::Mesh
    }

    /// Whether the mesh is drawn.
    pub fn has_mesh(self) -> bool {
        self != Self::Splats
    }
}

/// How the mesh is shaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shading {
    /// Metallic-roughness material in the environment's light.
    #[default]
    Pbr,
    /// One matte material, to judge the shape alone.
    Clay,
    /// Base colour without light; what the texture file holds.
    BaseColor,
    /// World-space normals as colours: x red, y green, z blue.
    Normals,
    /// Glazed clay that turns with the camera: every bump shows, whatever the material.
    Matcap,
    /// A checker on the texture coordinates, coloured by place: stretch, seams and direction show.
    UvChecker,
    /// How metallic, as grey: black is a dielectric, white metal.
    Metallic,
    /// How rough, as grey: black is a mirror, white matte.
    Roughness,
    /// Texels a metre against the mesh's average: blue has fewer, green as many, red more. Squares are 16 texels wide.
    TexelDensity,
    /// Faces seen from behind in magenta, open edges in red, edges of three and more faces in yellow.
    Health,
}

/// The light around the asset.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A photographer's studio: a large key light, a fill, two rim lights.
    #[default]
    Studio,
    /// A clear day: sun, blue sky, and the ground's bounce.
    Daylight,
    /// A covered sky: soft light from above, no colour of its own.
    Overcast,
}

impl Environment {
    /// Every environment.
    pub const ALL: [Self; 3] = [Self::Studio, Self::Daylight, Self::Overcast];
}

/// How light becomes colour on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToneMapping {
    /// Khronos PBR Neutral: base colours stay what they are, as in other glTF viewers.
    #[default]
    Neutral,
    /// ACES as games use it: more contrast, highlights that glow.
    Aces,
    /// `AgX` as Blender has it: soft highlights, muted colours.
    Agx,
}

impl ToneMapping {
    /// Every tone mapping.
    pub const ALL: [Self; 3] = [Self::Neutral, Self::Aces, Self::Agx];
}

/// What lies behind the asset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Background {
    /// A vertical gradient, linear RGB.
    Gradient {
        /// Colour at the top edge.
        top: [f32; 3],
        /// Colour at the bottom edge.
        bottom: [f32; 3],
    },
    /// Nothing: the picture keeps its alpha.
    Transparent,
}

impl Default for Background {
    fn default() -> Self {
        Self::Gradient {
            top: [0.080, 0.084, 0.094],
            bottom: [0.026, 0.027, 0.030],
        }
    }
}

/// Everything that decides how a scene looks, besides camera and size.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderSettings {
    /// Splats, mesh or both.
    pub shows: Shows,
    /// How the mesh is shaded.
    pub shading: Shading,
    /// Draw the raw mesh even when a finished one is there.
    pub prefers_raw_mesh: bool,
    /// Edges of the mesh over any shading.
    pub wireframe: bool,
    /// Ground grid at the foot of the asset.
    pub grid: bool,
    /// Soft shadow on the ground.
    pub shadow: bool,
    /// X (red) and Z (blue) axes on the ground and Y (green) upwards.
    pub axes: bool,
    /// Frusta of the view cameras with their photos.
    pub cameras: bool,
    /// What lies behind.
    pub background: Background,
    /// Linear RGB of the ground grid's lines; light on dark backgrounds, dark on light ones.
    pub grid_color: [f32; 3],
    /// The light.
    pub environment: Environment,
    /// Turn of the light about +Y, radians.
    pub environment_rotation_rad: f32,
    /// Brightness of the light, stops: 0 is neutral, +1 twice as bright.
    pub exposure: f32,
    /// How the lit mesh becomes colour on the screen.
    pub tone_mapping: ToneMapping,
    /// Length of the drawn frusta, metres.
    pub camera_size: f32,
    /// How splats are drawn; `None` leaves it to what was measured. A tier that the device does not have is ignored.
    pub splat_tier: Option<SplatTier>,
}

impl Default for RenderSettings {
    fn default() -> Self {
        Self {
            shows: Shows::default(),
            shading: Shading::default(),
            prefers_raw_mesh: false,
            wireframe: false,
            grid: true,
            shadow: true,
            axes: true,
            cameras: false,
            background: Background::default(),
            grid_color: [0.33, 0.34, 0.37],
            environment: Environment::default(),
            environment_rotation_rad: 0.0,
            exposure: 0.0,
            tone_mapping: ToneMapping::default(),
            camera_size: 0.22,
            splat_tier: None,
        }
    }
}

impl RenderSettings {
    /// Whether a view camera is drawn for an eye: one that the eye looks through would cover all of the picture.
    pub fn shows_frustum(&self, eye: &Camera, camera: &Camera) -> bool {
        self.cameras && eye.eye().distance(camera.eye()) > self.camera_size
    }

    /// The asset alone over nothing: thumbnails, previews and pictures to paste elsewhere.
    pub fn cutout() -> Self {
        Self {
            grid: false,
            shadow: false,
            axes: false,
            background: Background::Transparent,
            ..Self::default()
        }
    }
}

/// One picture to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// Where from; its aspect should be that of `size_px`.
    pub camera: Camera,
    /// Width and height, pixels.
    pub size_px: [u32; 2],
    /// How.
    pub settings: RenderSettings,
}
