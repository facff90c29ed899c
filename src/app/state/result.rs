use std::sync::Arc;
use std::time::Duration;

use bozzetto_asset::{Asset, TriMesh, View};
use bozzetto_mesh::{FinishSettings, Finished, MeshHealth};

use super::Problem;

/// Sizes of what is on the stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Triangles of the mesh that is shown: the live preview while a slider moves, else the finished mesh, else the raw one.
    pub num_faces: usize,
    /// Its vertices.
    pub num_vertices: usize,
    /// Triangles of the raw mesh, the most there can be.
    pub num_source_faces: usize,
    /// Texels of each texture; 0 before the textures are baked.
    pub num_texels: usize,
    /// Splats.
    pub num_splats: usize,
    /// Length of the longest side of the mesh's bounding box as it was generated, metres; 0 without a mesh.
    pub longest_side: f32,
}

/// What is on the stage.
#[derive(Clone, Debug)]
pub struct ResultState {
    /// Named after the first picture.
    pub name: String,
    /// Library entry it is saved as; `None` until it is saved.
    pub library_id: Option<String>,
    /// Label of the engine that made it.
    pub engine_label: String,
    /// How long it took; zero when unknown.
    pub duration: Duration,
    /// Its parts.
    pub asset: Asset,
    /// The views that it was made of, in the order of its cameras; none when that is not known.
    pub views: Vec<View>,
    /// The mesh with textures, as it will be exported; kept while a newer one is made.
    pub finished: Option<Arc<Finished>>,
    /// The mesh simplified for a slider that moves; replaces `finished` on the stage while it is there.
    pub simplified: Option<Arc<TriMesh>>,
    /// Sizes.
    pub counts: Counts,
    /// Health of the mesh that is shown, once known.
    pub health: Option<MeshHealth>,
    /// Whether pictures or parameters were changed since it was made.
    pub is_outdated: bool,
    /// Whether it can be finished anew: a mesh that came from a finished file keeps the textures it has.
    pub can_finish: bool,
}

/// How far finishing is.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FinishStatus {
    /// There is no mesh to finish.
    #[default]
    Idle,
    /// At work.
    Working {
        /// What it does, as in `Unwrapping`.
        label: String,
        /// Share of the whole that is done, `[0, 1]`.
        progress: f32,
    },
    /// `ResultState::finished` follows the settings.
    Ready,
    /// Failed; an older finished mesh may still be there.
    Failed(Problem),
}

/// How the mesh is to be finished.
#[derive(Clone, Debug, Default)]
pub struct FinishState {
    /// What the artist chose.
    pub settings: FinishSettings,
    /// How far it is.
    pub status: FinishStatus,
}
