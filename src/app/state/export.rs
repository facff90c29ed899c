use std::path::PathBuf;

use bozzetto_asset::formats::glb::TextureFormat;
use serde::{Deserialize, Serialize};

use super::{Problem, ResultState};

/// A file format that a result can be written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// Mesh, textures and provenance in one file.
    #[default]
    Glb,
    /// Mesh with its textures beside it.
    Obj,
    /// Bare surface, for printing.
    Stl,
    /// Gaussian splats, uncompressed.
    Ply,
    /// Gaussian splats, compressed.
    Spz,
}

impl ExportFormat {
    /// Every format, in the order of the menu.
    pub const ALL: [Self; 5] = [Self::Glb, Self::Obj, Self::Stl, Self::Ply, Self::Spz];

    /// Short name, as in `GLB`.
    pub fn label(self) -> &'static str {
        match self {
            Self::Glb => "GLB",
            Self::Obj => "OBJ",
            Self::Stl => "STL",
            Self::Ply => "PLY",
            Self::Spz => "SPZ",
        }
    }

    /// File extension without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Glb => "glb",
            Self::Obj => "obj",
            Self::Stl => "stl",
            Self::Ply => "ply",
            Self::Spz => "spz",
        }
    }

    /// One sentence on what it is for.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Glb => "Mesh and textures in one file. Opens in Blender, Unity, Unreal, Godot and on the web.",
            Self::Obj => "Mesh with its textures beside it. Opens nearly everywhere.",
            Self::Stl => "The bare surface, for 3D printing.",
            Self::Ply => "Gaussian splats as every splat viewer reads them.",
            Self::Spz => "Gaussian splats in about a tenth of the size.",
        }
    }

    /// Whether it holds splats instead of a mesh.
    pub fn holds_splats(self) -> bool {
        matches!(self, Self::Ply | Self::Spz)
    }

    /// Why a result cannot be written in this format yet, as a sentence; `None` when it can.
    pub fn obstacle(self, result: Option<&ResultState>) -> Option<&'static str> {
        let Some(result) = result else {
            return Some("There is nothing to export yet.");
        };
        match self {
            Self::Ply | Self::Spz if result.asset.splats.is_none() => Some("This result has no splats."),
            Self::Glb | Self::Obj if result.asset.mesh.is_none() && result.finished.is_none() => {
                Some("This result has no mesh.")
            }
            Self::Glb | Self::Obj if result.finished.is_none() => Some("The textures are not ready yet."),
            Self::Stl if result.asset.mesh.is_none() && result.finished.is_none() => Some("This result has no mesh."),
            _ => None,
        }
    }
}

/// How the last export stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ExportStatus {
    /// Nothing exported yet.
    #[default]
    Idle,
    /// The file dialog is open.
    Choosing,
    /// The textures are being brought up to date before writing.
    Waiting {
        /// Where it will go.
        path: PathBuf,
    },
    /// Being written.
    Writing {
        /// Where it goes.
        path: PathBuf,
    },
    /// Written.
    Done {
        /// Where it is.
        path: PathBuf,
        /// Size of the file, bytes.
        num_bytes: u64,
    },
    /// Not written.
    Failed(Problem),
}

/// Choices for export and how the last one went.
#[derive(Clone, Debug, Default)]
pub struct ExportState {
    /// Format that Ctrl+E proposes.
    pub format: ExportFormat,
    /// How pictures inside a GLB are packed.
    pub texture_format: TextureFormat,
    /// Folder of the last export.
    pub folder: Option<PathBuf>,
    /// How the last export stands.
    pub status: ExportStatus,
}

impl ExportState {
    /// Whether a dialog is open or a file is being written.
    pub fn is_busy(&self) -> bool {
        matches!(
            self.status,
            ExportStatus::Choosing | ExportStatus::Waiting { .. } | ExportStatus::Writing { .. }
        )
    }
}
