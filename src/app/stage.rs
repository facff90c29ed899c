//! The thread that brings content onto the graphics card, so that the window never waits for an upload.

use std::sync::Arc;

use bozzetto_asset::{Camera, GaussianSplats, TriMesh};
use bozzetto_mesh::Finished;
use bozzetto_viewport::{Bounds, GpuError, Renderer, Scene};
use egui_wgpu::wgpu;
use image::RgbaImage;

use super::latest::{LatestWins, Ticket};
use super::mailbox::{Mailbox, Message};

/// What the stage is to show. Parts are shared with the rest of the window.
#[derive(Clone, Default)]
pub struct StageRequest {
    /// Splats.
    pub splats: Option<Arc<GaussianSplats>>,
    /// The mesh with its textures.
    pub finished: Option<Arc<Finished>>,
    /// A mesh without textures: the raw one, one that is still forming, or the live preview of the face count.
    pub raw: Option<Arc<TriMesh>>,
    /// Cameras of the views, each with a small picture.
    pub cameras: Vec<(Camera, Option<RgbaImage>)>,
}

impl StageRequest {
    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        self.splats.is_none() && self.finished.is_none() && self.raw.is_none()
    }
}

/// Content for the stage, uploaded.
pub enum StageContent {
    /// The pipelines; comes once, before the first scene.
    Renderer(Arc<Renderer>),
    /// A scene.
    Scene {
        /// Buffers and textures.
        scene: Box<Scene>,
        /// Box about everything in it.
        bounds: Option<Bounds>,
        /// What could not be brought onto the card; the rest of the scene is there.
        faults: Vec<GpuError>,
    },
    /// The pipelines could not be built.
    Failed(String),
}

/// Uploads the newest content.
pub struct StageThread(LatestWins<StageRequest>);

impl StageThread {
    /// Starts the thread; it builds the pipelines first.
    pub fn start(
        device: wgpu::Device,
        queue: wgpu::Queue,
        target_format: wgpu::TextureFormat,
        mailbox: &Mailbox,
    ) -> std::io::Result<Self> {
        let (for_work, for_panic) = (mailbox.clone(), mailbox.clone());
        let mut renderer = None;
        let work = move |request: StageRequest, _: &Ticket| {
            let renderer = renderer.get_or_insert_with(|| {
                let renderer = Arc::new(Renderer::new(&device, &queue, target_format));
                for_work.post(Message::Stage(StageContent::Renderer(Arc::clone(&renderer))));
                renderer
            });
            let (mut scene, mut faults) = upload(&device, &queue, &request, for_work.wake());
            faults.extend(renderer.choose_splat_tier(&mut scene, &device, &queue).err());
            // An outdated scene is shown all the same when uploads take longer than the artist's hand needs to move a
            // slider: a late picture is better than none. It is the next one that is skipped.
            for_work.post(Message::Stage(StageContent::Scene {
                bounds: scene.bounds(),
                scene: Box::new(scene),
                faults,
            }));
        };
        let failed = move |_: &Ticket, reason: String| {
            for_panic.post(Message::Stage(StageContent::Failed(reason)));
        };
        let thread = LatestWins::start("stage", work, failed)?;
        thread.request(StageRequest::default());
        Ok(Self(thread))
    }

    /// Shows something else.
    pub fn show(&self, request: StageRequest) {
        self.0.request(request);
    }
}

fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    request: &StageRequest,
    wake: Arc<dyn Fn() + Send + Sync>,
) -> (Scene, Vec<GpuError>) {
    let mut scene = Scene::new();
    scene.set_wake(wake);
    let textured = request.finished.as_ref().map(|finished| &finished.textured);
    let faults = [
        scene.set_splats(device, queue, request.splats.as_deref()),
        scene.set_textured_mesh(device, queue, textured),
        scene.set_raw_mesh(device, queue, request.raw.as_deref()),
        scene.set_view_cameras(device, queue, &request.cameras),
    ];
    (scene, faults.into_iter().filter_map(Result::err).collect())
}
