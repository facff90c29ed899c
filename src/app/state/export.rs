use std::path::PathBuf;

use super::{Problem, ResultState};
pub use crate::export::{ExportFormat, ExportSettings};

impl ExportFormat {
    /// Why a result cannot be written in this format yet, as a sentence; `None` when it can.
    pub fn obstacle(self, result: Option<&ResultState>) -> Option<&'static str> {
        let Some(result) = result else {
            return Some("There is nothing to export yet.");
        };
        if self.holds_splats() {
            return result.asset.splats.is_none().then_some("This result has no splats.");
        }
        if result.asset.mesh.is_none() && result.finished.is_none() {
            return Some("This result has no mesh.");
        }
        (self.holds_colors() && result.finished.is_none()).then_some("The textures are not ready yet.")
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
    /// What the artist chose; its format is the one that Ctrl+E proposes.
    pub settings: ExportSettings,
    /// Bytes that the file will take as it is set now; `None` until it is known, and where it is several files.
    pub size: Option<u64>,
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
