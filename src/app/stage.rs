//! What the stage is to show, and what its threads answer.

use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, SparseStructure, TriMesh};
use bozzetto_mesh::{Finished, FlawedEdges};
use bozzetto_viewport::{Bounds, Frame, GpuError, Renderer, Scene, VoxelPool};
use egui_wgpu::wgpu;
use image::RgbaImage;

/// What the stage is to show. Parts are shared with the rest of the window.
#[derive(Clone, Default)]
pub struct StageRequest {
    /// Splats.
    pub splats: Option<Arc<GaussianSplats>>,
    /// The mesh with its textures.
    pub finished: Option<Arc<Finished>>,
    /// A mesh without textures: the raw one, one that is still forming, or the live preview of the face count.
    pub raw: Option<Arc<TriMesh>>,
    /// Active voxels of a shape that has no surface yet.
    pub voxels: Option<Arc<SparseStructure>>,
    /// Cameras of the views, each with a small picture.
    pub cameras: Vec<(Camera, Option<RgbaImage>)>,
    /// Look for broken edges and mark them.
    pub marks_flaws: bool,
}

impl StageRequest {
    /// The mesh to draw: the finished one, or else the raw one.
    pub fn mesh(&self) -> Option<&Arc<TriMesh>> {
        let finished = self.finished.as_ref().map(|finished| &finished.textured.mesh);
        finished.or(self.raw.as_ref())
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.splats.is_none() && self.finished.is_none() && self.raw.is_none() && self.voxels.is_none()
    }
}

/// The stage holds two contents: the result, and one to compare it with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// What is being worked on.
    Result,
    /// Another result.
    Other,
}

impl Slot {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Result, Self::Other];
}

/// Content with a number: another number is other content.
#[derive(Default)]
pub struct Numbered {
    /// Its number; 0 is nothing.
    pub number: u64,
    /// What it is.
    pub request: StageRequest,
}

/// What a stage is to hold in its slots.
#[derive(Clone, Default)]
pub struct StageContents([Arc<Numbered>; 2]);

impl StageContents {
    /// Puts other content into a slot.
    pub fn replace(&mut self, slot: Slot, request: StageRequest) {
        let content = &mut self.0[slot as usize];
        *content = Arc::new(Numbered {
            number: content.number + 1,
            request,
        });
    }

    /// What a slot is to hold.
    pub fn of(&self, slot: Slot) -> &Numbered {
        &self.0[slot as usize]
    }
}

/// One of the two pictures that the stage may show at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The whole stage, or its left part.
    First,
    /// The right part.
    Second,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::First, Self::Second];
}

/// A picture of one of the contents.
#[derive(Clone, Debug, PartialEq)]
pub struct SideFrame {
    /// What is drawn.
    pub slot: Slot,
    /// How.
    pub frame: Frame,
}

/// What a stage's thread made.
pub enum StageContent {
    /// The pipelines; comes once, before the first scene of a graphics card.
    Renderer(Arc<Renderer>),
    /// The processor is ready to draw; comes once.
    Ready,
    /// Content is where it can be drawn from.
    Uploaded {
        /// Which.
        slot: Slot,
        /// Buffers and textures on the graphics card; where the processor draws, its thread keeps them.
        scene: Option<Box<Scene>>,
        /// Box about everything in it.
        bounds: Option<Bounds>,
        /// What could not be brought there; the rest is.
        faults: Vec<GpuError>,
    },
    /// One of the stage's pictures, drawn by the processor.
    Picture(Side, egui::ColorImage),
    /// The processor could not draw the stage.
    NotDrawn(GpuError),
    /// Nothing can be drawn at all.
    Failed(String),
}

/// Brings content to a device. What cannot be brought there is told and left out. Live previews leave their buffers in the
/// pool for the next one.
pub fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    request: &StageRequest,
    wake: Arc<dyn Fn() + Send + Sync>,
    pool: &VoxelPool,
) -> (Scene, Vec<GpuError>) {
    let mut scene = Scene::with_pool(pool);
    scene.set_wake(wake);
    let textured = request.finished.as_ref().map(|finished| &finished.textured);
    if request.marks_flaws
        && let Some(mesh) = request.mesh()
    {
        let flawed = FlawedEdges::of(mesh);
        scene.set_mesh_flaws(&flawed.open, &flawed.non_manifold);
    }
    let faults = [
        scene.set_splats(device, queue, request.splats.as_deref()),
        scene.set_textured_mesh(device, queue, textured),
        scene.set_raw_mesh(device, queue, request.raw.as_deref()),
        scene.set_voxels(device, queue, request.voxels.as_deref()),
        scene.set_view_cameras(device, queue, &request.cameras),
    ];
    (scene, faults.into_iter().filter_map(Result::err).collect())
}
