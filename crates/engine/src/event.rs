use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, PreparedView, SparseStructure, TriMesh};
use serde::{Deserialize, Serialize};

/// How much a log line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something was worked around.
    Warning,
}

/// A part of the result that can be shown before the end.
#[derive(Clone, Debug)]
pub enum Preview {
    /// Active voxels: where the shape is, before there is a surface.
    Structure(Arc<SparseStructure>),
    /// A coarse or unfinished surface, perhaps with vertex colours.
    Mesh(Arc<TriMesh>),
    /// Unfinished splats.
    Splats(Arc<GaussianSplats>),
    /// The cut-out pictures, so that the artist sees what the engine sees.
    Views(Vec<PreparedView>),
    /// The cameras the engine settled on.
    Cameras(Vec<Camera>),
}

/// What a run tells while it goes on. The end of a run is a value, see [`crate::Engine::run`].
#[derive(Clone, Debug)]
pub enum Event {
    /// A stage begins.
    Stage {
        /// Id as in parameter keys.
        id: String,
        /// What the artist reads.
        label: String,
        /// Place in the engine's list of stages.
        index: usize,
        /// Length of that list.
        count: usize,
    },
    /// A stage goes on.
    Progress {
        /// Id of the stage.
        stage: String,
        /// Work done, in the stage's own unit.
        done: u64,
        /// All of the stage's work.
        total: u64,
    },
    /// A stage's kept output is used instead of computing it again.
    Reused {
        /// Id of the stage.
        stage: String,
    },
    /// Something to look at.
    Preview(Preview),
    /// Memory on the engine's device, bytes.
    Memory {
        /// In use.
        used: u64,
        /// There is.
        total: u64,
    },
    /// A line for the log.
    Log {
        /// How much it matters.
        level: LogLevel,
        /// The line.
        message: String,
    },
}
