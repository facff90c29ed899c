use bozzetto_asset::Camera;
use bozzetto_viewport::{Environment, OrbitCamera, RenderSettings, Shading, Shows, ToneMapping};
use glam::Vec3;
use serde::{Deserialize, Serialize};

use super::{Comparison, ComparisonLayout, Problem, ViewId};
use crate::app::Navigation;

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViewportMode {
    /// The mesh with its textures, lit.
    #[default]
    Mesh,
    /// The splats.
    Splats,
    /// Both, in one depth.
    Both,
    /// The mesh as grey clay.
    Clay,
    /// The mesh coloured by its normals.
    Normals,
    /// The mesh's base colour without light.
    BaseColor,
    /// The mesh as glazed clay that turns with the eye.
    Matcap,
    /// A checker on the texture coordinates.
    UvChecker,
    /// How metallic the mesh is, as grey.
    Metallic,
    /// How rough the mesh is, as grey.
    Roughness,
    /// Texels a metre against the average.
    TexelDensity,
    /// Open and crowded edges, and faces seen from behind.
    Health,
}

impl ViewportMode {
    /// What an artist looks at: a button each.
    pub const MAIN: [Self; 4] = [Self::Mesh, Self::Splats, Self::Both, Self::Clay];
    /// What a mesh is judged by: a list.
    pub const INSPECT: [Self; 8] = [
        Self::Normals,
        Self::BaseColor,
        Self::Matcap,
        Self::UvChecker,
        Self::Metallic,
        Self::Roughness,
        Self::TexelDensity,
        Self::Health,
    ];

    /// Name on the button.
    pub fn label(self) -> &'static str {
        match self {
            Self::Mesh => "Mesh",
            Self::Splats => "Splats",
            Self::Both => "Both",
            Self::Clay => "Clay",
            Self::Normals => "Normals",
            Self::BaseColor => "Base color",
            Self::Matcap => "Matcap",
            Self::UvChecker => "UV checker",
            Self::Metallic => "Metallic",
            Self::Roughness => "Roughness",
            Self::TexelDensity => "Texel density",
            Self::Health => "Mesh health",
        }
    }

    /// What the renderer is to draw.
    pub fn shows(self) -> Shows {
        match self {
            Self::Splats => Shows::Splats,
            Self::Both => Shows::Both,
            _ => Shows::Mesh,
        }
    }

    /// How the renderer is to shade the mesh.
    pub fn shading(self) -> Shading {
        match self {
            Self::Clay => Shading::Clay,
            Self::Normals => Shading::Normals,
            Self::BaseColor => Shading::BaseColor,
            Self::Matcap => Shading::Matcap,
            Self::UvChecker => Shading::UvChecker,
            Self::Metallic => Shading::Metallic,
            Self::Roughness => Shading::Roughness,
            Self::TexelDensity => Shading::TexelDensity,
            Self::Health => Shading::Health,
            Self::Mesh | Self::Splats | Self::Both => Shading::Pbr,
        }
    }
}

/// A camera on the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frustum {
    /// Where it stands and what it sees.
    pub camera: Camera,
    /// The view it belongs to, if that is on the list.
    pub view: Option<ViewId>,
}

/// A picture laid over the stage.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlay {
    /// Which picture.
    pub view: ViewId,
    /// 0 is invisible, 1 hides the stage.
    pub opacity: f32,
}

/// How far the other result of a comparison is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum OtherResult {
    /// None is wanted.
    #[default]
    None,
    /// It is being read.
    Opening,
    /// It is on the stage.
    Shown {
        /// Its name.
        name: String,
        /// Whether its textures are still being made.
        is_finishing: bool,
    },
    /// It cannot be shown.
    Failed(Problem),
}

/// Whether the stage can be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum GpuStatus {
    /// Not known yet.
    #[default]
    Starting,
    /// It can.
    Ready {
        /// Name of the adapter, as in `NVIDIA GeForce RTX 4090`.
        adapter: String,
        /// Whether the processor stands in for a graphics card: correct, and slow.
        is_software: bool,
    },
    /// It cannot: everything else still works.
    Failed(Problem),
}

/// How the stage is looked at.
#[derive(Clone, Debug)]
pub struct ViewportState {
    /// What is shown.
    pub mode: ViewportMode,
    /// Edges over the mesh.
    pub wireframe: bool,
    /// Ground grid.
    pub grid: bool,
    /// Axes.
    pub axes: bool,
    /// The views as small pyramids with their pictures.
    pub cameras: bool,
    /// Those that are shown.
    pub frusta: Vec<Frustum>,
    /// The light.
    pub environment: Environment,
    /// Light: rotation of the environment about +Y, radians.
    pub environment_rotation_rad: f32,
    /// Light: exposure in stops.
    pub exposure_stops: f32,
    /// How light becomes colour.
    pub tone_mapping: ToneMapping,
    /// How pointer and keys move the eye.
    pub navigation: Navigation,
    /// The artist's eye.
    pub orbit: OrbitCamera,
    /// The point of the surface that the artist holds, model frame.
    pub pivot: Option<Vec3>,
    /// The picture laid over the stage, if any.
    pub overlay: Option<Overlay>,
    /// What the result is compared with, if with anything.
    pub comparison: Option<Comparison>,
    /// How the next comparison begins.
    pub comparison_layout: ComparisonLayout,
    /// The other result of a comparison.
    pub other: OtherResult,
    /// Name of the result that was on the stage before, if there was one.
    pub previous_name: Option<String>,
    /// Whether the stage can be drawn.
    pub gpu: GpuStatus,
    /// Whether there is anything to draw.
    pub has_content: bool,
    /// Active voxels on the stage: all there is of a shape that is only beginning to form.
    pub num_voxels: usize,
}

impl Default for ViewportState {
    fn default() -> Self {
        Self {
            mode: ViewportMode::default(),
            wireframe: false,
            grid: true,
            axes: false,
            cameras: false,
            frusta: Vec::new(),
            environment: Environment::default(),
            environment_rotation_rad: 0.0,
            exposure_stops: 0.0,
            tone_mapping: ToneMapping::default(),
            navigation: Navigation::default(),
            orbit: OrbitCamera::default(),
            pivot: None,
            overlay: None,
            comparison: None,
            comparison_layout: ComparisonLayout::default(),
            other: OtherResult::default(),
            previous_name: None,
            gpu: GpuStatus::default(),
            has_content: false,
            num_voxels: 0,
        }
    }
}

impl ViewportState {
    /// Whether a bar floats at the foot of the stage.
    pub fn has_bar_at_foot(&self) -> bool {
        self.overlay.is_some() || self.comparison.is_some()
    }

    /// The same choices in the renderer's words, but for what is shown.
    pub fn render_settings(&self, mode: ViewportMode) -> RenderSettings {
        RenderSettings {
            shows: mode.shows(),
            shading: mode.shading(),
            wireframe: self.wireframe,
            grid: self.grid,
            axes: self.axes,
            cameras: self.cameras,
            environment: self.environment,
            environment_rotation_rad: self.environment_rotation_rad,
            exposure: self.exposure_stops,
            tone_mapping: self.tone_mapping,
            ..RenderSettings::default()
        }
    }
}
